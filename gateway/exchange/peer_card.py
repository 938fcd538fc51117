"""Peer cards: what one gateway tells another of itself, as a JSON file to be checked by hand.

A card holds no secret.  Whoever registers it must compare the fingerprints with the sender by
another way (telephone, letter), because everything later rests on them.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum

from gateway.documents.base import CountryCode, Identifier, Name, Record
from gateway.documents.codes import DocumentType


class CredentialUse(StrEnum):
    """Says what a public certificate on a card is believed for.

    ``TLS`` identifies the peer when it calls, ``SERVER_CA`` when it is called; ``ANCHOR`` is an
    issuing CA of its signers, ``SIGNER`` a signing certificate registered by itself.
    """

    TLS = "TLS"
    SERVER_CA = "SERVER_CA"
    ANCHOR = "ANCHOR"
    SIGNER = "SIGNER"


class CardRole(StrEnum):
    """Says in which role a signer of the card signs."""

    GATEWAY = "GATEWAY"
    ISSUING_AUTHORITY = "ISSUING_AUTHORITY"
    CUSTOMS = "CUSTOMS"
    EXPORTER = "EXPORTER"


class CardCredential(Record):
    """Is one public certificate of a card, in PEM.

    Attributes:
        role: for ``SIGNER`` only: as what it signs.
        authority_code: for an authority's signer: code of that authority.
    """

    use: CredentialUse
    pem: str
    role: CardRole | None = None
    authority_code: Identifier | None = None


class PeerCard(Record):
    """Is the introduction of one gateway to another."""

    identifier: Identifier
    name: Name
    country: CountryCode
    test: bool
    soap_url: str
    rest_url: str
    document_types: tuple[DocumentType, ...]
    credentials: tuple[CardCredential, ...]
    crls: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all that the card says, in hex: what the two operators compare."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode("ascii")).hexdigest()
