"""The same signatures by other libraries: same document, keys and shape, in the same rounds.

signxml comes with the gateway; python-xmlsec is measured where it happens to be installed.  Their
verifiers are told the signing certificate, so they check no chain; one of signxml's does, with
the anchors in a file, as its documentation shows.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureMethod
from signxml.signer import SignatureReference, XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from bench.harness import Work, measure
from bench.material import document_xml, ec_key, rsa_key
from bench.rooms import NOW, SIGN_LIMITS, zambia
from gateway.trust import Credential, PeerTrust, RegisteredSigner, SignerRole, sign, verify
from gateway.trust.issuing import Validity
from gateway.trust.keys import PrivateKey, distinguished_name

KEYS: dict[str, Callable[[], PrivateKey]] = {
    "RSA-2048": rsa_key,
    "RSA-3072": lambda: rsa_key(3072),
    "P-256": ec_key,
}
RIVALS = "our shape of signature, by us and by others"
ROLE = SignerRole.GATEWAY


@contextmanager
def signer(kind: str) -> Iterator[tuple[Credential, PeerTrust]]:
    """Yield a registered signer with this key, and the trust that believes him."""
    with zambia() as pki:
        ca, key = pki.ca, KEYS[kind]()
        span = Validity(begins=ca.cert.not_valid_before_utc, ends=ca.cert.not_valid_after_utc)
        name = distinguished_name("signer", country="ZM")
        credential = ca.issue(name, span, key=key)
        entry = RegisteredSigner(fingerprint=credential.fingerprint, country="ZM", role=ROLE)
        yield credential, replace(pki.trust(), signers=(entry,))


def _register(kind: str) -> None:
    limits = (*SIGN_LIMITS, f"{kind} sign")

    @measure(f"sign our shape, {kind}", group=RIVALS, limits=limits)
    def _ours() -> Iterator[Work]:
        raw = document_xml()
        with signer(kind) as (credential, _):
            yield lambda: sign(raw, credential)

    @measure(f"signxml: sign, {kind}", group=RIVALS, limits=limits)
    def _signxml() -> Iterator[Work]:
        raw = document_xml()
        with signer(kind) as (credential, _):
            made = _signxml_signer(kind)
            certs = [credential.signing_cert, *credential.issuers]
            yield lambda: etree.tostring(
                made.sign(etree.fromstring(raw), key=credential.key, cert=certs)
            )

    limits = (*SIGN_LIMITS, f"{kind} verify")

    @measure(f"verify our shape, signer known, {kind}", group=RIVALS, limits=limits)
    def _our_verify() -> Iterator[Work]:
        with signer(kind) as (credential, trust):
            signed = sign(document_xml(), credential)
            yield lambda: verify(signed, trust, role=ROLE, at=NOW)

    @measure(f"signxml: verify, signer known, {kind}", group=RIVALS, limits=limits)
    def _signxml_verify() -> Iterator[Work]:
        with signer(kind) as (credential, _):
            signed, cert = sign(document_xml(), credential), credential.signing_cert
            expected = SignatureConfiguration(location="./", verification_time=NOW)
            yield lambda: XMLVerifier().verify(signed, x509_cert=cert, expect_config=expected)

    @measure(f"signxml: verify with chain, {kind}", group=RIVALS, limits=limits)
    def _signxml_chain() -> Iterator[Work]:
        with signer(kind) as (credential, trust), tempfile.TemporaryDirectory() as folder:
            signed, anchors = sign(document_xml(), credential), Path(folder) / "anchors.pem"
            anchors.write_bytes(_pem(*trust.anchors))
            expected = SignatureConfiguration(location="./", verification_time=NOW)
            yield lambda: XMLVerifier().verify(
                signed, ca_pem_file=str(anchors), expect_config=expected
            )

    if importlib.util.find_spec("xmlsec") is not None:
        _register_xmlsec(kind)


def _register_xmlsec(kind: str) -> None:
    @measure(f"python-xmlsec: sign, {kind}", group=RIVALS, limits=(*SIGN_LIMITS, f"{kind} sign"))
    def _xmlsec_sign() -> Iterator[Work]:
        with signer(kind) as (credential, _):
            yield _xmlsec_signing(kind, credential)

    @measure(
        f"python-xmlsec: verify, signer known, {kind}",
        group=RIVALS,
        limits=(*SIGN_LIMITS, f"{kind} verify"),
    )
    def _xmlsec_verify() -> Iterator[Work]:
        with signer(kind) as (credential, _):
            yield _xmlsec_verifying(sign(document_xml(), credential), credential)


class _WholeDocument(XMLSigner):
    """Is signxml signing ``URI=""``, which it would otherwise replace."""

    def _unpack(self, data: Any, references: Any) -> Any:
        signature, root, inputs, _ = super()._unpack(data, references)
        return signature, root, inputs, [SignatureReference(URI="")]


def _signxml_signer(kind: str) -> XMLSigner:
    method = SignatureMethod.ECDSA_SHA256 if kind == "P-256" else SignatureMethod.RSA_SHA256
    return _WholeDocument(
        signature_algorithm=method,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )


def _xmlsec_key(credential: Credential) -> Any:
    import xmlsec  # type: ignore[import-not-found,unused-ignore]

    pem = credential.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
    key.load_cert_from_memory(_pem(credential.signing_cert), xmlsec.constants.KeyDataFormatPem)
    return key


def _xmlsec_signing(kind: str, credential: Credential) -> Work:
    import xmlsec  # type: ignore[import-not-found,unused-ignore]

    raw, key, names = document_xml(), _xmlsec_key(credential), xmlsec.constants
    method = names.TransformEcdsaSha256 if kind == "P-256" else names.TransformRsaSha256

    def work() -> bytes:
        root = etree.fromstring(raw)
        node = xmlsec.template.create(root, names.TransformExclC14N, method, ns="ds")
        root.append(node)
        reference = xmlsec.template.add_reference(node, names.TransformSha256, uri="")
        xmlsec.template.add_transform(reference, names.TransformEnveloped)
        xmlsec.template.add_transform(reference, names.TransformExclC14N)
        data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(node))
        xmlsec.template.x509_data_add_certificate(data)
        context = xmlsec.SignatureContext()
        context.key = key
        context.sign(node)
        return etree.tostring(root)

    return work


def _xmlsec_verifying(signed: bytes, credential: Credential) -> Work:
    import xmlsec  # type: ignore[import-not-found,unused-ignore]

    key = _xmlsec_key(credential)

    def work() -> None:
        context = xmlsec.SignatureContext()
        context.key = key
        context.verify(etree.fromstring(signed)[-1])

    return work


def _pem(*certs: x509.Certificate) -> bytes:
    return b"".join(cert.public_bytes(serialization.Encoding.PEM) for cert in certs)


for _kind in KEYS:
    _register(_kind)
