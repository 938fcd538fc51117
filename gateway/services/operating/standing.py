"""What stands: alerts in words, outages, the tasks of the workers, and the checks of this home."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.documents.codes import Language
from gateway.operations.alerting import is_about_an_event
from gateway.operations.checks import Check
from gateway.operations.expiry import Dated, every_dated
from gateway.operations.home_checks import home_checks
from gateway.operations.letters import Paragraph, paragraph
from gateway.services.operating.desk import OperatingDesk
from gateway.store import Outage, alerts, measures, outages, peers, tasks
from gateway.store.tasks import TaskState

EACH: Final = 50


@dataclass(frozen=True, kw_only=True)
class NamedOutage:
    """Is an outage with the peer's name."""

    outage: Outage
    peer: str


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Is what works here.

    Attributes:
        last_claim: when any worker took a message last.
        due: messages that might be claimed and are not, since this moment; None if none.
    """

    tasks: tuple[TaskState, ...]
    last_claim: datetime | None
    due: datetime | None


def live_alerts(desk: OperatingDesk, language: Language) -> tuple[Paragraph, ...]:
    """Return the alerts that have not cleared, in words, the most urgent first."""
    with desk.desk.store.read() as conn:
        found = alerts.live(conn)
    return tuple(paragraph(desk.premises.rules, each, language) for each in found)


def past_alerts(
    desk: OperatingDesk, language: Language, *, before: int | None, limit: int = EACH
) -> tuple[Paragraph, ...]:
    """Return alerts of any state in words, the newest first; one more if more follow."""
    with desk.desk.store.read() as conn:
        found = alerts.page(conn, before=before, limit=limit + 1)
    return tuple(paragraph(desk.premises.rules, each, language) for each in found)


def acknowledge(desk: OperatingDesk, number: int, *, actor: str, reason: str) -> None:
    """Take an alert on; one about something that happened ends with it.

    Raises:
        NotFoundError, ConflictError: there is none, or it has cleared.
    """
    with desk.desk.store.begin() as conn:
        ends = is_about_an_event(desk.premises.rules, alerts.find(conn, number))
        alerts.acknowledge(conn, number, at=desk.now(), actor=actor, reason=reason, ends=ends)


def lasting_outages(desk: OperatingDesk) -> tuple[NamedOutage, ...]:
    """Return the outages that last."""
    with desk.desk.store.read() as conn:
        names = {peer.id: peer.identifier for peer in peers.every(conn)}
        found = outages.still_open(conn)
    return tuple(NamedOutage(outage=each, peer=names[each.peer_id]) for each in found)


def outage_page(
    desk: OperatingDesk, *, peer_id: int | None, before: int | None, limit: int = EACH
) -> tuple[NamedOutage, ...]:
    """Return the newest outages; one more than ``limit`` if more follow."""
    with desk.desk.store.read() as conn:
        found = outages.page(conn, peer_id=peer_id, before=before, limit=limit + 1)
        names = {peer.id: peer.identifier for peer in peers.every(conn)}
    return tuple(NamedOutage(outage=each, peer=names[each.peer_id]) for each in found)


def workers(desk: OperatingDesk) -> Workers:
    """Return what the workers did last."""
    with desk.desk.store.read() as conn:
        return Workers(
            tasks=tasks.every(conn),
            last_claim=measures.last_claim(conn),
            due=measures.overdue_since(conn, desk.now()),
        )


def examined(desk: OperatingDesk) -> tuple[Check, ...]:
    """Return the doctor's checks of this home."""
    return home_checks(desk.premises, desk.now())


def calendar(desk: OperatingDesk) -> tuple[Dated, ...]:
    """Return everything with an end date, ours and the peers', what ends first at the top."""
    now = desk.now()
    with desk.desk.store.read() as conn:
        found = list(every_dated(desk.premises, conn, now))
    return tuple(
        sorted(found, key=lambda each: (each.ends_at is None, each.ends_at or now, each.owner))
    )
