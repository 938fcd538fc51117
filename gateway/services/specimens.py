"""The directory of authorities: entering offices and specimens, correcting and ending them.

What was entered stays as it was: a correction is another version with its reason.  People enter
what is of their own organisation; the owner of the home may enter what another state circulated
on paper.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from gateway.documents import CertificateOfOrigin
from gateway.documents.parties import Signatory
from gateway.documents.pictures import Picture, PictureFault, picture_in
from gateway.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    NotPermittedError,
    PictureRefusedError,
)
from gateway.exchange.context import Desk
from gateway.exchange.specimens import Compared, book_of
from gateway.services.people.roles import Right, Visitor
from gateway.store import (
    DirectoryEntry,
    DirectoryKind,
    Duty,
    NewDirectoryEntry,
    OrganisationKind,
    canonical_key,
    directory,
)

_LONGEST: Final = {
    "authority_code": 70,
    "office_code": 70,
    "name": 200,
    "officer_number": 70,
    "address": 500,
    "telephone": 70,
    "email": 70,
    "reason": 500,
}
_HEAVIEST_SHOWN: Final = 100_000
"""Bytes of a picture that is shown twice on a page."""
_DUTY_OF: Final = {
    OrganisationKind.ISSUING_AUTHORITY: Duty.ISSUING,
    OrganisationKind.CUSTOMS: Duty.CUSTOMS,
}


@dataclass(frozen=True, kw_only=True)
class EntryOrder:
    """Says what to enter, as somebody wrote it.

    Attributes:
        picture: the file of a specimen as it came; a correction without one keeps the picture.
        reason: why it is corrected; needed from the second version on.
    """

    authority_code: str
    name: str
    valid_from: date
    valid_until: date | None = None
    office_code: str | None = None
    officer_number: str | None = None
    address: str | None = None
    telephone: str | None = None
    email: str | None = None
    is_public: bool = False
    picture: bytes | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class BesideSpecimens:
    """Is how the two pictures of a certificate compare; None where nothing is known.

    Attributes:
        signer: who signed the certificate for the authority, as it states.
    """

    stamp: Compared | None
    signature: Compared | None
    signer: Signatory


def enter(
    desk: Desk, kind: DirectoryKind, duty: Duty, country: str, order: EntryOrder, *, actor: str
) -> DirectoryEntry:
    """Enter an office or a specimen, and return it.

    Raises:
        PictureRefusedError: the file is no harmless picture.
        InputError: a text is missing or too long, or the days contradict each other.
    """
    if (order.picture is None) is not (kind is DirectoryKind.OFFICE):
        raise InputError("a specimen needs a picture, and an office has none")
    new = NewDirectoryEntry(
        origin=desk.identity.identifier,
        key=_new_key(),
        version=1,
        kind=kind,
        duty=duty,
        country=country,
        authority_code=order.authority_code,
        name=order.name,
        valid_from=order.valid_from,
    )
    return _store(desk, new, replace(order, reason=None), actor)


def correct(desk: Desk, entry: DirectoryEntry, order: EntryOrder, *, actor: str) -> DirectoryEntry:
    """Enter another version of an entry that this gateway keeps, and return it.

    State, kind, duty and authority stay: whoever mistook one of them ends the entry.

    Raises:
        ConflictError: the entry is another gateway's, or a newer version was entered meanwhile.
        InputError: as for ``enter``, or the reason is missing.
    """
    if not (order.reason or "").strip():
        raise InputError("say why the entry is corrected")
    if entry.origin != desk.identity.identifier:
        raise ConflictError(f"{entry.key} is kept by {entry.origin}; it is corrected there")
    if entry.kind is DirectoryKind.OFFICE and order.picture is not None:
        raise InputError("an office has no picture")
    values = {name: getattr(entry, name) for name in NewDirectoryEntry.__dataclass_fields__}
    new = NewDirectoryEntry(**values | {"version": entry.version + 1})
    return _store(desk, new, replace(order, authority_code=entry.authority_code), actor)


def end(desk: Desk, entry: DirectoryEntry, on: date, reason: str, *, actor: str) -> DirectoryEntry:
    """Enter that an entry holds until a day, the last; before its first day means never.

    Raises:
        ConflictError: as for ``correct``.
        InputError: the reason is missing.
    """
    return correct(
        desk, entry, replace(as_order(entry), valid_until=on, reason=reason), actor=actor
    )


def as_order(entry: DirectoryEntry) -> EntryOrder:
    """Return an entry as it would be ordered again, without picture and reason."""
    taken = set(EntryOrder.__dataclass_fields__) - {"picture", "reason"}
    return EntryOrder(**{name: getattr(entry, name) for name in taken})


def one(desk: Desk, key: str, origin: str | None = None) -> DirectoryEntry:
    """Return the newest version of an entry.

    Raises:
        NotFoundError: there is none.
        ConflictError: several gateways keep an entry of this name.
    """
    with desk.store.read() as conn:
        found = [
            each
            for each in directory.by_key(conn, key.strip().upper())
            if origin in (None, each.origin)
        ]
    if not found:
        raise NotFoundError(f"there is no entry {key!r} in the directory")
    if len(found) > 1:
        raise ConflictError(f"{key} is kept by " + ", ".join(sorted(e.origin for e in found)))
    return found[0]


def beside_specimens(desk: Desk, document: CertificateOfOrigin | None) -> BesideSpecimens | None:
    """Return a certificate's pictures beside the specimens; None where nothing is known."""
    if document is None:
        return None
    with desk.store.read() as conn:
        book = book_of(conn, document.issuing_authority.country)
    stamp, signature = book.stamp(document), book.signature(document)
    if stamp is None and signature is None:
        return None
    return BesideSpecimens(stamp=stamp, signature=signature, signer=document.certification)


def own_pictures(document: CertificateOfOrigin | None) -> dict[str, str]:
    """Return the pictures of stamp and signature as addresses that hold them, by part.

    Left out is what is no harmless picture, and what would make a page too heavy.
    """
    if document is None:
        return {}
    images = {"stamp": document.stamp, "signature": document.certification.image}
    found = {name: picture_in(image.content) for name, image in images.items() if image}
    return {
        name: f"data:{each.kind.value};base64,{base64.b64encode(each.content).decode('ascii')}"
        for name, each in found.items()
        if isinstance(each, Picture) and len(each.content) <= _HEAVIEST_SHOWN
    }


def duties_of(visitor: Visitor) -> tuple[Duty, ...]:
    """Return for which duties a person may enter anything: those of their organisation."""
    if Right.DIRECTORY_ENTER not in visitor.rights:
        return ()
    own = _DUTY_OF.get(visitor.organisation.kind)
    return tuple(Duty) if own is None else (own,)


def own_code(visitor: Visitor) -> str | None:
    """Return the authority that a person enters for; None for a single window: any of its state."""
    owner = visitor.organisation
    if owner.kind is OrganisationKind.SINGLE_WINDOW:
        return None
    return owner.authority_code or owner.code


def may_enter(visitor: Visitor, entry: NewDirectoryEntry) -> bool:
    """Return whether an entry is of the person's own organisation, and theirs to change."""
    code = own_code(visitor)
    return (
        entry.country == visitor.organisation.country
        and entry.duty in duties_of(visitor)
        and (code is None or canonical_key(code) == canonical_key(entry.authority_code))
    )


def require_own(visitor: Visitor, entry: DirectoryEntry) -> None:
    """Return if a person may change an entry.

    Raises:
        NotPermittedError: it is another organisation's.
    """
    if not may_enter(visitor, entry):
        raise NotPermittedError("the entry is another organisation's")


def _store(desk: Desk, new: NewDirectoryEntry, order: EntryOrder, actor: str) -> DirectoryEntry:
    picture = None if order.picture is None else _harmless(order.picture)
    values = _texts_of(order) | (_said_of(picture) if picture else {})
    if new.version == 1 and order.valid_until and order.valid_until < order.valid_from:
        raise InputError("the last day lies before the first")
    made = replace(new, **values)
    with desk.store.begin() as conn:
        content = None if picture is None else picture.content
        stored, is_new = directory.add(conn, made, content, at=desk.clock(), actor=actor)
    if not is_new:
        raise ConflictError("the same version was entered a moment ago")
    return stored


def _texts_of(order: EntryOrder) -> dict[str, Any]:
    """Return what an order states, tidied.

    Raises:
        InputError: a text is missing or too long.
    """
    values: dict[str, Any] = {name: _line(name, getattr(order, name)) for name in _LONGEST}
    for name in ("authority_code", "name"):
        if values[name] is None:
            raise InputError(f"{name} is missing")
    dated = ("valid_from", "valid_until", "is_public")
    return values | {name: getattr(order, name) for name in dated}


def _said_of(picture: Picture) -> dict[str, Any]:
    return {
        "picture_sha256": picture.sha256,
        "media_type": picture.kind.value,
        "width": picture.width,
        "height": picture.height,
    }


def _harmless(content: bytes) -> Picture:
    found = picture_in(content)
    if isinstance(found, PictureFault):
        raise PictureRefusedError(found)
    return found


def _line(name: str, written: str | None) -> str | None:
    text = " ".join((written or "").split())
    if len(text) > _LONGEST[name] or not text.isprintable():
        raise InputError(f"{name} has at most {_LONGEST[name]} printable characters")
    return text or None


def _new_key() -> str:
    return base64.b32encode(secrets.token_bytes(5)).decode("ascii")
