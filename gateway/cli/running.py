"""The long-running commands: the peer listener and the delivery worker.

Their log goes to standard error, one JSON object a line: ids and codes, never payloads.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

import click
import structlog

from gateway.app import (
    Gateway,
    collector_of,
    open_gateway,
    peer_app,
    server_settings,
    worker_of,
    write_client_ca,
)
from gateway.cli.arenas import keep_few_arenas
from gateway.cli.main import Invocation, common
from gateway.cli.opening import bring_up_to_date, the_gateway
from gateway.config import Settings, load_settings
from gateway.errors import ConfigError
from gateway.exchange.lanes import Lanes
from gateway.jobs import books_job, clock_job, collection_job, expiry_job, run_until_stopped
from gateway.national_side import (
    api_app,
    api_server,
    batch_sweeping_job,
    batch_worker,
    batches_job,
    file_jobs,
    teller_of,
    telling_job,
)
from gateway.operations.logs import log_as_json
from gateway.services.batches import BatchWorker
from gateway.transport import PeerTransport
from gateway.watching import watching_jobs

if TYPE_CHECKING:  # a worker serves nobody, and what serves takes a tenth of its memory
    from gateway.web.serving import ServerSettings

log = structlog.get_logger(__name__)

LONGEST_GRACE = 10.0
"""Seconds for attempts under way when the worker is stopped."""


class Entrance(StrEnum):
    """Names what `eco serve` may serve, each in a process of its own."""

    PEERS = "peers"
    API = "api"
    CONSOLE = "console"


@click.command()
@click.argument(
    "entrance", type=click.Choice([each.value for each in Entrance]), default=Entrance.PEERS.value
)
@common
def serve(call: Invocation, entrance: str) -> None:
    """Serve peers, the national side (`api`) or people (`console`) until SIGTERM or SIGINT.

    Peers speak SOAP and REST with mutual TLS; newly registered ones and renewed TLS
    certificates are taken up without a restart.  The national side speaks REST and SOAP with API
    keys (section [api]), people a browser (section [console]; `eco user add` enters the first).
    The database is brought up to date first.
    """
    keep_few_arenas()
    log_as_json()
    own = load_settings(call.home)
    bring_up_to_date(own)
    gateway = open_gateway(call.home)
    if entrance == Entrance.PEERS:
        write_client_ca(own, gateway.store)
    gateway.close()
    if entrance == Entrance.PEERS:
        _serve_peers(call, own)
    elif entrance == Entrance.API:
        _serve_api(call, own)
    else:
        _serve_console(call, own)


def _serve_peers(call: Invocation, own: Settings) -> None:
    from gateway.web.serving import serve as serve_app

    server = server_settings(own)
    _require_free("listen", server)

    def ready(host: str, port: int) -> None:
        name = own.gateway.identifier
        _announce(
            call,
            {"identifier": name, "host": host, "port": port, "url": own.listen.public_url},
            f"{name} serves peers at {host}:{port}, known to them as {own.listen.public_url}",
        )

    serve_app(lambda: peer_app(call.home), server, ready)


def _serve_api(call: Invocation, own: Settings) -> None:
    from gateway.web.serving import serve as serve_app

    server = api_server(own)
    _require_free("api", server)

    def ready(host: str, port: int) -> None:
        name = own.gateway.identifier
        scheme = "http" if server.tls is None else "https"
        url = f"{scheme}://{host}:{port}/api/v1"
        _announce(
            call,
            {"identifier": name, "host": host, "port": port, "url": url},
            f"{name} serves the national side at {url}",
        )

    serve_app(lambda: api_app(call.home), server, ready)


def _serve_console(call: Invocation, own: Settings) -> None:
    from gateway.console_side import console_app, console_server
    from gateway.web.serving import serve as serve_app

    server = console_server(own)
    _require_free("console", server)

    def ready(host: str, port: int) -> None:
        name = own.gateway.identifier
        scheme = "http" if server.tls is None else "https"
        url = f"{scheme}://{host}:{port}/"
        _announce(
            call,
            {"identifier": name, "host": host, "port": port, "url": url},
            f"the console of {name} is at {url}",
        )

    serve_app(lambda: console_app(call.home), server, ready)


@click.command()
@click.option("--once", is_flag=True, help="Deliver what is due now, then end.")
@click.option("--name", default=None, help="Name of this worker in claims; host and process else.")
@common
def work(call: Invocation, once: bool, name: str | None) -> None:
    """Deliver queued messages and work on batches until SIGTERM or SIGINT.

    A running attempt is finished first.  Webhooks are told and watched folders looked after,
    too (sections [webhooks] and [files]).

    With --once the exit status is 0 whatever became of the attempts; `eco messages` tells.
    """
    keep_few_arenas()
    log_as_json()
    bring_up_to_date(load_settings(call.home))
    with the_gateway(call) as gateway:
        own = gateway.settings
        transport = PeerTransport()
        worker = worker_of(gateway, transport, name=name or f"{socket.gethostname()}:{os.getpid()}")
        lanes = Lanes(worker, own.delivery.lanes, own.delivery.poll_seconds, own.delivery.window)
        batches = batch_worker(gateway, worker.name, lambda: lanes.is_stopped)
        try:
            if once:
                batches.run()
                _deliver_once(call, lanes)
            else:
                _work_until_stopped(call, gateway, lanes, batches, transport)
        finally:
            transport.close()


def _work_until_stopped(
    call: Invocation,
    gateway: Gateway,
    lanes: Lanes,
    batches: BatchWorker,
    transport: PeerTransport,
) -> None:
    own, worker = gateway.settings, lanes.worker
    _announce(
        call,
        {"identifier": own.gateway.identifier, "worker": worker.name},
        f"{own.gateway.identifier} delivers its messages as {worker.name}",
    )
    teller = teller_of(gateway)
    jobs = [
        clock_job(gateway.desk, own.delivery.lease_seconds),
        expiry_job(gateway.desk, worker.name),
        books_job(gateway.desk, worker.name),
        collection_job(collector_of(gateway, transport, name=worker.name)),
        telling_job(teller),
        batches_job(batches),
        batch_sweeping_job(batches),
    ]
    try:
        run_until_stopped(
            [*jobs, *file_jobs(gateway, worker.name), *watching_jobs(gateway, worker.name)],
            lanes,
            grace_seconds=min(LONGEST_GRACE, own.delivery.read_timeout_seconds),
        )
    finally:
        teller.stop()


def _announce(call: Invocation, value: Mapping[str, object], line: str) -> None:
    """Say that the work begins; where nobody can be told, it begins all the same."""
    try:
        call.output.result(value, [line])
        sys.stdout.flush()
    except OSError as exc:
        log.warning("the start could not be announced", error=type(exc).__name__)


def _deliver_once(call: Invocation, lanes: Lanes) -> None:
    tried = lanes.drain()
    word = "attempt was" if tried == 1 else "attempts were"
    call.output.result(
        {"worker": lanes.worker.name, "attempts": tried},
        [f"{tried} {word} made; see `eco messages`"],
    )


def _require_free(section: str, server: ServerSettings) -> None:
    """Return if the listener's address can be bound, before workers are started for it.

    Raises:
        ConfigError: it cannot, with the reason.
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.host, server.port))
        except OSError as exc:
            raise ConfigError(
                f"[{section}] {server.host}:{server.port} cannot be bound: {exc.strerror}"
            ) from exc
