"""Signatures made by hand, so that tests can make every one that the gateway would never make.

This is also a second, independent implementation of what ``gateway.trust.signing`` writes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from lxml import etree

from gateway.trust import Credential

DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
INC = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
INC11 = "http://www.w3.org/2006/12/xml-c14n11"
ENVELOPED = f"{DS}enveloped-signature"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256 = f"{MORE}rsa-sha256"
ECDSA_SHA256 = f"{MORE}ecdsa-sha256"

DIGESTS: dict[str, str] = {
    SHA256: "sha256",
    f"{MORE}sha384": "sha384",
    f"{DS}sha1": "sha1",
    f"{MORE}md5": "md5",
}


def document(items: int = 55) -> bytes:
    """Return a document of about 9 kB in the shape of our messages, but with neutral names."""
    item = (
        '<ram:Item><ram:ID schemeID="x">{n}</ram:ID><ram:Name languageID="en">Green coffee beans '
        '&amp; husks, é</ram:Name><ram:Quantity unitCode="KGM">12.50</ram:Quantity></ram:Item>'
    )
    body = "\n".join(item.format(n=n) for n in range(items))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<eco:Certificate xmlns:eco="urn:test:eco:1" xmlns:ram="urn:test:ram:100">\n'
        f"<eco:Amount>1200.50</eco:Amount>{body}\n</eco:Certificate>"
    ).encode()


@dataclass
class Recipe:
    """Says how to make one signature; the defaults are the profile."""

    c14n: str = EXC
    method: str | None = None
    digest: str = SHA256
    transforms: Sequence[str] = (ENVELOPED, EXC)
    uri: str | None = ""
    certificates: Sequence[x509.Certificate] | None = None
    default_namespace: bool = False
    own_x509_data: bool = False
    canonicalize: Callable[[etree._Element], bytes] | None = None
    hmac_key: bytes | None = None
    pss: bool = False
    adorn: Callable[[etree._Element], None] = field(default=lambda signature: None)
    before_signing: Callable[[etree._Element], None] = field(default=lambda signature: None)


def craft(xml: bytes, credential: Credential, recipe: Recipe | None = None) -> bytes:
    """Return the document with a signature made to this recipe as last child of its root."""
    recipe = recipe or Recipe()
    root = etree.fromstring(xml)
    whole = recipe.canonicalize or (lambda element: _c14n(element, recipe.transforms[-1]))
    digest = hashlib.new(DIGESTS[recipe.digest], whole(root), usedforsecurity=False).digest()
    method = recipe.method or _method_of(credential)
    prefix = None if recipe.default_namespace else "ds"
    signature = etree.SubElement(root, f"{{{DS}}}Signature", nsmap={prefix: DS})
    info = _add(signature, "SignedInfo")
    _add(info, "CanonicalizationMethod", Algorithm=recipe.c14n)
    _add(info, "SignatureMethod", Algorithm=method)
    attributes = {} if recipe.uri is None else {"URI": recipe.uri}
    reference = _add(info, "Reference", **attributes)
    transforms = _add(reference, "Transforms")
    for uri in recipe.transforms:
        _add(transforms, "Transform", Algorithm=uri)
    _add(reference, "DigestMethod", Algorithm=recipe.digest)
    _add(reference, "DigestValue").text = base64.b64encode(digest).decode()
    value = _add(signature, "SignatureValue")
    _add_key_info(signature, recipe, credential)
    recipe.before_signing(signature)
    value.text = base64.b64encode(
        _sign(_signed_info(info, recipe.c14n), credential, method, recipe)
    ).decode()
    recipe.adorn(signature)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def resigned(xml: bytes, credential: Credential) -> bytes:
    """Return the document with the SignatureValue of its last signature made anew."""
    root = etree.fromstring(xml)
    signature = root[-1]
    info, value = signature[0], signature[1]
    method = info[1].get("Algorithm")
    value.text = base64.b64encode(
        _sign(_signed_info(info, info[0].get("Algorithm")), credential, method, Recipe())
    ).decode()
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{DS}}}{name}", attributes)


def _add_key_info(signature: etree._Element, recipe: Recipe, credential: Credential) -> None:
    certificates = recipe.certificates
    if certificates is None:
        certificates = [credential.signing_cert, *credential.issuers]
    key_info = _add(signature, "KeyInfo")
    data = None if recipe.own_x509_data else _add(key_info, "X509Data")
    for cert in certificates:
        holder = _add(key_info, "X509Data") if data is None else data
        der = cert.public_bytes(serialization.Encoding.DER)
        _add(holder, "X509Certificate").text = base64.b64encode(der).decode()


def _method_of(credential: Credential) -> str:
    return RSA_SHA256 if isinstance(credential.key, rsa.RSAPrivateKey) else ECDSA_SHA256


def _signed_info(info: etree._Element, method: str) -> bytes:
    """Return canonical SignedInfo; as a document of its own, which lxml canonicalises rightly."""
    return _c14n(etree.fromstring(etree.tostring(info, with_tail=False)), method)


def _c14n(element: etree._Element, method: str) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=method == EXC)


def _sign(data: bytes, credential: Credential, method: str, recipe: Recipe) -> bytes:
    if recipe.hmac_key is not None:
        return hmac.new(recipe.hmac_key, data, "sha256").digest()
    algorithm: hashes.HashAlgorithm = {
        "sha1": hashes.SHA1(),
        "sha384": hashes.SHA384(),
        "sha512": hashes.SHA512(),
    }.get(method.rpartition("-")[2], hashes.SHA256())
    key = credential.key
    if isinstance(key, rsa.RSAPrivateKey):
        scheme = (
            padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
            if recipe.pss
            else padding.PKCS1v15()
        )
        return key.sign(data, scheme, algorithm)
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(algorithm)))
    size = (key.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
