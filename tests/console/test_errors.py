"""Pages of errors: in the reader's language, what happened, what to do, whom to ask."""

from __future__ import annotations

import pytest

from gateway.store import PersonRole
from gateway.web.pressure import Pressure
from tests.console.house import House, make_house

OFFICER = PersonRole.ISSUING_OFFICER
SAID = {
    "en": ("Whom to ask", "reference"),
    "fr": ("À qui s’adresser", "référence"),
    "ar": ("بمن تتصل", "المرجع"),
}


def refused(house: House, status: int, language: str) -> str:
    """Return the page of an error that this status belongs to."""
    browser = house.as_role(OFFICER)
    browser.get(f"/account?lang={language}")
    if status == 413:
        answer = browser.post("/issuing/submit", pasted="x" * 13_000_000)
    elif status == 405:
        answer = browser.get("/sign-out")
    else:
        answer = browser.get({403: "/operating", 404: "/no-such-page"}[status])
    assert answer.status_code == status
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("status", [403, 404, 405, 413])
@pytest.mark.parametrize("language", SAID)
def test_an_error_speaks_the_language_and_says_whom_to_ask(
    houses: tuple[House, House], status: int, language: str
) -> None:
    page = refused(houses[0], status, language)
    assert f'<html lang="{language}"' in page
    for words in SAID[language]:
        assert words in page
    assert page.count("<h1>") == 1
    assert 'href="/contacts"' in page


@pytest.mark.parametrize(("language", "said"), [("en", "Try again in"), ("fr", "Réessayez dans")])
def test_too_many_requests_are_told_how_long_to_wait(
    houses: tuple[House, House], language: str, said: str
) -> None:
    narrow = Pressure(at_once=8, at_once_per_peer=8, per_minute=1, burst=1)
    browser = make_house(houses[0].front, pressure=narrow).browser()
    browser.get("/sign-in")
    answer = browser.get(f"/sign-in?lang={language}")
    assert answer.status_code == 429
    assert said in answer.get_data(as_text=True)
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_fault_of_our_own_tells_no_particulars(
    houses: tuple[House, House], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = houses[0].as_role(OFFICER)
    browser.get("/account?lang=en")
    monkeypatch.setattr("gateway.services.people.sessions.sessions_of", lambda *_: 1 / 0)
    answer = browser.get("/account")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "Nothing was done by half" in page
    assert "division" not in page


def test_the_language_of_an_address_holds_on_the_way_to_the_form(
    houses: tuple[House, House],
) -> None:
    page = houses[0].browser().follow("/issuing?lang=ar").get_data(as_text=True)
    assert '<html lang="ar" dir="rtl">' in page


def test_the_menu_marks_the_desk_that_a_page_belongs_to(houses: tuple[House, House]) -> None:
    page = houses[0].as_role(PersonRole.OPERATOR).get("/operating/peers").get_data(as_text=True)
    assert '<a href="/operating" aria-current="true">' in page
