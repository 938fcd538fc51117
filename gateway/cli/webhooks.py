"""The group ``eco webhook``: where systems of the national side are told of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from gateway.cli.main import Invocation, OrderedGroup, common
from gateway.cli.opening import actor, present, the_books
from gateway.cli.output import minute, table
from gateway.national_side import hook_desk
from gateway.services.webhooks import (
    OVERLAP,
    HookOrder,
    MadeHook,
    Standing,
    make_hook,
    replay_hook,
    rotate_secret,
    standing,
)
from gateway.store import EventKind, WebhookState, clients, webhooks

_KIND = click.Choice([kind.value for kind in EventKind])


@click.group(cls=OrderedGroup)
def webhook() -> None:
    """Register webhooks of organisations, see how they fare, replay and delete them."""


@webhook.command()
@click.argument("organisation_code", metavar="ORGANISATION")
@click.argument("url")
@click.option("--label", required=True, help="What it is for.")
@click.option(
    "--kind", "kinds", multiple=True, type=_KIND, help="May be given again; all unless given."
)
@click.option(
    "--after",
    type=click.IntRange(0),
    default=None,
    help="Tell what follows this cursor of the feed; what comes from now on unless given.",
)
@common
def add(
    call: Invocation,
    organisation_code: str,
    url: str,
    label: str,
    kinds: Sequence[str],
    after: int | None,
) -> None:
    """Tell ORGANISATION at URL of events; the secret is shown this once and stored nowhere."""
    order = HookOrder(url=url, label=label, kinds=[EventKind(kind) for kind in kinds], after=after)
    with the_books(call) as books, books.store.begin() as conn:
        owner = clients.by_code(conn, organisation_code)
        desk = hook_desk(books.settings)
        made = make_hook(conn, desk, owner, order, at=present(), actor=actor())
    _show_once(call, made)


@webhook.command("list")
@click.option("--organisation", "code", default=None, help="Those of this organisation only.")
@common
def list_webhooks(call: Invocation, code: str | None) -> None:
    """List the webhooks with what waits for each and how it fares."""
    with the_books(call) as books, books.store.read() as conn:
        owners = {each.id: each.code for each in clients.every(conn)}
        only = None if code is None else clients.by_code(conn, code).id
        found = [standing(conn, hook) for hook in webhooks.every(conn, only)]
    rows = [
        (
            each.hook.hook_id,
            owners[each.hook.organisation_id],
            each.hook.state,
            str(each.waiting),
            "never" if each.hook.last_success_at is None else minute(each.hook.last_success_at),
            each.hook.last_error or "",
            each.hook.label,
        )
        for each in found
    ]
    lines = table(
        ("webhook", "organisation", "state", "waiting", "last success", "error", "label"), rows
    )
    call.output.result(
        [_view(each, owners[each.hook.organisation_id]) for each in found],
        lines if found else ["there is no webhook; `eco webhook add` registers one"],
    )


@webhook.command()
@click.argument("hook_id", metavar="WEBHOOK")
@common
def rotate(call: Invocation, hook_id: str) -> None:
    """Give WEBHOOK a new secret; the former one signs beside it for a day."""
    with the_books(call) as books, books.store.begin() as conn:
        hook = webhooks.find(conn, hook_id)
        desk = hook_desk(books.settings)
        made = rotate_secret(conn, desk, hook, at=present(), actor=actor())
    _show_once(call, made)


@webhook.command()
@click.argument("hook_id", metavar="WEBHOOK")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def disable(call: Invocation, hook_id: str, reason: str) -> None:
    """Tell WEBHOOK nothing more; what comes meanwhile waits."""
    _switch(call, hook_id, WebhookState.DISABLED, reason)


@webhook.command()
@click.argument("hook_id", metavar="WEBHOOK")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def enable(call: Invocation, hook_id: str, reason: str) -> None:
    """Take a disabled or stopped WEBHOOK up again, where it ended."""
    _switch(call, hook_id, WebhookState.ACTIVE, reason)


@webhook.command()
@click.argument("hook_id", metavar="WEBHOOK")
@click.option("--after", type=click.IntRange(0), required=True, help="Cursor of the feed.")
@common
def replay(call: Invocation, hook_id: str, after: int) -> None:
    """Tell WEBHOOK once more of everything that follows a cursor."""
    with the_books(call) as books, books.store.begin() as conn:
        hook = webhooks.find(conn, hook_id)
        replay_hook(conn, hook, after, at=present(), actor=actor())
    call.output.result(
        {"webhook": hook_id, "after": after}, [f"{hook_id} is told again of what follows {after}"]
    )


@webhook.command()
@click.argument("hook_id", metavar="WEBHOOK")
@common
def remove(call: Invocation, hook_id: str) -> None:
    """Delete WEBHOOK with what waits for it; the feed keeps every event."""
    with the_books(call) as books, books.store.begin() as conn:
        webhooks.remove(conn, webhooks.find(conn, hook_id), at=present(), actor=actor())
    call.output.result({"webhook": hook_id}, [f"{hook_id} is deleted"])


def _switch(call: Invocation, hook_id: str, state: WebhookState, reason: str) -> None:
    with the_books(call) as books, books.store.begin() as conn:
        hook = webhooks.find(conn, hook_id)
        webhooks.set_state(conn, hook, state, at=present(), actor=actor(), reason=reason)
    call.output.result(
        {"webhook": hook_id, "state": state}, [f"{hook_id} is {state.value.lower()}"]
    )


def _show_once(call: Invocation, made: MadeHook) -> None:
    hook = made.hook
    lines = [made.secret.shown, f"Shown this once; it signs what {hook.hook_id} is told."]
    if hook.rotated_at is not None:
        lines.append(f"Until {minute(hook.rotated_at + OVERLAP)} UTC the former one signs too.")
    value = {"webhook": hook.hook_id, "secret": made.secret.shown, "cursor": hook.cursor}
    call.output.result(value, lines)


def _view(found: Standing, owner: str) -> dict[str, Any]:
    hook = found.hook
    return {
        "webhook": hook.hook_id,
        "organisation": owner,
        "label": hook.label,
        "url": hook.url,
        "kinds": hook.kinds,
        "state": hook.state,
        "cursor": hook.cursor,
        "waiting": found.waiting,
        "failures": hook.failures,
        "next_try_at": hook.parked_until,
        "last_success_at": hook.last_success_at,
        "last_failure_at": hook.last_failure_at,
        "last_error": hook.last_error,
    }
