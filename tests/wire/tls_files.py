"""TLS certificate files for tests of the wire, issued by the gateway's own demonstration CA."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.trust.issuing import CertificateAuthority, Purpose, Validity
from gateway.trust.keys import (
    Credential,
    KeyKind,
    PrivateKey,
    distinguished_name,
    generate_key,
    key_usage,
    write_private,
)


@dataclass(frozen=True)
class Pair:
    """A TLS certificate file, its key file and its fingerprint."""

    cert: Path
    key: Path
    fingerprint: str


class TestAuthority:
    """Issues TLS certificates into a directory; real time, because OpenSSL reads the real clock."""

    __test__ = False

    def __init__(
        self, directory: Path, name: str, authority: CertificateAuthority | None = None
    ) -> None:
        self._directory = directory
        self._authority = authority or CertificateAuthority.root(
            distinguished_name(name, country="KE"), _days(30)
        )
        self.ca = directory / f"{name}.pem"
        self.ca.write_bytes(self._authority.cert.public_bytes(Encoding.PEM))

    def issue(self, name: str, *hosts: str, days: int = 30) -> Pair:
        credential = self._authority.issue(
            distinguished_name(name, country="KE"),
            _days(days),
            key=generate_key(KeyKind.EC_P256),
            purpose=Purpose.TLS,
            usage=key_usage("digital_signature"),
            hosts=hosts,
        )
        cert, key = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        shown = (credential.signing_cert, *credential.issuers)
        cert.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in shown))
        write_private(key, credential.key)
        return Pair(cert, key, credential.fingerprint)

    def signer(self, key: PrivateKey) -> Credential:
        """Return a credential that signs, as good as any but for who issued it."""
        return self._authority.issue(distinguished_name("signer", country="KE"), _days(30), key=key)


def _days(days: int) -> Validity:
    now = datetime.now(UTC)
    return Validity(begins=now - timedelta(days=60), ends=now + timedelta(days=days))
