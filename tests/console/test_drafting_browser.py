"""The form in a real browser: by keyboard alone, with scripts and without; findings and axe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.documents import Language
from gateway.store import PersonRole, Side, certificates
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import Border, make_border
from tests.console.house import House, make_house
from tests.console.paper import FORM
from tests.console.screen import SESSION, Screen, served, session_of
from tests.console.test_in_a_browser import RULES, SMALL, overflow, violations
from tests.databases import copied_stores
from tests.factories import certificate

pytestmark = pytest.mark.xdist_group("console-browser")

OFFICER = PersonRole.ISSUING_OFFICER
SERIAL = "ZM-20260309-000123"


@pytest.fixture(scope="module")
def border(
    pki: DemoPki, sqlite_template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Border]:
    """Gives a border over which one certificate went."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("by-keyboard")) as make:
        made = make_border(pki, make)
        assert made.zm.submit(certificate()).status_code == 202
        made.deliver()
        yield made


@pytest.fixture(scope="module")
def zambia(border: Border) -> Iterator[tuple[House, str]]:
    """Gives the console of Zambia and its address."""
    house = make_house(border.zm)
    with served(house.app) as server:
        yield house, f"https://127.0.0.1:{server.server_port}"


def page_of(
    screen: Screen, zambia: tuple[House, str], path: str, language: Language, **browser: Any
) -> Any:
    """Open a page as the officer, in a browser of its own."""
    house, base = zambia
    context = screen.browser.new_context(ignore_https_errors=True, **browser)
    token = session_of(house, OFFICER)
    context.add_cookies([{"name": SESSION, "value": token, "url": base, "secure": True}])
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text))
    page.goto(f"{base}{path}?lang={language}")
    return page


class Keyboard:
    """Is somebody before the form who has no mouse."""

    def __init__(self, page) -> None:
        self.page = page

    def write(self, name: str, text: str) -> None:
        """Go to a field, empty it, and write."""
        field = self.page.locator(f"[name='{name}']:not([type=hidden])")
        field.focus()
        if field.get_attribute("type") not in ("date", "datetime-local"):
            self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def press(self, step: str) -> None:
        """Go to a button and press it."""
        self.page.locator(f"button[value='{step}']").last.focus()
        self.page.keyboard.press("Enter")

    def notes(self, id_: str):
        """Return what is said at a field."""
        return self.page.locator(f"#{id_}-notes")


def copied(screen: Screen, zambia: tuple[House, str], **browser: Any) -> Keyboard:
    """Begin with a copy of an earlier certificate."""
    officer = Keyboard(page_of(screen, zambia, FORM, Language.ENGLISH, **browser))
    officer.write("serial", SERIAL)
    officer.page.keyboard.press("Enter")
    officer.page.wait_for_selector("#drafting")
    return officer


def fill_by_keyboard(officer: Keyboard) -> None:
    """Mend a copy until only the second item lacks."""
    page = officer.page
    officer.write("transport.means_id", "ALB 777 ZM")
    officer.write("transport.departed_on", "03102026")
    officer.write("declaration.signed_at", "03102026")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("0830AM")
    officer.press("add:transport.documents")
    page.wait_for_selector("#f-transport-documents-0-type_code:focus")
    page.keyboard.type("730")
    page.keyboard.press("Tab")
    page.keyboard.type("RCN-900")
    officer.press("add:invoices")
    page.wait_for_selector("#f-invoices-0-number:focus")
    page.keyboard.type("INV-2026-900")
    page.keyboard.press("Tab")
    page.keyboard.type("03052026")
    officer.press("add:items")
    page.wait_for_selector("#f-items-1-description:focus")
    page.keyboard.type("Cotton sewing thread on spools")
    for name, text in (
        ("packages.count", "20"),
        ("packages.kind", "CT"),
        ("criterion.code", "V"),
        ("criterion.percentage", "45"),
        ("quantity.value", "100"),
        ("gross_weight.value", "110"),
        ("net_weight.value", "100"),
        ("value.amount", "900"),
        ("hs_code", "999999"),
    ):
        officer.write(f"items[1].{name}", text)
    officer.write("total_gross_weight.value", "12610")
    officer.write("total_packages", "520")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_certificate_is_filled_in_checked_mended_and_sent_by_keyboard_alone(
    border: Border, screen: Screen, zambia: tuple[House, str], *, scripts: bool
) -> None:
    officer = copied(screen, zambia, java_script_enabled=scripts)
    page = officer.page
    fill_by_keyboard(officer)
    serial = page.locator("[name=serial_number]").input_value()
    if scripts:  # says it while one types, before anything is pressed
        officer.notes("f-items-1-hs_code").get_by_text("lies in no chapter").wait_for()
        assert page.locator("#f-items-1-hs_code").get_attribute("aria-invalid") == "true"
    officer.write("items[1].hs_code", "999999")
    page.keyboard.press("Enter")  # in a field means to check, never to send
    page.locator("#found a[href='#f-items-1-hs_code']").wait_for()
    assert "lies in no chapter" in officer.notes("f-items-1-hs_code").inner_text()
    assert page.locator("button[value=send]").count() == 0
    officer.write("items[1].hs_code", "520411")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("button[value=send]").count() == 1, page.locator("#found").inner_text()
    if scripts:  # a form that was changed since offers no sending
        officer.write("remarks", "By the bridge")
        page.locator("button[value=send]").wait_for(state="hidden")
        officer.press("check")
        page.locator("button[value=send]").wait_for()
    officer.press("send")
    page.wait_for_url(f"**{FORM}/sent/{serial}")
    border.deliver()
    with border.ke.desk.store.read() as conn:
        row = certificates.find(conn, Side.RECEIVED, "ZM", serial)
        assert [each.hs_code for each in certificates.items(conn, row.id)] == ["520512", "520411"]
    assert page.faults == []
    page.context.close()


def test_a_pause_in_typing_asks_once_and_nothing_new_asks_nothing(
    screen: Screen, zambia: tuple[House, str]
) -> None:
    page = copied(screen, zambia).page
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(f"**{FORM}/findings"):
        Keyboard(page).write("items[0].description", "Cotton yarn, single, combed, on cones")
    page.locator("[name='items[0].description']").dispatch_event("input")
    page.wait_for_timeout(1200)
    assert len([url for url in asked if url.endswith("/findings")]) == 1
    page.context.close()


def test_a_form_with_findings_has_no_violation_on_a_small_screen(
    screen: Screen, zambia: tuple[House, str]
) -> None:
    page = page_of(screen, zambia, f"{FORM}/new", Language.ARABIC, viewport=SMALL)
    Keyboard(page).write("items[0].hs_code", "999999")
    page.keyboard.press("Enter")
    page.locator("#found li").first.wait_for()
    assert overflow(page) <= 0
    page.evaluate(screen.axe)
    assert violations(page, RULES) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, "runOnly: ['color-contrast']") == []
    assert page.faults == []
    page.context.close()
