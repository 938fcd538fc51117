"""The file around a manifest: a ZIP archive of stored members, written and read strictly.

Reading trusts nothing that the archive says of itself.  Before the library opens it, the end
record is checked by hand; afterwards every member must be stored as it is, bear a name of the
fixed form, lie right behind the one before and end at the directory.  So there is nothing to
inflate, nothing to traverse, nothing doubled, overlapping or hidden between members.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from gateway.envelope import MAX_ENVELOPE_BYTES
from gateway.errors import BundleDamagedError
from gateway.exchange.bundle_manifest import MANIFEST_LIMITS, MOST_MEMBERS

MANIFEST_NAME: Final = "manifest.xml"
MOST_FILE_BYTES: Final = 256_000_000

_NAME: Final = re.compile(r"(envelopes|receipts)/[0-9]{4}\.xml")
_END: Final = struct.Struct("<4s4H2LH")
_END_MARK: Final = b"PK\x05\x06"
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES: Final = 20
_LOCAL_HEADER_BYTES: Final = 30
_LONGEST_ENTRY: Final = 46 + 64
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_BROKEN: Final = (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError)


def write_archive(file: BinaryIO, members: Iterable[tuple[str, bytes]]) -> None:
    """Write ``members`` in order into ``file``, stored; the same members give the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)


class BundleArchive:
    """Is an opened archive whose members can be read one by one."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries = {entry.filename: entry for entry in archive.infolist()}

    @property
    def sizes(self) -> dict[str, int]:
        """The size in bytes of every member beside the manifest, by name."""
        return {
            name: entry.file_size for name, entry in self._entries.items() if name != MANIFEST_NAME
        }

    def read(self, name: str) -> bytes:
        """Return a member.

        Raises:
            BundleDamagedError: there is none, or it is damaged.
        """
        entry = self._entries.get(name)
        if entry is None:
            raise BundleDamagedError(f"the archive has no member {name}")
        with _own_errors():
            return self._archive.read(entry)


@contextmanager
def open_archive(file: BinaryIO) -> Iterator[BundleArchive]:
    """Give the archive in ``file``, which must be seekable.

    Raises:
        BundleDamagedError: it is no archive of the one form that is read.
    """
    directory_at = _checked_end(file)
    with _own_errors():
        archive = zipfile.ZipFile(file, "r", allowZip64=False)
    with archive:
        _require_strict(archive.infolist(), directory_at)
        yield BundleArchive(archive)


def _checked_end(file: BinaryIO) -> int:
    """Return where the directory begins, by the one end record at the very end of the file."""
    size = file.seek(0, 2)
    if size > MOST_FILE_BYTES:
        raise BundleDamagedError(f"{size} bytes, where a bundle has {MOST_FILE_BYTES} at most")
    if size < _END.size:
        raise BundleDamagedError("the file is too short for a bundle")
    file.seek(max(0, size - _END.size - _ZIP64_LOCATOR_BYTES))
    tail = file.read()
    file.seek(0)
    mark, disk, first_disk, here, count, length, offset, comment = _END.unpack(tail[-_END.size :])
    if mark != _END_MARK or comment:
        raise BundleDamagedError("the file is cut off, or is no bundle")
    if tail.startswith(_ZIP64_LOCATOR):
        raise BundleDamagedError("the archive has a directory of the large form")
    if (disk, first_disk) != (0, 0) or here != count or count > MOST_MEMBERS + 1:
        raise BundleDamagedError(f"the archive says it has {count} members on several disks")
    if length > count * _LONGEST_ENTRY or offset + length != size - _END.size:
        raise BundleDamagedError("the directory of the archive is not where it must be")
    return int(offset)


def _require_strict(entries: list[zipfile.ZipInfo], directory_at: int) -> None:
    expected_at = 0
    names: set[str] = set()
    for entry in entries:
        _require_plain(entry)
        if entry.filename in names or entry.header_offset != expected_at:
            raise BundleDamagedError(f"{_shown(entry)} is there twice, or out of its place")
        names.add(entry.filename)
        expected_at += _LOCAL_HEADER_BYTES + len(entry.filename) + entry.file_size
    if expected_at != directory_at:
        raise BundleDamagedError("the archive holds more than its members")
    if not entries or entries[0].filename != MANIFEST_NAME:
        raise BundleDamagedError("the first member is not the manifest")


def _require_plain(entry: zipfile.ZipInfo) -> None:
    """Return if a member is stored, unencrypted, of a known name and a bounded size."""
    is_manifest = entry.filename == MANIFEST_NAME
    if not is_manifest and not _NAME.fullmatch(entry.filename):
        raise BundleDamagedError(f"{_shown(entry)} is no name of a member")
    stored = entry.compress_type == zipfile.ZIP_STORED and entry.compress_size == entry.file_size
    if not stored or entry.flag_bits or entry.extra or entry.comment:
        raise BundleDamagedError(f"{_shown(entry)} is not stored as it is")
    most = MANIFEST_LIMITS.max_bytes if is_manifest else MAX_ENVELOPE_BYTES
    if not 0 < entry.file_size <= most:
        raise BundleDamagedError(f"{_shown(entry)} has {entry.file_size} bytes")


def _shown(entry: zipfile.ZipInfo) -> str:
    return ascii(entry.filename[:60])


@contextmanager
def _own_errors() -> Iterator[None]:
    """Turn what the library raises for a bad archive into ours."""
    try:
        yield
    except _BROKEN as exc:
        raise BundleDamagedError(f"the archive cannot be read ({type(exc).__name__})") from exc
