"""Pages of the directory of authorities: offices, stamps and signatures with their versions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final, TypeVar

from gateway.errors import (
    ConflictError,
    GatewayError,
    InputError,
    PictureRefusedError,
)
from gateway.services import specimens
from gateway.services.people.roles import Right
from gateway.services.specimens import EntryOrder
from gateway.store import DirectoryEntry, DirectoryKind, Duty, canonical_key, directory
from gateway.web.console.pages import Answer, Go, Method, Page, Sent, Shown, Visit

_TEXTS: Final = ("office_code", "name", "officer_number", "address", "telephone", "email", "reason")
_LONGEST: Final = 600
_LONGEST_WORDS: Final = 100
_MOST_SHOWN: Final = 100
"""Entries on one page; whoever looks for another narrows the list."""
_Member = TypeVar("_Member", DirectoryKind, Duty)


def show_directory(visit: Visit) -> Answer:
    """List the newest version of each entry, of the state, kind and words that are asked for."""
    kind = _member(DirectoryKind, visit.query.get("kind"))
    country = visit.query.get("country", "")[:2]
    words = visit.query.get("words", "").strip()[:_LONGEST_WORDS]
    with visit.counter.desk.store.read() as conn:
        every = directory.newest(conn)
    found = [
        each
        for each in every
        if kind in (None, each.kind) and country in ("", each.country) and _names(each, words)
    ]
    values = {
        "entries": found[:_MOST_SHOWN],
        "left_out": max(0, len(found) - _MOST_SHOWN),
        "countries": sorted({each.country for each in every}),
        "kinds": tuple(DirectoryKind),
        "asked": {"kind": "" if kind is None else kind.value, "country": country, "words": words},
        "may_enter": bool(specimens.duties_of(visit.person)),
        "today": visit.counter.desk.clock().date(),
    }
    return Shown(template="directory.html", values=values)


def _names(entry: DirectoryEntry, words: str) -> bool:
    """Return whether an entry names all of these words, in any of its texts."""
    said = (entry.name, entry.authority_code, entry.office_code, entry.officer_number, entry.key)
    text = canonical_key(" ".join(each for each in said if each))
    return all(word in text for word in canonical_key(words).split())


def show_new_entry(visit: Visit) -> Answer:
    """Show the form to enter an office or a specimen."""
    return _form(visit, None)


def enter(visit: Visit) -> Answer:
    """Enter what the form says for the person's own organisation."""
    person, desk = visit.person, visit.counter.desk
    try:
        kind, duty = _chosen(visit)
        country = person.organisation.country
        made = specimens.enter(desk, kind, duty, country, _order(visit), actor=person.actor)
    except InputError as exc:
        return _form(visit, None, failure=exc)
    return Go(to=f"/directory/{made.id}?done=entered")


def show_entry(visit: Visit) -> Answer:
    """Show an entry with its versions, and the form to correct or end it."""
    return _form(visit, _entry(visit))


def correct(visit: Visit) -> Answer:
    """Enter another version as the form says."""
    entry, person = _entry(visit), visit.person
    specimens.require_own(person, entry)
    try:
        order = _ending(visit, entry) if visit.form.get("step") == "end" else _order(visit)
        made = specimens.correct(visit.counter.desk, entry, order, actor=person.actor)
    except InputError as exc:
        return _form(visit, entry, failure=exc)
    return Go(to=f"/directory/{made.id}?done=corrected")


def send_picture(visit: Visit) -> Answer:
    """Send the picture of one version of a specimen."""
    with visit.counter.desk.store.read() as conn:
        entry = directory.by_id(conn, int(visit.path["number"]))
        content = directory.picture(conn, entry)
    return Sent(content=content, media_type=entry.media_type or "application/octet-stream")


def _entry(visit: Visit) -> DirectoryEntry:
    with visit.counter.desk.store.read() as conn:
        return directory.by_id(conn, int(visit.path["number"]))


def _form(
    visit: Visit, entry: DirectoryEntry | None, *, failure: GatewayError | None = None
) -> Shown:
    person = visit.person
    versions: tuple[DirectoryEntry, ...] = ()
    if entry is not None:
        with visit.counter.desk.store.read() as conn:
            versions = directory.versions(conn, entry.origin, entry.key)
    is_own = entry is None or (
        entry.origin == visit.counter.desk.identity.identifier
        and specimens.may_enter(person, entry)
    )
    newest = not versions or versions[0] == entry
    kind = entry.kind if entry else _member(DirectoryKind, visit.query.get("kind"))
    values = {
        "entry": entry,
        "versions": versions,
        "form": visit.form if failure else _as_written(entry),
        "chosen": visit.form.get("kind") if failure else kind and kind.value,
        "kinds": tuple(DirectoryKind),
        "duties": specimens.duties_of(person),
        "own_code": specimens.own_code(person),
        "may_change": entry is not None and is_own and newest,
        "is_newest": newest,
        "failure": None if failure is None else _said_of(failure),
        "done": visit.query.get("done") if visit.query.get("done") in _DONE else None,
        "today": visit.counter.desk.clock().date(),
    }
    status = 200 if failure is None else failure.http_status
    template = "directory_new.html" if entry is None else "directory_entry.html"
    return Shown(template=template, values=values, status=status)


_DONE: Final = ("entered", "corrected")


def _said_of(failure: GatewayError) -> str:
    """Return the key of the text that says what is wrong with a form."""
    if isinstance(failure, PictureRefusedError):
        return f"specimen.fault.{failure.fault}"
    if isinstance(failure, ConflictError):
        return "specimen.conflict"
    return "specimen.incomplete"


def _as_written(entry: DirectoryEntry | None) -> dict[str, str]:
    if entry is None:
        return {}
    known = {name: getattr(entry, name, None) or "" for name in _TEXTS if name != "reason"}
    days = {
        "valid_from": entry.valid_from.isoformat(),
        "valid_until": "" if entry.valid_until is None else entry.valid_until.isoformat(),
    }
    return known | days | {"public": "yes" if entry.is_public else ""}


def _order(visit: Visit) -> EntryOrder:
    """Return what the form orders.

    Raises:
        InputError: a day is missing or none.
    """
    form = {name: value.strip()[:_LONGEST] for name, value in visit.form.items()}
    texts: dict[str, Any] = {name: form.get(name) or None for name in _TEXTS}
    picture = visit.files.get("picture")
    code = specimens.own_code(visit.person) or form.get("authority_code", "")
    return EntryOrder(
        authority_code=code,
        valid_from=_day(form.get("valid_from", "")) or _missing(),
        valid_until=_day(form.get("valid_until", "")),
        is_public=form.get("public") == "yes",
        picture=picture.content if picture is not None and picture.content else None,
        **texts | {"name": form.get("name", "")},
    )


def _chosen(visit: Visit) -> tuple[DirectoryKind, Duty]:
    """Return what the form enters, and for which duty of the organisation.

    Raises:
        InputError: it does not say, or the duty is another organisation's.
    """
    duties = specimens.duties_of(visit.person)
    kind = _member(DirectoryKind, visit.form.get("kind"))
    duty = duties[0] if len(duties) == 1 else _member(Duty, visit.form.get("duty"))
    if kind is None or duty not in duties:
        raise InputError("choose what to enter")
    return kind, duty


def _ending(visit: Visit, entry: DirectoryEntry) -> EntryOrder:
    """Return an entry as it is, with its last day.

    Raises:
        InputError: the last day is missing or none.
    """
    last = _day(visit.form.get("last_day", "").strip())
    if last is None:
        raise InputError("the last day is missing")
    reason = visit.form.get("reason", "").strip()[:_LONGEST]
    return replace(specimens.as_order(entry), valid_until=last, reason=reason)


def _missing() -> date:
    raise InputError("the first day is missing")


def _day(written: str) -> date | None:
    """Return a day; None if none is written.

    Raises:
        InputError: what is written is no day.
    """
    if not written:
        return None
    try:
        found = date.fromisoformat(written)
    except ValueError as exc:
        raise InputError("this is no day") from exc
    if not 1900 <= found.year <= 2199:
        raise InputError("a day lies between 1900 and 2199")
    return found


def _member(vocabulary: type[_Member], written: str | None) -> _Member | None:
    try:
        return vocabulary(written or "")
    except ValueError:
        return None


PAGES: Final = (
    Page(name="directory", path="/directory", right=Right.DIRECTORY, handler=show_directory),
    Page(
        name="directory_new",
        path="/directory/new",
        right=Right.DIRECTORY_ENTER,
        handler=show_new_entry,
    ),
    Page(
        name="directory_enter",
        path="/directory/new",
        right=Right.DIRECTORY_ENTER,
        handler=enter,
        method=Method.POST,
    ),
    Page(
        name="directory_entry",
        path="/directory/<int:number>",
        right=Right.DIRECTORY,
        handler=show_entry,
    ),
    Page(
        name="directory_correct",
        path="/directory/<int:number>",
        right=Right.DIRECTORY_ENTER,
        handler=correct,
        method=Method.POST,
    ),
    Page(
        name="specimen_picture",
        path="/directory/<int:number>/picture",
        right=Right.DIRECTORY,
        handler=send_picture,
    ),
)
