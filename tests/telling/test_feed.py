"""The feed: who is told of what, in which form, without gaps, and confirmed by cursor."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.documents import LocalisedText, UtilisationStatus
from gateway.documents.parties import Authority
from gateway.register.register import expire_overdue
from gateway.services.access import Scope
from gateway.services.event_body import EventData
from gateway.services.event_texts import EVENT_TEXTS
from gateway.services.keys import KeyOrder, make_key
from gateway.store import EventKind, Side, certificates, clients, events, outages
from gateway.store.search import Visible
from tests.api.counter import AUDITOR, AUTHORITY, CUSTOMS, WINDOW, add_organisation
from tests.exchange.corridor import action, decide
from tests.exchange.test_refusals import deliver, envelope, payload
from tests.factories import NOW, certificate, goods_item
from tests.telling.receiver import tell

EVERYTHING = Visible(issued=True, received=True)


def kinds(front, who=WINDOW) -> list[str]:
    answer = front.get("/events?after=0&limit=500", who)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [event["data"]["kind"] for event in answer.json["events"]]


@pytest.fixture
def used(border):
    """A border over which a certificate went and was half used."""
    assert border.zm.submit(certificate()).status_code == 202
    border.deliver()
    decide(border.corridor.ke, UtilisationStatus.PARTIAL, "6000")
    border.deliver()
    return border


def test_each_organisation_is_told_of_what_it_may_see_and_of_nothing_else(used):
    issued = ["MESSAGE_DELIVERED", "RESPONSE_RECEIVED", "UTILISATION_CHANGED"]
    for kind in (AUTHORITY, WINDOW, AUDITOR):
        assert kinds(used.zm, kind) == issued
    assert kinds(used.zm, CUSTOMS) == [], "its customs have nothing to do with what went out"
    received = kinds(used.ke, CUSTOMS)
    assert received[:2] == ["CERTIFICATE_CHANGED", "CERTIFICATE_AVAILABLE"]
    assert received[-1] == "MESSAGE_DELIVERED", "the response that customs sent"
    assert kinds(used.ke, WINDOW) == kinds(used.ke, AUDITOR) == received
    assert kinds(used.ke, AUTHORITY) == []


def test_an_authority_is_not_told_of_what_another_one_issued(border):
    other = add_organisation(border.zm.desk, AUTHORITY, code="ZNCC", authority="ZM-ZNCC")
    mine = certificate(
        serial_number="ZM-20260309-000777",
        issuing_authority=Authority(code="ZM-ZNCC", name="Chamber", country="ZM"),
    )
    for document, who in ((certificate(), AUTHORITY), (mine, other)):
        assert border.zm.submit(document, who).status_code == 202
    border.deliver()
    for who, serial in ((AUTHORITY, "ZM-20260309-000123"), (other, "ZM-20260309-000777")):
        found = border.zm.get("/events?after=0", who).json["events"]
        assert {event["data"]["serial_number"] for event in found} == {serial}
        assert found


def test_what_concerns_only_operators_is_told_to_auditors_alone(border):
    with border.zm.desk.store.begin() as conn:
        at = border.zm.desk.clock()
        events.append(conn, at=at, kind=EventKind.BOOKS_DIFFER, subject="KE-SW")
    assert kinds(border.zm, AUDITOR) == ["BOOKS_DIFFER"]
    assert [kinds(border.zm, who) for who in (AUTHORITY, CUSTOMS, WINDOW)] == [[], [], []]


def test_a_key_without_the_scope_reads_and_confirms_nothing(border):
    with border.zm.desk.store.begin() as conn:
        owner = clients.by_code(conn, "ZM-SINGLE_WINDOW")
        order = KeyOrder(label="submits only", scopes=[Scope.SUBMIT])
        token = make_key(conn, owner, order, at=border.corridor.clock(), actor="user:test").token
    answers = (
        border.zm.get("/events", token),
        border.zm.post("/events/confirmation", {"cursor": 0}, token),
        border.zm.get("/webhooks", token),
    )
    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_an_event_is_a_cloud_event_that_stays_the_same(used):
    first = used.zm.get("/events?after=0").json["events"][0]
    again = used.zm.get("/events?after=0").json["events"][0]
    assert first == again
    assert first["specversion"] == "1.0"
    assert first["source"] == "urn:comesa:eco:gateway:ZM-SW"
    assert first["type"] == "eco.v1.MESSAGE_DELIVERED"
    assert first["time"].endswith("Z")
    assert first["id"] == first["sequence"]
    assert first["data"]["document_number"] == "ZM-20260309-000123"
    assert first["data"]["issuing_country"] == "ZM"
    assert None not in first["data"].values()


def test_every_kind_has_its_sentence_in_three_languages(border):
    assert set(EVENT_TEXTS) == set(EventKind)
    assert all(isinstance(text, LocalisedText) and text.ar for text in EVENT_TEXTS.values())
    french = border.zm.get("/event-kinds", headers={"Accept-Language": "fr"}).json["kinds"]
    assert {each["kind"] for each in french} == {kind.value for kind in EventKind}
    assert "injoignable" in next(e["meaning"] for e in french if e["kind"] == "PEER_SILENT")


def test_everything_that_an_event_says_has_its_place_in_the_form(used):
    for front in (used.zm, used.ke):
        with front.desk.store.read() as conn:
            for event in events.after(conn, 0):
                assert set(event.data) <= set(EventData.model_fields), event


# --- what is told -----------------------------------------------------------------------------


def test_an_attempt_to_use_more_than_remains_is_refused_and_told(border):
    assert border.zm.submit(certificate()).status_code == 202
    border.deliver()
    asked = action(UtilisationStatus.PARTIAL, "999999").model_dump_json().encode()
    assert border.ke.post("/responses?dry_run=true", asked, CUSTOMS).status_code == 422
    assert "OVER_USE_ATTEMPTED" not in kinds(border.ke, CUSTOMS), "a trial is no attempt"
    assert border.ke.post("/responses", asked, CUSTOMS).status_code == 422
    last = border.ke.get("/events?after=0", CUSTOMS).json["events"][-1]["data"]
    assert last["kind"] == "OVER_USE_ATTEMPTED"
    assert last["drawn"] == {"1": "999999"}
    assert last["remaining"]["1"]
    other = action(UtilisationStatus.PARTIAL, "1", serial_number="ZM-20260309-000999")
    raw = other.model_dump_json().encode()
    assert border.ke.post("/responses", raw, CUSTOMS).status_code == 404
    assert kinds(border.ke, CUSTOMS).count("OVER_USE_ATTEMPTED") == 1


def test_a_document_that_is_refused_here_is_told_to_customs(border):
    corridor = border.corridor
    deliver(corridor, envelope(corridor, payload(corridor)))
    other = certificate(items=(goods_item(hs_code="520513"),))
    deliver(corridor, envelope(corridor, payload(corridor, other)))
    last = border.ke.get("/events?after=0", CUSTOMS).json["events"][-1]["data"]
    assert (last["kind"], last["code"]) == ("DOCUMENT_REFUSED", "RULES_BROKEN")
    assert (last["peer"], last["document_type"]) == ("ZM-SW", "CertificateOfOrigin")
    assert "SERIAL_REUSED" in kinds(border.ke, CUSTOMS)
    assert kinds(border.ke, AUTHORITY) == []


def test_a_silent_peer_and_its_return_are_told_to_everybody(border):
    border.corridor.zm.wire.down = True
    assert border.zm.submit(certificate()).status_code == 202
    for _ in range(3):
        border.corridor.zm.work()
        border.corridor.clock.pass_time(minutes=20)
    store, now = border.zm.desk.store, border.corridor.clock()
    with store.begin() as conn:
        assert outages.look(conn, now=now, failures=1)
    border.corridor.zm.wire.down = False
    border.corridor.clock.pass_time(minutes=20)
    border.deliver()
    with store.begin() as conn:
        outages.look(conn, now=border.corridor.clock(), failures=1)
    for who in (AUTHORITY, CUSTOMS, WINDOW, AUDITOR):
        told = [kind for kind in kinds(border.zm, who) if kind.startswith("PEER_")]
        assert told == ["PEER_SILENT", "PEER_BACK"]


def test_the_end_of_validity_has_a_kind_of_its_own(border):
    assert border.zm.submit(certificate()).status_code == 202
    border.deliver()
    with border.ke.desk.store.begin() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", "ZM-20260309-000123")
        at = border.corridor.clock()
        expire_overdue(conn, row.valid_until.replace(year=row.valid_until.year + 1), at=at)
    assert kinds(border.ke, CUSTOMS)[-1] == "CERTIFICATE_EXPIRED"


# --- reading, waiting, confirming ----------------------------------------------------------------


def test_pages_follow_one_another_without_gap_or_repetition(border):
    tell(border.zm, *(f"P-{number}" for number in range(7)))
    seen, cursor = [], 0
    while True:
        page = border.zm.get(f"/events?after={cursor}&limit=3").json
        seen += [event["subject"] for event in page["events"]]
        if page["next"] == cursor:
            break
        cursor = page["next"]
    assert seen == [f"P-{number}" for number in range(7)]
    assert cursor == page["last"]


def test_a_page_that_sees_nothing_moves_on_all_the_same(store, monkeypatch):
    monkeypatch.setattr(events, "WALK", 5)
    with store.begin() as conn:
        for number in range(12):
            events.append(conn, at=NOW, kind=EventKind.GAP, subject=str(number))
    who = Visible(issued=False, received=True, country="KE")
    reached, steps = 0, 0
    with store.read() as conn:
        while reached < 12:
            page = events.visible_after(conn, who, reached, limit=10)
            assert page.events == ()
            reached, steps = page.reached, steps + 1
    assert steps == 3


def test_reading_goes_on_after_what_was_confirmed_and_confirming_never_goes_back(border):
    tell(border.zm, "a", "b", "c")
    assert border.zm.post("/events/confirmation", {"cursor": 2}).json == {"confirmed": 2}
    assert [e["subject"] for e in border.zm.get("/events").json["events"]] == ["c"]
    assert border.zm.post("/events/confirmation", {"cursor": 1}).json == {"confirmed": 2}
    assert len(border.zm.get("/events", AUDITOR).json["events"]) == 3, "each has its own"
    beyond = border.zm.post("/events/confirmation", {"cursor": 99})
    assert (beyond.status_code, beyond.json["code"]) == (400, "BAD_REQUEST")
    assert border.zm.get("/events?after=99").status_code == 400


def test_who_waits_is_told_as_soon_as_something_happens(border):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            lambda: border.zm.app.test_client().get(
                "/api/v1/events?wait=20",
                headers={"Authorization": f"Bearer {border.zm.tokens[WINDOW]}"},
            )
        )
        started = threading.Event()
        started.wait(0.2)
        tell(border.zm, "now")
        answer = waiting.result(timeout=10)
    assert [event["subject"] for event in answer.json["events"]] == ["now"]


def test_where_too_many_wait_the_next_one_is_answered_at_once(border):
    places = border.zm.counter.long_polls
    held = 0
    while places.acquire(blocking=False):
        held += 1
    assert held == 2
    assert border.zm.get("/events?wait=20").json["events"] == []
    for _ in range(held):
        places.release()


def test_nobody_who_reads_while_others_write_misses_an_event(both):
    """A cursor that was passed is never filled in later, on either database."""
    writers, each = 4, 12
    done = threading.Event()
    seen: list[str] = []

    def read() -> None:
        cursor = 0
        while True:
            last_round = done.is_set()
            with both.zm.desk.store.read() as conn:
                page = events.visible_after(conn, EVERYTHING, cursor, limit=5)
            seen.extend(event.subject for event in page.events)
            cursor = page.reached
            if last_round and not page.events:
                return

    def write(number: int) -> None:
        tell(both.zm, *(f"{number}-{count}" for count in range(each)))

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    done.set()
    reader.join(30)
    assert len(seen) == len(set(seen)) == writers * each
    for number in range(writers):
        own = [subject for subject in seen if subject.startswith(f"{number}-")]
        assert own == [f"{number}-{count}" for count in range(each)]


def test_all_that_happens_to_one_certificate_is_one_lane(used):
    with used.zm.desk.store.read() as conn:
        page = events.visible_after(conn, EVERYTHING, 0, limit=100)
        lanes = {event.lane for event in page.events}
    assert len(page.events) > 1
    assert len(lanes) == 1
