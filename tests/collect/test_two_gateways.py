"""Two real gateways: one listens with mutual TLS, the other cannot be called; and by hand."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.app import collector_of, endpoint_book, open_gateway
from gateway.cli.main import main
from gateway.demo.stage import Stage, build_stage
from gateway.errors import ConflictError, GatewayError, PeerFaultError
from gateway.exchange.fetching import collect_from
from gateway.exchange.outbound import submit_document
from gateway.store import DeliveryState, Peer, PeerChannel, PeerProfile, outbox, peers
from gateway.transport import PeerTransport
from tests.factories import certificate

ROOT = Path(__file__).resolve().parent.parent.parent
COLLECTED_OVER = [
    pytest.param({"channel": PeerChannel.REST}, id="rest"),
    pytest.param({"channel": PeerChannel.SOAP, "soap_version": "1.1"}, id="soap11"),
    pytest.param({"channel": PeerChannel.SOAP, "soap_version": "1.2"}, id="soap12"),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Gives two homes; only Zambia listens, and it knows that Kenya collects."""
    made = build_stage(tmp_path_factory.mktemp("stage"))
    _change(made, "ZM", channel=PeerChannel.COLLECT)
    _change(made, "KE", collect=True)
    listener = subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve", "--home", str(made.home("ZM"))],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(made)
        yield made
    finally:
        listener.terminate()
        listener.wait(timeout=20)
        made.close()


def _change(stage: Stage, country: str, **changes: object) -> Peer:
    gateway = stage.gateways[country]
    with gateway.store.begin() as conn:
        (peer,) = peers.every(conn)
        values = {name: getattr(peer, name) for name in PeerProfile.__dataclass_fields__}
        profile = replace(PeerProfile(**values), **changes)
        if "channel" in changes and profile.channel is not PeerChannel.COLLECT:
            base = profile.url.removesuffix("/soap").removesuffix("/rest/v1")
            path = "/soap" if profile.channel is PeerChannel.SOAP else "/rest/v1"
            profile = replace(profile, url=base + path)
        return peers.change(conn, peer.id, profile, at=gateway.desk.clock(), actor="user:test")


def _wait(stage: Stage) -> None:
    gateway = stage.gateways["KE"]
    with gateway.store.read() as conn:
        (peer,) = peers.every(conn)
    transport = PeerTransport()
    for _ in range(300):
        try:
            transport.ping(endpoint_book(gateway)(peer))
            break
        except GatewayError:
            time.sleep(0.1)
    transport.close()


_NUMBERS = itertools.count(1)


def _queue(stage: Stage) -> str:
    """Let Zambia issue a certificate today."""
    gateway = stage.gateways["ZM"]
    now = gateway.desk.clock().replace(second=0, microsecond=0)
    template = certificate()
    document = certificate(
        serial_number=f"ZM-{now:%Y%m%d}-{next(_NUMBERS):06}",
        issued_at=now,
        valid_from=now.date(),
        valid_until=now.date() + timedelta(days=365),
        transport=template.transport.model_copy(update={"departed_on": now.date()}),
        certification=template.certification.model_copy(update={"signed_at": now}),
    )
    message_id = submit_document(gateway.desk, document).message_id
    assert message_id is not None
    return message_id


def _state(stage: Stage, message_id: str) -> DeliveryState:
    with stage.gateways["ZM"].store.read() as conn:
        found = outbox.dispatch(conn, message_id)
    assert found is not None
    return found.state


@pytest.mark.parametrize("profile", COLLECTED_OVER)
def test_a_gateway_that_cannot_be_called_collects_over_mutual_tls(stage: Stage, profile):
    peer = _change(stage, "KE", **profile)
    messages = [_queue(stage) for _ in range(3)]
    transport = PeerTransport()
    try:
        collector = collector_of(stage.gateways["KE"], transport, name="worker")
        fetched = collect_from(collector, peer)
    finally:
        transport.close()
    assert [(each.message_id, each.code) for each in fetched] == [(m, None) for m in messages]
    assert {_state(stage, message_id) for message_id in messages} == {DeliveryState.DELIVERED}


@pytest.mark.parametrize("profile", COLLECTED_OVER)
def test_RECEIPT_INVALID_reaches_the_collector_and_changes_nothing(stage: Stage, profile):
    peer = _change(stage, "KE", **profile)
    message_id = _queue(stage)
    gateway, transport = stage.gateways["KE"], PeerTransport()
    try:
        with pytest.raises(PeerFaultError) as caught:
            transport.confirm(endpoint_book(gateway)(peer), message_id, b"<receipt/>")
        assert caught.value.peer_code == "RECEIPT_INVALID"
        assert _state(stage, message_id) is DeliveryState.QUEUED
        collect_from(collector_of(gateway, transport, name="worker"), peer)
    finally:
        transport.close()
    assert _state(stage, message_id) is DeliveryState.DELIVERED


def test_CONFLICT_a_peer_that_collects_has_no_address_to_call(stage: Stage):
    gateway = stage.gateways["ZM"]
    with gateway.store.read() as conn:
        (peer,) = peers.every(conn)
    with pytest.raises(ConflictError):
        endpoint_book(gateway)(peer)


# --- the commands ------------------------------------------------------------------------------


def _eco(stage: Stage, country: str, *arguments: object) -> tuple[int, object]:
    """Run a command as JSON and return its exit status and value."""
    words = [str(word) for word in arguments]
    home = ["--home", str(stage.home(country)), "--json"]
    done = CliRunner().invoke(main, [*words, *home])
    said = done.stdout.strip()
    return done.exit_code, json.loads(said) if said else None


def test_eco_collect_fetches_what_waits(stage: Stage):
    _change(stage, "KE", channel=PeerChannel.REST)
    message_id = _queue(stage)
    peer = _identifier(stage, "KE")
    status, fetched = _eco(stage, "KE", "collect", peer)
    assert (status, [each["message_id"] for each in fetched]) == (0, [message_id])
    assert _eco(stage, "KE", "collect", peer) == (0, [])
    assert _eco(stage, "KE", "collect", "XX-SW")[0] == 4


def _identifier(stage: Stage, country: str) -> str:
    with stage.gateways[country].store.read() as conn:
        return peers.every(conn)[0].identifier


def test_eco_bundle_carries_messages_out_and_receipts_back(stage: Stage, tmp_path: Path):
    message_id = _queue(stage)
    out, back = tmp_path / "out.zip", tmp_path / "back.zip"
    to_kenya, to_zambia = _identifier(stage, "ZM"), _identifier(stage, "KE")
    status, said = _eco(stage, "ZM", "bundle", "export", to_kenya, out)
    assert (status, said["envelopes"], said["receipts"], said["left"]) == (0, 1, 0, 0)
    assert out.stat().st_mode & 0o777 == 0o600
    assert _eco(stage, "ZM", "bundle", "export", to_kenya, out)[0] == 1  # never replaces a file
    assert _eco(stage, "ZM", "bundle", "export", to_kenya, tmp_path / "none.zip")[0] == 4
    assert not (tmp_path / "none.zip").exists()
    status, seen = _eco(stage, "KE", "bundle", "show", out)
    assert (status, seen["code"]) == (0, None)
    status, taken = _eco(stage, "KE", "bundle", "import", out)
    assert (status, [m["verdict"] for m in taken["members"]]) == (0, ["ACCEPTED"])
    assert _eco(stage, "KE", "bundle", "export", to_zambia, back)[0] == 0
    status, told = _eco(stage, "ZM", "bundle", "import", back)
    assert (status, told["members"][0]["message_id"]) == (0, message_id)
    assert _state(stage, message_id) is DeliveryState.DELIVERED
    assert _eco(stage, "ZM", "bundle", "import", out)[0] == 1  # our own, back at our door
    out.write_bytes(out.read_bytes()[:-1])
    assert _eco(stage, "KE", "bundle", "import", out)[0] == 1
    assert _eco(stage, "KE", "bundle", "import", tmp_path / "none.zip")[0] == 1


def test_a_peer_is_registered_as_collecting_or_as_collected_from(stage: Stage, tmp_path: Path):
    home = tmp_path / "home"
    words = ["init", home, "--identifier", "SD-SW", "--name", "Sudan", "--country", "SD"]
    done = CliRunner().invoke(
        main, [*map(str, words), "--public-url", "https://sd.example:8443", "--json"]
    )
    assert done.exit_code == 0, done.output
    card = tmp_path / "card.json"
    card.write_text(
        CliRunner().invoke(main, ["peer", "card", "--home", str(stage.home("KE"))]).stdout
    )
    add = ["peer", "add", str(card), "--home", str(home), "--json"]
    both = CliRunner().invoke(main, [*add, "--channel", "COLLECT", "--collect"])
    assert both.exit_code == 1
    done = CliRunner().invoke(main, [*add, "--channel", "COLLECT"])
    assert done.exit_code == 0, done.output
    peer = json.loads(done.stdout)["peer"]
    assert (peer["channel"], peer["collect"]) == ("COLLECT", False)


def test_workers_collect_by_themselves(stage: Stage):
    _change(stage, "KE", channel=PeerChannel.SOAP, collect=True)
    message_id = _queue(stage)
    worker = subprocess.Popen(
        [sys.executable, "-m", "gateway", "work", "--home", str(stage.home("KE"))],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            if _state(stage, message_id) is DeliveryState.DELIVERED:
                break
            time.sleep(0.1)
    finally:
        worker.terminate()
        worker.wait(timeout=20)
    assert _state(stage, message_id) is DeliveryState.DELIVERED
    open_gateway(stage.home("KE")).close()
