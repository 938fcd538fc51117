"""Signing and verifying by signxml, as the gateway did before it had a path of its own.

A second opinion for the strict path: what it signs, and what it believes of one known signer.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.signer import SignatureReference, XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from gateway.trust import Credential
from gateway.trust.algorithms import Canonicalization
from gateway.trust.canonical import canonical
from gateway.xml.parsing import parse, serialize
from tests.factories import NOW

_EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0


def signed_by_signxml(xml: bytes, credential: Credential) -> bytes:
    """Return the document with the signature that signxml makes in our profile."""
    is_rsa = isinstance(credential.key, rsa.RSAPrivateKey)
    signer = _Signer(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=_EXCLUSIVE,
    )
    signed = signer.sign(
        parse(xml), key=credential.key, cert=[credential.signing_cert, *credential.issuers]
    )
    return serialize(signed)


def believed_by_signxml(raw: bytes, signing_cert: x509.Certificate) -> bool:
    """Return whether signxml alone, with its own parser, believes that this key signed."""
    try:
        XMLVerifier().verify(
            raw,
            x509_cert=signing_cert,
            expect_config=SignatureConfiguration(location="./", verification_time=NOW),
        )
    except Exception:  # noqa: BLE001 - signxml raises far more than it documents
        return False
    return True


class _Signer(XMLSigner):
    def get_root(self, data: etree._Element) -> etree._Element:
        return copy.deepcopy(data)

    def _unpack(self, data: Any, references: Any) -> Any:
        signature, root, inputs, _ = super()._unpack(data, references)
        return signature, root, inputs, [SignatureReference(URI="")]

    def _c14n(
        self,
        nodes: etree._Element,
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: Sequence[str] | None = None,
    ) -> bytes:
        return canonical(nodes, Canonicalization(algorithm.value), inclusive_ns_prefixes)
