"""Registering a peer from its card, and writing the card of this gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import Connection

from gateway.documents import DocumentType
from gateway.errors import ConflictError, InputError
from gateway.exchange.context import SIGNING_ROLE, Desk
from gateway.exchange.peer_card import CardCredential, CardRole, CredentialUse, PeerCard
from gateway.store import (
    AlgorithmLevel,
    NewCredential,
    Peer,
    PeerChannel,
    PeerCrl,
    PeerProfile,
    RevocationLevel,
    peers,
)
from gateway.store import CredentialUse as StoredUse
from gateway.trust import Credential

EXCHANGED = (
    DocumentType.CERTIFICATE_OF_ORIGIN,
    DocumentType.CUSTOMS_RESPONSE,
    DocumentType.BOOKS_STATEMENT,
)


@dataclass(frozen=True, kw_only=True)
class PeerTerms:
    """Says how we exchange with a peer, beside what its card says of itself.

    Attributes:
        collect: our workers fetch what waits for us at the peer.
    """

    channel: PeerChannel
    soap_version: str = "1.2"
    algorithms: AlgorithmLevel = AlgorithmLevel.STRICT
    revocation: RevocationLevel = RevocationLevel.WHEN_KNOWN
    live_from: datetime | None = None
    collect: bool = False


def register_peer(
    conn: Connection, card: PeerCard, terms: PeerTerms, *, own: str, at: datetime, actor: str
) -> Peer:
    """Register the gateway that ``card`` introduces, and return its row.

    Raises:
        ConflictError: it is registered already, it is ourselves, or nobody could call.
        InputError: a certificate or revocation list on the card cannot be read.
    """
    if card.identifier == own:
        raise ConflictError(f"{own} is this gateway itself")
    peer = peers.add(conn, profile_of(card, terms), at=at, actor=actor)
    for credential in card.credentials:
        peers.add_credential(conn, peer.id, registration(card, credential), at=at, actor=actor)
    for crl in card.crls:
        peers.store_crl(conn, revocation_list(peer, crl, at), actor=actor)
    return peer


def profile_of(card: PeerCard, terms: PeerTerms) -> PeerProfile:
    """Return the profile of the peer that ``card`` introduces, reached on these terms.

    Raises:
        ConflictError: we would have to call a peer that cannot be called.
    """
    if terms.collect and terms.channel is PeerChannel.COLLECT:
        raise ConflictError(
            f"either {card.identifier} collects from us, or we from it: one of two must be callable"
        )
    return PeerProfile(
        identifier=card.identifier,
        country=card.country,
        name=card.name,
        channel=terms.channel,
        url=card.soap_url if terms.channel is PeerChannel.SOAP else card.rest_url,
        soap_version=terms.soap_version,
        document_types=card.document_types,
        algorithms=terms.algorithms,
        revocation=terms.revocation,
        live_from=terms.live_from,
        test=card.test,
        collect=terms.collect,
    )


def own_card(
    desk: Desk,
    *,
    public_url: str,
    tls: Sequence[x509.Certificate],
    crls: Sequence[str] = (),
    authority_codes: dict[DocumentType, str] | None = None,
) -> PeerCard:
    """Return the card that introduces this gateway to a peer.

    Args:
        public_url: base address of the listener, as ``https://host:8443``.
        tls: the TLS certificate, then its issuers.
        authority_codes: code of the authority behind each document signer, where one key
            signs for one authority only.
    """
    codes = authority_codes or {}
    signers = [_signer(desk.gateway_credential, CardRole.GATEWAY, None)]
    signers += [
        _signer(credential, CardRole(SIGNING_ROLE[kind].value), codes.get(kind))
        for kind, credential in desk.signers.items()
    ]
    credentials = [desk.gateway_credential, *desk.signers.values()]
    anchors = {pem(c.chain[-1]): None for c in credentials if c.chain}
    return PeerCard(
        identifier=desk.identity.identifier,
        name=desk.identity.name,
        country=desk.identity.country,
        test=desk.identity.test,
        soap_url=f"{public_url}/soap",
        rest_url=f"{public_url}/rest/v1",
        document_types=EXCHANGED,
        credentials=(
            CardCredential(use=CredentialUse.TLS, pem=pem(tls[0])),
            CardCredential(use=CredentialUse.SERVER_CA, pem=pem(tls[-1])),
            *(CardCredential(use=CredentialUse.ANCHOR, pem=text) for text in anchors),
            *signers,
        ),
        crls=tuple(crls),
    )


def pem(cert: x509.Certificate) -> str:
    """Return an X.509 certificate in PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return cert.public_bytes(Encoding.PEM).decode("ascii")


def fingerprint(text: str) -> str:
    """Return the SHA-256 of the DER form of a PEM certificate, in hex.

    Raises:
        InputError: the text is no X.509 certificate.
    """
    try:
        cert = x509.load_pem_x509_certificate(text.encode())
    except ValueError as exc:
        raise InputError(f"a certificate on the card cannot be read: {exc}") from exc
    return cert.fingerprint(hashes.SHA256()).hex()


def _signer(credential: Credential, role: CardRole, authority: str | None) -> CardCredential:
    return CardCredential(
        use=CredentialUse.SIGNER,
        pem=pem(credential.signing_cert),
        role=role,
        authority_code=authority,
    )


def registration(card: PeerCard, credential: CardCredential) -> NewCredential:
    """Return what is registered for one certificate of a card.

    Raises:
        InputError: it is no X.509 certificate.
    """
    return NewCredential(
        use=StoredUse(credential.use.value),
        pem=credential.pem,
        fingerprint=fingerprint(credential.pem),
        country=card.country,
        role=None if credential.role is None else credential.role.value,
        authority_code=credential.authority_code,
    )


def revocation_list(peer: Peer, text: str, at: datetime) -> PeerCrl:
    """Return the revocation list ``text`` (PEM) as it is stored for ``peer``.

    Raises:
        InputError: it is no revocation list.
    """
    try:
        crl = x509.load_pem_x509_crl(text.encode())
    except ValueError as exc:
        raise InputError(f"the revocation list cannot be read: {exc}") from exc
    return PeerCrl(
        peer_id=peer.id,
        issuer=crl.issuer.rfc4514_string(),
        this_update=crl.last_update_utc,
        next_update=crl.next_update_utc,
        stored_at=at,
        content=text.encode(),
    )
