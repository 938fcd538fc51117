"""The commands for peers without a line: bundle files, and fetching by hand."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from gateway.cli.main import Invocation, OrderedGroup, common
from gateway.cli.opening import actor, the_gateway
from gateway.cli.output import ExitStatus, minute, stop
from gateway.cli.peer_text import known_peer
from gateway.errors import ConflictError, InputError

if TYPE_CHECKING:
    from gateway.exchange.bundle_import import ImportedMember, Inspected
    from gateway.exchange.bundle_manifest import Manifest

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=OrderedGroup)
def bundle() -> None:
    """Carry messages by file while a line is down (docs/operations/line-down.md)."""


@bundle.command("export")
@click.argument("identifier", metavar="PEER")
@click.argument("file", type=_FILE)
@click.option("--all", "again", is_flag=True, help="Also what went out in an earlier bundle.")
@click.option("--message", "messages", multiple=True, help="This message only; may be given again.")
@click.option(
    "--megabytes",
    type=click.IntRange(1, 200),
    default=100,
    show_default=True,
    help="Leave for the next bundle what does not fit, as for an e-mail.",
)
@common
def export(
    call: Invocation,
    identifier: str,
    file: Path,
    again: bool,
    messages: tuple[str, ...],
    megabytes: int,
) -> None:
    """Write what waits for PEER into the signed bundle FILE.

    Envelopes not yet delivered go in byte for byte, and the receipts for what came in PEER's
    bundles. No message changes its state: the line may deliver it too, and only PEER's receipt
    ends it.
    """
    from gateway.exchange.bundle import Selection, export_bundle, note_exported

    selection = Selection(again=again, message_ids=messages, max_bytes=megabytes * 1_000_000)
    with the_gateway(call) as gateway:
        with gateway.store.read() as conn:
            peer = known_peer(conn, identifier)
        with _written(file) as stream:
            exported = export_bundle(gateway.desk, peer, stream, selection)
        note_exported(gateway.desk, peer, exported, actor=actor())
    left = [f"  left out        {exported.left}; export again for them"] if exported.left else []
    call.output.result(
        {"file": file, **_summary(exported.manifest), "left": exported.left},
        [f"{file} is written", *_lines(exported.manifest), *left],
    )


@bundle.command("import")
@click.argument("file", type=_FILE)
@common
def import_file(call: Invocation, file: Path) -> None:
    """Take the bundle FILE of a peer.

    A bundle that is damaged, unsigned, or for somebody else is refused as a whole. The same
    bundle again does no harm. The exit status is 1 when any member could not be taken. Carry
    our receipts back with `eco bundle export`.
    """
    from gateway.exchange.bundle_import import import_bundle
    from gateway.operations.logs import log_as_json

    log_as_json()
    with the_gateway(call) as gateway, _opened(file) as stream:
        imported = import_bundle(gateway.desk, stream, actor=actor())
    failed = any(member.code for member in imported.members)
    call.output.result(
        {
            "file": file,
            **_summary(imported.manifest),
            "members": [asdict(member) for member in imported.members],
        },
        [*_lines(imported.manifest), *(_member_line(each) for each in imported.members)],
    )
    stop(ExitStatus.REFUSED if failed else ExitStatus.OK)


@bundle.command("show")
@click.argument("file", type=_FILE)
@common
def show(call: Invocation, file: Path) -> None:
    """Say what is in the bundle FILE and whether it could be imported here; take nothing."""
    from gateway.exchange.bundle_import import inspect_bundle

    with the_gateway(call) as gateway, _opened(file) as stream:
        seen = inspect_bundle(gateway.desk, stream)
    call.output.result(
        {
            "file": file,
            **_summary(seen.manifest),
            "signer": None if seen.signer is None else seen.signer.subject,
            "code": seen.code,
            "members": [asdict(member) for member in seen.manifest.members],
        },
        [*_lines(seen.manifest), *_seen_lines(seen)],
    )


@click.command()
@click.argument("identifier", metavar="PEER")
@common
def collect(call: Invocation, identifier: str) -> None:
    """Fetch what waits for us at PEER, take it, and confirm it with our receipts.

    Workers do this by themselves for peers registered with --collect.
    """
    from gateway.app import collector_of
    from gateway.exchange.fetching import collect_from
    from gateway.operations.logs import log_as_json
    from gateway.transport import PeerTransport

    log_as_json()
    with the_gateway(call) as gateway:
        with gateway.store.read() as conn:
            peer = known_peer(conn, identifier)
        transport = PeerTransport()
        try:
            name = f"{socket.gethostname()}:{os.getpid()}"
            fetched = collect_from(collector_of(gateway, transport, name=name), peer)
        finally:
            transport.close()
    failed = [each for each in fetched if each.code]
    lines = [f"{len(fetched) - len(failed)} fetched from {identifier} and confirmed"]
    lines += [f"✗ {each.message_id} [{each.code}]" for each in failed]
    call.output.result([asdict(each) for each in fetched], lines)
    stop(ExitStatus.REFUSED if failed else ExitStatus.OK)


@contextmanager
def _written(file: Path) -> Iterator[BinaryIO]:
    """Give the new file ``file``, which is there afterwards only if the block succeeds.

    It is written in place, because sticks know neither links nor safe renaming.  Whoever is
    killed here leaves a file that every import refuses, and nothing is noted as exported.

    Raises:
        ConflictError: there is one already.
        InputError: it cannot be written.
    """
    try:
        number = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    except FileExistsError as exc:
        raise ConflictError(f"{file} is there already; a bundle never replaces a file") from exc
    except OSError as exc:
        raise InputError(f"{file} cannot be written: {exc.strerror}") from exc
    try:
        with os.fdopen(number, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as exc:
        file.unlink(missing_ok=True)
        raise InputError(f"{file} cannot be written: {exc.strerror}") from exc
    except BaseException:
        file.unlink(missing_ok=True)
        raise


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        stream = file.open("rb")
    except OSError as exc:
        raise InputError(f"{file} cannot be read: {exc.strerror}") from exc
    with stream:
        yield stream


def _summary(manifest: Manifest) -> dict[str, Any]:
    counts = _counts(manifest)
    return {
        "bundle_id": manifest.bundle_id,
        "sender": manifest.sender,
        "receiver": manifest.receiver,
        "created_at": manifest.created_at,
        "test": manifest.test,
        "envelopes": counts[0],
        "receipts": counts[1],
    }


def _counts(manifest: Manifest) -> tuple[int, int]:
    envelopes = sum(member.kind == "ENVELOPE" for member in manifest.members)
    return envelopes, len(manifest.members) - envelopes


def _lines(manifest: Manifest) -> Sequence[str]:
    envelopes, receipts = _counts(manifest)
    test = ", TEST" if manifest.test else ""
    return [
        f"  bundle          {manifest.bundle_id}{test}",
        f"  from, to        {manifest.sender}, {manifest.receiver}",
        f"  made            {minute(manifest.created_at)} UTC",
        f"  holds           {envelopes} envelopes, {receipts} receipts",
    ]


def _member_line(member: ImportedMember) -> str:
    what = f"{member.kind.value.lower():<9}{member.message_id}"
    if member.code is not None:
        return f"✗ {what} [{member.code}] {member.detail or ''}".rstrip()
    mark = "=" if member.repeated else "✓"
    verdict = "" if member.verdict is None else member.verdict.value.lower().replace("_", " ")
    return f"{mark} {what} {verdict}".rstrip()


def _seen_lines(seen: Inspected) -> Iterator[str]:
    signer = "not verified" if seen.signer is None else seen.signer.subject
    yield f"  signed by       {signer}"
    yield f"  importing here  {'possible' if seen.code is None else f'refused [{seen.code}]'}"
    for member in seen.manifest.members:
        yield f"  {member.kind.value.lower():<9}{member.message_id} {member.size} bytes"
