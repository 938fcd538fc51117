"""Changes of the text of a genuinely signed document: some spell it differently, some lie.

Every change is one of bytes, because what is asked is how verifiers read text.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Final

DS: Final = b"http://www.w3.org/2000/09/xmldsig#"
_VALUE: Final = re.compile(rb"(<ds:SignatureValue>)([^<]*)(</ds:SignatureValue>)")
_DIGEST: Final = re.compile(rb"(<ds:DigestValue>)([^<]*)(</ds:DigestValue>)")
_REFERENCE: Final = re.compile(rb"<ds:Reference .*</ds:Reference>", re.DOTALL)
_SIGNATURE: Final = re.compile(rb"<ds:Signature .*</ds:Signature>", re.DOTALL)

Change = Callable[[bytes], bytes]


def _put(new: bytes, old: bytes) -> Change:
    return lambda raw: raw.replace(old, new, 1)


def _in(pattern: re.Pattern[bytes], make: Callable[[bytes], bytes]) -> Change:
    return lambda raw: pattern.sub(lambda found: found[1] + make(found[2]) + found[3], raw)


def _value(make: Callable[[bytes], bytes]) -> Change:
    """Change the bytes of the signature value, not their base64."""
    return _in(_VALUE, lambda text: base64.b64encode(make(base64.b64decode(text))))


def _loose_end(text: bytes) -> bytes:
    """Return base64 whose last letter says more than it must: the same bytes, other text."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    end = len(text.rstrip(b"="))
    return text[: end - 1] + letters[letters.index(text[end - 1]) + 1 :][:1] + text[end:]


def _references(count: int) -> Change:
    return lambda raw: _REFERENCE.sub(lambda found: found[0] * count, raw)


def _without_prefix(raw: bytes) -> bytes:
    def change(found: re.Match[bytes]) -> bytes:
        return found[0].replace(b"xmlns:ds=", b"xmlns=").replace(b"ds:", b"")

    return _SIGNATURE.sub(change, raw)


def _other_prefix(raw: bytes) -> bytes:
    def change(found: re.Match[bytes]) -> bytes:
        return found[0].replace(b"xmlns:ds=", b"xmlns:sig=").replace(b"ds:", b"sig:")

    return _SIGNATURE.sub(change, raw)


def _signature_twice(raw: bytes) -> bytes:
    return _SIGNATURE.sub(lambda found: found[0] * 2, raw)


def _sizes(raw: bytes) -> bytes:
    """Return r and s each with a zero in front: the same numbers, longer."""
    half = len(raw) // 2
    return b"\0" + raw[:half] + b"\0" + raw[half:]


REWRITTEN: Final[Mapping[str, Change]] = {
    "untouched": lambda raw: raw,
    "amount changed": _put(b"9200.50", b"1200.50"),
    "comment in the amount": _put(b"1<!-- -->200.50", b"1200.50"),
    "comment before the root": _put(b"<!-- --><eco:C", b"<eco:C"),
    "comment in DigestValue": _put(b"<ds:DigestValue><!-- -->", b"<ds:DigestValue>"),
    "comment in SignedInfo": _put(b"<ds:SignedInfo><!-- -->", b"<ds:SignedInfo>"),
    "instruction in the amount": _put(b"1<?p x?>200.50", b"1200.50"),
    "instruction after the root": lambda raw: raw + b"<?p x?>",
    "document type": _put(b"<!DOCTYPE x><eco:C", b"<eco:C"),
    "entity in the amount": lambda raw: raw.replace(
        b"<eco:C", b'<!DOCTYPE x [<!ENTITY e "1200.50">]><eco:C', 1
    ).replace(b">1200.50<", b">&e;<"),
    "CDATA in the amount": _put(b"1<![CDATA[200]]>.50", b"1200.50"),
    "CDATA with a signature": _put(
        b'1200.50<![CDATA[<ds:Signature xmlns:ds="' + DS + b'">]]>', b"1200.50"
    ),
    "CDATA around DigestValue": _in(_DIGEST, lambda text: b"<![CDATA[" + text + b"]]>"),
    "character reference in the amount": _put(b"&#49;200.50", b"1200.50"),
    "character reference in an algorithm": _put(b"xmlenc#sha25&#54;", b"xmlenc#sha256"),
    "character reference in DigestValue": _in(
        _DIGEST, lambda text: b"&#%d;" % text[0] + text[1:]
    ),
    "spaces inside tags": lambda raw: raw.replace(b'"/>', b'"  />').replace(
        b"</ds:Signature>", b"</ds:Signature \n>"
    ),
    "single quotes": _put(b"URI=''", b'URI=""'),
    "empty elements as two tags": _put(
        b"xml-exc-c14n#\"></ds:CanonicalizationMethod>", b'xml-exc-c14n#"/>'
    ),
    "lines in SignatureValue": _in(_VALUE, lambda text: text[:40] + b"\n" + text[40:] + b"\n"),
    "spaces in SignatureValue": _in(_VALUE, lambda text: b" " + text[:40] + b"\t" + text[40:]),
    "carriage return in SignatureValue": _in(
        _VALUE, lambda text: text[:40] + b"&#13;\n" + text[40:]
    ),
    "lines in DigestValue": _in(_DIGEST, lambda text: text[:20] + b"\n" + text[20:]),
    "loose end of SignatureValue": _in(_VALUE, _loose_end),
    "loose end of DigestValue": _in(_DIGEST, _loose_end),
    "SignatureValue without padding": _in(_VALUE, lambda text: text.rstrip(b"=")),
    "SignatureValue with more padding": _in(_VALUE, lambda text: text + b"="),
    "letters that are no base64": _in(_VALUE, lambda text: text[:9] + b"*" + text[9:]),
    "SignatureValue with longer numbers": _value(_sizes),
    "SignatureValue cut short": _value(lambda value: value[:-1]),
    "SignatureValue with a byte more": _value(lambda value: value + b"\0"),
    "SignatureValue with a bit changed": _value(lambda value: bytes([value[0] ^ 1]) + value[1:]),
    "unused declaration at the root": _put(b'<eco:Certificate xmlns:x="urn:x" ', b"<eco:Certificate "),
    "unused declaration in SignedInfo": _put(b'<ds:SignedInfo xmlns:x="urn:x">', b"<ds:SignedInfo>"),
    "prefix ds declared at the root": _put(
        b'<eco:Certificate xmlns:ds="' + DS + b'" ', b"<eco:Certificate "
    ),
    "prefix ds of the root is something else": _put(
        b'<eco:Certificate xmlns:ds="urn:x" ', b"<eco:Certificate "
    ),
    "signature in the default namespace": _without_prefix,
    "signature with another prefix": _other_prefix,
    "spaces between parts of the signature": lambda raw: raw.replace(
        b"<ds:SignatureValue>", b"\n<ds:SignatureValue>"
    ),
    "spaces in SignedInfo": _put(b"<ds:SignedInfo>\n", b"<ds:SignedInfo>"),
    "identifier on the signature": _put(b'<ds:Signature Id="s" ', b"<ds:Signature "),
    "type on the reference": _put(b'<ds:Reference Type="x" ', b"<ds:Reference "),
    "reference without URI": _put(b"<ds:Reference>", b'<ds:Reference URI="">'),
    "reference to the void": _put(b'URI="#"', b'URI=""'),
    "reference to a file": _put(b'URI="file:///etc/hostname"', b'URI=""'),
    "500 references": _references(500),
    "references taken out": _references(0),
    "SHA-1 digest stated": _put(DS + b"sha1", b"http://www.w3.org/2001/04/xmlenc#sha256"),
    "SHA-512 digest": _put(b"xmlenc#sha512", b"xmlenc#sha256"),
    "SHA-1 signature stated": _put(b"rsa-sha1", b"rsa-sha256"),
    "method of the other kind of key": _put(b"ecdsa-sha256", b"rsa-sha256"),
    "space after the signature": _put(b"</ds:Signature> ", b"</ds:Signature>"),
    "text after the signature": _put(b"</ds:Signature>9", b"</ds:Signature>"),
    "element after the signature": _put(b"</ds:Signature><x/>", b"</ds:Signature>"),
    "signature twice": _signature_twice,
    "signature inside an element": lambda raw: raw.replace(b"<ds:Signature ", b"<x><ds:Signature ")
    .replace(b"</ds:Signature>", b"</ds:Signature></x>"),
    "signature below a new root": lambda raw: raw.replace(b"<eco:Certificate ", b"<x><eco:Certificate ")
    .replace(b"</eco:Certificate>", b"</eco:Certificate></x>"),
    "certificates repeated": lambda raw: re.sub(
        rb"(<ds:X509Certificate>.*</ds:X509Certificate>)", rb"\1\1", raw, flags=re.DOTALL
    ),
    "hidden second signature element": _put(
        b'<eco:Amount><s:Signature xmlns:s="' + DS + b'"/>', b"<eco:Amount>"
    ),
}  # fmt: skip
