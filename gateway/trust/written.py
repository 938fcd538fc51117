"""The one shape of signature that we write, letter by letter, and cutting it off again.

A signature of this shape says four things: digest, value and certificates, and by its method
whether the key is RSA or elliptic.  All else is fixed.  So it is written by filling in blanks,
and read by comparing canonical bytes with the same letters.  Whatever differs in one byte is
not of this shape, and this module says no more about it than that.

Source: XML Signature 1.1; Exclusive XML Canonicalization 1.0 (W3C); docs/decisions/0010.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import SignatureInvalidError
from gateway.trust.algorithms import (
    DSIG,
    ENVELOPED,
    Canonicalization,
    DigestMethod,
    SignatureMethod,
)
from gateway.trust.shape import MAX_CERTIFICATES

METHODS: Final = (SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256)
DIGEST: Final = DigestMethod.SHA256
CANONICALIZATION: Final = Canonicalization.EXCLUSIVE

# Canonical letters: no space between tags, empty elements written as two tags.
_SIGNED_INFO: Final = (
    "<ds:SignedInfo>"
    f'<ds:CanonicalizationMethod Algorithm="{CANONICALIZATION}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="METHOD"></ds:SignatureMethod>'
    '<ds:Reference URI="">'
    "<ds:Transforms>"
    f'<ds:Transform Algorithm="{ENVELOPED}"></ds:Transform>'
    f'<ds:Transform Algorithm="{CANONICALIZATION}"></ds:Transform>'
    "</ds:Transforms>"
    f'<ds:DigestMethod Algorithm="{DIGEST}"></ds:DigestMethod>'
    "<ds:DigestValue>%b</ds:DigestValue>"
    "</ds:Reference>"
    "</ds:SignedInfo>"
)
_SIGNATURE: Final = (
    f'<ds:Signature xmlns:ds="{DSIG}">'
    f"{_SIGNED_INFO}"
    "<ds:SignatureValue>%b</ds:SignatureValue>"
    "<ds:KeyInfo><ds:X509Data>%b</ds:X509Data></ds:KeyInfo>"
    "</ds:Signature>"
)
_CERTIFICATE: Final = b"<ds:X509Certificate>%b</ds:X509Certificate>"

_OPENING: Final = f'<ds:Signature xmlns:ds="{DSIG}">'.encode()


def _to_sign(method: SignatureMethod) -> bytes:
    """Return SignedInfo as it is signed: a document of its own, so with its namespace."""
    alone = _SIGNED_INFO.replace("<ds:SignedInfo>", f'<ds:SignedInfo xmlns:ds="{DSIG}">')
    return alone.replace("METHOD", method).encode()


def _to_write(method: SignatureMethod) -> bytes:
    """Return the signature as we write it: an empty element is one tag."""
    short = re.sub(r"(<ds:\w+ [^<>]*)></ds:\w+>", r"\1/>", _SIGNATURE)
    return short.replace("METHOD", method).encode()


def _base64_text(*, most: int) -> bytes:
    """Return the pattern of base64 in lines, in the one spelling that its bytes have.

    The last letter before the padding says no more than it must.
    """
    end = rb"(?:[A-Za-z0-9+/]|[AEIMQUYcgkosw048]=|[AQgw]==)"
    return rb"[A-Za-z0-9+/\n]{0,%d}%b\n{0,9}" % (most, end)


def _to_match() -> re.Pattern[bytes]:
    """Return the canonical signature with a group for the method and for each blank."""
    before, after = _CERTIFICATE.split(b"%b")
    blanks = (
        b"(" + b"|".join(re.escape(method.encode()) for method in METHODS) + b")",
        rb"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)",
        rb"(%b)" % _base64_text(most=2_000),
        rb"((?:%b%b%b){1,%d})" % (before, _base64_text(most=24_000), after, MAX_CERTIFICATES),
    )
    letters = _SIGNATURE.replace("METHOD", "%b").encode().split(b"%b")
    pairs = zip(blanks, letters[1:], strict=True)
    return re.compile(
        re.escape(letters[0]) + b"".join(blank + re.escape(text) for blank, text in pairs)
    )


_TO_SIGN: Final = {method: _to_sign(method) for method in METHODS}
_TO_WRITE: Final = {method: _to_write(method) for method in METHODS}
_SHAPE: Final = _to_match()
_TEXTS: Final = re.compile(b"([^<>]+)".join(_CERTIFICATE.split(b"%b")))


# --- writing ----------------------------------------------------------------------------------


def signed_info(method: SignatureMethod, digest: bytes) -> bytes:
    """Return the canonical SignedInfo that is signed for a document.

    Args:
        digest: base64 of the SHA-256 of the canonical document; in ``signature`` likewise.
    """
    return _TO_SIGN[method] % digest


def certificates_text(pems: Sequence[bytes]) -> bytes:
    """Return the elements that carry these PEM certificates, signing certificate first."""
    bodies = [b"".join(pem.splitlines(keepends=True)[1:-1]) for pem in pems]
    return b"".join(_CERTIFICATE % body for body in bodies)


def signature(method: SignatureMethod, digest: bytes, value: bytes, certificates: bytes) -> bytes:
    """Return the signature element.

    Args:
        value: what the key made of :func:`signed_info`.
        certificates: what :func:`certificates_text` gave for the signer.
    """
    return _TO_WRITE[method] % (digest, base64.b64encode(value), certificates)


# --- reading ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cut:
    """Is a canonical document, cut into its last signature and all the rest.

    Attributes:
        signed_info: what was signed, canonical.
        digest: the SHA-256 that it states.
        value: what the key is said to have made of it.
        certificates: the elements that carry certificates, canonical.
        rest: the canonical document as it is without this signature.
    """

    method: SignatureMethod
    signed_info: bytes
    digest: bytes
    value: bytes
    certificates: bytes
    rest: bytes


def cut(document: bytes) -> Cut | None:
    """Return a document cut before and after its last signature; None if that is not of our shape.

    In canonical text ``<`` stands only where a tag begins, so what reads like a signature is
    one.  It is the last child of the root if no tag follows but the last end tag.  Exclusive
    canonicalisation writes an element by what it and its ancestors use, never its siblings, so
    the rest reads as if the signature had never been there.

    Args:
        document: exclusive canonical form of a whole document, without comments.
    """
    start = document.rfind(_OPENING)
    found = _SHAPE.match(document, start) if start >= 0 else None
    if found is None or document.find(b"<", found.end()) != document.rfind(b"</"):
        return None
    method, digest, value, certificates = found.groups()
    try:
        stated, made = _decoded(digest), _decoded(value)
    except ValueError:
        return None
    by = SignatureMethod(method.decode())
    rest = document[:start] + document[found.end() :]
    return Cut(by, signed_info(by, digest), stated, made, certificates, rest)


def holds_more(rest: bytes) -> bool:
    """Return whether anything else of the signature namespace may be in a canonical document."""
    return DSIG.encode() in rest


def certificates_der(text: bytes) -> tuple[bytes, ...]:
    """Return the certificates that these elements carry.

    Raises:
        SignatureInvalidError: one is not base64.
    """
    try:
        return tuple(_decoded(each) for each in _TEXTS.findall(text))
    except ValueError as exc:
        raise SignatureInvalidError("X509Certificate is not base64") from exc


def _decoded(text: bytes) -> bytes:
    """Return what base64 in lines says."""
    return base64.b64decode(text.replace(b"\n", b""), validate=True)
