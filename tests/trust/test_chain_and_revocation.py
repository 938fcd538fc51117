"""Who may sign: chains, validity, keys, purposes, revocation and registration."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from gateway.errors import (
    RevocationUnknownError,
    SignatureInvalidError,
    SignatureShapeError,
    SignerExpiredError,
    SignerKeyError,
    SignerNotRegisteredError,
    SignerRevokedError,
    SignerUntrustedError,
)
from gateway.trust import (
    Credential,
    PeerTrust,
    RegisteredSigner,
    RevocationPolicy,
    SignerRole,
    fingerprint_of,
    sign,
    verify,
)
from gateway.trust.demo_pki import HEAD_START, LIFE, CountryPki, DemoPki
from gateway.trust.issuing import CertificateAuthority, Revoked, Validity
from gateway.trust.keys import KeyKind, distinguished_name, generate_key, key_usage
from tests.factories import NOW
from tests.trust.crafting import Recipe, craft, document
from tests.trust.refused_signers import RefusedCredentials

AUTHORITY = SignerRole.ISSUING_AUTHORITY
DAY = timedelta(days=1)
GOOD = Validity(begins=NOW - HEAD_START, ends=NOW + LIFE)


def registering(
    trust: PeerTrust, *credentials: Credential, role: SignerRole = AUTHORITY
) -> PeerTrust:
    """Return the trust with these credentials registered as well."""
    entries = tuple(
        RegisteredSigner(fingerprint=one.fingerprint, country=trust.country, role=role)
        for one in credentials
    )
    return replace(trust, signers=(*trust.signers, *entries))


def judge(
    credential: Credential, trust: PeerTrust, at: datetime = NOW, **options: object
) -> object:
    """Verify what this credential signed."""
    raw = craft(document(items=1), credential, Recipe(**options))  # type: ignore[arg-type]
    return verify(raw, trust, role=AUTHORITY, at=at)


# --- validity ---------------------------------------------------------------------------------


def test_an_expired_signer_is_refused_after_and_believed_before(
    trust: PeerTrust, refused: RefusedCredentials
) -> None:
    known = registering(trust, refused.expired)
    with pytest.raises(SignerExpiredError):
        judge(refused.expired, known, at=NOW)
    judge(refused.expired, known, at=refused.expired.signing_cert.not_valid_after_utc)
    judge(refused.expired, known, at=NOW - 2 * DAY)


def test_a_signer_is_refused_before_his_certificate_begins(
    trust: PeerTrust, refused: RefusedCredentials
) -> None:
    known = registering(trust, refused.not_yet_valid)
    with pytest.raises(SignerExpiredError):
        judge(refused.not_yet_valid, known, at=NOW)
    judge(refused.not_yet_valid, known, at=NOW + 2 * DAY)


def test_an_expired_stranger_is_called_a_stranger(
    trust: PeerTrust, refused: RefusedCredentials
) -> None:
    with pytest.raises(SignerUntrustedError):
        judge(refused.foreign, trust, at=NOW + 2 * LIFE)


# --- chains -----------------------------------------------------------------------------------


def test_a_signer_of_a_foreign_ca_is_refused_though_names_and_serials_agree(
    trust: PeerTrust, refused: RefusedCredentials
) -> None:
    with pytest.raises(SignerUntrustedError):
        judge(refused.foreign, trust)


def test_a_signer_whose_issuer_is_at_hand_needs_no_chain_in_the_message(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    credential = kenya.authority.credential
    judge(credential, trust, certificates=[credential.signing_cert])


def test_a_root_in_common_is_reached_through_the_issuing_ca_in_the_message(
    pki: DemoPki, kenya: CountryPki, trust: PeerTrust
) -> None:
    root_crl = pki.root.revocation_list(this_update=NOW, next_update=NOW + DAY)
    by_issuer = RegisteredSigner(
        fingerprint=fingerprint_of(kenya.ca.cert), country="KE", role=AUTHORITY
    )
    common = replace(
        trust, anchors=(pki.root.cert,), signers=(by_issuer,), crls=(*trust.crls, root_crl)
    )
    judge(kenya.authority.credential, common)
    with pytest.raises(SignerUntrustedError):
        judge(
            kenya.authority.credential,
            common,
            certificates=[kenya.authority.credential.signing_cert],
        )


def test_another_countrys_signer_is_refused_even_below_a_root_in_common(
    pki: DemoPki, zambia: CountryPki, trust: PeerTrust
) -> None:
    with pytest.raises(SignerUntrustedError):
        judge(zambia.authority.credential, trust)
    root_crl = pki.root.revocation_list(this_update=NOW, next_update=NOW + DAY)
    common = replace(trust, anchors=(pki.root.cert,), crls=(root_crl, zambia.crl))
    with pytest.raises(SignerNotRegisteredError):
        judge(zambia.authority.credential, common)


def test_an_end_entity_cannot_issue_signers(kenya: CountryPki, trust: PeerTrust) -> None:
    holder = kenya.authority.credential
    false_ca = CertificateAuthority(key=holder.key, cert=holder.signing_cert, chain=holder.chain)
    name = distinguished_name("Forged", country="KE")
    forged = false_ca.issue(name, GOOD, key=generate_key(KeyKind.EC_P256))
    with pytest.raises(SignerUntrustedError):
        judge(forged, trust, certificates=[forged.signing_cert, kenya.ca.cert])
    with pytest.raises(SignatureShapeError):
        judge(forged, trust, certificates=[forged.signing_cert, holder.signing_cert])
    as_anchor = replace(trust, anchors=(holder.signing_cert,))
    with pytest.raises(SignerUntrustedError):
        judge(forged, as_anchor, certificates=[forged.signing_cert])
    as_ca = false_ca.subordinate(name, GOOD)
    with pytest.raises((SignerUntrustedError, SignatureInvalidError)):
        judge(
            Credential(key=as_ca.key, signing_cert=as_ca.cert),
            trust,
            certificates=[as_ca.cert, holder.signing_cert],
        )


def test_a_pinned_certificate_needs_no_anchor(
    trust: PeerTrust, refused: RefusedCredentials
) -> None:
    pinned = registering(
        replace(trust, anchors=(), revocation=RevocationPolicy.WHEN_KNOWN), refused.foreign
    )
    judge(refused.foreign, pinned)
    with pytest.raises(SignerExpiredError):
        judge(refused.foreign, pinned, at=NOW + 2 * LIFE)


# --- keys and purposes ------------------------------------------------------------------------


def issued(
    kenya: CountryPki, key: object, *, name: x509.Name | None = None, **options: object
) -> Credential:
    subject = name or distinguished_name("KE signer", country="KE")
    return kenya.ca.issue(subject, GOOD, key=key, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("which", ["weak", "wrong_usage", "tls_only"])
def test_weak_keys_and_keys_for_something_else_may_not_sign(
    trust: PeerTrust, refused: RefusedCredentials, which: str
) -> None:
    credential = getattr(refused, which)
    with pytest.raises(SignerKeyError):
        judge(credential, registering(trust, credential))


@pytest.mark.parametrize(
    "curve", [ec.SECP192R1(), ec.SECP256K1(), ec.SECP521R1(), ec.BrainpoolP256R1()]
)
def test_only_two_curves_may_sign(
    kenya: CountryPki, trust: PeerTrust, curve: ec.EllipticCurve
) -> None:
    credential = issued(kenya, ec.generate_private_key(curve))
    with pytest.raises(SignerKeyError, match="curve"):
        judge(credential, registering(trust, credential))


def test_a_small_exponent_may_not_sign(kenya: CountryPki, trust: PeerTrust) -> None:
    credential = issued(kenya, rsa.generate_private_key(public_exponent=3, key_size=2048))
    with pytest.raises(SignerKeyError, match="exponent"):
        judge(credential, registering(trust, credential))


def test_a_seal_for_content_commitment_alone_may_sign(kenya: CountryPki, trust: PeerTrust) -> None:
    seal = issued(kenya, generate_key(KeyKind.EC_P256), usage=key_usage("content_commitment"))
    judge(seal, registering(trust, seal))


def test_a_ca_may_not_sign_documents(kenya: CountryPki, trust: PeerTrust) -> None:
    as_signer = Credential(key=kenya.ca.key, signing_cert=kenya.ca.cert)
    with pytest.raises(SignerKeyError):
        judge(as_signer, registering(trust, as_signer))


def self_signed(*extensions: x509.ExtensionType, name: x509.Name | None = None) -> Credential:
    key = generate_key(KeyKind.EC_P256)
    subject = name or distinguished_name("Self", country="KE")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(GOOD.begins)
        .not_valid_after(GOOD.ends)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return Credential(key=key, signing_cert=builder.sign(key, hashes.SHA256()))


def test_a_pinned_self_signed_certificate_may_sign(trust: PeerTrust) -> None:
    own = self_signed(key_usage("digital_signature"))
    judge(own, registering(trust, own))
    with pytest.raises(SignerUntrustedError):
        judge(own, trust)


def test_a_certificate_without_key_usage_may_not_sign(trust: PeerTrust) -> None:
    own = self_signed()
    with pytest.raises(SignerKeyError, match="states no key usage"):
        judge(own, registering(trust, own))


@pytest.mark.parametrize(
    "names",
    [
        [(NameOID.COMMON_NAME, "KE authority\x00.evil")],
        [(NameOID.COMMON_NAME, "KE authority"), (NameOID.COMMON_NAME, "ZM authority")],
        [(NameOID.COUNTRY_NAME, "ZM"), (NameOID.COMMON_NAME, "KE authority")],
        [(NameOID.COMMON_NAME, "KE \u202eytirohtua")],
    ],
)
def test_deceptive_names_are_refused(kenya: CountryPki, trust: PeerTrust, names: list) -> None:
    attributes = [(NameOID.COUNTRY_NAME, "KE"), *names]
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    credential = issued(kenya, generate_key(KeyKind.EC_P256), name=name)
    with pytest.raises(SignerUntrustedError, match="subject"):
        judge(credential, registering(trust, credential))


# --- revocation -------------------------------------------------------------------------------


def test_what_was_signed_before_revocation_stays_good(
    trust: PeerTrust, refused: RefusedCredentials
) -> None:
    known = replace(registering(trust, refused.revoked), crls=(refused.crl,))
    judge(refused.revoked, known, at=NOW - DAY)
    with pytest.raises(SignerRevokedError, match="superseded"):
        judge(refused.revoked, known, at=NOW)
    with pytest.raises(SignerRevokedError):
        judge(refused.revoked, known, at=NOW + DAY)


def test_a_compromised_key_spoils_what_was_signed_before_too(
    trust: PeerTrust, refused: RefusedCredentials
) -> None:
    known = replace(registering(trust, refused.compromised), crls=(refused.crl,))
    with pytest.raises(SignerRevokedError, match="keyCompromise"):
        judge(refused.compromised, known, at=NOW - 30 * DAY)


def test_the_newest_list_counts(
    kenya: CountryPki, trust: PeerTrust, refused: RefusedCredentials
) -> None:
    known = replace(registering(trust, refused.revoked), crls=(kenya.crl, refused.crl))
    with pytest.raises(SignerRevokedError):
        judge(refused.revoked, known)


def test_without_a_list_revocation_is_unknown_where_one_is_required(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    bare = replace(trust, crls=())
    with pytest.raises(RevocationUnknownError, match="no revocation list"):
        judge(kenya.authority.credential, bare)
    judge(kenya.authority.credential, replace(bare, revocation=RevocationPolicy.WHEN_KNOWN))


def test_a_stale_list_leaves_revocation_unknown(kenya: CountryPki, trust: PeerTrust) -> None:
    stale = kenya.ca.revocation_list(this_update=NOW - 9 * DAY, next_update=NOW - DAY)
    with pytest.raises(RevocationUnknownError, match="due for renewal"):
        judge(kenya.authority.credential, replace(trust, crls=(stale,)))
    judge(kenya.authority.credential, replace(trust, crls=(stale,)), at=NOW - 2 * DAY)


def test_a_stale_list_still_revokes(kenya: CountryPki, trust: PeerTrust) -> None:
    serial = kenya.authority.credential.signing_cert.serial_number
    stale = kenya.ca.revocation_list(
        [Revoked(serial_number=serial, since=NOW - 9 * DAY)],
        this_update=NOW - 9 * DAY,
        next_update=NOW - 8 * DAY,
    )
    lenient = replace(trust, crls=(stale,), revocation=RevocationPolicy.WHEN_KNOWN)
    with pytest.raises(SignerRevokedError, match="no reason"):
        judge(kenya.authority.credential, lenient)


def test_a_forged_list_neither_revokes_nor_clears(kenya: CountryPki, trust: PeerTrust) -> None:
    impostor = CertificateAuthority.root(kenya.ca.cert.subject, GOOD)
    serial = kenya.authority.credential.signing_cert.serial_number
    forged = impostor.revocation_list(
        [Revoked(serial_number=serial, since=NOW - DAY)], this_update=NOW, next_update=NOW + DAY
    )
    with pytest.raises(RevocationUnknownError):
        judge(kenya.authority.credential, replace(trust, crls=(forged,)))
    judge(kenya.authority.credential, replace(trust, crls=(forged, kenya.crl)))


def test_another_issuers_list_says_nothing(
    kenya: CountryPki, zambia: CountryPki, trust: PeerTrust
) -> None:
    with pytest.raises(RevocationUnknownError):
        judge(kenya.authority.credential, replace(trust, crls=(zambia.crl,)))


def test_a_list_that_covers_only_a_part_says_nothing(kenya: CountryPki, trust: PeerTrust) -> None:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(kenya.ca.cert.subject)
        .last_update(NOW)
        .next_update(NOW + DAY)
        .add_extension(x509.DeltaCRLIndicator(1), critical=True)
    )
    delta = builder.sign(kenya.ca.key, hashes.SHA256())
    with pytest.raises(RevocationUnknownError):
        judge(kenya.authority.credential, replace(trust, crls=(delta,)))


def test_the_issuing_ca_may_be_revoked_by_its_root(
    pki: DemoPki, kenya: CountryPki, trust: PeerTrust
) -> None:
    root_crl = pki.root.revocation_list(
        [Revoked(serial_number=kenya.ca.cert.serial_number, since=NOW - DAY)],
        this_update=NOW,
        next_update=NOW + DAY,
    )
    common = replace(trust, anchors=(pki.root.cert,), crls=(kenya.crl, root_crl))
    with pytest.raises(SignerRevokedError):
        judge(kenya.authority.credential, common)


def test_a_pinned_signer_is_asked_after_when_his_issuer_is_not_at_hand(
    trust: PeerTrust, refused: RefusedCredentials
) -> None:
    pinned = registering(replace(trust, anchors=()), refused.foreign)
    with pytest.raises(RevocationUnknownError):
        judge(refused.foreign, pinned)


def entry(
    kenya: CountryPki, serial: int, *extensions: x509.ExtensionType
) -> x509.CertificateRevocationList:
    revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW)
    for extension in extensions:
        revoked = revoked.add_extension(extension, critical=False)
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(kenya.ca.cert.subject)
        .last_update(NOW)
        .next_update(NOW + DAY)
        .add_revoked_certificate(revoked.build())
        .sign(kenya.ca.key, hashes.SHA256())
    )


def test_an_invalidity_date_counts_when_it_is_earlier(kenya: CountryPki, trust: PeerTrust) -> None:
    serial = kenya.authority.credential.signing_cert.serial_number
    since = (NOW - 9 * DAY).replace(tzinfo=None)
    known = replace(trust, crls=(entry(kenya, serial, x509.InvalidityDate(since)),))
    with pytest.raises(SignerRevokedError):
        judge(kenya.authority.credential, known, at=NOW - 8 * DAY)
    judge(kenya.authority.credential, known, at=NOW - 10 * DAY)


def test_an_entry_taken_off_the_list_revokes_nothing(kenya: CountryPki, trust: PeerTrust) -> None:
    serial = kenya.authority.credential.signing_cert.serial_number
    crl = entry(kenya, serial, x509.CRLReason(x509.ReasonFlags.remove_from_crl))
    judge(kenya.authority.credential, replace(trust, crls=(crl,)))


# --- registration -----------------------------------------------------------------------------


def test_a_signer_registered_in_another_role_is_refused(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    with pytest.raises(SignerNotRegisteredError, match="ISSUING_AUTHORITY of KE"):
        judge(kenya.gateway.credential, trust)


def test_a_signer_registered_for_another_country_is_refused(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    elsewhere = RegisteredSigner(
        fingerprint=kenya.authority.fingerprint, country="UG", role=AUTHORITY
    )
    with pytest.raises(SignerNotRegisteredError):
        judge(kenya.authority.credential, replace(trust, signers=(elsewhere,)))


def test_registration_is_judged_at_the_time_that_counts(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    spell = RegisteredSigner(
        fingerprint=kenya.authority.fingerprint,
        country="KE",
        role=AUTHORITY,
        valid_from=NOW - 2 * DAY,
        valid_until=NOW,
    )
    known = replace(trust, signers=(spell,))
    for at in (NOW - 2 * DAY, NOW - DAY):
        judge(kenya.authority.credential, known, at=at)
    for at in (NOW - 3 * DAY, NOW, NOW + DAY):
        with pytest.raises(SignerNotRegisteredError):
            judge(kenya.authority.credential, known, at=at)


def test_signers_may_be_registered_by_their_issuing_ca_and_country(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    by_issuer = RegisteredSigner(
        fingerprint=fingerprint_of(kenya.ca.cert),
        country="KE",
        role=AUTHORITY,
        authority_code="KE01",
    )
    known = replace(trust, signers=(by_issuer,))
    verified = verify(sign(document(), kenya.officers[1].credential), known, role=AUTHORITY, at=NOW)
    assert verified.signer.authority_code == "KE01"
    elsewhere = issued(
        kenya, generate_key(KeyKind.EC_P256), name=distinguished_name("Officer", country="UG")
    )
    with pytest.raises(SignerNotRegisteredError):
        judge(elsewhere, known)


def test_a_registered_issuing_ca_is_an_anchor(kenya: CountryPki, trust: PeerTrust) -> None:
    by_issuer = RegisteredSigner(
        fingerprint=fingerprint_of(kenya.ca.cert), country="KE", role=AUTHORITY
    )
    judge(kenya.authority.credential, replace(trust, anchors=(), signers=(by_issuer,)))


def test_trust_of_a_signer_does_not_excuse_his_signature(
    kenya: CountryPki, trust: PeerTrust
) -> None:
    raw = sign(document(), kenya.authority.credential)
    value = raw.split(b"<ds:SignatureValue>")[1][:8]
    with pytest.raises(SignatureInvalidError):
        verify(raw.replace(value, value[::-1]), trust, role=AUTHORITY, at=NOW)


def test_certificates_in_key_info_are_compared_as_der(kenya: CountryPki, trust: PeerTrust) -> None:
    credential = kenya.authority.credential
    twice = [credential.signing_cert, credential.signing_cert]
    assert twice[0].public_bytes(serialization.Encoding.DER)
    judge(credential, trust, certificates=twice)
