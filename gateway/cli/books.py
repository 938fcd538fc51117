"""The commands that look into the books: one certificate, the messages, and sending again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from gateway.cli.main import Invocation, common
from gateway.cli.opening import actor, present, the_books
from gateway.cli.output import figure, minute, table
from gateway.cli.views import Names, arrival_view, dispatch_view, history_view, names_of
from gateway.errors import NotFoundError
from gateway.exchange.history import CertificateHistory, Step, history_of
from gateway.store import (
    Arrival,
    CertificateItem,
    DeliveryState,
    Dispatch,
    certificates,
    inbox,
    outbox,
    peers,
)

BAR_WIDTH = 20


@click.command()
@click.argument("serial")
@click.option("--country", default=None, help="Issuing country, where two states use the number.")
@common
def status(call: Invocation, serial: str, country: str | None) -> None:
    """Show the certificate SERIAL: state, remaining quantities and everything that happened.

    Times are in UTC.
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
    lines = (line for history in found for line in _history_lines(history, names))
    call.output.result([history_view(history, names) for history in found], lines)


@click.command()
@click.option(
    "--state",
    type=click.Choice([s.value for s in DeliveryState]),
    default=None,
    help="Sent messages in this state only.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=30,
    show_default=True,
    help="Newest messages of each direction.",
)
@common
def messages(call: Invocation, state: str | None, limit: int) -> None:
    """List the newest messages sent and received, with what became of each.

    Times are in UTC.  With --state only messages sent are listed.
    """
    chosen = None if state is None else DeliveryState(state)
    with the_books(call) as books, books.store.read() as conn:
        names = names_of(peers.every(conn))
        sent = outbox.page(conn, state=chosen, limit=limit)
        received = () if chosen else inbox.page(conn, limit=limit)
    value = {
        "sent": [dispatch_view(row, names) for row in sent],
        "received": [arrival_view(row, names) for row in received],
    }
    lines = _sent_lines(sent, names)
    call.output.result(value, lines if chosen else [*lines, "", *_received_lines(received, names)])


@click.command()
@click.argument("message_id")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def resend(call: Invocation, message_id: str, reason: str) -> None:
    """Queue a failed or held message again: the same bytes under the same id."""
    with the_books(call) as books, books.store.begin() as conn:
        queued = outbox.resend(conn, message_id, at=present(), actor=actor(), reason=reason)
        names = names_of(peers.every(conn))
    peer = names[queued.peer_id]
    call.output.result(
        dispatch_view(queued, names),
        [f"{queued.document_number} is queued again for {peer} as {message_id}"],
    )


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


def _history_lines(history: CertificateHistory, names: Names) -> Iterator[str]:
    row = history.certificate
    route = f"{row.issuing_country} → {row.destination_country}"
    yield f"{row.serial_number}  {row.kind.value}, {route}{', TEST' if row.test else ''}"
    yield f"  traders     {row.exporter_name} → {row.consignee_name}"
    yield f"  valid       {row.issued_on} to {row.valid_until}"
    since = minute(row.state_since)
    yield f"  here        {row.side.value.lower()}; {row.state.value} since {since}"
    if row.reported_status is not None:
        yield f"  customs     {row.reported_status.value} (response {row.last_sequence})"
    yield from _flags(history)
    for delivery in history.deliveries:
        code = f" {delivery.code}" if delivery.code else ""
        yield f"  delivery    {names.get(delivery.peer_id)}: {delivery.state.value}{code}"
    for item in history.items:
        yield _item_line(item)
    yield "  what happened (UTC):"
    for step in history.steps:
        yield _step_line(step)


def _flags(history: CertificateHistory) -> Iterable[str]:
    row = history.certificate
    if row.over_used:
        yield "  ALERT       more was used than was certified"
    if row.contradicted:
        yield "  ALERT       customs responses contradict each other"
    if row.missing_responses:
        yield f"  note        {row.missing_responses} earlier response(s) have not come yet"


def _item_line(item: CertificateItem) -> str:
    share = float(item.used / item.certified) if item.certified else 0.0
    full = min(BAR_WIDTH, round(share * BAR_WIDTH))
    bar = "█" * full + "░" * (BAR_WIDTH - full)
    reexported = f", {figure(item.reexported)} re-exported" if item.reexported else ""
    return (
        f"  item {item.number:<6} {bar} {figure(item.used)} of {figure(item.certified)} "
        f"{item.unit} used{reexported}, {figure(item.remaining)} left"
    )


def _step_line(step: Step) -> str:
    return f"    {step.at:%Y-%m-%d %H:%M:%S}  {step.what:<34} {step.detail}".rstrip()
