"""Counters that only rise, kept up to date from the journal, whatever number of processes.

Everything that happens to a message or certificate is in the journal, in the order of commit
and without a gap.  Folding reads what came since the last fold and adds it up, so that a
scrape costs what is new, never what the archive holds, and no hot counter row slows delivery.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Row, select, update

from gateway.errors import all_error_types
from gateway.store import hourly, watch_marks
from gateway.store.dialects import insert_if_absent
from gateway.store.hourly import Flow
from gateway.store.states import DeliveryState, ImportState, IssueState, JournalAction, Side
from gateway.store.tables import arrivals, dispatches, journal, peers
from gateway.store.tables import tallies as table
from gateway.store.types import canonical_json

MARK: Final = "tallies"
BATCH: Final = 5_000
_ENTRIES: Final = 250
"""Entries held at a time: what a fold takes, a process that runs for years never gives back."""

LATENCY_BOUNDS: Final = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)
"""Upper bounds in seconds of the histogram of delivery times."""

OTHER: Final = "OTHER"
"""Stands for every code that neither we nor HTTP define, so that no peer can flood us."""

_KNOWN: Final = frozenset(
    {cls.code for cls in all_error_types()}
    | {state.value for state in DeliveryState}
    | {"RULES_BROKEN", "LEASE_LOST"}
)
_HTTP: Final = re.compile(r"HTTP_[1-5]\d\d")

Key = tuple[str, str]
Sums = Counter[Key]


def fold(conn: Connection, *, at: datetime, limit: int = BATCH) -> int:
    """Add up to ``limit`` new journal entries to the counters; return how many there were."""
    position, folded = watch_marks.lock(conn, MARK).position, 0
    sums: Sums = Counter()
    while rows := _entries(conn, position, min(_ENTRIES, limit - folded)):
        sums.update(_sums(conn, rows))
        position, folded = rows[-1].sequence, folded + len(rows)
    if folded:
        _add(conn, sums)
        watch_marks.move(conn, MARK, position, at=at)
    return folded


def every(conn: Connection) -> Iterator[tuple[str, Mapping[str, str], int]]:
    """Yield name, labels and value of every counter; there are as many as kinds of things.

    What is kept by hour stands in ``gateway.store.hourly``.
    """
    counted = table.c.name.not_like(f"{hourly.PREFIX}%")
    for row in conn.execute(select(table).where(counted).order_by(table.c.name, table.c.labels)):
        yield row.name, json.loads(row.labels), row.value


def known_code(code: object) -> str:
    """Return a wire code that we or HTTP define, OTHER for any else."""
    text = str(code)
    return text if text in _KNOWN or _HTTP.fullmatch(text) else OTHER


def _entries(conn: Connection, after: int, most: int) -> Sequence[Row[Any]]:
    query = select(journal).where(journal.c.sequence > after).order_by(journal.c.sequence)
    return conn.execute(query.limit(most)).all() if most else ()


def _sums(conn: Connection, rows: Iterable[Row[Any]]) -> Sums:
    entries = [(row, json.loads(row.details)) for row in rows]
    sent = _dispatches(conn, [row.subject for row, _ in entries if row.action in _OUTBOUND])
    digests = [d.get("envelope_sha256") for row, d in entries if row.action in _INBOUND]
    came = _arrivals(conn, [digest for digest in digests if digest])
    sums: Sums = Counter()
    for row, detail in entries:
        partner: Row[Any] | None = None
        if row.action in _OUTBOUND:
            partner = sent.get(row.subject)
            sums.update(_outbound(row, detail, partner))
        elif row.action in _INBOUND:
            partner = came.get((detail.get("envelope_sha256"), row.subject))
            sums.update(_inbound(detail, partner))
        else:
            sums.update(_other(row, detail))
        flow = _flow(row.action, detail)
        if flow is not None:
            peer = hourly.NOBODY if partner is None else partner.identifier
            sums[hourly.key(row.at, flow, peer)] += 1
    return sums


_FLOWS: Final[Mapping[str, Flow]] = {
    JournalAction.DISPATCH_QUEUED: Flow.QUEUED,
    JournalAction.ARRIVAL_ACCEPTED: Flow.CAME,
    JournalAction.ARRIVAL_REFUSED: Flow.REFUSED_HERE,
    JournalAction.ARRIVAL_TURNED_AWAY: Flow.TURNED_AWAY,
}


_DECIDED: Final[Mapping[str, Flow]] = {
    DeliveryState.DELIVERED: Flow.DELIVERED,
    DeliveryState.REFUSED: Flow.REFUSED,
}


def _flow(action: str, detail: Mapping[str, Any]) -> Flow | None:
    if action in (JournalAction.DISPATCH_ATTEMPTED, JournalAction.DISPATCH_PROVED):
        undecided = Flow.FAILED if action == JournalAction.DISPATCH_ATTEMPTED else None
        return _DECIDED.get(str(detail.get("state")), undecided)
    return _FLOWS.get(action)


_OUTBOUND: Final = frozenset(
    {
        JournalAction.DISPATCH_QUEUED,
        JournalAction.DISPATCH_ATTEMPTED,
        JournalAction.DISPATCH_PROVED,
    }
)
_INBOUND: Final = frozenset({JournalAction.ARRIVAL_ACCEPTED, JournalAction.ARRIVAL_REFUSED})


def _outbound(row: Row[Any], detail: Mapping[str, Any], sent: Row[Any] | None) -> Sums:
    peer = OTHER if sent is None else sent.identifier
    kind = OTHER if sent is None else sent.document_type.value
    if row.action == JournalAction.DISPATCH_QUEUED:
        return Counter({_key("queued", peer=peer, document_type=kind): 1})
    state = detail.get("state")
    code = known_code(detail.get("code") or state)
    sums: Sums = Counter()
    if row.action == JournalAction.DISPATCH_ATTEMPTED:
        sums[_key("attempts", peer=peer, code=code)] += 1
    if state in (DeliveryState.DELIVERED, DeliveryState.REFUSED):
        sums[_key("verdicts", peer=peer, document_type=kind, verdict=_verdict(sent, state))] += 1
        if sent is not None:
            sums.update(_latency(peer, (row.at - sent.created_at).total_seconds()))
    return sums


def _verdict(sent: Row[Any] | None, state: object) -> str:
    return str(state) if sent is None or sent.verdict is None else str(sent.verdict.value)


def _latency(peer: str, seconds: float) -> Sums:
    bound = next((each for each in LATENCY_BOUNDS if seconds <= each), None)
    label = "+Inf" if bound is None else f"{bound:g}"
    milliseconds = max(0, round(seconds * 1000))
    return Counter(
        {
            _key("delivery_bucket", peer=peer, le=label): 1,
            _key("delivery_milliseconds", peer=peer): milliseconds,
        }
    )


def _inbound(detail: Mapping[str, Any], came: Row[Any] | None) -> Sums:
    labels = {
        "peer": OTHER if came is None else came.identifier,
        "document_type": OTHER if came is None else came.document_type.value,
        "verdict": str(detail.get("verdict") or OTHER),
        "code": known_code(detail["code"]) if detail.get("code") else "",
    }
    return Counter({_key("arrivals", **labels): 1})


def _other(row: Row[Any], detail: Mapping[str, Any]) -> Sums:
    match row.action:
        case JournalAction.ARRIVAL_REPEATED:
            return Counter({_key("arrivals_repeated"): 1})
        case JournalAction.ARRIVAL_TURNED_AWAY:
            return Counter({_key("turned_away", code=known_code(detail.get("code"))): 1})
        case JournalAction.CERTIFICATE_ISSUED:
            return Counter({_certificate(Side.ISSUED, IssueState.ISSUED): 1})
        case JournalAction.CERTIFICATE_RECEIVED:
            return Counter({_certificate(Side.RECEIVED, ImportState.RECEIVED): 1})
        case JournalAction.CERTIFICATE_STATE if detail.get("side"):
            sums: Sums = Counter()
            sums[_certificate(detail["side"], detail["from"])] -= 1
            sums[_certificate(detail["side"], detail["to"])] += 1
            return sums
    return Counter()


def _certificate(side: str, state: str) -> Key:
    return _key("certificates", side=str(side), state=str(state))


def _key(name: str, **labels: str) -> Key:
    return name, canonical_json(labels)


def _dispatches(conn: Connection, message_ids: list[str]) -> dict[str, Row[Any]]:
    wanted: tuple[Column[Any], ...] = (
        dispatches.c.message_id,
        dispatches.c.document_type,
        dispatches.c.verdict,
        dispatches.c.created_at,
        peers.c.identifier,
    )
    query = select(*wanted).join(peers, peers.c.id == dispatches.c.peer_id)
    named = dispatches.c.message_id.in_(list(dict.fromkeys(message_ids)))
    return {row.message_id: row for row in conn.execute(query.where(named))}


def _arrivals(conn: Connection, digests: list[str]) -> dict[tuple[str, str], Row[Any]]:
    wanted: tuple[Column[Any], ...] = (
        arrivals.c.envelope_sha256,
        arrivals.c.message_id,
        arrivals.c.document_type,
        peers.c.identifier,
    )
    query = select(*wanted).join(peers, peers.c.id == arrivals.c.peer_id)
    named = arrivals.c.envelope_sha256.in_(list(dict.fromkeys(digests)))
    return {(row.envelope_sha256, row.message_id): row for row in conn.execute(query.where(named))}


def _add(conn: Connection, sums: Mapping[Key, int]) -> None:
    absent = insert_if_absent(conn, table)
    for (name, labels), amount in sorted(sums.items()):
        conn.execute(absent, {"name": name, "labels": labels, "value": 0})
        own = (table.c.name == name, table.c.labels == labels)
        conn.execute(update(table).where(*own).values(value=table.c.value + amount))
