"""The operator's commands on real homes, and `eco watch` and `eco work` as processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from gateway.app import open_gateway
from gateway.cli.output import ExitStatus
from gateway.config import load_settings
from gateway.errors import ConfigError
from gateway.store import EventKind, Store, events
from gateway.watching import watching_jobs
from tests.cli.eco import command_line, eco, eco_json, environment
from tests.cli.homes import Pair
from tests.store.helpers import NOW


def test_the_doctor_says_what_fails_and_what_to_do(pair: Pair):
    pair.zm.joinpath("keys/tls.key.pem").chmod(0o640)
    run = eco("doctor", home=pair.zm)
    assert run.status is ExitStatus.FAILED
    assert "✗ The key file tls" in run.out
    assert "→ Place the key, then `chmod 600` it" in run.out
    assert "No connection to port" in run.out, "nobody serves the peer"


def test_the_doctor_speaks_french_and_json(pair: Pair):
    report = json.loads(eco("doctor", "--json", "--language", "fr", home=pair.zm).out)
    by_check = {check["check"]: check for check in report["checks"]}
    assert by_check["settings"]["says"].startswith("Les réglages")
    assert by_check["workers"]["outcome"] == "FAIL"
    assert report["outcome"] == "FAIL"


def test_the_doctor_of_a_broken_home_says_what_is_broken(pair: Pair):
    (pair.zm / "gateway.toml").write_text("[gateway]\nnonsense = 1\n")
    run = eco("doctor", home=pair.zm)
    assert run.status is ExitStatus.FAILED
    assert "nonsense" in run.out


def test_the_doctor_looks_at_one_peer_only_if_asked(pair: Pair):
    report = json.loads(eco("doctor", "--peer", "KE-SW", "--json", home=pair.zm).out)
    assert {check["subject"] for check in report["checks"]} == {"KE-SW"}
    assert eco("doctor", "--peer", "XX-SW", home=pair.zm).status is ExitStatus.NOT_FOUND


def test_health_is_a_supervisors_answer(pair: Pair):
    assert eco_json("health", home=pair.zm)["status"] == "ready"


def test_alerts_are_listed_and_taken_on(pair: Pair):
    store = Store.open(load_settings(pair.zm).store_url)
    with store.begin() as conn:
        events.append(conn, at=NOW, kind=EventKind.OVER_USE, subject="ZM-20260309-000123")
    store.close()
    assert eco_json("alerts", "list", home=pair.zm) == []
    gateway = open_gateway(pair.zm)
    watching_jobs(gateway, "test")[0].run()
    gateway.close()
    found = eco_json("alerts", "list", "--language", "fr", home=pair.zm)
    (alert,) = [each for each in found if each["rule"] == "over-use"]
    assert "ZM-20260309-000123" in alert["says"]
    assert alert["todo"]
    run = eco("alerts", "acknowledge", alert["id"], "--reason", "asked", home=pair.zm)
    assert run.status is ExitStatus.OK
    again = eco("alerts", "acknowledge", alert["id"], "--reason", "asked", home=pair.zm)
    assert again.status is ExitStatus.REFUSED
    assert "over-use" in eco("alerts", "list", "--all", home=pair.zm).out


def test_outages_are_listed(pair: Pair):
    assert eco_json("outages", home=pair.zm) == []


def test_a_trial_letter_tells_who_is_not_reached(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ECO_HOOK", "secret")
    assert "nobody" in eco("alerts", "test", home=pair.zm).out
    with (pair.zm / "gateway.toml").open("a") as settings:
        settings.write(
            '\n[alerts.mail]\nhost = "127.0.0.1"\nport = 9\nsecurity = "none"\n'
            'sender = "eco@zm.example"\n'
            '[[alerts.recipients]]\naddress = "ops@zm.example"\nlanguage = "ar"\n'
            '[[alerts.webhooks]]\nname = "pager"\nurl = "https://127.0.0.1:9/x"\n'
            'secret_env = "ECO_HOOK"\n'
        )
    run = eco("alerts", "test", "--json", home=pair.zm)
    assert run.status is ExitStatus.UNREACHABLE
    assert set(run.value) == {"mail:ops@zm.example", "webhook:pager"}
    assert all(run.value.values())


HOOK = '[[alerts.webhooks]]\nname = "a"\nurl = "https://b.example"\nsecret_env = "S"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[alerts.recipients]]\naddress = "a@b.example"\n', "mail server"),
        ('[alerts.mail]\nhost = "x"\nsender = "a@b.example"\nsecurity = "none"\n', "this host"),
        ('[[alerts.webhooks]]\nname = "a"\nurl = "http://b.example"\nsecret_env = "S"\n', "https"),
        (f'{HOOK}networks = ["ten"]\n', "ten"),
        ('[alerts.mail]\nhost = "x"\nsender = "a@b"\nusername = "u"\n', "password_env"),
    ],
)
def test_settings_that_would_tell_nobody_or_everybody_are_refused(
    pair: Pair, text: str, complaint: str
):
    with (pair.zm / "gateway.toml").open("a") as settings:
        settings.write("\n" + text)
    with pytest.raises(ConfigError, match=complaint):
        load_settings(pair.zm)


def test_a_support_bundle_is_written_once(traded: Pair, tmp_path: Path):
    target = tmp_path / "bundle.zip"
    parts = eco_json("support", target, home=traded.zm)["parts"]
    with zipfile.ZipFile(target) as bundle:
        assert bundle.namelist() == parts
        text = "\n".join(bundle.read(name).decode() for name in parts)
    for path in traded.zm.glob("keys/*.key.pem"):
        assert path.read_text().splitlines()[2] not in text
    assert "Sugar" not in text
    assert eco("support", target, home=traded.zm).status is ExitStatus.REFUSED


@pytest.fixture
def traded(pair: Pair) -> Pair:
    pair.sugar()
    return pair


def test_watch_serves_health_and_metrics_and_work_rings_its_clock(pair: Pair):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (pair.zm / "gateway.toml").open("a") as settings:
        settings.write(f"\n[watch]\nport = {port}\n")
    base = f"http://127.0.0.1:{port}"
    with process("watch", pair.zm), working(pair.zm) as worker:
        session = requests.Session()
        session.trust_env = False
        until(lambda: _answers(session, base))
        assert session.get(f"{base}/health/ready", timeout=10).json()["status"] == "ready"
        until(lambda: b'task="watch"' in session.get(f"{base}/metrics", timeout=10).content)
        session.close()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0


def _answers(session: requests.Session, base: str) -> bool:
    try:
        return session.get(f"{base}/health/live", timeout=5).json() == {"status": "live"}
    except requests.ConnectionError:
        return False


@contextmanager
def working(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    with process("work", home) as worker:
        yield worker


@contextmanager
def process(command: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (home / f"{command}.log").open("wb") as log:
        running = subprocess.Popen(
            command_line(command, home=home),
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment() | {"PYTHONUNBUFFERED": "1"},
        )
        try:
            yield running
        finally:
            if running.poll() is None:
                running.terminate()
            running.wait(timeout=20)


def until(condition, seconds: float = 150) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, (
            f"not within {seconds} s ({sys.platform}, {os.getpid()})"
        )
        time.sleep(0.3)
