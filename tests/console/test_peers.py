"""Peers at the console: looking, trying the way, suspending, registering from a card."""

from __future__ import annotations

import io
import re
from html import unescape

import pytest

from gateway.exchange.peer_card import PeerCard
from gateway.exchange.peering import own_card
from gateway.store import JournalAction, PeerState, PersonRole, journal, peers
from tests.console.house import Browser, House
from tests.console.test_operating import HOSTILE, text

OPERATOR = PersonRole.OPERATOR
TERMS = {
    "channel": "REST",
    "soap_version": "1.2",
    "algorithms": "STRICT",
    "revocation": "WHEN_KNOWN",
}


def card_of(house: House, **changed: object) -> PeerCard:
    """Return the card of a gateway that is not registered: ours under another name."""
    desk = house.front.desk
    made = own_card(
        desk,
        public_url="https://gateway.example:8443",
        tls=[desk.gateway_credential.signing_cert],
    )
    return made.model_copy(update={"identifier": "MW-SW", "country": "MW"} | changed)


def preview(browser: Browser, content: bytes):
    browser.get("/operating/add-peer")
    return browser.post("/operating/add-peer", card=(io.BytesIO(content), "card.json"))


def state_of(house: House, identifier: str) -> PeerState | None:
    with house.front.desk.store.read() as conn:
        found = peers.by_identifier(conn, identifier)
    return None if found is None else found.state


def test_a_peer_is_listed_and_shown_with_its_certificates(houses: tuple[House, House]) -> None:
    browser = houses[0].as_role(OPERATOR)
    assert 'href="/operating/peers/KE-SW"' in text(browser, "/operating/peers")
    page = text(browser, "/operating/peers/KE-SW")
    with houses[0].front.desk.store.read() as conn:
        peer = peers.by_identifier(conn, "KE-SW")
        assert peer is not None
        for one in peers.credentials(conn, peer.id):
            assert one.fingerprint in page


def test_a_peer_is_suspended_and_taken_up_with_a_reason(house: House) -> None:
    browser = house.as_role(OPERATOR)
    path = "/operating/peers/KE-SW"
    for step, state in (("suspend", PeerState.SUSPENDED), ("resume", PeerState.ACTIVE)):
        assert f'action="{path}/{step}"' in text(browser, path)
        assert browser.post(f"{path}/{step}", reason="").status_code == 400
        browser.get(path)
        assert browser.post(f"{path}/{step}", reason="by telephone").status_code == 303
        assert state_of(house, "KE-SW") is state
    with house.front.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.PEER_SUSPENDED)
    assert (entry.actor, entry.detail["reason"]) == ("user:operator", "by telephone")


def test_trying_the_way_says_which_layer_fails(house: House) -> None:
    browser = house.as_role(OPERATOR)
    text(browser, "/operating/peers/KE-SW")
    answer = browser.post("/operating/peers/KE-SW/try")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "127.0.0.1" in page
    assert 'class="state state-fail"' in page


def test_a_card_is_shown_and_registers_nothing(house: House) -> None:
    browser, card = house.as_role(OPERATOR), card_of(house)
    answer = preview(browser, card.model_dump_json().encode())
    assert answer.status_code == 200
    assert card.fingerprint in answer.get_data(as_text=True)
    assert state_of(house, "MW-SW") is None


@pytest.mark.parametrize("compared", [True, False])
def test_a_card_is_registered_and_active_only_if_its_fingerprint_was_compared(
    house: House, compared: bool
) -> None:
    told: list[bool] = []
    object.__setattr__(house.operating, "publish", lambda: told.append(True))
    browser, card = house.as_role(OPERATOR), card_of(house)
    page = preview(browser, card.model_dump_json().encode()).get_data(as_text=True)
    match = re.search(r'name="card" value="([^"]*)"', page)
    assert match is not None
    spaced = " ".join(re.findall("....", card.fingerprint.upper()))
    answer = browser.post(
        "/operating/add-peer/register",
        card=unescape(match[1]),
        fingerprint=spaced if compared else "",
        **TERMS,
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert state_of(house, "MW-SW") is (PeerState.ACTIVE if compared else PeerState.SUSPENDED)
    assert told == [True]
    assert text(browser, answer.headers["Location"])


@pytest.mark.parametrize(
    ("changed", "form", "status"),
    [
        ({}, {"fingerprint": "ab" * 32}, 403),
        ({"identifier": "KE-SW"}, {}, 409),
        ({"identifier": "ZM-SW"}, {}, 409),
        ({"test": True}, {}, 409),
        ({}, {"channel": "PIGEON"}, 400),
        ({}, {"live_from": "soon"}, 400),
        ({}, {"channel": "COLLECT", "collect": "yes"}, 409),
    ],
)
def test_a_card_that_does_not_fit_registers_nothing(
    house: House, changed: dict[str, object], form: dict[str, str], status: int
) -> None:
    browser, card = house.as_role(OPERATOR), card_of(house, **changed)
    with house.front.desk.store.read() as conn:
        before = len(peers.every(conn))
    browser.get("/operating/add-peer")
    answer = browser.post(
        "/operating/add-peer/register", card=card.model_dump_json(), **TERMS | form
    )
    assert answer.status_code == status, answer.get_data(as_text=True)
    with house.front.desk.store.read() as conn:
        assert len(peers.every(conn)) == before


@pytest.mark.parametrize("content", [b"", b"{", b'{"identifier": 1}', b"\xff\xfe"])
def test_a_file_that_is_no_card_is_refused(house: House, content: bytes) -> None:
    answer = preview(house.as_role(OPERATOR), content)
    assert 400 <= answer.status_code < 500


def test_hostile_names_on_a_card_are_shown_harmlessly(house: House) -> None:
    browser = house.as_role(OPERATOR)
    answer = preview(browser, card_of(house, name=HOSTILE).model_dump_json().encode())
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200, page
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_our_keys_are_shown_without_the_key(house: House) -> None:
    page = text(house.as_role(OPERATOR), "/operating/keys")
    assert "gateway" in page
    assert "PRIVATE" not in page
    assert text(house.as_role(OPERATOR), "/operating/versions").count("COMESA") >= 1


def test_an_auditor_changes_no_peer(house: House) -> None:
    browser = house.as_role(PersonRole.AUDITOR)
    page = text(browser, "/operating/peers/KE-SW")
    assert "suspend" not in page.lower().split("<main", 1)[1]
    assert browser.post("/operating/peers/KE-SW/suspend", reason="x").status_code == 403
