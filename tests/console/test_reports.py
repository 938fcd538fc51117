"""Reports: right numbers, of what one's organisation sees only, in a bounded period, as files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from typing import Any

import pytest

from gateway.documents import (
    DocumentType,
    Finding,
    LocalisedText,
    Severity,
    UtilisationStatus,
    Verdict,
)
from gateway.documents.customs_response import Reason
from gateway.envelope import Header
from gateway.errors import InputError
from gateway.exchange.receipts import ReceivedMessage, make_receipt
from gateway.operations.report_counts import count_reports, recount
from gateway.services.reports import listing
from gateway.services.reports.asking import period_of
from gateway.services.reports.certificates import share_of
from gateway.services.reports.listing import Column
from gateway.services.tabular import csv_of
from gateway.store import PersonRole, Store, inbox, journal, tallies
from gateway.store.report_measures import Step
from gateway.store.reporting import Span
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import make_border
from tests.console.house import Browser, House, make_house
from tests.exchange.corridor import decide
from tests.factories import NOW, certificate
from tests.paper.reading import text_of
from tests.store.helpers import new_arrival
from tests.store.test_report_counting import Register

TABLES = ("pairs", "kinds", "months", "chapters", "times", "reasons", "rules", "overdue")
SERIAL = "ZM-20260309-000123"
PERIOD = "first=2026-01&last=2026-03"


def rows(browser: Browser, table: str, period: str = PERIOD) -> list[dict[str, str]]:
    answer = browser.get(f"/reports/{table}.csv?{period}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    text = answer.get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture(scope="module", autouse=True)
def counted(houses: tuple[House, House]) -> None:
    """Brings the counts of both gateways up to date, as a worker's watch does."""
    for house in houses:
        count_reports(house.front.desk, at=NOW)


@pytest.mark.parametrize("role", [PersonRole.SECRETARIAT, PersonRole.AUDITOR])
def test_what_was_issued_sent_and_used_is_counted_by_pair(
    houses: tuple[House, House], role: PersonRole
) -> None:
    (line,) = rows(houses[0].as_role(role), "pairs")
    assert line == {
        "from": "ZM",
        "to": "KE",
        "issued": "1",
        "sent": "1",
        "used": "1",
        "received": "0",
        "used_here": "0",
        "rate": "1.0",
    }
    (line,) = rows(houses[1].as_role(role), "pairs")
    assert (line["issued"], line["received"], line["used_here"]) == ("0", "1", "1")


def test_each_sees_what_its_organisation_sees_only(houses: tuple[House, House]) -> None:
    zambia, kenya = houses
    assert len(rows(zambia.as_role(PersonRole.ISSUING_OFFICER), "pairs")) == 1
    assert rows(kenya.as_role(PersonRole.ISSUING_OFFICER), "pairs") == []
    assert len(rows(kenya.as_role(PersonRole.ORIGIN_UNIT), "pairs")) == 1
    assert rows(zambia.as_role(PersonRole.ORIGIN_UNIT), "pairs") == []
    for table in ("chapters", "kinds", "overdue", "reasons", "rules"):
        assert rows(kenya.as_role(PersonRole.ISSUING_OFFICER), table) == [], table


def test_nothing_outside_the_period_is_counted(houses: tuple[House, House]) -> None:
    browser = houses[0].as_role(PersonRole.AUDITOR)
    assert rows(browser, "pairs", "first=2026-01&last=2026-02") == []
    assert rows(browser, "pairs", "first=2026-04&last=2026-05") == []


def test_chapters_months_and_times_are_told(houses: tuple[House, House]) -> None:
    browser = houses[0].as_role(PersonRole.AUDITOR)
    assert {line["side"] for line in rows(browser, "chapters")} == {"ISSUED"}
    months = rows(browser, "months")
    assert [line["month"] for line in months] == ["2026-01", "2026-02", "2026-03"]
    assert [line["issued"] for line in months] == ["0", "0", "1"]
    times = {line["step"]: line for line in rows(browser, "times")}
    assert times["ISSUE_DELIVERY"]["count"] == "1"
    assert times["ARRIVAL_DECISION"]["count"] == "0"
    assert times["ARRIVAL_DECISION"]["median_seconds"] == ""


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_the_page_shows_plots_and_tables(houses: tuple[House, House], language: str) -> None:
    answer = houses[0].as_role(PersonRole.SECRETARIAT).get(f"/reports?{PERIOD}&lang={language}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert page.count('class="columns plot"') == 2
    for table in TABLES:
        assert f"/reports/{table}.csv" in page
        assert f"/reports/{table}.pdf" in page
    assert "/reports/all.pdf" in page


@pytest.mark.parametrize(
    "period",
    [
        "first=2024-03&last=2026-03",
        "first=2026-03&last=2026-01",
        "first=2026-13",
        "last=1999-01",
        "first=x",
    ],
)
def test_a_period_without_bounds_is_refused(houses: tuple[House, House], period: str) -> None:
    browser = houses[0].as_role(PersonRole.AUDITOR)
    assert browser.get(f"/reports?{period}").status_code == 400


def test_twelve_months_are_told_where_none_are_named() -> None:
    period = period_of(None, None, date(2026, 3, 10))
    assert (period.first, period.until, len(period.months)) == (
        date(2025, 4, 1),
        date(2026, 4, 1),
        12,
    )
    assert len(period_of("2024-04", "2026-03", date(2026, 3, 10)).months) == 24
    with pytest.raises(InputError):
        period_of("2024-03", "2026-03", date(2026, 3, 10))


@pytest.mark.parametrize(
    ("count", "share", "value"), [(0, 0.5, None), (1, 0.9, 1), (10, 0.5, 5), (10, 0.9, 9)]
)
def test_a_share_is_the_least_value_that_so_many_do_not_exceed(
    count: int, share: float, value: float | None
) -> None:
    spans = [
        Span(step=Step.ISSUE_ANSWER, seconds=float(number), count=1)
        for number in range(1, count + 1)
    ]
    assert share_of(spans, share) == value
    assert share_of([Span(step=Step.ISSUE_ANSWER, seconds=7.0, count=5)], share) == 7.0


def numbers(page: str) -> list[tuple[str, int]]:
    """Return where each number of a report leads, and the number."""
    links = re.findall(r'<a href="(/reports/list[^"]+)">(\d+)</a>', page)
    return [(unescape(path), int(number)) for path, number in links]


@pytest.mark.parametrize("side", [0, 1])
def test_each_number_leads_to_as_many_certificates(houses: tuple[House, House], side: int) -> None:
    browser = houses[side].as_role(PersonRole.AUDITOR)
    found = numbers(browser.get(f"/reports?{PERIOD}").get_data(as_text=True))
    assert len(found) >= 8
    for path, number in found:
        answer = browser.get(path)
        assert answer.status_code == 200
        assert answer.get_data(as_text=True).count(f"/certificates/ZM/{SERIAL}") == number, path


def test_who_may_see_no_certificate_gets_numbers_that_lead_nowhere(
    houses: tuple[House, House],
) -> None:
    page = houses[0].as_role(PersonRole.SECRETARIAT).get(f"/reports?{PERIOD}")
    assert numbers(page.get_data(as_text=True)) == []


def test_a_list_shows_nobody_what_is_not_theirs(houses: tuple[House, House]) -> None:
    for role in (PersonRole.ISSUING_OFFICER, PersonRole.CUSTOMS_OFFICER):
        theirs = houses[int(role is PersonRole.ISSUING_OFFICER)].as_role(role)
        for column in ("ISSUED", "RECEIVED", "USED", "USED_HERE", "SENT"):
            page = theirs.get(f"/reports/list?{PERIOD}&of={column}")
            assert page.status_code == 200
            assert SERIAL not in page.get_data(as_text=True), (role, column)


def test_a_foreign_certificate_in_a_list_is_a_view_that_stands_in_the_journal(
    houses: tuple[House, House],
) -> None:
    house = houses[1]
    house.as_role(PersonRole.AUDITOR).get(f"/reports/list?{PERIOD}&of=RECEIVED")
    with house.desk.store.read() as conn:
        (newest,) = journal.page(conn, action=journal.Action.DOCUMENT_VIEWED, limit=1)
    assert newest.detail["purpose"] == "console: report"
    assert newest.actor == "user:auditor"


@pytest.mark.parametrize(
    "query",
    ["of=NONE", "side=BOTH&of=ISSUED", "cursor=x", "cursor=99-1", "of=OVERDUE&name=ISSUED"],
)
def test_a_list_that_nobody_offered_is_refused(houses: tuple[House, House], query: str) -> None:
    browser = houses[0].as_role(PersonRole.AUDITOR)
    assert browser.get(f"/reports/list?{PERIOD}&{query}").status_code == 400


def test_a_report_is_of_one_country_or_one_kind_where_asked(houses: tuple[House, House]) -> None:
    browser = houses[0].as_role(PersonRole.AUDITOR)
    for asked, lines in (
        ("country=KE", 1),
        ("country=EG", 0),
        ("kind=STANDARD", 1),
        ("kind=SIMPLIFIED", 0),
    ):
        assert len(rows(browser, "pairs", f"{PERIOD}&{asked}")) == lines, asked
        assert len(rows(browser, "chapters", f"{PERIOD}&{asked}")) == lines, asked
    for wrong in ("country=kenya", "kind=GOLDEN"):
        assert browser.get(f"/reports?{PERIOD}&{wrong}").status_code == 400


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_a_report_goes_to_paper_whole_or_by_table(
    houses: tuple[House, House], language: str
) -> None:
    browser = houses[0].as_role(PersonRole.AUDITOR)
    answer = browser.get(f"/reports/all.pdf?{PERIOD}&lang={language}")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    words = text_of(answer.get_data())
    for said in {"en": ("Reports", "Zambia", "100%"), "fr": ("Rapports", "Zambie", "100")}.get(
        language, ("100%",)
    ):
        assert said in words
    assert "KE" in words
    single = browser.get(f"/reports/pairs.pdf?{PERIOD}&lang={language}")
    assert single.status_code == 200
    assert len(text_of(single.get_data())) < len(words) / 2
    assert "ZM-AUDITOR" in words


def test_the_page_says_as_of_when_and_what_is_not_yet_counted(house: House) -> None:
    browser = house.as_role(PersonRole.AUDITOR)
    page = browser.get("/reports?lang=en").get_data(as_text=True)
    assert "Nothing is counted yet" in page
    count_reports(house.front.desk, at=NOW)
    page = browser.get("/reports?lang=en").get_data(as_text=True)
    assert "Nothing is counted yet" not in page
    assert "still being counted" not in page
    assert "Counted up to" in page


def test_rules_that_failed_are_counted_by_month_and_sender_however_many(
    pki: DemoPki, files: Callable[[], Store]
) -> None:
    border = make_border(pki, files)
    desk = border.ke.desk
    peer = border.corridor.ke.peer()
    with desk.store.begin() as conn:
        for number in range(120):
            record_refusal(conn, peer.id, number)
    count_reports(desk, at=NOW)
    count_reports(desk, at=NOW)
    auditor = make_house(border.ke).as_role(PersonRole.AUDITOR)
    assert rows(auditor, "rules", "first=2026-02&last=2026-03") == [
        {"peer": "ZM-SW", "rule": "RULES_BROKEN", "count": "120"}
    ]
    assert rows(auditor, "rules", "first=2026-01&last=2026-02") == []
    assert rows(auditor, "rules", f"{PERIOD}&country=EG") == []
    assert len(rows(auditor, "rules", f"{PERIOD}&country=ZM")) == 1
    page = auditor.get(f"/reports?{PERIOD}").get_data(as_text=True)
    assert "/operating/arrivals?peer=ZM-SW&amp;refused=yes" in page
    assert list(recount(desk, at=NOW))[-1:] == [0]
    assert rows(auditor, "rules")[0]["count"] == "120"


def record_refusal(conn: Any, peer_id: int, number: int) -> None:
    message = new_arrival(
        peer_id,
        message_id=f"urn:uuid:refused-{number}",
        envelope=f"<refused-{number}/>".encode(),
        verdict=Verdict.REFUSED,
        code="RULES_BROKEN",
    )
    inbox.record_arrival(conn, message)


def test_no_such_table_is_no_page(houses: tuple[House, House]) -> None:
    assert houses[0].as_role(PersonRole.AUDITOR).get("/reports/x.csv").status_code == 404


def test_reports_count_the_same_on_each_database(
    pki: DemoPki, make_store: Callable[[], Store]
) -> None:
    border = make_border(pki, make_store)
    assert border.zm.submit(certificate()).status_code == 202
    border.deliver()
    why = Reason(code="STAMP_SPECIMEN", text="The stamp differs from the specimen that we hold.")
    decide(border.corridor.ke, UtilisationStatus.REJECTED, reasons=(why,))
    border.deliver()
    with border.zm.desk.store.begin() as conn:
        tallies.fold(conn, at=NOW)
    count_reports(border.zm.desk, at=NOW)
    house = make_house(border.zm)
    auditor, operator = house.as_role(PersonRole.AUDITOR), house.as_role(PersonRole.OPERATOR)
    (line,) = rows(auditor, "pairs")
    assert (line["issued"], line["sent"], line["used"]) == ("1", "1", "0")
    (reason,) = rows(auditor, "reasons")
    assert (reason["name"], reason["count"]) == ("STAMP_SPECIMEN", "1")
    assert reason["reason"] == "Stamp differs from the circulated specimen (STAMP_SPECIMEN)"
    page = auditor.get(f"/reports?{PERIOD}").get_data(as_text=True)
    for path, number in numbers(page):
        assert auditor.get(path).get_data(as_text=True).count(f"ZM/{SERIAL}") == number, path
    for table in TABLES:
        rows(auditor, table)
    for path in ("/operating", "/operating/attempts?failed=yes", "/operating/arrivals?refused=yes"):
        assert operator.get(path).status_code == 200
    for query in ("since=2026-03-01&until=2026-03-31", "actor=gateway", "subject=KE-SW"):
        assert auditor.get(f"/journal?{query}").status_code == 200


HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\uff1d1",
    "  =1",
    "\u202e=1",
    "\u200b=1",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_a_file_is_a_formula(text: str) -> None:
    (line,) = list(csv.reader(io.StringIO(csv_of([text], []).decode("utf-8-sig"), newline="")))
    assert line[0].startswith("'")


def test_a_file_tells_spreadsheets_that_it_is_utf_8_and_keeps_names_and_numbers() -> None:
    name = "شركة الشاي، المحدودة"
    content = csv_of(["name", "count"], [[name, -5], ['a"b;c\nd', 1.5]])
    assert content.startswith(b"\xef\xbb\xbf")
    told = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert told == [["name", "count"], [name, "-5"], ['a"b;c\nd', "1.5"]]


def test_a_reason_and_a_rule_of_a_peer_are_harmless_in_every_form(
    pki: DemoPki, files: Callable[[], Store]
) -> None:
    border = make_border(pki, files)
    with border.ke.desk.store.begin() as conn:
        refusal = new_arrival(
            border.corridor.ke.peer().id,
            verdict=Verdict.REFUSED,
            code="=1+1\u202e<script>",
        )
        inbox.record_arrival(conn, refusal)
    count_reports(border.ke.desk, at=NOW)
    auditor = make_house(border.ke).as_role(PersonRole.AUDITOR)
    assert [line["rule"] for line in rows(auditor, "rules")] == ["'=1+1<script>"]
    page = auditor.get(f"/reports?{PERIOD}").get_data(as_text=True)
    assert "=1+1&lt;script&gt;" in page
    assert "\u202e" not in page
    paper = auditor.get(f"/reports/rules.pdf?{PERIOD}")
    assert "\u202e<" not in text_of(paper.get_data())
    assert "=1+1<script>" in text_of(paper.get_data()).replace("[U+202E]", "")


def test_a_receipt_names_the_rules_that_are_counted(
    pki: DemoPki, files: Callable[[], Store]
) -> None:
    border = make_border(pki, files)
    desk = border.ke.desk
    said = LocalisedText(en="m", fr="m", ar="m")
    findings = tuple(
        Finding(rule=rule, severity=Severity.ERROR, path="items[0]", message=said, remedy=said)
        for rule in ("V2", "V18", "V18")
    )
    header = Header(
        message_id="urn:uuid:5f8b2c0e-0000-4000-8000-000000000001",
        sender="ZM-SW",
        sender_country="ZM",
        receiver="KE-SW",
        receiver_country="KE",
        document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
        document_version="1.0",
        created_at=NOW,
        conversation_id="urn:uuid:5f8b2c0e-0000-4000-8000-000000000002",
        test=False,
    )
    message = ReceivedMessage(header=header, sha256="0" * 64, received_at=NOW)
    receipt = make_receipt(desk, message, verdict=Verdict.REFUSED, findings=findings)
    with desk.store.begin() as conn:
        refusal = new_arrival(
            border.corridor.ke.peer().id,
            verdict=Verdict.REFUSED,
            code="RULES_BROKEN",
            receipt=receipt,
        )
        inbox.record_arrival(conn, refusal)
    count_reports(desk, at=NOW)
    house = make_house(border.ke)
    told = rows(house.as_role(PersonRole.AUDITOR), "rules")
    assert [(line["rule"], line["count"]) for line in told] == [("V18", "1"), ("V2", "1")]
    page = house.as_role(PersonRole.AUDITOR).get(f"/reports?{PERIOD}&lang=en")
    assert "Choose a kind of certificate that the agreement knows." in page.get_data(as_text=True)


def test_a_long_list_is_told_page_by_page_and_each_certificate_once(
    pki: DemoPki, files: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "EACH", 6)
    monkeypatch.setattr(listing, "_WALK", 10)
    border = make_border(pki, files)
    register = Register(border.zm.desk.store, 8)
    register.happen(200)
    count_reports(border.zm.desk, at=NOW)
    count_reports(border.zm.desk, at=NOW)
    auditor = make_house(border.zm).as_role(PersonRole.AUDITOR)
    found = numbers(auditor.get(f"/reports?{PERIOD}").get_data(as_text=True))
    assert max(number for _, number in found) > 3 * listing.EACH
    assert {re.search(r"of=(\w+)", path)[1] for path, _ in found} == set(Column)
    for path, number in found:
        listed, page = [], auditor.get(path).get_data(as_text=True)
        listed += re.findall(r'href="/certificates/([^"]+)"', page)
        while more := re.search(r'href="([^"]+)" rel="next"', page):
            page = auditor.get(unescape(more[1])).get_data(as_text=True)
            listed += re.findall(r'href="/certificates/([^"]+)"', page)
        assert len(listed) == len(set(listed)) == number, path
