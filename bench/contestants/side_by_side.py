"""The contestants' measures: signing, verifying, validating and whole exchanges in process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from bench.contestants import install
from bench.contestants.install import PROGRAMS, Environment
from bench.contestants.process import Program, running
from bench.harness import Work, measure
from bench.material import Shared, disk_folder, document_xml
from bench.rooms import signing_keys
from gateway.resources import data_path
from gateway.trust import sign
from gateway.trust.keys import PrivateKey

SIGNING = "signing the same document, side by side"
VERIFYING = "verifying the same document, side by side"
VALIDATING = "validating the same document, side by side"
EXCHANGING = "whole exchanges in process, no store, side by side"

SIGNXML, XMLSEC, JDK = "signxml", "python-xmlsec", "JDK javax.xml.crypto.dsig"
WARM_SECONDS = 12.0
"""A JVM compiles what it runs often; before that its figures say little."""


def signing(contestant: str, bits: int) -> str:
    """Return the name of the measure of a contestant's signing."""
    return f"{contestant}, sign, RSA-{bits}"


def verifying(contestant: str, *, chain: bool = False) -> str:
    """Return the name of the measure of a contestant's verifying."""
    return f"{contestant}, verify, {'chain checked' if chain else 'certificate pinned'}"


VALIDATE_XMLSCHEMA = "xmlschema, parse and validate"
EXCHANGE_PYAS2LIB = "pyas2lib, signed message, signed MDN"
EXCHANGE_AS4 = "as4, signed and encrypted message, signed receipt"


@contextmanager
def _material() -> Iterator[Path]:
    """Yield a folder with the standard document, signed and not, and the keys that sign it."""
    with signing_keys() as keys, disk_folder() as folder:
        for bits, credential in keys.items():
            key, cert = _key_pem(credential.key), _cert_pem(credential.signing_cert)
            (folder / f"key-{bits}.pem").write_bytes(key)
            (folder / f"cert-{bits}.pem").write_bytes(cert)
        own = keys[2048]
        (folder / "key-and-cert.pem").write_bytes(
            _key_pem(own.key, password=b"bench") + _cert_pem(own.signing_cert)
        )
        anchors = [_cert_pem(cert) for cert in own.chain]
        (folder / "anchors.pem").write_bytes(b"".join(anchors))
        for number, anchor in zip(itertools.count(), anchors, strict=False):
            (folder / f"anchor-{number}.pem").write_bytes(anchor)
        (folder / "document.xml").write_bytes(document_xml())
        (folder / "signed.xml").write_bytes(sign(document_xml(), own))
        yield folder


MATERIAL = Shared(_material)


@contextmanager
def python_program(environment: Environment, program: str, *arguments: str) -> Iterator[Program]:
    """Yield a contestant's running program, its environment installed if it is not yet."""
    python = install.python_of(environment)
    with MATERIAL() as folder:
        command = [str(python), str(PROGRAMS / program), str(folder), *arguments]
        with running(command, folder, environment.name) as started:
            yield started


@contextmanager
def _java() -> Iterator[Program]:
    java, classes = install.java_classes()
    with MATERIAL() as folder:
        command = [java, "-XX:ActiveProcessorCount=1", "-cp", str(classes), "Dsig", str(folder)]
        with running(command, folder, "jdk") as started:
            yield started


def _schema() -> str:
    return str(data_path("schemas") / "uncefact" / "CertificateOfOrigin_1p0.xsd")


PROGRAM = {
    SIGNXML: Shared(lambda: python_program(install.SIGNXML, "run_signxml.py")),
    XMLSEC: Shared(lambda: python_program(install.XMLSEC, "run_xmlsec.py")),
    JDK: Shared(_java),
}


def _register(
    name: str, group: str, opened: Shared[Program], work: str, warm_seconds: float = 0.0
) -> None:
    def works() -> Iterator[Work]:
        with opened() as program:
            yield lambda: program.repeat(work)

    measure(name, group=group, least=1, warm_seconds=warm_seconds)(works)


for _name, _opened in PROGRAM.items():
    _warm = WARM_SECONDS if _name == JDK else 0.0
    for _bits in (2048, 3072):
        _register(signing(_name, _bits), SIGNING, _opened, f"sign-{_bits}", _warm)
    _register(verifying(_name), VERIFYING, _opened, "verify", _warm)
for _name in (SIGNXML, XMLSEC):
    _register(verifying(_name, chain=True), VERIFYING, PROGRAM[_name], "verify-chain")
_register(
    VALIDATE_XMLSCHEMA,
    VALIDATING,
    Shared(lambda: python_program(install.XMLSCHEMA, "run_xmlschema.py", _schema())),
    "validate",
)
_register(
    EXCHANGE_PYAS2LIB,
    EXCHANGING,
    Shared(lambda: python_program(install.PYAS2LIB, "run_pyas2lib.py")),
    "exchange",
)
_register(
    EXCHANGE_AS4, EXCHANGING, Shared(lambda: python_program(install.AS4, "run_as4.py")), "exchange"
)


def _key_pem(key: PrivateKey, password: bytes | None = None) -> bytes:
    sealing: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        sealing = serialization.BestAvailableEncryption(password)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, sealing)


def _cert_pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)
