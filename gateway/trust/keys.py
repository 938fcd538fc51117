"""Keys and credentials of our own: loading, making, and what makes a key strong enough.

Keys are loaded once and kept as objects (parsing one costs more than signing with it).  Only
RSA of 2048 bits or more and the curves P-256 and P-384 are taken, for ourselves and for peers.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from gateway.errors import ConfigError, SignerKeyError
from gateway.trust.registry import fingerprint_of
from gateway.trust.values import EllipticSigner, RsaSigner, ValueSigner
from gateway.trust.written import certificates_text

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
"""More bits cost the verifier without making forgery harder."""

MIN_RSA_EXPONENT: Final = 65537
CURVES: Final = frozenset({"secp256r1", "secp384r1"})

SIGNING: Final = ("digital_signature", "content_commitment")
"""Key usage of a signing certificate."""

_USAGE_BITS: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class KeyKind(StrEnum):
    """Names the kinds of key that this gateway makes."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    EC_P256 = "p-256"
    EC_P384 = "p-384"


@dataclass(frozen=True, kw_only=True)
class Credential:
    """Holds a private key with its signing certificate and the issuers above it.

    Attributes:
        chain: issuing CA first; the root may be left out.
    """

    key: PrivateKey = field(repr=False)
    signing_cert: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def from_pem(
        cls, key_pem: bytes, certs_pem: bytes, password: bytes | None = None
    ) -> Credential:
        """Return the credential of a PEM key and a PEM chain, signing certificate first.

        Raises:
            ConfigError: unreadable, too weak, or key and certificate do not belong together.
        """
        try:
            key = serialization.load_pem_private_key(key_pem, password)
            certs = x509.load_pem_x509_certificates(certs_pem)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise ConfigError(f"the signing key or certificate cannot be read: {exc}") from exc
        return cls._checked(key, certs)

    @classmethod
    def from_pkcs12(cls, data: bytes, password: bytes | None) -> Credential:
        """Return the credential of a PKCS#12 file.

        Raises:
            ConfigError: unreadable, wrong password, too weak, or nothing to sign with inside.
        """
        try:
            key, cert, issuers = pkcs12.load_key_and_certificates(data, password)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise ConfigError(f"the PKCS#12 file cannot be read: {exc}") from exc
        return cls._checked(key, [] if cert is None else [cert, *_upwards(cert, issuers)])

    @classmethod
    def _checked(cls, key: object, certs: Sequence[x509.Certificate]) -> Credential:
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ConfigError("the signing key is neither RSA nor an elliptic curve key")
        if not certs:
            raise ConfigError("no signing certificate stands beside the key")
        if certs[0].public_key() != key.public_key():
            raise ConfigError("the first certificate does not belong to the key")
        try:
            require_strong(key.public_key())
        except SignerKeyError as exc:
            raise ConfigError(f"the signing key: {exc.detail}") from exc
        return cls(key=key, signing_cert=certs[0], chain=tuple(certs[1:]))

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the signing certificate's DER form in lower-case hex."""
        return fingerprint_of(self.signing_cert)

    def holds_at(self, moment: datetime) -> bool:
        """Return whether the signing certificate is valid at this moment, as far as it says."""
        cert = self.signing_cert
        return cert.not_valid_before_utc <= moment <= cert.not_valid_after_utc

    @property
    def issuers(self) -> tuple[x509.Certificate, ...]:
        """The chain without a root: what a receiver needs beside the signing certificate."""
        return tuple(ca for ca in self.chain if ca.subject != ca.issuer)

    @cached_property
    def value_signer(self) -> ValueSigner:
        """What makes this credential's signature values; a key in a token gives another one."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return RsaSigner(self.key)
        return EllipticSigner(self.key)

    @cached_property
    def certificates_text(self) -> bytes:
        """Signing certificate and issuers as they stand in every signature."""
        encoding = serialization.Encoding.PEM
        shown = (self.signing_cert, *self.issuers)
        return certificates_text([cert.public_bytes(encoding) for cert in shown])

    def __repr__(self) -> str:
        """Return subject and fingerprint; never the key."""
        subject = self.signing_cert.subject.rfc4514_string()
        return f"Credential({subject}, {self.fingerprint[:16]}…)"


def require_strong(key: object) -> None:
    """Return if a public key is of a kind and size that may sign.

    Raises:
        SignerKeyError: neither RSA of 2048 to 8192 bits nor P-256 nor P-384.
    """
    if isinstance(key, rsa.RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise SignerKeyError(f"RSA key of {key.key_size} bits")
        if key.public_numbers().e < MIN_RSA_EXPONENT:
            raise SignerKeyError(f"RSA key with exponent {key.public_numbers().e}")
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in CURVES:
            raise SignerKeyError(f"elliptic curve {key.curve.name}")
    else:
        raise SignerKeyError(f"key of type {type(key).__name__}")


def generate_key(kind: KeyKind) -> PrivateKey:
    """Return a new private key."""
    match kind:
        case KeyKind.RSA_2048:
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case KeyKind.RSA_3072:
            return rsa.generate_private_key(public_exponent=65537, key_size=3072)
        case KeyKind.EC_P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyKind.EC_P384:
            return ec.generate_private_key(ec.SECP384R1())


def make_csr(
    key: PrivateKey,
    *,
    common_name: str,
    country: str,
    organisation: str | None = None,
    host: str | None = None,
) -> bytes:
    """Return a PKCS#10 request in PEM, to be sent to the national CA.

    Args:
        host: DNS name or address of a TLS server; None asks for a signing certificate.

    Raises:
        ConfigError: a name that X.509 does not take.
    """
    try:
        request = x509.CertificateSigningRequestBuilder().subject_name(
            distinguished_name(common_name, country=country, organisation=organisation)
        )
        if host is None:
            request = request.add_extension(key_usage(*SIGNING), critical=True)
        else:
            request = request.add_extension(key_usage("digital_signature"), critical=True)
            names = x509.SubjectAlternativeName([general_name(host)])
            request = request.add_extension(names, critical=False)
    except ValueError as exc:
        raise ConfigError(f"the names of the request: {exc}") from exc
    return request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def distinguished_name(
    common_name: str, *, country: str, organisation: str | None = None
) -> x509.Name:
    """Return a subject with country, organisation and common name."""
    parts = [(NameOID.COUNTRY_NAME, country), (NameOID.COMMON_NAME, common_name)]
    if organisation is not None:
        parts.insert(1, (NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def general_name(host: str) -> x509.GeneralName:
    """Return a host as it stands in a subject alternative name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def key_usage(*bits: str) -> x509.KeyUsage:
    """Return a key usage with these bits, named as ``x509.KeyUsage`` names them."""
    return x509.KeyUsage(**{bit: bit in bits for bit in _USAGE_BITS})


def key_to_pem(key: PrivateKey, password: bytes | None = None) -> bytes:
    """Return the key as PKCS#8 PEM, encrypted when there is a password."""
    protection: serialization.KeySerializationEncryption = (
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password)
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )


def write_private(path: Path, key: PrivateKey, password: bytes | None = None) -> None:
    """Write a key to a file that only its owner may read; replaces an older file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o600)
        file.write(key_to_pem(key, password))


def _upwards(cert: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the issuers of a certificate in order; PKCS#12 files keep none."""
    above: list[x509.Certificate] = []
    while cert.issuer != cert.subject:
        issuer = next((ca for ca in others if ca.subject == cert.issuer and ca not in above), None)
        if issuer is None:
            break
        above.append(issuer)
        cert = issuer
    return above
