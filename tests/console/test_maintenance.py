"""Maintenance at the console: announced by operators, shown to everybody on every page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.store import JournalAction, PersonRole, journal
from tests.console.house import House
from tests.console.test_operating import HOSTILE, text

OPERATOR = PersonRole.OPERATOR
AT = "/operating/maintenance"


def form(house: House, **changed: str) -> dict[str, str]:
    now = house.operating.now()
    made = {
        "begins_at": f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "ends_at": f"{now + timedelta(hours=4):%Y-%m-%dT%H:%M}",
        "note_en": "New disks",
        "note_fr": "Nouveaux disques",
    }
    return made | changed


def announce(house: House, **changed: str) -> int:
    browser = house.as_role(OPERATOR)
    browser.get(AT)
    return browser.post(AT, **form(house, **changed)).status_code


def test_everybody_reads_of_announced_maintenance_on_every_page_in_their_language(
    house: House,
) -> None:
    officer, stranger = house.as_role(PersonRole.ISSUING_OFFICER), house.browser()
    assert "New disks" not in text(stranger, "/check")
    assert announce(house) == 303
    for browser, path in ((stranger, "/check"), (stranger, "/sign-in"), (officer, "/issuing")):
        page = text(browser, path)
        assert "New disks" in page
        assert "may not answer meanwhile" in page
    assert "Nouveaux disques" in text(officer, "/issuing?lang=fr")
    assert "New disks" in text(officer, "/issuing?lang=ar"), "no note in Arabic was given"
    assert "New disks" in stranger.get("/no-such-page").get_data(as_text=True)


def test_the_banner_says_when_maintenance_has_begun_and_goes_when_it_is_taken_back(
    house: House,
) -> None:
    now = house.operating.now()
    assert announce(house, begins_at=f"{now:%Y-%m-%dT%H:%M}") == 303
    stranger = house.browser()
    assert "is under way" in text(stranger, "/check")
    browser = house.as_role(OPERATOR)
    assert f'action="{AT}/1/end"' in text(browser, AT)
    assert browser.post(f"{AT}/1/end", reason="").status_code == 400
    browser.get(AT)
    assert browser.post(f"{AT}/1/end", reason="done early").status_code == 303
    assert "is under way" not in text(stranger, "/check")
    browser.get(AT)
    assert browser.post(f"{AT}/1/end", reason="again").status_code == 409
    with house.front.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.MAINTENANCE_ENDED)
    assert (entry.actor, entry.detail["reason"]) == ("user:operator", "done early")


@pytest.mark.parametrize(
    "changed",
    [
        {"begins_at": "tomorrow"},
        {"ends_at": ""},
        {"ends_at": "2026-03-09T08:00"},
        {"ends_at": "2027-03-09T08:00"},
        {"note_en": "", "note_fr": " "},
    ],
)
def test_what_cannot_be_announced_is_refused_and_what_was_typed_stays(
    house: House, changed: dict[str, str]
) -> None:
    browser = house.as_role(OPERATOR)
    browser.get(AT)
    typed = (
        form(house, note_ar="أقراص", **changed)
        if "note_en" not in changed
        else form(house, **changed)
    )
    answer = browser.post(AT, **typed)
    assert answer.status_code == 400
    page = answer.get_data(as_text=True)
    assert f'value="{typed["begins_at"]}"' in page
    assert 'class="note warn banner"' not in page


def test_a_hostile_note_is_shown_harmlessly(house: House) -> None:
    assert announce(house, note_en=HOSTILE) == 303
    page = text(house.browser(), "/check")
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page


def test_an_auditor_reads_what_is_announced_and_announces_nothing(house: House) -> None:
    assert announce(house) == 303
    browser = house.as_role(PersonRole.AUDITOR)
    page = text(browser, AT)
    assert "New disks" in page
    assert 'name="begins_at"' not in page
    assert 'name="reason"' not in page


def test_national_systems_read_what_is_announced(house: House) -> None:
    assert announce(house) == 303
    (said,) = house.front.get("/maintenance").json["maintenance"]
    assert (said["gateway"], said["own"], said["under_way"]) == ("ZM-SW", True, False)
    assert said["note"] == {"en": "New disks", "fr": "Nouveaux disques"}
    kinds = [each["data"]["kind"] for each in house.front.get("/events?after=0").json["events"]]
    assert "MAINTENANCE_ANNOUNCED" in kinds


def test_a_page_that_fails_is_shown_without_the_books(house: House, monkeypatch) -> None:
    browser = house.as_role(OPERATOR)
    assert announce(house) == 303

    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("gateway.services.maintenance.ours", broken)
    monkeypatch.setattr("gateway.services.operating.standing.live_alerts", broken)
    assert browser.get("/operating/alerts").status_code == 500


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/operating/messages?peer=KE-SW&state=FAILED", "?peer=KE-SW&amp;state=FAILED&amp;lang=fr"),
        ("/journal?subject=a%26b&lang=en", "?subject=a%26b&amp;lang=fr"),
        ("/operating", "/operating?lang=fr"),
        ("/no/such/page", "/?lang=fr"),
    ],
)
def test_a_page_in_another_language_is_the_same_page(house: House, path: str, kept: str) -> None:
    page = house.as_role(OPERATOR).get(path).get_data(as_text=True)
    assert f'{kept}" lang="fr"' in page


def test_after_a_form_the_language_leads_to_the_page_on_which_the_form_stood(house: House) -> None:
    browser = house.as_role(OPERATOR)
    browser.get("/operating/peers/KE-SW")
    page = browser.post("/operating/peers/KE-SW/suspend", reason="").get_data(as_text=True)
    assert 'href="/operating/peers/KE-SW?lang=ar"' in page
