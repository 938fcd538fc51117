"""Secrets of people: passwords, one-time codes, session tokens, seeds of second factors.

Digests and seeds depend on a key in the home, so that whoever reads the database, or a backup of
it, can neither sign in nor try passwords without that file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import pyotp
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

SHORTEST, LONGEST = 12, 256
_WEAKEST: Final = 3
_JUDGED: Final = 72
_TELLING: Final = 3
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH: Final = 16
_STEP_SECONDS: Final = 30
_HASHES_AT_ONCE: Final = threading.BoundedSemaphore(2)
"""Argon2 takes memory on purpose; more callers than this wait."""


def new_token() -> str:
    """Return the token of a new session: 256 random bits."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """Return a one-time code of 80 random bits, in groups that a person can read out."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return "-".join(letters[at : at + 4] for at in range(0, _CODE_LENGTH, 4))


def _hasher() -> PasswordHasher:
    """Return Argon2id as OWASP advises: 19 MiB, two passes, one lane."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Makes and recognises secrets of people.

    Attributes:
        key: of the home, 32 bytes.
        issuer: who stands beside the account in an authenticator app.
    """

    key: bytes
    issuer: str
    _hash: PasswordHasher = field(default_factory=_hasher)
    _nobody: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "_nobody", self._hash.hash(secrets.token_bytes(16)))

    def __repr__(self) -> str:
        return "Secrets()"

    def mac(self, purpose: str, text: str) -> str:
        """Return the digest by which a token, a code or a login is recognised."""
        said = f"eco console {purpose} 1:{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self.key, said, hashlib.sha256).hexdigest()

    def code_mac(self, login: str, code: str) -> str:
        """Return the digest of a one-time code, however it was typed."""
        letters = "".join(each for each in code.upper() if each in _ALPHABET)
        return self.mac("code", f"{login}:{letters}")

    def hash_password(self, password: str) -> str:
        """Return what a password is recognised by."""
        with _HASHES_AT_ONCE:
            return self._hash.hash(self._peppered(password))

    def is_password(self, password: str, kept: str | None) -> bool:
        """Return whether this is the password; where there is none, as slowly."""
        try:
            with _HASHES_AT_ONCE:
                right = self._hash.verify(kept or self._nobody, self._peppered(password))
        except (VerificationError, InvalidHashError):
            return False
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Return whether the password should be hashed anew, with the parameters of today."""
        return self._hash.check_needs_rehash(kept)

    def seed(self, person_id: int, version: int) -> str:
        """Return a seed of a person's second factor, in base 32."""
        said = f"eco console second factor 1:{person_id}:{version}".encode()
        raw = hmac.new(self.key, said, hashlib.sha256).digest()[:20]
        return base64.b32encode(raw).decode("ascii")

    def address(self, login: str, seed: str) -> str:
        """Return the ``otpauth:`` address that an authenticator app reads."""
        return pyotp.TOTP(seed).provisioning_uri(name=login, issuer_name=self.issuer)

    def step_of(self, seed: str, code: str, at: datetime) -> int | None:
        """Return the time step whose code this is, one back or ahead at most, or None."""
        digits = "".join(code.split())
        if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
            return None
        app, now = pyotp.TOTP(seed), int(at.timestamp()) // _STEP_SECONDS
        for step in (now, now - 1, now + 1):
            if hmac.compare_digest(app.generate_otp(step), digits):
                return step
        return None

    def _peppered(self, password: str) -> bytes:
        """Return the password mixed with the key of the home; nothing of it is cut off."""
        return hmac.new(self.key, password.encode("utf-8"), hashlib.sha256).digest()


class PasswordFault(StrEnum):
    """Says what is wrong with a password."""

    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    TOO_EASY = "TOO_EASY"


def fault_of(password: str, *, known: tuple[str, ...]) -> PasswordFault | None:
    """Return what is wrong with a new password, or None.

    Args:
        known: what an attacker would try first: login, name, organisation; it counts for nothing.
    """
    if len(password) < SHORTEST:
        return PasswordFault.TOO_SHORT
    if len(password) > LONGEST:
        return PasswordFault.TOO_LONG
    rest = password.casefold()
    for each in sorted(known, key=len, reverse=True):
        if len(each) >= _TELLING:
            rest = rest.replace(each.casefold(), "")
    if not rest or zxcvbn(rest[:_JUDGED])["score"] < _WEAKEST:  # of nothing zxcvbn knows nothing
        return PasswordFault.TOO_EASY
    return None
