"""What both pipelines need, gathered once at start: identity, books, tables, keys, clock.

Built by the composition root (``gateway.app``); nothing here opens a socket or reads a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.agreements import Agreement
from gateway.documents import CertificateOfOrigin, CustomsResponse, Document, DocumentType
from gateway.documents.hs import HsEdition
from gateway.envelope import USUAL_ENVELOPE_BYTES
from gateway.errors import ConfigError, NotFoundError, SigningKeyEndedError, TooLargeError
from gateway.exchange.peer_trust import PeerTrustCache
from gateway.exchange.priorities import PriorityTable
from gateway.exchange.specimens import SpecimenCache
from gateway.store import Store
from gateway.trust import Credential, PeerTrust, SignerRole
from gateway.xml.mapping import MappingTable
from gateway.xml.schema import SchemaSet

Clock = Callable[[], datetime]

SIGNING_ROLE: Mapping[DocumentType, SignerRole] = {
    DocumentType.CERTIFICATE_OF_ORIGIN: SignerRole.ISSUING_AUTHORITY,
    DocumentType.CUSTOMS_RESPONSE: SignerRole.CUSTOMS,
    DocumentType.BOOKS_STATEMENT: SignerRole.GATEWAY,
}
"""Who must have signed a document of each type; an acknowledgement is signed by envelope.

Books are the gateways' own, so the gateway's key signs statements about them."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Says who this gateway is among its peers."""

    identifier: str
    name: str
    country: str
    test: bool


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds the time window in which an envelope is taken, and how large one is made."""

    max_age: timedelta
    clock_skew: timedelta
    max_message_bytes: int = USUAL_ENVELOPE_BYTES

    def require_fits(self, envelope: bytes) -> bytes:
        """Return an envelope of ours that is not too large.

        Raises:
            TooLargeError: not every peer could read it.
        """
        if len(envelope) > self.max_message_bytes:
            raise TooLargeError(
                f"an envelope of {len(envelope)} bytes; [limits] max_message_bytes is "
                f"{self.max_message_bytes}"
            )
        return envelope


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Holds everything that preparing, delivering and accepting a message needs.

    Attributes:
        signers: credential for each document type that this gateway may sign.
        own_trust: whom this gateway believes when its national system hands over a
            document that is already signed.
    """

    identity: Identity
    store: Store
    tables: Mapping[DocumentType, MappingTable]
    schemas: SchemaSet
    agreements: Mapping[str, Agreement]
    gateway_credential: Credential
    signers: Mapping[DocumentType, Credential]
    own_trust: PeerTrust
    limits: Limits
    clock: Clock
    hs: tuple[HsEdition, ...] = ()
    priorities: PriorityTable = field(default_factory=PriorityTable.load)
    trust_cache: PeerTrustCache = field(default_factory=PeerTrustCache)
    specimens: SpecimenCache = field(default_factory=SpecimenCache)

    def agreement(self, document: Document) -> Agreement:
        """Return the agreement profile that governs ``document``.

        Raises:
            NotFoundError: no such profile is in force at this gateway.
        """
        if isinstance(document, CertificateOfOrigin | CustomsResponse):
            agreement = self.agreements.get(document.agreement)
            if agreement is not None:
                return agreement
            raise NotFoundError(
                f"the agreement {document.agreement!r} is not in force here; "
                f"known: {', '.join(sorted(self.agreements))}"
            )
        raise NotFoundError(f"a {type(document).__name__} is governed by no agreement")

    def signer(self, document_type: DocumentType) -> Credential:
        """Return the credential that signs documents of this type.

        Raises:
            ConfigError: this gateway holds no key for the authority concerned.
        """
        if SIGNING_ROLE[document_type] is SignerRole.GATEWAY:
            return self.gateway_credential
        credential = self.signers.get(document_type)
        if credential is None:
            role = SIGNING_ROLE[document_type].value.lower()
            raise ConfigError(
                f"no {role} key is configured, so a {document_type} must arrive signed"
            )
        return credential

    def require_signing(self, *credentials: Credential, now: datetime) -> None:
        """Return if each of our own ``credentials`` may sign now.

        What is signed is stored and sent for ever as it is: better nothing than bytes that no
        peer will ever believe.

        Raises:
            SigningKeyEndedError: the certificate of one is not valid yet or no more.
        """
        for each in credentials:
            if not each.holds_at(now):
                cert = each.signing_cert
                raise SigningKeyEndedError(
                    f"the certificate {each.fingerprint[:16]}… that signs here holds from "
                    f"{cert.not_valid_before_utc:%Y-%m-%d} to {cert.not_valid_after_utc:%Y-%m-%d}"
                )
