"""The command ``eco demo``: two member states on one machine, and what became of it all."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
import threading
from pathlib import Path

import click

from gateway.cli.main import Invocation, common
from gateway.cli.output import ExitStatus, stop
from gateway.demo.performance import Performance, perform_all
from gateway.demo.telling import closing_lines, opening_lines, scene_lines


@click.command()
@click.option("--once", is_flag=True, help="End when all is done; do not leave the gateways up.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave homes, logs and everything exchanged in this directory.",
)
@common
def demo(call: Invocation, once: bool, keep: Path | None) -> None:
    """Let Zambia and Kenya exchange real consignments over mutual TLS, and watch.

    Exits 0 only if every expected outcome occurred: deliveries, utilisations, refusals, and
    every attack repelled.
    """
    directory = keep or Path(tempfile.mkdtemp(prefix="eco-demo-"))
    if any(directory.glob("gateway-*")):
        raise click.UsageError(f"{directory} holds an earlier demonstration; choose another")
    directory.mkdir(parents=True, exist_ok=True)
    output = call.output
    for line in opening_lines(directory):
        output.note(line)
    try:
        performance = perform_all(
            directory,
            told=lambda scene: _tell(call, scene_lines(scene, output.language)),
            noted=output.note,
            afterwards=None if once else lambda stage: _leave_up(call, stage),
        )
    finally:
        if keep is None and once:
            shutil.rmtree(directory, ignore_errors=True)
    output.result(performance.summary(), [])
    stop(ExitStatus.OK if not performance.surprises else ExitStatus.FAILED)


def _tell(call: Invocation, lines: list[str]) -> None:
    for line in lines:
        call.output.note(line)


def _leave_up(call: Invocation, performance: Performance) -> None:
    for line in closing_lines(performance):
        call.output.note(line)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with contextlib.suppress(KeyboardInterrupt):
        stopped.wait()
