"""Archives that somebody else packed: what is looked at before anything in them is unpacked.

Nothing is ever written to a path, and each file is read up to its limit only.  An archive that
lies about itself is refused as a whole, with everything that is wrong with it.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Final

from gateway.documents import Finding
from gateway.documents.base import printable
from gateway.documents.shape import shape_finding
from gateway.errors import ArchiveUnsafeError, InputError, TooLargeError
from gateway.services.batch_limits import BatchLimits

_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNIX: Final = 3
_LOCAL_HEAD: Final = 30
_LONGEST_NAME: Final = 200
_MOST_COMPLAINTS: Final = 50
_PACKED: Final = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"BZh",
    b"7z\xbc\xaf",
    b"\xfd7zXZ",
    b"Rar!",
)
_PIECE: Final = 65_536
_END: Final = struct.Struct("<4sHHHHIIH")
_END_MARK: Final = b"PK\x05\x06"
_LOCATOR_MARK: Final = b"PK\x06\x07"
_LOCATOR_LENGTH: Final = 20
_MOST_PER_FILE: Final = 1_024
_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
)


@contextmanager
def reading_archive() -> Iterator[None]:
    """Turn whatever a bad archive raises in the library into one error of ours."""
    try:
        yield
    except _ERRORS as exc:
        raise ArchiveUnsafeError(f"the archive cannot be read ({type(exc).__name__})") from exc


def open_archive(file: io.RawIOBase, limits: BatchLimits) -> zipfile.ZipFile:
    """Return the archive in ``file``.

    Raises:
        ArchiveUnsafeError: it is none, or its list of files alone is larger than any of ours.
    """
    with reading_archive():
        _require_short_list(file, limits)
        return zipfile.ZipFile(io.BufferedReader(file, _PIECE))


def _require_short_list(file: io.RawIOBase, limits: BatchLimits) -> None:
    """Look at the end record, because the library reads the list of files as a whole."""
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - _END.size - _LOCATOR_LENGTH)
    file.seek(start)
    tail = b""
    while piece := file.read(size - start - len(tail)):
        tail += piece
    end = tail[-_END.size :]
    if len(end) < _END.size or not end.startswith(_END_MARK):
        raise ArchiveUnsafeError("this is no ZIP archive, or something follows its end")
    length = _END.unpack(end)[5]
    if tail.startswith(_LOCATOR_MARK) or length > limits.max_files * _MOST_PER_FILE:
        raise ArchiveUnsafeError(f"the archive lists more than {limits.max_files} files")


def members_of(
    archive: zipfile.ZipFile, limits: BatchLimits, *, size: int
) -> tuple[zipfile.ZipInfo, ...]:
    """Return the files of an archive in the order of their names; folders are passed over.

    Args:
        size: of the archive itself.

    Raises:
        ArchiveUnsafeError: with a finding for each thing that must not be, at most fifty.
    """
    every = archive.infolist()
    files = [each for each in every if not each.is_dir()]
    if len(every) > limits.max_files:
        raise ArchiveUnsafeError(
            f"the archive holds {len(every)} entries; {limits.max_files} may be"
        )
    findings = [*_of_all(files, limits), *_of_places(every, size)]
    findings += [finding for each in files for finding in _of_one(each, limits)]
    if findings:
        raise ArchiveUnsafeError(
            f"the archive is not taken for {len(findings)} reason(s)",
            findings=findings[:_MOST_COMPLAINTS],
        )
    if not files:
        raise InputError("the archive holds no file")
    return tuple(sorted(files, key=lambda each: each.filename))


def content_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """Return the bytes of one file, unpacked no further than allowed.

    Raises:
        TooLargeError: it is longer than ``most`` bytes, whatever it says of itself.
        ArchiveUnsafeError: it is damaged, or an archive itself.
    """
    found = bytearray()
    with reading_archive(), archive.open(member) as file:
        while piece := file.read(min(_PIECE, most + 1 - len(found))):
            found += piece
            if len(found) > most:
                raise TooLargeError(f"the file is longer than {most} bytes")
    if found.startswith(_PACKED):
        raise ArchiveUnsafeError(
            "the file is an archive itself; archives are not taken in archives"
        )
    return bytes(found)


def _of_all(files: Sequence[zipfile.ZipInfo], limits: BatchLimits) -> Iterator[Finding]:
    total = sum(each.file_size for each in files)
    if total > limits.max_unpacked_bytes:
        most = limits.max_unpacked_bytes
        yield _complaint("", f"it unpacks to {total} bytes where {most} are allowed")
    names = Tally(each.filename.casefold() for each in files)
    for name, count in names.items():
        if count > 1:
            yield _complaint(name, f"the name stands there {count} times")


def _of_places(every: Sequence[zipfile.ZipInfo], size: int) -> Iterator[Finding]:
    """Complain of entries that share bytes: the trick by which a small file unpacks to much."""
    placed = sorted(every, key=lambda each: each.header_offset)
    ends = [*(each.header_offset for each in placed), size][1:]
    if placed and placed[0].header_offset:
        yield _complaint("", "something stands before its first file, or that was cut off")
    for each, end in zip(placed, ends, strict=True):
        if each.header_offset + _LOCAL_HEAD + each.compress_size > end:
            yield _complaint(each.filename, "its bytes overlap those of others")


def _of_one(member: zipfile.ZipInfo, limits: BatchLimits) -> Iterator[Finding]:
    name = member.filename
    if reason := _bad_name(member.orig_filename):
        yield _complaint(name, reason)
    if member.flag_bits & _ENCRYPTED:
        yield _complaint(name, "it is encrypted")
    if member.compress_type not in _METHODS:
        yield _complaint(name, "it is packed in another way than deflate")
    if member.file_size > limits.max_line_bytes:
        yield _complaint(name, f"it is longer than {limits.max_line_bytes} bytes")
    mode = member.external_attr >> 16
    if member.create_system == _UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        yield _complaint(name, "it is no regular file")


def _bad_name(name: str) -> str | None:
    parts = PurePosixPath(name).parts
    if len(name) > _LONGEST_NAME:
        return f"its name is longer than {_LONGEST_NAME} characters"
    if printable(name) != name or not name.isprintable():
        return "its name holds a control character"
    if "\\" in name or ":" in name or name.startswith("/") or ".." in parts:
        return "its name leads out of the archive"
    return None


def _complaint(name: str, reason: str) -> Finding:
    return shape_finding(printable(name) or "archive", reason)
