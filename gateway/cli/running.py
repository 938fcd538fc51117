"""The long-running commands: the peer listener and the delivery worker."""

from __future__ import annotations

import logging
import os
import socket

import click
import structlog

from gateway.app import open_gateway, peer_app, server_settings, worker_of, write_client_ca
from gateway.cli.main import Invocation, common
from gateway.jobs import delivery_job, expiry_job, run_until_stopped
from gateway.transport import PeerTransport
from gateway.web.serving import serve as serve_app


@click.command()
@common
def serve(call: Invocation) -> None:
    """Serve peers over SOAP and REST with mutual TLS until SIGTERM or SIGINT.

    The database is brought up to date first.  Newly registered peers and renewed TLS
    certificates are taken up without a restart.
    """
    log_to_stdout()
    gateway = open_gateway(call.home)
    gateway.store.migrate()
    write_client_ca(gateway.settings, gateway.store)
    settings = server_settings(gateway.settings)
    gateway.close()

    def ready(host: str, port: int) -> None:
        call.output.note(f"{gateway.settings.gateway.identifier} serves peers at {host}:{port}")

    serve_app(lambda: peer_app(call.home), settings, ready)


@click.command()
@click.option("--once", is_flag=True, help="Deliver what is due now, then end.")
@click.option("--name", default=None, help="Name of this worker in claims; host and process else.")
@common
def work(call: Invocation, once: bool, name: str | None) -> None:
    """Deliver queued messages until SIGTERM or SIGINT; a running attempt is finished first."""
    log_to_stdout()
    gateway = open_gateway(call.home)
    gateway.store.migrate()
    transport = PeerTransport()
    worker = worker_of(gateway, transport, name=name or f"{socket.gethostname()}:{os.getpid()}")
    job = delivery_job(worker, poll_seconds=gateway.settings.delivery.poll_seconds)
    try:
        if once:
            job.run()
        else:
            run_until_stopped([job, expiry_job(gateway.desk, worker.name)])
    finally:
        transport.close()
        gateway.close()


def log_to_stdout() -> None:
    """Write structured log lines to standard output: ids and codes, never payloads."""
    logging.basicConfig(level=logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
