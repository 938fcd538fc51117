"""The journal's pages: who reads what, searching, the chain's state, and a harmless file."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from gateway.documents import Language
from gateway.services.journal_reading import TECHNICAL
from gateway.services.tabular import csv_of
from gateway.store import JournalAction, PersonRole, journal, journal_search, watch_marks
from gateway.store.journal_search import Asked, first_since, search
from gateway.web.console.words import texts
from tests.console.house import Browser, House
from tests.factories import NOW

OPERATOR, AUDITOR = PersonRole.OPERATOR, PersonRole.AUDITOR


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def note(house: House, action: JournalAction, subject: str, **more: object) -> None:
    with house.front.desk.store.begin() as conn:
        journal.append(conn, **{"at": NOW, "action": action, "subject": subject} | more)


@pytest.mark.parametrize("action", JournalAction)
def test_each_action_has_a_sentence_in_three_languages(action: JournalAction) -> None:
    said = texts()[f"deed.{action.value}"]
    assert all(said[language.value].strip() for language in Language)


def test_an_operator_reads_of_the_machine_and_an_auditor_of_all(house: House) -> None:
    note(house, JournalAction.DOCUMENT_VIEWED, "ZM-1")
    note(house, JournalAction.PEER_SUSPENDED, "KE-SW")
    operator = text(house.as_role(OPERATOR), "/journal")
    auditor = text(house.as_role(AUDITOR), "/journal")
    assert "KE-SW" in operator
    assert "ZM-1" not in operator
    assert "KE-SW" in auditor
    assert "ZM-1" in auditor


@pytest.mark.parametrize("suffix", ["", ".csv"])
def test_an_operator_finds_no_other_entry_by_asking_for_it(house: House, suffix: str) -> None:
    note(house, JournalAction.CERTIFICATE_ISSUED, "ZM-1", detail={"authority": "secret-mark"})
    path = f"/journal{suffix}?subject=ZM-1&action=certificate:issued"
    assert "secret-mark" not in text(house.as_role(OPERATOR), path)
    assert "secret-mark" in text(house.as_role(AUDITOR), path)


def test_what_people_did_is_not_technical() -> None:
    people = {action for action in JournalAction if action.value.startswith("person:")}
    assert not TECHNICAL & people
    assert JournalAction.DISPATCH_RESENT in TECHNICAL


def test_entries_are_found_by_subject_actor_action_and_day(house: House) -> None:
    note(house, JournalAction.PEER_ADDED, "AA-1", actor="user:jane")
    note(house, JournalAction.PEER_ADDED, "AA-2", actor="user:joe")
    note(house, JournalAction.CRL_STORED, "AA-3", actor="user:jane")
    note(house, JournalAction.CRL_STORED, "AA-4", at=NOW + timedelta(days=2))
    browser = house.as_role(AUDITOR)
    day = f"{NOW + timedelta(days=2):%Y-%m-%d}"
    for query, found in (
        ("subject=AA-1", {"AA-1"}),
        ("actor=user:jane", {"AA-1", "AA-3"}),
        ("action=crl:stored", {"AA-3", "AA-4"}),
        ("actor=user:jane&action=crl:stored", {"AA-3"}),
        (f"since={day}", {"AA-4"}),
        (f"action=crl:stored&until={NOW:%Y-%m-%d}", {"AA-3"}),
    ):
        assert set(re.findall(r"AA-\d", text(browser, f"/journal.csv?{query}"))) == found, query


def test_a_long_journal_is_walked_in_bounded_steps_without_gap(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_search, "WALK", 3)
    for number in range(10):
        note(house, JournalAction.PEER_CHANGED, f"P-{number}", actor=f"user:{number % 2}")
    seen, before, rounds = [], None, 0
    with house.front.desk.store.read() as conn:
        while True:
            part = search(conn, Asked(actor="user:1"), before=before, limit=2)
            seen += [each.subject for each in part.entries]
            rounds += 1
            if (before := part.go_on) is None:
                break
    assert seen == ["P-9", "P-7", "P-5", "P-3", "P-1"]
    assert rounds > 2


@pytest.mark.parametrize("number", range(6))
def test_the_first_entry_since_a_moment_is_found_by_halving(house: House, number: int) -> None:
    with house.front.desk.store.read() as conn:
        began = journal.head(conn)[0]
    for each in range(5):
        note(house, JournalAction.PEER_CHANGED, "P", at=NOW + timedelta(hours=each + 1))
    with house.front.desk.store.read() as conn:
        found = first_since(conn, NOW + timedelta(hours=number, minutes=30))
    assert found == began + number + 1


def test_a_broken_chain_is_said_at_the_top(house: House) -> None:
    browser = house.as_role(AUDITOR)
    assert 'class="note warn"' in text(browser, "/journal")  # nobody has followed it yet
    for fault, tone in ((None, "good"), ("the entry was changed", "bad")):
        with house.front.desk.store.begin() as conn:
            watch_marks.lock(conn, "journal")
            watch_marks.move(conn, "journal", 3, at=NOW, fault=fault)
        assert f'class="note {tone}"' in text(browser, "/journal")
    assert "the entry was changed" in text(browser, "/journal")


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "＝", " =", "\u202e="])
def test_no_cell_of_a_file_is_a_formula(begins: str) -> None:
    content = csv_of(("name", "number"), [(f"{begins}cmd|'/c calc'!A0", -5)]).decode("utf-8-sig")
    (_, row) = list(csv.reader(io.StringIO(content, newline="")))
    assert row[0].startswith("'")
    assert row[1] == "-5"


def test_hostile_words_are_harmless_on_the_page_and_in_the_file(house: House) -> None:
    note(house, JournalAction.PEER_ADDED, '=1+1"<script>x', detail={"reason": "\u202e<b>@x"})
    browser = house.as_role(OPERATOR)
    page, file = text(browser, "/journal"), text(browser, "/journal.csv")
    assert "<script>x" not in page
    assert "<b>@x" not in page
    assert "\u202e" not in page + file
    rows = list(csv.reader(io.StringIO(file.removeprefix("\ufeff"), newline="")))
    assert [row[4] for row in rows if "script" in row[4]] == ["'=1+1\"<script>x"]


def test_the_file_of_a_search_is_a_download(house: House) -> None:
    answer = house.as_role(AUDITOR).get("/journal.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="journal.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
