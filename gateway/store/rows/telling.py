"""Rows of the webhooks of organisations and of what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.store.rows.audit import Event
from gateway.store.states import EventKind, WebhookState


@dataclass(frozen=True, kw_only=True)
class NewWebhook:
    """Is a webhook to be entered; its secret is not part of it.

    Attributes:
        hook_id: names it in addresses and logs.
        kinds: told of these only; empty for all.
        cursor: it is told of the events that follow.
        secret_check: what a secret derived again is compared with.
    """

    hook_id: str
    organisation_id: int
    label: str
    url: str
    kinds: tuple[EventKind, ...]
    cursor: int
    secret_check: str


@dataclass(frozen=True, kw_only=True)
class Webhook(NewWebhook):
    """Is a webhook as stored.

    Attributes:
        cursor: the last event that was looked at for it.
        secret_version: counts exchanges of the secret, the last one at ``rotated_at``.
        failures: in a row; nothing is sent before ``parked_until``.
    """

    id: int
    state: WebhookState
    secret_version: int
    rotated_at: datetime | None
    failures: int
    parked_until: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class HookClaim:
    """Is a worker's right to tell one webhook of one event, until the lease ends.

    Attributes:
        token: proves the claim; another one takes its place when the lease has run out.
        failing_since: the first failure with this event, None before any.
    """

    delivery_id: int
    webhook_id: int
    event: Event
    token: str
    attempt: int
    failing_since: datetime | None
    lease_until: datetime
