"""Taking up a new card of a registered peer: keys roll over, addresses move, lists are renewed.

A new card adds what it names and changes the profile.  What it no longer names stays registered
until an operator ends it, because messages signed with it may still be on their way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from sqlalchemy import Connection

from gateway.errors import ConflictError, NotFoundError, SignerUntrustedError
from gateway.exchange.peer_card import PeerCard
from gateway.exchange.peering import PeerTerms, profile_of, registration, revocation_list
from gateway.store import (
    CredentialUse,
    NewCredential,
    Peer,
    PeerCredential,
    PeerCrl,
    PeerProfile,
    peers,
)


@dataclass(frozen=True, kw_only=True)
class CardChanges:
    """Says what taking up a card would change.

    Attributes:
        changed: names of the profile's members that differ.
        new: certificates that are not registered yet.
        gone: registered certificates in force that the card no longer names.
        crls: revocation lists newer than those stored.
    """

    profile: PeerProfile
    changed: tuple[str, ...]
    new: tuple[NewCredential, ...]
    gone: tuple[PeerCredential, ...]
    crls: tuple[PeerCrl, ...]

    @property
    def anything(self) -> bool:
        """Whether taking up the card would change anything."""
        return bool(self.changed or self.new or self.crls)


def changes_of(
    conn: Connection, peer: Peer, card: PeerCard, terms: PeerTerms, *, at: datetime
) -> CardChanges:
    """Return what taking up ``card`` would change at ``peer``.

    Raises:
        ConflictError: the card is another gateway's.
        InputError: a certificate or revocation list on the card cannot be read.
    """
    if (card.identifier, card.country) != (peer.identifier, peer.country):
        raise ConflictError(
            f"the card introduces {card.identifier} of {card.country}, "
            f"not {peer.identifier} of {peer.country}"
        )
    profile = profile_of(card, terms)
    names = PeerProfile.__dataclass_fields__
    registered = peers.credentials(conn, peer.id)
    offered = [registration(card, credential) for credential in card.credentials]
    known = {(row.use, row.fingerprint) for row in registered}
    named = {(new.use, new.fingerprint) for new in offered}
    return CardChanges(
        profile=profile,
        changed=tuple(name for name in names if getattr(profile, name) != getattr(peer, name)),
        new=tuple(new for new in offered if (new.use, new.fingerprint) not in known),
        gone=tuple(
            row
            for row in registered
            if (row.use, row.fingerprint) not in named and in_force(row, at)
        ),
        crls=_newer(conn, peer, card, at),
    )


def take_up(
    conn: Connection, peer: Peer, changes: CardChanges, *, at: datetime, actor: str
) -> Peer:
    """Make the changes and return the peer as it is now."""
    if changes.changed:
        peers.change(conn, peer.id, changes.profile, at=at, actor=actor)
    for credential in changes.new:
        peers.add_credential(conn, peer.id, credential, at=at, actor=actor)
    for crl in changes.crls:
        peers.store_crl(conn, crl, actor=actor)
    return peers.get(conn, peer.id)


def end_registrations(
    conn: Connection,
    peer: Peer,
    fingerprint: str,
    *,
    until: datetime,
    at: datetime,
    actor: str,
    use: CredentialUse | None = None,
) -> int:
    """End what is registered of a peer under a fingerprint or its beginning; return how much.

    What it proved before ``until`` stays proved.

    Args:
        use: only the registration for this use; a certificate may have several.

    Raises:
        NotFoundError: the peer has no such certificate in force.
        ConflictError: it is the only one of its kind; nothing was ended.
    """
    rows = [row for row in peers.credentials(conn, peer.id) if in_force(row, at)]
    chosen = [row for row in rows if row.fingerprint.startswith(fingerprint)]
    chosen = [row for row in chosen if use in (None, row.use)]
    if not chosen:
        raise NotFoundError(f"{peer.identifier} has no such certificate in force")
    for row in chosen:
        if not [r for r in rows if (r.use, r.role) == (row.use, row.role) and r != row]:
            what = row.role or row.use
            raise ConflictError(
                f"this is the only {what} certificate of {peer.identifier}: take up its new "
                "card first, or suspend the peer"
            )
        peers.end_credential(conn, row.id, until=until, at=at, actor=actor)
    return len(chosen)


def in_force(credential: PeerCredential, at: datetime) -> bool:
    """Return whether a registration holds at this moment."""
    begun = credential.valid_from is None or credential.valid_from <= at
    return begun and (credential.valid_until is None or credential.valid_until > at)


def genuine_list(conn: Connection, peer: Peer, text: str, *, at: datetime) -> PeerCrl:
    """Return the revocation list ``text`` (PEM) once an anchor of the peer proves to have signed.

    Raises:
        InputError: it is no revocation list.
        SignerUntrustedError: no anchor registered for the peer signed it.
    """
    found = revocation_list(peer, text, at)
    crl = x509.load_pem_x509_crl(text.encode())
    for anchor in peers.credentials(conn, peer.id, use=CredentialUse.ANCHOR, at=at):
        cert = x509.load_pem_x509_certificate(anchor.pem.encode())
        if cert.subject == crl.issuer and _signed(crl, cert):
            return found
    raise SignerUntrustedError(
        f"no anchor of {peer.identifier} signed the revocation list of {found.issuer}"
    )


def _signed(crl: x509.CertificateRevocationList, cert: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(cert.public_key())  # type: ignore[arg-type]
    except TypeError:  # a kind of key that signs nothing
        return False


def _newer(conn: Connection, peer: Peer, card: PeerCard, at: datetime) -> tuple[PeerCrl, ...]:
    stored = {crl.issuer: crl.this_update for crl in peers.crls(conn, peer.id)}
    offered = [revocation_list(peer, text, at) for text in card.crls]
    return tuple(
        crl for crl in offered if crl.issuer not in stored or crl.this_update > stored[crl.issuer]
    )
