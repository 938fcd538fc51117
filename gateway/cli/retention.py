"""The commands of retention: what is due, erasing it, and legal holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import click

from gateway.cli.main import Invocation, common
from gateway.cli.opening import actor, present, the_books
from gateway.cli.output import minute, table
from gateway.errors import NotFoundError
from gateway.keeping.classes import RetentionClass, retention_classes
from gateway.keeping.retention import CHUNK, Preview, RunOrder
from gateway.keeping.retention import preview as preview_class
from gateway.keeping.retention import run as run_class
from gateway.store import holds
from gateway.store.states import HoldScope

DAY = click.DateTime(formats=["%Y-%m-%d"])
SCOPE = click.Choice([scope.value.lower() for scope in HoldScope])


@click.group()
def retention() -> None:
    """Show and erase what the law lets go, and hold what must stay."""


@retention.command()
@click.option("--class", "class_id", default=None, help="This class only.")
@click.option("--before", type=DAY, default=None, help="An earlier day than the law allows.")
@common
def preview(call: Invocation, class_id: str | None, before: datetime | None) -> None:
    """Show for each class what a run would erase, what is held and what is still open.

    Nothing is changed.
    """
    now = present()
    with the_books(call) as books, books.store.read() as conn:
        found = [
            preview_class(
                conn,
                kept,
                None if before is None else before.date(),
                now=now,
                least_years=books.settings.retention.least_years,
            )
            for kept in _chosen(class_id)
        ]
    call.output.result(found, _preview_lines(found, call.output.language))


@retention.command()
@click.option("--class", "class_id", required=True, help="One class of the preview.")
@click.option("--before", type=DAY, required=True, help="The day that the preview showed.")
@click.option("--confirm", type=click.IntRange(min=1), required=True, help="How many are due.")
@click.option(
    "--chunk",
    type=click.IntRange(1, 1000),
    default=CHUNK,
    show_default=True,
    help="How many are erased in one transaction.",
)
@common
def run(call: Invocation, class_id: str, before: datetime, confirm: int, chunk: int) -> None:
    """Erase the content of what is due, in short transactions; digests and journal stay."""
    (kept,) = _chosen(class_id)
    with the_books(call) as books:
        done = run_class(
            books.store,
            RunOrder(
                retention_class=kept,
                before=before.replace(tzinfo=UTC).date(),
                confirmed=confirm,
                least_years=books.settings.retention.least_years,
                actor=actor(),
                chunk=chunk,
            ),
            now=present(),
        )
    call.output.result(
        done, [f"{done.subjects} erased: {done.bodies} documents, {done.size} bytes"]
    )


@retention.command()
@click.argument("subject")
@click.option("--scope", type=SCOPE, default="serial", show_default=True, help="What SUBJECT is.")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def hold(call: Invocation, subject: str, scope: str, reason: str) -> None:
    """Forbid to erase SUBJECT: a serial number, a conversation, or all of a peer."""
    with the_books(call) as books, books.store.begin() as conn:
        placed = holds.place(
            conn, HoldScope(scope.upper()), subject, reason=reason, actor=actor(), at=present()
        )
    call.output.result(placed, [f"{subject} is held: nothing of it is erased"])


@retention.command()
@click.argument("subject")
@click.option("--scope", type=SCOPE, default="serial", show_default=True, help="What SUBJECT is.")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def release(call: Invocation, subject: str, scope: str, reason: str) -> None:
    """Lift the hold on SUBJECT."""
    with the_books(call) as books, books.store.begin() as conn:
        lifted = holds.lift(
            conn, HoldScope(scope.upper()), subject, reason=reason, actor=actor(), at=present()
        )
    call.output.result(lifted, [f"the hold on {subject} is lifted"])


@retention.command("list")
@click.option("--lifted", is_flag=True, help="Those of the past too.")
@common
def list_holds(call: Invocation, lifted: bool) -> None:
    """List the legal holds in force."""
    with the_books(call) as books, books.store.read() as conn:
        found = holds.every(conn, lifted=lifted)
    rows = [
        (
            hold.scope.value.lower(),
            hold.subject,
            minute(hold.since),
            hold.actor,
            None if hold.lifted_at is None else minute(hold.lifted_at),
            hold.reason,
        )
        for hold in found
    ]
    heads = ("scope", "subject", "since", "by", "lifted", "reason")
    call.output.result(found, table(heads, rows))


def _chosen(class_id: str | None) -> tuple[RetentionClass, ...]:
    known = retention_classes()
    if class_id is None:
        return tuple(known.values())
    if class_id not in known:
        raise NotFoundError(f"no class of retention is called {class_id}: {', '.join(known)}")
    return (known[class_id],)


def _preview_lines(found: Iterable[Preview], language: str) -> Iterable[str]:
    for each in found:
        yield f"{each.retention_class}: {each.label.in_language(language)}"
        yield f"  kept {each.years} years; over them is what was last counted before {each.before}"
        span = ""
        if each.oldest is not None and each.newest is not None:
            span = f", of {each.oldest:%Y-%m-%d} to {each.newest:%Y-%m-%d}"
        yield f"  due {each.due}{span}; held {each.held}; open {each.open}"
        if each.due:
            yield (
                f"  eco retention run --class {each.retention_class} --before {each.before} "
                f"--confirm {each.due}"
            )
