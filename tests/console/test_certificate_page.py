"""The page of one certificate: boxes of the form, signature, remainder, what is awaited, files."""

from __future__ import annotations

import re

import pytest

from gateway.documents import DocumentType
from gateway.services.people.roles import RIGHTS_OF, Right
from gateway.store import DeliveryState, JournalAction, PersonRole, journal, outbox
from gateway.xml.parsing import parse
from tests.api.conftest import make_border
from tests.console.busy import DOUBTED, FAILED, ODD, REFUSED, Busy, serial
from tests.console.house import House, make_house
from tests.factories import certificate

SERIAL = "ZM-20260309-000123"
PAGE = f"/certificates/ZM/{SERIAL}"
OFFICER, CUSTOMS = PersonRole.ISSUING_OFFICER, PersonRole.CUSTOMS_OFFICER


def page_of(house: House, role: PersonRole, path: str = PAGE) -> str:
    answer = house.as_role(role).get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def box(page: str, number: str) -> str:
    found = re.search(
        rf'<section class="paperbox[^"]*" data-box="{number}">(.*?)</section>', page, re.S
    )
    assert found is not None, number
    return found[1]


@pytest.mark.parametrize(
    ("number", "held"),
    [
        ("1", "Kafue Textiles Ltd"),
        ("1", "COM-ZM000001"),
        ("2", "Nairobi Garments Ltd"),
        ("4", "ALB 1234 ZM"),
        ("11", "M. Banda"),
        ("12", "ZM-ZRA-SIG-007"),
    ],
)
def test_each_datum_stands_in_the_box_of_its_agreement(
    houses: tuple[House, House], number: str, held: str
) -> None:
    assert held in box(page_of(houses[0], OFFICER), number)


def test_the_goods_boxes_are_columns_in_the_order_of_the_form(houses: tuple[House, House]) -> None:
    page = page_of(houses[0], OFFICER)
    assert re.findall(r'<th scope="col" data-box="(\d+)"', page) == ["6", "7", "8", "9", "10"]
    assert "INV-2026-778" in page


def test_both_sides_see_who_signed_and_that_it_holds(houses: tuple[House, House]) -> None:
    for house, role in zip(houses, (OFFICER, CUSTOMS), strict=True):
        page = page_of(house, role)
        assert "The digital signature holds." in page
        assert "CN=ZM issuing authority" in page
        assert "9 Mar 2026, 10:30 UTC" in page


def test_what_is_left_is_told_in_figures_and_as_a_bar(houses: tuple[House, House]) -> None:
    page = page_of(houses[0], OFFICER)
    assert "6,000" in page
    assert 'class="used" x="0.0" y="0" width="50.0"' in page
    assert "<bdi>364</bdi> days left" in page


def test_the_page_says_who_acts_next_and_by_when(houses: tuple[House, House]) -> None:
    page = page_of(houses[1], CUSTOMS)
    assert "A part of the goods has been written off." in page
    assert "Who acts: the importer" in page
    assert "10 Mar 2027, 00:00 UTC" in page


def test_a_message_that_waits_says_when_it_is_expected_and_tried_next(pki, files) -> None:
    border = make_border(pki, files)
    assert border.zm.submit(certificate()).status_code == 202
    page = page_of(make_house(border.zm), OFFICER)
    waiting = re.search(r'<li class="step-message_queued open">(.*?)</li>', page, re.S)
    assert waiting is not None
    assert "expected by" in waiting[1]
    assert "next try" in waiting[1]


def test_changes_of_state_at_one_moment_stand_in_their_order(houses: tuple[House, House]) -> None:
    page = page_of(houses[1], CUSTOMS)
    states = re.findall(r"New state · ([a-z ]+)", page)
    assert states == ["available", "partly used"]


def test_envelope_receipt_and_document_are_one_click_away_byte_for_byte(
    houses: tuple[House, House],
) -> None:
    house = houses[0]
    page = page_of(house, OFFICER)
    links = set(re.findall(r'href="(/messages/[^"]+)"', page))
    assert len(links) == 4  # two messages, each with envelope and receipt
    for link in links:
        answer = house.as_role(OFFICER).get(link)
        assert answer.mimetype == "application/xml"
        parse(answer.data)
    with house.desk.store.read() as conn:
        sent = next(
            each
            for each in outbox.page(conn, limit=9)
            if each.document_type is DocumentType.CERTIFICATE_OF_ORIGIN
        )
        assert sent.state is DeliveryState.DELIVERED
        receipt = outbox.receipt(conn, sent.message_id)
    link = f"/messages/{sent.message_id}/receipt"
    assert house.as_role(OFFICER).get(link).data == receipt


def test_the_report_verifies_document_envelopes_and_receipts(houses: tuple[House, House]) -> None:
    page = page_of(houses[0], OFFICER, f"/verification/ZM/{SERIAL}")
    assert page.count("The digital signature holds.") == 7
    assert "does not hold" not in page


@pytest.mark.parametrize("kind", ["envelope", "receipt"])
def test_files_of_a_foreign_message_do_not_exist_for_others(
    houses: tuple[House, House], kind: str
) -> None:
    with houses[1].desk.store.read() as conn:
        sent = outbox.page(conn, limit=1)[0]
    stranger = houses[1].as_role(OFFICER)  # an authority sees what it issued; this came from abroad
    assert stranger.get(f"/messages/{sent.message_id}/{kind}").status_code == 404


def test_every_look_of_customs_is_journalled_with_its_purpose(houses: tuple[House, House]) -> None:
    house = houses[1]
    before = viewed(house)
    page_of(house, CUSTOMS)
    page_of(house, CUSTOMS, f"/verification/ZM/{SERIAL}")
    known = {entry.sequence for entry in before}
    seen = [entry for entry in viewed(house) if entry.sequence not in known]
    assert len(seen) == 2  # one line for each page
    assert {entry.actor for entry in seen} == {"user:customs-officer"}
    purposes = {entry.detail["purpose"] for entry in seen}
    assert purposes == {"console", "console: verification report"}


def viewed(house: House):
    with house.desk.store.read() as conn:
        return journal.page(conn, action=JournalAction.DOCUMENT_VIEWED, limit=500)


def test_whoever_may_not_find_sees_no_certificate(houses: tuple[House, House]) -> None:
    assert Right.FIND not in RIGHTS_OF[PersonRole.OPERATOR]
    for path in (PAGE, f"/verification/ZM/{SERIAL}"):
        assert houses[0].as_role(PersonRole.OPERATOR).get(path).status_code == 403


def test_what_customs_settled_awaits_nobody_and_what_it_doubts_awaits_an_answer(busy: Busy) -> None:
    said = {
        number: page_of(busy.zm, OFFICER, f"/certificates/ZM/{serial(number)}?lang=en")
        for number in (REFUSED, ODD, DOUBTED)
    }
    for settled in (REFUSED, ODD):
        assert "may be used until" not in said[settled]
        assert "Nothing more is awaited" in said[settled]
    assert "may be used until" not in said[DOUBTED]
    assert "Who acts: " in said[DOUBTED]


def test_an_attempt_says_what_came_of_it_in_words(busy: Busy) -> None:
    page = page_of(busy.zm, OFFICER, f"/certificates/ZM/{serial(FAILED)}?lang=fr")
    attempt = re.search(r'<li class="step-attempt">(.*?)</li>', page, re.S)
    assert attempt is not None
    assert "Aucune connexion au pair" in attempt[1]
    page = page_of(busy.zm, OFFICER, f"{PAGE}?lang=fr")
    assert "DELIVERED" not in page
