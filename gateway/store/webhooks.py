"""Webhooks of organisations, and what waits for each: a queue with lease, token and order.

The feed is fanned out into one row for each event and webhook; a row is gone when its event was
taken.  Of one lane (one certificate of origin, mostly) the earliest event goes first, and no
other goes before it was taken.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, func, insert, or_, select, update

from gateway.errors import NotFoundError
from gateway.store import events, journal
from gateway.store.roles import OrganisationState
from gateway.store.rows import Event, HookClaim, NewWebhook, Organisation, Webhook
from gateway.store.search import Visible
from gateway.store.states import EventKind, WebhookState
from gateway.store.tables import events as event_table
from gateway.store.tables import organisations
from gateway.store.tables import webhook_deliveries as waiting
from gateway.store.tables import webhooks as table

MOST_WAITING: Final = 2_000
"""Rows that may wait for one webhook; the feed keeps the rest."""
LONGEST_PAUSE: Final = timedelta(minutes=15)
"""Nothing is ever put off for longer."""


@dataclass(frozen=True, kw_only=True)
class Setback:
    """Says why a webhook did not take an event, and when what is tried again."""

    at: datetime
    error: str
    event_due_at: datetime
    parked_until: datetime


def add(conn: Connection, new: NewWebhook, owner: str, *, at: datetime, actor: str) -> Webhook:
    """Enter a webhook, ACTIVE, and return it.

    Args:
        owner: code of the organisation, for the journal.
    """
    values = {
        **vars(new),
        "kinds": [kind.value for kind in new.kinds],
        "state": WebhookState.ACTIVE,
        "secret_version": 1,
        "failures": 0,
        "created_at": at,
        "updated_at": at,
    }
    row = conn.execute(insert(table).values(**values).returning(table)).one()
    detail = {"organisation": owner, "kinds": values["kinds"], "cursor": new.cursor}
    _note(conn, journal.Action.WEBHOOK_ADDED, new.hook_id, detail, at, actor)
    return _webhook(row)


def every(conn: Connection, organisation_id: int | None = None) -> tuple[Webhook, ...]:
    """Return the webhooks of one organisation, or of all, as entered."""
    query = select(table).order_by(table.c.id)
    if organisation_id is not None:
        query = query.where(table.c.organisation_id == organisation_id)
    return tuple(_webhook(row) for row in conn.execute(query))


def find(conn: Connection, hook_id: str, organisation_id: int | None = None) -> Webhook:
    """Return a webhook, of this organisation if given.

    Raises:
        NotFoundError: there is none.
    """
    query = select(table).where(table.c.hook_id == hook_id)
    if organisation_id is not None:
        query = query.where(table.c.organisation_id == organisation_id)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"no webhook is called {hook_id!r}")
    return _webhook(row)


def count_waiting(conn: Connection, webhook_id: int) -> int:
    """Return how many events wait in the queue of a webhook."""
    query = select(func.count()).where(waiting.c.webhook_id == webhook_id)
    count: int = conn.execute(query).scalar_one()
    return count


def set_state(
    conn: Connection, hook: Webhook, state: WebhookState, *, at: datetime, actor: str, reason: str
) -> Webhook:
    """Disable a webhook or take it up again, and return it; what waits goes on waiting."""
    _lock(conn, hook.id)
    if state is WebhookState.ACTIVE:
        anew = {"due_at": at, "failing_since": None, "attempts": 0}
        conn.execute(update(waiting).where(waiting.c.webhook_id == hook.id).values(**anew))
    changed = _change(conn, hook, at, state=state, parked_until=None, failures=0)
    detail = {"state": state, "reason": reason}
    _note(conn, journal.Action.WEBHOOK_CHANGED, hook.hook_id, detail, at, actor)
    return changed


def set_secret(conn: Connection, hook: Webhook, *, check: str, at: datetime, actor: str) -> Webhook:
    """Note that the next version of the secret holds from now on, and return the webhook."""
    version = hook.secret_version + 1
    changed = _change(conn, hook, at, secret_version=version, secret_check=check, rotated_at=at)
    detail = {"secret_version": version}
    _note(conn, journal.Action.WEBHOOK_CHANGED, hook.hook_id, detail, at, actor)
    return changed


def replay(conn: Connection, hook: Webhook, cursor: int, *, at: datetime, actor: str) -> Webhook:
    """Let a webhook be told of everything that follows ``cursor`` once more, and return it."""
    _lock(conn, hook.id)
    conn.execute(
        delete(waiting).where(waiting.c.webhook_id == hook.id, waiting.c.event_cursor > cursor)
    )
    changed = _change(conn, hook, at, cursor=cursor)
    detail = {"replayed_after": cursor}
    _note(conn, journal.Action.WEBHOOK_CHANGED, hook.hook_id, detail, at, actor)
    return changed


def remove(conn: Connection, hook: Webhook, *, at: datetime, actor: str) -> None:
    """Delete a webhook with what waits for it; the feed keeps every event."""
    _lock(conn, hook.id)
    conn.execute(delete(waiting).where(waiting.c.webhook_id == hook.id))
    conn.execute(delete(table).where(table.c.id == hook.id))
    _note(conn, journal.Action.WEBHOOK_REMOVED, hook.hook_id, {}, at, actor)


def ready(conn: Connection, now: datetime) -> tuple[tuple[Webhook, Organisation], ...]:
    """Return the webhooks that may be told now and have something to be told, with their owners.

    Whatever the feed holds beyond a webhook's cursor counts, visible to its owner or not.
    """
    last = events.last_cursor(conn)
    due = exists().where(waiting.c.webhook_id == table.c.id, waiting.c.due_at <= now)
    query = (
        select(table)
        .join(organisations, organisations.c.id == table.c.organisation_id)
        .where(
            table.c.state == WebhookState.ACTIVE,
            organisations.c.state == OrganisationState.ACTIVE,
            or_(table.c.parked_until.is_(None), table.c.parked_until <= now),
            or_(table.c.cursor < last, due),
        )
        .order_by(table.c.id)
    )
    found = [_webhook(row) for row in conn.execute(query)]
    if not found:
        return ()
    wanted = {hook.organisation_id for hook in found}
    rows = conn.execute(select(organisations).where(organisations.c.id.in_(wanted)))
    owners = {row.id: Organisation(**row._mapping) for row in rows}
    return tuple((hook, owners[hook.organisation_id]) for hook in found)


def fan_out(conn: Connection, hook_id: int, who: Visible, *, now: datetime, limit: int) -> int:
    """Queue the next events of the feed that a webhook is to be told; return how many.

    Args:
        who: what its owner may see.
    """
    row = _lock(conn, hook_id)
    room = MOST_WAITING - (0 if row is None else count_waiting(conn, hook_id))
    if row is None or room <= 0:
        return 0
    page = events.visible_after(conn, who, row.cursor, limit=min(limit, room))
    kinds = set(row.kinds)
    wanted = [each for each in page.events if not kinds or each.kind.value in kinds]
    if wanted:
        conn.execute(insert(waiting), [_queued(hook_id, each, now) for each in wanted])
    if page.reached > row.cursor:
        conn.execute(update(table).where(table.c.id == hook_id).values(cursor=page.reached))
    return len(wanted)


def claim(
    conn: Connection, hook_id: int, now: datetime, *, lease: timedelta, limit: int
) -> tuple[HookClaim, ...]:
    """Take the due events of a webhook, the first of each lane, until the lease ends.

    Those that were tried least go first, so that one which fails for ever delays no other lane.
    """
    earlier = waiting.alias("earlier")
    blocked = exists().where(
        earlier.c.webhook_id == waiting.c.webhook_id,
        earlier.c.lane == waiting.c.lane,
        earlier.c.event_cursor < waiting.c.event_cursor,
    )
    query = (
        select(waiting, *(column.label(f"told_{column.key}") for column in event_table.c))
        .join(event_table, event_table.c.cursor == waiting.c.event_cursor)
        .where(waiting.c.webhook_id == hook_id, waiting.c.due_at <= now, ~blocked)
        .order_by(waiting.c.attempts, waiting.c.event_cursor)
        .limit(limit)
        .with_for_update(of=waiting, skip_locked=True)
    )
    rows = conn.execute(query).all()
    if not rows:
        return ()
    token, until = secrets.token_hex(16), now + lease
    taken = {"due_at": until, "token": token, "attempts": waiting.c.attempts + 1}
    keys = [row.id for row in rows]
    conn.execute(update(waiting).where(waiting.c.id.in_(keys)).values(**taken))
    return tuple(_claim(row, token, until) for row in rows)


def taken(conn: Connection, claim: HookClaim, *, at: datetime) -> bool:
    """Note that a webhook took an event; return False where the claim was lost meanwhile."""
    _lock(conn, claim.webhook_id)  # first, as whoever replays does
    if not conn.execute(delete(waiting).where(*_held(claim))).rowcount:
        return False
    well = {"failures": 0, "parked_until": None, "last_success_at": at, "last_error": None}
    conn.execute(update(table).where(table.c.id == claim.webhook_id).values(**well))
    return True


def not_taken(conn: Connection, claim: HookClaim, setback: Setback) -> bool:
    """Note that a webhook did not take an event; return False where the claim was lost."""
    _lock(conn, claim.webhook_id)
    since = claim.failing_since or setback.at
    again = {"due_at": setback.event_due_at, "token": None, "failing_since": since}
    if not conn.execute(update(waiting).where(*_held(claim)).values(**again)).rowcount:
        return False
    conn.execute(
        update(table)
        .where(table.c.id == claim.webhook_id)
        .values(
            failures=table.c.failures + 1,
            parked_until=setback.parked_until,
            last_failure_at=setback.at,
            last_error=setback.error[:40],
        )
    )
    return True


def failing_since(conn: Connection, webhook_id: int) -> datetime | None:
    """Return when the event that a webhook has failed to take for longest failed first."""
    query = select(func.min(waiting.c.failing_since)).where(waiting.c.webhook_id == webhook_id)
    since: datetime | None = conn.execute(query).scalar_one()
    return since


def give_back(conn: Connection, claims: Sequence[HookClaim], *, at: datetime) -> None:
    """Let claims go that were not tried, as if they had never been taken."""
    for claim in claims:
        values = {"due_at": at, "token": None, "attempts": claim.attempt - 1}
        conn.execute(update(waiting).where(*_held(claim)).values(**values))


def stop(conn: Connection, hook_id: int, *, at: datetime, error: str) -> None:
    """Stop a webhook that has not taken anything for too long; operators are told."""
    row = _lock(conn, hook_id)
    if row is None or row.state is not WebhookState.ACTIVE:
        return
    hook = _change(conn, _webhook(row), at, state=WebhookState.STOPPED)
    detail = {"state": WebhookState.STOPPED, "reason": error}
    _note(conn, journal.Action.WEBHOOK_CHANGED, hook.hook_id, detail, at, journal.GATEWAY)
    query = select(organisations.c.code).where(organisations.c.id == hook.organisation_id)
    owner = conn.execute(query).scalar_one()
    data = {"organisation": owner, "webhook": hook.hook_id, "code": error}
    kind = EventKind.WEBHOOK_STOPPED
    events.append(conn, at=at, kind=kind, subject=f"{owner} {hook.hook_id}", data=data)


def _queued(hook_id: int, event: Event, now: datetime) -> dict[str, Any]:
    return {
        "webhook_id": hook_id,
        "event_cursor": event.cursor,
        "lane": event.lane[:160],
        "due_at": now,
        "attempts": 0,
    }


def _claim(row: Row[Any], token: str, until: datetime) -> HookClaim:
    columns = {column.key: getattr(row, f"told_{column.key}") for column in event_table.c}
    return HookClaim(
        delivery_id=row.id,
        webhook_id=row.webhook_id,
        event=Event(**columns),
        token=token,
        attempt=row.attempts + 1,
        failing_since=row.failing_since,
        lease_until=until,
    )


def _held(claim: HookClaim) -> tuple[Any, ...]:
    return waiting.c.id == claim.delivery_id, waiting.c.token == claim.token


def _lock(conn: Connection, hook_id: int) -> Row[Any] | None:
    return conn.execute(select(table).where(table.c.id == hook_id).with_for_update()).one_or_none()


def _change(conn: Connection, hook: Webhook, at: datetime, **values: Any) -> Webhook:
    own = update(table).where(table.c.id == hook.id)
    row = conn.execute(own.values(**values, updated_at=at).returning(table)).one_or_none()
    if row is None:
        raise NotFoundError(f"no webhook is called {hook.hook_id!r}")
    return _webhook(row)


def _note(
    conn: Connection,
    action: journal.Action,
    hook_id: str,
    detail: dict[str, Any],
    at: datetime,
    actor: str,
) -> None:
    journal.append(conn, at=at, actor=actor, action=action, subject=hook_id, detail=detail)


def _webhook(row: Row[Any]) -> Webhook:
    values = dict(row._mapping)
    return Webhook(**{**values, "kinds": tuple(EventKind(kind) for kind in values["kinds"])})
