"""Rows about peers, their X.509 certificates, revocation lists and lanes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.documents.codes import DocumentType
from gateway.store.states import (
    AlgorithmLevel,
    CredentialUse,
    PeerChannel,
    PeerState,
    RevocationLevel,
)


@dataclass(frozen=True, kw_only=True)
class PeerProfile:
    """Is what two operators agreed about their exchange.

    Attributes:
        identifier: the gateway's id in envelopes, as ``KE-GW``.
        soap_version: ``1.1`` or ``1.2``; without meaning for REST.
        document_types: what may be exchanged, in either direction.
        live_from: nothing is sent before; None means at once.
        retry: settings of the retry policy that differ from ours.
        test: the peer is a test gateway.
        collect: our workers fetch what waits for us at the peer.
    """

    identifier: str
    country: str
    name: str
    channel: PeerChannel
    url: str
    soap_version: str = "1.2"
    document_types: tuple[DocumentType, ...] = (
        DocumentType.CERTIFICATE_OF_ORIGIN,
        DocumentType.CUSTOMS_RESPONSE,
    )
    algorithms: AlgorithmLevel = AlgorithmLevel.STRICT
    revocation: RevocationLevel = RevocationLevel.REQUIRE
    live_from: datetime | None = None
    retry: Mapping[str, Any] = field(default_factory=dict)
    test: bool = False
    collect: bool = False


@dataclass(frozen=True, kw_only=True)
class Peer(PeerProfile):
    """Is a registered peer.

    Attributes:
        revision: rises with every change of profile, state, credentials or revocation
            lists, so that what was derived from them can be kept until then.
    """

    id: int
    state: PeerState
    revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_suspended(self) -> bool:
        """Whether exchange with this peer rests."""
        return self.state is PeerState.SUSPENDED


@dataclass(frozen=True, kw_only=True)
class NewCredential:
    """Is an X.509 certificate to be registered for a peer.

    Attributes:
        fingerprint: SHA-256 of the DER form, lower-case hex.
        role: value of ``gateway.trust.SignerRole`` for signers and anchors.
        valid_from: first moment at which the registration (not the X.509 validity) holds.
        valid_until: moment from which it holds no more.
    """

    use: CredentialUse
    pem: str
    fingerprint: str
    country: str
    role: str | None = None
    authority_code: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PeerCredential(NewCredential):
    """Is an X.509 certificate registered for a peer."""

    id: int
    peer_id: int
    created_at: datetime

    def holds_at(self, moment: datetime) -> bool:
        """Return whether the registration holds at ``moment``."""
        begun = self.valid_from is None or self.valid_from <= moment
        return begun and (self.valid_until is None or moment < self.valid_until)


@dataclass(frozen=True, kw_only=True)
class PeerCrl:
    """Is the newest revocation list of one issuer, as fetched (DER or PEM)."""

    peer_id: int
    issuer: str
    this_update: datetime
    next_update: datetime | None
    stored_at: datetime
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Is the state of the way to one peer: parked after failures, open after a success."""

    peer_id: int
    parked_until: datetime | None
    failures: int
    claimed_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Is what a peer's gateway said of itself when it was asked last.

    Attributes:
        software: name and version, as ``eco-gateway/1.0.0``.
        versions: schemas, agreements and rules that it works by, each ``kind:name=version``.
    """

    peer_id: int
    seen_at: datetime
    software: str
    versions: tuple[str, ...]
