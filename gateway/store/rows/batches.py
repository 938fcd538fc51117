"""Rows of batches: what was handed in at once, and what became of each document in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.store.batch_states import BatchForm, BatchKind, BatchState, LineOutcome


@dataclass(frozen=True, kw_only=True)
class NewBatch:
    """Is a batch whose bytes are about to arrive.

    Attributes:
        batch_id: what the outside knows it by.
        format: name of the national format of its documents; None for our own forms.
        credential: visible part of the key that handed it in; never a secret.
        scopes: what that key was good for then.
    """

    batch_id: str
    organisation_id: int
    kind: BatchKind
    form: BatchForm
    format: str | None
    dry_run: bool
    credential: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Batch(NewBatch):
    """Is a batch as stored.

    Attributes:
        units: bytes to read, or files in the archive; ``units_done`` of them are through.
        position: where reading goes on, in the words of who reads.
        tries: how often the next lines could not be committed.
        code, detail: why the batch as a whole failed.
        due_at: it may be worked on from then on; while it is, the end of the lease.
    """

    id: int
    state: BatchState
    size: int
    sha256: str | None
    units: int
    units_done: int
    position: Mapping[str, Any]
    lines: int
    accepted: int
    repeated: int
    refused: int
    tries: int
    code: str | None
    detail: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    updated_at: datetime
    due_at: datetime
    lease_owner: str | None
    fence: int


@dataclass(frozen=True, kw_only=True)
class BatchLine:
    """Is what became of one document of a batch.

    Attributes:
        number: line where it begins, or place of the file in the order of names.
        name: of the file in an archive.
        reference: what its sender knows it by, as far as that could be read.
        receiver: identifier of the peer that gets it.
        findings: in all languages, as JSON values.
        peer_findings, would_refuse: what the peer would say; for dry runs only.
    """

    number: int
    outcome: LineOutcome
    name: str | None = None
    reference: str | None = None
    document_number: str | None = None
    issuing_country: str | None = None
    serial_number: str | None = None
    message_id: str | None = None
    receiver: str | None = None
    code: str | None = None
    detail: str | None = None
    findings: tuple[Mapping[str, Any], ...] = ()
    peer_findings: tuple[Mapping[str, Any], ...] = ()
    would_refuse: bool | None = None


@dataclass(frozen=True, kw_only=True)
class BatchStep:
    """Is how far a batch came with one commit.

    Attributes:
        position, units_done: where it stands after these lines.
    """

    lines: tuple[BatchLine, ...]
    position: Mapping[str, Any]
    units_done: int
