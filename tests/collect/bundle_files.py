"""Bundle files of tests: made by one side, carried, bent by hand, taken by the other."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace

from gateway.exchange.bundle import Exported, Selection, export_bundle, note_exported
from gateway.exchange.bundle_archive import MANIFEST_NAME, write_archive
from gateway.exchange.bundle_import import Imported, import_bundle
from gateway.exchange.bundle_manifest import Manifest, read_manifest, render_manifest
from gateway.trust import Credential, sign
from gateway.xml.parsing import parse
from tests.exchange.corridor import Side

ACTOR = "user:test"


def export(side: Side, **selection: object) -> bytes:
    """Return the bundle file that ``side`` writes for its peer, noted as exported."""
    file, exported = written(side, **selection)
    note_exported(side.desk, side.peer(), exported, actor=ACTOR)
    return file


def written(side: Side, **selection: object) -> tuple[bytes, Exported]:
    """Return a bundle file that was written and not yet noted."""
    stream = io.BytesIO()
    exported = export_bundle(side.desk, side.peer(), stream, Selection(**selection))
    return stream.getvalue(), exported


def take(side: Side, file: bytes) -> Imported:
    return import_bundle(side.desk, io.BytesIO(file), actor=ACTOR)


def members(file: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(file: bytes) -> Manifest:
    return read_manifest(parse(members(file)[MANIFEST_NAME]))


def archived(content: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    write_archive(stream, content.items())
    return stream.getvalue()


def zipped(content: dict[str, bytes], **options: int) -> bytes:
    """Return an archive as any packer makes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as archive:
        for name, raw in content.items():
            archive.writestr(zipfile.ZipInfo(name) if not options else name, raw)
    return stream.getvalue()


def signed_anew(file: bytes, credential: Credential, **changes: object) -> bytes:
    """Return the bundle with a manifest that ``credential`` signed; keywords replace members."""
    content = members(file)
    manifest = replace(manifest_of(file), **changes)
    return archived(content | {MANIFEST_NAME: sign(render_manifest(manifest), credential)})


def with_member(file: bytes, name: str, bend: Callable[[bytes], bytes]) -> bytes:
    """Return the bundle with one member bent and the manifest left as it was signed."""
    content = members(file)
    return archived(content | {name: bend(content[name])})


def with_digests(file: bytes, credential: Credential, content: dict[str, bytes]) -> bytes:
    """Return a bundle of ``content`` whose manifest was signed over it by ``credential``."""
    manifest = manifest_of(file)
    known = {member.name: member for member in manifest.members}
    changed = tuple(
        replace(known[name], size=len(raw), sha256=hashlib.sha256(raw).hexdigest())
        for name, raw in content.items()
    )
    signed = sign(render_manifest(replace(manifest, members=changed)), credential)
    return archived({MANIFEST_NAME: signed} | content)


def with_end_record(file: bytes, **changes: int) -> bytes:
    """Return the archive with numbers of its end record replaced."""
    names = ("mark", "disk", "first_disk", "here", "count", "length", "offset", "comment")
    values = dict(zip(names, struct.unpack("<4s4H2LH", file[-22:]), strict=True)) | changes
    return file[:-22] + struct.pack("<4s4H2LH", *values.values())
