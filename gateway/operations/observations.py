"""What the watch looks at: each observer yields readings, rules say which are alerts.

An observer never decides; it measures one thing about one subject, in the unit of its rule
(docs/operations/alerts.md).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.operations.expiry import DatedUse, every_dated, lacks_crl
from gateway.operations.home_checks import format_facts, free_space, stuck_minutes
from gateway.operations.premises import Premises
from gateway.operations.readings import Reading
from gateway.operations.standing_still import stuck_batches, stuck_folders
from gateway.store import (
    OutcomeCount,
    Peer,
    maintenance,
    measures,
    notices,
    outages,
    peers,
    watch_marks,
)
from gateway.store.tallies import known_code

RECENT: Final = timedelta(hours=1)
ENOUGH_ATTEMPTS: Final = 20
STUCK_ATTEMPTS: Final = 5
RECEIPT_INVALID: Final = "RECEIPT_INVALID"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Is what observers look at: one gateway in one transaction at one moment.

    Attributes:
        away: peers in announced maintenance, whose silence is no alarm.
    """

    premises: Premises
    conn: Connection
    known: Mapping[int, Peer]
    now: datetime
    away: Collection[int] = ()

    def name(self, peer_id: int) -> str:
        """Return the identifier of a peer."""
        return self.known[peer_id].identifier


def observe(premises: Premises, conn: Connection, now: datetime) -> Iterator[Reading]:
    """Yield every reading of this moment."""
    known = {peer.id: peer for peer in peers.every(conn)}
    scene = Scene(
        premises=premises, conn=conn, known=known, now=now, away=maintenance.away(conn, now)
    )
    for observer in OBSERVERS:
        yield from observer(scene)


def _queue_age(scene: Scene) -> Iterator[Reading]:
    oldest: dict[int, datetime] = {}
    waiting: Counter[int] = Counter()
    for each in measures.queue(scene.conn):
        oldest[each.peer_id] = min(oldest.get(each.peer_id, each.oldest_at), each.oldest_at)
        waiting[each.peer_id] += each.count
    for peer_id, since in oldest.items():
        minutes = (scene.now - since).total_seconds() / 60
        facts = {
            "peer": scene.name(peer_id),
            "minutes": f"{minutes:.0f}",
            "count": str(waiting[peer_id]),
        }
        if peer_id in scene.away:
            continue
        yield Reading(rule="queue-age", subject=facts["peer"], value=minutes, facts=facts)


def _queue_stuck(scene: Scene) -> Iterator[Reading]:
    minutes = stuck_minutes(scene.conn, scene.now)
    facts = {"minutes": f"{minutes:.0f}"}
    yield Reading(rule="queue-stuck", subject="workers", value=minutes, facts=facts)


def _unreachable(scene: Scene) -> Iterator[Reading]:
    for outage in outages.still_open(scene.conn):
        if outage.peer_id in scene.away:
            continue
        minutes = outage.lasted(scene.now).total_seconds() / 60
        facts = {
            "peer": scene.name(outage.peer_id),
            "minutes": f"{minutes:.0f}",
            "code": known_code(outage.code),
            "failures": str(outage.failures),
        }
        yield Reading(rule="peer-unreachable", subject=facts["peer"], value=minutes, facts=facts)


def _attempts(scene: Scene) -> Iterator[Reading]:
    by_peer: dict[int, list[OutcomeCount]] = defaultdict(list)
    for outcome in measures.outcomes(scene.conn, since=scene.now - RECENT):
        by_peer[outcome.peer_id].append(outcome)
    for peer_id, found in by_peer.items():
        name, attempts = scene.name(peer_id), sum(each.count for each in found)
        codes: Counter[str] = Counter()
        for each in found:
            if not each.answered:
                codes[known_code(each.code)] += each.count
        if codes[RECEIPT_INVALID]:
            yield Reading(
                rule="receipt-invalid",
                subject=name,
                value=codes[RECEIPT_INVALID],
                facts={"peer": name, "count": str(codes[RECEIPT_INVALID])},
            )
        if attempts >= ENOUGH_ATTEMPTS and codes and peer_id not in scene.away:
            percent = 100 * codes.total() / attempts
            facts = {
                "peer": name,
                "percent": f"{percent:.0f}",
                "attempts": str(attempts),
                "code": codes.most_common(1)[0][0],
            }
            yield Reading(rule="failure-rate", subject=name, value=percent, facts=facts)


def _dead_letters(scene: Scene) -> Iterator[Reading]:
    for peer_id, count in measures.dead_letters(scene.conn).items():
        facts = {"peer": scene.name(peer_id), "count": str(count)}
        yield Reading(rule="dead-letters", subject=facts["peer"], value=count, facts=facts)


def _disks(scene: Scene) -> Iterator[Reading]:
    for folder, path in scene.premises.folders.items():
        percent, free = free_space(path)
        facts = {"folder": folder, "percent": f"{percent:.1f}", "free": free}
        yield Reading(rule="disk-space", subject=folder, value=percent, facts=facts)


def _dates(scene: Scene) -> Iterator[Reading]:
    own = scene.premises.desk.identity.identifier
    for each in every_dated(scene.premises, scene.conn, scene.now):
        owner = own if each.owner == "own" else each.owner
        facts = {"owner": owner, "name": each.name, "until": each.until}
        subject = f"{owner} {each.use.value} {each.fingerprint or each.name}"[:200]
        days = each.days_left(scene.now)
        if days is not None:
            yield Reading(
                rule=f"{each.use.value.lower()}-expiry",
                subject=subject,
                value=days,
                facts=facts | {"days": str(days)},
                lifetime=each.lifetime_days,
            )
        if each.use is DatedUse.CRL:
            age = each.days_old(scene.now)
            yield Reading(
                rule="crl-age", subject=subject, value=age, facts=facts | {"age": str(age)}
            )


def _formats(scene: Scene) -> Iterator[Reading]:
    for fault in scene.premises.format_faults():
        facts = format_facts(fault)
        count = float(facts["count"])
        yield Reading(rule="format-refused", subject=fault.file[:200], value=count, facts=facts)


def _crls(scene: Scene) -> Iterator[Reading]:
    for peer in scene.known.values():
        if lacks_crl(scene.conn, peer):
            facts = {"owner": peer.identifier}
            yield Reading(rule="crl-missing", subject=peer.identifier, value=1, facts=facts)


def _journal(scene: Scene) -> Iterator[Reading]:
    for name in ("journal", "journal again"):
        mark = watch_marks.find(scene.conn, name)
        if mark is not None and mark.fault:
            facts = {"entry": str(mark.position + 1), "reason": mark.fault}
            yield Reading(rule="journal-broken", subject=facts["entry"], value=1, facts=facts)


def _notices(scene: Scene) -> Iterator[Reading]:
    count = notices.stuck(scene.conn, attempts=STUCK_ATTEMPTS)
    if count:
        recipients = ", ".join(notices.last_errors(scene.conn))
        facts = {"count": str(count), "recipients": recipients}
        yield Reading(rule="notices-stuck", subject="notices", value=count, facts=facts)


def _standing_still(scene: Scene) -> Iterator[Reading]:
    yield from stuck_batches(scene.conn, scene.now)
    yield from stuck_folders(scene.conn, scene.premises.watched, scene.now)


OBSERVERS: Final[tuple[Callable[[Scene], Iterator[Reading]], ...]] = (
    _queue_age,
    _queue_stuck,
    _unreachable,
    _attempts,
    _dead_letters,
    _disks,
    _dates,
    _formats,
    _crls,
    _journal,
    _notices,
    _standing_still,
)
