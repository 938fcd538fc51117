"""The support bundle and the logs: enough to help, and nothing secret, personal or of a payload."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from pathlib import Path

import pytest
import structlog

from gateway.errors import GatewayError, InputError
from gateway.operations import logs
from gateway.operations.doctor import examine
from gateway.operations.redaction import redacted_log, redacted_settings, redacted_url
from gateway.operations.support import Material, write_bundle
from gateway.operations.watch import watch
from gateway.store import bodies, outbox
from gateway.transport import PeerTransport
from tests.exchange.corridor import Corridor
from tests.factories import certificate
from tests.operations.scene import Tray, office, queue

PASSWORD = "hunter2-and-more"
SETTINGS = {
    "store": {"url": f"postgresql://eco:{PASSWORD}@db.internal:5432/eco"},
    "alerts": {
        "webhooks": [{"name": "pager", "url": "https://hooks.example/T0/secret-token"}],
        "recipients": [{"address": "j.banda@example.org", "minimum": "INFO"}],
        "mail": {"username": "eco-account", "password_env": "ECO_MAIL_PASSWORD", "port": 587},
    },
}
LOG = "\n".join(
    [
        json.dumps(
            {
                "event": "attempt recorded",
                "level": "info",
                "message_id": "urn:uuid:1",
                "code": "UNREACHABLE",
                "detail": "Lusaka Sugar Plc",
                "payload": "<Sugar/>",
                "serial_number": "ZM-20260309-000123",
            }
        ),
        "Traceback: Lusaka Sugar Plc said -----BEGIN PRIVATE KEY-----",
        json.dumps({"event": "Lusaka Sugar Plc", "logger": "some.library", "level": "warning"}),
    ]
)


@pytest.fixture
def bundle(corridor: Corridor, premises, tmp_path: Path) -> zipfile.ZipFile:
    """A bundle of a gateway that delivered one certificate and has one waiting."""
    queue(corridor)
    corridor.zm.work()
    queue(corridor, 124)
    watch(premises, office(Tray()).desk, "w")
    log = tmp_path / "work.log"
    log.write_text(LOG, encoding="utf-8")
    transport = PeerTransport()
    report = examine(premises, [], transport)
    transport.close()
    material = Material(settings=SETTINGS, report=report, logs=(log,))
    target = tmp_path / "bundle.zip"
    write_bundle(target, premises, material)
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError):
        write_bundle(target, premises, material)
    return zipfile.ZipFile(io.BytesIO(target.read_bytes()))


def words(document: object) -> set[str]:
    """Every text of a document that is long enough to be told apart."""
    dumped = document.model_dump(mode="json")  # type: ignore[attr-defined]
    found: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, str) and len(value) > 6 and not value.startswith("20"):
            found.add(value)

    walk(dumped)
    return found - {"COMESA"}


def test_no_key_password_payload_or_name_is_in_the_bundle(
    bundle: zipfile.ZipFile, corridor: Corridor, premises
):
    text = "\n".join(bundle.read(name).decode() for name in bundle.namelist())
    for path in premises.key_files.values():
        body = "".join(path.read_text().splitlines()[1:-1])
        for start in range(0, len(body) - 24, 24):
            assert body[start : start + 24] not in text
    assert "PRIVATE KEY" not in text
    for secret in (PASSWORD, "secret-token", "j.banda", "eco-account", "Lusaka Sugar"):
        assert secret not in text
    for number in (123, 124):
        found = words(certificate(serial_number=f"ZM-20260309-{number:06}"))
        assert not {word for word in found if word in text}
    with premises.desk.store.read() as conn:
        sent = outbox.page(conn)
        for dispatch in sent:
            envelope = bodies.get(conn, dispatch.envelope_sha256).decode()
            for piece in re.findall(r"[A-Za-z0-9+/]{60}", envelope):
                assert piece not in text
    assert not re.search(r"ZM-2026\d{4}-\d{6}", text)


def test_the_bundle_tells_what_a_helper_needs(bundle: zipfile.ZipFile):
    parts = set(bundle.namelist())
    assert {
        "README.txt",
        "versions.json",
        "settings.json",
        "doctor.json",
        "metrics.txt",
        "queue.json",
        "attempts.json",
        "outages.json",
        "alerts.json",
        "journal.json",
        "tasks.json",
        "log-1.jsonl",
    } <= parts
    assert json.loads(bundle.read("queue.json"))[0]["count"] == 1
    (attempt,) = json.loads(bundle.read("attempts.json"))
    assert (attempt["peer"], attempt["answered"]) == ("KE-SW", True)
    settings = json.loads(bundle.read("settings.json"))
    assert settings["store"]["url"] == "postgresql://db.internal:5432"
    assert settings["alerts"]["mail"]["password_env"] == "ECO_MAIL_PASSWORD"
    assert json.loads(bundle.read("versions.json"))["libraries"]["prometheus_client"]


def test_a_log_line_keeps_its_known_fields_only():
    ours, foreign, library = (json.loads(line) for line in redacted_log(LOG.splitlines()))
    assert ours == {
        "event": "attempt recorded",
        "level": "info",
        "message_id": "urn:uuid:1",
        "code": "UNREACHABLE",
    }
    assert foreign["event"] == "(withheld)"
    assert library["event"] == "(withheld)"


def test_addresses_lose_account_and_path():
    assert redacted_url("https://u:p@host:8443/path?token=1") == "https://host:8443"
    assert redacted_url("sqlite:////var/lib/eco/gateway.db") == "sqlite:(file)"
    assert redacted_url("http://[::1") == "(withheld)"
    assert redacted_settings({"a": None, "b": 1, "sender": "x@y"}) == {
        "a": None,
        "b": 1,
        "sender": "(withheld)",
    }


# --- logs ---------------------------------------------------------------------------------------------


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch):
    """Give the stream that all logging goes to, and put the root logger back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []
    stream = io.StringIO()
    logs.log_as_json(stream)
    # Loggers made at import were bound to an earlier configuration.
    for name in ("inbound", "delivery"):
        module = __import__(f"gateway.exchange.{name}", fromlist=["log"])
        monkeypatch.setattr(module, "log", structlog.get_logger(name))
    yield stream
    root.handlers, root.level = handlers, level


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_message_and_conversation_stand_in_every_line_of_delivery_and_arrival(
    corridor: Corridor, written: io.StringIO
):
    message_id = queue(corridor)
    corridor.zm.work()
    corridor.zm.work()
    found = [line for line in lines(written) if line["event"] != "alerts changed"]
    assert {line["event"] for line in found} >= {"arrival answered", "attempt recorded"}
    for line in found:
        assert line["message_id"] == message_id
        assert line["conversation_id"]
        assert line["level"] in {"info", "warning"}
    assert structlog.contextvars.get_contextvars() == {}


def test_what_is_turned_away_is_logged_by_code_and_forgotten(
    corridor: Corridor, written: io.StringIO
):
    with pytest.raises(GatewayError):
        corridor.ke.accept(b"<not-an-envelope/>", fingerprint=corridor.zm.tls_fingerprint)
    (line,) = lines(written)
    assert line["event"] == "arrival turned away"
    assert line["code"]
    assert "message_id" not in line


def test_libraries_write_json_too_and_no_exception_is_quoted(written: io.StringIO):
    structlog.contextvars.bind_contextvars(message_id="urn:uuid:7")
    try:
        raise ValueError("Lusaka Sugar Plc")
    except ValueError:
        logging.getLogger("some.library").exception("it failed")
        structlog.get_logger("ours").error("we failed", exc_info=True)
    logging.getLogger("some.library").info("too quiet to be written")
    theirs, ours = lines(written)
    for line in (theirs, ours):
        assert line["error"] == "ValueError"
        assert line["message_id"] == "urn:uuid:7"
        assert line["at"]
    assert "Lusaka" not in written.getvalue()
