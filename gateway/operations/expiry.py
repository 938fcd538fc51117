"""Everything with an end date: signing, TLS and CA certificates and CRLs, ours and the peers'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import structlog
from cryptography import x509
from sqlalchemy import Connection

from gateway.operations.premises import Premises
from gateway.store import CredentialUse, Peer, PeerCredential, PeerCrl, RevocationLevel, peers
from gateway.trust import fingerprint_of

log = structlog.get_logger(__name__)

OWN = "own"
_DAY = timedelta(days=1)


class DatedUse(StrEnum):
    """Says what a thing with an end date is good for."""

    SIGNING = "signing"
    TLS = "TLS"
    CA = "CA"
    CRL = "CRL"


@dataclass(frozen=True, kw_only=True)
class Dated:
    """Is one certificate or revocation list with its end.

    Attributes:
        owner: ``own`` or the identifier of a peer.
        name: what its owner calls it: role, subject or issuer.
        fingerprint: start of the SHA-256 that tells it from its successor.
        ends_at: None for a revocation list that announces no successor.
    """

    use: DatedUse
    owner: str
    name: str
    fingerprint: str
    begins_at: datetime
    ends_at: datetime | None

    def days_left(self, now: datetime) -> int | None:
        """Return the whole days until the end, negative after it; None without one."""
        return None if self.ends_at is None else (self.ends_at - now) // _DAY

    def days_old(self, now: datetime) -> int:
        """Return the whole days since it began."""
        return max(0, (now - self.begins_at) // _DAY)

    @property
    def lifetime_days(self) -> float | None:
        """The days from beginning to end; None without an end."""
        return None if self.ends_at is None else (self.ends_at - self.begins_at) / _DAY

    @property
    def until(self) -> str:
        """The day it ends, as text."""
        return "–" if self.ends_at is None else f"{self.ends_at:%Y-%m-%d}"


def own_dated(premises: Premises) -> tuple[Dated, ...]:
    """Return what of ours ends one day; files that cannot be read are left to other checks."""
    found = [
        _certificate(DatedUse.SIGNING, OWN, credential.signing_cert, name)
        for name, credential in premises.credentials.items()
    ]
    found += [
        _certificate(DatedUse.CA, OWN, issuer)
        for credential in premises.credentials.values()
        for issuer in credential.chain
    ]
    for number, cert in enumerate(certificates_in(premises.tls_certificate)):
        found.append(_certificate(DatedUse.CA if number else DatedUse.TLS, OWN, cert))
    found += [crl for path in premises.own_crls for crl in _crl_in(path)]
    return _distinct(found)


def dated_of_peer(conn: Connection, peer: Peer, now: datetime) -> tuple[Dated, ...]:
    """Return what of a peer ends one day, of the registrations that hold now."""
    registered = peers.credentials(conn, peer.id, at=now)
    found = [each for each in (_registered(peer, one) for one in registered) if each is not None]
    found += [_stored_crl(peer, crl) for crl in peers.crls(conn, peer.id)]
    return _distinct(found)


def every_dated(premises: Premises, conn: Connection, now: datetime) -> Iterator[Dated]:
    """Yield what of ours and of every peer ends one day."""
    yield from own_dated(premises)
    for peer in peers.every(conn):
        yield from dated_of_peer(conn, peer, now)


def lacks_crl(conn: Connection, peer: Peer) -> bool:
    """Return whether a peer's profile requires a revocation list and none is stored."""
    return peer.revocation is RevocationLevel.REQUIRE and not peers.crls(conn, peer.id)


_USES = {
    CredentialUse.TLS: DatedUse.TLS,
    CredentialUse.SIGNER: DatedUse.SIGNING,
    CredentialUse.ANCHOR: DatedUse.CA,
    CredentialUse.SERVER_CA: DatedUse.CA,
}


def _registered(peer: Peer, credential: PeerCredential) -> Dated | None:
    cert = _parsed(credential.pem)
    if cert is None:
        log.warning("registered certificate unreadable", peer=peer.identifier)
        return None
    return _certificate(_USES[credential.use], peer.identifier, cert, credential.role)


@lru_cache(maxsize=4096)
def _parsed(pem: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        return None


def _certificate(
    use: DatedUse, owner: str, cert: x509.Certificate, name: str | None = None
) -> Dated:
    return Dated(
        use=use,
        owner=owner,
        name=(name or cert.subject.rfc4514_string())[:100],
        fingerprint=fingerprint_of(cert)[:16],
        begins_at=cert.not_valid_before_utc,
        ends_at=cert.not_valid_after_utc,
    )


def _stored_crl(peer: Peer, crl: PeerCrl) -> Dated:
    return Dated(
        use=DatedUse.CRL,
        owner=peer.identifier,
        name=crl.issuer[:100],
        fingerprint="",
        begins_at=crl.this_update,
        ends_at=crl.next_update,
    )


def _crl_in(path: Path) -> Iterator[Dated]:
    try:
        raw = path.read_bytes()
        pem = raw.lstrip().startswith(b"-----BEGIN")
        crl = x509.load_pem_x509_crl(raw) if pem else x509.load_der_x509_crl(raw)
    except (OSError, ValueError):
        log.warning("own revocation list unreadable", file=path.name)
        return
    yield Dated(
        use=DatedUse.CRL,
        owner=OWN,
        name=crl.issuer.rfc4514_string()[:100],
        fingerprint="",
        begins_at=crl.last_update_utc,
        ends_at=crl.next_update_utc,
    )


def certificates_in(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file; none where it cannot be read."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        log.warning("own TLS certificate unreadable", file=path.name)
        return []


def _distinct(found: Iterable[Dated]) -> tuple[Dated, ...]:
    return tuple({(one.use, one.fingerprint, one.name): one for one in found}.values())
