"""Alert letters by webhook: one signed POST, to public addresses unless others are allowed.

The receiver checks ``Eco-Signature: t=<unix time>,v1=<hex>``: HMAC-SHA256 with the shared
secret over ``<unix time>.<body>``.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gateway.errors import BadAnswerError, TimedOutError, TlsError, UnreachableError
from gateway.operations.letters import Letter
from gateway.transport.deadline import deadline, with_deadline
from gateway.transport.http import SOFTWARE_VERSION

SIGNATURE_HEADER: Final = "Eco-Signature"
_TIMEOUT: Final = (5.0, 10.0)
_TOTAL_SECONDS: Final = 20.0

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Says where a webhook is and how it knows us.

    Attributes:
        networks: networks allowed although they are not public.
        ca: PEM file of the anchors the server must chain to; None takes those of the web.
    """

    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    networks: tuple[Network, ...] = ()
    ca: Path | None = None


class WebhookCourier:
    """Posts letters to one webhook."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    def deliver(self, letter: Letter) -> None:
        """Post ``letter``; any 2xx takes it.

        Raises:
            TransportError: it was not taken.
        """
        body = json.dumps(letter.values(), ensure_ascii=False, sort_keys=True).encode()
        moment = str(int(letter.written_at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: f"t={moment},v1={signature(self._webhook.secret, moment, body)}",
            "Idempotency-Key": letter.id,
        }
        status = self._post(body, headers)
        if not 200 <= status < 300:
            raise BadAnswerError(f"the webhook answers {status}")

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        try:
            with deadline(_TOTAL_SECONDS), _session(self._webhook) as session:
                response = session.post(
                    self._webhook.url,
                    data=body,
                    headers=headers,
                    timeout=_TIMEOUT,
                    allow_redirects=False,
                    stream=True,
                    verify=True if self._webhook.ca is None else str(self._webhook.ca),
                )
                response.close()
                return response.status_code
        except requests.TooManyRedirects as exc:
            raise BadAnswerError("the webhook redirects; redirects are not followed") from exc
        except requests.exceptions.SSLError as exc:
            raise TlsError("no TLS with the webhook that we can believe") from exc
        except (requests.Timeout, TimeoutError) as exc:
            raise TimedOutError("the webhook does not answer in time") from exc
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            raise UnreachableError(f"no exchange with the webhook ({type(exc).__name__})") from exc


def signature(secret: bytes, moment: str, body: bytes) -> str:
    """Return the HMAC-SHA256 over time and body in hex."""
    return hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_allowed(address: str, networks: Sequence[Network]) -> bool:
    """Return whether a connection to ``address`` may carry a webhook.

    Only public addresses are allowed by themselves: a name under somebody else's control must
    not lead into our own network.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = found if mapped is None else mapped
    if any(found.version == network.version and found in network for network in networks):
        return True
    return found.is_global and not found.is_multicast


def _session(webhook: Webhook) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.headers.clear()
    session.headers.update({"User-Agent": SOFTWARE_VERSION, "Accept-Encoding": "identity"})
    adapter = _GuardedAdapter(webhook.networks)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _GuardedAdapter(HTTPAdapter):
    """Sends nothing over a connection whose other end is not allowed.

    The address is judged where it is connected, so that a second answer of the name server
    cannot differ from the one that was judged.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pools on connections that look at whom they reached."""
        super().init_poolmanager(*args, **kwargs)
        networks = self._networks

        class Guarded:
            def _new_conn(self) -> socket.socket:
                sock: socket.socket = super()._new_conn()  # type: ignore[misc]
                if not is_allowed(str(sock.getpeername()[0]), networks):
                    sock.close()
                    raise UnreachableError(
                        "the webhook's address is not public; [alerts.webhooks] networks allows it"
                    )
                return sock

        class Plain(Guarded, HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return with_deadline(super()._new_conn())

        class Secured(Guarded, HTTPSConnection):
            pass

        plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        secured = type("SecuredPool", (HTTPSConnectionPool,), {"ConnectionCls": Secured})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secured}
