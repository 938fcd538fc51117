"""Who may sign for whom: roles, registered signers and the trust material of one peer.

A chain to an anchor shows who somebody is; only registration shows what he may sign.  Nothing
here reads X.509 beyond the subject; chains are the business of ``gateway.trust.chain``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.errors import SignerNotRegisteredError
from gateway.trust.algorithms import STRICT, SignaturePolicy
from gateway.trust.memory import Memory

MOST_BELIEVED: Final = 64
"""Signers remembered per trust: more than any country has at work at once, and some 100 kB."""


class SignerRole(StrEnum):
    """Says in which capacity a signature is made."""

    GATEWAY = "GATEWAY"
    ISSUING_AUTHORITY = "ISSUING_AUTHORITY"
    CUSTOMS = "CUSTOMS"
    EXPORTER = "EXPORTER"


class RevocationPolicy(StrEnum):
    """Says what happens when no fresh revocation list covers a signer."""

    REQUIRE = "REQUIRE"
    WHEN_KNOWN = "WHEN_KNOWN"


@dataclass(frozen=True, kw_only=True)
class AnchorTerm:
    """Says from when until when an anchor counts.

    Attributes:
        fingerprint: SHA-256 of its DER form, lower-case hex.
        valid_from: first moment at which it counts.
        valid_until: moment from which it counts no more.
    """

    fingerprint: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Return whether the anchor counted at this moment."""
        return _within(self.valid_from, at, self.valid_until)


@dataclass(frozen=True, kw_only=True)
class RegisteredSigner:
    """Is an entry of the register of signers.

    Attributes:
        fingerprint: SHA-256 of the DER form, lower-case hex, of the signing certificate itself,
            or of a CA: then every signer below that CA whose subject names the country.
        country: ISO 3166 alpha-2 code for which the signer may sign.
        authority_code: which authority the signer acts for, when that is known.
        valid_from: first moment at which the registration holds.
        valid_until: moment from which it holds no more.
    """

    fingerprint: str
    country: str
    role: SignerRole
    authority_code: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Return whether the registration was in force at this moment."""
        return _within(self.valid_from, at, self.valid_until)


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Is who signed, as found in the register.

    Attributes:
        subject: distinguished name of the signing certificate (RFC 4514).
        fingerprint: SHA-256 of its DER form, lower-case hex.
    """

    country: str
    role: SignerRole
    subject: str
    fingerprint: str
    not_after: datetime
    authority_code: str | None


@dataclass(frozen=True, kw_only=True)
class Believed:
    """Is a signer who passed every check, and the key that he must have signed with.

    Attributes:
        since: first moment at which the same checks are known to give the same answer.
        until: last such moment.
    """

    signer: Signer
    certificate: x509.Certificate
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Return whether nothing that was checked can differ at this moment."""
        return self.since <= at <= self.until


@dataclass(frozen=True, kw_only=True)
class PeerTrust:
    """Is whom we believe when one peer speaks.

    Attributes:
        country: the country that the peer speaks for.
        anchors: CA certificates that its signers must chain to.
        anchor_terms: from when until when single anchors count; the others always do.
        signers: entries of the register; without an entry nobody may sign.
        crls: revocation lists at hand, of any of its CAs, of any age.
        believed: signers that this very trust was found to hold for (``gateway.trust.believing``);
            whatever changes makes another object, which has none.
    """

    country: str
    anchors: tuple[x509.Certificate, ...]
    signers: tuple[RegisteredSigner, ...]
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    policy: SignaturePolicy = STRICT
    revocation: RevocationPolicy = RevocationPolicy.REQUIRE
    anchor_terms: tuple[AnchorTerm, ...] = ()
    fingerprints: frozenset[str] = field(init=False, repr=False, compare=False)
    believed: Memory[tuple[SignerRole, bytes], Believed] = field(
        init=False, repr=False, compare=False, default_factory=lambda: Memory(MOST_BELIEVED)
    )

    def __post_init__(self) -> None:
        registered = frozenset(signer.fingerprint for signer in self.signers)
        object.__setattr__(self, "fingerprints", registered)

    def anchors_at(self, at: datetime) -> tuple[x509.Certificate, ...]:
        """Return the anchors that count at this moment."""
        ended = {term.fingerprint for term in self.anchor_terms if not term.holds(at)}
        if not ended:
            return self.anchors
        return tuple(anchor for anchor in self.anchors if fingerprint_of(anchor) not in ended)


def _within(begins: datetime | None, at: datetime, ends: datetime | None) -> bool:
    return (begins is None or begins <= at) and (ends is None or at < ends)


def fingerprint_of(cert: x509.Certificate) -> str:
    """Return the SHA-256 of the DER form in lower-case hex."""
    return cert.fingerprint(hashes.SHA256()).hex()


def registered_signer(
    chain: Sequence[x509.Certificate], trust: PeerTrust, *, role: SignerRole, at: datetime
) -> Signer:
    """Return the signer at the head of a trusted chain, as registered for the peer's country.

    Raises:
        SignerNotRegisteredError: no entry in force covers this signer, country and role.
    """
    leaf = chain[0]
    own, issuers = fingerprint_of(leaf), {fingerprint_of(ca) for ca in chain[1:]}
    for entry in trust.signers:
        if entry.role is not role or entry.country != trust.country or not entry.holds(at):
            continue
        by_issuer = entry.fingerprint in issuers and _subject_country(leaf) == entry.country
        if entry.fingerprint == own or by_issuer:
            return Signer(
                country=entry.country,
                role=role,
                subject=leaf.subject.rfc4514_string(),
                fingerprint=own,
                not_after=leaf.not_valid_after_utc,
                authority_code=entry.authority_code,
            )
    raise SignerNotRegisteredError(
        f"{leaf.subject.rfc4514_string()} ({own[:16]}…) was not registered as {role.value} "
        f"of {trust.country} at {at.isoformat()}"
    )


def _subject_country(cert: x509.Certificate) -> str | None:
    names = cert.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    return str(names[0].value) if len(names) == 1 else None
