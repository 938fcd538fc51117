"""Checking a form: every finding about what it says, at the field that it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from markupsafe import Markup

from gateway.documents import CertificateOfOrigin, Finding, Severity
from gateway.errors import GatewayError, InvalidDocumentError
from gateway.exchange.intake import Reading
from gateway.services.submission import Taken, foresee_submission, submit, try_submission
from gateway.store import Peer
from gateway.web.console.drafting_early import early_findings
from gateway.web.console.drafting_fields import within
from gateway.web.console.drafting_lists import Lists
from gateway.web.console.drafting_reading import Read, form_path
from gateway.web.console.pages import Visit
from gateway.web.console.words import Words, plain

_PICTURES: Final = ("stamp", "declaration.image", "certification.image")


@dataclass(frozen=True, kw_only=True)
class Note:
    """Is one thing to say about a form.

    Attributes:
        at: name of the field that it is about, empty if it is about the whole.
        box: number of the box on paper.
        peer: the other side would find it.
    """

    at: str
    severity: Severity
    said: Markup
    remedy: Markup | None = None
    rule: str = ""
    box: str | None = None
    peer: bool = False


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Is what a check found.

    Attributes:
        mark: what tells whether a form still says what was checked; None if it may not be sent.
        empty: fields that must still be filled in, where those are not noted one by one.
        failure: code of what stands against the whole.
        peer: who would get it.
        peer_refuses: they would refuse it as it stands.
        repeated: this very certificate was sent before.
    """

    notes: tuple[Note, ...] = ()
    mark: str | None = None
    empty: int = 0
    failure: str | None = None
    peer: Peer | None = None
    peer_refuses: bool = False
    repeated: bool = False


def check(visit: Visit, read: Read, lists: Lists, names: Iterable[str]) -> Checked:
    """Return all that submitting the form would answer; nothing is stored or sent."""
    if read.document is None:
        early = _notes(early_findings(visit, read, lists), read, visit.words)
        return Checked(notes=_placed((*_wrong_notes(read, visit.words), *early), names))
    try:
        taken = try_submission(visit.counter, visit.caller, _reading(read.document))
    except InvalidDocumentError as exc:
        return Checked(notes=_placed(_notes(exc.findings, read, visit.words), names))
    except GatewayError as exc:
        return _failed(exc, read, visit.words, names)
    return replace(_as_checked(taken, read, visit.words, names), mark=mark_of(read.document))


def glance(visit: Visit, read: Read, lists: Lists, names: Iterable[str]) -> Checked:
    """Return what can be said while somebody types: fields not reached yet are only counted."""
    if read.document is None:
        early = _notes(early_findings(visit, read, lists), read, visit.words)
        wrongs = _wrong_notes(read, visit.words, skipping="missing")
        return Checked(
            notes=_placed(_without_pictures((*wrongs, *early)), names),
            empty=sum(1 for wrong in read.wrongs.values() if wrong == "missing"),
        )
    try:
        taken = foresee_submission(visit.counter, visit.caller, _reading(read.document))
    except GatewayError as exc:
        return _failed(exc, read, visit.words, names)
    found = _as_checked(taken, read, visit.words, names)
    return replace(found, notes=tuple(_without_pictures(found.notes)))


def send(visit: Visit, document: CertificateOfOrigin) -> Taken:
    """Return what became of the certificate: registered, signed and queued.

    Raises:
        GatewayError: as ``submit``; nothing was stored.
    """
    with visit.counter.desk.store.begin() as conn:
        return submit(visit.counter, conn, visit.caller, _reading(document))


def mark_of(document: CertificateOfOrigin) -> str:
    """Return what tells whether a form still says what was checked."""
    return hashlib.sha256(document.model_dump_json().encode()).hexdigest()


def _without_pictures(notes: Iterable[Note]) -> Iterator[Note]:
    """Yield what is not about pictures, which scripts do not send while somebody types."""
    return (note for note in notes if note.at not in _PICTURES)


def _reading(document: CertificateOfOrigin) -> Reading:
    return Reading(reference=document.serial_number, document=document)


def _as_checked(taken: Taken, read: Read, words: Words, names: Iterable[str]) -> Checked:
    notes = (
        *_notes(taken.submission.findings, read, words),
        *_notes(taken.peer_findings, read, words, peer=True),
    )
    return Checked(
        notes=_placed(notes, names),
        peer=taken.peer,
        peer_refuses=taken.peer_refuses,
        repeated=taken.submission.repeated,
    )


def _failed(exc: GatewayError, read: Read, words: Words, names: Iterable[str]) -> Checked:
    if exc.http_status >= 500:
        raise exc
    return Checked(notes=_placed(_notes(exc.findings, read, words), names), failure=exc.code)


def _wrong_notes(read: Read, words: Words, skipping: str = "") -> Iterator[Note]:
    for name, wrong in read.wrongs.items():
        if wrong != skipping:
            yield Note(at=name, severity=Severity.ERROR, said=words(f"draft_wrong.{wrong}"))


def _notes(
    findings: Iterable[Finding], read: Read, words: Words, *, peer: bool = False
) -> Iterator[Note]:
    for each in findings:
        yield Note(
            at=form_path(each.path, read.places),
            severity=each.severity,
            said=plain(each.message.in_language(words.language)),
            remedy=plain(each.remedy.in_language(words.language)),
            rule=each.rule,
            box=each.box,
            peer=peer,
        )


def _placed(notes: Iterable[Note], names: Iterable[str]) -> tuple[Note, ...]:
    """Return the notes at fields that the form has, in the order of the form."""
    order = {name: place for place, name in enumerate(names)}
    found = [replace(note, at=_field_at(note.at, order)) for note in notes]
    return tuple(sorted(found, key=lambda note: order.get(note.at, -1)))


def _field_at(path: str, names: Iterable[str]) -> str:
    """Return the field for a datum: its own, the first within it, or the first around it."""
    known = tuple(names)
    while path:
        found = next((name for name in known if within(name, path)), None)
        if found is not None:
            return found
        cut = max(path.rfind("."), path.rfind("["))
        path = path[:cut] if cut > 0 else ""
    return ""
