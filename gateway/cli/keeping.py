"""The commands that take a backup, prove one, and make a gateway home from one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from gateway.cli.home_files import home_files
from gateway.cli.main import Invocation, common
from gateway.cli.opening import actor, present, the_gateway
from gateway.cli.output import minute
from gateway.config import load_settings, secret_from
from gateway.errors import ConfigError
from gateway.keeping.backup import BackupOrder, make_backup
from gateway.keeping.manifest import Manifest
from gateway.keeping.restore import RestoreOrder, RestoreReport, verify_backup
from gateway.keeping.restore import restore as restore_home

PASSPHRASE_ENV = "ECO_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable

passphrase_option = click.option(
    "--passphrase-env",
    default=PASSPHRASE_ENV,
    show_default=True,
    help="Environment variable with the passphrase over the private keys.",
)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-keys", is_flag=True, help="Leave the private keys out.")
@passphrase_option
@common
def backup(call: Invocation, file: Path, without_keys: bool, passphrase_env: str) -> None:
    """Write a signed backup of books, settings and keys to FILE, while all goes on working.

    The private keys are encrypted under the passphrase. Note the signer's fingerprint that is
    printed: `eco restore` asks whose backup it must be.
    """
    secret = None if without_keys else _passphrase(passphrase_env)
    with the_gateway(call) as gateway:
        order = BackupOrder(
            store=gateway.store,
            files=home_files(gateway.settings),
            credential=gateway.desk.gateway_credential,
            identifier=gateway.desk.identity.identifier,
            country=gateway.desk.identity.country,
            passphrase=secret,
        )
        manifest = make_backup(file, order, at=present(), actor=actor())
    size = file.stat().st_size
    call.output.result(
        {"file": file, "size": size, **_summary(manifest)},
        [
            f"{file} holds {manifest.identifier} as of {minute(manifest.made_at)}, {size} bytes",
            *_manifest_lines(manifest),
            f"  signer    {manifest.signer_sha256}",
        ],
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--verify", is_flag=True, help="Prove the backup; alone, leave nothing behind.")
@click.option(
    "--signer",
    default=None,
    help="SHA-256 of the gateway's signing certificate: whose backup it must be.",
)
@click.option(
    "--store-url",
    default=None,
    envvar="ECO_STORE_URL",
    show_envvar=True,
    help="Empty database to restore into; the SQLite file of the home unless given.",
)
@click.option("--without-keys", is_flag=True, help="Leave the private keys out.")
@passphrase_option
@common
def restore(
    call: Invocation,
    file: Path,
    directory: Path | None,
    verify: bool,
    signer: str | None,
    store_url: str | None,
    without_keys: bool,
    passphrase_env: str,
) -> None:
    """Make the new gateway home DIRECTORY from the backup FILE; it is proved on the way.

    Signature, every digest, the journal's chain, row counts and documents must hold, or
    nothing is left behind. With --verify and without DIRECTORY the same is done in a temporary
    folder. With --verify and DIRECTORY the new home is opened afterwards as `eco serve` would.
    """
    if directory is None and not verify:
        raise click.UsageError("name the DIRECTORY to restore into, or --verify")
    if directory is not None and signer is None:
        raise click.UsageError("name the backup's --signer, as `eco backup` printed it")
    order = RestoreOrder(path=file, signer=signer, store_url=store_url, passphrase=None)
    if not without_keys:
        order = replace(order, passphrase=_passphrase(passphrase_env, needed=directory is not None))
    if directory is None:
        report = verify_backup(order)
    else:
        report = restore_home(order, directory, at=present(), actor=actor())
    if directory is not None and verify:
        _open_once(replace(call, home=directory), without_keys=without_keys)
    call.output.result(_report_value(report), _report_lines(report))


def _passphrase(variable: str, *, needed: bool = True) -> bytes | None:
    try:
        return secret_from(variable)
    except ConfigError as exc:
        if not needed:
            return None
        raise ConfigError(f"{exc.detail}; set it, or leave the keys out: --without-keys") from exc


def _open_once(call: Invocation, *, without_keys: bool) -> None:
    """Open the new home as the listener would; without keys only its settings can be."""
    if without_keys:
        load_settings(call.home)
        return
    with the_gateway(call):
        pass


def _summary(manifest: Manifest) -> dict[str, Any]:
    return {
        "backup_id": manifest.backup_id,
        "identifier": manifest.identifier,
        "made_at": manifest.made_at,
        "software_version": manifest.software_version,
        "schema_revision": manifest.schema_revision,
        "engine": manifest.engine,
        "rows": sum(table.rows for table in manifest.tables),
        "journal_sequence": manifest.journal.sequence,
        "journal_hash": manifest.journal.hash,
        "files": [part.path for part in manifest.files],
        "with_keys": manifest.keys is not None,
        "signer_sha256": manifest.signer_sha256,
    }


def _manifest_lines(manifest: Manifest) -> Iterator[str]:
    rows = sum(table.rows for table in manifest.tables)
    keys = "without private keys" if manifest.keys is None else "with private keys, encrypted"
    yield f"  books     {rows} rows from {manifest.engine}, tables of {manifest.schema_revision}"
    yield f"  journal   {manifest.journal.sequence} entries, {manifest.journal.hash[:16]}…"
    yield f"  files     {len(manifest.files)} public, {keys}"


def _report_value(report: RestoreReport) -> dict[str, Any]:
    return {
        "directory": report.directory,
        "signer_confirmed": report.signer_confirmed,
        "proved": report.proved,
        "notes": report.notes,
        "backup": _summary(report.manifest),
    }


def _report_lines(report: RestoreReport) -> Iterator[str]:
    manifest = report.manifest
    place = "nothing is left behind" if report.directory is None else f"now {report.directory}"
    yield f"{manifest.identifier} as of {minute(manifest.made_at)}: proved, {place}"
    for proved in report.proved:
        yield f"  ✓ {proved.proof.value.lower():<10} {proved.detail}"
    if not report.signer_confirmed:
        yield "  ! compare the signer with the fingerprint that `eco backup` printed"
    for note in report.notes:
        yield f"  ! {note}"
    if report.directory is not None:
        yield "next: stop the old host for good, then read docs/operations/backup.md"
