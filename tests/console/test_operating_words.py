"""Every page of operating with something of every kind on it, in each language and on either database."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest

from gateway.documents import Language
from gateway.errors import TransportError, TrustError, all_error_types
from gateway.operations.checks import check_texts
from gateway.operations.rules import RuleBook
from gateway.store import PersonRole, Store
from gateway.trust.demo_pki import DemoPki
from gateway.web.console import PAGES
from gateway.web.console.pages import Method
from gateway.web.console.remedies import OF_ALERTS, OF_CHECKS, remedy
from gateway.web.console.words import texts
from tests.api.conftest import make_border
from tests.console.filled import every_failure, fill
from tests.console.house import House, make_house
from tests.console.test_operating import text
from tests.console.test_rights import PLACES, address
from tests.databases import copied_stores
from tests.factories import certificate

OPERATOR = PersonRole.OPERATOR
MAIN = re.compile(r"<main.*</main>", re.S)
RAW = re.compile(r">\s*([A-Z]{3,}_[A-Z_]+|[a-z]+:[a-z-]+|None|True|False)\s*<")
"""What a page shows bare and not as a code: a value of a vocabulary that nobody worded."""


@pytest.fixture(scope="module")
def night(
    pki: DemoPki, sqlite_template, tmp_path_factory: pytest.TempPathFactory
) -> tuple[House, dict[str, str]]:
    """Gives the console of Zambia after a bad night."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("night")) as make:
        border = make_border(pki, make)
        house = make_house(border.zm)
        yield house, fill(house, border)


def places(ids: dict[str, str]) -> dict[str, str]:
    return PLACES | {"message_id": ids["dead"], "identifier": "MW-SW"}


SHOWN = [page for page in PAGES if page.method is Method.GET and page.path.startswith("/operating")]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_a_page_full_of_trouble_words_everything_and_leads_on(
    night: tuple[House, dict[str, str]], page, language: Language
) -> None:
    house, ids = night
    browser = house.as_role(OPERATOR)
    found = MAIN.search(text(browser, f"{address(page, places(ids))}?lang={language}"))
    assert found is not None
    words = re.sub(r'<(bdi|code)[^>]*(class="code"|translate="no")[^>]*>.*?</\1>', "", found[0])
    assert RAW.findall(words) == []
    assert re.findall(r"<svg(?![^>]*role=\"img\")", words) == []
    assert words.count("<svg") == len(re.findall(r"<svg[^>]*><title>[^<]+</title>", words))


def test_every_link_of_the_overview_leads_to_what_it_counts(
    night: tuple[House, dict[str, str]],
) -> None:
    house, _ = night
    browser = house.as_role(OPERATOR)
    page = text(browser, "/operating")
    tiles = re.findall(r'<a href="([^"]+)"><b>([0-9]+)</b>', page)
    cells = re.findall(r'<td class="figure"><a href="([^"]+)">([0-9]+)</a>', page)
    listed = {}
    for path, number in (*tiles, *cells):
        where = unescape(path)
        if any(each in where for each in ("expiries", "workers")):
            continue  # days and seconds, nothing that is listed
        body = text(browser, where)
        rows = len(re.findall(r"<tr><t[dh]", body.partition("<tbody>")[2]))
        rows += (
            body.count('<section class="card"><h2><span class="state') if "alerts" in where else 0
        )
        listed[where] = (int(number), rows)
    assert len(listed) >= 15
    assert {where: pair for where, pair in listed.items() if pair[0] != pair[1]} == {}


@pytest.mark.parametrize("language", Language)
def test_each_cause_of_failure_has_its_remedy_on_the_page_of_its_message(
    night: tuple[House, dict[str, str]], language: Language
) -> None:
    house, ids = night
    browser = house.as_role(OPERATOR)
    for code in every_failure(house):
        page = text(browser, f"/operating/messages/{ids[code]}?lang={language}")
        kind = house.operating.retry.explain(code)
        assert kind is not None, code
        for sentence in (kind.says, kind.todo):
            assert str(remedy(sentence.in_language(language))) in page, code


def test_every_alert_leads_to_a_page(night: tuple[House, dict[str, str]]) -> None:
    house, _ = night
    assert OF_ALERTS.keys() == RuleBook.load().rules.keys()
    browser = house.as_role(OPERATOR)
    page = text(browser, "/operating/alerts")
    ways = re.findall(r'<a class="on" href="([^"]+)"', page)
    assert len(ways) == len(OF_ALERTS)
    for path in ways:
        assert browser.get(unescape(path)).status_code == 200, path


def test_every_check_and_every_fault_has_words() -> None:
    known = texts()
    assert {f"check.{each}" for each in check_texts()} <= known.keys()
    assert OF_CHECKS.keys() <= check_texts().keys()
    codes = {
        each.code
        for each in all_error_types()
        if issubclass(each, TrustError | TransportError) and each.code != "TRUST"
    }
    assert {f"fault.{code}" for code in codes} <= known.keys()


def test_commands_in_remedies_stay_left_to_right_and_nothing_else_is_markup() -> None:
    said = remedy("run `eco <b>doctor` & wait\u202e")
    assert said == ('run <code dir="ltr" translate="no">eco &lt;b&gt;doctor</code> &amp; wait')


def test_every_page_of_operating_is_shown_on_either_database(
    pki: DemoPki, make_store: Callable[[], Store]
) -> None:
    border = make_border(pki, make_store)
    house = make_house(border.zm)
    ids = fill(house, border)
    browser = house.as_role(OPERATOR)
    for page in SHOWN:
        assert text(browser, address(page, places(ids))), page.name
    for path in (
        "/operating/attempts?delivered=yes&since=2026-03-10",
        "/operating/arrivals?refused=yes&since=2026-03-10",
        "/operating/outages?open=yes",
        "/operating/dead?state=HELD",
        "/journal",
    ):
        assert text(browser, path)


def test_no_answer_to_any_form_shows_an_operator_what_a_certificate_says(
    night: tuple[House, dict[str, str]],
) -> None:
    house, ids = night
    told = certificate()
    secret = (
        told.exporter.name,
        told.consignee.name,
        *(item.description for item in told.items),
    )
    browser = house.as_role(OPERATOR)
    forms = {
        "reason": "by telephone",
        "count": "1",
        "state": "FAILED",
        "fingerprint": "ab",
        "certificate": "f" * 64,
        "note_en": "x",
        "begins_at": "2026-03-10T09:00",
        "ends_at": "2026-03-10T09:00",
    }
    answered = set()
    for identifier in ("KE-SW", "MW-SW"):
        known = places(ids) | {"identifier": identifier, "number": "1"}
        for page in PAGES:
            if not page.path.startswith("/operating") and page.name != "journal":
                continue
            path = address(page, known)
            if page.method is Method.POST:
                browser.get("/operating/add-peer")
                answer = browser.post(path, **forms)
            else:
                answer = browser.get(path)
            body = answer.get_data(as_text=True)
            assert answer.status_code < 500, page.name
            assert not [each for each in secret if each in body], page.name
            answered.add(page.name)
    assert {"peer", "try_peer", "suspend_peer", "resend_dead", "take_up_card"} <= answered
