"""One request of the national interface: TLS, time limits, repetition, and what errors become.

Nothing is taken from the environment: no proxy, no netrc, no CA bundle.  Redirects are not
followed, cookies not kept, nothing is decompressed.
"""

from __future__ import annotations

import os
import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final, TypeGuard
from urllib.parse import urlencode

import urllib3
import urllib3.exceptions as foreign
from urllib3.util import Timeout

from gateway.client.credentials import Credential
from gateway.client.problems import Problem, problem_in
from gateway.client.reach import BASE, base_address
from gateway.documents import Language
from gateway.errors import (
    BadAnswerError,
    NameUnknownError,
    TimedOutError,
    TlsError,
    UnreachableError,
)

JSON: Final = "application/json"
_PIECE: Final = 65_536
_NOT_AUTHENTICATED: Final = 401

Body = bytes | BinaryIO


@dataclass(frozen=True, kw_only=True)
class Retries:
    """Says how often a request is repeated that no answer came to, and after which pauses.

    Attributes:
        times: repetitions after the first try; 0 for none.
        first_pause, longest_pause: seconds; each pause is about twice the one before.
    """

    times: int = 4
    first_pause: float = 0.5
    longest_pause: float = 15.0

    def pauses(self) -> Iterator[float]:
        """Yield the seconds before each repetition, spread so that callers do not march in step."""
        for number in range(self.times):
            longest = min(self.first_pause * 2**number, self.longest_pause)
            yield longest * random.uniform(0.5, 1.0)  # noqa: S311 - it spreads, it hides nothing


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds what is waited for and read.

    Attributes:
        connect_seconds, read_seconds: for a connection, and between two pieces of an answer.
        total_seconds: for one complete answer that is not streamed.
        answer_bytes: of one answer that is not streamed.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    total_seconds: float = 120.0
    answer_bytes: int = 64_000_000


@dataclass(frozen=True, kw_only=True)
class Manner:
    """Says how requests are worded and told apart.

    Attributes:
        language: of findings and remedies.
        correlation_id: names the requests in the gateway's log; a new one each unless given.
        purpose: why foreign certificates are looked at; stands in the gateway's journal.
    """

    language: Language = Language.ENGLISH
    correlation_id: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """Is one request, complete but for what every request says alike.

    Attributes:
        repeatable: asking twice does no more than asking once.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    media_type: str | None = None
    accept: str = JSON
    idempotency_key: str | None = None
    repeatable: bool = True


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Is one complete answer with a good status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Asks one gateway; safe between threads."""

    def __init__(
        self,
        address: str,
        credential: Credential,
        pool: urllib3.PoolManager,
        *,
        limits: Limits,
        retries: Retries,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = base_address(address)
        self._credential = credential
        self._pool = pool
        self._limits = limits
        self._retries = retries
        self._sleep = sleep

    def ask(self, question: Question, manner: Manner) -> Answer:
        """Return the answer to a question, read to its end.

        Raises:
            Problem: the gateway answered with a problem document.
            TransportError: no usable answer came, repetitions included.
        """
        with self._opened(question, manner) as response:
            body = _read(response, self._limits)
        return Answer(status=response.status, headers=response.headers, body=body)

    def stream(self, question: Question, manner: Manner) -> Iterator[bytes]:
        """Yield the pieces of an answer as they come; the connection is freed at the end.

        Raises:
            Problem: the gateway answered with a problem document.
            TransportError: no usable answer came, or it broke off.
        """
        with self._opened(question, manner) as response, _translated(self._address):
            while piece := response.read1(_PIECE, decode_content=False):
                yield piece

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    @contextmanager
    def _opened(self, question: Question, manner: Manner) -> Iterator[urllib3.BaseHTTPResponse]:
        """Give an answer whose head is read and good; its body is not yet read."""
        asked = replace(manner, correlation_id=manner.correlation_id or str(uuid.uuid4()))
        response = self._sent(question, asked)
        if response.status == _NOT_AUTHENTICATED and self._credential.renew():
            response.drain_conn()
            response = self._sent(question, asked)
        try:
            if not 200 <= response.status < 300:
                raise self._problem(response)
            yield response
            response.release_conn()
        finally:
            response.close()

    def _sent(self, question: Question, manner: Manner) -> urllib3.BaseHTTPResponse:
        """Send until an answer begins; only what no answer came to is sent again."""
        pauses = self._retries.pauses() if _may_repeat(question) else iter(())
        file = question.body if _is_file(question.body) else None
        begun = file.tell() if file is not None and file.seekable() else 0
        while True:
            try:
                return self._tried(question, manner)
            except (UnreachableError, TimedOutError):
                pause = next(pauses, None)
                if pause is None:
                    raise
                self._sleep(pause)
                if file is not None:
                    file.seek(begun)

    def _tried(self, question: Question, manner: Manner) -> urllib3.BaseHTTPResponse:
        query = f"?{urlencode(question.query)}" if question.query else ""
        headers = self._headers(question, manner)
        with _translated(self._address):
            return self._pool.request(
                question.method,
                f"{self._address}{BASE}{question.path}{query}",
                body=question.body,
                headers=headers,
                timeout=Timeout(
                    connect=self._limits.connect_seconds, read=self._limits.read_seconds
                ),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )

    def _headers(self, question: Question, manner: Manner) -> dict[str, str]:
        stated = {
            "Authorization": f"Bearer {self._credential.token()}",
            "Accept": f"{question.accept}, application/problem+json",
            "Accept-Encoding": "identity",
            "Accept-Language": manner.language.value,
            "X-Correlation-ID": manner.correlation_id,
            "X-Purpose": manner.purpose,
            "Content-Type": question.media_type,
            "Idempotency-Key": question.idempotency_key,
            "Content-Length": _length(question.body),
        }
        return {name: value for name, value in stated.items() if value is not None}

    def _problem(self, response: urllib3.BaseHTTPResponse) -> Exception:
        body = _read(response, self._limits)
        found = problem_in(response.status, response.headers, body)
        if found is None:
            return BadAnswerError(
                f"{self._address} answers HTTP {response.status} without a problem document"
            )
        return Problem(found, retry_after=response.headers.get("Retry-After"))


def _length(body: Body | None) -> str | None:
    """Return the length of a file from where it stands; what cannot tell is sent in chunks."""
    if not _is_file(body) or not body.seekable():
        return None
    begun = body.tell()
    length = body.seek(0, os.SEEK_END) - begun
    body.seek(begun)
    return str(length)


def _may_repeat(question: Question) -> bool:
    sent_anew = not _is_file(question.body) or question.body.seekable()
    return sent_anew and (question.repeatable or question.idempotency_key is not None)


def _is_file(body: Body | None) -> TypeGuard[BinaryIO]:
    return body is not None and not isinstance(body, bytes)


def _read(response: urllib3.BaseHTTPResponse, limits: Limits) -> bytes:
    until = time.monotonic() + limits.total_seconds
    read = bytearray()
    with _translated("the gateway"):
        while piece := response.read1(_PIECE, decode_content=False):
            read += piece
            if len(read) > limits.answer_bytes:
                raise BadAnswerError(f"the answer is longer than {limits.answer_bytes} bytes")
            if time.monotonic() > until:
                raise TimedOutError(f"the answer took more than {limits.total_seconds:.0f} s")
    return bytes(read)


@contextmanager
def _translated(address: str) -> Iterator[None]:
    """Turn whatever the library raises in the block into a ``TransportError`` leaf."""
    try:
        yield
    except (foreign.SSLError, ssl.SSLError) as exc:
        raise TlsError(f"TLS fails with {address}: {_tls_reason(exc)}") from exc
    except foreign.NameResolutionError as exc:
        raise NameUnknownError(f"no address is known for {address}") from exc
    except (foreign.ConnectTimeoutError, foreign.NewConnectionError) as exc:
        raise UnreachableError(f"no connection to {address}") from exc
    except (foreign.TimeoutError, TimeoutError) as exc:
        raise TimedOutError(f"no complete answer from {address}") from exc
    except (foreign.ProtocolError, foreign.ProxyError, ConnectionError) as exc:
        raise UnreachableError(f"the connection was cut by {address}") from exc
    except foreign.HTTPError as exc:
        raise BadAnswerError(f"no usable HTTP from {address} ({type(exc).__name__})") from exc


def _tls_reason(exc: BaseException) -> str:
    for cause in (exc, exc.__cause__, exc.__context__, *exc.args):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
    return type(exc).__name__
