"""Who reaches which page: every page, every role, one's own and others'; forms and their seals."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from gateway.services.people.roles import RIGHTS_OF, Right
from gateway.store import PersonRole
from gateway.web.console import PAGES
from gateway.web.console.pages import Method, Open, Page
from tests.console.house import House

SERIAL = "ZM-20260309-000123"
PLACES = {
    "country": "ZM",
    "serial": SERIAL,
    "number": "1",
    "login": "somebody",
    "message": "urn:uuid:0",
    "message_id": "no-such-message",
    "table": "pairs",
    "identifier": "NO-SUCH-PEER",
    "text": "ECO1.NOTHING",
}
"""What stands for the parameters of each address."""
REACHED = {200, 303, 400, 401, 404, 409, 422, 429}
"""Answers of pages that let the visitor in, whatever became of what was asked."""
NO_RIGHT = 403


def address(page: Page, places: Mapping[str, str] = PLACES) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: places[match[1]], page.path)


def may(role: PersonRole, page: Page) -> bool:
    return not isinstance(page.right, Right) or page.right in RIGHTS_OF[role]


@pytest.mark.parametrize("role", PersonRole, ids=lambda role: role.lower())
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_page_opens_for_the_roles_that_have_its_right_only(
    houses: tuple[House, House], page: Page, role: PersonRole
) -> None:
    if page.name in {"sign_out", "end_session", "change_password"}:
        pytest.skip("ends the session that the next case needs; tested by itself")
    browser = houses[0].as_role(role)
    if page.method is Method.GET:
        answer = browser.get(address(page))
    else:
        browser.get("/account")
        answer = browser.post(address(page))
    if may(role, page):
        assert answer.status_code in REACHED, answer.get_data(as_text=True)
        assert answer.headers.get("Location", "") != "/sign-in"
    else:
        assert answer.status_code == NO_RIGHT


@pytest.mark.parametrize(
    "page", [each for each in PAGES if each.right is not Open.PUBLIC], ids=lambda page: page.name
)
def test_each_page_leads_strangers_to_the_form(houses: tuple[House, House], page: Page) -> None:
    browser = houses[0].browser()
    ask = browser.get if page.method is Method.GET else browser.post
    browser.get("/sign-in")
    answer = ask(address(page))
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "page", [each for each in PAGES if each.method is Method.POST], ids=lambda page: page.name
)
@pytest.mark.parametrize(
    "fault",
    ["no seal", "foreign seal", "evil origin", "cross site"],
)
def test_no_form_of_another_site_changes_anything(
    houses: tuple[House, House], page: Page, fault: str
) -> None:
    browser = houses[0].as_role(PersonRole.ISSUING_ADMINISTRATOR)
    stranger = page.right is Open.PUBLIC
    if stranger:
        browser = houses[0].browser()
    browser.get("/sign-in" if stranger else "/account")
    seal = {"no seal": "", "foreign seal": "x" * 43}.get(fault, browser.seal)
    headers = {
        "evil origin": {"Origin": "https://evil.example"},
        "cross site": {"Sec-Fetch-Site": "cross-site"},
    }
    answer = browser.client.post(
        address(page),
        base_url="https://console.example",
        data={"seal": seal},
        headers=headers.get(fault, {}),
    )
    right = page.right
    lacking = isinstance(right, Right) and right not in RIGHTS_OF[PersonRole.ISSUING_ADMINISTRATOR]
    assert answer.status_code == NO_RIGHT, (lacking, answer.get_data(as_text=True))


def test_a_certificate_of_another_authority_reads_like_one_that_is_missing(
    houses: tuple[House, House],
) -> None:
    kenyan = houses[1].as_role(PersonRole.ISSUING_OFFICER)  # received here, issued elsewhere
    answers = [
        kenyan.get(f"/certificates/ZM/{serial}") for serial in (SERIAL, "ZM-20260309-999999")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    texts = [re.sub(r"[0-9a-f-]{36}", "", answer.get_data(as_text=True)) for answer in answers]
    assert texts[0].replace(SERIAL, "") == texts[1].replace("ZM-20260309-999999", "")


def test_nobody_looks_after_people_of_another_organisation(house: House) -> None:
    chief = house.sign_in("chief", PersonRole.ISSUING_ADMINISTRATOR, administers=True)
    house.enter("customs-man", PersonRole.CUSTOMS_OFFICER)
    page = chief.get("/people").get_data(as_text=True)
    assert "customs-man" not in page
    assert chief.post("/people/customs-man/state").status_code == 404
    chief.get("/people")
    assert chief.post("/people/chief/state").status_code == NO_RIGHT


def test_an_administrator_enters_a_colleague_whose_code_is_shown_once(house: House) -> None:
    chief = house.sign_in("chief", PersonRole.ISSUING_ADMINISTRATOR, administers=True)
    chief.get("/people")
    form = {"login": "Jane", "name": "Jane Banda", "role": "ISSUING_OFFICER", "language": "fr"}
    answer = chief.post("/people", **form)
    code = re.search(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){3}", answer.get_data(as_text=True))
    assert answer.status_code == 200
    assert code is not None
    assert code[0] not in chief.get("/people").get_data(as_text=True)
    answer = chief.post("/people", **form | {"role": "CUSTOMS_OFFICER", "login": "joe"})
    assert answer.status_code == 400


def test_every_answer_carries_the_strict_policy(houses: tuple[House, House]) -> None:
    browser = houses[0].as_role(PersonRole.ISSUING_OFFICER)
    for path in ("/", "/account", "/no-such-page", f"/certificates/ZM/{SERIAL}"):
        headers = browser.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age=31536000" in headers["Strict-Transport-Security"]


def test_cookies_are_of_this_host_over_tls_and_not_for_scripts(house: House) -> None:
    house.sign_in("mary", PersonRole.ISSUING_OFFICER)
    browser = house.browser()
    browser.get("/sign-in")
    answer = browser.post("/sign-in", login="mary", password="harbour violet ninety kettle")
    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
