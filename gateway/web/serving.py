"""Serving one WSGI app with gunicorn: mutual TLS or plain, slow callers bounded.

gunicorn holds a thread for as long as a caller takes to send a request, and rebuilds the TLS
context for every connection.  Here every request has a deadline on the socket itself, and the
context is built once and again only when one of its files changes, so that renewed
certificates and newly trusted peers need no restart.
"""

from __future__ import annotations

import selectors
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.util import close_graceful
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from gateway.errors import ConfigError
from gateway.transport.deadline import deadline, is_over, with_deadline
from gateway.transport.tls import FileStamp, harden, load_credential, stamp_of

_LOG = structlog.get_logger(__name__)
_CONTEXT_ERRORS: Final = (OSError, ValueError)
_LINGER_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class ServerTls:
    """Names the files of a TLS listener.

    Attributes:
        cert: PEM, the server certificate first, then its issuers.
        client_ca: PEM bundle of the anchors that client certificates must chain to; with it
            every caller must show one.  None asks callers for no certificate (console, API).
    """

    cert: Path
    key: Path
    client_ca: Path | None
    key_password: str | None = None

    def __repr__(self) -> str:
        return f"ServerTls(cert={self.cert}, client_ca={self.client_ca})"


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Says where and how one app is served.

    Attributes:
        port: 0 lets the system choose; ``on_ready`` of ``serve`` learns which.
        tls: None serves plain HTTP, for loopback or behind a proxy of our own.
        threads: requests in work at once, per worker process.
        head_seconds: longest time for TLS handshake and request head together.
        request_seconds: longest time from there to the last byte of the answer.
        worker_seconds: a worker silent for longer is killed and replaced.
        grace_seconds: how long a stop waits for requests in work.
    """

    host: str
    port: int
    tls: ServerTls | None
    workers: int = 1
    threads: int = 8
    connections: int = 512
    keepalive_seconds: int = 20
    head_seconds: float = 10.0
    request_seconds: float = 60.0
    worker_seconds: int = 90
    grace_seconds: int = 20
    log_level: str = "warning"
    name: str = "eco"


class ServerContext:
    """Builds the TLS context of a listener once, and anew when one of its files changes."""

    def __init__(self, tls: ServerTls) -> None:
        self._tls = tls
        self._lock = threading.Lock()
        self._stamp: FileStamp | None = None
        self._context: ssl.SSLContext | None = None

    def current(self) -> ssl.SSLContext:
        """Return the context for the next connection.

        A file that is missing or unusable after a change is logged, and the context before
        the change stays in force.

        Raises:
            OSError: there is none in force yet.
        """
        tls = self._tls
        with self._lock:
            try:
                stamp = stamp_of(tls.cert, tls.key, tls.client_ca)
                if self._context is None or stamp != self._stamp:
                    self._context, self._stamp = server_context(tls), stamp
            except _CONTEXT_ERRORS as exc:
                if self._context is None:
                    raise
                _LOG.error("tls files unusable, earlier ones kept", error=type(exc).__name__)
            return self._context


def server_context(tls: ServerTls) -> ssl.SSLContext:
    """Return the context of a listener, every option written out.

    Raises:
        OSError: a file is missing, or (``ssl.SSLError``) unusable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    harden(context)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_TICKET
    context.num_tickets = 0  # no resumption: each connection proves its certificate anew
    load_credential(context, tls.cert, tls.key, tls.key_password)
    context.verify_mode = ssl.CERT_NONE
    if tls.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cafile=tls.client_ca)
    return context


class BoundedWorker(ThreadWorker):
    """Is gunicorn's threaded worker, hardened against callers that take their time.

    gunicorn spends a thread on a connection that has sent nothing yet, waits without limit for
    the rest of a request, and lingers in its accepting loop on connections that it closes.
    Here the first byte costs no thread, handshake and head have a deadline, the whole request
    another, and lingering is done by the thread that served.
    """

    head_seconds = 10.0
    request_seconds = 60.0
    is_ending = False

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once, and once: a terminal's Ctrl-C and the parent's signal come together.

        gunicorn shuts its pool of threads here, by a lock which the very loop that the signal
        interrupts, or this handler in its first call, may hold: the process then waits for ever.
        """
        if not self.is_ending:
            self.is_ending = True
            Worker.handle_quit(self, sig, frame)  # type: ignore[no-untyped-call]

    def enqueue_req(self, conn: Any) -> None:
        """Queue a connection that has something to read; park a new one until it has."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)  # type: ignore[no-untyped-call]
            return
        if not self.cfg.is_ssl:
            conn.sock = with_deadline(conn.sock)
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.head_seconds
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        poller: Any = self.poller
        poller.register(conn.sock, selectors.EVENT_READ, readable)

    def handle(self, conn: Any) -> Any:
        """Handle one request of a connection in time; close it here if it is not kept."""
        with deadline(self.head_seconds):
            kept = super().handle(conn)  # type: ignore[no-untyped-call]
            if not kept:
                _close(conn)
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Let the app answer a request whose head was read, in time."""
        with deadline(self.request_seconds):
            return super().handle_request(req, conn)  # type: ignore[no-untyped-call]


def _close(conn: Any) -> None:
    """Close a connection in the serving thread, and leave gunicorn's loop nothing to do."""
    if is_over():
        conn.sock.close()
    else:
        conn.sock.setblocking(True)
        close_graceful(conn.sock, timeout=_LINGER_SECONDS)  # type: ignore[no-untyped-call]
    conn.close = lambda **_: None


class BriefLogger(Logger):
    """Is gunicorn's logger without a page of traceback for every caller that was too slow.

    Its lines go where all others go (``gateway.operations.logs``), in their form.
    """

    def setup(self, cfg: Any) -> None:
        """Take the level from ``cfg`` and leave writing to the root logger."""
        super().setup(cfg)  # type: ignore[no-untyped-call]
        self.error_log.handlers.clear()
        self.error_log.propagate = True

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a failure; those of the connection in one line."""
        cause = sys.exc_info()[1]
        if isinstance(cause, OSError):
            self.error_log.warning("%s (%s)", msg % args if args else msg, type(cause).__name__)
        else:
            super().exception(msg, *args, **kwargs)  # type: ignore[no-untyped-call]


class _Server(BaseApplication):
    def __init__(
        self,
        app_factory: Callable[[], Any],
        settings: ServerSettings,
        on_ready: Callable[[str, int], None] | None,
    ) -> None:
        self._app_factory = app_factory
        self._settings = settings
        self._on_ready = on_ready
        super().__init__()  # type: ignore[no-untyped-call]

    def load_config(self) -> None:
        """Set every gunicorn option that matters; the environment and files are not read."""
        config: Any = self.cfg
        for name, value in _gunicorn_options(self._settings).items():
            config.set(name, value)
        config.set("when_ready", self._ready)

    def load(self) -> Any:
        """Return the app, built in the worker process after the fork."""
        return self._app_factory()

    def _ready(self, arbiter: Any) -> None:
        if self._on_ready is not None:
            host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
            self._on_ready(host, port)


def serve(
    app_factory: Callable[[], Any],
    settings: ServerSettings,
    on_ready: Callable[[str, int], None] | None = None,
) -> None:
    """Serve the app that ``app_factory`` builds until SIGTERM or SIGINT; leaves by SystemExit.

    Call it in the main thread of a process of its own.  ``app_factory`` runs in every worker
    after the fork; SIGHUP replaces the workers gracefully.

    Args:
        app_factory: builds the WSGI app.
        settings: where and how.
        on_ready: called once in the parent with host and port, when connections are taken.

    Raises:
        ConfigError: the TLS files cannot be used.
    """
    if settings.tls is not None:
        try:
            server_context(settings.tls)
        except _CONTEXT_ERRORS as exc:
            raise ConfigError(f"the TLS files of the listener cannot be used: {exc}") from exc
    _Server(app_factory, settings, on_ready).run()  # type: ignore[no-untyped-call]


def _gunicorn_options(settings: ServerSettings) -> dict[str, Any]:
    bounds = {"head_seconds": settings.head_seconds, "request_seconds": settings.request_seconds}
    worker = type("Worker", (BoundedWorker,), bounds)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    options = {
        "bind": f"{host}:{settings.port}",
        "workers": settings.workers,
        "worker_class": worker,
        "threads": settings.threads,
        "worker_connections": settings.connections,
        "keepalive": settings.keepalive_seconds,
        "timeout": settings.worker_seconds,
        "graceful_timeout": settings.grace_seconds,
        "loglevel": settings.log_level,
        "logger_class": BriefLogger,
        "proc_name": settings.name,
        "preload_app": False,
        "reload": False,
        "control_socket_disable": True,
        "accesslog": None,
        "capture_output": False,
    }
    return options | _HTTP_OPTIONS | _tls_options(settings.tls)


_HTTP_OPTIONS: Final[dict[str, Any]] = {
    "http_protocols": "h1",
    "http2_cleartext": "off",
    "http_parser": "python",
    "limit_request_line": 2048,
    "limit_request_fields": 50,
    "limit_request_field_size": 16_384,
    "forwarded_allow_ips": "",
    "secure_scheme_headers": {},
    "forwarder_headers": "",
    "header_map": "refuse",
    "proxy_protocol": "off",
    "strip_header_spaces": False,
    "permit_obsolete_folding": False,
    "permit_unconventional_http_method": False,
    "permit_unconventional_http_version": False,
    "casefold_http_method": False,
}


def _tls_options(tls: ServerTls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    context = ServerContext(tls)
    required = ssl.CERT_NONE if tls.client_ca is None else ssl.CERT_REQUIRED
    return {
        "certfile": str(tls.cert),
        "keyfile": str(tls.key),
        "ca_certs": None if tls.client_ca is None else str(tls.client_ca),
        "cert_reqs": required,
        "do_handshake_on_connect": False,
        "suppress_ragged_eofs": True,
        "ssl_context": lambda _config, _factory: context.current(),
    }
