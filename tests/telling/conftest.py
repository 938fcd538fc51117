"""The border of the API's tests, with webhooks that may lead to this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.services.webhook_desk import HookDesk, HookSecrets
from gateway.web.api import ApiSettings, create_api_app
from tests.api.conftest import (
    Border,
    border,
    both,
    files,
    make_store,
    make_store_url,
    postgresql_database,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    store,
    store_url,
)
from tests.api.counter import WIDE, Front
from tests.telling.receiver import Receiver, receiving

__all__ = [
    "border",
    "both",
    "files",
    "make_store",
    "make_store_url",
    "postgresql_database",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "store",
    "store_url",
]


@pytest.fixture
def receiver():
    """Gives a receiver on this machine that takes everything."""
    with receiving() as found:
        yield found


@pytest.fixture
def hooked(tmp_path: Path) -> Callable[[Front, int], Front]:
    """Gives a function that lets a front register webhooks at a port of this machine."""

    def make(front: Front, port: int, **changes: object) -> Front:
        desk = HookDesk(
            secrets=HookSecrets(file=tmp_path / front.desk.identity.country / "webhooks.key"),
            networks=(ip_network("127.0.0.0/8"),),
            plain_hosts=frozenset({"127.0.0.1", "receiver.example"}),
            ports=frozenset({port, 443}),
            seconds=20.0,
        )
        counter = replace(front.counter, hooks=replace(desk, **changes))
        app = create_api_app(counter, ApiSettings(pressure=WIDE))
        return Front(desk=front.desk, counter=counter, app=app, tokens=front.tokens)

    return make


@pytest.fixture
def told(border: Border, hooked, receiver: Receiver) -> Front:
    """Gives Zambia's API with webhooks that may lead to the receiver."""
    return hooked(border.zm, receiver.port)
