"""Searching certificates by every business key, page by page."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, TypeAdapter

from gateway.documents.base import printable
from gateway.errors import InputError
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.services.lookup import note_views
from gateway.store import CertificateRow, SearchField, search, search_keys
from gateway.store.search import Criteria, Position
from gateway.store.types import canonical_json


def whole(term: str) -> str:
    """Return a term that a database can be asked for.

    Raises:
        ValueError: it holds characters that none can hold.
    """
    if printable(term) != term:
        raise ValueError("holds a control character")
    return term


_LONGEST_CURSOR: Final = 2_000
_NO_CURSOR: Final = "the cursor belongs to another search; begin without one"
_Term = Annotated[str, AfterValidator(whole)]
_VALUES: Final[TypeAdapter[tuple[str, int, str | None, date | None]]] = TypeAdapter(
    tuple[str, Annotated[int, Field(ge=0, le=2**63 - 1)], _Term | None, date | None]
)


@dataclass(frozen=True, kw_only=True)
class SearchPage:
    """Is one page of what was found; ``cursor`` asks for the next, None after the last."""

    rows: tuple[CertificateRow, ...]
    cursor: str | None


def find(
    counter: Counter,
    caller: Caller,
    criteria: Criteria,
    *,
    cursor: str | None,
    limit: int,
    purpose: str | None,
) -> SearchPage:
    """Return a page of the certificates that meet the criteria and that the caller may see.

    Raises:
        InputError: the cursor belongs to another search, or to none.
    """
    caller.require(Scope.READ)
    mark = _mark(caller, criteria)
    after = None if cursor is None else _read(cursor, mark)
    with counter.desk.store.read() as conn:
        found = search.search(conn, caller.visible, criteria, after=after, limit=limit)
    note_views(counter, caller, found.certificates, subject=f"search {mark}", purpose=purpose)
    go_on = None if found.go_on is None else _write(found.go_on, mark)
    return SearchPage(rows=found.certificates, cursor=go_on)


def keys_from(written: Mapping[SearchField, str | None]) -> tuple[Any, ...]:
    """Return the search keys of what was written; a blank one is none.

    Raises:
        InputError: nothing is left of what was written.
    """
    found = []
    for field, text in written.items():
        if text is None:
            continue
        key = search_keys.key(field, text)
        if not key.term:
            raise InputError(f"the {field.lower()} searched for is blank")
        found.append(key)
    return tuple(found)


def _mark(caller: Caller, criteria: Criteria) -> str:
    """Return what a cursor must belong to: the search, and who may see what."""
    said = repr((criteria, caller.visible))
    return hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _write(position: Position, mark: str) -> str:
    day = None if position.day is None else position.day.isoformat()
    values = [mark, position.certificate_id, position.term, day]
    return base64.urlsafe_b64encode(canonical_json(values).encode()).decode("ascii").rstrip("=")


def _read(cursor: str, mark: str) -> Position:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded[:_LONGEST_CURSOR], b"-_", validate=True)
        known, key, term, day = _VALUES.validate_json(raw)
    except (ValueError, binascii.Error) as exc:  # a ValidationError is a ValueError
        raise InputError(_NO_CURSOR) from exc
    if known != mark:
        raise InputError(_NO_CURSOR)
    return Position(certificate_id=key, term=term, day=day)
