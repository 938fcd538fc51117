"""Our own keys as anybody may know them, each with its state and when to renew it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.operations.expiry import certificates_in
from gateway.services.operating.desk import OperatingDesk
from gateway.trust import fingerprint_of

EARLY: Final = timedelta(days=30)
"""So long before its end a key should have its successor registered with every peer."""
TLS: Final = "tls"


class KeyState(StrEnum):
    """Says how a key stands at one moment."""

    TO_COME = "TO_COME"
    IN_FORCE = "IN_FORCE"
    TO_RENEW = "TO_RENEW"
    ENDED = "ENDED"


@dataclass(frozen=True, kw_only=True)
class OwnKey:
    """Is one of our keys with its certificate; never the key itself.

    Attributes:
        renew_by: its successor should be registered with every peer by then.
        issuers: subjects of the certificates above it.
    """

    name: str
    subject: str
    issuers: tuple[str, ...]
    algorithm: str
    fingerprint: str
    since: datetime
    until: datetime
    renew_by: datetime
    state: KeyState


def own_keys(desk: OperatingDesk) -> tuple[OwnKey, ...]:
    """Return our signing keys by name, and that of our TLS."""
    return tuple(_found(desk))


def _found(desk: OperatingDesk) -> Iterator[OwnKey]:
    now = desk.now()
    for name, credential in desk.premises.credentials.items():
        yield _own_key(name, credential.signing_cert, tuple(credential.chain), now)
    served = certificates_in(desk.premises.tls_certificate)
    if served:
        yield _own_key(TLS, served[0], tuple(served[1:]), now)


def _own_key(
    name: str, cert: x509.Certificate, chain: tuple[x509.Certificate, ...], now: datetime
) -> OwnKey:
    since, until = cert.not_valid_before_utc, cert.not_valid_after_utc
    renew_by = until - min(EARLY, (until - since) / 2)
    return OwnKey(
        name=name,
        subject=cert.subject.rfc4514_string(),
        issuers=tuple(each.subject.rfc4514_string() for each in chain),
        algorithm=_algorithm(cert.public_key()),
        fingerprint=fingerprint_of(cert),
        since=since,
        until=until,
        renew_by=renew_by,
        state=_state(since, until, renew_by, now),
    )


def _state(since: datetime, until: datetime, renew_by: datetime, now: datetime) -> KeyState:
    if now < since:
        return KeyState.TO_COME
    if now >= until:
        return KeyState.ENDED
    return KeyState.IN_FORCE if now < renew_by else KeyState.TO_RENEW


def _algorithm(key: object) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return f"ECDSA {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else "–"
