"""Sending what is due: letters out of claimed notices, retried from the store, never in the way.

Like delivery to peers: claim in one transaction, send outside any, record in another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.errors import GatewayError
from gateway.operations.alerting import AlertDesk
from gateway.operations.letters import Courier, Heading, write
from gateway.operations.premises import Premises
from gateway.store import AlertLevel, Notice, alerts, notices

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=3)
_FIRST_PAUSE: Final = timedelta(seconds=30)
_LONGEST_PAUSE: Final = timedelta(hours=2)
_UNKNOWN: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Office:
    """Holds who is told and by which courier; couriers by the recipient's address."""

    desk: AlertDesk
    couriers: Mapping[str, Courier]


def notify(premises: Premises, office: Office) -> int:
    """Return how many letters were delivered of those that are due."""
    store = premises.desk.store
    now = premises.desk.clock()
    with store.begin() as conn:
        taken = notices.claim(conn, now, lease=LEASE)
    delivered = 0
    for group in _letters(taken):
        delivered += _send(premises, office, group, now)
    return delivered


def _letters(taken: Sequence[Notice]) -> Iterator[Sequence[Notice]]:
    """Yield the notices that go together: one recipient, one level."""
    groups: dict[tuple[str, AlertLevel], list[Notice]] = defaultdict(list)
    for notice in taken:
        groups[(notice.recipient, notice.level)].append(notice)
    yield from sorted(groups.values(), key=lambda group: -group[0].level.rank)


def _send(premises: Premises, office: Office, group: Sequence[Notice], now: datetime) -> bool:
    store, address = premises.desk.store, group[0].recipient
    courier = office.couriers.get(address)
    recipient = next((r for r in office.desk.recipients if r.address == address), None)
    if courier is None or recipient is None:
        _failed(premises, group, _UNKNOWN, "NOT_CONFIGURED")
        return False
    with store.read() as conn:
        known = alerts.by_ids(conn, {notice.alert_id for notice in group})
    heading = Heading(
        gateway=premises.desk.identity.identifier, language=recipient.language, written_at=now
    )
    try:
        courier.deliver(write(office.desk.rules, group, known, heading))
    except GatewayError as exc:
        log.warning("alert notices not delivered", recipient=address, code=exc.code)
        tries = min(group[0].attempts - 1, 10)
        _failed(premises, group, min(_FIRST_PAUSE * (1 << tries), _LONGEST_PAUSE), exc.code)
        return False
    with store.begin() as conn:
        notices.end(conn, group, at=premises.desk.clock())
    log.info("alert notices delivered", recipient=address, notices=len(group))
    return True


def _failed(premises: Premises, group: Sequence[Notice], pause: timedelta, code: str) -> None:
    with premises.desk.store.begin() as conn:
        notices.fail(conn, group, at=premises.desk.clock(), pause=pause, error=code)
