"""The doctor and health: every layer is looked at, and what fails comes with its remedy."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.exchange.answers import PeerEntrance
from gateway.exchange.versions import compared, own_versions
from gateway.operations.checks import Outcome
from gateway.operations.doctor import Report, examine
from gateway.operations.health import readiness
from gateway.operations.home_checks import chain_fault
from gateway.operations.premises import Listener, Premises
from gateway.operations.watch import watch
from gateway.store import (
    CredentialUse,
    NewCredential,
    Store,
    outages,
    outbox,
    peers,
    sightings,
)
from gateway.transport import Channel, PeerEndpoint, PeerTransport
from gateway.trust import Credential
from gateway.web.operations import create_operations_app
from tests.exchange.corridor import Corridor, Side
from tests.operations.scene import Tray, fail_often, make_premises, office, queue
from tests.store.helpers import new_dispatch
from tests.wire.conftest import Running, WireFiles


@pytest.fixture
def transport() -> Iterator[PeerTransport]:
    made = PeerTransport()
    yield made
    made.close()


def outcomes(report: Report) -> dict[str, Outcome]:
    """The worst outcome of each check."""
    found: dict[str, Outcome] = {}
    for check in report.checks:
        known = found.get(check.id, Outcome.OK)
        found[check.id] = max(known, check.outcome, key=lambda each: each.rank)
    return found


def home(premises: Premises, transport: PeerTransport) -> dict[str, Outcome]:
    return outcomes(examine(premises, [], transport))


# --- our own home -----------------------------------------------------------------------------------


def test_a_home_in_order_is_well_in_every_line(corridor: Corridor, premises, transport):
    watch(premises, office(Tray()).desk, "w")
    found = home(premises, transport)
    assert {check for check, outcome in found.items() if outcome is not Outcome.OK} == set()
    assert {"key-file", "credential", "expiry", "crl", "disk", "migrations"} <= set(found)


def test_a_key_that_others_may_read_fails(premises: Premises, transport):
    premises.key_files["tls"].chmod(0o644)
    report = examine(premises, [], transport)
    bad = [check for check in report.checks if check.outcome is Outcome.FAIL]
    assert ("key-file", "tls", "0644") in {
        (c.id, c.facts.get("name"), c.facts.get("mode")) for c in bad
    }
    assert any("chmod 600" in (check.remedy("en") or "") for check in bad)


def test_a_chain_in_the_wrong_order_fails(corridor: Corridor):
    good = corridor.zm.pki.gateway.credential
    assert chain_fault(good) is None
    turned = Credential(key=good.key, signing_cert=good.signing_cert, chain=good.chain[::-1])
    assert "was not issued by" in (chain_fault(turned) or "")


def test_what_ends_soon_warns_and_what_has_ended_fails(corridor: Corridor, premises, transport):
    corridor.clock.pass_time(days=3 * 365 - 20)
    assert home(premises, transport)["expiry"] is Outcome.WARN
    corridor.clock.pass_time(days=21)
    found = home(premises, transport)
    assert (found["expiry"], found["crl"]) == (Outcome.FAIL, Outcome.FAIL)


def test_no_worker_and_an_old_queue_fail(corridor: Corridor, premises, transport):
    queue(corridor)
    corridor.clock.pass_time(hours=5)
    found = home(premises, transport)
    assert (found["workers"], found["queue-stuck"], found["queue"]) == (Outcome.FAIL,) * 3


def test_a_listener_that_is_down_fails(premises: Premises, transport):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    silent = replace(premises, listener=Listener(host="0.0.0.0", port=port))
    assert home(silent, transport)["listener"] is Outcome.FAIL
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = Listener(host="127.0.0.1", port=listening.getsockname()[1])
        assert home(replace(premises, listener=there), transport)["listener"] is Outcome.OK


def test_a_journal_ahead_of_our_clock_shows(corridor: Corridor, premises, transport):
    queue(corridor)
    corridor.clock.pass_time(minutes=-10)
    assert home(premises, transport)["clock"] is Outcome.FAIL


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_every_line_can_be_said_in_every_language(
    corridor: Corridor, premises, transport, language: str
):
    queue(corridor)
    fail_often(corridor)
    corridor.clock.pass_time(days=3 * 365)
    watch(premises, office(Tray()).desk, "w")
    report = examine(premises, [corridor.zm.peer()], transport)
    assert len(list(report.lines(language))) > len(report.checks)
    values = report.values(language)
    assert json.dumps(values)
    for check in values["checks"]:
        assert (check["remedy"] is None) is (check["outcome"] == "OK")


# --- the way to a peer --------------------------------------------------------------------------------


def endpoint(wire: WireFiles, running: Running, **changes: object) -> PeerEndpoint:
    values: dict[str, object] = {
        "channel": Channel.REST,
        "url": running.base + "/rest/v1",
        "server_ca_pem": wire.authority.ca.read_bytes(),
        "client_cert": wire.client.cert,
        "client_key": wire.client.key,
    }
    return PeerEndpoint(**(values | changes))  # type: ignore[arg-type]


def visit(side: Side, folder: Path, where: PeerEndpoint, transport) -> dict[str, Outcome]:
    premises = make_premises(side, folder, lambda _peer: where)
    report = examine(premises, [side.peer()], transport, own=False)
    assert {check.subject for check in report.checks} == {"KE-SW"}
    return outcomes(report)


@pytest.fixture(scope="module")
def gateway(start) -> Running:
    return start()


def test_every_layer_of_a_peer_that_answers_is_seen(
    corridor: Corridor, wire, gateway, transport, tmp_path
):
    corridor.clock.now = datetime.now(UTC)
    found = visit(corridor.zm, tmp_path, endpoint(wire, gateway), transport)
    for layer in ("peer-state", "dns", "tcp", "client-certificate", "ping"):
        assert found[layer] is Outcome.OK, layer
    assert found["tls"] is Outcome.WARN, "the stand-in's certificate ends within 30 days"
    # The stand-in calls itself KE-GATEWAY, and its clock stands still in March.
    assert (found["identity"], found["clock-skew"]) == (Outcome.FAIL, Outcome.FAIL)
    assert found["served-certificate"] is Outcome.WARN
    assert "document-types" in found


def test_versions_that_differ_from_the_peers_are_named_with_their_remedy(
    corridor: Corridor, wire, gateway, transport, tmp_path
):
    premises = make_premises(corridor.zm, tmp_path, lambda _peer: endpoint(wire, gateway))
    report = examine(premises, [corridor.zm.peer()], transport, own=False)
    found = {check.facts["name"]: check for check in report.checks if check.id == "version"}
    assert found.keys() == {"rules:all", "schema:CertificateOfOrigin"}
    assert found["schema:CertificateOfOrigin"].outcome is Outcome.OK
    differs = found["rules:all"]
    assert differs.outcome is Outcome.WARN
    for language in ("en", "fr", "ar"):
        assert "00000000" in differs.says(language)
        assert differs.remedy(language)


def test_a_gateway_states_the_versions_of_all_it_works_by(corridor: Corridor):
    said = PeerEntrance(corridor.zm.desk).ping(corridor.ke.tls_fingerprint)
    assert "schema:CertificateOfOrigin=1.0" in said.versions
    assert any(each.startswith("agreement:COMESA=") for each in said.versions)
    same = compared(said.versions, own_versions(corridor.ke.desk))
    assert all(ours == theirs for _, ours, theirs in same)
    edited = dict(corridor.ke.desk.agreements)
    edited["COMESA"] = edited["COMESA"].model_copy(update={"validity_months": 99})
    other = own_versions(replace(corridor.ke.desk, agreements=edited))
    differing = [name for name, *pair in compared(said.versions, other) if pair[0] != pair[1]]
    assert differing == ["agreement:COMESA"]


def test_a_peer_that_the_doctor_reached_has_no_outage_any_more(
    corridor: Corridor, wire, gateway, transport, tmp_path, monkeypatch
):
    asked = transport.ping
    kenya = {"identifier": "KE-SW", "country": "KE"}
    queue(corridor)
    fail_often(corridor)
    store, peer = corridor.zm.desk.store, corridor.zm.peer()
    with store.begin() as conn:
        outages.look(conn, now=corridor.clock(), failures=3)
    visit(corridor.zm, tmp_path, endpoint(wire, gateway), transport)
    with store.read() as conn:
        assert outages.still_open(conn), "somebody else answered"
    monkeypatch.setattr(transport, "ping", lambda it: asked(it).model_copy(update=kenya))
    visit(corridor.zm, tmp_path, endpoint(wire, gateway), transport)
    with store.read() as conn:
        assert not outages.still_open(conn)
        assert peers.lane(conn, peer.id).failures == 0
        seen = sightings.find(conn, peer.id)
    assert seen is not None
    assert seen.seen_at == corridor.clock()


def test_a_registered_server_certificate_is_recognised(
    corridor: Corridor, wire, gateway, transport, tmp_path
):
    peer = corridor.zm.peer()
    served = NewCredential(
        use=CredentialUse.TLS,
        pem=wire.server.cert.read_text(),
        fingerprint=wire.server.fingerprint,
        country="KE",
    )
    with corridor.zm.desk.store.begin() as conn:
        peers.add_credential(conn, peer.id, served, at=corridor.clock(), actor="user:test")
    found = visit(corridor.zm, tmp_path, endpoint(wire, gateway), transport)
    assert found["served-certificate"] is Outcome.OK


def test_a_server_of_another_authority_fails_in_tls_and_nothing_is_asked(
    corridor: Corridor, wire, gateway, transport, tmp_path
):
    where = endpoint(wire, gateway, server_ca_pem=wire.stranger.ca.read_bytes())
    found = visit(corridor.zm, tmp_path, where, transport)
    assert found["tls"] is Outcome.FAIL
    assert "ping" not in found


def test_a_peer_that_does_not_know_our_certificate_is_told_apart(
    corridor: Corridor, wire, gateway, transport, tmp_path
):
    where = endpoint(
        wire,
        gateway,
        client_cert=wire.stranger_client.cert,
        client_key=wire.stranger_client.key,
    )
    found = visit(corridor.zm, tmp_path, where, transport)
    assert found["tls"] is Outcome.OK
    assert found.get("client-certificate", found.get("ping")) is Outcome.FAIL


def test_a_closed_port_and_an_unknown_name_stop_at_their_layer(
    corridor: Corridor, wire, gateway, transport, tmp_path
):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    closed = endpoint(wire, gateway, url=f"https://127.0.0.1:{port}/rest/v1")
    found = visit(corridor.zm, tmp_path, closed, transport)
    assert (found["dns"], found["tcp"]) == (Outcome.OK, Outcome.FAIL)
    assert "tls" not in found
    unknown = endpoint(wire, gateway, url="https://gateway.invalid/rest/v1")
    found = visit(corridor.zm, tmp_path, unknown, transport)
    assert found["dns"] is Outcome.FAIL
    assert "tcp" not in found


# --- health ------------------------------------------------------------------------------------------------


def test_a_gateway_in_order_is_ready(premises: Premises):
    client = create_operations_app(premises).test_client()
    assert client.get("/health/live").get_json() == {"status": "live"}
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ready")
    assert "eco_database_up 1.0" in client.get("/metrics").get_data(as_text=True)
    assert client.get("/elsewhere").status_code == 404


def test_without_tables_the_gateway_is_not_ready_and_says_what_to_do(premises: Premises, tmp_path):
    bare = Store.open(f"sqlite:///{tmp_path / 'bare.db'}")
    unready = replace(premises, desk=replace(premises.desk, store=bare))
    client = create_operations_app(unready).test_client()
    answer = client.get("/health/ready?language=fr")
    bare.close()
    assert answer.status_code == 503
    (failed,) = [c for c in answer.get_json()["checks"] if c["outcome"] == "FAIL"]
    assert failed["check"] == "migrations"
    assert "eco migrate" in failed["remedy"]


def test_a_database_that_is_away_makes_unready_not_broken(premises: Premises, tmp_path):
    away = Store.open(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}")
    unready = readiness(replace(premises, desk=replace(premises.desk, store=away)))
    away.close()
    assert not unready.ready
    assert "database" in {c.id for c in unready.checks if c.outcome is Outcome.FAIL}


def test_work_that_nobody_claims_makes_unready(corridor: Corridor, premises: Premises):
    queue(corridor)
    assert readiness(premises).ready
    corridor.clock.pass_time(minutes=16)
    assert not readiness(premises).ready


def test_what_waits_behind_a_held_message_does_not(corridor: Corridor, premises: Premises):
    first = queue(corridor)
    store, now = premises.desk.store, corridor.clock()
    with store.begin() as conn:
        held = outbox.hold(conn, first, at=now, actor="user:a", reason="asked")
        behind = new_dispatch(held.peer_id, conversation_id=held.conversation_id, created_at=now)
        outbox.enqueue(conn, behind)
    corridor.clock.pass_time(hours=2)
    assert readiness(premises).ready


def test_what_waits_for_a_dead_peer_does_not(corridor: Corridor, premises: Premises):
    queue(corridor)
    corridor.zm.wire.down = True
    for _ in range(6):
        corridor.zm.work()
        corridor.clock.pass_time(minutes=4)
    corridor.zm.work()
    assert readiness(premises).ready
