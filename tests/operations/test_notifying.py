"""Telling recipients: real SMTP with STARTTLS, a real HTTP server, retries from the store."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from typing import Any

import pytest

from gateway.documents.codes import Language
from gateway.errors import BadAnswerError, TlsError, UnreachableError
from gateway.operations.alerting import Recipient, judge
from gateway.operations.letters import Heading, Letter, write
from gateway.operations.mail import MailCourier, MailSecurity, MailServer
from gateway.operations.notifying import notify
from gateway.operations.readings import Reading
from gateway.operations.webhook import Webhook, WebhookCourier, signature
from gateway.store import AlertLevel, alerts, notices
from gateway.transport.guarded_post import is_allowed
from tests.exchange.corridor import Corridor
from tests.operations.scene import OPERATOR, RULES, Tray, office
from tests.wire.conftest import WireFiles

SECRET = b"shared-secret"


# --- a mail server -----------------------------------------------------------------------------------


@dataclass
class MailBox:
    """Is what the stand-in mail server took, and how it behaves."""

    port: int = 0
    starttls: ssl.SSLContext | None = None
    refuse: bool = False
    messages: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    was_secured: bool = False


class _Smtp(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        box: MailBox = self.server.box  # type: ignore[attr-defined]
        self.say("220 ready")
        while line := self.rfile.readline():
            verb = line.decode().strip().upper()
            if verb.startswith("EHLO"):
                secured = isinstance(self.connection, ssl.SSLSocket)
                offers = ["AUTH PLAIN"] if secured else ["STARTTLS"] if box.starttls else []
                self.say("\r\n".join([*(f"250-{o}" for o in ["here", *offers]), "250 8BITMIME"]))
            elif verb == "STARTTLS":
                self.say("220 go")
                self.connection = box.starttls.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb")
                box.was_secured = True
            elif verb.startswith("AUTH"):
                box.logins.append(line.decode().split()[-1])
                self.say("235 welcome")
            elif verb.startswith("RCPT") and box.refuse:
                self.say("550 nobody here")
            elif verb == "DATA":
                self.say("354 go on")
                box.messages.append(self.read_message())
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # the one that STARTTLS made

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def read_message(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        found = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found


@contextmanager
def mail_server(**behaviour: Any) -> Iterator[MailBox]:
    box = MailBox(**behaviour)
    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp)) as server:
        server.box = box
        box.port = server.server_address[1]
        yield box


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def starttls_context(wire: WireFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(wire.server.cert, wire.server.key)
    return context


def mail_courier(port: int, **changes: Any) -> MailCourier:
    values = {
        "host": "localhost",
        "port": port,
        "security": MailSecurity.NONE,
        "sender": "eco@zm.example",
        "seconds": 10.0,
    }
    return MailCourier(MailServer(**(values | changes)), "ops@example.org")


@pytest.fixture
def letter(corridor: Corridor) -> Letter:
    """A French letter about an outage that did not pass."""
    return letters_of(corridor, Language.FRENCH)


def outage_reading() -> Reading:
    facts = {"peer": "KE-SW", "minutes": "61", "code": "UNREACHABLE", "failures": "9"}
    return Reading(rule="peer-unreachable", subject="KE-SW", value=61, facts=facts)


def letters_of(corridor: Corridor, language: Language) -> Letter:
    store, now = corridor.zm.desk.store, corridor.clock()
    with store.begin() as conn:
        judge(office(Tray()).desk, conn, [outage_reading()], now)
        taken = notices.claim(conn, now, lease=timedelta(hours=1))
        known = alerts.by_ids(conn, {notice.alert_id for notice in taken})
    heading = Heading(gateway="ZM-SW", language=language, written_at=now)
    return write(RULES, taken, known, heading)


def test_a_letter_goes_by_starttls_with_what_to_do_in_the_readers_language(wire, letter):
    with mail_server(starttls=starttls_context(wire)) as box:
        mail_courier(
            box.port,
            security=MailSecurity.STARTTLS,
            ca=wire.authority.ca,
            username="eco",
            password="pass-word",
        ).deliver(letter)
    (message,) = box.messages
    assert box.was_secured
    assert box.logins
    assert message["Subject"] == "[eCO ZM-SW] CRITIQUE: alertes : 1"
    assert message["To"] == "ops@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert "KE-SW est injoignable depuis 61 minutes" in text
    assert "eco doctor --peer KE-SW" in text
    assert "pass-word" not in message.as_string()


def test_an_arabic_letter_keeps_its_letters(corridor: Corridor):
    with mail_server() as box:
        mail_courier(box.port).deliver(letters_of(corridor, Language.ARABIC))
    assert "تعذّر الوصول إلى KE-SW" in box.messages[0].get_content()


def test_mail_is_not_sent_past_a_server_whose_certificate_cannot_be_believed(wire, letter):
    with mail_server(starttls=starttls_context(wire)) as box, pytest.raises(TlsError):
        mail_courier(box.port, security=MailSecurity.STARTTLS, ca=wire.stranger.ca).deliver(letter)
    assert box.messages == []


def test_mail_is_not_sent_in_the_clear_where_starttls_is_demanded(letter):
    with mail_server() as box, pytest.raises(TlsError):
        mail_courier(box.port, security=MailSecurity.STARTTLS).deliver(letter)
    assert box.messages == []


def test_a_refusal_and_a_dead_server_are_transport_errors(letter):
    with mail_server(refuse=True) as box, pytest.raises(BadAnswerError):
        mail_courier(box.port).deliver(letter)
    with pytest.raises(UnreachableError):
        mail_courier(box.port).deliver(letter)


# --- a webhook ------------------------------------------------------------------------------------------


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def hook_server(status: int = 204) -> Iterator[Any]:
    with serving(HTTPServer(("127.0.0.1", 0), _Hook)) as server:
        server.calls, server.status = [], status
        yield server


def hook_courier(port: int, *networks: str) -> WebhookCourier:
    allowed = tuple(ip_network(network) for network in networks)
    url = f"http://127.0.0.1:{port}/token-in-path"
    return WebhookCourier(Webhook(url=url, secret=SECRET, networks=allowed))


def test_a_webhook_gets_a_signed_letter(letter):
    with hook_server() as server:
        hook_courier(server.server_address[1], "127.0.0.0/8").deliver(letter)
    ((headers, body),) = server.calls
    moment, _, stated = headers["Eco-Signature"].removeprefix("t=").partition(",v1=")
    assert stated == signature(SECRET, moment, body)
    assert stated != signature(b"other", moment, body)
    assert headers["Idempotency-Key"] == letter.id
    (alert,) = json.loads(body)["alerts"]
    assert (alert["rule"], alert["level"]) == ("peer-unreachable", "CRITICAL")
    assert alert["todo"]


def test_nothing_is_posted_to_an_address_that_is_not_public(letter):
    with hook_server() as server, pytest.raises(UnreachableError, match="not public"):
        hook_courier(server.server_address[1]).deliver(letter)
    assert server.calls == []


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_other_answer_than_yes_is_a_failure_and_redirects_are_not_followed(letter, status):
    with hook_server(status) as server, pytest.raises(BadAnswerError):
        hook_courier(server.server_address[1], "127.0.0.0/8").deliver(letter)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("10.0.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a00:1::", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("fe80::1%eth0", False),
        ("224.0.0.1", False),
        ("10.1.2.3", True),
    ],
)
def test_private_addresses_need_to_be_allowed(address: str, allowed: bool):
    assert is_allowed(address, [ip_network("10.1.0.0/16")]) is allowed


# --- from the store -----------------------------------------------------------------------------------------


def raise_alert(corridor: Corridor, *readings: Reading, desk=None) -> None:
    with corridor.zm.desk.store.begin() as conn:
        judge(desk or office(Tray()).desk, conn, readings, corridor.clock())


def ladder(rule: str, subject: str, days: int) -> Reading:
    facts = {"owner": "KE-SW", "name": subject, "until": "2026-04-01", "days": str(days)}
    return Reading(rule=rule, subject=subject, value=days, facts=facts)


def test_what_cannot_be_told_now_is_told_later_and_once(corridor: Corridor, premises):
    tray = Tray(closed=True)
    raise_alert(corridor, outage_reading())
    assert notify(premises, office(tray)) == 0
    assert notify(premises, office(tray)) == 0, "there is a pause before the next try"
    tray.closed = False
    corridor.clock.pass_time(minutes=1)
    assert notify(premises, office(tray)) == 1
    corridor.clock.pass_time(days=1)
    assert notify(premises, office(tray)) == 0
    assert len(tray.letters) == 1


def test_one_letter_tells_all_of_one_level_and_period(corridor: Corridor, premises):
    tray = Tray()
    raise_alert(
        corridor,
        ladder("tls-expiry", "a", 20),
        ladder("signing-expiry", "b", 20),
        ladder("tls-expiry", "c", 80),
        outage_reading(),
    )
    assert notify(premises, office(tray)) == 1
    assert [letter.level for letter in tray.letters] == [AlertLevel.CRITICAL]
    corridor.clock.pass_time(hours=1)
    assert notify(premises, office(tray)) == 2
    assert [len(letter.paragraphs) for letter in tray.letters] == [1, 2, 1]


def test_a_recipient_who_left_the_settings_hinders_nobody(corridor: Corridor, premises):
    gone = Recipient(
        address="mail:gone@example.org", language=Language.ENGLISH, minimum=AlertLevel.INFO
    )
    raise_alert(corridor, outage_reading(), desk=office(Tray(), OPERATOR, gone).desk)
    tray = Tray()
    assert notify(premises, office(tray)) == 1
    assert len(tray.letters) == 1


def test_a_worker_that_lost_its_lease_cannot_end_a_notice_that_another_took(corridor: Corridor):
    raise_alert(corridor, outage_reading())
    store, now = corridor.zm.desk.store, corridor.clock()
    lease = timedelta(minutes=3)
    with store.begin() as conn:
        first = notices.claim(conn, now, lease=lease)
    with store.begin() as conn:
        second = notices.claim(conn, now + lease, lease=lease)
        notices.fail(conn, first, at=now, pause=lease, error="LATE")
    assert len(second) == 1
    with store.begin() as conn:
        notices.end(conn, second, at=now)
        assert notices.waiting(conn) == 0


def test_a_letter_sent_again_has_the_same_id(corridor: Corridor, premises):
    class Forgetful(Tray):
        def deliver(self, letter: Letter) -> None:
            super().deliver(letter)
            raise UnreachableError("the answer was lost")

    tray = Forgetful()
    raise_alert(corridor, outage_reading())
    for _ in range(2):
        notify(premises, office(tray))
        corridor.clock.pass_time(minutes=5)
    first, again = tray.letters
    assert first.id == again.id
