"""Specimens: how the pictures on a certificate compare with those that its state circulated.

What is known of a state is read once and kept until a row of its peer says that anything changed:
the directory changes rarely, and certificates of origin come by the thousand.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.agreements import SignatureFacts, SpecimenMatch
from gateway.documents import CertificateOfOrigin
from gateway.documents.parties import Image
from gateway.documents.pictures import picture_digest
from gateway.store import DirectoryEntry, DirectoryKind, Duty, Peer, canonical_key, directory

_SPECIMENS = (DirectoryKind.STAMP, DirectoryKind.SIGNATURE)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Is one picture of a certificate beside the specimens.

    Attributes:
        match: None where the certificate has no such picture.
        specimens: that are equal; else all that it might have been equal to.
    """

    match: SpecimenMatch | None
    specimens: tuple[DirectoryEntry, ...]


@dataclass(frozen=True, kw_only=True)
class _Keyed:
    """Is a specimen with the spellings under which it is looked up, worked out once."""

    entry: DirectoryEntry
    office: str | None
    officer: str | None
    name: str


class SpecimenBook:
    """Holds the specimens of issuing authorities of one state, the newest version of each."""

    def __init__(self, entries: Iterable[DirectoryEntry] = ()) -> None:
        self.entries = tuple(entries)
        self._known: dict[tuple[DirectoryKind, str, str], list[_Keyed]] = {}
        for each in self.entries:
            place = each.kind, each.country, canonical_key(each.authority_code)
            keyed = _Keyed(
                entry=each,
                office=each.office_code and canonical_key(each.office_code),
                officer=each.officer_number and canonical_key(each.officer_number),
                name=canonical_key(each.name),
            )
            self._known.setdefault(place, []).append(keyed)

    def stamp(self, document: CertificateOfOrigin) -> Compared | None:
        """Return how the stamp compares; None if no stamp of the authority is known.

        A stamp of an office is for certificates of that office.
        """
        known = self._of(document, DirectoryKind.STAMP)
        if not known:
            return None
        stated = document.issuing_authority.office_code
        office = stated and canonical_key(stated)
        here = [each for each in known if office is None or each.office in (None, office)]
        return _compared(document, document.stamp, here)

    def signature(self, document: CertificateOfOrigin) -> Compared | None:
        """Return how the officer's signature compares; None if none of the authority is known.

        The officer is known by number, or by name where either side states no number.
        """
        known = self._of(document, DirectoryKind.SIGNATURE)
        if not known:
            return None
        signed = document.certification
        number = signed.identifier and canonical_key(signed.identifier)
        name = canonical_key(signed.name)
        found = [
            each
            for each in known
            if (each.officer == number if number and each.officer else each.name == name)
        ]
        return _compared(document, signed.image, found)

    def _of(self, document: CertificateOfOrigin, kind: DirectoryKind) -> Sequence[_Keyed]:
        authority = document.issuing_authority
        return self._known.get((kind, authority.country, canonical_key(authority.code)), ())


def book_of(conn: Connection, country: str) -> SpecimenBook:
    """Return the specimens that are known of the issuing authorities of a state."""
    found = directory.newest(conn, country=country, kinds=_SPECIMENS)
    return SpecimenBook(each for each in found if each.duty is Duty.ISSUING)


def with_specimens(
    facts: SignatureFacts, document: CertificateOfOrigin, book: SpecimenBook
) -> SignatureFacts:
    """Return what is known of the signatures, and how the pictures compare."""
    if not book.entries:
        return facts
    stamp, signature = book.stamp(document), book.signature(document)
    return replace(
        facts,
        stamp=None if stamp is None else stamp.match,
        signature=None if signature is None else signature.match,
    )


class SpecimenCache:
    """Keeps the specimens of each peer's state until the peer's row changes; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[int, SpecimenBook]] = {}

    def of(self, conn: Connection, peer: Peer) -> SpecimenBook:
        """Return the specimens of the state that ``peer`` speaks for."""
        with self._lock:
            kept = self._kept.get(peer.id)
        if kept is not None and kept[0] == peer.revision:
            return kept[1]
        book = book_of(conn, peer.country)
        with self._lock:
            self._kept[peer.id] = (peer.revision, book)
        return book


def _compared(
    document: CertificateOfOrigin, image: Image | None, known: Sequence[_Keyed]
) -> Compared:
    day = document.issued_at.date()
    held = tuple(each.entry for each in known if each.entry.holds_on(day))
    if image is None:
        return Compared(match=None, specimens=held)
    digest = picture_digest(image.content)
    equal = tuple(each for each in held if each.picture_sha256 == digest)
    if equal:
        return Compared(match=SpecimenMatch.EQUAL, specimens=equal)
    match = SpecimenMatch.DIFFERENT if held else SpecimenMatch.UNLISTED
    return Compared(match=match, specimens=held)
