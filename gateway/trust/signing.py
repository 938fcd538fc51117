"""Signing: the only place where the gateway makes an XML signature.

What comes out is read by every stack that was tried (xmlsec1, JDK, .NET's shape, npm): one
enveloped signature, last child of the root, prefix ``ds``, exclusive canonicalisation, SHA-256,
``URI=""``, signing certificate and issuing CA in one X509Data.  The returned bytes are what is
stored, sent and sent again; nobody serializes them anew.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from lxml import etree

from gateway.errors import ConfigError, SignatureMissingError, SignatureShapeError
from gateway.trust import written
from gateway.trust.canonical import canonical
from gateway.trust.keys import Credential
from gateway.trust.shape import MAX_SIGNATURES, signatures_of
from gateway.trust.values import ValueSigner
from gateway.xml.parsing import parse, serialize

_DECLARATION: Final = b"<?xml version='1.0' encoding='UTF-8'?>\n"
_PLAIN_OPENINGS: Final = (_DECLARATION, _DECLARATION.replace(b"'", b'"'))


def sign(xml: bytes, credential: Credential, *, root: etree._Element | None = None) -> bytes:
    """Return the document with an enveloped signature as last child of its root.

    1. Read the document through the one parser, unless its tree is at hand.
    2. Refuse more than one earlier signature, or one in the wrong place.
    3. Digest the canonical document, an earlier signature (the exporter's) included.
    4. Have the key sign SignedInfo, of which nothing but digest and method ever changes.
    5. Put the signature into the text, before the end of the root.

    Args:
        root: the tree that ``parse`` made of these bytes; it is left as it is.

    Raises:
        UnsafeXmlError, MalformedXmlError, TooLargeError: what the parser does not read.
        SignatureShapeError: the document cannot take one more signature.
        ConfigError: the key did not sign.
    """
    if root is None:
        root = parse(xml)  # 1
    _require_room_for_signature(root)  # 2
    whole = canonical(root, written.CANONICALIZATION)
    return _with_last_child(xml, root, _signature(whole, credential))  # 3, 4, 5


def sign_canonical(xml: bytes, credential: Credential) -> bytes:
    """Return a document of our own writing with its signature, without reading it again.

    Args:
        xml: our XML declaration, and below it the document in exclusive canonical form, unsigned.
            Nobody checks that here: whoever writes canonical text has a test that compares.

    Raises:
        ConfigError: the key did not sign.
    """
    if not xml.startswith(_DECLARATION):
        raise RuntimeError("sign_canonical takes what begins with our XML declaration only")
    text = xml[len(_DECLARATION) :]
    end = text.rindex(b"</")
    signature = _signature(text, credential)
    return b"".join((_DECLARATION, text[:end], signature, text[end:]))


def _signature(whole: bytes, credential: Credential) -> bytes:
    """Return the signature over a canonical document."""
    digest = base64.b64encode(hashlib.sha256(whole).digest())
    signer = credential.value_signer
    value = _value(signer, written.signed_info(signer.method, digest))
    return written.signature(signer.method, digest, value, credential.certificates_text)


def _require_room_for_signature(root: etree._Element) -> None:
    try:
        earlier = signatures_of(root)
    except SignatureMissingError:
        return
    if len(earlier) >= MAX_SIGNATURES:
        raise SignatureShapeError(f"the document is signed {len(earlier)} times already")


def _value(signer: ValueSigner, signed_info: bytes) -> bytes:
    try:
        return signer.sign(signed_info)
    except Exception as exc:  # a library's or a token's exception of any kind stops here
        raise ConfigError(f"the signing key did not sign: {type(exc).__name__}") from exc


def _with_last_child(xml: bytes, root: etree._Element, child: bytes) -> bytes:
    """Return the document with a child put before the end of its root.

    The last end tag of a document is the root's.  Text that is not plain (UTF-16, CDATA, line
    ends of Windows, an unusual declaration) is written anew first.
    """
    plain = xml.startswith(_PLAIN_OPENINGS) and b"\r" not in xml and b"<![CDATA[" not in xml
    text = xml if plain else serialize(root)
    start, end = len(_DECLARATION), text.rfind(b"</")
    if end >= 0:
        return b"".join((_DECLARATION, text[start:end], child, text[end:].rstrip()))
    opening = text[start:].rstrip().removesuffix(b"/>")  # the root is one empty tag
    local = etree.QName(root).localname
    name = local if root.prefix is None else f"{root.prefix}:{local}"
    return b"".join((_DECLARATION, opening, b">", child, b"</", name.encode(), b">"))
