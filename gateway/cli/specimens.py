"""The group ``eco specimen``: the directory of authorities with its stamps and signatures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.main import Invocation, OrderedGroup, common
from gateway.cli.opening import FILE, actor, content, the_gateway
from gateway.cli.output import minute, table
from gateway.errors import InputError
from gateway.store import DirectoryEntry, DirectoryKind, Duty, directory

if TYPE_CHECKING:
    from gateway.services.specimens import EntryOrder

_KINDS = click.Choice([each.value.lower() for each in DirectoryKind])
_DUTIES = click.Choice([each.value.lower() for each in Duty])
_DAY = click.DateTime(["%Y-%m-%d"])
_NEW_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)
_MOST_BYTES = 100_000_000


@click.group(cls=OrderedGroup)
def specimen() -> None:
    """Keep the directory of authorities: offices, and specimens of stamps and signatures."""


@specimen.command("add")
@click.argument("kind", type=_KINDS)
@click.option("--authority", required=True, help="Code of the authority, as certificates name it.")
@click.option("--name", required=True, help="Of the office, of the officer, or what the stamp is.")
@click.option("--duty", type=_DUTIES, default="issuing", show_default=True, help="What it does.")
@click.option("--country", default=None, help="Another state, that circulated it on paper.")
@click.option("--office", default=None, help="Code of the office; without it, the whole authority.")
@click.option("--officer", default=None, help="Number of the officer, as certificates name it.")
@click.option("--picture", type=FILE, default=None, help="PNG or JPEG of stamp or signature.")
@click.option("--address", default=None, help="Of an office.")
@click.option("--telephone", default=None, help="Of an office.")
@click.option("--email", default=None, help="Of an office.")
@click.option("--public", "is_public", is_flag=True, help="May be shown to anybody: /contacts.")
@click.option("--from", "valid_from", type=_DAY, required=True, help="First day.")
@click.option("--until", "valid_until", type=_DAY, default=None, help="Last day, if it is known.")
@common
def add(call: Invocation, kind: str, duty: str, country: str | None, **written: Any) -> None:
    """Enter an office, a stamp or a signature (KIND).

    A picture is taken apart and kept without what does not belong to it, such as camera and
    place; certificates are compared with what remains.
    """
    from gateway.services import specimens

    with the_gateway(call) as gateway:
        made = specimens.enter(
            gateway.desk,
            DirectoryKind(kind.upper()),
            Duty(duty.upper()),
            country or gateway.desk.identity.country,
            _order(written),
            actor=actor(),
        )
    call.output.result(_view(made), list(_lines(made)))


@specimen.command("correct")
@click.argument("key")
@click.option("--reason", required=True, help="Why; stands beside the new version.")
@click.option("--name", default=None, help="Of the office, of the officer, or what the stamp is.")
@click.option("--office", default=None, help="Code of the office.")
@click.option("--officer", default=None, help="Number of the officer.")
@click.option("--picture", type=FILE, default=None, help="PNG or JPEG of stamp or signature.")
@click.option("--address", default=None, help="Of an office.")
@click.option("--telephone", default=None, help="Of an office.")
@click.option("--email", default=None, help="Of an office.")
@click.option("--public/--not-public", "is_public", default=None, help="Shown to anybody or not.")
@click.option("--from", "valid_from", type=_DAY, default=None, help="First day.")
@common
def correct(call: Invocation, key: str, reason: str, **written: Any) -> None:
    """Enter another version of the entry KEY; what is not named stays as it was."""
    from dataclasses import replace

    from gateway.services import specimens

    with the_gateway(call) as gateway:
        found = specimens.one(gateway.desk, key)
        changed = {name: value for name, value in _named(written).items() if value is not None}
        order = replace(specimens.as_order(found), **changed, reason=reason)
        made = specimens.correct(gateway.desk, found, order, actor=actor())
    call.output.result(_view(made), list(_lines(made)))


@specimen.command("end")
@click.argument("key")
@click.option("--on", type=_DAY, required=True, help="Last day; before the first means never.")
@click.option("--reason", required=True, help="Why; stands beside the new version.")
@common
def end(call: Invocation, key: str, on: datetime, reason: str) -> None:
    """Enter that the entry KEY holds until a day; what was signed before stays good."""
    from gateway.services import specimens

    with the_gateway(call) as gateway:
        found = specimens.one(gateway.desk, key)
        made = specimens.end(gateway.desk, found, on.date(), reason, actor=actor())
    call.output.result(_view(made), list(_lines(made)))


@specimen.command("list")
@click.option("--country", default=None, help="Of this state only.")
@click.option("--kind", type=_KINDS, default=None, help="Of this kind only.")
@common
def list_entries(call: Invocation, country: str | None, kind: str | None) -> None:
    """List the newest version of every entry."""
    kinds = tuple(DirectoryKind) if kind is None else (DirectoryKind(kind.upper()),)
    with the_gateway(call) as gateway, gateway.store.read() as conn:
        found = directory.newest(conn, country=country, kinds=kinds)
    rows = [
        (
            each.key,
            each.country,
            each.authority_code + (f" {each.office_code}" if each.office_code else ""),
            each.kind,
            each.name,
            f"{each.valid_from} to {each.valid_until or '…'}",
            each.version,
        )
        for each in found
    ]
    heads = ("key", "state", "authority", "kind", "name", "valid", "version")
    none = ["the directory is empty; `eco specimen add` enters something"]
    call.output.result([_view(each) for each in found], table(heads, rows) if rows else none)


@specimen.command("show")
@click.argument("key")
@click.option("--origin", default=None, help="Gateway that keeps it, where two use the key.")
@click.option("-o", "--output", type=_NEW_FILE, default=None, help="Write the picture here.")
@common
def show(call: Invocation, key: str, origin: str | None, output: Path | None) -> None:
    """Show the entry KEY with all of its versions."""
    from gateway.services import specimens

    with the_gateway(call) as gateway:
        found = specimens.one(gateway.desk, key, origin)
        with gateway.store.read() as conn:
            versions = directory.versions(conn, found.origin, found.key)
            picture = None if output is None else directory.picture(conn, found)
    if output is not None and picture is not None:
        _write(output, picture)
    lines = [line for each in versions for line in _lines(each)]
    call.output.result([_view(each) for each in versions], lines)


@specimen.command("export")
@click.argument("file", type=_NEW_FILE)
@common
def export(call: Invocation, file: Path) -> None:
    """Write all that is entered about our own state into FILE, signed, for the other gateways."""
    from gateway.exchange.circulating import export_directory

    with the_gateway(call) as gateway:
        signed = export_directory(gateway.desk, actor=actor())
    _write(file, signed)
    call.output.result(
        {"file": str(file), "bytes": len(signed)}, [f"{file}: {len(signed)} bytes, signed"]
    )


@specimen.command("import")
@click.argument("file", type=FILE)
@common
def import_file(call: Invocation, file: Path) -> None:
    """Take the directory of another state from FILE, if the gateway of a peer signed it.

    All of it is taken, or nothing. The same file again changes nothing, and no file takes back
    what an earlier one said.
    """
    from gateway.exchange.circulating import import_directory

    raw = content(file)
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{file} is larger than any directory")
    with the_gateway(call) as gateway:
        taken = import_directory(gateway.desk, raw, actor=actor())
    value = {
        "sender": taken.file.sender,
        "created_at": taken.file.created_at.isoformat(),
        "entries": len(taken.file.entries),
        "new": taken.new,
    }
    said = (
        f"{taken.file.sender}, {minute(taken.file.created_at)}: {len(taken.file.entries)} entries"
    )
    call.output.result(value, [f"{said}, {taken.new} of them new"])


def _order(written: dict[str, Any]) -> EntryOrder:
    from gateway.services.specimens import EntryOrder

    return EntryOrder(authority_code=written.pop("authority"), **_named(written))


def _named(written: dict[str, Any]) -> dict[str, Any]:
    """Return options under the names of an order, their files read and their days as days."""
    names = {"office": "office_code", "officer": "officer_number"}
    values = {names.get(name, name): value for name, value in written.items()}
    if values.get("picture") is not None:
        values["picture"] = content(values["picture"])
    days = {name: value.date() for name, value in values.items() if isinstance(value, datetime)}
    return values | days


def _write(file: Path, made: bytes) -> None:
    try:
        with file.open("xb") as stream:
            stream.write(made)
    except OSError as exc:
        raise InputError(f"{file} cannot be written: {exc.strerror}") from exc


def _view(entry: DirectoryEntry) -> dict[str, Any]:
    said = {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in vars(entry).items()
    }
    said.pop("id")
    return said


def _lines(entry: DirectoryEntry) -> Iterator[str]:
    office = f", {entry.office_code}" if entry.office_code else ""
    yield f"{entry.key} version {entry.version}: {entry.kind.value.lower()} of {entry.country}"
    yield f"  authority   {entry.authority_code}{office} ({entry.duty.value.lower()})"
    number = f" ({entry.officer_number})" if entry.officer_number else ""
    yield f"  name        {entry.name}{number}"
    yield f"  valid       {entry.valid_from} to {entry.valid_until or 'further notice'}"
    if entry.picture_sha256 is not None:
        size = f"{entry.width} × {entry.height}"
        yield f"  picture     {entry.media_type}, {size}, SHA-256 {entry.picture_sha256}"
    contact = [each for each in (entry.address, entry.telephone, entry.email) if each]
    if contact:
        yield f"  contact     {', '.join(contact)}"
    yield f"  entered     {minute(entry.entered_at)} by {entry.entered_by}, at {entry.origin}"
    if entry.reason is not None:
        yield f"  because     {entry.reason}"
