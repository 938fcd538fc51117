"""The shape of a ds:Signature, examined before any library may act on what it says.

Everything that a signature can ask for (algorithms, transforms, references, keys) is compared
with a list of what is allowed, element by element and in order; what is not listed is refused.
Nothing here is cryptography, and nothing here is trusted afterwards except as a filter.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from lxml import etree

from gateway.errors import (
    AlgorithmNotAllowedError,
    SignatureInvalidError,
    SignatureMissingError,
    SignatureShapeError,
)
from gateway.trust.algorithms import (
    DSIG,
    ENVELOPED,
    Canonicalization,
    DigestMethod,
    SignatureMethod,
    SignaturePolicy,
)

SIGNATURE: Final = f"{{{DSIG}}}Signature"
MAX_CERTIFICATES: Final = 6
MAX_CERTIFICATE_BYTES: Final = 16_000
MAX_SIGNATURE_BYTES: Final = 1_024
MAX_SIGNATURES: Final = 2

_PREFIXES: Final = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_HINTS: Final = frozenset(
    f"{{{DSIG}}}{name}" for name in ("X509IssuerSerial", "X509SubjectName", "X509SKI")
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]*")
_PREFIX: Final = re.compile(r"#default|[^\W\d][\w.\-]{0,63}")
_IDENTIFIERS: Final = etree.XPath(
    "//@*[local-name()='Id' or local-name()='ID' or local-name()='id' or local-name()='iD']",
    smart_strings=False,
)

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class SignatureShape:
    """Is what a well-shaped signature says about itself.

    Attributes:
        reference: canonicalisation of the document; None where it is left to the standard.
        prefixes: prefix list of that canonicalisation.
        certificates: DER of every certificate in KeyInfo, in order, whatever its X509Data.
    """

    method: SignatureMethod
    canonicalization: Canonicalization
    reference: Canonicalization
    prefixes: tuple[str, ...] | None
    certificates: tuple[bytes, ...]


def signatures_of(root: etree._Element) -> list[etree._Element]:
    """Return the signatures of a document, innermost first.

    Raises:
        SignatureMissingError: there is none.
        SignatureShapeError: more than two, or not the last children of the root.
    """
    found = list(root.iter(SIGNATURE))
    if not found:
        raise SignatureMissingError("no signature in the document")
    if len(found) > MAX_SIGNATURES:
        raise SignatureShapeError(f"{len(found)} signatures, at most {MAX_SIGNATURES} are read")
    if list(root[-len(found) :]) != found:
        raise SignatureShapeError("a signature that is not the last child of the root")
    return found


def examine(
    signature: etree._Element, root: etree._Element, policy: SignaturePolicy
) -> SignatureShape:
    """Return what a signature says, if its shape is one that this policy reads.

    Raises:
        SignatureShapeError: an element, attribute or text that has no place in the profile.
        AlgorithmNotAllowedError: an algorithm that the policy does not list.
        SignatureInvalidError: digest or signature value empty or not base64.
    """
    signed_info, value, key_info = _children(
        signature, ("SignedInfo", "SignatureValue", "KeyInfo"), attributes={"Id"}
    )
    c14n, method, reference = _children(
        signed_info,
        ("CanonicalizationMethod", "SignatureMethod", "Reference"),
        attributes={"Id"},
    )
    outer, _ = _canonicalization(c14n, policy)
    _children(method, (), attributes={"Algorithm"})
    inner, prefixes = _reference(reference, root, policy)
    _binary(value, MAX_SIGNATURE_BYTES, attributes={"Id"})
    if outer is not Canonicalization.EXCLUSIVE:
        _refuse_inherited_attributes(root)
    return SignatureShape(
        method=_allowed(method, SignatureMethod, policy.signature_methods),
        canonicalization=outer,
        reference=inner,
        prefixes=prefixes,
        certificates=_certificates(key_info),
    )


def take_off(signature: etree._Element) -> None:
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


def _reference(
    reference: etree._Element, root: etree._Element, policy: SignaturePolicy
) -> tuple[Canonicalization, tuple[str, ...] | None]:
    transforms, digest, value = _children(
        reference, ("Transforms", "DigestMethod", "DigestValue"), attributes={"URI", "Id"}
    )
    _require_whole_document(reference.get("URI"), root)
    _children(digest, (), attributes={"Algorithm"})
    _allowed(digest, DigestMethod, policy.digest_methods)
    _binary(value, 64, attributes=set())
    return _transforms(transforms, policy)


def _require_whole_document(uri: str | None, root: etree._Element) -> None:
    """Raise unless the reference is the document: ``""`` or the identifier of the root."""
    if uri == "":
        return
    identifiers = [str(value) for value in _IDENTIFIERS(root)]
    if len(set(identifiers)) != len(identifiers):
        raise SignatureShapeError("an identifier stands twice in the document")
    own = [
        value for name, value in root.attrib.items() if str(name).rpartition("}")[2].lower() == "id"
    ]
    if uri is None or len(own) != 1 or uri != f"#{own[0]}":
        raise SignatureShapeError('a reference that is neither "" nor the root\'s identifier')


def _transforms(
    transforms: etree._Element, policy: SignaturePolicy
) -> tuple[Canonicalization, tuple[str, ...] | None]:
    """Return canonicalisation and prefix list of a reference: enveloped first, then at most one."""
    if len(transforms) > 2:
        raise SignatureShapeError(f"{len(transforms)} transforms, at most 2 are read")
    steps = _children(transforms, ("Transform",) * len(transforms), attributes=set())
    known = {ENVELOPED, *policy.canonicalizations}
    for step in steps:
        if step.get("Algorithm") not in known:
            raise AlgorithmNotAllowedError(f"transform {_shown(step.get('Algorithm'))}")
    if not steps or steps[0].get("Algorithm") != ENVELOPED:
        raise SignatureShapeError("the first transform is not enveloped-signature")
    _children(steps[0], (), attributes={"Algorithm"})
    if len(steps) == 2:
        return _canonicalization(steps[1], policy)
    if not policy.implied_canonicalization:
        raise AlgorithmNotAllowedError("canonicalisation of the document is left open")
    return Canonicalization.INCLUSIVE_1_0, None


def _canonicalization(
    element: etree._Element, policy: SignaturePolicy
) -> tuple[Canonicalization, tuple[str, ...] | None]:
    method = _allowed(element, Canonicalization, policy.canonicalizations)
    _refuse_other_attributes(element, {"Algorithm"})
    _refuse_text(element)
    if len(element) == 0:
        return method, None
    if not policy.prefix_lists or method is not Canonicalization.EXCLUSIVE or len(element) > 1:
        raise SignatureShapeError("content inside a canonicalisation method")
    return method, _prefix_list(element[0])


def _prefix_list(element: etree._Element) -> tuple[str, ...]:
    prefixes = (element.get("PrefixList") or "").split()
    plain = len(element) == 0 and not element.text and set(element.attrib) == {"PrefixList"}
    if element.tag != _PREFIXES or not plain or len(prefixes) > 64:
        raise SignatureShapeError("content inside a canonicalisation method")
    if not all(_PREFIX.fullmatch(prefix) for prefix in prefixes):
        raise SignatureShapeError("a prefix list that names no prefixes")
    return tuple(prefixes)


def _certificates(key_info: etree._Element) -> tuple[bytes, ...]:
    """Return the certificates of every X509Data; names and key identifiers are passed over."""
    _refuse_other_attributes(key_info, {"Id"})
    _refuse_text(key_info)
    found: list[bytes] = []
    for data in key_info:
        if data.tag != f"{{{DSIG}}}X509Data" or data.attrib:
            raise SignatureShapeError(
                f"{_shown(_local(data))} inside KeyInfo, only X509Data is read"
            )
        _refuse_text(data)
        for item in data:
            if item.tag == f"{{{DSIG}}}X509Certificate":
                found.append(_binary(item, MAX_CERTIFICATE_BYTES, attributes=set()))
            elif item.tag not in _HINTS:
                raise SignatureShapeError(f"{_shown(_local(item))} inside X509Data")
            if len(found) > MAX_CERTIFICATES:
                raise SignatureShapeError(f"more than {MAX_CERTIFICATES} certificates in KeyInfo")
    if not found:
        raise SignatureShapeError("no signing certificate inside KeyInfo")
    return tuple(found)


def _refuse_inherited_attributes(root: etree._Element) -> None:
    """Raise if the root carries xml:lang or the like under inclusive canonicalisation.

    SignedInfo would inherit them, and the two versions of Canonical XML disagree how.
    """
    if any(str(name).startswith(_XML) for name in root.attrib):
        raise SignatureShapeError("attributes of the XML namespace under inclusive c14n")


def _children(
    element: etree._Element, names: Sequence[str], *, attributes: set[str]
) -> list[etree._Element]:
    """Return the children, which are exactly these elements of the ds namespace in this order."""
    _refuse_other_attributes(element, attributes)
    _refuse_text(element)
    children = list(element)
    if [child.tag for child in children] != [f"{{{DSIG}}}{name}" for name in names]:
        raise SignatureShapeError(
            f"{_local(element)} holds {_shown(', '.join(_local(c) for c in children))}"
            f" instead of {', '.join(names) or 'nothing'}"
        )
    return children


def _refuse_other_attributes(element: etree._Element, allowed: set[str]) -> None:
    if not set(element.attrib) <= allowed:
        names = ", ".join(str(name) for name in set(element.attrib) - allowed)
        raise SignatureShapeError(f"attribute {_shown(names)} on {_local(element)}")


def _refuse_text(element: etree._Element) -> None:
    texts = [element.text, *(child.tail for child in element)]
    if any(text and text.strip() for text in texts):
        raise SignatureShapeError(f"text inside {_local(element)}")


def _binary(element: etree._Element, most: int, *, attributes: set[str]) -> bytes:
    """Return the bytes that an element holds as base64; never more than ``most``."""
    _refuse_other_attributes(element, attributes)
    text = element.text or ""
    name = _local(element)
    if len(element) or len(text) > 2 * most + 64:
        raise SignatureShapeError(f"{name} holds something else than a short base64 value")
    if not _BASE64.fullmatch(text):
        raise SignatureInvalidError(f"{name} is not base64")
    try:
        value = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise SignatureInvalidError(f"{name} is not base64") from exc
    if not 0 < len(value) <= most:
        raise SignatureInvalidError(f"{name} holds {len(value)} bytes")
    return value


def _allowed(element: etree._Element, kind: type[E], listed: frozenset[E]) -> E:
    stated = element.get("Algorithm")
    for member in kind:
        if member.value == stated and member in listed:
            return member
    raise AlgorithmNotAllowedError(f"{_local(element)} {_shown(stated)}")


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _shown(text: str | None) -> str:
    """Return foreign text short enough to be quoted in a sentence."""
    return repr("nothing" if text is None else text[:120])
