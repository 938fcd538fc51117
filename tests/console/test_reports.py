"""Reports: right numbers, of what one's organisation sees only, in a bounded period, as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest

from gateway.documents import UtilisationStatus
from gateway.documents.customs_response import Reason
from gateway.errors import InputError
from gateway.operations.report_counts import count_reports, recount
from gateway.services.reports.asking import period_of
from gateway.services.reports.certificates import share_of
from gateway.store import PersonRole, Store, report_counting, tallies
from gateway.store.report_measures import Step
from gateway.store.reporting import Span
from gateway.trust.demo_pki import DemoPki
from tests.api.conftest import make_border
from tests.console.house import Browser, House, make_house
from tests.exchange.corridor import decide
from tests.factories import NOW, certificate

TABLES = ("pairs", "kinds", "months", "chapters", "times", "reasons", "rules", "overdue")
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
    assert page.count("<svg") == 2
    for table in TABLES:
        assert f"/reports/{table}.csv" in page


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
    for table in TABLES:
        rows(auditor, table)
    for path in ("/operating", "/operating/attempts?failed=yes", "/operating/arrivals?refused=yes"):
        assert operator.get(path).status_code == 200
    for query in ("since=2026-03-01&until=2026-03-31", "actor=gateway", "subject=KE-SW"):
        assert auditor.get(f"/journal?{query}").status_code == 200
