"""One's own and others': certificates, people; cookies and policy. The matrix is in test_matrix."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.store import PersonRole
from gateway.web.console.pages import Page
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
NO_RIGHT = 403


def address(page: Page, places: Mapping[str, str] = PLACES) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: places[match[1]], page.path)


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
