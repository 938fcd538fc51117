"""Pages for anybody: what they tell, what they keep to themselves, and how often."""

from __future__ import annotations

import re

import pytest

from gateway.web.pressure import Pressure
from tests.console.house import House, make_house

SERIAL, DAY = "ZM-20260309-000123", "2026-03-09"


def ask(house: House, **changed: str):
    browser = house.browser()
    browser.get("/check")
    return browser.post("/check", **{"country": "ZM", "serial": SERIAL, "issued_on": DAY} | changed)


def test_anybody_learns_whether_a_certificate_holds_on_either_side(
    houses: tuple[House, House],
) -> None:
    for house in houses:
        page = ask(house).get_data(as_text=True)
        assert "real and holds today" in page
        assert "520512" in page


@pytest.mark.parametrize("secret", ["Kafue", "Nairobi", "12,000", "INV", "6,000"])
def test_no_name_quantity_or_invoice_is_told(houses: tuple[House, House], secret: str) -> None:
    assert secret not in ask(houses[0]).get_data(as_text=True)


def test_a_wrong_date_reads_like_a_number_that_does_not_exist(
    houses: tuple[House, House],
) -> None:
    pages = []
    for changed in ({"issued_on": "2026-03-08"}, {"serial": "ZM-20260309-000999"}):
        answer = ask(houses[0], **changed)
        assert answer.status_code == 404
        text = answer.get_data(as_text=True)
        for said in (*changed.values(), SERIAL, DAY):
            text = text.replace(said, "")
        pages.append(re.sub(r'name="seal" value="[^"]*"', "", text))
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    "changed", [{"country": "Z"}, {"issued_on": "yesterday"}, {"serial": " "}, {"country": "<b>"}]
)
def test_a_form_that_lacks_something_says_so(
    houses: tuple[House, House], changed: dict[str, str]
) -> None:
    assert "are needed" in ask(houses[0], **changed).get_data(as_text=True)


def test_one_network_checks_a_few_times_a_minute_only(houses: tuple[House, House]) -> None:
    few = make_house(houses[0].front, public_pressure=Pressure(per_minute=1, burst=3))
    answers = [ask(few).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


def test_the_public_pages_can_be_left_out(houses: tuple[House, House]) -> None:
    closed = make_house(houses[0].front, public=False).browser()
    assert closed.get("/check").status_code == 404
    assert closed.get("/sign-in").status_code == 200


def test_contacts_name_each_state_and_its_gateway(houses: tuple[House, House]) -> None:
    page = houses[0].browser().get("/contacts").get_data(as_text=True)
    assert "KE-SW" in page
