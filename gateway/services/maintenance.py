"""Announced maintenance as people and national systems see it, our own and the peers'."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.documents import Language
from gateway.exchange.context import Desk
from gateway.services.wording import View
from gateway.store import Maintenance, maintenance, peers


@dataclass(frozen=True, kw_only=True)
class Told:
    """Is one announcement with the name of the gateway that it is about.

    Attributes:
        peer: None for our own.
    """

    planned: Maintenance
    gateway: str
    peer: str | None

    def note(self, language: Language) -> str:
        """Return why, in this language or else in one that was given."""
        said = self.planned.note
        return said.get(language.value) or next(iter(said.values()), "")


class MaintenanceView(View):
    """Is one announced maintenance as national systems see it.

    Attributes:
        gateway: which gateway may not answer meanwhile.
        own: it is the one that was asked.
        note: why, by language; not every language need be there.
        under_way: it has begun.
    """

    gateway: str
    own: bool
    begins_at: datetime
    ends_at: datetime
    note: dict[str, str]
    under_way: bool


def ours(desk: Desk) -> tuple[Maintenance, ...]:
    """Return what we have announced and what has not ended; a banner tells everybody."""
    with desk.store.read() as conn:
        return maintenance.of(maintenance.standing(conn, desk.clock()), None)


def standing(desk: Desk) -> tuple[Told, ...]:
    """Return what stands and has not ended, ours and the peers', what begins first at the top."""
    with desk.store.read() as conn:
        names = {each.id: each.identifier for each in peers.every(conn)}
        found = maintenance.standing(conn, desk.clock())
    return tuple(_told(desk, names, each) for each in found)


def past(desk: Desk, *, before: int | None = None, limit: int = 50) -> tuple[Told, ...]:
    """Return announcements of any state, the newest first; one more if more follow."""
    with desk.store.read() as conn:
        names = {each.id: each.identifier for each in peers.every(conn)}
        found = maintenance.page(conn, before=before, limit=limit + 1)
    return tuple(_told(desk, names, each) for each in found)


def views(desk: Desk) -> tuple[MaintenanceView, ...]:
    """Return what stands and has not ended, for national systems."""
    now = desk.clock()
    return tuple(
        MaintenanceView(
            gateway=each.gateway,
            own=each.peer is None,
            begins_at=each.planned.begins_at,
            ends_at=each.planned.ends_at,
            note=dict(each.planned.note),
            under_way=each.planned.lasts(now),
        )
        for each in standing(desk)
    )


def _told(desk: Desk, names: dict[int, str], one: Maintenance) -> Told:
    peer = None if one.peer_id is None else names[one.peer_id]
    return Told(planned=one, gateway=peer or desk.identity.identifier, peer=peer)
