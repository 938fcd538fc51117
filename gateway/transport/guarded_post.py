"""Posting to addresses that somebody else named, without being led into our own network.

A name is resolved once for each attempt; every address that it gives is judged, and the
connection goes to one of those that were judged.  A second answer of the name server can
therefore not differ from the one that counted.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final

import requests
import urllib3.exceptions
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gateway.errors import NameUnknownError, TimedOutError, TlsError, UnreachableError
from gateway.transport.deadline import deadline, left_of, with_deadline
from gateway.transport.http import SOFTWARE_VERSION, retry_after_of
from gateway.transport.resolving import AddressInfo, resolved
from gateway.transport.tls import harden

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
_ADDRESSES_TRIED: Final = 4


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Says where to post and what may be reached under that name.

    Attributes:
        networks: networks allowed although they are not public.
        ports: ports that may be reached; None for any.
        ca: PEM file of the anchors the server must chain to; None takes those of the web.
        seconds: for each step of one attempt; the whole attempt has twice as long.
    """

    url: str = field(repr=False)
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] | None = None
    ca: Path | None = None
    seconds: float = 10.0


@dataclass(frozen=True, kw_only=True)
class PostAnswer:
    """Is what the other end answered; its body is not read."""

    status: int
    retry_after: float | None


def post(destination: Destination, body: bytes, headers: Mapping[str, str]) -> PostAnswer:
    """Return what ``destination`` answers; redirects are answers, they are not followed.

    Raises:
        TransportError: there was no answer, or the address is none that may be reached.
    """
    patience, begun = destination.seconds, time.monotonic()
    try:
        with deadline(2 * patience), _session(destination) as session:
            response = session.post(
                destination.url,
                data=body,
                headers=dict(headers),
                timeout=(patience, patience),
                allow_redirects=False,
                stream=True,
            )
            response.close()
            waiting = retry_after_of(response.headers.get("Retry-After"))
            return PostAnswer(status=response.status_code, retry_after=waiting)
    except (requests.exceptions.SSLError, ssl.SSLError) as exc:
        raise TlsError("no TLS with the receiver that we can believe") from exc
    except (requests.Timeout, TimeoutError) as exc:
        raise TimedOutError("the receiver does not answer in time") from exc
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
        ValueError,
    ) as exc:
        if time.monotonic() - begun >= 2 * patience:
            raise TimedOutError("the receiver does not answer in time") from exc
        raise UnreachableError(f"no exchange with the receiver ({type(exc).__name__})") from exc


def is_allowed(address: str, networks: Sequence[Network]) -> bool:
    """Return whether a connection to ``address`` may be made for somebody else.

    Only public addresses are allowed by themselves: a name under somebody else's control must
    not lead into our own network, nor may an address that wraps one of it.
    """
    found = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if any(found.version == network.version and found in network for network in networks):
        return True
    return found.is_global and not found.is_multicast


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, the address itself else."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _session(destination: Destination) -> requests.Session:
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update({"User-Agent": SOFTWARE_VERSION, "Accept-Encoding": "identity"})
    adapter = _GuardedAdapter(destination)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _context(ca: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    harden(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH if ca is None else str(ca))
    return context


def _connected(destination: Destination, host: str, port: int) -> socket.socket:
    """Return a connection to one of the addresses of ``host`` that were judged.

    Raises:
        NameUnknownError: the name has no address.
        UnreachableError: the port or every address is forbidden, or none answers.
        TimedOutError: the name servers do not answer in time.
        DeadlineError: the time of the exchange is over.
    """
    if destination.ports is not None and port not in destination.ports:
        raise UnreachableError(f"the port {port} is none that may be reached")
    last: OSError | None = None
    for family, kind, protocol, _, where in _judged(destination, host, port)[:_ADDRESSES_TRIED]:
        patience = left_of(destination.seconds)
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(patience)
            sock.connect(where)
        except OSError as exc:
            sock.close()
            last = exc
        else:
            return sock
    raise UnreachableError("no connection to the receiver") from last


def _judged(destination: Destination, host: str, port: int) -> list[AddressInfo]:
    """Return the addresses of ``host`` that may be reached."""
    try:
        found = resolved(host.strip("[]"), port, seconds=left_of(destination.seconds))
    except TimeoutError as exc:
        raise TimedOutError("the name servers do not answer in time") from exc
    except (OSError, UnicodeError) as exc:
        raise NameUnknownError("no address is known for the receiver") from exc
    allowed = [each for each in found if is_allowed(str(each[4][0]), destination.networks)]
    if not allowed:
        raise UnreachableError("the address is not public, and no allowed network holds it")
    return allowed


class _Session(requests.Session):
    """Takes a redirect for an answer; the library would read its body to look where it leads."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no target."""
        del resp


class _GuardedAdapter(HTTPAdapter):
    """Carries one request over a connection that ``_connected`` made, with TLS of our own."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        is_tls = destination.url.lower().startswith("https:")
        self._context = _context(destination.ca) if is_tls else None
        super().__init__(
            max_retries=Retry(0, read=False, redirect=False, respect_retry_after_header=False)
        )

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pools on connections that go where they were judged to go."""
        if self._context is not None:
            kwargs |= {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED"}
        super().init_poolmanager(*args, **kwargs)
        destination = self._destination

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return with_deadline(_connected(destination, self.host, self.port or 80))

        class Secured(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(destination, self.host, self.port or 443)

        plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        secured = type("SecuredPool", (HTTPSConnectionPool,), {"ConnectionCls": Secured})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secured}

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Return where to connect; the TLS part stays with our context."""
        where, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return where, {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the pool alone: requests would add the web's certificate authorities here."""
