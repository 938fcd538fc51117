"""Paper at the console: printing a certificate, and what a code is worth to customs and anybody."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from gateway.documents import DocumentType
from gateway.paper.order import Standing
from gateway.paper.summary import Attester, sign_summary, summary_of
from gateway.store import PersonRole, Side, certificates, journal
from gateway.web.pressure import Pressure
from tests.console.house import House, make_house
from tests.factories import certificate

SERIAL = "ZM-20260309-000123"
CUSTOMS = PersonRole.CUSTOMS_OFFICER
Coder = Callable[..., str]


@pytest.fixture(scope="module")
def coded(houses: tuple[House, House]) -> Coder:
    """Gives what signs a summary with Zambia's key, as Kenya knows the certificate."""
    zambia, kenya = houses
    desk = zambia.front.desk
    with kenya.desk.store.read() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", SERIAL)
    assert row is not None

    def made(standing: Standing = Standing.PARTLY_USED, **changed: Any) -> str:
        summary = summary_of(
            certificate(**changed.pop("document", {})),
            sha256=changed.pop("sha256", row.payload_sha256),
            standing=standing,
            stated_at=desk.clock(),
            attester=Attester.AUTHORITY,
            attester_country="ZM",
        )
        assert not changed
        return sign_summary(summary, desk.signers[DocumentType.CERTIFICATE_OF_ORIGIN])

    return made


def bent(code: str) -> str:
    """Return a code whose signature was altered."""
    raw = bytearray(base64.b32decode(code[5:] + "=" * (-len(code[5:]) % 8)))
    raw[-1] ^= 1
    return "ECO1." + base64.b32encode(bytes(raw)).decode().rstrip("=")


def foreign(houses: tuple[House, House]) -> str:
    """Return a code that a key signed which nobody registered."""
    from dataclasses import replace

    desk = houses[0].front.desk
    summary = summary_of(
        certificate(),
        sha256="0" * 64,
        standing=Standing.VALID,
        stated_at=desk.clock(),
        attester=Attester.AUTHORITY,
        attester_country="ZM",
    )
    credential = desk.signers[DocumentType.CERTIFICATE_OF_ORIGIN]
    return sign_summary(replace(summary, attester_country="KE", issuing_country="KE"), credential)


def at_desk(house: House, code: str) -> str:
    browser = house.as_role(CUSTOMS)
    return browser.follow(f"/desk?scanned={quote(code)}").get_data(as_text=True)


def test_a_genuine_code_is_shown_beside_the_certificate_received(
    houses: tuple[House, House], coded: Coder
) -> None:
    page = at_desk(houses[1], "HTTPS://GATEWAY.EXAMPLE/C/" + coded())
    assert "Genuine: the code says" in page
    assert "ZM issuing authority" in page
    assert f'href="/desk/ZM/{SERIAL}"' in page
    assert "likeness-differs" not in page
    assert page.count("likeness-equal") == 9
    assert "520512 12000 KGM" in page


def test_a_look_at_a_foreign_certificate_by_its_code_is_noted(
    houses: tuple[House, House], coded: Coder
) -> None:
    at_desk(houses[1], coded())
    with houses[1].desk.store.read() as conn:
        noted = journal.page(conn, action=journal.Action.DOCUMENT_VIEWED, limit=1)[0]
    assert noted.detail["purpose"] == "console: code on paper"


def test_a_genuine_code_whose_status_has_changed_is_out_of_date(
    houses: tuple[House, House], coded: Coder
) -> None:
    page = at_desk(houses[1], coded(Standing.VALID))
    assert "Genuine but out of date" in page
    assert page.count("likeness-differs") == 1


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda coded, _: bent(coded()), "Do not believe this code"),
        (lambda coded, _: coded(sha256="ab" * 32), "Do not believe this code"),
        (lambda _, houses: foreign(houses), "Nobody trusted here signed"),
        (lambda coded, _: coded()[:200], "no whole code"),
        (lambda coded, _: coded() + "A" * 5000, "no whole code"),
        (lambda *_: "ECO1.", "no whole code"),
        (lambda *_: "ECO1.<script>alert(1)</script>", "no whole code"),
        (lambda *_: "ECO1." + "A" * 1500, "no whole code"),
        (lambda *_: "ECO1." + base64.b32encode(b"\x9b" + b"\xff" * 60).decode()[:96], "no whole"),
        (lambda *_: "ECO1." + base64.b32encode(b"\x81" * 900).decode()[:1400], "no whole code"),
    ],
    ids=[
        *("altered", "other document", "unknown", "cut", "long", "empty", "script", "zeros"),
        *("endless", "nested"),
    ],
)
def test_a_code_that_is_not_believed_says_what_to_do(
    houses: tuple[House, House], coded: Coder, made: Any, said: str
) -> None:
    page = at_desk(houses[1], made(coded, houses))
    assert said in page
    assert "<script>alert" not in page
    assert "Genuine" not in page


def test_a_code_of_a_certificate_that_never_arrived_shows_what_it_states_alone(
    houses: tuple[House, House], coded: Coder
) -> None:
    page = at_desk(houses[1], coded(document={"serial_number": "ZM-20260309-000999"}))
    assert "No such certificate arrived here" in page
    assert "520512" in page


def test_customs_of_another_state_learn_no_more_than_the_code_says(
    houses: tuple[House, House], coded: Coder
) -> None:
    browser = houses[0].as_role(CUSTOMS)  # Zambia's customs receive, they see nothing issued
    page = browser.follow(f"/desk?scanned={coded()}").get_data(as_text=True)
    assert "No such certificate arrived here" in page
    assert "Kafue" not in page


def check(house: House, text: str):
    return house.browser().get(f"/C/{quote(text)}")


def test_anybody_learns_from_a_genuine_code_whether_the_certificate_holds(
    houses: tuple[House, House], coded: Coder
) -> None:
    for house in houses:
        answer = check(house, coded())
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert "The code is genuine" in page
        assert "real and holds today" in page
        for secret in ("Kafue", "Nairobi", "12,000", "12000", "INV", "6,000"):
            assert secret not in page


def test_a_genuine_code_that_is_not_in_the_books_tells_what_it_states(
    houses: tuple[House, House], coded: Coder
) -> None:
    answer = check(houses[1], coded(document={"serial_number": "ZM-20260309-000999"}))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "not in the books here" in page
    assert "12000" not in page


def test_every_code_that_is_not_believed_reads_the_same_whatever_it_names(
    houses: tuple[House, House], coded: Coder
) -> None:
    missing = coded(document={"serial_number": "ZM-20260309-000999"})
    pages = set()
    for text in (
        bent(coded()),
        bent(missing),
        foreign(houses),
        "ECO1.NOTHING",
        "A" * 3000,
        "ECO1." + "7" * 1400,
        coded().replace("ECO1.", "ECO2."),
    ):
        answer = check(houses[1], text)
        assert answer.status_code == 404
        page = answer.get_data(as_text=True)
        pages.add(re.sub(r'href="/C/[^"]*"', "", page))
    assert len(pages) == 1


def test_a_code_that_is_not_believed_opens_no_book(
    houses: tuple[House, House], coded: Coder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the books were opened")

    monkeypatch.setattr("gateway.services.paper_codes.check", opened)
    assert check(houses[1], bent(coded())).status_code == 404


def test_the_address_in_the_settings_is_the_one_that_is_served(
    houses: tuple[House, House], coded: Coder
) -> None:
    from dataclasses import replace

    front = houses[1].front
    addressed = replace(front.counter, check_address="https://eco.example/OPEN/C")
    house = make_house(replace(front, counter=addressed))
    answer = house.browser().get(f"/OPEN/C/{coded()}")
    assert "The code is genuine" in answer.get_data(as_text=True)
    lower = house.browser().get(f"/C/{coded().lower()}")
    assert lower.status_code == 200


def test_one_network_checks_few_codes_a_minute(houses: tuple[House, House], coded: Coder) -> None:
    few = make_house(houses[1].front, public_pressure=Pressure(per_minute=1, burst=2))
    answers = [check(few, coded()).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert few.browser().get("/check").status_code == 200


@pytest.mark.parametrize("path", ["/C/ECO1.A", "/check", "/check/offline", "/contacts"])
def test_the_public_pages_can_be_left_out_as_one(houses: tuple[House, House], path: str) -> None:
    closed = make_house(houses[1].front, public=False)
    assert closed.browser().get(path).status_code == 404


def test_the_page_that_checks_without_a_line_is_for_anybody_to_take(
    houses: tuple[House, House],
) -> None:
    assert "/check/offline" in houses[1].browser().get("/check").get_data(as_text=True)
    answer = houses[1].browser().get("/check/offline?lang=fr")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="eco-check.html"'
    page = answer.get_data(as_text=True)
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert 'lang="fr"' in page


def test_a_certificate_is_printed_in_the_language_and_as_the_copy_asked_for(
    houses: tuple[House, House],
) -> None:
    from io import BytesIO

    from pypdf import PdfReader

    browser = houses[1].as_role(CUSTOMS)
    form = browser.get(f"/certificates/ZM/{SERIAL}").get_data(as_text=True)
    assert f'action="/paper/ZM/{SERIAL}"' in form
    answer = browser.get(f"/paper/ZM/{SERIAL}?language=fr&copy=3")
    assert answer.headers["Content-Type"] == "application/pdf"
    named = f'attachment; filename="{SERIAL}-fr-3.pdf"'
    assert answer.headers["Content-Disposition"] == named
    text = PdfReader(BytesIO(answer.get_data())).pages[0].extract_text()
    assert "COPIE 3" in text
    with houses[1].desk.store.read() as conn:
        noted = journal.page(conn, action=journal.Action.DOCUMENT_VIEWED, limit=1)[0]
    assert noted.detail["purpose"] == "console: print"


@pytest.mark.parametrize(
    "query", ["language=xx", "copy=0", "copy=1000", "copy=-1", "copy=1e2", "copy=%D9%A1"]
)
def test_another_language_or_copy_is_not_printed(houses: tuple[House, House], query: str) -> None:
    assert houses[1].as_role(CUSTOMS).get(f"/paper/ZM/{SERIAL}?{query}").status_code == 400


def test_who_may_not_see_a_certificate_does_not_print_it(houses: tuple[House, House]) -> None:
    assert (
        houses[1].as_role(PersonRole.ISSUING_OFFICER).get(f"/paper/ZM/{SERIAL}").status_code == 404
    )
    assert houses[1].as_role(PersonRole.OPERATOR).get(f"/paper/ZM/{SERIAL}").status_code == 403


def test_what_is_not_valid_any_more_is_said_on_the_public_page(
    houses: tuple[House, House], coded: Coder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = houses[1].front.desk.clock
    monkeypatch.setattr(clock, "now", clock.now + timedelta(days=400), raising=True)
    page = check(houses[1], coded()).get_data(as_text=True)
    assert "real but does not hold today" in page
