"""Two gateways over real sockets, told with nothing but commands: once SOAP 1.1, once REST."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import ExitStatus
from tests.cli.eco import eco, eco_json, eco_process
from tests.cli.homes import (
    SINGLE_WINDOW,
    Pair,
    envelope,
    fingerprint,
    identity,
    receipt,
    sample,
    save_card,
)
from tests.cli.story import answers, eventually, free_ports, running

FORMAT = ("--format", SINGLE_WINDOW)


def said(*words: object, home: Path) -> Any:
    run = eco_process(*words, "--json", home=home)
    assert run.status is ExitStatus.OK, run.err or run.out
    return run.value


@pytest.fixture(scope="module")
def made_pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of both states, made once."""
    folder = tmp_path_factory.mktemp("made") / "pki"
    eco_json("pki", "demo", folder)
    return folder


def make_homes(pair: Pair, made_pki: Path, terms: tuple[str, ...]) -> None:
    """Two homes at free ports, introduced to each other on these terms."""
    pair.pki.symlink_to(made_pki)
    for home, country, port in zip((pair.zm, pair.ke), ("ZM", "KE"), free_ports(2), strict=True):
        eco_json("init", home, *identity(country, port), "--pki", pair.pki)
        settings = home / "gateway.toml"
        quick = "\n[delivery]\npoll_seconds = 0.2\nfirst_retry_seconds = 1\n"
        settings.write_text(settings.read_text() + quick)
    for home, other in ((pair.zm, pair.ke), (pair.ke, pair.zm)):
        card = save_card(other, pair.folder / f"{other.name}.json")
        eco_json("peer", "add", card, "--fingerprint", fingerprint(other), *terms, home=home)


@pytest.mark.slow
@pytest.mark.parametrize(
    "terms",
    [("--channel", "SOAP", "--soap-version", "1.1"), ("--channel", "REST")],
    ids=["soap-1.1", "rest"],
)
def test_a_certificate_crosses_is_used_and_its_issuer_knows(
    tmp_path: Path, made_pki: Path, terms: tuple[str, ...]
):
    pair = Pair(tmp_path)
    make_homes(pair, made_pki, terms)
    with running([pair.zm, pair.ke]):
        eventually(lambda: answers(pair))
        ready = json.loads((pair.zm / "serve.out").read_text())
        assert ready["identifier"] == "ZM-SW"

        answer = said("submit", sample(tmp_path), *FORMAT, home=pair.zm)[0]
        serial = answer["reference"]
        eventually(lambda: eco("status", serial, home=pair.ke).status is ExitStatus.OK)
        decision = pair.decision(serial)
        said("respond", decision, home=pair.ke)
        eventually(
            lambda: eco_json("status", serial, home=pair.zm)[0]["customs_status"] == "PARTIAL"
        )
        assert said("respond", decision, home=pair.ke)[0]["repeated"] is True

    issued = said("status", serial, home=pair.zm)[0]
    assert issued["items"][0]["remaining"] == "40000"
    assert issued["deliveries"][0]["state"] == "RECEIVED"
    assert issued["items"] == said("status", serial, home=pair.ke)[0]["items"]
    sent = said("messages", "--state", "DELIVERED", home=pair.zm)["sent"]
    assert [row["message_id"] for row in sent] == [answer["message_id"]]

    carried, proof = tmp_path / "envelope.xml", tmp_path / "receipt.xml"
    carried.write_bytes(envelope(pair.zm, answer["message_id"]))
    proof.write_bytes(receipt(pair.zm, answer["message_id"]))
    for file, home in ((carried, pair.ke), (carried, pair.zm), (proof, pair.zm)):
        assert said("verify", file, home=home)["trusted"] is True
    carried.write_bytes(carried.read_bytes().replace(b"ZM-SW", b"KE-SW"))
    assert eco_process("verify", carried, home=pair.ke).status is ExitStatus.UNTRUSTED


@pytest.mark.slow
def test_a_suspended_peer_waits_and_then_gets_everything(tmp_path: Path, made_pki: Path):
    pair = Pair(tmp_path)
    make_homes(pair, made_pki, ("--channel", "SOAP"))
    said("peer", "suspend", "ZM-SW", "--reason", "incident", home=pair.ke)
    said("submit", sample(tmp_path), *FORMAT, home=pair.zm)
    with running([pair.zm, pair.ke]):
        eventually(lambda: answers(pair))
        eventually(lambda: eco_json("messages", home=pair.zm)["sent"][0]["state"] == "RETRYING")
        assert said("messages", home=pair.zm)["sent"][0]["code"] == "PEER_SUSPENDED"
        said("peer", "resume", "ZM-SW", "--reason", "solved", home=pair.ke)
        waits = eco_json("messages", home=pair.zm)["sent"][0]["message_id"]
        said("resend", waits, "--reason", "the peer told us", home=pair.zm)
        eventually(lambda: eco_json("messages", home=pair.zm)["sent"][0]["state"] == "DELIVERED")
