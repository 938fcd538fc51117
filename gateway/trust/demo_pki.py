"""The demonstration PKI: everything two or more countries need to exchange on one machine.

One regional root for TLS, one issuing CA per country, and below it the country's gateway,
issuing authority, officers, customs and an exporter.  The layout on disk is explained in
``certs/README.md``.  Keys are made anew each time and never committed.

Peers trust a country's *issuing CA*, never the regional root: a root in common would let one
country's CA speak for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.errors import NotFoundError
from gateway.trust.algorithms import STRICT, SignaturePolicy
from gateway.trust.issuing import CertificateAuthority, Purpose, Validity
from gateway.trust.keys import (
    Credential,
    KeyKind,
    distinguished_name,
    generate_key,
    key_usage,
    write_private,
)
from gateway.trust.registry import PeerTrust, RegisteredSigner, RevocationPolicy, SignerRole

HOSTS: Final = ("localhost", "127.0.0.1", "::1")
LIFE: Final = timedelta(days=3 * 365)
HEAD_START: Final = timedelta(days=90)
"""Certificates begin this long before ``now``, so that documents issued earlier verify too."""

_PEM: Final = serialization.Encoding.PEM


@dataclass(frozen=True, kw_only=True)
class DemoCredential:
    """Is a credential with the files that hold it: PEM key, and PEM chain with issuing CA."""

    credential: Credential
    key_path: Path
    cert_path: Path

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate's DER form in lower-case hex."""
        return self.credential.fingerprint


@dataclass(frozen=True, kw_only=True)
class CountryPki:
    """Is what one country holds.

    Attributes:
        ca: its issuing CA, which is also what peers register as anchor.
        officers: issuing officers, registered as issuing authority.
        tls: server and client certificate of the gateway; its file ends with the regional root,
            which the other side's TLS must chain to.
    """

    country: str
    directory: Path
    ca: CertificateAuthority
    ca_path: Path
    crl: x509.CertificateRevocationList
    crl_path: Path
    gateway: DemoCredential
    authority: DemoCredential
    officers: tuple[DemoCredential, ...]
    customs: DemoCredential
    exporter: DemoCredential
    tls: DemoCredential

    def signers(self, *, authority_code: str | None = None) -> tuple[RegisteredSigner, ...]:
        """Return the entries that a peer registers for this country."""
        roles = [
            (self.gateway, SignerRole.GATEWAY),
            *((one, SignerRole.ISSUING_AUTHORITY) for one in (self.authority, *self.officers)),
            (self.customs, SignerRole.CUSTOMS),
            (self.exporter, SignerRole.EXPORTER),
        ]
        return tuple(
            RegisteredSigner(
                fingerprint=holder.fingerprint,
                country=self.country,
                role=role,
                authority_code=authority_code if role is SignerRole.ISSUING_AUTHORITY else None,
            )
            for holder, role in roles
        )

    def trust(
        self,
        *,
        policy: SignaturePolicy = STRICT,
        revocation: RevocationPolicy = RevocationPolicy.REQUIRE,
        authority_code: str | None = None,
    ) -> PeerTrust:
        """Return what a peer of this country trusts."""
        return PeerTrust(
            country=self.country,
            anchors=(self.ca.cert,),
            signers=self.signers(authority_code=authority_code),
            crls=(self.crl,),
            policy=policy,
            revocation=revocation,
        )


@dataclass(frozen=True, kw_only=True)
class DemoPki:
    """Is the whole demonstration PKI."""

    directory: Path
    root: CertificateAuthority
    root_path: Path
    countries: Mapping[str, CountryPki]

    def credential_files(self, country: str, name: str) -> tuple[Path, Path]:
        """Return key file and certificate file of a holder by the stem of its files.

        Raises:
            NotFoundError: no such country or holder.
        """
        key_path = self.directory / country / f"{name}.key"
        if country not in self.countries or not key_path.is_file():
            raise NotFoundError(f"the demonstration PKI holds no {country}/{name}")
        return key_path, key_path.with_suffix(".pem")

    def crl_texts(self, country: str) -> tuple[str, ...]:
        """Return the revocation lists of a country in PEM."""
        return (self.countries[country].crl.public_bytes(_PEM).decode(),)


def make_demo_pki(directory: Path, countries: Sequence[str], *, now: datetime) -> DemoPki:
    """Return a new demonstration PKI for these countries, written below ``directory``.

    Args:
        countries: ISO 3166 alpha-2 codes.
        now: certificates are valid from 90 days before to three years after it, revocation
            lists for one year.
    """
    validity = Validity(begins=now - HEAD_START, ends=now + LIFE)
    root = CertificateAuthority.root(
        distinguished_name("eCO demo root CA", country=countries[0]),
        validity,
    )
    root_path = directory / "root.pem"
    _write_public(root_path, root.cert.public_bytes(_PEM))
    write_private(directory / "root.key", root.key)
    made = {
        code: _country(directory / code, code, root, validity=validity, now=now)
        for code in countries
    }
    return DemoPki(
        directory=directory, root=root, root_path=root_path, countries=MappingProxyType(made)
    )


def _country(
    directory: Path, code: str, root: CertificateAuthority, *, validity: Validity, now: datetime
) -> CountryPki:
    ca = root.subordinate(_ca_subject(code), validity)
    crl = ca.revocation_list(
        this_update=now - timedelta(hours=1), next_update=now + timedelta(days=365)
    )

    def signer(file: str, name: str, kind: KeyKind) -> DemoCredential:
        key = generate_key(kind)
        return _written(directory / file, ca.issue(_subject(code, name), validity, key=key))

    made = CountryPki(
        country=code,
        directory=directory,
        ca=ca,
        ca_path=directory / "ca.pem",
        crl=crl,
        crl_path=directory / "ca.crl.pem",
        gateway=signer("gateway", "eCO gateway", KeyKind.RSA_2048),
        authority=signer("authority", "issuing authority", KeyKind.EC_P256),
        officers=(
            signer("officer-1", "issuing officer 1", KeyKind.EC_P384),
            signer("officer-2", "issuing officer 2", KeyKind.EC_P256),
        ),
        customs=signer("customs", "customs administration", KeyKind.RSA_2048),
        exporter=signer("exporter", "exporter", KeyKind.EC_P256),
        tls=_written(directory / "tls", _tls(ca, code, validity), with_root=True),
    )
    _write_public(made.ca_path, ca.cert.public_bytes(_PEM))
    _write_public(made.crl_path, crl.public_bytes(_PEM))
    write_private(directory / "ca.key", ca.key)
    return made


def _tls(ca: CertificateAuthority, code: str, validity: Validity) -> Credential:
    return ca.issue(
        _subject(code, "eCO gateway TLS"),
        validity,
        key=generate_key(KeyKind.EC_P256),
        purpose=Purpose.TLS,
        usage=key_usage("digital_signature"),
        hosts=HOSTS,
    )


def _subject(code: str, name: str) -> x509.Name:
    return distinguished_name(f"{code} {name}", country=code, organisation=f"Demonstration {code}")


def _ca_subject(code: str) -> x509.Name:
    return _subject(code, "eCO demo issuing CA")


def _written(path: Path, credential: Credential, *, with_root: bool = False) -> DemoCredential:
    """Write ``<path>.key`` and ``<path>.pem``."""
    key_path, cert_path = path.with_suffix(".key"), path.with_suffix(".pem")
    write_private(key_path, credential.key)
    above = credential.chain if with_root else credential.issuers
    certs = (credential.signing_cert, *above)
    _write_public(cert_path, b"".join(cert.public_bytes(_PEM) for cert in certs))
    return DemoCredential(credential=credential, key_path=key_path, cert_path=cert_path)


def _write_public(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
