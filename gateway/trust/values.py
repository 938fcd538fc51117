"""Signature values: what a key makes of bytes, and whether a public key confirms it.

A signer is anything that says which method it signs by and turns bytes into a value; keys in
memory are wrapped here, and keys in a token (PKCS#11) need no more than the same two things.

Source: XML Signature 1.1, 6.4: an elliptic value is r and s, each as long as the curve's order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gateway.trust.algorithms import SignatureMethod

# Made once: they hold settings only, and making them anew costs as much as a digest.
_SHA256: Final = hashes.SHA256()
_PKCS1: Final = padding.PKCS1v15()
_ECDSA: Final = ec.ECDSA(_SHA256)


class ValueSigner(Protocol):
    """Makes signature values."""

    @property
    def method(self) -> SignatureMethod:
        """How it signs."""

    def sign(self, data: bytes) -> bytes:
        """Return the value as it stands in a signature, before base64."""


@dataclass(frozen=True)
class RsaSigner:
    """Signs with an RSA key in memory."""

    key: rsa.RSAPrivateKey = field(repr=False)
    method: SignatureMethod = field(default=SignatureMethod.RSA_SHA256, init=False)

    def sign(self, data: bytes) -> bytes:
        """Return the PKCS#1 1.5 signature."""
        return self.key.sign(data, _PKCS1, _SHA256)


@dataclass(frozen=True)
class EllipticSigner:
    """Signs with an elliptic curve key in memory."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    method: SignatureMethod = field(default=SignatureMethod.ECDSA_SHA256, init=False)

    def sign(self, data: bytes) -> bytes:
        """Return r and s side by side."""
        r, s = decode_dss_signature(self.key.sign(data, _ECDSA))
        size = _coordinate_bytes(self.key.key_size)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def confirms(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, value: bytes, data: bytes) -> bool:
    """Return whether the value was made over these bytes, with SHA-256, by the key's owner."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(value, data, _PKCS1, _SHA256)
            return True
        size = _coordinate_bytes(key.key_size)
        if len(value) != 2 * size:
            return False
        r, s = int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big")
        key.verify(encode_dss_signature(r, s), data, _ECDSA)
    except (OSError, MemoryError):  # our machine fails; that says nothing about the signature
        raise
    except Exception:  # noqa: BLE001 - whatever else a library makes of it, this is no yes
        return False
    return True


def _coordinate_bytes(bits: int) -> int:
    return (bits + 7) // 8
