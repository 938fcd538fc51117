"""The two locks of a backup: the gateway's signature, and the passphrase over private keys."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.errors import ConfigError, SignatureInvalidError, SignerUntrustedError
from gateway.keeping.manifest import KeyProtection
from gateway.trust import Credential, fingerprint_of

SHORTEST_PASSPHRASE: Final = 12
_WORK: Final = 2**16  # 64 MiB and a fifth of a second for each guess
_DIGEST: Final = hashes.SHA256()


def sign_detached(content: bytes, credential: Credential) -> bytes:
    """Return the signature over ``content``: RSA PKCS #1 v1.5 or ECDSA, with SHA-256.

    ``openssl dgst -sha256 -verify`` checks it without this software.
    """
    if isinstance(credential.key, rsa.RSAPrivateKey):
        return credential.key.sign(content, padding.PKCS1v15(), _DIGEST)
    return credential.key.sign(content, ec.ECDSA(_DIGEST))


def verify_detached(
    content: bytes, signature: bytes, signing_cert: x509.Certificate, *, signer: str | None
) -> None:
    """Check that the key of ``signing_cert`` signed ``content``.

    Args:
        signer: fingerprint the signing certificate must have; None leaves it to the reader.

    Raises:
        SignatureInvalidError: it did not.
        SignerUntrustedError: it is not the certificate with this fingerprint.
    """
    found = fingerprint_of(signing_cert)
    if signer is not None and found != signer.replace(":", "").strip().lower():
        raise SignerUntrustedError(f"the backup is signed by {found}, not by {signer}")
    key = signing_cert.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, content, padding.PKCS1v15(), _DIGEST)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, ec.ECDSA(_DIGEST))
        else:
            raise SignatureInvalidError("the backup's signer has a key of another kind")
    except InvalidSignature as exc:
        raise SignatureInvalidError("the backup's manifest was changed after signing") from exc


def lock_files(
    files: Mapping[str, bytes], passphrase: bytes, *, part: str, backup_id: str
) -> tuple[KeyProtection, bytes]:
    """Return private files encrypted together, and what a reader needs beside the passphrase.

    Raises:
        ConfigError: the passphrase is too short.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise ConfigError(f"the passphrase needs {SHORTEST_PASSPHRASE} characters or more")
    how = KeyProtection(part=part, salt=os.urandom(16).hex(), nonce=os.urandom(12).hex(), n=_WORK)
    plain = json.dumps({path: b64encode(raw).decode("ascii") for path, raw in files.items()})
    cipher = AESGCM(_key(how, passphrase))
    nonce = bytes.fromhex(how.nonce)
    return how, cipher.encrypt(nonce, plain.encode("utf-8"), _bound_to(backup_id))


def unlock_files(
    how: KeyProtection, locked: bytes, passphrase: bytes, *, backup_id: str
) -> dict[str, bytes]:
    """Return the private files by path.

    Raises:
        ConfigError: the passphrase does not open them.
    """
    cipher = AESGCM(_key(how, passphrase))
    try:
        plain = cipher.decrypt(bytes.fromhex(how.nonce), locked, _bound_to(backup_id))
    except InvalidTag as exc:
        raise ConfigError("the passphrase does not open the private keys") from exc
    return {path: b64decode(raw) for path, raw in json.loads(plain).items()}


def _key(how: KeyProtection, passphrase: bytes) -> bytes:
    return Scrypt(salt=bytes.fromhex(how.salt), length=32, n=how.n, r=how.r, p=how.p).derive(
        passphrase
    )


def _bound_to(backup_id: str) -> bytes:
    return f"eco-backup private files {backup_id}".encode()
