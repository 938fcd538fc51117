"""Rows of the directory of authorities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gateway.store.roles import DirectoryKind, Duty


@dataclass(frozen=True, kw_only=True)
class NewDirectoryEntry:
    """Is one version of an entry in the directory.

    Attributes:
        origin: identifier of the gateway that keeps the entry.
        key: names the entry at its origin, whatever its version.
        authority_code: as certificates name the authority, as ``ZM-ZRA``.
        office_code: None for what holds for the whole authority.
        name: of the office; of a specimen the officer's, or what the stamp is.
        officer_number: the officer's number, as certificates name it.
        picture_sha256: of the picture in its bare form; None for an office.
        valid_until: last day; None while no end is known.
        is_public: the entry may be shown to anybody.
        reason: why this version was entered, from the second on.
    """

    origin: str
    key: str
    version: int
    kind: DirectoryKind
    duty: Duty
    country: str
    authority_code: str
    office_code: str | None = None
    name: str
    officer_number: str | None = None
    address: str | None = None
    telephone: str | None = None
    email: str | None = None
    picture_sha256: str | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    valid_from: date
    valid_until: date | None = None
    is_public: bool = False
    reason: str | None = None

    def holds_on(self, day: date) -> bool:
        """Return whether the entry was valid on this day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, kw_only=True)
class DirectoryEntry(NewDirectoryEntry):
    """Is one version of an entry as stored."""

    id: int
    entered_by: str
    entered_at: datetime
