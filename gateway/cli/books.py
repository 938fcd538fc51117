"""The commands that look into the books: one certificate, and the messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click
from sqlalchemy import Connection

from gateway.cli.certificate_text import history_lines
from gateway.cli.main import Invocation, common, limit_option
from gateway.cli.opening import present, the_books
from gateway.cli.output import minute, table
from gateway.cli.views import Names, arrival_view, dispatch_view, history_view, names_of, wait_view
from gateway.config import Settings
from gateway.errors import NotFoundError
from gateway.exchange.history import history_of
from gateway.exchange.retry_table import RetryTable
from gateway.exchange.waiting import Wait, why_waiting
from gateway.store import (
    Arrival,
    DeliveryState,
    Dispatch,
    certificates,
    inbox,
    maintenance,
    outbox,
    peers,
)


@click.command()
@click.argument("serial")
@click.option("--country", default=None, help="Issuing country, where two states use the number.")
@common
def status(call: Invocation, serial: str, country: str | None) -> None:
    """Show the certificate SERIAL: state, remaining quantities and everything that happened.

    Also who must act next, and by when.  Times are in UTC.
    """
    with the_books(call) as books, books.store.read() as conn:
        names = names_of(peers.every(conn))
        found = [
            history_of(conn, row)
            for row in certificates.by_serial(conn, serial)
            if country in (None, row.issuing_country)
        ]
    if not found:
        of_country = "" if country is None else f" of {country}"
        raise NotFoundError(f"no certificate {serial!r}{of_country} was issued or received here")
    language = call.output.language
    lines = (line for history in found for line in history_lines(history, names, language))
    call.output.result([history_view(history, names) for history in found], lines)


@click.command()
@click.option(
    "--state",
    type=click.Choice([s.value for s in DeliveryState]),
    default=None,
    help="Sent messages in this state only.",
)
@limit_option(30, "Newest messages of each direction.")
@common
def messages(call: Invocation, state: str | None, limit: int) -> None:
    """List the newest messages sent and received, with what became of each.

    Times are in UTC.  With --state only messages sent are listed.
    """
    chosen = None if state is None else DeliveryState(state)
    with the_books(call) as books, books.store.read() as conn:
        names = names_of(peers.every(conn))
        retry = _retry_table(books.settings)
        sent = outbox.page(conn, state=chosen, limit=limit)
        received = () if chosen else inbox.page(conn, limit=limit)
        waits = _waits_of(conn, sent, names, retry)
    value = {
        "sent": [
            dispatch_view(row, names) | wait_view(waits[row.id], call.output.language)
            for row in sent
        ],
        "received": [arrival_view(row, names) for row in received],
    }
    lines = [*_sent_lines(sent, names), *_waiting_lines(sent, waits, call.output.language)]
    call.output.result(value, lines if chosen else [*lines, "", *_received_lines(received, names)])


def _retry_table(settings: Settings) -> RetryTable:
    return RetryTable.load(settings.resolve_own(settings.delivery.retry_table))


def _sent_lines(sent: Sequence[Dispatch], names: Names) -> list[str]:
    if not sent:
        return ["no such message was sent"]
    rows = [
        (
            minute(row.created_at),
            names.get(row.peer_id),
            row.document_type.value,
            row.document_number,
            row.state.value,
            row.attempts,
            row.code,
            row.message_id,
        )
        for row in sent
    ]
    heads = ("sent (UTC)", "to", "document", "number", "state", "tries", "code", "message id")
    return table(heads, rows)


def _waits_of(
    conn: Connection, sent: Sequence[Dispatch], names: Names, retry: RetryTable
) -> Mapping[int, Wait | None]:
    away = maintenance.away(conn, present())
    found = {}
    for row in sent:
        planned = away.get(row.peer_id)
        named = None if planned is None else (names[row.peer_id], planned)
        found[row.id] = why_waiting(row, retry, named)
    return found


def _waiting_lines(
    sent: Sequence[Dispatch], waits: Mapping[int, Wait | None], language: str
) -> Iterator[str]:
    """Say of each message that is not at its end why, and what happens next."""
    for row in sent:
        wait = waits[row.id]
        if wait is not None:
            yield f"{row.document_number}: {wait.reason.in_language(language)}"
            at = "" if wait.next_at is None else f" ({minute(wait.next_at)} UTC)"
            yield f"      → {wait.next_step.in_language(language)}{at}"


def _received_lines(received: Sequence[Arrival], names: Names) -> list[str]:
    if not received:
        return ["no message was received"]
    rows = [
        (
            minute(row.received_at),
            names.get(row.peer_id),
            row.document_type.value,
            row.document_number,
            row.verdict.value,
            row.code,
            row.message_id,
        )
        for row in received
    ]
    heads = ("received (UTC)", "from", "document", "number", "verdict", "code", "message id")
    return table(heads, rows)
