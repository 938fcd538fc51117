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
from typing import Final

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
_NAMESPACE: Final = DSIG.encode()


def _signed_alone(method: SignatureMethod) -> bytes:
    """Return what is signed: SignedInfo as a document of its own, so with its namespace."""
    alone = _SIGNED_INFO.replace("<ds:SignedInfo>", f'<ds:SignedInfo xmlns:ds="{DSIG}">')
    return alone.replace("METHOD", method).encode()


def _as_written(method: SignatureMethod) -> bytes:
    """Return the signature as we write it: an empty element is one tag."""
    return (
        re.sub(r"(<ds:\w+ [^<>]*)></ds:\w+>", r"\1/>", _SIGNATURE)
        .replace("METHOD", method)
        .encode()
    )


def _as_pattern(method: SignatureMethod) -> re.Pattern[bytes]:
    """Return the canonical signature with groups in place of the blanks."""
    certificate = re.escape(_CERTIFICATE % b"BASE64").replace(
        b"BASE64", rb"[A-Za-z0-9+/=\n]{1,24000}"
    )
    blanks = (
        rb"([A-Za-z0-9+/]{43}=)",
        rb"([A-Za-z0-9+/=\n]{1,2000})",
        rb"((?:%b){1,%d})" % (certificate, MAX_CERTIFICATES),
    )
    letters = re.escape(_SIGNATURE.replace("METHOD", method).encode()).split(rb"%b")
    return re.compile(
        letters[0] + b"".join(b + a for b, a in zip(blanks, letters[1:], strict=True))
    )


_ALONE: Final = {method: _signed_alone(method) for method in METHODS}
_WRITTEN: Final = {method: _as_written(method) for method in METHODS}
_PATTERNS: Final = {method: _as_pattern(method) for method in METHODS}
_BASE64: Final = re.compile(re.escape(_CERTIFICATE % b"B").replace(b"B", b"([^<]*)"))


# --- writing ----------------------------------------------------------------------------------


def signed_info(method: SignatureMethod, digest: bytes) -> bytes:
    """Return what the key signs for a document.

    Args:
        digest: base64 of the SHA-256 of the canonical document; ``signature`` likewise.
    """
    return _ALONE[method] % digest


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
    return _WRITTEN[method] % (digest, base64.b64encode(value), certificates)
