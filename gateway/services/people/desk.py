"""What signing in needs: the books, the secrets of the home, and how long a session lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from gateway.errors import LocalAccountsOffError
from gateway.services.people.openid_provider import OpenIdProvider
from gateway.services.people.secrets import Secrets
from gateway.store import Store

_IPV4_PREFIX, _IPV6_PREFIX = 24, 48


@dataclass(frozen=True, kw_only=True)
class SessionTerms:
    """Says how long a session lasts and what opens it.

    Attributes:
        idle: it ends when it was not used for so long.
        whole: it ends then whatever happens.
        needs_factor: nobody gets in without a second factor.
    """

    idle: timedelta = timedelta(minutes=30)
    whole: timedelta = timedelta(hours=12)
    needs_factor: bool = True


@dataclass(frozen=True, kw_only=True)
class PeopleDesk:
    """Holds what the services about people work with.

    Attributes:
        provider: through which people may sign in, if any.
    """

    store: Store
    clock: Callable[[], datetime]
    secrets: Secrets
    terms: SessionTerms = field(default_factory=SessionTerms)
    provider: OpenIdProvider | None = None

    @property
    def local_accounts(self) -> bool:
        """Whether passwords of the gateway's own open sessions."""
        return self.provider is None or self.provider.terms.local_accounts

    def require_local_accounts(self) -> None:
        """Return if passwords open sessions here.

        Raises:
            LocalAccountsOffError: people sign in through the provider.
        """
        if not self.local_accounts:
            raise LocalAccountsOffError("people sign in here through the identity provider")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Says where a request came from, as far as it is kept.

    Attributes:
        network: the address without its last part.
        agent: what the browser says of itself, cut.
    """

    network: str
    agent: str

    @classmethod
    def of(cls, address: str | None, agent: str | None) -> Origin:
        """Return the origin of a request from this address."""
        said = "".join(each for each in (agent or "") if each.isprintable())
        return cls(network=_network(address), agent=said[:200])


def _network(address: str | None) -> str:
    try:
        known = ip_address(address or "")
    except ValueError:
        return "unknown"
    prefix = _IPV4_PREFIX if known.version == 4 else _IPV6_PREFIX
    return str(ip_network((known, prefix), strict=False))
