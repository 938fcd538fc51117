"""A counter of the national side over real stores: organisations, keys, and a client that asks."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.documents import CertificateOfOrigin
from gateway.exchange.context import Desk
from gateway.services.counter import Counter
from gateway.services.keys import KeyOrder, make_key
from gateway.services.webhook_desk import HookDesk, HookSecrets
from gateway.store import NewOrganisation, OrganisationKind, clients
from gateway.web.api import ApiSettings, create_api_app
from gateway.web.pressure import Pressure
from gateway.xml.national import FormatCatalogue, load_national_formats
from tests.factories import NOW

AUTHORITY, CUSTOMS = OrganisationKind.ISSUING_AUTHORITY, OrganisationKind.CUSTOMS
WINDOW, AUDITOR = OrganisationKind.SINGLE_WINDOW, OrganisationKind.AUDITOR
WIDE = Pressure(at_once=64, at_once_per_peer=64, per_minute=1_000_000, burst=1_000_000)
BASE = "/api/v1"


@dataclass
class Front:
    """Is the API of one gateway with a key for each kind of organisation."""

    desk: Desk
    counter: Counter
    app: Flask
    tokens: dict[OrganisationKind, str]
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str, who: OrganisationKind | str = WINDOW, **extra: Any) -> TestResponse:
        return self.ask("GET", path, who, **extra)

    def post(
        self, path: str, body: object, who: OrganisationKind | str = WINDOW, **extra: Any
    ) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", path, who, data=raw, **extra)

    def submit(self, document: CertificateOfOrigin, who: Any = WINDOW, **extra: Any):
        return self.post("/certificates", document.model_dump_json().encode(), who, **extra)

    def ask(
        self,
        method: str,
        path: str,
        who: OrganisationKind | str,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = "application/json",
        **extra: Any,
    ) -> TestResponse:
        token = self.tokens[who] if isinstance(who, OrganisationKind) else who
        shown = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "POST":
            extra["content_type"] = content_type
        return self.client.open(
            BASE + path, method=method, headers={**shown, **(headers or {})}, **extra
        )


def shipped_formats(folder: Path | None = None) -> FormatCatalogue:
    """Return the formats that ship, and those in ``folder``."""
    own = folder or Path("no such folder")
    return FormatCatalogue(
        load_national_formats, folder=own, kept=own / "kept", tell=lambda _news: None
    )


def make_front(desk: Desk, **settings: Any) -> Front:
    """Return the API of a gateway, with one organisation of each kind and a key of each."""
    hooks = HookDesk(secrets=HookSecrets(file=webhook_key()))
    counter = Counter(desk=desk, national=shipped_formats(), hooks=hooks)
    tokens = {kind: add_organisation(desk, kind) for kind in OrganisationKind}
    known = ApiSettings(**({"pressure": WIDE} | settings))
    return Front(desk=desk, counter=counter, app=create_api_app(counter, known), tokens=tokens)


@cache
def webhook_key() -> Path:
    """Return where the key behind the webhooks of this process lies."""
    folder = tempfile.mkdtemp(prefix="eco-webhooks-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "webhooks.key"


def add_organisation(
    desk: Desk, kind: OrganisationKind, *, code: str | None = None, authority: str | None = None
) -> str:
    """Enter an organisation and return the token of its key."""
    country = desk.identity.country
    if kind is AUTHORITY:
        authority = authority or f"{country}-{'ZRA' if country == 'ZM' else 'KRA'}"
    new = NewOrganisation(
        code=code or f"{country}-{kind.value}",
        name=kind.value.title(),
        kind=kind,
        country=country,
        authority_code=authority,
    )
    with desk.store.begin() as conn:
        owner = clients.add(conn, new, at=NOW, actor="user:test")
        order = KeyOrder(label="tests", lifetime=timedelta(days=30))
        return make_key(conn, owner, order, at=NOW, actor="user:test").token
