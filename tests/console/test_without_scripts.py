"""The ways of people: without scripts, by keyboard alone, and light enough for a bad line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import gateway.web.console
from gateway.store import PersonRole
from gateway.web.console.pages import Page
from tests.console.busy import BY_HAND, BY_KEYS, serial
from tests.console.house import PASSWORD, Browser, House
from tests.console.screen import GETS, SESSION, Screen, session_of, sight

pytestmark = pytest.mark.xdist_group("console-browser")

CUSTOMS = PersonRole.CUSTOMS_OFFICER
LARGEST_PAGE = 300_000
STATIC = Path(gateway.web.console.__file__).parent / "static"
ASSET = re.compile(r'(?:src|href)="/static/([^"]+)"')
"""Whatever a page names from here is loaded with it, pictures of the frame included."""


@pytest.mark.parametrize("page", GETS, ids=lambda page: page.name)
def test_a_first_page_with_all_it_loads_is_light(busy: Any, page: Page) -> None:
    seen = sight(busy, page)
    session_of(seen.house, seen.who)
    browser = Browser(seen.house.app.test_client())
    if seen.who is not None:
        browser = seen.house.signed_in[seen.who]
    answer = browser.follow(seen.path)
    assert answer.status_code == 200
    is_page = answer.mimetype == "text/html" and "Content-Disposition" not in answer.headers
    assets = set(ASSET.findall(answer.get_data(as_text=True))) if is_page else set()
    weight = len(answer.data) + sum((STATIC / name).stat().st_size for name in assets)
    assert weight < LARGEST_PAGE
    assert assets or not is_page


def without_scripts(screen: Screen, house: House, who: Any = None) -> Any:
    context = screen.browser.new_context(
        ignore_https_errors=True, java_script_enabled=False, base_url=screen.url(house)
    )
    token = session_of(house, who)
    if token is not None:
        cookie = {"name": SESSION, "value": token, "url": screen.url(house), "secure": True}
        context.add_cookies([cookie])
    return context.new_page()


def test_somebody_sets_a_password_and_gets_in_and_out_without_scripts(screen: Screen) -> None:
    house = screen.busy.ke
    code = house.enter("plain", CUSTOMS)
    page = without_scripts(screen, house)
    page.goto("/?lang=en")
    page.get_by_role("link", name="I was given a one-time code").click()
    page.get_by_label("Login").fill("plain")
    page.get_by_label("One-time code").fill(code)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.get_by_label("Code shown by the app").fill(house.code_of("plain"))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("link", name="Certificates").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Certificates"
    page.get_by_role("button", name="Sign out").click()
    page.goto("/")
    assert "/sign-in" in page.url
    page.context.close()


def test_a_certificate_is_found_read_and_decided_on_without_scripts(screen: Screen) -> None:
    wanted = serial(BY_HAND)
    page = without_scripts(screen, screen.busy.ke, CUSTOMS)
    page.goto("/?lang=en")
    page.get_by_role("searchbox").fill(wanted)
    page.get_by_role("button", name="Find").click()
    assert page.url.endswith(f"/certificates/ZM/{wanted}"), "one hit leads straight to it"
    assert "The digital signature holds." in page.get_by_role("main").inner_text()
    page.get_by_role("link", name="Decide on it").click()
    page.get_by_label("Accept", exact=True).check()
    page.get_by_role("button", name="Check").click()
    assert "nothing was sent yet" in page.locator("#outcome").inner_text()
    page.get_by_role("button", name="Sign and send").click()
    assert page.get_by_role("status").first.inner_text().startswith("The response is signed")
    page.context.close()


FOCUSED = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return {
    tag: one.tagName, id: one.id, name: one.name || "", value: one.value || "",
    text: one.textContent.trim(),
    marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    shown: box.width > 0 && box.top >= 0 && box.top < innerHeight,
    clear: hit !== null && (one.contains(hit) || hit.contains(one)),
  };
}"""


def tab_to(page: Any, at_most: int = 90, **wanted: str) -> None:
    """Press Tab until an element of these properties has the focus; every stop must be seen."""
    for _ in range(at_most):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        assert stop["marked"], stop
        assert stop["shown"], stop
        assert stop["clear"], stop
        if all(value == stop[name] for name, value in wanted.items()):
            return
    raise AssertionError(f"the keyboard does not get to {wanted}")


def test_the_customs_desk_is_walked_by_keyboard_alone(screen: Screen) -> None:
    house, wanted = screen.busy.ke, serial(BY_KEYS)
    page = screen.opened(CUSTOMS, house, viewport={"width": 1200, "height": 800})
    page.goto(f"{screen.url(house)}/desk?lang=en")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["text"] == "Skip to the contents"
    page.keyboard.press("Enter")
    tab_to(page, name="serial")
    page.keyboard.type(wanted)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/ZM/{wanted}")
    tab_to(page, name="status")
    page.keyboard.press("Space")
    tab_to(page, tag="BUTTON", value="check")
    page.keyboard.press("Enter")
    page.wait_for_url("**#outcome")
    tab_to(page, at_most=3, tag="BUTTON", value="send")
    page.keyboard.press("Enter")
    page.wait_for_url("**?done=sent**")
    assert page.get_by_role("status").first.is_visible()
