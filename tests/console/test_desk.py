"""The customs desk: finding, comparing, deciding, once only, and with four eyes."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.config import settings_from
from gateway.console_side import console_settings
from gateway.documents import UtilisationStatus
from gateway.errors import ConflictError, NotPermittedError
from gateway.services import four_eyes
from gateway.services.people.roles import Visitor
from gateway.store import (
    JournalAction,
    OrganisationKind,
    PersonRole,
    ProposalState,
    Side,
    Store,
    certificates,
    journal,
    people,
    proposals,
    utilisation,
)
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import Border, make_border
from tests.cli.test_settings import GOOD
from tests.console.house import Browser, House, make_house
from tests.factories import NOW, certificate

SERIAL = "ZM-20260309-000123"
DESK = f"/desk/ZM/{SERIAL}"
CUSTOMS, UNIT = PersonRole.CUSTOMS_OFFICER, PersonRole.ORIGIN_UNIT
RELEASE = {
    "status": "PARTIAL",
    "quantity_1": "2500",
    "declaration": "KE2026NMG0100000",
    "declared_on": "2026-03-10",
    "office": "KE-KRA-NMG",
}
REFUSAL = {
    "status": "REJECTED",
    "reason_1": "ORIGIN_DOUBT",
    "reason_text_1": "The cones are labelled as made elsewhere.",
}


@pytest.fixture
def border(pki: DemoPki, files: Callable[[], Store]) -> Border:
    """Gives a border over which a certificate of 12,000 kg came to Kenya."""
    made = make_border(pki, files)
    assert made.zm.submit(certificate()).status_code == 202
    made.deliver()
    return made


@pytest.fixture
def kenya(border: Border) -> House:
    return make_house(border.ke)


def hidden(browser: Browser, name: str) -> str:
    assert browser.last is not None
    match = re.search(rf'name="{name}" value="([^"]*)"', browser.last.get_data(as_text=True))
    return match[1] if match else ""


def check(browser: Browser, **form: str):
    browser.get(DESK)
    return browser.post(DESK, reference=hidden(browser, "reference"), step="check", **form)


def send(browser: Browser, **form: str):
    """Check the form, then press the button that appears."""
    check(browser, **form)
    carried = {name: hidden(browser, name) for name in ("reference", "checked")}
    return browser.post(DESK, step="send", **carried, **form)


def responses(house: House):
    with house.desk.store.read() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", SERIAL)
        return utilisation.responses(conn, row.id)


@pytest.mark.parametrize(
    "query",
    [
        {"serial": SERIAL, "issued_on": "2026-03-09"},
        {"scanned": f"https://gateway.example/check?country=ZM&serial={SERIAL}&date=2026-03-09"},
        {"scanned": f"HTTPS://GATEWAY.EXAMPLE/C/{SERIAL}"},
    ],
)
def test_a_certificate_is_found_by_number_and_by_code(kenya: House, query: dict[str, str]) -> None:
    browser = kenya.as_role(CUSTOMS)
    path = "/desk?" + "&".join(f"{k}={v.replace('&', '%26')}" for k, v in query.items())
    assert browser.get(path).headers.get("Location") == DESK


def test_a_code_that_cannot_be_read_still_names_the_certificate_that_may_be_meant(
    kenya: House,
) -> None:
    inside = b"\xd2\x84\x43\xa1\x01\x26\xa0\x58\x40\x8a\x01\x72" + SERIAL.encode() + bytes(40)
    code = "ECO1." + base64.b32encode(inside).decode().rstrip("=")
    browser = kenya.as_role(CUSTOMS)
    page = browser.follow(f"/desk?scanned={code}").get_data(as_text=True)
    assert "no whole code" in page
    assert f"/desk?serial={SERIAL}" in page


def test_the_wrong_date_finds_nothing_and_says_what_to_check(kenya: House) -> None:
    page = kenya.as_role(CUSTOMS).get(f"/desk?serial={SERIAL}&issued_on=2026-03-08")
    assert "Check the number" in page.get_data(as_text=True)


def test_a_certificate_is_found_by_the_declaration_that_used_it(kenya: House) -> None:
    browser = kenya.as_role(CUSTOMS)
    assert send(browser, **RELEASE).status_code == 303
    answer = browser.get("/desk?declaration=ke2026nmg0100000")
    assert answer.headers.get("Location") == DESK


def test_a_release_is_checked_then_signed_sent_and_arrives_with_the_officer(
    border: Border, kenya: House
) -> None:
    browser = kenya.as_role(CUSTOMS)
    page = check(browser, **RELEASE).get_data(as_text=True)
    assert "in order" in page
    assert responses(kenya) == ()
    assert send(browser, **RELEASE).headers["Location"] == f"{DESK}?done=sent"
    (response,) = responses(kenya)
    assert (response.status, response.officer) == (UtilisationStatus.PARTIAL, "customs-officer")
    border.deliver()
    with border.zm.desk.store.read() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", SERIAL)
        assert certificates.items(conn, row.id)[0].used == Decimal(2500)


def test_the_same_form_sent_twice_writes_off_once(kenya: House) -> None:
    browser = kenya.as_role(CUSTOMS)
    check(browser, **RELEASE)
    carried = {name: hidden(browser, name) for name in ("reference", "checked", "seal")}
    for _ in range(2):
        assert browser.post(DESK, step="send", **carried, **RELEASE).status_code == 303
    assert len(responses(kenya)) == 1


def test_a_form_changed_after_its_check_is_checked_again_and_not_sent(kenya: House) -> None:
    browser = kenya.as_role(CUSTOMS)
    check(browser, **RELEASE)
    carried = {name: hidden(browser, name) for name in ("reference", "checked")}
    answer = browser.post(DESK, step="send", **carried, **RELEASE | {"quantity_1": "9000"})
    assert answer.status_code == 200
    assert responses(kenya) == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": ""}, "Choose a decision"),
        ({"quantity_1": ""}, "needs a quantity"),
        ({"quantity_1": "many"}, "needs a quantity"),
        ({"quantity_1": "-5"}, "would be refused"),
        ({"quantity_1": "12000.5"}, "would be refused"),
        ({"declared_on": ""}, "number and date"),
        ({"office": ""}, "V92"),
        ({"status": "PENDING", "quantity_1": ""}, "would be refused"),
        ({"reason_1": "OTHER"}, "your words"),
        ({"security_amount": "12"}, "needs a reference"),
        ({"remarks": "a\x07b"}, "cannot be sent"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_sent(
    kenya: House, changed: dict[str, str], said: str
) -> None:
    answer = check(kenya.as_role(CUSTOMS), **RELEASE | changed)
    assert answer.status_code >= 400
    assert said in answer.get_data(as_text=True)
    assert 'name="checked"' not in answer.get_data(as_text=True)
    assert responses(kenya) == ()


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"status": "ACCEPTED"}, UtilisationStatus.ACCEPTED),
        ({"status": "ACCEPTED_MINOR"}, UtilisationStatus.ACCEPTED_MINOR),
        (RELEASE | {"status": "FULL", "quantity_1": ""}, UtilisationStatus.FULL),
        (
            REFUSAL
            | {
                "status": "PENDING",
                "security": "BOND-7",
                "security_amount": "1500.00",
                "security_currency": "usd",
            },
            UtilisationStatus.PENDING,
        ),
        (REFUSAL | {"status": "UNDER_QUERY"}, UtilisationStatus.UNDER_QUERY),
    ],
    ids=lambda value: value.value if isinstance(value, UtilisationStatus) else "",
)
def test_each_decision_goes_out(
    kenya: House, form: dict[str, str], status: UtilisationStatus
) -> None:
    assert send(kenya.as_role(CUSTOMS), **form).status_code == 303
    assert [each.status for each in responses(kenya)] == [status]


DECLARED = {
    "exporter": "KAFUE TEXTILES LTD.",
    "consignee": "Mombasa Traders",
    "invoice": "INV-2026-778",
    "items": [
        {"number": 1, "hs": "5205.12.90", "origin": "ZM", "quantity": "6.5", "unit": "TNE"},
        {"number": 2, "hs": "010121"},
    ],
}


def likenesses(page: str) -> list[tuple[str, str]]:
    rows = re.findall(r'<tr class="likeness-(\w+)"><th scope="row">(.*?)</th>', page, re.S)
    return [(re.sub(r"<[^>]+>", "", name), likeness) for likeness, name in rows]


EXPECTED = [
    ("Exporter", "form"),
    ("Consignee", "differs"),
    ("Invoice", "equal"),
    ("HS code · Item 1", "form"),
    ("Origin · Item 1", "equal"),
    ("Quantity · Item 1", "form"),
    ("Goods item · Item 2", "differs"),
]


def compared(browser: Browser, **form):
    browser.get(DESK)
    reference = hidden(browser, "reference")
    return browser.post(DESK, reference=reference, step="compare", **form).get_data(as_text=True)


def test_pasted_json_is_compared_datum_by_datum_with_its_reason(kenya: House) -> None:
    page = compared(kenya.as_role(CUSTOMS), declared=json.dumps(DECLARED))
    assert likenesses(page) == EXPECTED
    assert "national subheading differs" in page
    assert "6,500" in page


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_an_uploaded_csv_is_compared_alike(kenya: House, separator: str) -> None:
    heading = ["exporter", "Consignee", "invoice_number", "hs_code", "origin", "qty", "uom"]
    line = ["KAFUE TEXTILES LTD.", "Mombasa Traders", "INV-2026-778", "5205.12.90", "ZM", "6.5"]
    rows = [heading, [*line, "TNE"], ["", "", "", "010121", "", "", ""]]
    raw = "\r\n".join(separator.join(row) for row in rows).encode("utf-8-sig")
    page = compared(kenya.as_role(CUSTOMS), file=(io.BytesIO(raw), "declaration.csv"))
    assert likenesses(page) == EXPECTED


def test_typed_data_are_compared_with_what_is_left(kenya: House) -> None:
    browser = kenya.as_role(CUSTOMS)
    send(browser, **RELEASE)
    form = {"declared_quantity_1": "9600", "declared_unit_1": "KGM", "declared_hs_1": "520512"}
    page = compared(browser, **form)
    assert ("Quantity · Item 1", "differs") in likenesses(page)
    assert "100" in page
    assert ("HS code · Item 1", "equal") in likenesses(page)


@pytest.mark.parametrize(
    "declared",
    [
        "{",
        '{"items": 3}',
        "no,such,columns\n1,2,3",
        '{"items":[{"quantity":"many"}]}',
        "number,hs\n0,1",
    ],
)
def test_a_declaration_that_cannot_be_read_is_said_so(kenya: House, declared: str) -> None:
    browser = kenya.as_role(CUSTOMS)
    browser.get(DESK)
    answer = browser.post(
        DESK, reference=hidden(browser, "reference"), step="compare", declared=declared
    )
    assert answer.status_code == 400


def test_a_refusal_waits_for_a_second_officer_and_is_sent_when_confirmed(
    border: Border, kenya: House
) -> None:
    first, second = kenya.as_role(CUSTOMS), kenya.as_role(UNIT)
    assert send(first, **REFUSAL).headers["Location"] == f"{DESK}?done=proposed"
    assert responses(kenya) == ()
    number = settle_link(second)
    assert second.post(f"/proposals/{number}", verdict="confirm").status_code == 303
    (response,) = responses(kenya)
    assert (response.status, response.officer) == (UtilisationStatus.REJECTED, "customs-officer")
    with kenya.desk.store.read() as conn:
        (confirmed,) = journal.page(conn, action=JournalAction.DECISION_CONFIRMED, limit=9)
    assert confirmed.actor == "user:origin-unit"
    border.deliver()
    with border.zm.desk.store.read() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", SERIAL)
    assert row.reported_status is UtilisationStatus.REJECTED


def test_the_proposer_cannot_settle_it(kenya: House) -> None:
    first = kenya.as_role(CUSTOMS)
    send(first, **REFUSAL)
    page = first.get("/desk").get_data(as_text=True)
    assert "a colleague must settle it" in page
    assert 'name="verdict"' not in page
    for verdict in ("confirm", "return"):
        assert first.post("/proposals/1", verdict=verdict).status_code == 403
    assert responses(kenya) == ()


def test_a_returned_proposal_says_why_and_cannot_be_confirmed_any_more(kenya: House) -> None:
    first, second = kenya.as_role(CUSTOMS), kenya.as_role(UNIT)
    send(first, **REFUSAL)
    number = settle_link(second)
    second.post(f"/proposals/{number}", verdict="return", remark="Ask them first.")
    assert "Ask them first." in first.get(DESK).get_data(as_text=True)
    second.get("/desk")
    assert second.post(f"/proposals/{number}", verdict="confirm").status_code == 409
    assert responses(kenya) == ()


def test_another_organisation_sees_and_settles_nothing_of_it(kenya: House) -> None:
    send(kenya.as_role(CUSTOMS), **REFUSAL)
    stranger = kenya.sign_in("window", UNIT, kind=OrganisationKind.SINGLE_WINDOW)
    page = stranger.get("/desk").get_data(as_text=True)
    assert 'name="verdict"' not in page
    assert stranger.post("/proposals/1", verdict="confirm").status_code == 404


def test_sending_the_same_refusal_twice_proposes_it_once(kenya: House) -> None:
    first = kenya.as_role(CUSTOMS)
    check(first, **REFUSAL)
    carried = {name: hidden(first, name) for name in ("reference", "checked", "seal")}
    for _ in range(2):
        assert first.post(DESK, step="send", **carried, **REFUSAL).status_code == 303
    with kenya.desk.store.read() as conn:
        assert len(journal.page(conn, action=JournalAction.DECISION_PROPOSED, limit=9)) == 1


def test_an_office_of_one_may_do_without(border: Border) -> None:
    alone = make_house(border.ke, four_eyes=())
    assert send(alone.as_role(CUSTOMS), **REFUSAL).headers["Location"] == f"{DESK}?done=sent"
    assert len(responses(alone)) == 1


def settle_link(browser: Browser) -> str:
    page = browser.get("/desk").get_data(as_text=True)
    match = re.search(r'action="/proposals/(\d+)"', page)
    assert match is not None, page
    return match[1]


def visitor_of(house: House, login: str) -> Visitor:
    with house.desk.store.read() as conn:
        person = people.by_login(conn, login)
        owner = people.organisation_of(conn, person)
    return Visitor(person=person, organisation=owner, session_id=1, has_factor=True, ends_at=NOW)


def test_of_twenty_who_confirm_at_once_one_sends_a_response(
    pki: DemoPki, make_store: Callable[[], Store]
) -> None:
    made = make_border(pki, make_store)
    assert made.zm.submit(certificate()).status_code == 202
    made.deliver()
    house = make_house(made.ke)
    send(house.as_role(CUSTOMS), **REFUSAL)
    house.enter("second", UNIT)
    colleague = visitor_of(house, "second")

    def settle(number: int) -> str:
        try:
            if number % 4 == 3:
                four_eyes.give_back(house.front.counter, colleague, 1, "no")
                return "returned"
            done = four_eyes.confirm(house.front.counter, colleague, 1)
        except ConflictError:
            return "late"
        return "late" if done is None else "sent"

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(settle, range(20)))
    with house.desk.store.read() as conn:
        state = proposals.get(conn, 1).state
    if state is ProposalState.CONFIRMED:
        assert said.count("sent") == len(responses(house)) == 1
        assert said.count("returned") == 0
    else:
        assert said.count("sent") == len(responses(house)) == 0
    with pytest.raises(NotPermittedError):
        four_eyes.confirm(house.front.counter, visitor_of(house, "customs-officer"), 1)


@pytest.mark.parametrize(
    ("written", "statuses"),
    [
        ("", (UtilisationStatus.REJECTED, UtilisationStatus.WITHDRAWN)),
        ("[console]\nfour_eyes = []", ()),
        ('[console]\nfour_eyes = ["PENDING"]', (UtilisationStatus.PENDING,)),
    ],
)
def test_the_settings_say_which_decisions_take_two_people(
    written: str, statuses: tuple[UtilisationStatus, ...]
) -> None:
    settings = settings_from(f"{GOOD}\n{written}\n", Path(), source="gateway.toml")
    assert console_settings(settings).four_eyes == statuses
