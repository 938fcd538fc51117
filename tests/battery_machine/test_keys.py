"""Keys roll over, revocation lists run out and anchors are ended while both gateways work."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.app import open_gateway
from gateway.exchange.inspection import inspect
from gateway.homes import KeyName, place_credential
from gateway.operations.alerting import judge
from gateway.operations.observations import observe
from gateway.store import (
    AlertLevel,
    CredentialUse,
    DeliveryState,
    PeerProfile,
    RevocationLevel,
    alerts,
    inbox,
    peers,
)
from gateway.trust import KeyKind, generate_key, key_to_pem
from gateway.trust.issuing import Validity
from gateway.trust.keys import distinguished_name
from gateway.watching import office_of, premises_of
from tests.battery_machine.commands import eco
from tests.battery_machine.pair import Pair
from tests.crash.processes import COMMANDS

pytestmark = pytest.mark.slow

YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def settled(pair: Pair) -> None:
    """Lets each test begin with empty queues."""
    pair.settle()


# --- a new signing key ---------------------------------------------------------------------------


def test_a_signing_key_is_renewed_under_load_and_what_the_old_one_signed_still_counts(
    pair: Pair, tmp_path: Path
):
    before = pair.gateway("ZM").desk.gateway_credential.fingerprint
    known = _arrived(pair)
    with pair.traffic():
        pair.wait(lambda: len(_arrived(pair)) > len(known))
        pair.crew.kill("KE", "serve")  # what is signed now is on its way when the key changes
        under_way = pair.submit()
        _renew_gateway_key(pair, tmp_path)
    pair.crew.start("KE", "serve")
    pair.exchange()
    pair.settle()
    after = pair.gateway("ZM").desk.gateway_credential.fingerprint
    assert before != after
    signers = {message_id: _signer(pair, message_id) for message_id in _arrived(pair) - known}
    assert signers[pair.told[under_way]] == before
    assert set(signers.values()) == {before, after}
    eco(pair, "KE", "peer", "end-credential", "ZM-SW", before)
    pair.exchange()
    pair.settle()


def _arrived(pair: Pair) -> set[str]:
    """Return the ids of the certificates of origin that Kenya has taken."""
    with pair.gateway("KE").store.read() as conn:
        return {row.message_id for row in inbox.page(conn, limit=10_000)}


def _signer(pair: Pair, message_id: str) -> str:
    """Return whose key signed an envelope of Zambia's, as Kenya verifies it."""
    report = inspect(pair.gateway("KE").desk, pair.envelope(message_id)).reports[0]
    assert report.signer is not None, report
    return report.signer.fingerprint


def _renew_gateway_key(pair: Pair, folder: Path) -> None:
    """Give Zambia a new signing key as its operators do: card first, then the processes."""
    home, old = pair.crew.stage.home("ZM"), pair.crew.stage.gateways["ZM"]
    key, certificate = _issued(pair, folder)
    place_credential(home, KeyName.GATEWAY, key=key, certificate=certificate)
    card = folder / "zm.card.json"
    shown = eco(pair, "ZM", "peer", "card")
    card.write_text(json.dumps(shown))
    seen = eco(pair, "KE", "peer", "update", str(card))
    assert seen["taken"] is False
    taken = eco(pair, "KE", "peer", "update", str(card), "--fingerprint", seen["card_fingerprint"])
    assert [row["role"] for row in taken["new"]] == ["GATEWAY"]
    pair.crew.stage.gateways["ZM"] = open_gateway(home)
    for command in COMMANDS:
        pair.crew.kill("ZM", command)
        pair.crew.start("ZM", command)
    old.close()


def _issued(pair: Pair, folder: Path) -> tuple[Path, Path]:
    """Return the files of a new key and of its certificate by Zambia's CA."""
    now = pair.clocks.now("ZM")
    authority = pair.crew.stage.pki.countries["ZM"].ca
    made = authority.issue(
        distinguished_name("ZM eCO gateway 2", country="ZM", organisation="Demonstration ZM"),
        Validity(begins=now - timedelta(days=1), ends=now + YEAR),
        key=generate_key(KeyKind.RSA_2048),
    )
    key, certificate = folder / "gateway.key", folder / "gateway.pem"
    key.write_bytes(key_to_pem(made.key))
    chain = (made.signing_cert, *made.issuers)
    certificate.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))
    return key, certificate


# --- revocation lists ----------------------------------------------------------------------------


def test_REVOCATION_UNKNOWN_an_outdated_revocation_list_holds_messages_until_a_new_one_is_there(
    pair: Pair,
):
    now = pair.clocks.now("KE")
    _require_lists(pair)
    _store_list(pair, 2, now - timedelta(minutes=2), now - timedelta(minutes=1))
    serial = pair.submit()
    message_id = pair.told[serial]
    expected = (DeliveryState.RETRYING, "REVOCATION_UNKNOWN")
    pair.wait(lambda: pair.state("ZM", message_id) == expected)
    assert not pair.has_arrived(serial)
    assert ("crl-expiry", AlertLevel.CRITICAL) in _alerts(pair, "KE")
    _store_list(pair, 3, now - timedelta(seconds=30), now + YEAR)
    pair.wait(lambda: pair.has_arrived(serial), 20)
    pair.settle()


def _require_lists(pair: Pair) -> None:
    """Let Kenya believe nobody of Zambia without a fresh revocation list."""
    now = pair.clocks.now("KE")
    with pair.gateway("KE").store.begin() as conn:
        (zambia,) = peers.every(conn)
        terms = {name: getattr(zambia, name) for name in PeerProfile.__dataclass_fields__}
        profile = PeerProfile(**{**terms, "revocation": RevocationLevel.REQUIRE})
        peers.change(conn, zambia.id, profile, at=now, actor="user:test")


def _store_list(pair: Pair, number: int, made_at: datetime, until: datetime) -> None:
    """Let Kenya's operator store a revocation list of Zambia's CA."""
    authority = pair.crew.stage.pki.countries["ZM"].ca
    made = authority.revocation_list(number=number, this_update=made_at, next_update=until)
    raw = made.public_bytes(Encoding.PEM)
    assert eco(pair, "KE", "peer", "crl", "ZM-SW", "-", given=raw)["stored"] is True


def _alerts(pair: Pair, country: str) -> set[tuple[str, AlertLevel]]:
    """Judge the books of ``country`` as its worker does each minute; return the live alerts."""
    gateway = pair.gateway(country)
    premises = premises_of(gateway)
    now = pair.clocks.now(country)
    with gateway.store.begin() as conn:
        readings = tuple(observe(premises, conn, now))
        judge(office_of(gateway.settings, premises.rules).desk, conn, readings, now)
        return {(each.rule, each.level) for each in alerts.live(conn)}


# --- anchors -------------------------------------------------------------------------------------


def test_SIGNER_UNTRUSTED_an_anchor_that_was_ended_counts_no_more_from_the_next_message_on(
    pair: Pair,
):
    pair.exchange()
    pair.settle()
    now = pair.clocks.now("KE")
    _let_anchors_count_until(pair, now)
    serial = pair.submit()
    message_id = pair.told[serial]
    pair.wait(lambda: pair.state("ZM", message_id)[0] is DeliveryState.RETRYING)
    assert pair.state("ZM", message_id)[1] == "SIGNER_UNTRUSTED"
    time.sleep(1)
    assert not pair.has_arrived(serial)
    _let_anchors_count_until(pair, now + YEAR)
    pair.settle()
    assert pair.has_arrived(serial)


def _let_anchors_count_until(pair: Pair, until: datetime) -> None:
    """Set the end of every anchor that Kenya registered for Zambia."""
    now = pair.clocks.now("KE")
    with pair.gateway("KE").store.begin() as conn:
        (zambia,) = peers.every(conn)
        for anchor in peers.credentials(conn, zambia.id, use=CredentialUse.ANCHOR):
            peers.end_credential(conn, anchor.id, until=until, at=now, actor="user:test")
