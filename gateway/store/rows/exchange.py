"""Rows of outbox and inbox, and the records with which they are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.documents.codes import DocumentType, Verdict
from gateway.store.states import DeliveryState


@dataclass(frozen=True, kw_only=True)
class NewDispatch:
    """Is a message to be delivered: the bytes are sent exactly as given, now and on retry.

    Attributes:
        conversation_id: life of one certificate of origin; its messages keep their order.
        due_at: when to send first; None means at once.
        head_start: by how much it counts as older than it is among those to the same peer.
    """

    message_id: str
    peer_id: int
    document_type: DocumentType
    document_number: str
    conversation_id: str
    envelope: bytes
    payload: bytes
    created_at: datetime
    refers_to: str | None = None
    test: bool = False
    due_at: datetime | None = None
    head_start: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """Is a message in the outbox.

    Attributes:
        due_at: when it may be claimed; end of the lease while SENDING, None once final.
        rank_at: of the messages due to one peer the one with the earliest goes first.
        fence: number of the newest claim; rises by one with each.
        attempts: claims since queued or resent.
    """

    id: int
    message_id: str
    peer_id: int
    document_type: DocumentType
    document_number: str
    conversation_id: str
    refers_to: str | None
    test: bool
    state: DeliveryState
    due_at: datetime | None
    rank_at: datetime
    lease_owner: str | None
    fence: int
    attempts: int
    verdict: Verdict | None
    code: str | None
    detail: str | None
    created_at: datetime
    updated_at: datetime
    envelope_sha256: str
    payload_sha256: str
    receipt_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Is one worker's right to send one dispatch until ``lease_until``.

    Attributes:
        fence: proof of the claim; an outcome under an older one is refused.
        attempt: 1 for the first attempt since queued or resent.
        envelope: the stored bytes, not yet compared with their digest: a changed message must
            not keep the others of a batch from being claimed.
        is_probe: the last attempt at this peer failed, so this one finds out if it is back.
    """

    dispatch_id: int
    message_id: str
    peer_id: int
    document_type: DocumentType
    document_number: str
    conversation_id: str
    worker: str
    fence: int
    attempt: int
    claimed_at: datetime
    lease_until: datetime
    created_at: datetime
    envelope: bytes
    envelope_sha256: str
    is_probe: bool = False


@dataclass(frozen=True, kw_only=True)
class AttemptOutcome:
    """Is how one attempt ended.

    Attributes:
        state: DELIVERED, REFUSED, RETRYING or FAILED.
        due_at: when to try again; obligatory for RETRYING and only for it.
        code: wire code of the error or refusal; None on plain success.
        receipt: the peer's receipt envelope, byte for byte, on DELIVERED and REFUSED.
        park_until: nothing else is sent to this peer before; for unreachable peers.
        probe_at: the message is tried again then, if no other of this peer is by then.
        resumes: with a receipt, codes of failures at this peer that are over now: messages
            that wait because of one are due at once.
    """

    state: DeliveryState
    ended_at: datetime
    due_at: datetime | None = None
    code: str | None = None
    detail: str | None = None
    http_status: int | None = None
    receipt: bytes | None = None
    verdict: Verdict | None = None
    park_until: datetime | None = None
    probe_at: datetime | None = None
    resumes: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Is one recorded attempt; without ``ended_at`` it is running or its worker died."""

    dispatch_id: int
    number: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    code: str | None
    detail: str | None
    http_status: int | None


@dataclass(frozen=True, kw_only=True)
class NewArrival:
    """Is a message of a peer together with the receipt it is answered with.

    Attributes:
        envelope: the bytes received.
        payload: the document's bytes; None where they could not be had.
        code: wire code of a refusal.
        created_at: when its sender made the message, as the signed envelope says.
    """

    peer_id: int
    message_id: str
    document_type: DocumentType
    conversation_id: str
    envelope: bytes
    payload: bytes | None
    receipt: bytes
    verdict: Verdict
    received_at: datetime
    document_number: str | None = None
    refers_to: str | None = None
    test: bool = False
    signer_fingerprint: str | None = None
    code: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Is a message in the inbox, with the receipt that every repetition is answered with.

    Attributes:
        created_at: when its sender made it; None for what came before this was kept.
    """

    id: int
    peer_id: int
    message_id: str
    document_type: DocumentType
    document_number: str | None
    conversation_id: str
    refers_to: str | None
    test: bool
    signer_fingerprint: str | None
    verdict: Verdict
    code: str | None
    received_at: datetime
    repeats: int
    envelope_sha256: str
    payload_sha256: str | None
    receipt_sha256: str
    receipt: bytes
    created_at: datetime | None = None
