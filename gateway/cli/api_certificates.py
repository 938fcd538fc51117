"""The commands of ``eco api`` that look certificates of origin and messages up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from gateway.cli.asking import asking, finding_lines
from gateway.cli.main import Invocation, limit_option
from gateway.cli.output import figure, minute, table
from gateway.client import Gateway
from gateway.client.api.certificates import (
    CertificateAnswer,
    CertificateSummary,
    ImportState,
    IssueState,
    ItemView,
    Side,
    StepView,
)
from gateway.client.api.shared import FindingView
from gateway.documents import CertificateKind

DAY = click.DateTime(["%Y-%m-%d"])
_STATES = sorted({each.value for kind in (IssueState, ImportState) for each in kind})
_KIND = click.Choice([each.value for each in CertificateKind])
_SIDE = click.Choice([each.value for each in Side])
_ISSUED_ON = click.option("--issued-on", type=DAY, metavar="DAY", help="Day of issue, YYYY-MM-DD.")
_PURPOSE = click.option("--purpose", default=None, help="Why; stands in the gateway's journal.")


@click.command()
@click.option("--serial", default=None, help="Serial number; every text matches by its beginning.")
@click.option("--exporter", default=None, help="Name, registration or tax number.")
@click.option("--consignee", default=None, help="Name or tax number.")
@click.option("--invoice", default=None, help="Number of an invoice.")
@click.option("--declaration", default=None, help="Number of an export or import declaration.")
@click.option("--hs", default=None, help="First two or more digits of a tariff code.")
@click.option("--from", "issuing_country", default=None, help="Issuing country, as ZM.")
@click.option("--to", "destination_country", default=None, help="Country of destination.")
@click.option(
    "--state", type=click.Choice(_STATES), metavar="STATE", help="As ISSUED, AVAILABLE, UTILISED."
)
@click.option(
    "--kind", type=click.Choice(list(CertificateKind)), metavar="KIND", help="As STANDARD."
)
@click.option("--side", type=_SIDE, metavar="SIDE", help="ISSUED or RECEIVED.")
@click.option("--issued-from", type=DAY, metavar="DAY", help="First day of issue.")
@click.option("--issued-until", type=DAY, metavar="DAY", help="Last day of issue.")
@limit_option(50, "At most so many certificates.")
@_PURPOSE
@asking
def search(
    call: Invocation, gateway: Gateway, limit: int, purpose: str | None, **stated: Any
) -> None:
    """Search certificates of origin; everything given must hold."""
    criteria = {
        name: _day(each) if isinstance(each, datetime) else each for name, each in stated.items()
    }
    page = min(limit, 200)
    found = gateway.asking(purpose=purpose).certificates(**criteria, limit=page)
    rows = list(islice(found, limit))
    call.output.result(rows, _certificate_table(rows))


@click.command()
@click.argument("country")
@click.argument("serial")
@click.option("--xml", "xml_file", type=click.Path(path_type=Path), help="Save the signed XML.")
@_ISSUED_ON
@_PURPOSE
@asking
def certificate(
    call: Invocation,
    gateway: Gateway,
    country: str,
    serial: str,
    xml_file: Path | None,
    issued_on: datetime | None,
    purpose: str | None,
) -> None:
    """Show the certificate of origin that COUNTRY issued under SERIAL."""
    asked = gateway.asking(purpose=purpose)
    found = asked.get_certificate(country, serial, issued_on=_day(issued_on))
    if xml_file is not None:
        signed = asked.get_signed_document(country, serial, issued_on=_day(issued_on))
        xml_file.write_bytes(signed)
    call.output.result(found, _certificate_lines(found))


@click.command()
@click.argument("country")
@click.argument("serial")
@_ISSUED_ON
@_PURPOSE
@asking
def timeline(
    call: Invocation,
    gateway: Gateway,
    country: str,
    serial: str,
    issued_on: datetime | None,
    purpose: str | None,
) -> None:
    """Show everything that happened to one certificate of origin, oldest first."""
    asked = gateway.asking(purpose=purpose)
    found = asked.get_timeline(country, serial, issued_on=_day(issued_on))
    call.output.result(found, (line for each in found.steps for line in _step_lines(each)))


@click.command()
@click.argument("country")
@click.argument("serial")
@_ISSUED_ON
@_PURPOSE
@asking
def ledger(
    call: Invocation,
    gateway: Gateway,
    country: str,
    serial: str,
    issued_on: datetime | None,
    purpose: str | None,
) -> None:
    """Show what was used of one certificate of origin, and what is left."""
    asked = gateway.asking(purpose=purpose)
    found = asked.get_ledger(country, serial, issued_on=_day(issued_on))
    heads = ("entered (UTC)", "item", "kind", "quantity", "total", "reference")
    rows = [
        (
            minute(line.entered_at),
            line.item_number,
            line.kind,
            f"{figure(line.quantity)} {line.unit}",
            figure(line.total_after),
            line.reference,
        )
        for line in found.entries
    ]
    call.output.result(found, [*map(_item_line, found.items), "", *table(heads, rows)])


@click.command()
@click.argument("message_id")
@_PURPOSE
@asking
def message(call: Invocation, gateway: Gateway, message_id: str, purpose: str | None) -> None:
    """Show one message, sent or received, and what its receipt says."""
    found = gateway.asking(purpose=purpose).get_message(message_id)
    way = "to" if found.sent else "from"
    lines = [
        f"{found.message_id}  {found.document_type} {found.document_number or ''}".rstrip(),
        f"  {way:<9} {found.peer}, {minute(found.at)} UTC",
        f"  state     {found.state or '–'}, {found.attempts} attempt(s)",
        f"  receipt   {found.verdict or '–'}{f' [{found.code}]' if found.code else ''}",
        *finding_lines(found.findings),
    ]
    call.output.result(found, lines)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _certificate_table(rows: Iterable[CertificateSummary]) -> list[str]:
    heads = ("issued", "serial", "from → to", "kind", "state", "customs", "exporter")
    cells = [
        (
            each.issued_on,
            each.serial_number,
            f"{each.issuing_country} → {each.destination_country}",
            each.kind,
            each.state,
            each.customs_status,
            each.exporter,
        )
        for each in rows
    ]
    return table(heads, cells) if cells else ["no such certificate is known here"]


def _certificate_lines(found: CertificateAnswer) -> Iterator[str]:
    route = f"{found.issuing_country} → {found.destination_country}"
    yield f"{found.serial_number}  {found.kind}, {route}{', TEST' if found.test else ''}"
    yield f"  traders     {found.exporter} → {found.consignee}"
    yield f"  valid       {found.issued_on} to {found.valid_until}"
    yield f"  here        {found.side.lower()}; {found.state} since {minute(found.state_since)}"
    yield f"  customs     {found.customs_status or '–'}"
    if found.over_used:
        yield "  ALERT       more was used than was certified"
    if found.contradicted:
        yield "  ALERT       customs responses contradict each other"
    yield from map(_item_line, found.items)


def _item_line(item: ItemView) -> str:
    return (
        f"  item {item.number:<6} {figure(item.used)} of {figure(item.certified)} {item.unit} used"
        f"{f', {figure(item.reexported)} re-exported' if item.reexported else ''}"
        f", {figure(item.remaining)} left"
    )


def _step_lines(step: StepView) -> Iterator[str]:
    told = [step.document_type, step.document_number, step.peer, step.verdict, step.state]
    told += [step.status, step.code]
    if step.quantity is not None:
        told.append(f"{figure(step.quantity)} {step.unit}")
    said = " ".join(str(each) for each in told if each is not None)
    yield f"{step.at:%Y-%m-%d %H:%M:%S}  {step.kind:<18} {said}".rstrip()
    findings: Iterable[FindingView] = step.findings
    yield from finding_lines(findings)
