"""What one address of the interface is: the record of which the route table is a list.

Everything that the app enforces and the interface description promises stands in a ``Route``;
a handler reads a ``Call`` and returns a ``Reply``, and knows nothing of HTTP beyond that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from gateway.documents import Language
from gateway.errors import (
    BusyError,
    GatewayError,
    InputError,
    NotAuthenticatedError,
    NotPermittedError,
    SlowDownError,
    TokenKeysUnavailableError,
)
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter, RequestKey

BASE: Final = "/api/v1"
JSON: Final = "application/json"
XML: Final = "application/xml"
PDF: Final = "application/pdf"

COMMON_PROBLEMS: Final[tuple[type[GatewayError], ...]] = (
    InputError,
    NotAuthenticatedError,
    NotPermittedError,
    SlowDownError,
    BusyError,
    TokenKeysUnavailableError,
)
"""What any address may answer beside what its route names."""


class Method(StrEnum):
    """Names the HTTP methods in use."""

    GET = "GET"
    POST = "POST"
    DELETE = "DELETE"


class Params(BaseModel):
    """Is the frozen base of path and query parameters, which arrive as text."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class NoParams(Params):
    """Is what an address has that takes no parameters."""


@dataclass(frozen=True, kw_only=True)
class Media:
    """Is a content type with the model of what it holds; None for bytes of another form."""

    media_type: str
    model: type[BaseModel] | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Is one request, read and checked.

    Attributes:
        path, query: instances of the route's models.
        body: empty where the route takes none.
        media_type: of the body.
        key: the idempotency key, where one was sent.
        purpose: why foreign certificates are looked at, as the caller says.
        stream: the body of a route that streams; ``body`` is empty there.
    """

    counter: Counter
    caller: Caller
    language: Language
    path: Any
    query: Any
    body: bytes = b""
    media_type: str = ""
    key: RequestKey | None = None
    purpose: str | None = None
    stream: Stream | None = None


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Is a body that is read while it arrives.

    Attributes:
        pieces: the bytes, bounded like any body.
        key_of: returns the idempotency key with the request that a body of this digest is.
    """

    pieces: Iterator[bytes]
    key_of: Callable[[str], RequestKey | None]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Is the answer of a handler: a model, or bytes of another form."""

    content: BaseModel | bytes
    status: int = 200
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Route:
    """Is one address.

    Attributes:
        name: unique; the operation id of the interface description.
        path: below ``/api/v1``, with parameters in braces.
        scope: what the caller's key must be good for; None admits every key that holds.
        takes: content types of the body; empty for none.
        answers: content type by status.
        problems: errors that may be answered, beside ``COMMON_PROBLEMS``.
        keyed: an ``Idempotency-Key`` makes it repeatable.
        streams: the body is read while it arrives, up to the limit for batches.
        conditional: answers carry an ETag, and ``If-None-Match`` is heeded.
    """

    name: str
    method: Method
    path: str
    tag: str
    summary: str
    scope: Scope | None
    handler: Callable[[Call], Reply]
    path_params: type[Params] = NoParams
    query: type[Params] = NoParams
    takes: tuple[Media, ...] = ()
    answers: Mapping[int, Media]
    problems: tuple[type[GatewayError], ...] = ()
    keyed: bool = False
    streams: bool = False
    conditional: bool = False
