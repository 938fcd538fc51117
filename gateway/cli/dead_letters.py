"""The commands for messages that wait for a person: list them, send them again, keep one back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from gateway.cli.main import Invocation, common, limit_option
from gateway.cli.opening import Books, actor, present, the_books
from gateway.cli.output import minute
from gateway.cli.peer_text import known_peer
from gateway.cli.views import Names, dead_letter_view, dispatch_view, names_of
from gateway.documents.codes import DocumentType
from gateway.exchange.resending import Confirmed, Resent, resend_many
from gateway.exchange.retry_table import RetryTable
from gateway.exchange.waiting import why_waiting
from gateway.store import DeliveryState, Dispatch, dead_letters, outbox, peers
from gateway.store.dead_letters import WAITING, Choice, Resending

Command = TypeVar("Command", bound=Callable[..., Any])

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])
_OPTIONS = (
    click.option("--peer", "peer", default=None, help="To this peer only."),
    click.option("--code", default=None, help="Whose last attempt ended with this error code."),
    click.option(
        "--state",
        type=click.Choice([state.value for state in WAITING]),
        default=DeliveryState.FAILED.value,
        show_default=True,
        help="In this state.",
    ),
    click.option(
        "--type",
        "document_type",
        type=click.Choice([kind.value for kind in DocumentType]),
        default=None,
        help="With a document of this type only.",
    ),
    click.option("--since", type=_MOMENT, default=None, help="Made at this moment or later (UTC)."),
    click.option("--until", type=_MOMENT, default=None, help="Made before this moment (UTC)."),
)


def choosing(command: Command) -> Command:
    """Give a command the options that choose messages, as one argument ``chosen``."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        names = ("peer", "code", "state", "document_type", "since", "until")
        return command(*args, chosen={name: kwargs.pop(name) for name in names}, **kwargs)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the call's shape


@click.command()
@choosing
@limit_option(30, "How many at most; --json prints all.")
@common
def dead(call: Invocation, limit: int, chosen: Mapping[str, Any]) -> None:
    """List messages that wait for a person: reason, remedy, age and peer of each.

    They stand in the order in which they would be sent. `eco resend` takes the same options.
    """
    with the_books(call) as books, books.store.read() as conn:
        names = names_of(peers.every(conn))
        choice = _choice(conn, chosen)
        total = sum(dead_letters.count(conn, choice).values())
        rows = _rows(call, conn, choice, limit)
    retry = _retry_table(books)
    lines = [*_letter_lines(call, rows, names, retry), *_rest(total, len(rows))]
    call.output.result(
        [_letter_value(row, names, retry) for row in rows],
        lines or ["no message waits for a person"],
    )


@click.command()
@click.argument("message_id", required=False)
@choosing
@click.option("--all", "everything", is_flag=True, help="All that are in that state.")
@click.option("--confirm", type=click.IntRange(1), help="Queue them; repeat the count shown.")
@click.option(
    "--most",
    type=click.IntRange(1),
    help="Queue so many at most; `[delivery] resend_most` unless given.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 100, min_open=True),
    help="So many a second to each peer; `[delivery] resend_per_second` unless given.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=30, help="Lines of the list.")
@click.option("--reason", required=True, help="Why; stands in the journal of each message.")
@common
def resend(
    call: Invocation,
    message_id: str | None,
    chosen: Mapping[str, Any],
    confirm: int | None,
    most: int | None,
    rate: float | None,
    limit: int,
    reason: str,
    *,
    everything: bool,
) -> None:
    """Queue a failed or held message again: the same bytes under the same id.

    Without MESSAGE_ID, many are chosen by --peer, --code, --type, --since, --until or --all.
    Then nothing is queued until --confirm repeats the count that was shown. They become due
    one after another, in the order of their priorities.
    """
    many = everything or any(value for name, value in chosen.items() if name != "state")
    if many is (message_id is not None):
        raise click.UsageError("name one MESSAGE_ID, or choose many by options (or --all).")
    if message_id is not None:
        _resend_one(call, message_id, reason)
        return
    with the_books(call) as books:
        with books.store.read() as conn:
            names, choice = names_of(peers.every(conn)), _choice(conn, chosen)
        own = books.settings.delivery
        gap = timedelta(seconds=1 / (rate or own.resend_per_second))
        resending = Resending(choice=choice, gap=gap, actor=actor(), reason=reason)
        if confirm is None:
            _show(call, books, resending, most or own.resend_most, limit)
        else:
            agreed = Confirmed(count=confirm, most=most or own.resend_most)
            _queue(call, books, resending, agreed, names)


@click.command()
@click.argument("message_id")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def hold(call: Invocation, message_id: str, reason: str) -> None:
    """Keep a message back that is not under way; `eco resend` lets it go.

    Later messages of its conversation wait with it.
    """
    with the_books(call) as books, books.store.begin() as conn:
        held = outbox.hold(conn, message_id, at=present(), actor=actor(), reason=reason)
        names = names_of(peers.every(conn))
    call.output.result(
        dispatch_view(held, names), [f"{held.document_number} to {names[held.peer_id]} is held"]
    )


def _resend_one(call: Invocation, message_id: str, reason: str) -> None:
    with the_books(call) as books, books.store.begin() as conn:
        queued = dead_letters.resend_one(
            conn, message_id, at=present(), actor=actor(), reason=reason
        )
        names = names_of(peers.every(conn))
    peer = names[queued.peer_id]
    call.output.result(
        dispatch_view(queued, names),
        [f"{queued.document_number} is queued again for {peer} as {message_id}"],
    )


def _show(call: Invocation, books: Books, resending: Resending, most: int, limit: int) -> None:
    """Print what would be queued; change nothing."""
    with books.store.read() as conn:
        names = names_of(peers.every(conn))
        counts = dead_letters.count(conn, resending.choice)
        rows = _rows(call, conn, resending.choice, limit)
    total, retry = sum(counts.values()), _retry_table(books)
    value = {
        "queued": 0,
        "count": total,
        "most": most,
        "per_second": 1 / resending.gap.total_seconds(),
        "by_peer": {names[peer_id]: number for peer_id, number in counts.items()},
        "messages": [_letter_value(row, names, retry) for row in rows],
    }
    lines = [*_letter_lines(call, rows, names, retry), *_rest(total, len(rows))]
    call.output.result(value, [*lines, *_summary(names, counts, most)])


def _summary(names: Names, counts: Mapping[int, int], most: int) -> Iterator[str]:
    total = sum(counts.values())
    by_peer = ", ".join(f"{number} to {names[peer_id]}" for peer_id, number in counts.items())
    yield f"{total} messages would be queued" + (f": {by_peer}" if by_peer else "")
    if total > most:
        yield f"of them {most} now (--most), by priority; the others after another call"
    if total:
        yield f"nothing was changed; to queue them add:  --confirm {total}"


def _queue(
    call: Invocation, books: Books, resending: Resending, agreed: Confirmed, names: Names
) -> None:
    wanted = min(agreed.count, agreed.most)
    resent = resend_many(
        books.store,
        resending,
        agreed,
        clock=present,
        progress=lambda done: call.output.note(f"  {done} of {wanted} queued"),
    )
    call.output.result(
        {
            "queued": resent.total,
            "left": resent.left,
            "by_peer": {names[peer_id]: number for peer_id, number in resent.queued.items()},
            "last_due_at": resent.last_due_at,
        },
        _queued_lines(resent, names),
    )


def _queued_lines(resent: Resent, names: Names) -> Iterator[str]:
    for peer_id, number in resent.queued.items():
        yield f"{number} messages are queued again for {names[peer_id]}"
    if resent.last_due_at is not None:
        yield f"the last of them is due at {resent.last_due_at:%Y-%m-%d %H:%M:%S} UTC"
    if resent.left:
        yield f"{resent.left} still wait; the same command without --confirm shows them"


def _choice(conn: Connection, chosen: Mapping[str, Any]) -> Choice:
    kind = chosen["document_type"]
    return Choice(
        states=(DeliveryState(chosen["state"]),),
        peer_id=None if chosen["peer"] is None else known_peer(conn, chosen["peer"]).id,
        code=chosen["code"],
        document_type=None if kind is None else DocumentType(kind),
        since=_utc(chosen["since"]),
        until=_utc(chosen["until"]),
    )


def _utc(stated: datetime | None) -> datetime | None:
    return None if stated is None else stated.replace(tzinfo=UTC)


def _rows(call: Invocation, conn: Connection, choice: Choice, limit: int) -> Sequence[Dispatch]:
    """Return all rows for a program, the first ones for a person."""
    if call.output.as_json:
        return tuple(dead_letters.every(conn, choice))
    return dead_letters.page(conn, choice, limit=limit)


def _letter_value(row: Dispatch, names: Names, retry: RetryTable) -> dict[str, Any]:
    return dead_letter_view(row, names, why_waiting(row, retry), present())


def _letter_lines(
    call: Invocation, rows: Iterable[Dispatch], names: Names, retry: RetryTable
) -> Iterator[str]:
    now, language = present(), call.output.language
    for row in rows:
        yield (
            f"{names[row.peer_id]}  {row.document_type.value} {row.document_number}  "
            f"{row.state.value} {row.code or ''}  made {minute(row.created_at)}, "
            f"{_age(now - row.created_at)} ago"
        )
        yield f"      {row.message_id}"
        wait = why_waiting(row, retry)
        if wait is not None:
            yield f"      {wait.reason.in_language(language)}"
            yield f"      → {wait.next_step.in_language(language)}"


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h"


def _rest(total: int, shown: int) -> Iterator[str]:
    if total > shown:
        yield f"… and {total - shown} more (--limit, or --json for all)"


def _retry_table(books: Books) -> RetryTable:
    settings = books.settings
    return RetryTable.load(settings.resolve_own(settings.delivery.retry_table))
