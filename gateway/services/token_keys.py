"""The keys of an identity provider: read from its JWKS, kept for a while, fetched anew in time.

A key is good for the algorithms that belong to its type, and to no other: a public key can
therefore never serve as the secret of a MAC.  Symmetric and private keys are passed over.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from gateway.errors import BadAnswerError, GatewayError, TokenKeysUnavailableError

log = structlog.get_logger(__name__)

RSA_ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
CURVES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
ALGORITHMS: Final = RSA_ALGORITHMS | frozenset(CURVES.values())
"""Every algorithm that a setting may allow: asymmetric ones only."""

_LEAST_RSA_BITS: Final = 2_048
_MOST_RSA_BITS: Final = 8_192
_MOST_KEYS: Final = 100
_LONGEST_KID: Final = 200

PublicKey = RSAPublicKey | EllipticCurvePublicKey


@dataclass(frozen=True, kw_only=True)
class TokenKey:
    """Is one public key with the algorithms that it may verify."""

    key: PublicKey
    algorithms: frozenset[str]


def keys_in(raw: bytes) -> Mapping[str, TokenKey]:
    """Return the usable keys of a JWKS document by their ids.

    Raises:
        BadAnswerError: it is no such document, or holds no usable key.
    """
    try:
        found = json.loads(raw)
        listed = found["keys"]
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise BadAnswerError("the identity provider's keys are no JWKS document") from exc
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise BadAnswerError("the identity provider's JWKS document lists no keys, or too many")
    keys = dict(_usable(listed))
    if not keys:
        raise BadAnswerError("the identity provider's JWKS document holds no usable key")
    return keys


def _usable(listed: list[Any]) -> Iterator[tuple[str, TokenKey]]:
    for each in listed:
        if not isinstance(each, dict) or "d" in each or each.get("use", "sig") != "sig":
            continue
        kid = each.get("kid")
        if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID:
            continue
        try:
            key = _key(each)
        except (PyJWTError, ValueError, TypeError, KeyError, OverflowError):
            key = None
        if key is not None:
            yield kid, key


def _key(jwk: Mapping[str, Any]) -> TokenKey | None:
    known: frozenset[str]
    key: Any
    if jwk.get("kty") == "RSA":
        key = RSAAlgorithm.from_jwk(dict(jwk))
        if not isinstance(key, RSAPublicKey):
            return None
        known = RSA_ALGORITHMS
        if not _LEAST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS:
            return None
    elif jwk.get("kty") == "EC" and jwk.get("crv") in CURVES:
        key = ECAlgorithm.from_jwk(dict(jwk))
        if not isinstance(key, EllipticCurvePublicKey):
            return None
        known = frozenset({CURVES[jwk["crv"]]})
    else:
        return None
    stated = jwk.get("alg")
    return TokenKey(key=key, algorithms=known if stated is None else known & {stated})


class KeyRing:
    """Keeps the keys of one identity provider; safe between threads.

    They are fetched anew when they are no longer fresh, or when a token names a key that is
    not among them: at most once in ``pause`` seconds, whatever tokens say.  While the provider
    is away, the keys known go on counting for ``patience`` seconds.

    Args:
        load: returns the JWKS document; raises GatewayError.
    """

    def __init__(
        self,
        load: Callable[[], bytes],
        *,
        fresh: float = 300.0,
        patience: float = 3_600.0,
        pause: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._fresh, self._patience, self._pause = fresh, patience, pause
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, TokenKey] = {}
        self._read_at = -float("inf")
        self._tried_at = -float("inf")

    def key(self, kid: str) -> TokenKey | None:
        """Return the key with this id, None where the provider has none.

        Raises:
            TokenKeysUnavailableError: the provider's keys are not known, or not any more.
        """
        if kid not in self._keys or self._age(self._read_at) >= self._fresh:
            self._refresh()
        if self._age(self._read_at) >= self._patience:
            raise TokenKeysUnavailableError("the identity provider's keys cannot be fetched")
        return self._keys.get(kid)

    def _refresh(self) -> None:
        """Fetch the keys, unless that was just tried; who has keys does not wait for others."""
        known = self._age(self._read_at) < self._patience
        if not self._lock.acquire(blocking=not known):
            return
        try:
            if self._age(self._tried_at) < self._pause:
                return
            self._tried_at = self._clock()
            self._keys = keys_in(self._load())
            self._read_at = self._clock()
        except GatewayError as exc:
            log.warning("token keys not fetched", code=exc.code, detail=exc.detail)
        finally:
            self._lock.release()

    def _age(self, moment: float) -> float:
        return self._clock() - moment
