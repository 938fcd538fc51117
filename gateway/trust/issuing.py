"""A small CA: issues signing and TLS certificates and revocation lists.

For demonstrations, tests and trials on one machine.  A member state's real
certificates come from its national CA; this module then only makes the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.trust.keys import (
    SIGNING,
    Credential,
    KeyKind,
    PrivateKey,
    general_name,
    generate_key,
    key_usage,
)


class Purpose(Enum):
    """Says what a certificate is for, by its extended key usage."""

    SIGNING = ()
    TLS = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True, kw_only=True)
class Validity:
    """Is the span in which a certificate is valid."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """Is an entry of a revocation list."""

    serial_number: int
    since: datetime
    reason: x509.ReasonFlags | None = None


@dataclass(frozen=True, kw_only=True)
class CertificateAuthority:
    """Holds a CA's key and certificate, and issues.

    Attributes:
        chain: CA certificates above this one.
    """

    key: PrivateKey = field(repr=False)
    cert: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def root(cls, subject: x509.Name, validity: Validity) -> CertificateAuthority:
        """Return a new root CA."""
        key = generate_key(KeyKind.EC_P384)
        builder = _ca_builder(
            key, subject=subject, issuer=subject, validity=validity, path_length=2
        )
        return cls(key=key, cert=builder.sign(key, hashes.SHA384()))

    def subordinate(self, subject: x509.Name, validity: Validity) -> CertificateAuthority:
        """Return a new CA below this one, which issues to end entities only."""
        key = generate_key(KeyKind.EC_P256)
        builder = _ca_builder(
            key,
            subject=subject,
            issuer=self.cert.subject,
            validity=validity,
            path_length=0,
        )
        builder = builder.add_extension(self._key_identifier(), critical=False)
        return CertificateAuthority(
            key=key, cert=builder.sign(self.key, hashes.SHA256()), chain=(self.cert, *self.chain)
        )

    def issue(
        self,
        subject: x509.Name,
        validity: Validity,
        *,
        key: PrivateKey,
        purpose: Purpose = Purpose.SIGNING,
        usage: x509.KeyUsage | None = None,
        hosts: Sequence[str] = (),
    ) -> Credential:
        """Return a credential for this key.

        Args:
            usage: key usage; by default what signing certificates carry.
            hosts: DNS names and IP addresses of a TLS server.
        """
        builder = _builder(key, subject=subject, issuer=self.cert.subject, validity=validity)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(usage or key_usage(*SIGNING), critical=True)
        builder = builder.add_extension(self._key_identifier(), critical=False)
        if purpose.value:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purpose.value), critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        cert = builder.sign(self.key, hashes.SHA256())
        return Credential(key=key, signing_cert=cert, chain=(self.cert, *self.chain))

    def revocation_list(
        self,
        revoked: Sequence[Revoked] = (),
        *,
        number: int = 1,
        this_update: datetime,
        next_update: datetime,
    ) -> x509.CertificateRevocationList:
        """Return a signed revocation list."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.cert.subject)
            .last_update(this_update)
            .next_update(next_update)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(self._key_identifier(), critical=False)
        )
        for entry in revoked:
            builder = builder.add_revoked_certificate(_revoked(entry))
        return builder.sign(self.key, hashes.SHA256())

    def _key_identifier(self) -> x509.AuthorityKeyIdentifier:
        own = self.cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own.value)


def _revoked(entry: Revoked) -> x509.RevokedCertificate:
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(entry.serial_number)
        .revocation_date(entry.since)
    )
    if entry.reason is not None:
        builder = builder.add_extension(x509.CRLReason(entry.reason), critical=False)
    return builder.build()


def _builder(
    key: PrivateKey,
    *,
    subject: x509.Name,
    issuer: x509.Name,
    validity: Validity,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.begins)
        .not_valid_after(validity.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _ca_builder(
    key: PrivateKey,
    *,
    subject: x509.Name,
    issuer: x509.Name,
    validity: Validity,
    path_length: int,
) -> x509.CertificateBuilder:
    builder = _builder(key, subject=subject, issuer=issuer, validity=validity)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), True)
    return builder.add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
