"""Reading, writing and moving files so that nobody ever sees half of one.

Folders may lie on a network: nothing here relies on locks, on notification, or on the clocks
of two machines being alike.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from gateway.errors import ConfigError

LONGEST_NAME: Final = 255
"""Bytes that every file system in use takes for a name."""

_PIECE: Final = 1 << 20
_READ_ONLY: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE_ONLY: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_OURS: Final = frozenset({errno.EACCES, errno.EPERM})
_NO_FOLDER_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES})


class Trouble(StrEnum):
    """Says why a file cannot be read."""

    NOT_A_FILE = "NOT_A_FILE"
    NOT_READABLE = "NOT_READABLE"
    TOO_LARGE = "TOO_LARGE"
    EMPTY = "EMPTY"
    CHANGING = "CHANGING"


@dataclass(frozen=True)
class Unfit:
    """Is the answer about a file that cannot be read, and never will be as it lies there."""

    trouble: Trouble
    detail: str


def read_whole(path: Path, most: int) -> bytes | Unfit:
    """Return the content of a regular file; links are not followed, pipes not waited for.

    Raises:
        OSError: it is gone, or the disk does not answer; later it may.
    """
    handle = _opened(path)
    if isinstance(handle, Unfit):
        return handle
    try:
        before = os.fstat(handle)
        unfit = _unfit(before, most)
        if unfit is not None:
            return unfit
        content = _all_of(handle, most)
        after = os.fstat(handle)
    finally:
        os.close(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return Unfit(Trouble.CHANGING, "it was written to while it was read")
    return content


def _opened(path: Path) -> int | Unfit:
    try:
        return os.open(path, _READ_ONLY)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENXIO):
            return Unfit(Trouble.NOT_A_FILE, "it is a link, a pipe or a device")
        if exc.errno in _NOT_OURS:
            return Unfit(Trouble.NOT_READABLE, "the gateway may not read it")
        raise


def _unfit(state: os.stat_result, most: int) -> Unfit | None:
    if not stat.S_ISREG(state.st_mode):
        return Unfit(Trouble.NOT_A_FILE, "it is a folder, a pipe or a device")
    if state.st_size > most:
        return Unfit(Trouble.TOO_LARGE, f"{state.st_size} bytes where {most} are allowed")
    return Unfit(Trouble.EMPTY, "it is empty") if state.st_size == 0 else None


def _all_of(handle: int, most: int) -> bytes:
    content = bytearray()
    while len(content) <= most and (piece := os.read(handle, _PIECE)):
        content += piece
    return bytes(content[:most])


def write_whole(folder: Path, name: str, content: bytes, *, token: str) -> None:
    """Put a file into a folder at once, in the place of one of that name.

    Args:
        token: makes the name of the file while it is written; the same one is used again.

    Raises:
        OSError: there is no room, or no folder; nothing is to be seen of the attempt.
    """
    aside = folder / f".{token}.part"
    try:
        write_synced(aside, content)
        aside.rename(folder / name)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    sync_folder(folder)


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with os.fdopen(os.open(path, _WRITE_ONLY, 0o666), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where its file system can be asked."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        if exc.errno not in _NO_FOLDER_SYNC:
            raise
        return
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


def move_into(source: Path, folder: Path, *, token: str) -> str:
    """Move whatever ``source`` is into a folder and return its name there.

    Nothing that lies there is replaced: a name that is taken gets the token.

    Raises:
        FileNotFoundError: another process moved it.
    """
    name = source.name
    if os.path.lexists(folder / name):
        name = fitting(name, f"~{token}")
    try:
        source.rename(folder / name)
    except OSError as exc:
        if exc.errno != errno.EXDEV:
            raise
        _carry(source, folder, name, token)
    sync_folder(folder)
    return name


def _carry(source: Path, folder: Path, name: str, token: str) -> None:
    """Move a file to another file system: copied aside, shown, and only then taken away."""
    if not stat.S_ISREG(source.lstat().st_mode):
        source.unlink()  # a link, a pipe: nothing in it could be kept
        return
    aside = folder / f".{token}.part"
    target = os.fdopen(os.open(aside, _WRITE_ONLY, 0o666), "wb")
    with source.open("rb") as read, target as written:
        while piece := read.read(_PIECE):
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    aside.rename(folder / name)
    source.unlink()


def make_folders(*folders: Path) -> None:
    """Make the folders that are missing, each as open as the one it lies in.

    Raises:
        ConfigError: one cannot be made, or is a link: whoever may write beside it could lead us
            anywhere.
    """
    for folder in folders:
        try:
            if folder.is_symlink():
                raise ConfigError(f"[files] {folder} is a link; it must be a folder")
            if not folder.is_dir():
                folder.mkdir(parents=True)
                folder.chmod(stat.S_IMODE(folder.parent.stat().st_mode))
        except FileExistsError:  # another process made it
            continue
        except OSError as exc:
            raise ConfigError(f"[files] {folder} cannot be made: {exc.strerror}") from exc


def fitting(name: str, ending: str) -> str:
    """Return a name with an ending; one that would be too long is cut and told by its digest."""
    raw, tail = os.fsencode(name), os.fsencode(ending)
    if len(raw) + len(tail) <= LONGEST_NAME:
        return name + ending
    mark = f"~{hashlib.sha256(raw).hexdigest()[:8]}"
    cut = raw[: LONGEST_NAME - len(tail) - len(mark)]
    while cut and (raw[len(cut)] & 0xC0) == 0x80:  # not within a character
        cut = cut[:-1]
    return os.fsdecode(cut) + mark + ending


def shown(name: str) -> str:
    """Return a name as it may stand in JSON and logs: what is no character is written out."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
