"""Verifying: the only place where the gateway believes an XML signature.

:func:`verify` returns the signed element as read anew from the bytes that were digested; the
document as received is of no further use, and callers get no hand on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm
from signxml.algorithms import SignatureMethod as SignxmlMethod
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from gateway.errors import (
    AlgorithmNotAllowedError,
    SignatureInvalidError,
    SignatureShapeError,
)
from gateway.trust.algorithms import Canonicalization, SignatureMethod, SignaturePolicy
from gateway.trust.canonical import canonical
from gateway.trust.chain import known_issuer, read_certificates, trusted_chain
from gateway.trust.registry import PeerTrust, Signer, SignerRole, registered_signer
from gateway.trust.revocation import require_not_revoked
from gateway.trust.shape import SignatureShape, examine, signatures_of
from gateway.xml.parsing import DEFAULT_LIMITS, XmlLimits, parse, reparse

_DS: Final = {"ds": "http://www.w3.org/2000/09/xmldsig#"}


@dataclass(frozen=True, kw_only=True)
class Verified:
    """Is what a signature proves.

    Attributes:
        root: the signed element, without any signature, read from the canonical bytes.
        signer: who signed it all (the outer signature where there are two).
        inner: the exporter who signed first, below the authority's signature.
    """

    root: etree._Element
    signer: Signer
    inner: Signer | None = None


def verify(
    raw: bytes,
    trust: PeerTrust,
    *,
    role: SignerRole,
    at: datetime,
    limits: XmlLimits = DEFAULT_LIMITS,
) -> Verified:
    """Return what is signed and by whom.

    Cheap checks come first, and nothing that the sender chose is computed before he is known:

    1. Read through the one parser (size, DTD, comments, caps).
    2. One signature, last child of the root; or two, if an authority signed after an exporter.
    3. The shape of each: one SignedInfo, one reference to the whole document, listed algorithms
       and transforms in order, X509Data only.
    4. Certificates in KeyInfo: few, readable, one of them the signer's; chain to an anchor or
       registered certificate at ``at``; key, purpose and names of the signer.
    5. Revocation at ``at``.
    6. Registration for this country and role at ``at``.
    7. Digest and signature value, over the document without this signature.
    8. For two, take the outer off and repeat 4 to 7 for the inner one.

    Args:
        at: the time that counts, aware: of issue for documents, of receipt for envelopes.
        role: in which capacity the (outer) signature must have been made.

    Raises:
        TrustError: a leaf of it that names what does not hold.
        UnsafeXmlError, MalformedXmlError, TooLargeError: what the parser does not read.
    """
    if at.tzinfo is None:
        raise RuntimeError("verify needs an aware `at`")
    root = parse(raw, limits)  # 1
    signatures = signatures_of(root)  # 2
    if len(signatures) > 1 and role is not SignerRole.ISSUING_AUTHORITY:
        raise SignatureShapeError(f"two signatures where one of {role.value} is read")
    shapes = [examine(signature, root, trust.policy) for signature in signatures]  # 3
    signer, signed = _verify_last(root, shapes[-1], trust, role=role, at=at)
    if len(signatures) == 1:
        return Verified(root=signed, signer=signer)
    _take_off(signatures[-1])  # 8
    inner, signed = _verify_last(root, shapes[0], trust, role=SignerRole.EXPORTER, at=at)
    return Verified(root=signed, signer=signer, inner=inner)


def _verify_last(
    root: etree._Element,
    shape: SignatureShape,
    trust: PeerTrust,
    *,
    role: SignerRole,
    at: datetime,
) -> tuple[Signer, etree._Element]:
    """Return the signer of the last signature of a document, and what he signed (steps 4 to 7)."""
    certs = read_certificates(shape.certificates)
    chain = trusted_chain(certs, trust, at=at)  # 4
    issuer = known_issuer(chain[0], trust) if len(chain) == 1 else None
    require_not_revoked(chain, issuer, trust.crls, policy=trust.revocation, at=at)  # 5
    signer = registered_signer(chain, trust, role=role, at=at)  # 6
    if isinstance(chain[0].public_key(), rsa.RSAPublicKey) is not shape.method.needs_rsa:
        raise AlgorithmNotAllowedError(f"{shape.method.name} with a key of another kind")
    return signer, _signed_element(root, shape, chain[0], trust.policy, at)  # 7


def _signed_element(
    root: etree._Element,
    shape: SignatureShape,
    signing_cert: x509.Certificate,
    policy: SignaturePolicy,
    at: datetime,
) -> etree._Element:
    """Return what the last signature of a document covers, if digest and value hold (step 7).

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


def _take_off(signature: etree._Element) -> None:
    """Remove a signature from its document, leaving the text after it in place."""
    parent = signature.getparent()
    if parent is None:
        raise RuntimeError("a signature without a parent")
    tail, before = signature.tail or "", signature.getprevious()
    if before is None:
        parent.text = (parent.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail
    signature.tail = None
    parent.remove(signature)


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
        _take_off(signature)
        return canonical(payload, self._shape.reference, self._shape.prefixes)

    def _c14n(
        self,
        nodes: etree._Element,
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: Sequence[str] | None = None,
    ) -> bytes:
        return canonical(nodes, Canonicalization(algorithm.value), inclusive_ns_prefixes)
