"""Talking to the identity provider: its description, where it asks people, its tokens, its keys.

It is asked with deadlines and bounds, by few at a time, and after a failure not at once again: a
provider that hangs must not take the console's threads with it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import structlog

from gateway.errors import (
    GatewayError,
    JourneyLostError,
    ProviderUnavailableError,
)
from gateway.services.people.openid import DESCRIPTION, Description, OpenIdTerms, description_in
from gateway.services.token_keys import KeyRing
from gateway.transport.fetching import BasicAccount, DocumentServer

log = structlog.get_logger(__name__)

_MOST_BYTES: Final = 262_144
_FRESH: Final = 900.0
_PATIENCE: Final = 86_400.0
_PAUSE: Final = 10.0
_WAIT_SECONDS: Final = 3.0
_AT_ONCE: Final = 3
_LONGEST_CODE: Final = 4_000


@dataclass(frozen=True, kw_only=True)
class Errand:
    """Is what one journey to the provider is recognised by when it comes back.

    Attributes:
        state: stands in the address back.
        nonce: stands in the ID token.
        verifier: shows that who redeems the code began the journey.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier (S256)."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


@dataclass(frozen=True, kw_only=True)
class Redeemed:
    """Is what a code was redeemed for."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


class OpenIdProvider:
    """Is the identity provider of the console; safe between threads.

    Args:
        seconds: until each of its answers must be there.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        terms: OpenIdTerms,
        *,
        seconds: float = 6.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.terms = terms
        self._server = DocumentServer(
            base=terms.issuer, ca=terms.ca, most=_MOST_BYTES, seconds=seconds
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._calls = threading.BoundedSemaphore(_AT_ONCE)
        self._known: Description | None = None
        self._read_at = self._tried_at = -float("inf")
        self.keys = KeyRing(lambda: self._server.fetch(self.description().keys), clock=clock)

    def address(self, errand: Errand) -> str:
        """Return where the provider asks a person who they are.

        Raises:
            ProviderUnavailableError: its description cannot be had.
        """
        terms = self.terms
        asked = {
            "response_type": "code",
            "response_mode": "query",
            "client_id": terms.client_id,
            "redirect_uri": terms.redirect_uri,
            "scope": " ".join(terms.scopes),
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": errand.challenge,
            "code_challenge_method": "S256",
        }
        if terms.factor_acr:
            asked["acr_values"] = " ".join(terms.factor_acr)
        return _with(self.description().authorization, asked)

    def redeem(self, code: str, errand: Errand) -> Redeemed:
        """Return what the provider gives for a code.

        Raises:
            JourneyLostError: the code is not good, or was redeemed before.
            ProviderUnavailableError: there is no usable answer.
        """
        if len(code) > _LONGEST_CODE or not code.isascii():
            raise JourneyLostError("what came back is no code of the identity provider")
        description, terms = self.description(), self.terms
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": terms.redirect_uri,
            "code_verifier": errand.verifier,
        }
        account = BasicAccount(name=terms.client_id, secret=terms.client_secret)
        if not description.takes_basic:
            form |= {"client_id": terms.client_id, "client_secret": terms.client_secret}
        with self._passage():
            answer = self._server.send_form(
                description.token, form, account if description.takes_basic else None
            )
        said = _members(answer.body)
        if answer.status != 200:
            _complain(answer.status, said.get("error"))
        found = [said.get(name) for name in ("id_token", "access_token", "token_type")]
        id_token, access_token, kind = (each if isinstance(each, str) else "" for each in found)
        if not id_token or not access_token or kind.lower() != "bearer":
            raise _unavailable("no tokens in the answer")
        return Redeemed(id_token=id_token, access_token=access_token)

    def farewell(self) -> str | None:
        """Return where a person signs out at the provider too, None where that is not to be had."""
        try:
            address = self.description().farewell
        except ProviderUnavailableError:
            return None
        if address is None:
            return None
        back = f"{self.terms.console}/sign-in"
        said = {"client_id": self.terms.client_id, "post_logout_redirect_uri": back}
        return _with(address, said)

    def description(self) -> Description:
        """Return what the provider says of itself: what is known, or read anew in time.

        Raises:
            ProviderUnavailableError: it cannot be had.
        """
        if self._known is None or self._age(self._read_at) >= _FRESH:
            self._read()
        if self._known is None or self._age(self._read_at) >= _PATIENCE:
            raise _unavailable("no description")
        return self._known

    def _read(self) -> None:
        """Read the description, unless that was just tried; who knows one does not wait."""
        if not self._lock.acquire(timeout=0.0 if self._known else _WAIT_SECONDS):
            return
        try:
            if self._age(self._tried_at) < _PAUSE:
                return
            self._tried_at = self._clock()
            raw = self._server.fetch(self.terms.issuer.rstrip("/") + DESCRIPTION)
            self._known = description_in(raw, self.terms.issuer)
            self._read_at = self._clock()
        except GatewayError as exc:
            log.warning("provider not described", code=exc.code, detail=exc.detail)
        finally:
            self._lock.release()

    @contextmanager
    def _passage(self) -> Iterator[None]:
        """Let few ask at a time, and give every failure of the way one name."""
        if not self._calls.acquire(timeout=_WAIT_SECONDS):
            raise _unavailable("too many ask at once")
        try:
            yield
        except GatewayError as exc:
            log.warning("provider not reached", code=exc.code, detail=exc.detail)
            raise _unavailable(exc.code) from exc
        finally:
            self._calls.release()

    def _age(self, moment: float) -> float:
        return self._clock() - moment


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _complain(status: int, error: object) -> None:
    """Say why a code was not redeemed: that is ours to mend unless the code is at fault.

    Raises:
        JourneyLostError, ProviderUnavailableError: always one of them.
    """
    if status == 400 and error == "invalid_grant":
        raise JourneyLostError("the identity provider does not take this code any more")
    named = error if isinstance(error, str) and error.isidentifier() else "none"
    log.warning("code not redeemed", status=status, error=named[:60])
    raise _unavailable(f"status {status}")


def _unavailable(reason: str) -> ProviderUnavailableError:
    return ProviderUnavailableError(f"the identity provider gives no usable answer: {reason}")


def _with(address: str, asked: Mapping[str, str]) -> str:
    joint = "&" if urlsplit(address).query else "?"
    return f"{address}{joint}{urlencode(asked)}"
