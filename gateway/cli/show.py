"""The command ``eco demo``: two member states on one machine, and what became of it all."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

import click

from gateway.cli.main import Invocation, common
from gateway.cli.opening import present
from gateway.cli.output import ExitStatus, stop
from gateway.demo.consoles import authority_of_tls, consoles
from gateway.demo.manifest import load_manifest
from gateway.demo.performance import Performance, perform_all
from gateway.demo.telling import closing_lines, console_lines, opening_lines, scene_lines
from gateway.errors import ConflictError


@click.command()
@click.option(
    "--once", is_flag=True, help="End when all is done; open no console, leave nothing up."
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave homes, logs and everything exchanged in this new directory.",
)
@click.option(
    "--samples",
    type=click.Path(file_okay=False, path_type=Path),
    help="Only write the consignments, dated today, into this new directory.",
)
@common
def demo(call: Invocation, once: bool, keep: Path | None, samples: Path | None) -> None:
    """Let Zambia and Kenya exchange real consignments over mutual TLS, and watch.

    Nothing is asked.  Then both gateways and their consoles stay up until Ctrl-C; addresses and
    passwords of an account for each role are printed once.  The exit status is 0 only if every
    expected outcome occurred: deliveries, utilisations, refusals, and every attack repelled.
    """
    for named in (keep, samples):
        if named is not None and named.is_dir() and any(named.iterdir()):
            raise ConflictError(f"{named} is not empty; name a new directory")
    if samples is not None:
        _write_samples(call, samples)
        return
    directory = keep or Path(tempfile.mkdtemp(prefix="eco-demo-"))
    directory.mkdir(parents=True, exist_ok=True)
    # The gateways are processes of their own; they must not outlive a demonstration that is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(ExitStatus.TERMINATED)))
    try:
        kept = keep is not None or not once
        call.output.say(*opening_lines(directory)[: None if kept else -1])
        stop(_played(call, directory, once=once))
    finally:
        if keep is None and once:
            shutil.rmtree(directory, ignore_errors=True)


def _write_samples(call: Invocation, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    consignments = load_manifest().consignments
    files = sorted({(entry.file, entry.format) for entry in consignments})
    for entry in consignments:
        (directory / entry.file).write_bytes(entry.content(present()))
    call.output.result(
        [{"file": directory / name, "format": form} for name, form in files],
        [f"{directory / name}    --format {form}" for name, form in files],
    )


def _played(call: Invocation, directory: Path, *, once: bool) -> ExitStatus:
    output = call.output
    performance = perform_all(
        directory,
        told=lambda scene: output.say(*scene_lines(scene, output.language)),
        noted=output.say,
        afterwards=None if once else lambda performance: _leave_up(call, performance),
    )
    if once:
        output.value(performance.summary())
    return ExitStatus.FAILED if performance.surprises else ExitStatus.OK


def _leave_up(call: Invocation, performance: Performance) -> None:
    output, stage = call.output, performance.stage
    with consoles(stage, output.language) as opened:
        authority = authority_of_tls(stage)
        told = {"consoles": [asdict(each) for each in opened], "tls_authority": str(authority)}
        output.value(performance.summary() | told)
        output.say(*console_lines(opened, authority), *closing_lines(performance))
        sys.stdout.flush()
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        stopped.wait()
        _ignore_further_signals()


def _ignore_further_signals() -> None:
    """Let a second Ctrl-C not cut short what ends the gateways."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
