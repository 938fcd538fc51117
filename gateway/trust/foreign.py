"""Verifying signatures of any other shape that a policy reads, by signxml.

What other stacks write where it is not, byte for byte, what we write; and whatever is refused
for its shape or algorithms, so that one place names what is wrong.  signxml is held to what was
examined before: last child, whole document, two transforms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm
from signxml.algorithms import SignatureMethod as SignxmlMethod
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from gateway.errors import SignatureInvalidError, SignatureShapeError
from gateway.trust.algorithms import Canonicalization, SignatureMethod, SignaturePolicy
from gateway.trust.believing import believed_signer, require_key_for
from gateway.trust.canonical import canonical
from gateway.trust.registry import PeerTrust, Signer, SignerRole
from gateway.trust.shape import SignatureShape, examine, signatures_of, take_off
from gateway.xml.parsing import reparse

_DS: Final = {"ds": "http://www.w3.org/2000/09/xmldsig#"}


def verify_foreign(
    root: etree._Element, trust: PeerTrust, *, role: SignerRole, at: datetime
) -> tuple[etree._Element, Signer, Signer | None]:
    """Return what is signed, by whom, and by which exporter before him.

    1. One signature, last child of the root; or two, if an authority signed after an exporter.
    2. The shape of each: one SignedInfo, one reference to the whole document, listed algorithms
       and transforms in order, X509Data only.
    3. The signer, as in ``gateway.trust.believing``.
    4. Digest and signature value, over the document without this signature.
    5. For two, take the outer off and repeat 3 and 4 for the inner one.

    Raises:
        TrustError: a leaf of it that names what does not hold.
    """
    signatures = signatures_of(root)  # 1
    if len(signatures) > 1 and role is not SignerRole.ISSUING_AUTHORITY:
        raise SignatureShapeError(f"two signatures where one of {role.value} is read")
    shapes = [examine(signature, root, trust.policy) for signature in signatures]  # 2
    signer, signed = _verify_last(root, shapes[-1], trust, role=role, at=at)
    if len(signatures) == 1:
        return signed, signer, None
    take_off(signatures[-1])  # 5
    inner, signed = _verify_last(root, shapes[0], trust, role=SignerRole.EXPORTER, at=at)
    return signed, signer, inner


def _verify_last(
    root: etree._Element,
    shape: SignatureShape,
    trust: PeerTrust,
    *,
    role: SignerRole,
    at: datetime,
) -> tuple[Signer, etree._Element]:
    """Return the signer of the last signature of a document, and what he signed (steps 3, 4)."""
    believed = believed_signer(shape.certificates, trust, role=role, at=at)  # 3
    require_key_for(shape.method, believed.key)
    return believed.signer, _signed_element(
        root, shape, believed.certificate, trust.policy, at
    )  # 4


def _signed_element(
    root: etree._Element,
    shape: SignatureShape,
    signing_cert: x509.Certificate,
    policy: SignaturePolicy,
    at: datetime,
) -> etree._Element:
    """Return what the last signature of a document covers, if digest and value hold (step 4).

    A verifier is made for each call: signxml keeps the settings of a call on the instance, and
    two threads that share one accept each other's signers.
    """
    try:
        result = _Verifier(shape).verify(
            root,
            x509_cert=signing_cert,
            cert_subject_name=None,
            cert_resolver=None,
            ca_pem_file=None,
            hmac_key=None,
            validate_schema=True,
            parser=None,
            uri_resolver=None,
            id_attribute=None,
            expect_config=_configuration(policy, at),
            ee_policy=None,
            ca_policy=None,
        )
    except (OSError, MemoryError):  # our machine fails; that says nothing about the signature
        raise
    except Exception as exc:  # signxml raises far more than it documents
        raise SignatureInvalidError(_reason(exc)) from exc
    if not isinstance(result, VerifyResult) or result.signed_xml is None:
        raise SignatureInvalidError("the signature covers no document")
    if result.signed_xml.tag != root.tag:
        raise SignatureInvalidError("the signature covers another element")
    return result.signed_xml


def _configuration(policy: SignaturePolicy, at: datetime) -> SignatureConfiguration:
    """Return the policy in signxml's words, every option written out."""
    return SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        signature_methods=frozenset(
            _SIGNXML_METHODS[method] for method in policy.signature_methods
        ),
        digest_algorithms=frozenset(DigestAlgorithm(d.value) for d in policy.digest_methods),
        ignore_ambiguous_key_info=False,
        verification_time=at,
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )


_SIGNXML_METHODS: Final = {method: SignxmlMethod(method.value) for method in SignatureMethod}


def _reason(exc: Exception) -> str:
    """Return what did not hold, without quoting the document."""
    name = type(exc).__name__
    if name == "InvalidDigest":
        return "the document is not what was signed: its digest differs"
    if name == "InvalidSignature":
        return "the signature value does not fit the signing certificate"
    return f"the signature cannot be verified ({name})"


class _Verifier(XMLVerifier):
    """Is signxml held to the shape that was examined: last child, whole document, two transforms.

    signxml alone would take the first signature that it finds, resolve identifiers anywhere,
    skip transforms that it does not know, and write whole documents to the debug log.
    """

    def __init__(self, shape: SignatureShape) -> None:
        super().__init__()
        self._shape = shape

    def get_root(self, data: etree._Element) -> etree._Element:
        """Return the tree of the one parser; nobody else holds it."""
        return data

    def _fromstring(self, xml_string: bytes, **_options: Any) -> etree._Element:
        return reparse(xml_string)

    def _get_signature(self, root: etree._Element) -> etree._Element:
        found = root.findall("ds:Signature", _DS)
        if not found or root[-1] is not found[-1]:
            raise SignatureShapeError("the signature is not the last child of the root")
        return found[-1]

    def _resolve_reference(self, doc_root: Any, reference: Any, uri_resolver: Any = None) -> Any:
        """Return the document: the shape allows no other reference."""
        del reference, uri_resolver
        return doc_root

    def _apply_transforms(self, payload: Any, *, transforms_node: Any, signature: Any) -> bytes:
        """Return the canonical document without its signature, as the shape says."""
        del transforms_node
        take_off(signature)
        return canonical(payload, self._shape.reference, self._shape.prefixes)

    def _c14n(
        self,
        nodes: etree._Element,
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: Sequence[str] | None = None,
    ) -> bytes:
        return canonical(nodes, Canonicalization(algorithm.value), inclusive_ns_prefixes)
