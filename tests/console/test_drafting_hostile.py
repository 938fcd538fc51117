"""Hostile forms: whatever is sent, the answer is clear and nothing of it lives."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator

import pytest
from werkzeug.datastructures import MultiDict

from gateway.agreements import load_agreements
from gateway.documents import Language
from gateway.store import PersonRole, outbox
from gateway.trust.demo_pki import DemoPki
from gateway.web.console.drafting_lists import Lists
from gateway.web.console.drafting_nodes import form_view
from gateway.web.console.drafting_reading import read_form
from gateway.web.console.drafting_sheet import MOST_ITEMS, fields
from gateway.web.console.words import Words
from tests.api.conftest import make_border
from tests.console.house import Browser, House, make_house
from tests.console.paper import FORM, fields_of, noted, opened, pressed, tree
from tests.console.test_hostile import HOSTILE, SHOWN, require_harmless
from tests.databases import copied_stores

OFFICER = PersonRole.ISSUING_OFFICER
STEPS = ("check", "send", "add:items")


@pytest.fixture(scope="module")
def zambia(
    pki: DemoPki, sqlite_template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Gives the console of Zambia, to which nothing hostile ever gets through."""
    with copied_stores(sqlite_template, tmp_path_factory.mktemp("hostile-form")) as make:
        house = make_house(make_border(pki, make).zm)
        yield house
        with house.desk.store.read() as conn:
            assert outbox.page(conn, limit=1) == ()


@pytest.fixture
def officer(zambia: House) -> Browser:
    return zambia.as_role(OFFICER)


def ask(browser: Browser, pairs: list[tuple[str, str]], path: str = FORM):
    """Post names and values as they are, repeated ones too."""
    browser.get(FORM)
    return browser.client.post(
        path,
        base_url="https://console.example",
        data=MultiDict([("seal", browser.seal), *pairs]),
        headers={"Accept-Language": "en"},
    )


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_hostile_text_in_every_field_is_shown_harmlessly(
    officer: Browser, step: str, language: str
) -> None:
    filled = dict.fromkeys((name for name in opened(officer, tree())), HOSTILE)
    kept = {"agreement": "COMESA", "seal": officer.seal}
    answer = officer.post(f"{FORM}?lang={language}", **{**filled, **kept}, step=step)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert page.count(SHOWN) > 20
    require_harmless(page)
    officer.get(f"{FORM}?lang=en")


def test_hostile_text_in_a_glance_is_shown_harmlessly(officer: Browser) -> None:
    filled = opened(officer, tree())
    seal = filled["seal"]
    filled |= {"exporter.registration_number": HOSTILE, "transport.means_id": HOSTILE}
    page = officer.post(f"{FORM}/findings", **filled | {"seal": seal}).get_data(as_text=True)
    assert SHOWN in page
    require_harmless(page)


def test_hostile_names_in_a_file_are_shown_harmlessly(officer: Browser) -> None:
    officer.get(FORM)
    said = {HOSTILE: HOSTILE, "items": {"\u202e": [HOSTILE]}, "agreement": HOSTILE}
    page = officer.post(f"{FORM}/open", pasted=json.dumps(said)).get_data(as_text=True)
    assert SHOWN in page
    require_harmless(page)


@pytest.mark.parametrize(
    "value", ["a\x00b", "\x1b[2J", "9" * 2000, "-1e999999", "\ufffe", "٩" * 400]
)
def test_no_value_in_any_field_is_a_fault_of_ours(officer: Browser, value: str) -> None:
    filled = opened(officer, tree())
    seal = filled["seal"]
    for step in STEPS:
        changed = dict.fromkeys(filled, value) | {"agreement": "COMESA", "seal": seal}
        answer = officer.post(FORM, **changed, step=step)
        assert answer.status_code == 200
        require_harmless(answer.get_data(as_text=True))
    assert officer.post(f"{FORM}/findings", **changed).status_code == 200


def test_a_value_that_no_form_can_hold_is_noted_at_its_field(officer: Browser) -> None:
    filled = opened(officer, tree())
    changed = {"exporter.name": "a\x00b", "items[0].quantity.value": "9" * 400, "version": "-1"}
    notes = noted(pressed(officer, filled, "check", **changed))
    assert "cannot be written on a form" in notes["f-exporter-name"]
    assert "too long" in notes["f-items-0-quantity-value"]
    assert "whole number" in notes["f-version"]


@pytest.mark.parametrize(
    "pairs",
    [
        [("agreement", "COMESA"), ("exporter.name", "a"), ("exporter.name", "b")],
        [("agreement", "COMESA"), ("agreement", "SADC")],
        [("agreement", "COMESA"), ("colour", "red")],
        [("agreement", "COMESA"), ("items[0]", "x")],
        [("agreement", "COMESA"), ("items[0].hs_code.deeper", "x")],
        [("agreement", "COMESA"), ("items[-1].hs_code", "x")],
        [("agreement", "COMESA"), ("items[99999].hs_code", "x")],
        [("agreement", "COMESA"), ("items[].hs_code", "x")],
        [("agreement", "COMESA"), ("exporter[0].name", "x")],
        [("agreement", "COMESA"), ("__class__", "x")],
        [("agreement", "COMESA"), ("items[0].hs_code" * 40, "x")],
        [("agreement", "COMESA"), ("a\x00", "x")],
        [("agreement", "NOWHERE")],
        [("agreement", "COMESA"), ("agreement[0]", "x")],
        [],
    ],
    ids=lambda pairs: pairs[-1][0][:20] if pairs else "nothing",
)
@pytest.mark.parametrize("path", [FORM, f"{FORM}/findings"])
def test_a_form_that_is_not_ours_is_refused(officer: Browser, pairs, path: str) -> None:
    answer = ask(officer, pairs, path)
    assert answer.status_code == 400
    assert "BAD_REQUEST" in answer.get_data(as_text=True)


@pytest.mark.parametrize("count", [MOST_ITEMS + 1, 9_999])
def test_more_items_than_a_form_takes_are_refused_at_once(officer: Browser, count: int) -> None:
    pairs = [("agreement", "COMESA")]
    pairs += [(f"items[{number}].hs_code", "520512") for number in range(count)]
    begun = time.process_time()
    answer = ask(officer, pairs)
    assert answer.status_code in (400, 413)
    assert time.process_time() - begun < 3


def test_a_form_of_a_hundred_items_goes_through(officer: Browser) -> None:
    item = tree()["items"][0]
    said = tree(items=[item | {"number": number} for number in range(1, MOST_ITEMS + 1)])
    filled = opened(officer, said)
    assert f"items[{MOST_ITEMS - 1}].hs_code" in filled
    picture = (io.BytesIO(b"\x89PNG\r\n\x1a\n"), "stamp.png")  # makes the form one of many parts
    answer = officer.post(FORM, **filled | {"stamp": picture}, step="check")
    assert answer.status_code == 200
    assert pressed(officer, fields_of(answer), "add:items").status_code == 400


@pytest.mark.parametrize("name", ["exporter.name", "colour", "items[0].stamp"])
def test_a_file_under_the_name_of_another_field_is_refused(officer: Browser, name: str) -> None:
    filled = opened(officer, tree())
    filled.pop(name, None)
    answer = officer.post(FORM, **filled, step="check", **{name: (io.BytesIO(b"x"), "x")})
    assert answer.status_code == 400


@pytest.mark.parametrize("value", ["=1+1", "\x00", "٩", " ", "\n", "a" * 5000])
def test_every_field_by_itself_makes_no_fault(value: str) -> None:
    lists = Lists(Words(Language.ARABIC), load_agreements()["SADC"])
    for path in fields():
        typed = {"agreement": "SADC", path.replace("[]", "[0]"): value}
        read = read_form(typed, lists)
        assert read.document is None
        assert form_view(typed, (), lists).items.rows or not path.startswith("items")
