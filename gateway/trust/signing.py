"""Signing: the only place where the gateway makes an XML signature.

What comes out is read by every stack that was tried (xmlsec1, JDK, .NET's shape, npm): one
enveloped signature, last child of the root, prefix ``ds``, exclusive canonicalisation, SHA-256,
``URI=""``, signing certificate and issuing CA in one X509Data.  The returned bytes are what is
stored, sent and sent again; nobody serializes them anew.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod
from signxml.algorithms import SignatureMethod as SignxmlMethod
from signxml.signer import SignatureReference, XMLSigner

from gateway.errors import ConfigError, SignatureMissingError, SignatureShapeError
from gateway.trust.algorithms import Canonicalization
from gateway.trust.canonical import canonical
from gateway.trust.keys import Credential
from gateway.trust.shape import MAX_SIGNATURES, signatures_of
from gateway.xml.parsing import parse, serialize

_EXCLUSIVE: Final = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0


def sign(xml: bytes, credential: Credential) -> bytes:
    """Return the document with an enveloped signature as last child of its root.

    1. Read the document through the one parser.
    2. Refuse more than one earlier signature, or one in the wrong place.
    3. Sign the whole document, an earlier signature (the exporter's) included.
    4. Serialize once.

    Raises:
        UnsafeXmlError, MalformedXmlError, TooLargeError: what the parser does not read.
        SignatureShapeError: the document cannot take one more signature.
        ConfigError: the key did not sign.
    """
    root = parse(xml)  # 1
    _require_room_for_signature(root)  # 2
    is_rsa = isinstance(credential.key, rsa.RSAPrivateKey)
    signer = _Signer(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignxmlMethod.RSA_SHA256 if is_rsa else SignxmlMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=_EXCLUSIVE,
    )
    try:
        signed = signer.sign(  # 3
            root,
            key=credential.key,
            passphrase=None,
            cert=[credential.signing_cert, *credential.issuers],
            reference_uri=None,
            key_name=None,
            key_info=None,
            id_attribute=None,
            always_add_key_value=False,
            inclusive_ns_prefixes=None,
            signature_properties=None,
            exclude_c14n_transform_element=False,
        )
    except Exception as exc:  # a library's exception of any kind stops here
        raise ConfigError(f"the signing key did not sign: {type(exc).__name__}") from exc
    return serialize(signed)  # 4


def _require_room_for_signature(root: etree._Element) -> None:
    try:
        earlier = signatures_of(root)
    except SignatureMissingError:
        return
    if len(earlier) >= MAX_SIGNATURES:
        raise SignatureShapeError(f"the document is signed {len(earlier)} times already")


class _Signer(XMLSigner):
    """Signs with our canonicalisation; signxml's own writes whole documents to the debug log."""

    def get_root(self, data: etree._Element) -> etree._Element:
        """Return a copy of a whole document, whose root inherits nothing."""
        return copy.deepcopy(data)

    def _unpack(self, data: Any, references: Any) -> Any:
        """Return signxml's parts with ``URI=""``, which it would replace by a root's Id."""
        signature, root, inputs, _ = super()._unpack(data, references)
        return signature, root, inputs, [SignatureReference(URI="")]

    def _c14n(
        self,
        nodes: etree._Element,
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: Sequence[str] | None = None,
    ) -> bytes:
        return canonical(nodes, Canonicalization(algorithm.value), inclusive_ns_prefixes)
