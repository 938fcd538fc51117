"""The base of the calls: a question is put, and its answer becomes a typed view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import ValidationError

from gateway.client.connection import JSON, Answer, Body, Connection, Manner, Question
from gateway.client.views import View
from gateway.documents.base import Record
from gateway.errors import BadAnswerError

Seen = TypeVar("Seen", bound=View)


class Calls:
    """Is the base of the calls of each part of the interface."""

    def __init__(self, connection: Connection, manner: Manner) -> None:
        self._connection = connection
        self._manner = manner

    def _get(self, model: type[Seen], path: str, query: Mapping[str, Any] | None = None) -> Seen:
        return self._asked(model, Question(method="GET", path=path, query=_query(query)))

    def _bytes(self, path: str, accept: str, query: Mapping[str, Any] | None = None) -> bytes:
        question = Question(method="GET", path=path, query=_query(query), accept=accept)
        return self._connection.ask(question, self._manner).body

    def _stream(
        self, path: str, accept: str, query: Mapping[str, Any] | None = None
    ) -> Iterator[bytes]:
        question = Question(method="GET", path=path, query=_query(query), accept=accept)
        return self._connection.stream(question, self._manner)

    def _delete(self, model: type[Seen], path: str) -> Seen:
        return self._asked(model, Question(method="DELETE", path=path))

    def _post(
        self,
        model: type[Seen],
        path: str,
        content: Record | Body | None = None,
        *,
        media_type: str = JSON,
        query: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        keyed: bool = False,
    ) -> Seen:
        body = content
        if isinstance(content, Record):
            body = content.model_dump_json(exclude_none=True).encode()
        key = (idempotency_key or str(uuid4())) if keyed else None
        return self._asked(
            model,
            Question(
                method="POST",
                path=path,
                query=_query(query),
                body=body,  # type: ignore[arg-type]  # a record has become bytes
                media_type=None if content is None else media_type,
                idempotency_key=key,
                repeatable=False,
            ),
        )

    def _asked(self, model: type[Seen], question: Question) -> Seen:
        answer: Answer = self._connection.ask(question, self._manner)
        try:
            return model.model_validate_json(answer.body)
        except ValidationError as exc:
            places = {".".join(map(str, each["loc"])) for each in exc.errors(include_input=False)}
            raise BadAnswerError(
                f"the answer is no {model.__name__}: {', '.join(sorted(places))[:200]}"
            ) from exc


def step(value: str) -> str:
    """Return a value as one step of a path."""
    return quote(value, safe="")


def _query(stated: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: _written(each) for name, each in (stated or {}).items() if each is not None}


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    return value.isoformat() if isinstance(value, date) else str(value)
