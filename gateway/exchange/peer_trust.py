"""Whom we believe when a peer speaks: its anchors, registered signers and revocation lists.

Built from what the store holds for the peer; parsing X.509 again for each message would cost
more than verifying it, so the result is kept until the peer's row changes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from cryptography import x509
from sqlalchemy import Connection

from gateway.errors import ConfigError
from gateway.store import Peer, PeerCredential, peers
from gateway.store.states import CredentialUse
from gateway.trust import (
    AnchorTerm,
    PeerTrust,
    RegisteredSigner,
    RevocationPolicy,
    SignerRole,
    policy_named,
)


class PeerTrustCache:
    """Keeps the trust material of peers, parsed, until their rows change; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, tuple[int, PeerTrust]] = {}

    def of(self, conn: Connection, peer: Peer) -> PeerTrust:
        """Return whom we believe when ``peer`` speaks."""
        with self._lock:
            kept = self._kept.get(peer.id)
        if kept is not None and kept[0] == peer.revision:
            return kept[1]
        trust = peer_trust(
            peer,
            peers.credentials(conn, peer.id),
            [crl.content for crl in peers.crls(conn, peer.id)],
        )
        with self._lock:
            self._kept[peer.id] = (peer.revision, trust)
        return trust


def peer_trust(
    peer: Peer, credentials: Sequence[PeerCredential], crls: Sequence[bytes]
) -> PeerTrust:
    """Return the trust material registered for ``peer``.

    Raises:
        ConfigError: a stored certificate or revocation list cannot be read.
    """
    try:
        anchors = tuple(
            x509.load_pem_x509_certificate(credential.pem.encode())
            for credential in credentials
            if credential.use is CredentialUse.ANCHOR
        )
        lists = tuple(_crl(content) for content in crls)
    except ValueError as exc:
        raise ConfigError(f"trust material of {peer.identifier} cannot be read: {exc}") from exc
    return PeerTrust(
        country=peer.country,
        anchors=anchors,
        signers=tuple(
            _registered(credential)
            for credential in credentials
            if credential.use is CredentialUse.SIGNER
        ),
        crls=lists,
        policy=policy_named(peer.algorithms.value),
        revocation=RevocationPolicy(peer.revocation.value),
        anchor_terms=tuple(
            AnchorTerm(
                fingerprint=credential.fingerprint,
                valid_from=credential.valid_from,
                valid_until=credential.valid_until,
            )
            for credential in credentials
            if credential.use is CredentialUse.ANCHOR
            and (credential.valid_from or credential.valid_until)
        ),
    )


def _crl(content: bytes) -> x509.CertificateRevocationList:
    if content.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_crl(content)
    return x509.load_der_x509_crl(content)


def _registered(credential: PeerCredential) -> RegisteredSigner:
    if credential.role is None:
        raise ConfigError(f"the signer {credential.fingerprint[:16]}… is registered without role")
    return RegisteredSigner(
        fingerprint=credential.fingerprint,
        country=credential.country,
        role=SignerRole(credential.role),
        authority_code=credential.authority_code,
        valid_from=credential.valid_from,
        valid_until=credential.valid_until,
    )
