"""Customs systems compare an import declaration with a certificate, by the rules of the desk."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.store import JournalAction, OrganisationKind, journal
from tests.api.conftest import Border
from tests.factories import certificate

PATH = f"/certificates/ZM/{certificate().serial_number}/comparison"
CUSTOMS = OrganisationKind.CUSTOMS
FITTING = {
    "exporter": "KAFUE TEXTILES LTD.",
    "consignee": certificate().consignee.name,
    "invoice": "INV-2026-778",
    "items": [{"number": 1, "hs": "52051200", "origin": "ZM", "quantity": "1.5", "unit": "TNE"}],
}


def compared(border: Border, declaration: Any) -> dict[Any, tuple[str, str]]:
    answer = border.ke.post(PATH, declaration, CUSTOMS)
    assert answer.status_code == 200, answer.json
    return {
        (each["datum"], each["item"]): (each["likeness"], each["explanation"])
        for each in answer.json["comparisons"]
    }


def test_each_datum_agrees_differs_in_form_or_differs_with_the_reason(traded: Border):
    assert compared(traded, FITTING) == {
        ("exporter", None): ("FORM", "SPELLING"),
        ("consignee", None): ("EQUAL", "SAME"),
        ("invoice", None): ("EQUAL", "SAME"),
        ("hs", 1): ("FORM", "HS_SUBHEADING"),
        ("origin", 1): ("EQUAL", "SAME"),
        ("quantity", 1): ("FORM", "UNIT_CONVERTED"),
    }
    other = {"items": [{"number": 1, "hs": "620342", "quantity": "999999"}, {"number": 2}]}
    found = compared(traded, other)
    assert found["hs", 1] == ("DIFFERS", "HS_OTHER")
    assert found["quantity", 1] == ("DIFFERS", "BEYOND_REMAINDER")
    assert found["item", 2] == ("DIFFERS", "NO_SUCH_ITEM")
    assert found["exporter", None] == ("MISSING", "NOT_DECLARED")


def test_the_answer_says_whether_all_agrees_and_what_was_left(traded: Border):
    answer = traded.ke.post(PATH, FITTING, CUSTOMS).json
    assert answer["agrees"] is True
    (quantity,) = (each for each in answer["comparisons"] if each["datum"] == "quantity")
    assert quantity["left"] is not None
    wrong = FITTING | {"invoice": "INV-1"}
    assert traded.ke.post(PATH, wrong, CUSTOMS).json["agrees"] is False


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": [{"number": 0}]},
        {"items": [{"number": 1, "quantity": "-1"}]},
        {"items": [{"number": 1, "quantity": "NaN"}]},
        {"items": [{"number": 1}] * 1_001},
        {"exporter": "x" * 501},
        {"exporters": "x"},
        [],
    ],
    ids=str,
)
def test_INVALID_DOCUMENT_a_declaration_of_another_shape_is_refused_with_its_path(
    traded: Border, wrong: Any
):
    answer = traded.ke.post(PATH, wrong, CUSTOMS)
    assert answer.status_code == 422
    assert answer.json["code"] == "INVALID_DOCUMENT"
    assert answer.json["findings"]


def test_NOT_FOUND_who_does_not_see_a_certificate_compares_nothing_with_it(traded: Border):
    path = PATH.replace("000123", "000999")
    assert traded.ke.post(path, FITTING, CUSTOMS).status_code == 404


def test_a_comparison_is_a_look_at_a_foreign_certificate_and_stands_in_the_journal(
    traded: Border,
):
    def looks() -> int:
        with traded.ke.desk.store.read() as conn:
            return len(journal.page(conn, action=JournalAction.DOCUMENT_VIEWED, limit=500))

    before = looks()
    traded.ke.post(PATH, FITTING, CUSTOMS)
    assert looks() == before + 1
