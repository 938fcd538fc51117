"""The page for checking without a line, in a real browser: it says what the gateway would say."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.documents import Language
from gateway.paper.check_page import check_page
from gateway.paper.checking import check_texts, verify_summary
from gateway.paper.order import Standing
from gateway.paper.summary import MARK, Attester
from gateway.trust.demo_pki import DemoPki
from tests.browsers import FLAGS
from tests.factories import NOW
from tests.paper.samples import signed_text, trust_of
from tests.paper.splicing import with_payload_of

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

NAME = "Kenya Single Window (KE-SW)"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def page(pki: DemoPki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[playwright.Page]:
    """Gives the page, opened from a folder, at the time of the tests; nothing else may be asked."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    file = tmp_path_factory.mktemp("page") / "check.html"
    file.write_text(check_page(trust_of(pki), gateway=NAME), encoding="utf-8")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        opened = browser.new_page(viewport={"width": 360, "height": 700})
        opened.clock.set_fixed_time(NOW)
        asked: list[str] = []
        opened.on("request", lambda request: asked.append(request.url))
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on("console", lambda message: faults.append(message.text))
        opened.goto(file.as_uri())
        yield opened
        browser.close()
        assert asked == [file.as_uri()]
        assert faults == []


def answer(page: playwright.Page, text: str) -> tuple[bool, list[str]]:
    """Type a text as a scanner does and return the verdict with its findings."""
    page.evaluate("document.getElementById('outcome').replaceChildren()")
    page.fill("#text", text)
    page.press("#text", "Enter")
    page.wait_for_selector(".verdict")
    codes = page.get_attribute(".verdict", "data-codes") or ""
    return page.get_attribute(".verdict", "data-holds") == "true", codes.split()


def texts(pki: DemoPki) -> dict[str, str]:
    """Summaries of every fate, by name."""
    zambia, kenya = pki.countries["ZM"], pki.countries["KE"]
    authority, gateway = zambia.authority.credential, kenya.gateway.credential
    good = signed_text(authority)
    return {
        "genuine": good,
        "with its address": f"HTTPS://CHECK.ZRA.EXAMPLE/C/{good}",
        "in small letters and lines": "\n".join(re.findall(".{1,40}", good.lower())),
        "of a gateway": signed_text(gateway, attester=Attester.GATEWAY, attester_country="KE"),
        "altered": good[:-12] + ("A" if good[-12] != "A" else "B") + good[-11:],
        "altered in its statement": with_payload_of(good, signed_text(authority, item_count=9)),
        "of another country": signed_text(kenya.authority.credential, attester_country="KE"),
        "claimed": signed_text(kenya.authority.credential),
        "of customs": signed_text(zambia.customs.credential),
        "of nobody known": good.replace(good[20:30], good[21:31]),
        "too early": signed_text(authority, stated_at=NOW - 10 * DAY),
        "from the future": signed_text(authority, stated_at=NOW + DAY),
        "before the key": signed_text(
            authority, stated_at=NOW - 200 * DAY, issued_on=(NOW - 200 * DAY).date()
        ),
        "expired": signed_text(authority, valid_until=(NOW - DAY).date()),
        "not yet": signed_text(authority, valid_from=(NOW + DAY).date()),
        "cancelled": signed_text(authority, standing=Standing.CANCELLED),
        "a test": signed_text(authority, test=True, standing=Standing.EXPIRED),
        "any script": signed_text(authority, serial_number="ز-٢٠٢٦/№1"),
        "cut": good[:-20],
        "no summary": "<img src=x onerror=alert(1)>",
        "zeros": MARK + "A" * 200,
        "long": MARK + "A" * 5000,
    }


def test_the_page_gives_the_verdict_of_the_gateway(page: playwright.Page, pki: DemoPki):
    trust, differing = trust_of(pki), []
    for name, text in texts(pki).items():
        found = verify_summary(text, trust, NOW)
        expected = (found.holds, [each.rule for each in found.findings])
        said = answer(page, text)
        if (said[0], sorted(said[1])) != (expected[0], sorted(expected[1])):
            differing.append((name, expected, said))
    assert differing == []


def test_the_page_shows_what_was_stated_in_the_readers_language(
    page: playwright.Page, pki: DemoPki
):
    text = signed_text(pki.countries["ZM"].authority.credential, test=True)
    answer(page, text)
    for language, country in (("fr", "Zambie (ZM)"), ("ar", "زامبيا (ZM)"), ("en", "Zambia (ZM)")):
        page.click(f"#language-{language}")
        shown = page.inner_text(".verdict")
        for value in (
            "ZM-20260309-000123",
            "HS 520512: 12000 KGM",
            "2026-03-10 09:00 UTC",
            country,
        ):
            assert value in shown
        finding = next(said for code, said in check_texts().items() if code == "TEST")
        assert finding.message.in_language(language) in shown
        assert page.get_attribute("html", "dir") == ("rtl" if language == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_page_that_has_grown_old_says_so(page: playwright.Page):
    assert page.locator("#old").count() == 0
    page.clock.set_fixed_time(NOW + 40 * DAY)
    page.click("#language-en")
    assert "30 days" in page.inner_text("#old")
    page.clock.set_fixed_time(NOW)
    page.click("#language-en")


def test_the_page_holds_no_address_and_only_its_own_script(pki: DemoPki):
    text = check_page(trust_of(pki), gateway='</script><script>alert("x")</script>')
    assert not re.findall(r"https?://", text)
    assert text.count("<script") == 2
    assert "default-src 'none'; script-src 'sha256-" in text
    assert len(text) < 60_000


def test_the_page_names_only_signers_who_are_believed(pki: DemoPki):
    zambia = pki.countries["ZM"]
    nobody = replace(trust_of(pki), trusts=(replace(zambia.trust(), signers=()),))
    assert '"signers":[]' in check_page(nobody, gateway=NAME)
    assert check_page(trust_of(pki), gateway=NAME).count('"subject":') == 4


@pytest.mark.parametrize("language", Language)
def test_the_page_opens_in_the_language_asked_for(pki: DemoPki, language: Language):
    text = check_page(trust_of(pki), gateway=NAME, language=language)
    assert f'<html lang="{language}">' in text


def test_the_sources_of_the_page_call_nothing_outside():
    folder = Path(check_page.__code__.co_filename).parent
    script = (folder / "check_page.js").read_text(encoding="utf-8")
    for name in ("fetch(", "XMLHttpRequest", "WebSocket", "eval(", "innerHTML", "import("):
        assert name not in script
