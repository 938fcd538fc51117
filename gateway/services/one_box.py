"""One box that finds anything: whatever a person types is looked for in every business key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.documents.base import printable
from gateway.errors import InputError, NotFoundError
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.services.finding_certificates import SearchPage, find, keys_from
from gateway.services.lookup import FoundMessage, message
from gateway.store import SearchField
from gateway.store.search import Criteria

LONGEST: Final = 200
_BOX_FIELDS: Final = (
    SearchField.SERIAL,
    SearchField.DECLARATION,
    SearchField.INVOICE,
    SearchField.EXPORTER,
    SearchField.CONSIGNEE,
)
_HS: Final = re.compile(r"\d{4,10}")
_MESSAGE_ID: Final = re.compile(r"(urn:uuid:)?[0-9a-fA-F-]{32,36}")


@dataclass(frozen=True, kw_only=True)
class BoxResult:
    """Is what one box found.

    Attributes:
        groups: certificates by the key in which the words stand, best key first; a page without
            rows and with a cursor says that there may be some behind very many of others.
        message: a message with this very id.
    """

    groups: tuple[tuple[SearchField, SearchPage], ...]
    message: FoundMessage | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found at all."""
        return not self.groups and self.message is None


def look_everywhere(
    counter: Counter, caller: Caller, words: str, *, limit: int, purpose: str | None
) -> BoxResult:
    """Return what the caller may see and ``words`` names, by whichever key.

    Raises:
        InputError: the words are blank or cannot stand in a database.
    """
    text = words.strip()[:LONGEST]
    if not text or printable(text) != text:
        raise InputError("type a serial number, a name, an invoice, a declaration or an HS code")
    fields = [SearchField.HS] if _HS.fullmatch(text.replace(".", "")) else []
    groups = []
    for field in (*_BOX_FIELDS, *fields):
        page = find(
            counter,
            caller,
            Criteria(keys=keys_from({field: text})),
            cursor=None,
            limit=limit,
            purpose=purpose,
        )
        if page.rows or page.cursor:  # many were walked past that are not the caller's to see
            groups.append((field, page))
    return BoxResult(groups=tuple(groups), message=_message(counter, caller, text, purpose))


def _message(
    counter: Counter, caller: Caller, text: str, purpose: str | None
) -> FoundMessage | None:
    if not _MESSAGE_ID.fullmatch(text) or Scope.MESSAGES not in caller.scopes:
        return None
    try:
        return message(counter, caller, text, purpose=purpose)
    except NotFoundError:
        return None
