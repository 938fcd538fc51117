"""The commands that look into the books: one certificate, the messages, and sending again."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence

import click

from gateway.app import open_gateway
from gateway.cli.main import Invocation, common
from gateway.cli.output import table
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
    """Show the certificate SERIAL: state, remaining quantities and everything that happened."""
    gateway = open_gateway(call.home)
    with gateway.store.read() as conn:
        found = [
            history_of(conn, row)
            for row in certificates.by_serial(conn, serial)
            if country in (None, row.issuing_country)
        ]
    if not found:
        raise NotFoundError(f"no certificate {serial!r} was issued or received here")
    lines = [line for history in found for line in _history_lines(history)]
    call.output.result(found, lines)


@click.command()
@click.option(
    "--state",
    type=click.Choice([s.value for s in DeliveryState]),
    default=None,
    help="Sent messages in this state only.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True)
@common
def messages(call: Invocation, state: str | None, limit: int) -> None:
    """List the newest messages sent and received, with what became of each."""
    gateway = open_gateway(call.home)
    chosen = None if state is None else DeliveryState(state)
    with gateway.store.read() as conn:
        names = {peer.id: peer.identifier for peer in peers.every(conn)}
        sent = outbox.page(conn, state=chosen, limit=limit)
        received = () if chosen else inbox.page(conn, limit=limit)
    call.output.result(
        {"sent": sent, "received": received},
        [*_sent_lines(sent, names), "", *_received_lines(received, names)],
    )


@click.command()
@click.argument("message_id")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def resend(call: Invocation, message_id: str, reason: str) -> None:
    """Queue a failed or held message again: the same bytes under the same id."""
    gateway = open_gateway(call.home)
    with gateway.store.begin() as conn:
        queued = outbox.resend(
            conn,
            message_id,
            at=gateway.desk.clock(),
            actor=f"user:{getpass.getuser()}",
            reason=reason,
        )
    call.output.result(queued, [f"{message_id} is queued again"])


def _sent_lines(sent: Sequence[Dispatch], names: dict[int, str]) -> list[str]:
    rows = [
        (
            f"{row.created_at:%Y-%m-%d %H:%M}",
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
    heads = ("sent", "to", "document", "number", "state", "tries", "code", "message id")
    return table(heads, rows)


def _received_lines(received: Sequence[Arrival], names: dict[int, str]) -> list[str]:
    rows = [
        (
            f"{row.received_at:%Y-%m-%d %H:%M}",
            names.get(row.peer_id),
            row.document_type.value,
            row.document_number,
            row.verdict.value,
            row.code,
            row.message_id,
        )
        for row in received
    ]
    heads = ("received", "from", "document", "number", "verdict", "code", "message id")
    return table(heads, rows)


def _history_lines(history: CertificateHistory) -> Iterable[str]:
    row = history.certificate
    route = f"{row.issuing_country} → {row.destination_country}"
    since = f"{row.state_since:%Y-%m-%d %H:%M}"
    yield f"{row.serial_number}  {row.kind.value}, {route}"
    yield f"  here        {row.side.value.lower()}, {row.state.value} since {since}"
    yield f"  valid       {row.issued_on} to {row.valid_until}"
    if row.reported_status is not None:
        yield f"  customs     {row.reported_status.value} (response {row.last_sequence})"
    yield from _flags(history)
    for delivery in history.deliveries:
        yield f"  delivery    {delivery.state.value} {delivery.code or ''}".rstrip()
    for item in history.items:
        yield _item_line(item)
    yield "  what happened:"
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
    return (
        f"  item {item.number:<6} {bar} {item.used:f} of {item.certified:f} {item.unit} used, "
        f"{item.remaining:f} left"
    )


def _step_line(step: Step) -> str:
    return f"    {step.at:%Y-%m-%d %H:%M:%S}  {step.what:<34} {step.detail}".rstrip()
