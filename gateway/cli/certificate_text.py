"""How one certificate of origin and what became of it is told to a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.cli.output import figure, minute
from gateway.cli.views import Names
from gateway.exchange.history import CertificateHistory, Step
from gateway.register.guides import guide
from gateway.store import CertificateItem

BAR_WIDTH = 20


def history_lines(history: CertificateHistory, names: Names, language: str) -> Iterator[str]:
    """Yield everything that the books say about a certificate, and who must act next."""
    row = history.certificate
    route = f"{row.issuing_country} → {row.destination_country}"
    yield f"{row.serial_number}  {row.kind.value}, {route}{', TEST' if row.test else ''}"
    yield f"  traders     {row.exporter_name} → {row.consignee_name}"
    yield f"  valid       {row.issued_on} to {row.valid_until}"
    since = minute(row.state_since)
    yield f"  here        {row.side.value.lower()}; {row.state.value} since {since}"
    if row.reported_status is not None:
        yield f"  customs     {row.reported_status.value} (response {row.last_sequence})"
    yield from _waiting(history, language)
    yield from _flags(history)
    for delivery in history.deliveries:
        code = f" {delivery.code}" if delivery.code else ""
        yield f"  delivery    {names.get(delivery.peer_id)}: {delivery.state.value}{code}"
    for item in history.items:
        yield _item_line(item)
    yield "  what happened (UTC):"
    for step in history.steps:
        yield _step_line(step)


def _waiting(history: CertificateHistory, language: str) -> Iterator[str]:
    row = history.certificate
    found = guide(row.state)
    if found is not None:
        deadline = minute(found.deadline(row.state_since, row.valid_until))
        yield f"  waits for   {found.owner.value}, until {deadline}"
        yield f"      {found.reason.in_language(language)}"
        yield f"      → {found.next_step.in_language(language)}"


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
