"""Announced maintenance: what we tell peers in our answers to pings, and what they tell us.

While a peer's announcement lasts, its silence is no outage and no alarm.  So that nobody can
silence alarms for good, no announcement counts for longer than ``LONGEST``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.documents import Language, LocalisedText
from gateway.errors import InputError, NotFoundError
from gateway.exchange.context import Desk
from gateway.store import Maintenance, NewMaintenance, Peer, maintenance
from gateway.transport import Planned

LONGEST: Final = timedelta(days=7)
LATEST: Final = timedelta(days=90)
"""No further ahead is anything announced."""
LONGEST_NOTE: Final = 300
MOST: Final = 10
NO_LONGER_STATED: Final = "the peer announces it no longer"
_LANGUAGES: Final = tuple(each.value for each in Language)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_WHILE_AWAY: Final = LocalisedText(
    en="{peer} announced maintenance until {until} UTC and may not answer before.",
    fr="{peer} a annoncé une maintenance jusqu'au {until} UTC et peut ne pas répondre avant.",
    ar="أعلن {peer} عن صيانة حتى {until} بالتوقيت العالمي، وقد لا يجيب قبل ذلك.",
)
_THEN: Final = LocalisedText(
    en="Nothing need be done: the gateway goes on trying and delivers when {peer} is back.",
    fr="Rien à faire : la passerelle continue d'essayer et remet dès le retour de {peer}.",
    ar="لا حاجة إلى أي إجراء: تواصل البوابة المحاولة وتسلّم عند عودة {peer}.",
)


def announce(
    desk: Desk, begins_at: datetime, ends_at: datetime, note: Mapping[str, str], *, actor: str
) -> Maintenance:
    """Announce that this gateway may not answer for a while, and return the announcement.

    Args:
        note: why, by language; one language suffices.

    Raises:
        InputError: the span or the note cannot be announced.
        ConflictError: as many are announced as peers are told of.
    """
    now = desk.clock()
    _require_span(begins_at, ends_at, now)
    said = _clean(note)
    if not said:
        raise InputError("say why, in at least one language")
    new = NewMaintenance(peer_id=None, begins_at=begins_at, ends_at=ends_at, note=said)
    own = desk.identity.identifier
    with desk.store.begin() as conn:
        if len(maintenance.of(maintenance.standing(conn, now), None)) >= MOST:
            raise InputError(f"{MOST} maintenances are announced already; end one first")
        return maintenance.announce(conn, new, gateway=own, at=now, actor=actor)


def end(desk: Desk, number: int, *, actor: str, reason: str) -> Maintenance:
    """End an announced maintenance of ours before its time, or take it back.

    Raises:
        NotFoundError, ConflictError: there is none with this number, or it has ended.
    """
    now, own = desk.clock(), desk.identity.identifier
    with desk.store.begin() as conn:
        found = maintenance.find(conn, number)
        if found.ends_at <= now:
            raise NotFoundError(f"the announced maintenance {number} is over")
        maintenance.close(conn, found, gateway=own, at=now, actor=actor, reason=reason)
    return found


def announced_by_us(desk: Desk) -> tuple[Planned, ...]:
    """Return what we announce to whoever pings us."""
    now = desk.clock()
    with desk.store.read() as conn:
        found = maintenance.of(maintenance.standing(conn, now), None)[:MOST]
    return tuple(
        Planned(begins_at=each.begins_at, ends_at=each.ends_at, note=dict(each.note))
        for each in found
    )


def take_note(conn: Connection, peer: Peer, stated: Sequence[Planned], *, at: datetime) -> None:
    """Keep what a peer announces now, and end what it announces no longer."""
    own = maintenance.of(maintenance.standing(conn, at), peer.id)
    soon = [each for each in stated[:MOST] if at - LONGEST < each.begins_at <= at + LATEST]
    offered = [_of_peer(peer, each) for each in soon]
    wanted = {
        (new.begins_at, new.ends_at): new for new in offered if max(at, new.begins_at) < new.ends_at
    }
    known = {(each.begins_at, each.ends_at) for each in own}
    for each in own:
        if (each.begins_at, each.ends_at) not in wanted:
            maintenance.close(
                conn,
                each,
                gateway=peer.identifier,
                at=at,
                actor=_actor(peer),
                reason=NO_LONGER_STATED,
            )
    for span, new in wanted.items():
        if span not in known:
            maintenance.announce(conn, new, gateway=peer.identifier, at=at, actor=_actor(peer))


def while_away(peer: str, one: Maintenance) -> tuple[LocalisedText, LocalisedText]:
    """Return why a message to a peer in announced maintenance waits, and what comes next."""
    until = f"{one.ends_at:%Y-%m-%d %H:%M}"
    return _filled(_WHILE_AWAY, peer, until), _filled(_THEN, peer, until)


def _filled(text: LocalisedText, peer: str, until: str) -> LocalisedText:
    return LocalisedText(
        **{name: text.in_language(name).format(peer=peer, until=until) for name in _LANGUAGES}
    )


def _of_peer(peer: Peer, stated: Planned) -> NewMaintenance:
    begins_at = stated.begins_at.astimezone(UTC)
    return NewMaintenance(
        peer_id=peer.id,
        begins_at=begins_at,
        ends_at=min(stated.ends_at, begins_at + LONGEST).astimezone(UTC),
        note=_clean(stated.note),
    )


def _require_span(begins_at: datetime, ends_at: datetime, now: datetime) -> None:
    if not now < ends_at:
        raise InputError("the maintenance would be over already; moments are in UTC")
    if not begins_at < ends_at:
        raise InputError("a maintenance ends after it begins")
    if ends_at - begins_at > LONGEST:
        raise InputError(f"a maintenance lasts {LONGEST.days} days at most")
    if begins_at > now + LATEST:
        raise InputError(f"a maintenance is announced {LATEST.days} days ahead at most")


def _clean(note: Mapping[str, str]) -> dict[str, str]:
    """Return a note by the languages that we know, each one line of bounded length."""
    said = {name: " ".join(_CONTROLS.sub(" ", note.get(name, "")).split()) for name in _LANGUAGES}
    return {name: text[:LONGEST_NOTE] for name, text in said.items() if text}


def _actor(peer: Peer) -> str:
    return f"peer:{peer.identifier}"
