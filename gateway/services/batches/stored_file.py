"""The bytes of a batch as a file: read where they are wanted, a few pieces at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from gateway.store import Store, batch_uploads

PIECE: Final = 65_536
"""Bytes of a piece: small, because a backup holds some hundreds of rows at a time."""
AT_ONCE: Final = 16
"""Pieces read or written at a time."""


def bytes_from(store: Store, batch_id: int, start: int) -> Iterator[bytes]:
    """Yield the bytes of a batch from byte ``start`` on."""
    number, skipped = divmod(start, PIECE)
    while True:
        with store.read() as conn:
            found = batch_uploads.pieces(conn, batch_id, number, AT_ONCE)
        if not found:
            return
        whole = b"".join(found)
        yield whole[skipped:]
        number, skipped = number + len(found), 0


class StoredFile(io.RawIOBase):
    """Is the upload of a batch as a file that can be read anywhere."""

    def __init__(self, store: Store, batch_id: int, size: int) -> None:
        self._store = store
        self._batch_id = batch_id
        self._size = size
        self._at = 0
        self._window = (0, b"")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read anywhere."""
        return True

    def tell(self) -> int:
        """Return where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and return which it is."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("there is nothing before the first byte")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill ``buffer`` as far as the bytes at hand go, and return how many these are."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._at >= self._size or not len(view):
            return 0
        begin, content = self._window
        if not begin <= self._at < begin + len(content):
            begin, content = self._fetch()
        found = content[self._at - begin : self._at - begin + len(view)]
        view[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _fetch(self) -> tuple[int, bytes]:
        first = self._at // PIECE
        with self._store.read() as conn:
            found = batch_uploads.pieces(conn, self._batch_id, first, AT_ONCE)
        if not found:
            raise OSError("the bytes of the batch are not there any more")
        self._window = (first * PIECE, b"".join(found))
        return self._window
