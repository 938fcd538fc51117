"""Our own keys are loaded once, checked, and never shown; the demonstration PKI is whole."""

from __future__ import annotations

import ssl
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from gateway.errors import ConfigError, NotFoundError, SignerKeyError
from gateway.trust import (
    Credential,
    KeyKind,
    SignerRole,
    generate_key,
    key_to_pem,
    make_csr,
    make_demo_pki,
    require_signing_cert,
    sign,
    verify,
    write_private,
)
from gateway.trust.demo_pki import CountryPki, DemoPki
from tests.factories import NOW
from tests.trust.crafting import document

PEM = serialization.Encoding.PEM


def certs_pem(credential: Credential) -> bytes:
    return b"".join(c.public_bytes(PEM) for c in (credential.signing_cert, *credential.chain))


def test_a_credential_is_read_from_pem(kenya: CountryPki) -> None:
    made = kenya.authority
    read = Credential.from_pem(made.key_path.read_bytes(), made.cert_path.read_bytes())
    assert read.fingerprint == made.fingerprint
    assert read.issuers == (kenya.ca.cert,)


def test_a_credential_is_read_from_encrypted_pem(kenya: CountryPki) -> None:
    key_pem = key_to_pem(kenya.authority.credential.key, b"secret")
    certs = certs_pem(kenya.authority.credential)
    assert Credential.from_pem(key_pem, certs, b"secret").fingerprint == kenya.authority.fingerprint
    for password in (None, b"wrong"):
        with pytest.raises(ConfigError, match="cannot be read"):
            Credential.from_pem(key_pem, certs, password)


def test_a_credential_is_read_from_pkcs12_in_whatever_order(kenya: CountryPki) -> None:
    made = kenya.gateway.credential
    data = pkcs12.serialize_key_and_certificates(
        b"gateway",
        made.key,
        made.signing_cert,
        list(reversed(made.chain)),
        serialization.BestAvailableEncryption(b"secret"),
    )
    read = Credential.from_pkcs12(data, b"secret")
    assert read.signing_cert == made.signing_cert
    assert read.chain == made.chain
    for wrong in (data[:50], b""):
        with pytest.raises(ConfigError):
            Credential.from_pkcs12(wrong, b"secret")
    with pytest.raises(ConfigError):
        Credential.from_pkcs12(data, b"wrong")


def test_a_pkcs12_file_without_certificate_is_refused(kenya: CountryPki) -> None:
    data = pkcs12.serialize_key_and_certificates(
        b"x", kenya.gateway.credential.key, None, None, serialization.NoEncryption()
    )
    with pytest.raises(ConfigError, match="no signing certificate"):
        Credential.from_pkcs12(data, None)


def test_a_key_that_does_not_fit_its_certificate_is_refused(kenya: CountryPki) -> None:
    with pytest.raises(ConfigError, match="does not belong"):
        Credential.from_pem(
            key_to_pem(kenya.customs.credential.key), certs_pem(kenya.gateway.credential)
        )


def test_weak_and_odd_keys_of_our_own_are_refused(kenya: CountryPki, refused: object) -> None:
    weak: Credential = refused.weak  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="1024 bits"):
        Credential.from_pem(key_to_pem(weak.key), certs_pem(weak))
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ConfigError, match="neither RSA"):
        Credential.from_pem(other, certs_pem(weak))


def test_a_credential_never_shows_its_key(kenya: CountryPki) -> None:
    shown = f"{kenya.authority.credential!r} {kenya.authority.credential} {kenya.authority}"
    assert "PrivateKey" not in shown
    assert kenya.authority.fingerprint[:16] in shown
    assert "PrivateKey" not in repr(kenya.ca)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_every_kind_of_key_that_is_made_may_sign(kind: KeyKind, tmp_path: Path) -> None:
    key = generate_key(kind)
    write_private(tmp_path / "new" / "x.key", key)
    write_private(tmp_path / "new" / "x.key", key)
    file = tmp_path / "new" / "x.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    loaded = serialization.load_pem_private_key(file.read_bytes(), None)
    assert loaded.public_key() == key.public_key()


def test_a_private_file_does_not_follow_a_link(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("untouched")
    (tmp_path / "x.key").symlink_to(target)
    write_private(tmp_path / "x.key", generate_key(KeyKind.EC_P256))
    assert target.read_text() == "untouched"
    assert not (tmp_path / "x.key").is_symlink()


def test_a_certificate_request_names_who_asks_and_what_for() -> None:
    key = generate_key(KeyKind.EC_P256)
    signing = x509.load_pem_x509_csr(
        make_csr(key, common_name="Kenya gateway", country="KE", organisation="KenTrade")
    )
    assert signing.is_signature_valid
    assert signing.subject.rfc4514_string() == "CN=Kenya gateway,O=KenTrade,C=KE"
    usage = signing.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    tls = x509.load_pem_x509_csr(
        make_csr(key, common_name="eco.example", country="KE", host="eco.example")
    )
    names = tls.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["eco.example"]
    with pytest.raises(ConfigError):
        make_csr(key, common_name="x", country="Kenya")


def test_an_rsa_credential_signs_and_a_foreign_kind_of_key_may_not() -> None:
    with pytest.raises(SignerKeyError):
        from gateway.trust.keys import require_strong

        require_strong(ed25519.Ed25519PrivateKey.generate().public_key())
    with pytest.raises(SignerKeyError):
        require_strong(rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key())


# --- demonstration PKI ------------------------------------------------------------------------


def test_every_holder_of_the_demonstration_may_do_his_work(pki: DemoPki) -> None:
    for country in pki.countries.values():
        trust = country.trust(authority_code="A1")
        for holder, role in (
            (country.gateway, SignerRole.GATEWAY),
            (country.authority, SignerRole.ISSUING_AUTHORITY),
            *((officer, SignerRole.ISSUING_AUTHORITY) for officer in country.officers),
            (country.customs, SignerRole.CUSTOMS),
            (country.exporter, SignerRole.EXPORTER),
        ):
            require_signing_cert(holder.credential.signing_cert)
            signer = verify(
                sign(document(items=1), holder.credential), trust, role=role, at=NOW
            ).signer
            is_authority = role is SignerRole.ISSUING_AUTHORITY
            assert signer.authority_code == ("A1" if is_authority else None)


def test_the_demonstration_works_for_years_around_its_making(kenya: CountryPki) -> None:
    signed = sign(document(items=1), kenya.authority.credential)
    for at in (NOW - timedelta(days=80), NOW, NOW + timedelta(days=300)):
        verify(signed, kenya.trust(), role=SignerRole.ISSUING_AUTHORITY, at=at)


def test_private_keys_of_the_demonstration_are_private(pki: DemoPki) -> None:
    keys = list(pki.directory.rglob("*.key"))
    assert len(keys) == 1 + 2 * 8
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert all(b"PRIVATE" not in path.read_bytes() for path in pki.directory.rglob("*.pem"))


def test_files_of_the_demonstration_are_found_by_name(pki: DemoPki) -> None:
    for name in ("gateway", "authority", "officer-1", "officer-2", "customs", "exporter", "tls"):
        key, certs = pki.credential_files("ZM", name)
        Credential.from_pem(key.read_bytes(), certs.read_bytes())
    for country, name in (("ZM", "nobody"), ("XX", "gateway")):
        with pytest.raises(NotFoundError):
            pki.credential_files(country, name)
    (crl,) = pki.crl_texts("ZM")
    assert x509.load_pem_x509_crl(crl.encode()).issuer == pki.countries["ZM"].ca.cert.subject
    assert pki.countries["ZM"].crl_path.read_text() == crl


def test_tls_certificates_of_the_demonstration_satisfy_openssl(pki: DemoPki) -> None:
    client_side, server_side = (
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
    )
    for context, code in ((client_side, "KE"), (server_side, "ZM")):
        tls = pki.countries[code].tls
        context.load_cert_chain(tls.cert_path, tls.key_path)
        context.load_verify_locations(pki.root_path)
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.getpeercert()
    assert server.getpeercert()


def test_the_tls_file_ends_with_what_the_other_side_must_trust(pki: DemoPki) -> None:
    certs = x509.load_pem_x509_certificates(pki.countries["KE"].tls.cert_path.read_bytes())
    assert certs[-1] == pki.root.cert
    assert pki.root_path.read_bytes() == pki.root.cert.public_bytes(PEM)


def test_a_demonstration_may_be_made_again_in_the_same_place(tmp_path: Path) -> None:
    first = make_demo_pki(tmp_path, ["UG"], now=NOW)
    second = make_demo_pki(tmp_path, ["UG"], now=NOW)
    assert first.countries["UG"].gateway.fingerprint != second.countries["UG"].gateway.fingerprint
    key, certs = second.credential_files("UG", "gateway")
    Credential.from_pem(key.read_bytes(), certs.read_bytes())
