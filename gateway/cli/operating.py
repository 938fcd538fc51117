"""The commands of the operator: doctor, health, watch, alerts, support."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from gateway.app import Gateway, system_clock
from gateway.cli.main import Invocation, common, limit_option
from gateway.cli.opening import actor, the_gateway
from gateway.cli.output import ExitStatus, stop, table
from gateway.config import load_settings
from gateway.documents.codes import Language
from gateway.errors import ConfigError, GatewayError, NotFoundError
from gateway.operations import logs
from gateway.operations.alerting import is_about_an_event
from gateway.operations.checks import Check, Outcome
from gateway.operations.doctor import Report, examine
from gateway.operations.health import readiness
from gateway.operations.letters import Heading, paragraph, write
from gateway.operations.notifying import Office
from gateway.operations.premises import Premises
from gateway.operations.support import Material, write_bundle
from gateway.store import (
    Alert,
    AlertLevel,
    AlertState,
    Notice,
    NoticeKind,
    NoticeState,
    Outage,
    Peer,
    alerts,
    outages,
    peers,
)
from gateway.transport import PeerTransport
from gateway.watching import office_of, operations_app, operations_server, premises_of
from gateway.web.serving import serve


@click.command()
@click.option("--peer", "identifier", default=None, help="Look at the way to this peer only.")
@common
def doctor(call: Invocation, identifier: str | None) -> None:
    """Look at this home and at the way to each peer; every line comes with its remedy.

    The exit status is 0 when all is well or merely worth a look, 8 when something fails.
    """
    try:
        with the_gateway(call) as gateway:
            report = _examined(gateway, identifier)
    except ConfigError as exc:
        report = _unusable(exc)
    language = call.output.language
    call.output.result(report.values(language), report.lines(language))
    stop(ExitStatus.FAILED if report.outcome is Outcome.FAIL else ExitStatus.OK)


@click.command()
@common
def health(call: Invocation) -> None:
    """Say whether this gateway is ready to take and deliver messages, for a supervisor.

    The exit status is 0 when it is, 8 when it is not.
    """
    with the_gateway(call) as gateway:
        found = readiness(premises_of(gateway))
    language = call.output.language
    report = Report(at=system_clock(), gateway="", checks=found.checks)
    call.output.result(found.values(language), report.lines(language))
    stop(ExitStatus.OK if found.ready else ExitStatus.FAILED)


@click.command()
@common
def watch(call: Invocation) -> None:
    """Serve /health/live, /health/ready and /metrics over plain HTTP until SIGTERM or SIGINT.

    Where is said in section [watch]; on loopback unless changed.
    """
    logs.log_as_json()
    own = load_settings(call.home)
    operations_app(call.home)  # what cannot be used is said here, not in a worker process

    def ready(host: str, port: int) -> None:
        name = own.gateway.identifier
        call.output.result(
            {"identifier": name, "host": host, "port": port},
            [f"{name} serves health and metrics at http://{host}:{port}"],
        )

    serve(lambda: operations_app(call.home), operations_server(own), ready)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--log",
    "log_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Log whose last lines are added, redacted; may be given again.",
)
@common
def support(call: Invocation, file: Path, log_files: Sequence[Path]) -> None:
    """Write a bundle for whoever helps to FILE (zip): no key, password, payload or name in it."""
    with the_gateway(call) as gateway:
        premises = premises_of(gateway)
        material = Material(
            settings=gateway.settings.model_dump(mode="json", exclude={"home"}),
            report=_examined(gateway, None),
            logs=tuple(log_files),
        )
        names = write_bundle(file, premises, material)
    call.output.result(
        {"file": file, "parts": names}, [f"{file} holds:", *(f"  {name}" for name in names)]
    )


@click.group("alerts")
def alerts_group() -> None:
    """List alerts, take one on, and try whether recipients are reached."""


@alerts_group.command("list")
@click.option("--all", "everything", is_flag=True, help="Cleared ones too, the newest first.")
@limit_option(50, "How many at most.")
@common
def list_alerts(call: Invocation, limit: int, *, everything: bool) -> None:
    """List the alerts that have not cleared, the most urgent first, each with what to do."""
    with the_gateway(call) as gateway:
        rules = premises_of(gateway).rules
        with gateway.store.read() as conn:
            found = alerts.page(conn, limit=limit) if everything else alerts.live(conn)[:limit]
    told = [paragraph(rules, alert, call.output.language) for alert in found]
    values = [vars(each.alert) | {"says": each.says, "todo": each.todo} for each in told]
    lines = [line for each in told for line in _alert_lines(each.alert, each.says, each.todo)]
    call.output.result(values, lines or ["no alert is open"])


@alerts_group.command()
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why, or what is being done; stands in the journal.")
@common
def acknowledge(call: Invocation, number: int, reason: str) -> None:
    """Take on the alert NUMBER: recipients are not reminded of it any more.

    An alert about something that happened ends with it; one about a state clears by itself
    when the state has gone.
    """
    with the_gateway(call) as gateway:
        rules = premises_of(gateway).rules
        with gateway.store.begin() as conn:
            ends = is_about_an_event(rules, alerts.find(conn, number))
            taken = alerts.acknowledge(
                conn, number, at=gateway.desk.clock(), actor=actor(), reason=reason, ends=ends
            )
    call.output.result(taken, [f"alert {number} is {taken.state.value.lower()}"])


@alerts_group.command("test")
@common
def try_recipients(call: Invocation) -> None:
    """Send a letter of trial to every recipient now, and say who took it.

    The exit status is 6 when anybody did not.
    """
    with the_gateway(call) as gateway:
        premises = premises_of(gateway)
        office = office_of(gateway.settings, premises.rules)
        results = {
            recipient.address: _tried(premises, office, recipient.address, recipient.language)
            for recipient in office.desk.recipients
        }
    lines = [f"{'✗' if error else '✓'} {who} {error or ''}" for who, error in results.items()]
    call.output.result(results, lines or ["nobody is told of alerts; see [alerts] in docs"])
    stop(ExitStatus.UNREACHABLE if any(results.values()) else ExitStatus.OK)


@click.command("outages")
@click.option("--peer", "identifier", default=None, help="Of this peer only.")
@limit_option(50, "How many at most.")
@common
def list_outages(call: Invocation, identifier: str | None, limit: int) -> None:
    """List when peers could not be reached, the newest outage first, with how long it lasted."""
    with the_gateway(call) as gateway:
        chosen = _peers(gateway, identifier)
        only = chosen[0].id if identifier is not None else None
        with gateway.store.read() as conn:
            found = outages.page(conn, peer_id=only, limit=limit)
        now = gateway.desk.clock()
    names = {peer.id: peer.identifier for peer in chosen}
    values = [_outage(each, names[each.peer_id], now) for each in found]
    heads = ("peer", "from", "until", "lasted", "attempts", "code")
    rows = [tuple(value.values()) for value in values]
    call.output.result(values, table(heads, rows) if rows else ["no outage is registered"])


def _outage(outage: Outage, name: str, now: datetime) -> dict[str, object]:
    closed = outage.closed_at
    return {
        "peer": name,
        "from": f"{outage.opened_at:%Y-%m-%d %H:%M:%S}Z",
        "until": None if closed is None else f"{closed:%Y-%m-%d %H:%M:%S}Z",
        "lasted": str(outage.lasted(now)).split(".", 1)[0],
        "attempts": outage.failures,
        "code": outage.code,
    }


def _examined(gateway: Gateway, identifier: str | None) -> Report:
    chosen = _peers(gateway, identifier)
    transport = PeerTransport()
    try:
        return examine(premises_of(gateway), chosen, transport, own=identifier is None)
    finally:
        transport.close()


def _peers(gateway: Gateway, identifier: str | None) -> Sequence[Peer]:
    try:
        with gateway.store.read() as conn:
            known = peers.every(conn)
    except GatewayError:
        if identifier is not None:
            raise
        return ()  # the checks of our own home say what ails the database
    chosen = [peer for peer in known if identifier in (None, peer.identifier)]
    if identifier is not None and not chosen:
        raise NotFoundError(f"no peer is registered as {identifier!r}; see `eco peer list`")
    return chosen


def _unusable(exc: ConfigError) -> Report:
    facts = {"gateway": "", "reason": exc.detail}
    check = Check(id="settings", outcome=Outcome.FAIL, facts=facts)
    return Report(at=system_clock(), gateway="–", checks=(check,))


def _alert_lines(alert: Alert, says: str, todo: str) -> Sequence[str]:
    since = f"{alert.first_at:%Y-%m-%d %H:%M}Z"
    state = "" if alert.state is AlertState.OPEN else f", {alert.state.value.lower()}"
    who = f" by {alert.acknowledged_by}" if alert.acknowledged_by else ""
    return (
        f"{alert.id:>5}  {alert.level.value:<8} {says}",
        f"       → {todo}",
        f"       {alert.rule}, since {since}, seen {alert.count} times{state}{who}",
    )


def _tried(premises: Premises, office: Office, address: str, language: Language) -> str | None:
    now = premises.desk.clock()
    alert = Alert(
        id=0,
        rule="trial",
        subject="eco alerts test",
        level=AlertLevel.INFO,
        state=AlertState.OPEN,
        step="",
        facts={},
        first_at=now,
        last_at=now,
        count=1,
        told_at=None,
        acknowledged_by=None,
        acknowledged_at=None,
        acknowledged_why=None,
        cleared_at=None,
    )
    notice = Notice(
        id=int(now.timestamp()),
        alert_id=0,
        kind=NoticeKind.RAISED,
        level=AlertLevel.INFO,
        recipient=address,
        state=NoticeState.PENDING,
        due_at=now,
        attempts=1,
        last_error=None,
        created_at=now,
        ended_at=None,
    )
    heading = Heading(gateway=premises.desk.identity.identifier, language=language, written_at=now)
    try:
        office.couriers[address].deliver(write(premises.rules, [notice], {0: alert}, heading))
    except GatewayError as exc:
        return f"{exc.code}: {exc.detail}"
    return None
