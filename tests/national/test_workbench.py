"""What a mapping covers and loses, and what two versions of it make of the same samples."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from gateway.documents import CertificateOfOrigin, DocumentType, Language
from gateway.documents.fields import in_order
from gateway.services.mappings import (
    Became,
    ComparisonView,
    Sample,
    compare,
    comparing,
    coverage,
    covering,
    samples,
)
from gateway.xml.national import Examination, examine
from tests.national.bench_format import source, yaml_of
from tests.national.test_mistakes import tidy

TEXT = tidy(yaml_of())


def look(text: str = TEXT) -> Examination:
    return examine(text.encode(), "bent.yaml")


def sample(*documents: dict[str, Any], name: str = "a.json") -> Sample:
    return Sample(name=name, raw=json.dumps(list(documents)).encode())


def against(new: str, *samples: Sample, old: str = TEXT) -> ComparisonView:
    return compare(look(old), look(new), samples, language=Language.ENGLISH)


# --- coverage -------------------------------------------------------------------------------------


def test_targets_without_a_row_are_named_for_both_documents() -> None:
    certificate, response = coverage(look()).sections
    assert {"remarks", "items[].packages.count"} <= set(certificate.unmapped)
    assert "serial_number" not in certificate.unmapped
    assert "security.reference" in response.unmapped
    assert certificate.unfillable == ()
    assert certificate.unfilled == ()


def test_fields_of_the_samples_that_no_row_reads_are_counted_with_a_place() -> None:
    goods = [{"pos": 1, "text": "Yarn", "hs": "520512", "qty": "1", "colour": "red"}]
    one = sample(source(goods=goods, clerk="17"), source(clerk="18", no="ZM-20260309-000124"))
    certificate, response = coverage(look(), [one]).sections
    assert [(each.field, each.count) for each in certificate.unread] == [
        ("goods/colour", 1),
        ("clerk", 2),
    ]
    assert certificate.unread[1].example == "a.json, /0/clerk"
    assert (certificate.read, certificate.failed) == (2, 0)
    assert (response.read, response.failed) == (0, 0)


def test_what_the_mapping_ignores_by_name_is_not_lost() -> None:
    text = TEXT.replace(
        "  reference: no\n", "  reference: no\n  ignored:\n    - {source: clerk, reason: desk}\n", 1
    )
    (certificate, _) = coverage(look(text), [sample(source(clerk="17"))]).sections
    assert certificate.unread == ()
    assert [(each.name, each.reason) for each in certificate.ignored] == [("clerk", "desk")]


def test_targets_with_a_row_that_no_sample_fills_are_named() -> None:
    text = TEXT.replace("response:\n", "    - {field: remarks, source: note}\nresponse:\n")
    (without, _) = coverage(look(text), [sample(source())]).sections
    assert without.unfilled == ("remarks",)
    (filled, _) = coverage(look(text), [sample(source(), source(note="Urgent"))]).sections
    assert filled.unfilled == ()


def test_documents_that_cannot_be_read_are_counted() -> None:
    (certificate, _) = coverage(look(), [sample(source(at="yesterday"), source())]).sections
    assert (certificate.read, certificate.failed) == (1, 1)


def test_required_targets_are_named_also_of_a_file_that_is_not_sound() -> None:
    text = TEXT.replace("    - {field: exporter.name, source: exporter}\n", "").replace(
        "{field: kind, constant: STANDARD}", "{field: kind, constant: SPECIAL}"
    )
    start, end = text.index("    - group: items[]"), text.index("    - {field: consent")
    found = coverage(look(text[:start] + text[end:]))
    assert not found.mapping.sound
    assert found.sections[0].unfillable == ("kind", "exporter.name", "items[]")


def test_a_row_that_never_takes_effect_fills_nothing() -> None:
    row = "    - {field: original_certificate.country, constant: KE}\n"
    (certificate, _) = coverage(look(TEXT.replace("response:\n", row + "response:\n"))).sections
    assert "original_certificate.country" in certificate.unmapped


def test_responses_are_samples_of_the_other_section() -> None:
    answer = {"no": "R-1", "at": "2026-03-09 12:30", "officer": "7", "serial": "ZM-1"}
    answer |= {"day": "2026-03-09", "seq": 1, "status": "ACCEPTED", "desk": "4"}
    found = coverage(look(), [sample(answer)], kind=DocumentType.CUSTOMS_RESPONSE)
    assert [each.read for each in found.sections] == [0, 1]
    assert [each.field for each in found.sections[1].unread] == ["desk"]


def test_what_is_no_yaml_covers_nothing() -> None:
    assert coverage(look("a: [")).sections == ()


# --- comparing ------------------------------------------------------------------------------------


def test_a_mapping_compared_with_itself_changes_nothing() -> None:
    found = against(TEXT, sample(source(), source(at="never")))
    assert (found.documents, found.same, found.changes) == (2, 2, ())


def test_each_field_that_comes_out_differently_is_named() -> None:
    new = TEXT.replace(
        "{field: quantity.unit, constant: KGM}", "{field: quantity.unit, constant: TNE}"
    )
    new = new.replace("response:\n", "    - {field: remarks, source: clerk}\nresponse:\n")
    (change,) = against(new, sample(source(clerk="17"))).changes
    assert change.became is Became.CHANGED
    assert [(each.field, each.old, each.new) for each in change.fields] == [
        ("items[0].quantity.unit", "KGM", "TNE"),
        ("remarks", None, "17"),
    ]
    assert (change.file, change.reference) == ("a.json", "ZM-20260309-000123")


def test_documents_that_now_fail_or_pass_come_with_their_findings() -> None:
    stricter = TEXT.replace("datetime: yyyy-mm-dd hh:mi", "datetime: dd.mm.yyyy hh:mi")
    documents = sample(source(), source(at="09.03.2026 12:30"))
    first, second = against(stricter, documents).changes
    assert (first.became, second.became) == (Became.NOW_FAILS, Became.NOW_PASSES)
    assert any("2026-03-09 12:30" in each.message for each in first.findings)
    assert any("09.03.2026" in each.message for each in second.findings)


def test_documents_that_one_version_does_not_find_are_gone_or_new() -> None:
    record = TEXT.replace("  reference: no\n", "  reference: no\n  record: all\n", 1)
    two = Sample(
        name="b.json", raw=json.dumps({"all": [source(), source(no="ZM-20260309-000124")]}).encode()
    )
    became = [each.became for each in against(record, two).changes]
    assert became.count(Became.NEW) == 2
    became = [each.became for each in against(TEXT, two, old=record).changes]
    assert became.count(Became.GONE) == 2


def test_nothing_is_compared_with_a_mapping_that_is_not_sound() -> None:
    found = against("a: [", sample(source()))
    assert found.documents == 0
    assert found.new.mistakes


# --- bounds ---------------------------------------------------------------------------------------


def test_a_sample_longer_than_what_is_looked_at_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = functools.partial(samples.first_documents, most=2)
    monkeypatch.setattr(covering, "first_documents", whole)
    monkeypatch.setattr(comparing, "first_documents", whole)
    two, three = sample(source(), source()), sample(source(), source(), source())
    assert not coverage(look(), [two]).sections[0].cut
    (certificate, _) = coverage(look(), [three]).sections
    assert (certificate.cut, certificate.read) == (True, 2)
    assert not against(TEXT, two).cut
    assert (against(TEXT, three).cut, against(TEXT, three).documents) == (True, 2)


def test_values_are_shown_in_the_order_of_the_document() -> None:
    wanted = [
        "serial_number",
        "items[0].hs_code",
        "items[0].quantity.value",
        "items[1].hs_code",
        "items[10].number",
        "certification.name",
        "of.another.time",
    ]
    assert in_order(CertificateOfOrigin, reversed(wanted)) == wanted
