"""The register of outages: when a peer could not be reached, how long, and by which failure.

An outage opens when enough attempts in a row found no way (no connection, no handshake, no
answer, a 5xx of something in front of the peer) and closes with the next receipt or answer to
a ping, in the same transaction.  A fault that the peer states is no outage: its gateway is
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Row, bindparam, func, insert, or_, select, text, update

from gateway.store import events, journal, maintenance
from gateway.store.rows.operations import Outage
from gateway.store.statements import Statement
from gateway.store.states import EventKind
from gateway.store.tables import attempts, dispatches, lanes, peers
from gateway.store.tables import outages as table
from gateway.store.tables.exchange import OPEN
from gateway.store.tables.operations import OUTAGE_OPEN

WAY_CODES: Final = ("UNREACHABLE", "TIMED_OUT", "TLS", "BAD_ANSWER")
_SAMPLE: Final = 50
_END: Final = Statement(
    update(table).where(table.c.peer_id == bindparam("own"), text(OUTAGE_OPEN)).returning(*table.c),
    ("closed_at",),
)


def look(conn: Connection, *, now: datetime, failures: int) -> int:
    """Open and close outages by what the lanes say; return how many changed.

    Args:
        failures: attempts in a row that must have failed before it is an outage.  Those at a
            peer in announced maintenance open none.
    """
    opened = {outage.peer_id: outage for outage in still_open(conn)}
    announced = maintenance.away(conn, now)
    changed = 0
    for lane in conn.execute(select(lanes, peers.c.identifier).join(peers)):
        outage = opened.get(lane.peer_id)
        if outage is None and lane.peer_id in announced:
            continue
        if outage is None:
            changed += lane.failures >= failures and _open(conn, lane, now)
        elif lane.last_success_at is not None and lane.last_success_at > outage.opened_at:
            changed += end(conn, lane.peer_id, at=lane.last_success_at)
        elif lane.failures > outage.failures:
            own = table.c.id == outage.id
            conn.execute(update(table).where(own).values(failures=lane.failures))
    return changed


def end(conn: Connection, peer_id: int, *, at: datetime) -> bool:
    """Close the outage of a peer, if one lasts, and return whether one did."""
    row = _END.first(conn, own=peer_id, closed_at=at)
    if row is None:
        return False
    identifier = conn.execute(select(peers.c.identifier).where(peers.c.id == peer_id)).scalar_one()
    seconds = round(Outage(**row._asdict()).lasted(at).total_seconds())
    _journal(conn, identifier, journal.Action.OUTAGE_CLOSED, at, {"seconds": seconds})
    _tell(conn, identifier, EventKind.PEER_BACK, at, {"seconds": seconds})
    return True


def reached(conn: Connection, peer_id: int, *, at: datetime) -> None:
    """Write that a peer answered a ping: its lane is open again, its outage is over."""
    opened = {"failures": 0, "parked_until": None, "last_success_at": at}
    conn.execute(update(lanes).where(lanes.c.peer_id == peer_id).values(**opened))
    end(conn, peer_id, at=at)


def still_open(conn: Connection) -> tuple[Outage, ...]:
    """Return the outages that last."""
    query = select(table).where(text(OUTAGE_OPEN)).order_by(table.c.opened_at)
    return tuple(Outage(**row._mapping) for row in conn.execute(query))


def page(
    conn: Connection, *, peer_id: int | None = None, limit: int = 50, before: int | None = None
) -> tuple[Outage, ...]:
    """Return the newest outages first, of one peer if given."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if peer_id is not None:
        query = query.where(table.c.peer_id == peer_id)
    if before is not None:
        query = query.where(table.c.id < before)
    return tuple(Outage(**row._mapping) for row in conn.execute(query))


def _open(conn: Connection, lane: Row[Any], now: datetime) -> bool:
    failing = _failing(conn, lane.peer_id)
    if not failing:
        return False
    code = failing[-1].code
    conn.execute(
        insert(table).values(
            peer_id=lane.peer_id,
            opened_at=_began(conn, lane, failing, now),
            noticed_at=now,
            failures=lane.failures,
            code=code,
        )
    )
    detail = {"code": code, "failures": lane.failures}
    _journal(conn, lane.identifier, journal.Action.OUTAGE_OPENED, now, detail)
    _tell(conn, lane.identifier, EventKind.PEER_SILENT, now, {"code": code})
    return True


def _failing(conn: Connection, peer_id: int) -> list[Row[Any]]:
    """Return messages that wait because there was no way, the one tried last at the end."""
    own = dispatches.c
    wanted: tuple[Column[Any], ...] = (own.id, own.code)
    query = (
        select(*wanted)
        .where(own.peer_id == peer_id, text(OPEN))
        .where(or_(own.code.in_(WAY_CODES), own.code.like("HTTP_5%")))
        .order_by(own.updated_at.desc())
        .limit(_SAMPLE)
    )
    return list(conn.execute(query))[::-1]


def _began(conn: Connection, lane: Row[Any], failing: list[Row[Any]], now: datetime) -> datetime:
    """Return when the first attempt since the last success began at the waiting messages."""
    query = select(func.min(attempts.c.started_at)).where(
        attempts.c.dispatch_id.in_([row.id for row in failing])
    )
    if lane.last_success_at is not None:
        query = query.where(attempts.c.started_at > lane.last_success_at)
    began: datetime | None = conn.execute(query).scalar()
    return began or lane.last_failure_at or now


def _journal(
    conn: Connection,
    identifier: str,
    action: journal.Action,
    at: datetime,
    detail: Mapping[str, Any],
) -> None:
    journal.append(conn, at=at, action=action, subject=identifier, detail=detail)


def _tell(
    conn: Connection, identifier: str, kind: EventKind, at: datetime, facts: Mapping[str, Any]
) -> None:
    """Tell every national system that documents for a peer wait, or flow again."""
    data = {"peer": identifier, **facts}
    events.append(conn, at=at, kind=kind, subject=identifier, data=data, audience=events.EVERYBODY)
