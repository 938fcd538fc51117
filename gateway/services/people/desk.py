"""What signing in needs: the books, the secrets of the home, and how long a session lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

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
    """Holds what the services about people work with."""

    store: Store
    clock: Callable[[], datetime]
    secrets: Secrets
    terms: SessionTerms = field(default_factory=SessionTerms)


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
