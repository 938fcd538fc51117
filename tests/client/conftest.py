"""The REST interface of both sides behind real sockets, and clients that ask it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import structlog
from werkzeug.serving import make_server

from gateway.client import Gateway, Retries
from gateway.store import OrganisationKind
from tests.api.conftest import Border, border, files
from tests.api.counter import WINDOW, Front
from tests.databases import sqlite_template
from tests.wire.odd_server import OddServer

__all__ = ["border", "files", "sqlite_template"]

Ask = Callable[..., Gateway]


@pytest.fixture(autouse=True)
def _log_of_the_server() -> Iterator[None]:
    """Keeps what a server in this process logs out of what commands print."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def serve() -> Iterator[Callable[[Front], str]]:
    """Gives a function that lets a front listen on loopback and returns its address."""
    servers = []

    def listen(front: Front) -> str:
        server = make_server("127.0.0.1", 0, front.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield listen
    for server, thread in servers:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


@pytest.fixture
def zambia(border: Border, serve: Callable[[Front], str]) -> Iterator[Ask]:
    """Gives clients of Zambia's gateway."""
    yield from _clients(serve(border.zm), border.zm)


@pytest.fixture
def kenya(border: Border, serve: Callable[[Front], str]) -> Iterator[Ask]:
    """Gives clients of Kenya's gateway."""
    yield from _clients(serve(border.ke), border.ke)


def _clients(address: str, front: Front) -> Iterator[Ask]:
    made: list[Gateway] = []

    def ask(who: OrganisationKind = WINDOW, **options: object) -> Gateway:
        made.append(Gateway(address, front.tokens[who], **options))
        return made[-1]

    yield ask
    for each in made:
        each.close()


@pytest.fixture
def odd() -> Iterator[Callable[..., OddServer]]:
    """Gives a function that starts a server which answers oddly."""
    servers: list[OddServer] = []

    def start(*args: object, **kwargs: object) -> OddServer:
        servers.append(OddServer(*args, **kwargs))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def asks() -> Iterator[Callable[..., Gateway]]:
    """Gives a function that makes clients which pause without sleeping."""
    made: list[Gateway] = []

    def make(address: str, credential: object = "eco_k_s", **options: object) -> Gateway:
        known = {"sleep": lambda _seconds: None, "retries": Retries(times=3)}
        made.append(Gateway(address, credential, **(known | options)))
        return made[-1]

    yield make
    for each in made:
        each.close()
