"""Other stacks read what we sign, and we read what they sign: xmlsec1 and the JDK."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from gateway.errors import AlgorithmNotAllowedError, SignatureInvalidError
from gateway.trust import COMPATIBLE, Credential, SignerRole, sign, verify
from gateway.trust.demo_pki import CountryPki, DemoCredential
from tests.factories import NOW
from tests.trust.crafting import DS, ECDSA_SHA256, ENVELOPED, EXC, INC, RSA_SHA256, SHA256, document

AUTHORITY, GATEWAY = SignerRole.ISSUING_AUTHORITY, SignerRole.GATEWAY
KINDS = {"RSA-2048": GATEWAY, "P-256": AUTHORITY, "P-384": AUTHORITY}

needs_xmlsec1 = pytest.mark.skipif(
    shutil.which("xmlsec1") is None, reason="xmlsec1 is not installed"
)
needs_jdk = pytest.mark.skipif(
    shutil.which("javac") is None or shutil.which("java") is None, reason="no JDK is installed"
)


def holder(country: CountryPki, kind: str) -> DemoCredential:
    return {
        "RSA-2048": country.gateway,
        "P-256": country.authority,
        "P-384": country.officers[0],
    }[kind]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, timeout=120, check=False
    )


# --- xmlsec1 ----------------------------------------------------------------------------------


@needs_xmlsec1
@pytest.mark.parametrize("kind", KINDS)
def test_xmlsec1_verifies_what_we_sign(kenya: CountryPki, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "signed.xml"
    file.write_bytes(sign(document(), holder(kenya, kind).credential))
    command = ("xmlsec1", "--verify", "--trusted-pem", kenya.ca_path.parent.parent / "root.pem")
    moment = ("--verification-gmt-time", NOW.strftime("%Y-%m-%d %H:%M:%S"))
    outcome = run(*command, *moment, file)
    assert outcome.returncode == 0, outcome.stderr
    file.write_bytes(file.read_bytes().replace(b"1200.50", b"9200.50"))
    assert run(*command, *moment, file).returncode != 0


@needs_xmlsec1
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("c14n", [EXC, INC])
def test_we_verify_what_xmlsec1_signs(
    kenya: CountryPki, tmp_path: Path, kind: str, c14n: str
) -> None:
    made = holder(kenya, kind)
    method = RSA_SHA256 if kind == "RSA-2048" else ECDSA_SHA256
    template = (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{c14n}"/><ds:SignatureMethod Algorithm="{method}"/>'
        f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/>'
        f'<ds:Transform Algorithm="{c14n}"/></ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"/>'
        "<ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>"
        "<ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature></eco:Certificate>"
    )
    unsigned, signed = tmp_path / "template.xml", tmp_path / "signed.xml"
    unsigned.write_bytes(document().replace(b"</eco:Certificate>", template.encode()))
    outcome = run(
        "xmlsec1", "--sign", "--output", signed,
        "--privkey-pem", f"{made.key_path},{made.cert_path}", unsigned,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stderr
    raw = signed.read_bytes()
    verified = verify(raw, kenya.trust(policy=COMPATIBLE), role=KINDS[kind], at=NOW)
    assert verified.signer.fingerprint == made.fingerprint
    if c14n == EXC:
        verify(raw, kenya.trust(), role=KINDS[kind], at=NOW)
    else:
        with pytest.raises(AlgorithmNotAllowedError):
            verify(raw, kenya.trust(), role=KINDS[kind], at=NOW)
    with pytest.raises(SignatureInvalidError):
        changed = raw.replace(b"1200.50", b"9200.50")
        verify(changed, kenya.trust(policy=COMPATIBLE), role=KINDS[kind], at=NOW)


# --- JDK --------------------------------------------------------------------------------------


def as_pkcs12(credential: Credential) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"signer",
        credential.key,
        credential.signing_cert,
        credential.issuers,
        serialization.BestAvailableEncryption(b"secret"),
    )


@needs_jdk
def test_the_jdk_verifies_what_we_sign(kenya: CountryPki, jdk: Path, tmp_path: Path) -> None:
    files = []
    for kind in KINDS:
        signed = sign(document(), holder(kenya, kind).credential)
        for name, content in (("good", signed), ("bad", signed.replace(b"1200.50", b"9200.50"))):
            files.append(tmp_path / f"{kind}-{name}.xml")
            files[-1].write_bytes(content)
    outcome = run("java", "-cp", jdk, "EcoSignatures", "verify", *files)
    assert outcome.stdout.split() == ["valid", "invalid"] * 3, outcome.stderr


@needs_jdk
def test_the_jdk_verifies_the_outer_of_two_signatures(
    kenya: CountryPki, jdk: Path, tmp_path: Path
) -> None:
    file = tmp_path / "two.xml"
    file.write_bytes(sign(sign(document(), kenya.exporter.credential), kenya.authority.credential))
    outcome = run("java", "-cp", jdk, "EcoSignatures", "verify", file)
    assert outcome.stdout.split() == ["valid"], outcome.stderr


@needs_jdk
@pytest.mark.parametrize("kind", ["RSA-2048", "P-256"])
def test_we_verify_what_the_jdk_signs(
    kenya: CountryPki, jdk: Path, tmp_path: Path, kind: str
) -> None:
    shapes = ("default", "both", "profile", "names")
    store, unsigned = tmp_path / "store.p12", tmp_path / "unsigned.xml"
    store.write_bytes(as_pkcs12(holder(kenya, kind).credential))
    unsigned.write_bytes(document())
    method = RSA_SHA256 if kind == "RSA-2048" else ECDSA_SHA256
    jobs = [part for shape in shapes for part in (shape, unsigned, tmp_path / f"{shape}.xml")]
    outcome = run("java", "-cp", jdk, "EcoSignatures", "sign", store, method, *jobs)
    assert outcome.returncode == 0, outcome.stderr
    for shape in shapes:
        raw = (tmp_path / f"{shape}.xml").read_bytes()
        compatible = kenya.trust(policy=COMPATIBLE)
        verified = verify(raw, compatible, role=KINDS[kind], at=NOW)
        assert verified.signer.fingerprint == holder(kenya, kind).fingerprint
        assert verified.root[0].text == "1200.50"
        with pytest.raises(SignatureInvalidError):
            verify(raw.replace(b"1200.50", b"9200.50"), compatible, role=KINDS[kind], at=NOW)
        if shape in {"profile", "names"}:
            verify(raw, kenya.trust(), role=KINDS[kind], at=NOW)
        else:
            with pytest.raises(AlgorithmNotAllowedError):
                verify(raw, kenya.trust(), role=KINDS[kind], at=NOW)


@needs_jdk
def test_an_exporter_on_the_jdk_and_an_authority_on_ours_sign_one_document(
    kenya: CountryPki, jdk: Path, tmp_path: Path
) -> None:
    store, unsigned, signed = tmp_path / "s.p12", tmp_path / "unsigned.xml", tmp_path / "signed.xml"
    store.write_bytes(as_pkcs12(kenya.exporter.credential))
    unsigned.write_bytes(document())
    outcome = run(
        "java",
        "-cp",
        jdk,
        "EcoSignatures",
        "sign",
        store,
        ECDSA_SHA256,
        "default",
        unsigned,
        signed,
    )
    assert outcome.returncode == 0, outcome.stderr
    both = sign(signed.read_bytes(), kenya.authority.credential)
    verified = verify(both, kenya.trust(policy=COMPATIBLE), role=AUTHORITY, at=NOW)
    assert verified.inner is not None
    assert verified.inner.fingerprint == kenya.exporter.fingerprint
