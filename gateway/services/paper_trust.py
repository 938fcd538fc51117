"""Whom a checker of paper believes: the registers of all peers and our own, with certificates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cryptography import x509
from sqlalchemy import Connection

from gateway.exchange.context import Desk
from gateway.paper.checking import TrustList
from gateway.store import CredentialUse, peers
from gateway.trust import PeerTrust, RegisteredSigner, SignerRole, fingerprint_of

_USES = (CredentialUse.SIGNER, CredentialUse.ANCHOR)


def trust_list(desk: Desk) -> TrustList:
    """Return everything that a summary from paper is checked against, as of now.

    Signers registered by their CA alone are not in it: a code on paper has no room for their
    certificates, so they have to be registered themselves.
    """
    with desk.store.read() as conn:
        known = peers.every(conn)
        trusts = (_own(desk), *(desk.trust_cache.of(conn, peer) for peer in known))
        found = {fingerprint_of(each): each for each in _certificates(desk, conn)}
    return TrustList(trusts=trusts, certificates=tuple(found.values()), made_at=desk.clock())


def _certificates(desk: Desk, conn: Connection) -> Iterator[x509.Certificate]:
    for credential in (desk.gateway_credential, *desk.signers.values()):
        yield credential.signing_cert
        yield from credential.chain
    for peer in peers.every(conn):
        for registered in peers.credentials(conn, peer.id):
            if registered.use in _USES:
                yield x509.load_pem_x509_certificate(registered.pem.encode())


def _own(desk: Desk) -> PeerTrust:
    """Return whom we believe when our own side speaks: its gateway beside its authorities."""
    credential = desk.gateway_credential
    entry = RegisteredSigner(
        fingerprint=credential.fingerprint, country=desk.identity.country, role=SignerRole.GATEWAY
    )
    return replace(
        desk.own_trust,
        anchors=(*desk.own_trust.anchors, *credential.chain[-1:]),
        signers=(*desk.own_trust.signers, entry),
    )
