"""Verifying: the only place where the gateway believes an XML signature.

:func:`verify` returns the signed element: the tree that was digested, its signatures taken off.
Signatures of the one shape that we write ourselves are verified here, by comparing bytes; any
other is examined, and refused or handed to signxml, in ``gateway.trust.foreign``.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from gateway.errors import SignatureInvalidError
from gateway.trust import written
from gateway.trust.algorithms import SignaturePolicy
from gateway.trust.believing import believed_as_shown, require_key_for
from gateway.trust.canonical import canonical
from gateway.trust.foreign import verify_foreign
from gateway.trust.registry import PeerTrust, Signer, SignerRole
from gateway.trust.shape import take_off
from gateway.trust.values import confirms
from gateway.xml.parsing import DEFAULT_LIMITS, XmlLimits, parse, reparse

_TYPES_BY_NAME: Final = b"http://www.w3.org/2001/XMLSchema-instance"
"""Its xsi:type is a value that names a prefix, and no signature covers what a prefix stands for."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """Is what a signature proves.

    Attributes:
        root: the signed element, without any signature; what was digested and nothing else.
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
    root: etree._Element | None = None,
) -> Verified:
    """Return what is signed and by whom.

    1. Read through the one parser (size, DTD, comments, caps), unless the tree is at hand.
    2. Canonicalise the whole document, once, and cut off the last signature; and the one below
       it, if an authority signed after an exporter.  What is not cut clean is not of our shape,
       and goes to ``gateway.trust.foreign`` as it came.

    Then for the last signature, and for the one below:

    3. Believe the signer: chain, key, revocation and registration at ``at``.
    4. Compare the digest stated with that of the rest of the document.
    5. Have the signer's key confirm the value over SignedInfo, as we would have written it.

    Last:

    6. Take the signatures off the tree: what is left is what was digested.

    Args:
        at: the time that counts, aware: of issue for documents, of receipt for envelopes.
        role: in which capacity the (outer) signature must have been made.
        root: the tree that ``parse`` made of these bytes.  It is the verifier's from now on:
            signatures are taken off it, and it comes back in the answer.

    Raises:
        TrustError: a leaf of it that names what does not hold.
        UnsafeXmlError, MalformedXmlError, TooLargeError: what the parser does not read.
    """
    if at.tzinfo is None:
        raise RuntimeError("verify needs an aware `at`")
    if root is None:
        root = parse(raw, limits)  # 1
    else:
        _require_parsed(root)
    cuts = _cuts(canonical(root, written.CANONICALIZATION), trust.policy, role)  # 2
    if not cuts:
        signed, signer, inner = verify_foreign(root, trust, role=role, at=at)
        return Verified(root=signed, signer=signer, inner=inner)
    signers = [
        _signer_of(cut, trust, role=capacity, at=at)  # 3 to 5
        for cut, capacity in zip(cuts, (role, SignerRole.EXPORTER), strict=False)
    ]
    for _ in cuts:
        take_off(root[-1])  # 6
    signed = reparse(cuts[-1].rest) if _TYPES_BY_NAME in cuts[-1].rest else root
    return Verified(root=signed, signer=signers[0], inner=signers[1] if signers[1:] else None)


def _cuts(whole: bytes, policy: SignaturePolicy, role: SignerRole) -> list[written.Cut]:
    """Return the signatures cut off, last one first; none unless each is of our shape (step 2)."""
    cuts: list[written.Cut] = []
    most = 2 if role is SignerRole.ISSUING_AUTHORITY else 1
    rest = whole
    while len(cuts) < most:
        cut = written.cut(rest)
        if cut is None or cut.method not in policy.signature_methods:
            return []
        cuts.append(cut)
        rest = cut.rest
        if not written.holds_more(rest):
            return cuts
    return []


def _signer_of(cut: written.Cut, trust: PeerTrust, *, role: SignerRole, at: datetime) -> Signer:
    """Return who signed the rest of a document (steps 3 to 5)."""
    believed = believed_as_shown(cut.certificates, trust, role=role, at=at)  # 3
    require_key_for(cut.method, believed.key)
    if not hmac.compare_digest(cut.digest, hashlib.sha256(cut.rest).digest()):  # 4
        raise SignatureInvalidError("the document is not what was signed: its digest differs")
    if not confirms(believed.key, cut.value, cut.signed_info):  # 5
        raise SignatureInvalidError("the signature value does not fit the signing certificate")
    return believed.signer


def _require_parsed(root: etree._Element) -> None:
    """Raise unless a tree holds elements and text only, and is a whole document."""
    hidden = next(root.iter(etree.Comment, etree.PI, etree.Entity), None)
    if hidden is not None or root.getparent() is not None:
        raise RuntimeError("verify takes trees of gateway.xml.parsing.parse only")
