"""Access tokens of an identity provider (RFC 9068): verified here, turned into a caller.

The token proves which client asks; which organisation that is, and which scopes its words mean,
stands in our settings.  What does not hold is answered alike, whatever the reason; the log says
which it was, never the token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, NoReturn

import structlog
from pydantic import BaseModel, ConfigDict, Field

from gateway.documents.base import printable
from gateway.errors import NotAuthenticatedError, NotFoundError
from gateway.exchange.context import Clock
from gateway.services.access import SCOPES_OF, Caller, Scope
from gateway.services.signed_tokens import UNTYPED, SignatureRules, signed_bytes
from gateway.services.token_keys import KeyRing
from gateway.store import Organisation, OrganisationState, Store, clients

log = structlog.get_logger(__name__)

_TYPE_OF_RFC_9068: Final = "at+jwt"
_LAST_MOMENT: Final = 253_402_300_799
Seconds = Annotated[float, Field(ge=0, le=_LAST_MOMENT, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True)
class TokenRules:
    """Says which tokens hold.

    Attributes:
        algorithms: that may sign; asymmetric ones only.
        types: values of the header `typ`; `at+jwt` is what RFC 9068 demands.
        client_claim: that names the client.
        organisations: code of the organisation by client.
        scopes: what a scope of the token means here; those not listed mean themselves.
        skew: how far the provider's clock may differ.
        longest: lifetime of a token at most.
    """

    issuer: str
    audience: str
    organisations: Mapping[str, str]
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256"})
    types: frozenset[str] = frozenset({_TYPE_OF_RFC_9068})
    client_claim: str = "client_id"
    scope_claim: str = "scope"
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    skew: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=24)

    def __post_init__(self) -> None:
        """Refuse algorithms whose key could be a secret, or that prove nothing."""
        _ = self.signature

    @property
    def signature(self) -> SignatureRules:
        """What is asked of the signature; a token without a type never holds."""
        return SignatureRules(algorithms=self.algorithms, types=self.types - {UNTYPED})


class _Claims(BaseModel):
    """Is what every token must say of itself, in its type."""

    model_config = ConfigDict(strict=True, extra="allow", hide_input_in_errors=True)

    iss: str
    aud: str | list[str]
    exp: Seconds
    iat: Seconds
    nbf: Seconds = 0.0


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Recognises callers by tokens of one identity provider; safe between threads."""

    rules: TokenRules
    keys: KeyRing
    store: Store
    clock: Clock

    def __call__(self, token: str) -> Caller:
        """Return who shows this token.

        Raises:
            NotAuthenticatedError: it does not hold; which of all reasons is not said.
            TokenKeysUnavailableError: the provider's keys are not known.
        """
        claims = self._claims(self._signed(token))
        client = claims.get(self.rules.client_claim)
        if not isinstance(client, str) or not 0 < len(client) <= 150:
            _refuse("client")
        owner = self._owner(client)
        return Caller(
            organisation=owner,
            scopes=self._scopes(claims) & SCOPES_OF[owner.kind],
            credential=str(printable(f"oauth:{client}")),
            expires_at=datetime.fromtimestamp(claims["exp"], tz=UTC),
        )

    def _signed(self, token: str) -> bytes:
        """Return what the provider signed."""
        return signed_bytes(token, self.rules.signature, self.keys, _refuse).payload

    def _claims(self, signed: bytes) -> dict[str, Any]:
        try:
            values = json.loads(signed)
            claims = _Claims.model_validate(values)
        except (ValueError, RecursionError):  # a ValidationError is a ValueError
            _refuse("claims")
        rules, now, skew = self.rules, self.clock().timestamp(), self.rules.skew.total_seconds()
        audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != rules.issuer:
            _refuse("issuer")
        if rules.audience not in audience:
            _refuse("audience")
        if now >= claims.exp + skew:
            _refuse("expired")
        if max(claims.nbf, claims.iat) > now + skew:
            _refuse("not yet")
        if not 0 < claims.exp - claims.iat <= rules.longest.total_seconds():
            _refuse("lifetime")
        return dict(values)

    def _owner(self, client: str) -> Organisation:
        code = self.rules.organisations.get(client)
        if code is None:
            _refuse("unknown client")
        try:
            with self.store.read() as conn:
                owner = clients.by_code(conn, code)
        except NotFoundError:
            _refuse("organisation missing")
        if owner.state is not OrganisationState.ACTIVE:
            _refuse("organisation suspended")
        return owner

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[Scope]:
        said = claims.get(self.rules.scope_claim, "")
        words = said.split() if isinstance(said, str) else said
        if not isinstance(words, list):
            return frozenset()
        own = {each.value: each for each in Scope}
        meant = {**own, **self.rules.scopes}
        return frozenset(meant[word] for word in words if isinstance(word, str) and word in meant)


def _refuse(reason: str) -> NoReturn:
    """Log why a token does not hold, and tell its bearer only that.

    Raises:
        NotAuthenticatedError: always.
    """
    log.info("token refused", reason=reason)
    raise NotAuthenticatedError("the access token does not hold")
