"""Signers that every gateway must refuse, each for one reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.trust.demo_pki import HEAD_START, LIFE, CountryPki
from gateway.trust.issuing import CertificateAuthority, Purpose, Revoked, Validity
from gateway.trust.keys import Credential, KeyKind, distinguished_name, generate_key, key_usage


@dataclass(frozen=True, kw_only=True)
class RefusedCredentials:
    """Holds signers of one country that every gateway must refuse, and why.

    Attributes:
        crl: the country's revocation list that names ``revoked`` (superseded at ``now``) and
            ``compromised`` (key compromise at ``now``).
        foreign: same names, issued by a CA that nobody registered.
    """

    expired: Credential
    not_yet_valid: Credential
    revoked: Credential
    compromised: Credential
    foreign: Credential
    weak: Credential
    wrong_usage: Credential
    tls_only: Credential
    crl: x509.CertificateRevocationList


def make_refused_credentials(country: CountryPki, *, now: datetime) -> RefusedCredentials:
    """Return signers of this country that must be refused; nothing is written."""
    good = Validity(begins=now - HEAD_START, ends=now + LIFE)
    day = timedelta(days=1)
    subject = distinguished_name("Refused signer", country=country.country)
    foreign = CertificateAuthority.root(country.ca.cert.subject, good)

    def issue(ca: CertificateAuthority = country.ca, validity: Validity = good) -> Credential:
        return ca.issue(subject, validity, key=generate_key(KeyKind.EC_P256))

    revoked, compromised = issue(), issue()
    weak_key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    agreement_only = key_usage("key_agreement")
    return RefusedCredentials(
        expired=issue(validity=Validity(begins=now - HEAD_START, ends=now - day)),
        not_yet_valid=issue(validity=Validity(begins=now + day, ends=now + LIFE)),
        revoked=revoked,
        compromised=compromised,
        foreign=issue(ca=foreign),
        weak=country.ca.issue(subject, good, key=weak_key),
        wrong_usage=country.ca.issue(
            subject, good, key=generate_key(KeyKind.EC_P256), usage=agreement_only
        ),
        tls_only=country.ca.issue(
            subject, good, key=generate_key(KeyKind.EC_P256), purpose=Purpose.TLS
        ),
        crl=country.ca.revocation_list(
            [
                Revoked(
                    serial_number=revoked.signing_cert.serial_number,
                    since=now,
                    reason=x509.ReasonFlags.superseded,
                ),
                Revoked(
                    serial_number=compromised.signing_cert.serial_number,
                    since=now,
                    reason=x509.ReasonFlags.key_compromise,
                ),
            ],
            number=2,
            this_update=now,
            next_update=now + timedelta(days=30),
        ),
    )
