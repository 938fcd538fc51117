"""What the identity provider states about a person: an ID token, checked claim by claim.

Source: OpenID Connect Core 1.0, 3.1.3.7 and 3.1.3.8; RFC 8725 (best practices for JWT).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, NoReturn

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import IdTokenError, ProviderClockError
from gateway.services.people.openid import OpenIdTerms
from gateway.services.people.openid_provider import Redeemed
from gateway.services.signed_tokens import signed_bytes
from gateway.services.token_keys import KeyRing
from gateway.services.tokens import Seconds

log = structlog.get_logger(__name__)

LONGEST: Final = 32_000
SUBJECT: Final = r"^[!-~](?:[ -~]{0,253}[!-~])?$"
_OLDEST: Final = timedelta(minutes=10)
_DIGESTS: Final = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


class _Claims(BaseModel):
    """Is what an ID token must say, and may say, in its type; all else is passed over."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    iss: str
    sub: Annotated[str, Field(pattern=SUBJECT)]
    aud: str | list[str]
    exp: Seconds
    iat: Seconds
    nbf: Seconds = 0.0
    nonce: str
    azp: str | None = None
    at_hash: str | None = None
    acr: str | None = None
    amr: list[str] = []


@dataclass(frozen=True, kw_only=True)
class Stated:
    """Is whom the provider names.

    Attributes:
        has_factor: it asked for a second factor of a kind that is believed.
    """

    subject: str
    has_factor: bool


def stated_in(
    redeemed: Redeemed, terms: OpenIdTerms, keys: KeyRing, *, nonce: str, now: datetime
) -> Stated:
    """Return whom an ID token names.

    Raises:
        IdTokenError: it does not hold; the log says why.
        ProviderClockError: it does not hold yet, or any more.
        TokenKeysUnavailableError: the provider's keys are not known.
    """
    signed = signed_bytes(redeemed.id_token, terms.signature, keys, _refuse, longest=LONGEST)
    try:
        claims = _Claims.model_validate_json(signed.payload)
    except (ValidationError, RecursionError):
        _refuse("claims")
    _check_names(claims, terms)
    if not hmac.compare_digest(claims.nonce.encode(), nonce.encode()):
        _refuse("nonce")
    if claims.at_hash is not None:
        expected = _half_digest(redeemed.access_token, signed.algorithm)
        if not hmac.compare_digest(claims.at_hash.encode(), expected.encode()):
            _refuse("access token of another")
    _check_times(claims, terms, now.timestamp())
    shown = claims.acr in terms.factor_acr or not set(terms.factor_amr).isdisjoint(claims.amr)
    return Stated(subject=claims.sub, has_factor=shown)


def _check_names(claims: _Claims, terms: OpenIdTerms) -> None:
    """Refuse what another provider says, or what is said to anybody but us alone."""
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if claims.iss != terms.issuer:
        _refuse("issuer")
    if audience != [terms.client_id]:
        _refuse("audience")
    if claims.azp is not None and claims.azp != terms.client_id:
        _refuse("authorized party")


def _check_times(claims: _Claims, terms: OpenIdTerms, now: float) -> None:
    skew = terms.skew.total_seconds()
    late = now >= claims.exp + skew or now - claims.iat > _OLDEST.total_seconds() + skew
    if late or max(claims.nbf, claims.iat) > now + skew:
        log.warning("id token out of date", seconds=round(now - claims.iat))
        raise ProviderClockError("what the identity provider states does not hold at this moment")


def _half_digest(token: str, algorithm: str) -> str:
    """Return what ``at_hash`` states of an access token: the left half of its digest."""
    digest = _DIGESTS[algorithm[-3:]](token.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode("ascii").rstrip("=")


def _refuse(reason: str) -> NoReturn:
    """Log why an ID token does not hold, and tell its bearer only that.

    Raises:
        IdTokenError: always.
    """
    log.warning("id token refused", reason=reason)
    raise IdTokenError("what the identity provider states does not hold")
