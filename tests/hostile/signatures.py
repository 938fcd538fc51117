"""Forged and mangled signatures, each a change of a genuine document or signature."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from gateway.errors import (
    AlgorithmNotAllowedError,
    GatewayError,
    SignatureInvalidError,
    SignatureMissingError,
    SignatureShapeError,
)
from tests.trust.crafting import DS, ENVELOPED, EXC, INC, MORE, Recipe

SIGNATURE = f"{{{DS}}}Signature"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XPATH_FILTER = "http://www.w3.org/2002/06/xmldsig-filter2"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"


@dataclass(frozen=True)
class Forgery:
    """A change to the tree of a genuinely signed document, and the refusal it must meet."""

    name: str
    forge: Callable[[etree._Element], etree._Element]
    error: type[GatewayError]

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _evil(root: etree._Element) -> etree._Element:
    """Return a copy without signature, with another amount."""
    copied = copy.deepcopy(root)
    for signature in copied.findall(SIGNATURE):
        copied.remove(signature)
    copied[0].text = "9999.99"
    return copied


def _original_inside_signature(root: etree._Element) -> etree._Element:
    evil, signature = _evil(root), root[-1]
    holder = etree.SubElement(signature, f"{{{DS}}}Object")
    root.remove(signature)
    holder.append(root)
    evil.append(signature)
    return evil


def _original_as_sibling(root: etree._Element) -> etree._Element:
    evil, signature = _evil(root), root[-1]
    root.remove(signature)
    evil.append(root)
    evil.append(signature)
    return evil


def _original_signed_inside_evil(root: etree._Element) -> etree._Element:
    evil = _evil(root)
    evil.append(root)
    return evil


def _wrapped(root: etree._Element) -> etree._Element:
    wrapper = etree.Element("{urn:test:eco:1}Certificate", nsmap=root.nsmap)
    wrapper.append(_evil(root))
    wrapper.append(root)
    return wrapper


def _signature_moved_up(root: etree._Element) -> etree._Element:
    wrapper = etree.Element("{urn:test:eco:1}Certificate", nsmap=root.nsmap)
    signature = root[-1]
    wrapper.append(root)
    wrapper.append(signature)
    return wrapper


def _signature_first(root: etree._Element) -> etree._Element:
    root.insert(0, root[-1])
    return root


def _signature_deep(root: etree._Element) -> etree._Element:
    root[0].append(root[-1])
    return root


def _element_after_signature(root: etree._Element) -> etree._Element:
    etree.SubElement(root, "{urn:test:eco:1}Amount").text = "9999.99"
    return root


def _without_signature(root: etree._Element) -> etree._Element:
    return _evil(root)


def _twice(root: etree._Element) -> etree._Element:
    root.append(copy.deepcopy(root[-1]))
    return root


def _thrice(root: etree._Element) -> etree._Element:
    return _twice(_twice(root))


def _second_hidden(root: etree._Element) -> etree._Element:
    root[0].append(copy.deepcopy(root[-1]))
    return root


def _second_signed_info(root: etree._Element) -> etree._Element:
    signature = root[-1]
    signature.insert(0, copy.deepcopy(signature[0]))
    return root


def _second_value(root: etree._Element) -> etree._Element:
    root[-1].insert(1, copy.deepcopy(root[-1][1]))
    return root


def _object(root: etree._Element) -> etree._Element:
    etree.SubElement(root[-1], f"{{{DS}}}Object").append(_evil(root))
    return root


def _key_value(root: etree._Element) -> etree._Element:
    etree.SubElement(root[-1][2], f"{{{DS}}}KeyValue")
    return root


def _retrieval_method(root: etree._Element) -> etree._Element:
    etree.SubElement(root[-1][2], f"{{{DS}}}RetrievalMethod", URI="http://127.0.0.1:9/x")
    return root


def _without_key_info(root: etree._Element) -> etree._Element:
    root[-1].remove(root[-1][2])
    return root


def _without_certificates(root: etree._Element) -> etree._Element:
    for item in list(root[-1][2][0]):
        root[-1][2][0].remove(item)
    return root


def _many_certificates(root: etree._Element) -> etree._Element:
    data = root[-1][2][0]
    for _ in range(3000):
        data.append(copy.deepcopy(data[0]))
    return root


def _text_in_signed_info(root: etree._Element) -> etree._Element:
    root[-1][0].text = "x"
    return root


def _foreign_namespace(root: etree._Element) -> etree._Element:
    root[-1][0].tag = "{urn:x}SignedInfo"
    return root


def _nested_digest(root: etree._Element) -> etree._Element:
    value = root[-1][0][2][2]
    etree.SubElement(value, "x").tail, value.text = value.text, ""
    return root


def _no_reference(root: etree._Element) -> etree._Element:
    root[-1][0].remove(root[-1][0][2])
    return root


def _value(text: str) -> Callable[[etree._Element], etree._Element]:
    def forge(root: etree._Element) -> etree._Element:
        root[-1][1].text = text
        return root

    return forge


def _digest(text: str) -> Callable[[etree._Element], etree._Element]:
    def forge(root: etree._Element) -> etree._Element:
        root[-1][0][2][2].text = text
        return root

    return forge


FORGERIES = (
    Forgery("original inside the signature", _original_inside_signature, SignatureShapeError),
    Forgery("original as sibling", _original_as_sibling, SignatureInvalidError),
    Forgery("signed original inside evil", _original_signed_inside_evil, SignatureShapeError),
    Forgery("evil and original in a wrapper", _wrapped, SignatureShapeError),
    Forgery("signature moved up to a wrapper", _signature_moved_up, SignatureInvalidError),
    Forgery("signature first", _signature_first, SignatureShapeError),
    Forgery("signature deep inside", _signature_deep, SignatureShapeError),
    Forgery("element after the signature", _element_after_signature, SignatureShapeError),
    Forgery("signature taken away", _without_signature, SignatureMissingError),
    Forgery("same signature twice", _twice, SignatureInvalidError),
    Forgery("same signature three times", _thrice, SignatureShapeError),
    Forgery("second signature hidden inside", _second_hidden, SignatureShapeError),
    Forgery("second SignedInfo", _second_signed_info, SignatureShapeError),
    Forgery("second SignatureValue", _second_value, SignatureShapeError),
    Forgery("Object", _object, SignatureShapeError),
    Forgery("KeyValue", _key_value, SignatureShapeError),
    Forgery("RetrievalMethod", _retrieval_method, SignatureShapeError),
    Forgery("no KeyInfo", _without_key_info, SignatureShapeError),
    Forgery("no certificate", _without_certificates, SignatureShapeError),
    Forgery("3000 certificates", _many_certificates, SignatureShapeError),
    Forgery("text in SignedInfo", _text_in_signed_info, SignatureShapeError),
    Forgery("SignedInfo of a foreign namespace", _foreign_namespace, SignatureShapeError),
    Forgery("element in DigestValue", _nested_digest, SignatureShapeError),
    Forgery("no reference", _no_reference, SignatureShapeError),
    Forgery("empty SignatureValue", _value(""), SignatureInvalidError),
    Forgery("SignatureValue of spaces", _value(" \n "), SignatureInvalidError),
    Forgery("SignatureValue is no base64", _value("!!!!"), SignatureInvalidError),
    Forgery("SignatureValue with broken padding", _value("AAAAA"), SignatureInvalidError),
    Forgery("r and s are zero", _value("A" * 86 + "=="), SignatureInvalidError),
    Forgery("SignatureValue of another length", _value("AAAA"), SignatureInvalidError),
    Forgery("SignatureValue of a megabyte", _value("AAAA" * 262_144), SignatureShapeError),
    Forgery("empty DigestValue", _digest(""), SignatureInvalidError),
    Forgery("DigestValue of another document", _digest("A" * 43 + "="), SignatureInvalidError),
)


@dataclass(frozen=True)
class Odd:
    """A signature that a genuine, registered signer made in a way that is not in the profile."""

    name: str
    recipe: Recipe
    error: type[GatewayError]

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _child(path: tuple[int, ...], name: str, **attributes: str) -> Callable[[etree._Element], None]:
    def change(signature: etree._Element) -> None:
        place = signature
        for index in path:
            place = place[index]
        etree.SubElement(place, f"{{{DS}}}{name}", attributes).text = "1"

    return change


def _second_reference(uri: str) -> Callable[[etree._Element], None]:
    def change(signature: etree._Element) -> None:
        reference = copy.deepcopy(signature[0][2])
        reference.set("URI", uri)
        signature[0].append(reference)

    return change


def _uri(uri: str | None, error: type[GatewayError] = SignatureShapeError) -> Odd:
    return Odd(f"reference {uri}", Recipe(uri=uri), error)


ODD = (
    Odd("SHA-1 signature", Recipe(method=f"{MORE}ecdsa-sha1"), AlgorithmNotAllowedError),
    Odd("SHA-1 digest", Recipe(digest=f"{DS}sha1"), AlgorithmNotAllowedError),
    Odd("MD5 digest", Recipe(digest=f"{MORE}md5"), AlgorithmNotAllowedError),
    Odd("unknown method", Recipe(method="urn:x"), AlgorithmNotAllowedError),
    Odd("RSA method with an elliptic key", Recipe(method=f"{MORE}rsa-sha256"), AlgorithmNotAllowedError),
    Odd("DSA method", Recipe(method="http://www.w3.org/2009/xmldsig11#dsa-sha256"), AlgorithmNotAllowedError),
    Odd("RSA-PSS", Recipe(method="http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"), AlgorithmNotAllowedError),
    Odd("inclusive SignedInfo", Recipe(c14n=INC), AlgorithmNotAllowedError),
    Odd("inclusive reference", Recipe(transforms=(ENVELOPED, INC)), AlgorithmNotAllowedError),
    Odd("comments kept", Recipe(c14n=f"{EXC}WithComments"), AlgorithmNotAllowedError),
    Odd("unknown canonicalisation", Recipe(c14n="urn:x"), AlgorithmNotAllowedError),
    Odd("unknown transform", Recipe(transforms=(ENVELOPED, "urn:x")), AlgorithmNotAllowedError),
    Odd("XPath transform", Recipe(transforms=(XPATH, EXC)), AlgorithmNotAllowedError),
    Odd("XPath filter", Recipe(transforms=(ENVELOPED, XPATH_FILTER)), AlgorithmNotAllowedError),
    Odd("XSLT transform", Recipe(transforms=(ENVELOPED, XSLT)), AlgorithmNotAllowedError),
    Odd("base64 transform", Recipe(transforms=(ENVELOPED, f"{DS}base64")), AlgorithmNotAllowedError),
    Odd("open canonicalisation", Recipe(transforms=(ENVELOPED,)), AlgorithmNotAllowedError),
    Odd("transforms in the wrong order", Recipe(transforms=(EXC, ENVELOPED)), SignatureShapeError),
    Odd("not enveloped", Recipe(transforms=(EXC,)), SignatureShapeError),
    Odd("enveloped twice", Recipe(transforms=(ENVELOPED, ENVELOPED)), AlgorithmNotAllowedError),
    Odd("2000 transforms", Recipe(transforms=(ENVELOPED, *(EXC,) * 2000)), SignatureShapeError),
    Odd("content in a transform", Recipe(before_signing=_child((0, 2, 0, 0), "XPath")), SignatureShapeError),
    Odd("truncated HMAC length", Recipe(before_signing=_child((0, 1), "HMACOutputLength")), SignatureShapeError),
    Odd("second reference", Recipe(before_signing=_second_reference("")), SignatureShapeError),
    Odd("second reference to a file", Recipe(before_signing=_second_reference("file:///etc/hostname")), SignatureShapeError),
    _uri("file:///etc/hostname"),
    _uri("http://127.0.0.1:9/x"),
    _uri("cid:1"),
    _uri("#xpointer(/)"),
    _uri("#nobody"),
    _uri("#"),
    _uri(None),
)  # fmt: skip
