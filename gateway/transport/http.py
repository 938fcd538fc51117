"""One HTTP exchange with a peer: bounded in time and size, no redirects, nothing decompressed.

Foreign exceptions (requests, urllib3, ssl, http.client, OSError) end in ``foreign_errors``.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests
import urllib3.exceptions as urllib3_errors

from gateway import __version__
from gateway.errors import (
    BadAnswerError,
    GatewayError,
    NameUnknownError,
    TimedOutError,
    TlsError,
    TransportError,
    UnreachableError,
)
from gateway.transport.deadline import DeadlineError, deadline, is_over
from gateway.transport.port import PeerEndpoint
from gateway.transport.tls import FileStamp, PeerAdapter, stamp_of

SOFTWARE_VERSION: Final = f"eco-gateway/{__version__}"

_PIECE: Final = 65_536
_LONGEST_WAIT: Final = 86_400.0
_SESSIONS_KEPT: Final = 256


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """Is a complete answer, read within the limits.

    Attributes:
        media_type: content type in lower case without parameters; empty if none is stated.
        retry_after: seconds the peer asks us to wait, where it does.
    """

    status: int
    media_type: str
    body: bytes
    retry_after: float | None


class HttpClient:
    """Exchanges requests and answers with peers over kept connections; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[PeerEndpoint, tuple[FileStamp, requests.Session]] = (
            OrderedDict()
        )

    def exchange(
        self,
        endpoint: PeerEndpoint,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> HttpAnswer:
        """Return what the peer answers, whatever its status.

        Raises:
            TransportError: no complete answer within the limits of ``endpoint``.
        """
        with deadline(endpoint.total_timeout), foreign_errors(endpoint):
            response = self._session(endpoint).request(
                method,
                url,
                data=body,
                headers=dict(headers),
                timeout=(endpoint.connect_timeout, endpoint.read_timeout),
                allow_redirects=False,
                stream=True,
            )
            with closing(response):
                return HttpAnswer(
                    status=response.status_code,
                    media_type=_media_type(response),
                    body=_read(response, endpoint.max_answer_bytes),
                    retry_after=retry_after_of(response.headers.get("Retry-After")),
                )

    def close(self) -> None:
        """Close every kept connection."""
        with self._lock:
            while self._sessions:
                self._sessions.popitem()[1][1].close()

    def _session(self, endpoint: PeerEndpoint) -> requests.Session:
        stamp = stamp_of(endpoint.client_cert, endpoint.client_key)
        with self._lock:
            kept = self._sessions.get(endpoint)
            if kept is not None and kept[0] == stamp:
                self._sessions.move_to_end(endpoint)
                return kept[1]
        session = new_session(endpoint)
        with self._lock:
            self._sessions[endpoint] = (stamp, session)
            if len(self._sessions) > _SESSIONS_KEPT:
                self._sessions.popitem(last=False)
        return session


def new_session(endpoint: PeerEndpoint) -> requests.Session:
    """Return a session for this peer alone: no environment, cookies, redirects or encodings."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update({"User-Agent": SOFTWARE_VERSION, "Accept-Encoding": "identity"})
    adapter = PeerAdapter(endpoint)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def retry_after_of(stated: str | None) -> float | None:
    """Return the seconds of a ``Retry-After`` header (a number or a date), at most one day."""
    if stated is None:
        return None
    if stated.strip().isascii() and stated.strip().isdigit():
        return min(float(stated.strip()[:9]), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(stated)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    left = (aware - datetime.now(UTC)).total_seconds()
    return min(max(left, 0.0), _LONGEST_WAIT)


def _media_type(response: requests.Response) -> str:
    return str(response.headers.get("Content-Type", "")).split(";", 1)[0].strip().lower()


def _read(response: requests.Response, most: int) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise BadAnswerError(f"the answer is encoded as {encoding[:40]!r}, which was not asked for")
    stated = response.headers.get("Content-Length", "")
    if stated.isdigit() and int(stated[:20]) > most:
        raise BadAnswerError(f"the answer announces {stated[:20]} bytes; at most {most} are read")
    body = bytearray()
    while piece := response.raw.read(_PIECE, decode_content=False):
        body += piece
        if len(body) > most:
            raise BadAnswerError(f"the answer is longer than {most} bytes")
    return bytes(body)


@contextmanager
def foreign_errors(endpoint: PeerEndpoint) -> Iterator[None]:
    """Turn whatever a library raises in the block into a ``TransportError`` leaf."""
    begun = time.monotonic()
    try:
        yield
    except GatewayError:
        raise
    except (
        requests.RequestException,
        urllib3_errors.HTTPError,
        http.client.HTTPException,
        OSError,
        ValueError,
    ) as exc:
        raise _translated(exc, endpoint, time.monotonic() - begun) from exc


@dataclass(frozen=True)
class _Sign:
    """Says what it means if one of ``kinds`` stands among the causes; ``{}`` is the address."""

    kinds: tuple[type[BaseException], ...]
    error: type[TransportError]
    sentence: str


# The first sign that fits decides, so the telling ones stand above those that wrap them.
_SIGNS: Final = (
    _Sign(
        (DeadlineError, requests.ReadTimeout, urllib3_errors.ReadTimeoutError),
        TimedOutError,
        "no complete answer from {}",
    ),
    _Sign(
        (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, BrokenPipeError),
        UnreachableError,
        "the connection was cut by {}",
    ),
    _Sign((ssl.SSLError, requests.exceptions.SSLError), TlsError, "TLS fails with {}"),
    _Sign(
        (urllib3_errors.NameResolutionError, socket.gaierror),
        NameUnknownError,
        "no address is known for {}",
    ),
    _Sign(
        (
            urllib3_errors.NewConnectionError,
            urllib3_errors.PoolError,
            urllib3_errors.LocationValueError,
            requests.ConnectTimeout,
            requests.exceptions.InvalidURL,
            UnicodeError,
        ),
        UnreachableError,
        "no connection to {}",
    ),
    _Sign((TimeoutError,), TimedOutError, "no complete answer from {}"),
    _Sign(
        (FileNotFoundError, PermissionError),
        TlsError,
        "our own client credential for {} is missing",
    ),
    _Sign((ConnectionError,), UnreachableError, "the connection was cut by {}"),
)


def _translated(exc: BaseException, endpoint: PeerEndpoint, after: float) -> TransportError:
    chain = list(_causes(exc))
    where = f"{endpoint.url} after {after:.1f} s"
    if is_over():
        return TimedOutError(f"no complete answer from {where}")
    for sign in _SIGNS:
        if any(isinstance(cause, sign.kinds) for cause in chain):
            reason = f": {_tls_reason(chain)}" if sign.error is TlsError else ""
            return sign.error(sign.sentence.format(where) + reason)
    return BadAnswerError(f"no usable HTTP from {where} ({type(chain[-1]).__name__})")


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that led to it, as libraries wrap one in another."""
    seen: list[BaseException] = []
    waiting: list[object] = [exc]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and not any(cause is known for known in seen):
            seen.append(cause)
            yield cause
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None)]
            waiting += list(cause.args)


def _tls_reason(chain: list[BaseException]) -> str:
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return getattr(cause, "verify_message", "") or str(cause)
    reasons = [cause.reason for cause in chain if isinstance(cause, ssl.SSLError) and cause.reason]
    return str(reasons[0]) if reasons else type(chain[-1]).__name__
