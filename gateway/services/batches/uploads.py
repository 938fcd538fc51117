"""Taking a batch in: its bytes are stored as they come, then it waits for a worker.

Each megabyte is a transaction of its own, so that an upload, however slow, keeps nobody from
writing.  Until its last byte is stored the batch is RECEIVING and exists for nobody; what breaks
off is dropped at once, or by the next sweep where the process died.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from gateway.errors import (
    BusyError,
    InputError,
    SlowDownError,
    TooLargeError,
    UnsupportedMediaError,
)
from gateway.exchange.intake import national_format
from gateway.services.access import Caller, Scope
from gateway.services.batches.archive import members_of, open_archive
from gateway.services.batches.stored_file import AT_ONCE, PIECE, StoredFile
from gateway.services.batches.sweeping import drop_whole
from gateway.services.counter import Counter, GivenAnswer, RequestKey
from gateway.store import Batch, BatchForm, BatchKind, NewBatch, batch_uploads
from gateway.xml.national import is_streamable

log = structlog.get_logger(__name__)

SCOPE_OF: Final = {
    BatchKind.CERTIFICATES: Scope.SUBMIT,
    BatchKind.RESPONSES: Scope.DECIDE,
}
_MEDIA: Final = {BatchForm.NDJSON: "application/json", BatchForm.CSV: "text/csv"}
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class BatchOrder:
    """Says what a batch is.

    Attributes:
        format: name of the national format of its documents; None for our own forms.
    """

    kind: BatchKind
    form: BatchForm
    format: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Is what arrives.

    Attributes:
        pieces: the bytes, in pieces of any length.
        key_of: returns the idempotency key with the request that bytes of this digest are.
        give: words the answer.
    """

    pieces: Iterable[bytes]
    key_of: Callable[[str], RequestKey | None]
    give: Callable[[Batch], GivenAnswer]


def receive(counter: Counter, caller: Caller, order: BatchOrder, upload: Upload) -> GivenAnswer:
    """Return the answer to a batch that is stored whole and waits for a worker.

    Raises:
        NotPermittedError: the caller may not hand such documents over.
        NotFoundError, UnsupportedMediaError: the format does not exist, or not in this form.
        SlowDownError: the organisation has as many batches in work as it may.
        TooLargeError, ArchiveUnsafeError, InputError: the bytes cannot be taken.
    """
    caller.require(SCOPE_OF[order.kind])
    _require_format(counter, order)
    batch = _begin(counter, caller, order)
    try:
        spool = _Spool(counter, batch)
        for piece in upload.pieces:
            spool.take(piece)
        given = _finish(counter, spool, upload)
    except BaseException:
        _drop(counter, batch)
        raise
    if given.replayed:
        _drop(counter, batch)
    return given


def _require_format(counter: Counter, order: BatchOrder) -> None:
    if order.format is None:
        if order.form is BatchForm.CSV:
            raise InputError("a batch in CSV needs the name of its national format")
        return
    if order.kind is BatchKind.RESPONSES:
        raise InputError("decisions of customs are handed over in JSON, in no national format")
    found = national_format(order.format, counter.national)
    wanted = _MEDIA.get(order.form)
    if wanted is not None and found.media_type != wanted:
        raise UnsupportedMediaError(f"{order.format} is no format of {wanted}")
    if order.form is BatchForm.CSV and not is_streamable(found):
        raise UnsupportedMediaError(f"{order.format} cannot be read line by line")


def _begin(counter: Counter, caller: Caller, order: BatchOrder) -> Batch:
    new = NewBatch(
        batch_id="ba_" + base64.b32encode(secrets.token_bytes(15)).decode("ascii").lower(),
        organisation_id=caller.organisation.id,
        kind=order.kind,
        form=order.form,
        format=order.format,
        dry_run=order.dry_run,
        credential=caller.credential,
        scopes=tuple(sorted(caller.scopes)),
    )
    most = counter.batches.max_open
    with counter.desk.store.begin() as conn:
        batch = batch_uploads.begin(conn, new, at=counter.desk.clock(), most_open=most)
    if batch is None:
        raise SlowDownError(f"{most} batches are in work already", retry_after=_WAIT_SECONDS)
    return batch


@dataclass
class _Spool:
    """Stores the bytes of one batch as they come, within its limits."""

    counter: Counter
    batch: Batch
    size: int = 0
    lines: int = 1
    number: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    rest: bytearray = field(default_factory=bytearray)

    def take(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLargeError: the batch is larger than allowed.
        """
        limits = self.counter.batches
        self.size += len(piece)
        if self.size > limits.max_bytes:
            raise TooLargeError(f"more than {limits.max_bytes} bytes")
        if self.batch.form is not BatchForm.ZIP:
            self.lines += piece.count(b"\n")
        if self.lines > limits.max_lines + 1:
            raise TooLargeError(f"more than {limits.max_lines} lines")
        self.digest.update(piece)
        self.rest += piece
        if len(self.rest) >= PIECE * AT_ONCE:
            self._store(len(self.rest) // PIECE)

    def end(self) -> None:
        """Store what is left.

        Raises:
            InputError: there was nothing at all.
            UnsupportedMediaError: it is text in UTF-16.
        """
        if not self.size:
            raise InputError("the request has no body")
        if self.batch.form is not BatchForm.ZIP and not self.number:
            self._require_bytewise()
        while self.rest:
            self._store(AT_ONCE)

    def _store(self, count: int) -> None:
        if not self.number and self.batch.form is not BatchForm.ZIP:
            self._require_bytewise()
        whole = bytes(self.rest[: PIECE * min(count, AT_ONCE)])
        del self.rest[: len(whole)]
        contents = [whole[at : at + PIECE] for at in range(0, len(whole), PIECE)]
        store, at = self.counter.desk.store, self.counter.desk.clock()
        with store.begin() as conn:
            batch_uploads.add_pieces(conn, self.batch, self.number, contents, at=at)
        self.number += len(contents)

    def _require_bytewise(self) -> None:
        if self.rest.startswith(_UTF_16):
            raise UnsupportedMediaError("a batch is not taken in UTF-16; write it in UTF-8")


def _finish(counter: Counter, spool: _Spool, upload: Upload) -> GivenAnswer:
    spool.end()
    units = spool.size
    if spool.batch.form is BatchForm.ZIP:
        file = StoredFile(counter.desk.store, spool.batch.id, spool.size)
        with open_archive(file, counter.batches) as archive:
            units = len(members_of(archive, counter.batches, size=spool.size))
    sha256 = spool.digest.hexdigest()
    return counter.once(
        upload.key_of(sha256),
        lambda conn: upload.give(
            batch_uploads.take(
                conn,
                spool.batch,
                size=spool.size,
                sha256=sha256,
                units=units,
                at=counter.desk.clock(),
            )
        ),
    )


def _drop(counter: Counter, batch: Batch) -> None:
    """Drop what did not become a batch; where the database is away, the next sweep does."""
    with suppress(BusyError):
        drop_whole(counter, batch.id)
