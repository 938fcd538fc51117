"""Peers at the console: looking, trying the way, suspending, registering from a card."""

from __future__ import annotations

import hashlib
import io
import re
import socket
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import delete

from gateway.documents import DocumentType, Language
from gateway.exchange.peer_card import CardRole, PeerCard
from gateway.exchange.peering import PeerTerms, fingerprint, own_card, pem, register_peer
from gateway.operations.expiry import Dated, DatedUse
from gateway.operations.in_force import note_parts
from gateway.services.operating.own_keys import KeyState, own_keys
from gateway.services.operating.versions import loaded_parts
from gateway.store import (
    CredentialUse,
    JournalAction,
    NewCredential,
    PeerChannel,
    PeerState,
    PersonRole,
    journal,
    peers,
)
from gateway.store.tables import peer_crls
from gateway.transport import Channel, PeerEndpoint
from gateway.trust.demo_pki import DemoPki
from gateway.web.console.calendar import by_month, month_plot
from gateway.web.console.words import Words, texts
from tests.console.house import Browser, House
from tests.console.test_operating import HOSTILE, text
from tests.wire.conftest import Running, WireFiles

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


def registered(house: House, **changed: object) -> PeerCard:
    """Register the peer of a card, changed later, and return the card."""
    card, desk = card_of(house, **changed), house.front.desk
    terms = PeerTerms(channel=PeerChannel.REST)
    with desk.store.begin() as conn:
        register_peer(conn, card, terms, own="ZM-SW", at=house.clock(), actor="user:test")
    return card


def renewed(house: House, card: PeerCard) -> PeerCard:
    """Return a new card of the same peer: another address, another signer of envelopes."""
    other = house.front.desk.gateway_credential.chain[0]
    gateway = next(each for each in card.credentials if each.role is CardRole.GATEWAY)
    kept = tuple(each for each in card.credentials if each != gateway)
    fresh = gateway.model_copy(update={"pem": pem(other)})
    return card.model_copy(
        update={"rest_url": "https://new.example:8443/rest/v1", "credentials": (*kept, fresh)}
    )


def certificates(house: House) -> dict[str, bool]:
    """Return what is registered of MW-SW as signer of envelopes: in force by fingerprint."""
    with house.front.desk.store.read() as conn:
        peer = peers.by_identifier(conn, "MW-SW")
        assert peer is not None
        found = peers.credentials(conn, peer.id)
    return {each.fingerprint: each.valid_until is None for each in found if each.role == "GATEWAY"}


def test_a_new_card_of_a_known_peer_is_shown_beside_what_is_registered(house: House) -> None:
    browser, card = house.as_role(OPERATOR), registered(house)
    fresh = renewed(house, card)
    page = preview(browser, fresh.model_dump_json().encode()).get_data(as_text=True)
    for each in (card.rest_url, fresh.rest_url, "no longer named", *certificates(house)):
        assert each in page
    assert "add-peer/register" not in page
    same = preview(browser, card.model_dump_json().encode()).get_data(as_text=True)
    assert "says nothing new" in same
    assert "add-peer/take-up" not in same


@pytest.mark.parametrize(("told", "status"), [("", 403), ("ab" * 32, 403), ("the card's own", 303)])
def test_a_new_card_is_taken_up_only_with_the_fingerprint_that_its_operator_told(
    house: House, told: str, status: int
) -> None:
    published: list[bool] = []
    object.__setattr__(house.operating, "publish", lambda: published.append(True))
    browser, card = house.as_role(OPERATOR), registered(house)
    fresh = renewed(house, card)
    preview(browser, fresh.model_dump_json().encode())
    answer = browser.post(
        "/operating/add-peer/take-up",
        card=fresh.model_dump_json(),
        fingerprint=fresh.fingerprint if told == "the card's own" else told,
    )
    assert answer.status_code == status
    taken = status == 303
    assert len(certificates(house)) == (2 if taken else 1)
    assert published == ([True] if taken else [])
    with house.front.desk.store.read() as conn:
        peer = peers.by_identifier(conn, "MW-SW")
        noted = journal.page(conn, action=JournalAction.PEER_CHANGED)
    assert peer is not None
    assert (peer.url == fresh.rest_url) is taken
    assert peer.channel is PeerChannel.REST, "how we exchange stays as agreed"
    assert [each.actor for each in noted] == (["user:operator"] if taken else [])
    if taken:
        browser.get("/operating/add-peer")
        again = browser.post(
            "/operating/add-peer/take-up",
            card=fresh.model_dump_json(),
            fingerprint=fresh.fingerprint,
        )
        assert again.status_code == 409, "nothing is new any more"


@pytest.mark.parametrize("changed", [{"country": "ZW"}, {"identifier": "XX-SW"}, {"test": True}])
def test_the_card_of_another_gateway_is_not_taken_up(
    house: House, changed: dict[str, object]
) -> None:
    browser, card = house.as_role(OPERATOR), registered(house)
    fresh = renewed(house, card).model_copy(update=changed)
    browser.get("/operating/add-peer")
    answer = browser.post(
        "/operating/add-peer/take-up",
        card=fresh.model_dump_json(),
        fingerprint=fresh.fingerprint,
    )
    assert answer.status_code in {404, 409}
    assert len(certificates(house)) == 1


def test_a_certificate_is_ended_only_where_another_of_its_kind_remains(house: House) -> None:
    browser, card = house.as_role(OPERATOR), registered(house)
    (old,) = certificates(house)
    at = "/operating/peers/MW-SW"
    assert f'action="{at}/end-certificate"' not in text(browser, at)
    assert browser.post(f"{at}/end-certificate", certificate=old, use="SIGNER").status_code == 409
    fresh = renewed(house, card)
    browser.get("/operating/add-peer")
    browser.post(
        "/operating/add-peer/take-up",
        card=fresh.model_dump_json(),
        fingerprint=fresh.fingerprint,
    )
    page = text(browser, at)
    assert page.count(f'action="{at}/end-certificate"') == 2
    assert (
        browser.post(f"{at}/end-certificate", certificate=old[:8], use="SIGNER").status_code == 400
    )
    browser.get(at)
    assert browser.post(f"{at}/end-certificate", certificate=old, use="SIGNER").status_code == 303
    assert certificates(house)[old] is False
    assert f'action="{at}/end-certificate"' not in text(browser, at)


def test_a_revocation_list_is_stored_if_an_anchor_of_the_peer_signed_it(
    house: House, pki: DemoPki
) -> None:
    browser, at = house.as_role(OPERATOR), "/operating/peers/KE-SW"

    def sent(content: bytes):
        browser.get(at)
        upload = (io.BytesIO(content), "list.pem")
        return browser.post(f"{at}/revocation-list", crl=upload)

    kenya, zambia = (pki.countries[each].crl_path.read_bytes() for each in ("KE", "ZM"))
    assert sent(kenya).status_code == 403, "its issuing authority is no anchor here"
    issuer = pem(pki.countries["KE"].ca.cert)
    with house.front.desk.store.begin() as conn:
        peer = peers.by_identifier(conn, "KE-SW")
        assert peer is not None
        anchor = NewCredential(
            use=CredentialUse.ANCHOR, pem=issuer, fingerprint=fingerprint(issuer), country="KE"
        )
        peers.add_credential(conn, peer.id, anchor, at=house.clock(), actor="user:test")
    assert "not newer" in sent(kenya).get_data(as_text=True)
    with house.front.desk.store.begin() as conn:
        conn.execute(delete(peer_crls))
    assert "is stored" in sent(kenya).get_data(as_text=True)
    for content, status in ((zambia, 403), (b"-----BEGIN X509 CRL-----\n", 400), (b"", 400)):
        assert sent(content).status_code == status


def test_our_keys_stand_with_their_state_and_the_day_to_renew_them_by(house: House) -> None:
    browser = house.as_role(OPERATOR)
    (first, *_) = own_keys(house.operating)
    assert first.state is KeyState.IN_FORCE
    assert "in force" in text(browser, "/operating/keys")
    until = first.until
    for days, state in ((20, KeyState.TO_RENEW), (-1, KeyState.ENDED)):
        desk = replace(house.front.desk, clock=lambda days=days: until - timedelta(days=days))
        premises = replace(house.operating.premises, desk=desk)
        moved = replace(house.operating, premises=premises)
        assert own_keys(moved)[0].state is state


def test_each_part_stands_with_its_checksum_and_since_when_it_is_in_force(house: House) -> None:
    browser, premises = house.as_role(OPERATOR), house.operating.premises
    assert "not noted yet" in text(browser, "/operating/versions")
    day = house.clock() - timedelta(days=9)
    note_parts(premises, day)
    page = text(browser, "/operating/versions")
    assert "not noted yet" not in page
    found = {(each.kind, each.name): each for each in loaded_parts(house.operating)}
    table = house.front.desk.tables[DocumentType.CERTIFICATE_OF_ORIGIN]
    mapping = found["schema", "CertificateOfOrigin"]
    assert mapping.checksum == hashlib.sha256(table.file.read_bytes()).hexdigest()
    assert mapping.since == day
    assert all(each.checksum in page for each in found.values())


def test_an_edited_profile_comes_into_force_anew_and_is_journalled(house: House) -> None:
    premises, first = house.operating.premises, house.clock() - timedelta(days=9)
    note_parts(premises, first)
    note_parts(premises, house.clock())
    edited = dict(house.front.desk.agreements)
    edited["COMESA"] = edited["COMESA"].model_copy(update={"validity_months": 99})
    desk = replace(house.front.desk, agreements=edited)
    note_parts(replace(premises, desk=desk), house.clock())
    with house.front.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.PART_IN_FORCE)
    assert entry.subject == "agreement:COMESA"
    found = {each.name: each for each in loaded_parts(house.operating)}
    assert not found["COMESA"].agrees, "this console still has the profile of before"
    assert "the workers have loaded another one" in text(
        house.as_role(OPERATOR), "/operating/versions"
    )
    moved = replace(house.operating, premises=replace(premises, desk=desk))
    comesa = next(each for each in loaded_parts(moved) if each.name == "COMESA")
    assert (comesa.since, comesa.before[0].since) == (house.clock(), first)


def test_the_calendar_shows_month_by_month_what_ends(house: House) -> None:
    now = house.clock()
    dated = [
        Dated(
            use=DatedUse.TLS,
            owner="KE-SW",
            name=f"CN={days}",
            fingerprint="",
            begins_at=now - timedelta(days=400),
            ends_at=None if days is None else now + timedelta(days=days),
        )
        for days in (-40, 3, 20, 21, 400, None)
    ]
    months = by_month(dated)
    assert [len(each.dated) for each in months] == [1, 3, 1, 1]
    assert months[-1].first is None
    plot = month_plot(Words(Language.ENGLISH), dated, now)
    assert "Mar 2026: 4" in plot
    assert plot.count('class="failed"') == 1, "what is over and what ends within the week"
    assert "Apr 2027: 1 · KE-SW TLS certificate" in plot
    page = text(house.as_role(OPERATOR), "/operating/expiries")
    assert 'role="img"' in page
    assert "Mar 2029" in page


@pytest.fixture(scope="module")
def listener(start) -> Running:
    return start()


LAYERS = ("dns", "tcp", "tls", "served-certificate", "client-certificate", "ping")


@pytest.mark.parametrize(
    ("fault", "reached"),
    [
        ("none", 6),
        ("name", 1),
        ("port", 2),
        ("authority", 3),
        ("our certificate", 5),
        ("path", 6),
    ],
)
def test_each_layer_of_the_way_to_a_real_listener_is_shown_up_to_the_one_that_fails(
    house: House, listener: Running, wire: WireFiles, fault: str, reached: int
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    stranger = wire.stranger_client
    changed = {
        "name": {"url": "https://gateway.invalid/rest/v1"},
        "port": {"url": f"https://127.0.0.1:{closed}/rest/v1"},
        "authority": {"server_ca_pem": wire.stranger.ca.read_bytes()},
        "our certificate": {"client_cert": stranger.cert, "client_key": stranger.key},
        "path": {"url": listener.base + "/elsewhere"},
    }
    values = {
        "channel": Channel.REST,
        "url": listener.base + "/rest/v1",
        "server_ca_pem": wire.authority.ca.read_bytes(),
        "client_cert": wire.client.cert,
        "client_key": wire.client.key,
    }
    where = PeerEndpoint(**(values | changed.get(fault, {})))
    premises = replace(house.operating.premises, endpoint_of=lambda _peer: where)
    object.__setattr__(house.operating, "premises", premises)
    browser = house.as_role(OPERATOR)
    browser.get("/operating/peers/KE-SW")
    page = browser.post("/operating/peers/KE-SW/try").get_data(as_text=True)
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th><td><span class="state (state-\w+)', page))
    words = texts()
    shown = [rows.get(words[f"check.{each}"]["en"]) for each in LAYERS]
    last = shown[reached - 1]
    unknown = {"client-certificate"} if fault == "path" else set()
    assert {
        each for each, state in zip(LAYERS[:reached], shown, strict=False) if not state
    } == unknown
    assert set(shown[reached:]) <= {None}
    assert last == ("state-ok" if fault == "none" else "state-fail")
    assert "state-fail" not in shown[: reached - 1]
