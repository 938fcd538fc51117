"""A console with people of every role, and a browser without scripts."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyotp
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.exchange.retry_table import RetryTable
from gateway.operations.premises import Premises
from gateway.operations.rules import RuleBook
from gateway.services.operating.desk import OperatingDesk
from gateway.services.people import directory
from gateway.services.people.desk import PeopleDesk, SessionTerms
from gateway.services.people.directory import PersonOrder
from gateway.services.people.openid_provider import OpenIdProvider
from gateway.services.people.roles import KINDS_OF
from gateway.services.people.secrets import Secrets
from gateway.store import OrganisationKind, PersonRole, clients, people
from gateway.transport import Channel, PeerEndpoint
from gateway.web.console import ConsoleSettings, create_console_app
from gateway.web.pressure import Pressure
from tests.api.counter import Front

PASSWORD = "harbour violet ninety kettle"
WIDE = Pressure(at_once=64, at_once_per_peer=64, per_minute=1_000_000, burst=1_000_000)
KEY = bytes(range(32))
HOME_OF = {
    PersonRole.ISSUING_OFFICER: OrganisationKind.ISSUING_AUTHORITY,
    PersonRole.ISSUING_ADMINISTRATOR: OrganisationKind.ISSUING_AUTHORITY,
    PersonRole.CUSTOMS_OFFICER: OrganisationKind.CUSTOMS,
    PersonRole.ORIGIN_UNIT: OrganisationKind.CUSTOMS,
    PersonRole.OPERATOR: OrganisationKind.SINGLE_WINDOW,
    PersonRole.AUDITOR: OrganisationKind.AUDITOR,
    PersonRole.SECRETARIAT: OrganisationKind.AUDITOR,
}
NOWHERE = PeerEndpoint(channel=Channel.REST, url="http://127.0.0.1:9/rest/v1")
assert all(kind in KINDS_OF[role] for role, kind in HOME_OF.items())


@dataclass
class Clock:
    """Is a clock that tests move."""

    start: datetime
    moved: timedelta = timedelta()

    def __call__(self) -> datetime:
        return self.start + self.moved

    def move(self, **span: float) -> None:
        self.moved += timedelta(**span)


@dataclass
class Browser:
    """Is a browser without scripts, which keeps cookies and fills forms as they came."""

    client: FlaskClient
    last: TestResponse | None = None
    address: str = "192.0.2.10"

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._ask("GET", path, headers)

    def post(self, path: str, seal: str | None = None, **form: Any) -> TestResponse:
        """Post a form with the seal of the page that was shown last."""
        shown = self.seal if seal is None else seal
        return self._ask("POST", path, {}, data={"seal": shown, **form})

    @property
    def seal(self) -> str:
        assert self.last is not None
        match = re.search(r'name="seal" value="([^"]*)"', self.last.get_data(as_text=True))
        return match[1] if match else ""

    def follow(self, path: str) -> TestResponse:
        """Get a page and go wherever it leads."""
        answer = self.get(path)
        while answer.status_code == 303:
            answer = self.get(answer.headers["Location"])
        return answer

    def _ask(self, method: str, path: str, headers: dict[str, str], **extra: Any) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.last = self.client.open(
            path,
            method=method,
            base_url="https://console.example",
            headers={"Accept-Language": "en", **named},
            environ_overrides={"REMOTE_ADDR": self.address},
            **extra,
        )
        return self.last


@dataclass
class House:
    """Is the console of one gateway."""

    front: Front
    desk: PeopleDesk
    app: Flask
    clock: Clock
    operating: OperatingDesk
    signed_in: dict[str, Browser] = field(default_factory=dict)

    def browser(self) -> Browser:
        return Browser(self.app.test_client())

    def enter(self, login: str, role: PersonRole, **extra: Any) -> str:
        """Enter a person of the organisation that suits the role; return the one-time code."""
        with self.desk.store.read() as conn:
            kind = extra.pop("kind", HOME_OF[role])
            owner = next(each for each in clients.every(conn) if each.kind is kind)
        order = PersonOrder(login=login, name=f"{login.title()} Mwale", role=role, **extra)
        return directory.enter(self.desk, owner, order, actor="user:test").code

    def code_of(self, login: str) -> str:
        """Return what the authenticator app of a person shows now."""
        with self.desk.store.read() as conn:
            person = people.by_login(conn, login)
        seed = self.desk.secrets.seed(person.id, person.factor_version)
        return pyotp.TOTP(seed).at(self.clock())

    def sign_in(self, login: str, role: PersonRole, **extra: Any) -> Browser:
        """Return a browser in which a new person of this role has signed in wholly."""
        code = self.enter(login, role, **extra)
        browser = self.browser()
        browser.get("/welcome")
        answer = browser.post("/welcome", login=login, code=code, password=PASSWORD, again=PASSWORD)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        browser.follow("/")
        answer = browser.post("/sign-in/enrol", code=self.code_of(login))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return browser

    def as_role(self, role: PersonRole) -> Browser:
        """Return the browser of the one person of this role, signed in when asked first."""
        if role not in self.signed_in:
            self.signed_in[role] = self.sign_in(role.lower().replace("_", "-"), role)
        return self.signed_in[role]


@cache
def _secrets() -> Secrets:
    return Secrets(key=KEY, issuer="eCO test")


def operating_desk(front: Front, endpoint: PeerEndpoint = NOWHERE) -> OperatingDesk:
    """Return the operator's desk of the gateway behind ``front``."""
    folder = Path(tempfile.mkdtemp(prefix="eco-console-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    certificate = folder / "tls.pem"
    certificate.write_bytes(front.desk.gateway_credential.signing_cert.public_bytes(Encoding.PEM))
    premises = Premises(
        home=folder,
        desk=front.desk,
        rules=RuleBook.load(),
        credentials={"gateway": front.desk.gateway_credential},
        key_files={},
        tls_certificate=certificate,
        folders={"home": folder},
        endpoint_of=lambda _peer: endpoint,
    )
    return OperatingDesk(premises=premises, retry=RetryTable.load())


def make_house(
    front: Front,
    *,
    provider: OpenIdProvider | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> House:
    """Return the console of the gateway behind ``front``."""
    clock = clock or Clock(front.desk.clock())
    desk = PeopleDesk(
        store=front.desk.store,
        clock=clock,
        secrets=_secrets(),
        terms=SessionTerms(),
        provider=provider,
    )
    known = ConsoleSettings(
        **({"name": "Test gateway", "pressure": WIDE, "public_pressure": WIDE} | settings)
    )
    operating = operating_desk(front)
    return House(
        front=front,
        desk=desk,
        app=create_console_app(front.counter, desk, known, operating),
        operating=operating,
        clock=clock,
    )
