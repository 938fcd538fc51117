"""Pages in a real browser: what axe finds, what overflows a small screen, what scripts complain of."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from gateway.documents import Language
from gateway.services import specimens
from gateway.services.specimens import EntryOrder
from gateway.store import DirectoryKind, Duty, PersonRole
from tests.browsers import FLAGS
from tests.console.house import House
from tests.paper.pictures import png

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

TOOLS = Path(__file__).resolve().parent.parent.parent / ".tools" / "axe"
AXE = "axe-core@4.14.1"
CERTIFICATE = "ZM/ZM-20260309-000123"
PAGES = (
    (None, "/sign-in"),
    (None, "/welcome"),
    (None, "/check"),
    (None, "/contacts"),
    (PersonRole.CUSTOMS_OFFICER, "/"),
    (PersonRole.CUSTOMS_OFFICER, f"/certificates/{CERTIFICATE}"),
    (PersonRole.CUSTOMS_OFFICER, "/desk"),
    (PersonRole.CUSTOMS_OFFICER, "/account"),
    (PersonRole.OPERATOR, "/operating"),
    (PersonRole.ORIGIN_UNIT, "/directory/1"),
    (PersonRole.AUDITOR, "/journal"),
    (PersonRole.AUDITOR, "/reports"),
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LARGEST_PAGE = 300_000


@dataclass
class Screen:
    """Is a browser before the console of Kenya, which everything came to."""

    house: House
    base: str
    browser: object
    axe: str

    def opened(self, role: PersonRole | None, path: str, language: Language, **screen: object):
        context = self.browser.new_context(ignore_https_errors=True, bypass_csp=True, **screen)
        if role is not None:
            cookie = self.house.as_role(role).client.get_cookie(
                "__Host-eco", domain="console.example"
            )
            context.add_cookies(
                [{"name": "__Host-eco", "value": cookie.value, "url": self.base, "secure": True}]
            )
        page = context.new_page()
        page.faults = []
        page.weight = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text))
        page.on("response", lambda answer: page.weight.append(len(answer.body())))
        page.goto(f"{self.base}{path}?lang={language}")
        return page


def axe_source() -> str:
    source = TOOLS / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed, which brings axe")
        TOOLS.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", AXE]
        done = subprocess.run(command, cwd=TOOLS, capture_output=True, timeout=120, check=False)
        if done.returncode != 0 or not source.exists():
            pytest.skip("npm could not bring axe")
    return source.read_text(encoding="utf-8")


def _fill_directory(house: House) -> None:
    """Enter an office of customs that is shown to anybody, and a stamp of the certificate's issuer."""
    desk, since = house.front.desk, date(2026, 1, 1)
    office = EntryOrder(
        authority_code="KE-KRA", name="Namanga border post", valid_from=since, is_public=True
    )
    stamp = EntryOrder(authority_code="ZM-ZRA", name="Stamp", valid_from=since, picture=png())
    specimens.enter(desk, DirectoryKind.OFFICE, Duty.CUSTOMS, "KE", office, actor="user:test")
    specimens.enter(desk, DirectoryKind.STAMP, Duty.ISSUING, "ZM", stamp, actor="user:test")


@pytest.fixture(scope="module")
def screen(houses: tuple[House, House]) -> Iterator[Screen]:
    """Gives a browser before the console of Kenya."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    house = houses[1]
    _fill_directory(house)
    server = make_server("127.0.0.1", 0, house.app, threaded=True, ssl_context="adhoc")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
            base = f"https://127.0.0.1:{server.server_port}"
            yield Screen(house=house, base=base, browser=browser, axe=axe_source())
            browser.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("role", "path"), PAGES)
def test_a_page_has_no_violation_overflows_no_small_screen_and_is_light(
    screen: Screen, role: PersonRole | None, path: str, language: Language
) -> None:
    page = screen.opened(role, path, language, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.documentElement.dir") == (
        "rtl" if language is Language.ARABIC else "ltr"
    )
    assert sum(page.weight) < LARGEST_PAGE
    page.evaluate(screen.axe)
    found = page.evaluate(f"axe.run({{runOnly: {RULES}}})")["violations"]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found] == []
    assert page.faults == []
    page.context.close()


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_colours_have_contrast_in_the_dark_too(
    screen: Screen, role: PersonRole | None, path: str
) -> None:
    page = screen.opened(role, path, Language.ENGLISH, color_scheme="dark")
    page.evaluate(screen.axe)
    found = page.evaluate("axe.run({runOnly: ['color-contrast']})")["violations"]
    assert [node["html"][:120] for each in found for node in each["nodes"]] == []
    page.context.close()
