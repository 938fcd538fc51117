"""The signature of a token: one known key, one algorithm that belongs to it, or a refusal.

What the token itself says decides nothing but which of the known keys is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from gateway.services.token_keys import ALGORITHMS, KeyRing, TokenKey

LONGEST: Final = 8_000
UNTYPED: Final = ""
"""Stands for a token without the header `typ`."""
_PARTS: Final = 3

Refuse = Callable[[str], NoReturn]


@dataclass(frozen=True, kw_only=True)
class SignedBytes:
    """Is what a provider signed, and by which algorithm."""

    payload: bytes
    algorithm: str


@dataclass(frozen=True, kw_only=True)
class SignatureRules:
    """Says which signatures hold.

    Attributes:
        algorithms: that may sign; asymmetric ones only.
        types: values of the header `typ`, ``UNTYPED`` where it may be missing.
    """

    algorithms: frozenset[str]
    types: frozenset[str]

    def __post_init__(self) -> None:
        """Refuse algorithms whose key could be a secret, or that prove nothing."""
        if not self.algorithms or not self.algorithms <= ALGORITHMS:
            raise ValueError(f"the algorithms must be among {', '.join(sorted(ALGORITHMS))}")


def signed_bytes(
    token: str, rules: SignatureRules, keys: KeyRing, refuse: Refuse, *, longest: int = LONGEST
) -> SignedBytes:
    """Return what the provider signed.

    Args:
        refuse: is told the reason and raises.

    Raises:
        TokenKeysUnavailableError: the provider's keys are not known.
    """
    if len(token) > longest or not token.isascii() or token.count(".") != _PARTS - 1:
        refuse("shape")
    verifier = PyJWS(algorithms=sorted(rules.algorithms))
    try:
        header = verifier.get_unverified_header(token)
    except (PyJWTError, ValueError, RecursionError):
        refuse("header")
    algorithm, found = _key_of(header, rules, keys, refuse)
    try:
        verified = verifier.decode_complete(
            token,
            key=found.key,
            algorithms=[algorithm],
            options={"verify_signature": True, "enforce_minimum_key_length": True},
        )
    except (PyJWTError, ValueError, TypeError):
        refuse("signature")
    return SignedBytes(payload=verified["payload"], algorithm=algorithm)


def _key_of(
    header: dict[str, Any], rules: SignatureRules, keys: KeyRing, refuse: Refuse
) -> tuple[str, TokenKey]:
    """Return the algorithm that the header names, and the key that is good for it."""
    algorithm, kid, kind = (header.get(name) for name in ("alg", "kid", "typ"))
    if not isinstance(algorithm, str) or algorithm not in rules.algorithms:
        refuse("algorithm")
    if "crit" in header or "b64" in header:
        refuse("header")
    said = UNTYPED if kind is None else kind
    if not isinstance(said, str) or _type(said) not in {_type(each) for each in rules.types}:
        refuse("type")
    if not isinstance(kid, str):
        refuse("key")
    found = keys.key(kid)
    if found is None or algorithm not in found.algorithms:
        refuse("key")
    return algorithm, found


def _type(kind: str) -> str:
    return kind.lower().removeprefix("application/")
