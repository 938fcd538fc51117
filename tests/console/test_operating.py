"""The operator's pages: each number leads to what it counts; what is done is done once and noted."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import unquote

import pytest

from gateway.operations.alerting import AlertDesk, judge
from gateway.operations.readings import Reading
from gateway.store import (
    AlertState,
    AttemptOutcome,
    DeliveryState,
    JournalAction,
    PersonRole,
    alerts,
    hourly,
    journal,
    outbox,
    tallies,
)
from gateway.store.hourly import Flow
from gateway.web.console import PAGES
from gateway.web.console.pages import Method
from tests.console.house import Browser, House
from tests.console.test_rights import PLACES, address
from tests.factories import NOW, certificate

OPERATOR = PersonRole.OPERATOR
HOSTILE = '<script>alert("x")</script>\u202e=1+1'


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def queued(house: House, number: int = 123) -> str:
    """Queue a certificate to Kenya and return its message id."""
    document = certificate(serial_number=f"ZM-20260309-{number:06}")
    assert house.front.submit(document).status_code == 202
    with house.front.desk.store.read() as conn:
        return outbox.page(conn, limit=1)[0].message_id


def dead(house: House, number: int = 123) -> str:
    """Queue a certificate and let its last attempt fail."""
    message_id, store = queued(house, number), house.front.desk.store
    with store.begin() as conn:
        (claim,) = outbox.claim_due(conn, "w", house.clock(), lease_seconds=60, limit=1)
    outcome = AttemptOutcome(
        state=DeliveryState.FAILED, ended_at=house.clock(), code="UNREACHABLE", detail=HOSTILE
    )
    with store.begin() as conn:
        outbox.record_attempt(conn, claim, outcome)
    return message_id


def state_of(house: House, message_id: str) -> DeliveryState:
    with house.front.desk.store.read() as conn:
        found = outbox.dispatch(conn, message_id)
    assert found is not None
    return found.state


def count(house: House) -> None:
    with house.front.desk.store.begin() as conn:
        tallies.fold(conn, at=NOW)


def raise_alert(house: House) -> int:
    """Raise an alert about a peer with a hostile name and return its number."""
    desk = AlertDesk(
        rules=house.operating.premises.rules, recipients=(), digest=timedelta(minutes=15)
    )
    facts = {"peer": HOSTILE, "count": "3"}
    reading = Reading(rule="dead-letters", subject=HOSTILE, value=3, facts=facts)
    with house.front.desk.store.begin() as conn:
        judge(desk, conn, [reading], NOW)
        return alerts.live(conn)[0].id


def test_an_operator_is_led_to_the_overview(house: House) -> None:
    browser = house.as_role(OPERATOR)
    assert browser.get("/").headers["Location"] == "/operating"


def test_every_number_of_the_overview_leads_to_a_page(house: House) -> None:
    dead(house)
    raise_alert(house)
    count(house)
    browser = house.as_role(OPERATOR)
    page = text(browser, "/operating")
    tiles = re.findall(r'<a href="([^"]+)"><b>([^<]+)</b>', page)
    assert len(tiles) >= 7
    assert re.findall(r"<b>[^<]*</b>", page).__len__() == len(tiles)
    table = page[page.index("<tbody>") :]
    assert re.findall(r'<td class="figure">(?!<a )', table) == []
    for path in re.findall(r'href="(/operating[^"]*)"', page):
        expected = 404 if "script" in path else 200  # the alert is about a peer of a hostile name
        assert browser.get(unescape(path)).status_code == expected


def test_a_dead_letter_is_counted_listed_and_explained(house: House) -> None:
    message_id = dead(house)
    browser = house.as_role(OPERATOR)
    assert '<a href="/operating/dead"><b>1</b>' in text(browser, "/operating")
    listed = text(browser, "/operating/dead")
    assert message_id in listed
    page = text(browser, f"/operating/messages/{message_id}")
    assert "UNREACHABLE" in page
    assert 'class="finding"' in page


def test_what_was_delivered_and_failed_today_is_counted_from_the_journal(
    houses: tuple[House, House],
) -> None:
    zambia, kenya = houses
    for house in houses:
        count(house)
    with zambia.front.desk.store.read() as conn:
        gone = {each.flow: each.count for each in hourly.since(conn, NOW - timedelta(days=2))}
    assert gone[Flow.QUEUED] == 1
    assert gone[Flow.DELIVERED] == 1
    assert gone[Flow.CAME] == 1
    page = text(kenya.as_role(OPERATOR), "/operating")
    assert '<a href="/operating/arrivals?peer=ZM-SW&amp;since=2026-03-10">1</a>' in page


def test_counts_by_hour_are_forgotten_after_some_days(house: House) -> None:
    queued(house)
    count(house)
    with house.front.desk.store.begin() as conn:
        assert hourly.forget(conn, NOW + timedelta(days=1)) == 0
        assert hourly.forget(conn, NOW + hourly.KEPT + timedelta(days=1)) == 1
        assert hourly.since(conn, NOW - timedelta(days=9)) == ()


def test_many_are_sent_again_only_if_the_number_shown_still_holds(house: House) -> None:
    first, second = dead(house, 1), dead(house, 2)
    browser = house.as_role(OPERATOR)
    assert 'name="count" value="2"' in text(browser, "/operating/dead")
    answer = browser.post("/operating/dead", count="1", reason="line is back")
    assert answer.status_code == 409
    assert {state_of(house, each) for each in (first, second)} == {DeliveryState.FAILED}
    browser.get("/operating/dead")
    answer = browser.post("/operating/dead", count="2", reason="line is back")
    assert "2 messages are queued again" in re.sub(r"<[^>]+>", "", answer.get_data(as_text=True))
    assert {state_of(house, each) for each in (first, second)} == {DeliveryState.QUEUED}
    with house.front.desk.store.read() as conn:
        noted = journal.page(conn, action=JournalAction.DISPATCH_RESENT)
    assert {(entry.actor, entry.detail["reason"]) for entry in noted} == {
        ("user:operator", "line is back")
    }


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_nothing_is_done_without_a_reason(house: House, reason: str) -> None:
    message_id = dead(house)
    browser = house.as_role(OPERATOR)
    browser.get("/operating/dead")
    assert browser.post("/operating/dead", count="1", reason=reason).status_code == 400
    path = f"/operating/messages/{message_id}"
    browser.get(path)
    assert browser.post(f"{path}/resend", reason=reason).status_code == 400
    assert state_of(house, message_id) is DeliveryState.FAILED


def test_a_message_is_held_back_and_let_go(house: House) -> None:
    message_id = queued(house)
    browser = house.as_role(OPERATOR)
    path = f"/operating/messages/{message_id}"
    for step, state in (("hold", DeliveryState.HELD), ("resend", DeliveryState.QUEUED)):
        assert f'action="{path}/{step}"' in text(browser, path)
        assert browser.post(f"{path}/{step}", reason="asked by customs").status_code == 303
        assert state_of(house, message_id) is state
    browser.get(path)
    assert browser.post(f"{path}/resend", reason="again").status_code == 409


def test_an_auditor_sees_the_queues_and_is_offered_no_deed(house: House) -> None:
    message_id = dead(house)
    raise_alert(house)
    browser = house.as_role(PersonRole.AUDITOR)
    for path in ("/operating/dead", f"/operating/messages/{message_id}", "/operating/alerts"):
        assert 'name="reason"' not in text(browser, path)


def test_an_alert_is_taken_on_once_with_its_reason(house: House) -> None:
    number = raise_alert(house)
    browser = house.as_role(OPERATOR)
    text(browser, "/operating/alerts")
    path = f"/operating/alerts/{number}/acknowledge"
    assert browser.post(path, reason="line ordered").status_code == 303
    with house.front.desk.store.read() as conn:
        taken = alerts.find(conn, number)
    assert taken.state is AlertState.ACKNOWLEDGED
    assert (taken.acknowledged_by, taken.acknowledged_why) == ("user:operator", "line ordered")
    assert path not in text(browser, "/operating/alerts")


def test_messages_are_paged_without_gap_or_repetition(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.web.console.letters.EACH", 2)
    ids = [queued(house, number) for number in range(1, 6)]
    browser, seen, path = house.as_role(OPERATOR), [], "/operating/messages?peer=KE-SW"
    while path:
        page = text(browser, path)
        seen += [unquote(each) for each in re.findall(r'href="/operating/messages/([^"?]+)"', page)]
        more = re.search(r'href="([^"]+)" rel="next"', page)
        path = more[1].replace("&amp;", "&") if more else ""
    assert seen == ids[::-1]


def test_what_waits_is_listed_apart_from_what_is_at_its_end(house: House) -> None:
    gone, waits = dead(house, 1), queued(house, 2)
    browser = house.as_role(OPERATOR)
    listed = unquote(text(browser, "/operating/messages?state=UNDER_WAY&peer=KE-SW"))
    assert f"/operating/messages/{waits}" in listed
    assert f"/operating/messages/{gone}" not in listed


@pytest.mark.parametrize("written", ["x", "-1", "1" * 19, "\u0661"])
def test_an_address_that_was_not_made_here_is_refused(house: House, written: str) -> None:
    browser = house.as_role(OPERATOR)
    assert browser.get(f"/operating/messages?before={written}").status_code == 400


def test_hostile_words_of_others_are_shown_harmlessly(house: House) -> None:
    message_id = dead(house)
    raise_alert(house)
    browser = house.as_role(OPERATOR)
    for path in ("/operating", "/operating/alerts", f"/operating/messages/{message_id}"):
        page = text(browser, path)
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "\u202e" not in page


def test_no_page_shows_an_operator_what_a_certificate_says(houses: tuple[House, House]) -> None:
    zambia, kenya = houses
    with zambia.front.desk.store.read() as conn:
        message_id = outbox.page(conn, limit=1)[0].message_id
    told = certificate()
    secret = (
        told.exporter.name,
        told.consignee.name,
        *(item.description for item in told.items),
    )
    places = PLACES | {"message_id": message_id}
    for house in (zambia, kenya):
        browser = house.as_role(OPERATOR)
        for page in PAGES:
            if page.method is Method.GET and not page.name.startswith("public_"):
                body = browser.get(address(page, places)).get_data(as_text=True)
                assert not [each for each in secret if each in body], page.name


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_pages_stand_in_each_language(house: House, language: str) -> None:
    message_id = dead(house)
    raise_alert(house)
    count(house)
    browser = house.as_role(OPERATOR)
    for page in PAGES:
        if page.method is Method.GET and page.path.startswith("/operating"):
            path = address(page, PLACES | {"message_id": message_id})
            body = browser.get(f"{path}?lang={language}")
            assert body.status_code in {200, 404}, page.name
            assert body.headers["Content-Language"] == language
