"""Webhooks of organisations: registered, listed, given new secrets, disabled, replayed, deleted.

The same functions serve owners by their API and operators on the command line.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.errors import ConfigError, ConflictError, InputError
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.services.webhook_desk import HookDesk, HookSecret
from gateway.store import (
    EventKind,
    NewWebhook,
    Organisation,
    Webhook,
    WebhookState,
    events,
    readers,
    webhooks,
)

MOST_HOOKS: Final = 10
"""Webhooks that one organisation may have."""
OVERLAP: Final = timedelta(hours=24)
"""For so long after an exchange what is sent carries a signature of the former secret too."""


@dataclass(frozen=True, kw_only=True)
class HookOrder:
    """Says what webhook to make.

    Attributes:
        kinds: told of these only; empty for all.
        after: told of the events after this cursor; None for those that come from now on.
    """

    url: str
    label: str
    kinds: Collection[EventKind] = ()
    after: int | None = None


@dataclass(frozen=True, kw_only=True)
class MadeHook:
    """Is a webhook with a new secret, which is shown this once."""

    hook: Webhook
    secret: HookSecret


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Is a webhook with how many events wait for it and when it is told again at the earliest."""

    hook: Webhook
    waiting: int


def desk_of(counter: Counter) -> HookDesk:
    """Return what webhooks are made with.

    Raises:
        ConfigError: this process was started without.
    """
    if counter.hooks is None:
        raise ConfigError("this entrance was started without [webhooks]")
    return counter.hooks


def make_hook(
    conn: Connection,
    desk: HookDesk,
    owner: Organisation,
    order: HookOrder,
    *,
    at: datetime,
    actor: str,
) -> MadeHook:
    """Return a new webhook of ``owner`` with its secret.

    Raises:
        InputError: its address may not be told, or the feed does not reach to the cursor.
        ConflictError: the owner has as many as it may have.
    """
    desk.require_allowed(order.url)
    if len(webhooks.every(conn, owner.id)) >= MOST_HOOKS:
        raise ConflictError(f"an organisation has at most {MOST_HOOKS} webhooks; delete one first")
    hook_id = "wh_" + base64.b32encode(secrets.token_bytes(10)).decode("ascii").lower()
    secret = desk.secrets.secret(hook_id, 1)
    new = NewWebhook(
        hook_id=hook_id,
        organisation_id=owner.id,
        label=order.label[:100],
        url=order.url,
        kinds=tuple(sorted(set(order.kinds))),
        cursor=_start(conn, order.after),
        secret_check=secret.check,
    )
    return MadeHook(hook=webhooks.add(conn, new, owner.code, at=at, actor=actor), secret=secret)


def rotate_secret(
    conn: Connection, desk: HookDesk, hook: Webhook, *, at: datetime, actor: str
) -> MadeHook:
    """Return a webhook with a new secret; the former one signs beside it for ``OVERLAP``."""
    secret = desk.secrets.secret(hook.hook_id, hook.secret_version + 1)
    changed = webhooks.set_secret(conn, hook, check=secret.check, at=at, actor=actor)
    return MadeHook(hook=changed, secret=secret)


def replay_hook(
    conn: Connection, hook: Webhook, after: int, *, at: datetime, actor: str
) -> Webhook:
    """Let a webhook be told of everything after a cursor once more, and return it.

    Raises:
        InputError: the feed does not reach to the cursor.
    """
    return webhooks.replay(conn, hook, _start(conn, after), at=at, actor=actor)


def signing_secrets(desk: HookDesk, hook: Webhook, now: datetime) -> tuple[HookSecret, ...]:
    """Return the secrets that sign for a webhook now, the present one first.

    Raises:
        ConfigError: the key in the home is not the one that the webhook was made with.
    """
    present = desk.secrets.secret(hook.hook_id, hook.secret_version)
    if present.check != hook.secret_check:
        raise ConfigError(
            f"[webhooks] the key in {desk.secrets.file} is not the one that {hook.hook_id} was "
            "made with: put it back, or exchange the secret"
        )
    if hook.rotated_at is None or now >= hook.rotated_at + OVERLAP:
        return (present,)
    return present, desk.secrets.secret(hook.hook_id, hook.secret_version - 1)


def register(counter: Counter, caller: Caller, order: HookOrder) -> MadeHook:
    """Return a new webhook of the caller's organisation.

    Raises:
        GatewayError: as ``make_hook``.
    """
    caller.require(Scope.WEBHOOKS)
    desk = desk_of(counter)
    with counter.desk.store.begin() as conn:
        at, actor = counter.desk.clock(), caller.actor
        return make_hook(conn, desk, caller.organisation, order, at=at, actor=actor)


def listed(counter: Counter, caller: Caller) -> tuple[Standing, ...]:
    """Return the webhooks of the caller's organisation."""
    caller.require(Scope.WEBHOOKS)
    with counter.desk.store.read() as conn:
        found = webhooks.every(conn, caller.organisation.id)
        return tuple(standing(conn, hook) for hook in found)


def one(counter: Counter, caller: Caller, hook_id: str) -> Standing:
    """Return a webhook of the caller's organisation.

    Raises:
        NotFoundError: it has none of this name.
    """
    caller.require(Scope.WEBHOOKS)
    with counter.desk.store.read() as conn:
        return standing(conn, webhooks.find(conn, hook_id, caller.organisation.id))


def exchange_secret(counter: Counter, caller: Caller, hook_id: str) -> MadeHook:
    """Return a webhook of the caller's organisation with a new secret.

    Raises:
        NotFoundError: it has none of this name.
    """
    caller.require(Scope.WEBHOOKS)
    desk = desk_of(counter)
    with counter.desk.store.begin() as conn:
        hook = webhooks.find(conn, hook_id, caller.organisation.id)
        return rotate_secret(conn, desk, hook, at=counter.desk.clock(), actor=caller.actor)


def switch(counter: Counter, caller: Caller, hook_id: str, state: WebhookState) -> Standing:
    """Return a webhook of the caller's organisation, disabled or taken up again.

    Raises:
        NotFoundError: it has none of this name.
    """
    caller.require(Scope.WEBHOOKS)
    with counter.desk.store.begin() as conn:
        hook = webhooks.find(conn, hook_id, caller.organisation.id)
        at, actor = counter.desk.clock(), caller.actor
        reason = "asked for by its owner"
        changed = webhooks.set_state(conn, hook, state, at=at, actor=actor, reason=reason)
        return standing(conn, changed)


def replay(counter: Counter, caller: Caller, hook_id: str, after: int | None) -> Standing:
    """Return a webhook that is told once more of what follows a cursor.

    Args:
        after: None for what follows the cursor that the organisation confirmed.

    Raises:
        NotFoundError: the organisation has none of this name.
        InputError: the feed does not reach to the cursor.
    """
    caller.require(Scope.WEBHOOKS)
    with counter.desk.store.begin() as conn:
        own = caller.organisation.id
        hook = webhooks.find(conn, hook_id, own)
        start = readers.confirmed(conn, own) if after is None else after
        at, actor = counter.desk.clock(), caller.actor
        return standing(conn, replay_hook(conn, hook, start, at=at, actor=actor))


def delete(counter: Counter, caller: Caller, hook_id: str) -> None:
    """Delete a webhook of the caller's organisation.

    Raises:
        NotFoundError: it has none of this name.
    """
    caller.require(Scope.WEBHOOKS)
    with counter.desk.store.begin() as conn:
        hook = webhooks.find(conn, hook_id, caller.organisation.id)
        webhooks.remove(conn, hook, at=counter.desk.clock(), actor=caller.actor)


def standing(conn: Connection, hook: Webhook) -> Standing:
    """Return a webhook with how many events wait in its queue."""
    return Standing(hook=hook, waiting=webhooks.count_waiting(conn, hook.id))


def _start(conn: Connection, after: int | None) -> int:
    last = events.last_cursor(conn)
    if after is None:
        return last
    if after > last:
        raise InputError(f"the feed ends at {last}; it does not reach to {after}")
    return after
