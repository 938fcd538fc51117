"""Every conversion that a row can declare, in both directions."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.documents.codes import CertificateKind
from gateway.errors import InvalidDocumentError
from gateway.xml.national.conversions import (
    Choice,
    CodeTable,
    Conversion,
    DecimalStyle,
    Flag,
    Picture,
    PlainText,
    Prefix,
    Removal,
    SourcePrefix,
    WesternDigits,
    WholeNumber,
)
from gateway.xml.national.texts import Problem, UnfitError
from gateway.xml.national.times import DayStyle, MomentStyle, TimePattern
from tests.national.bench_format import load, read_one, source, yaml_of


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ddmmyyyy", "09032026"),
        ("yyyy-mm-dd", "2026-03-09"),
        ("dd/mm/yyyy", "09/03/2026"),
        ("yyyy.mm.dd", "2026.03.09"),
    ],
)
def test_a_date_is_read_and_written_in_the_declared_pattern(pattern: str, text: str) -> None:
    style = DayStyle(TimePattern(pattern))
    assert style.read(text) == date(2026, 3, 9)
    assert style.write(date(2026, 3, 9)) == text


@pytest.mark.parametrize(
    "text", ["31022026", "9032026", "0903202 6", "00002026", "٠٩٠٣٢٠٢٦", "09032026 ", ""]
)
def test_what_is_no_date_of_the_pattern_is_refused(text: str) -> None:
    with pytest.raises(UnfitError) as caught:
        DayStyle(TimePattern("ddmmyyyy")).read(text)
    assert caught.value.problem is Problem.NOT_A_DATE


def test_a_moment_takes_the_fixed_offset_of_the_national_clock() -> None:
    style = MomentStyle(TimePattern("dd/mm/yyyy hh:mi"), timedelta(hours=2))
    moment = style.read("09/03/2026 12:30")
    assert moment == datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
    assert moment.utcoffset() == timedelta(hours=2)
    assert style.write(datetime(2026, 3, 9, 10, 30, tzinfo=UTC)) == "09/03/2026 12:30"


def test_a_moment_with_its_own_offset_keeps_it() -> None:
    style = MomentStyle(TimePattern("yyyy-mm-ddThh:mizone"), None)
    for text in ("2026-03-09T12:30+02:00", "2026-03-09T10:30+00:00", "2026-03-09T07:00-03:30"):
        assert style.write(style.read(text)) == text
    assert style.read("2026-03-09T10:30Z") == datetime(2026, 3, 9, 10, 30, tzinfo=UTC)


def test_seconds_are_dropped_because_documents_are_minute_precise() -> None:
    style = MomentStyle(TimePattern("yyyymmddhhmiss"), timedelta())
    assert style.read("20260309103059") == datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
    assert style.write(datetime(2026, 3, 9, 10, 30, tzinfo=UTC)) == "20260309103000"


@pytest.mark.parametrize("text", ["20260309246000", "20260309103061", "2026030910305"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UnfitError):
        MomentStyle(TimePattern("yyyymmddhhmiss"), timedelta()).read(text)


@pytest.mark.parametrize(
    ("style", "text", "value"),
    [
        (DecimalStyle(","), "12000,50", "12000.50"),
        (DecimalStyle(",", "."), "12.000,50", "12000.50"),
        (DecimalStyle(",", " "), "1 234 567,5", "1234567.5"),
        (DecimalStyle(".", ","), "-1,000", "-1000"),
        (DecimalStyle("."), "0.000001", "0.000001"),
        (DecimalStyle(",", "."), "-0,5", "-0.5"),
    ],
)
def test_a_decimal_is_read_and_written_in_the_declared_style(
    style: DecimalStyle, text: str, value: str
) -> None:
    assert style.read(text) == Decimal(value)
    assert style.write(Decimal(value)) == text


@pytest.mark.parametrize(
    "text",
    [
        "12000.50",
        "12.00,5",
        "1.2345",
        "1e5",
        "NaN",
        "Infinity",
        "--1",
        "1,",
        ",5",
        "1" * 16,
        "1,1234567",
        "١٢",
    ],
)
def test_what_is_no_decimal_of_the_style_is_refused(text: str) -> None:
    with pytest.raises(UnfitError) as caught:
        DecimalStyle(",", ".").read(text)
    assert caught.value.problem is Problem.NOT_A_DECIMAL


def test_the_grouping_may_be_left_out_but_not_be_wrong() -> None:
    assert DecimalStyle(",", ".").read("12000,5") == Decimal("12000.5")
    with pytest.raises(UnfitError):
        DecimalStyle(",", ".").read("12.0000")


def test_a_code_table_translates_both_ways_and_the_first_code_is_written() -> None:
    table = CodeTable("kinds", {"STD": "STANDARD", "NORM": "STANDARD", "RET": "RETROSPECTIVE"})
    assert table.read("NORM") == "STANDARD"
    assert table.write("STANDARD") == "STD"


def test_an_unknown_code_is_refused_or_kept_as_declared() -> None:
    with pytest.raises(UnfitError) as caught:
        CodeTable("units", {"KG": "KGM"}).read("BAG")
    assert caught.value.problem is Problem.UNKNOWN_CODE
    assert CodeTable("units", {"KG": "KGM"}, keep_unknown=True).read("BAG") == "BAG"


def test_prefixes_come_and_go() -> None:
    assert Prefix("COM-").read("ZM000001") == "COM-ZM000001"
    assert Prefix("COM-").write("COM-ZM000001") == "ZM000001"
    assert SourcePrefix("HS").read("HS5205") == "5205"
    assert SourcePrefix("HS").write("5205") == "HS5205"
    with pytest.raises(UnfitError):
        SourcePrefix("HS").read("5205")


def test_separators_are_removed_on_reading_only() -> None:
    assert Removal(". ").read("5205.12 00") == "52051200"
    assert Removal(". ").write("52051200") == "52051200"


def test_arabic_indic_digits_are_read_as_ours() -> None:
    conversion = Conversion((WesternDigits(),), DecimalStyle(","))
    assert conversion.read("١٢٠٠٠,٥") == Decimal("12000.5")
    assert conversion.read("۱۲") == Decimal(12)
    assert conversion.write(Decimal(12)) == "12"


def test_whole_numbers_flags_choices_and_pictures_refuse_what_they_are_not() -> None:
    assert WholeNumber().read("500") == 500
    assert Flag().read("true") is True
    assert Choice(CertificateKind).read("STANDARD") is CertificateKind.STANDARD
    assert Picture().read("iVBO\nRw==") == b"\x89PNG"[:4]
    for end, text in (
        (WholeNumber(), "5.0"),
        (Flag(), "yes"),
        (Choice(CertificateKind), "X"),
        (Picture(), "?"),
    ):
        with pytest.raises(UnfitError):
            end.read(text)
    assert PlainText().read("as it is") == "as it is"


def test_a_whole_number_of_too_many_digits_is_refused_at_once() -> None:
    with pytest.raises(UnfitError):
        WholeNumber().read("9" * 5000)


def test_several_sources_are_joined_and_divided_again(tmp_path: Path) -> None:
    bent = load(tmp_path, yaml_of(rows='    - {field: remarks, source: [a, b], join: " / "}\n'))
    reading = read_one(bent, a="left", b="right")
    assert reading.document is not None
    assert reading.document.remarks == "left / right"
    written = json.loads(bent.write(reading.document))
    assert (written["a"], written["b"]) == ("left", "right")


def test_a_look_up_takes_one_column_of_a_table(tmp_path: Path) -> None:
    rows = (
        "    - {field: issuing_authority.office_code, source: office, table: offices, column: code}\n"
        "    - {field: issuing_authority.office_name, source: office, table: offices, column: name, only: read}\n"
    )
    bent = load(tmp_path, yaml_of(rows=rows))
    reading = read_one(bent, office="402")
    assert reading.document is not None
    assert reading.document.issuing_authority.office_name == "Chirundu"
    assert json.loads(bent.write(reading.document))["office"] == "402"


def test_a_default_fills_what_is_blank(tmp_path: Path) -> None:
    bent = load(tmp_path, yaml_of(rows="    - {field: version, source: v, default: '7'}\n"))
    for blank in ({}, {"v": None}, {"v": "  "}):
        document = read_one(bent, **blank).document
        assert document is not None
        assert document.version == 7


def test_blank_and_declared_texts_mean_absent(tmp_path: Path) -> None:
    bent = load(tmp_path, yaml_of(rows="    - {field: remarks, source: r, absent: ['N/A', '-']}\n"))
    for blank in (None, "", " \t", "N/A", "-"):
        document = read_one(bent, r=blank).document
        assert document is not None
        assert document.remarks is None


def test_a_position_counts_the_members_of_a_group(tmp_path: Path) -> None:
    common = yaml_of().replace("{field: number, source: pos}", "{field: number, position: yes}")
    bent = load(tmp_path, common)
    goods = [{"text": f"Goods {n}", "hs": "520512", "qty": "1"} for n in (1, 2, 3)]
    document = read_one(bent, goods=goods).document
    assert document is not None
    assert [item.number for item in document.items] == [1, 2, 3]


def test_a_constant_alone_does_not_bring_an_optional_record_to_life(tmp_path: Path) -> None:
    rows = (
        "    - {field: stamp.media_type, constant: image/png}\n"
        "    - {field: stamp.content, source: stamp}\n"
    )
    bent = load(tmp_path, yaml_of(rows=rows))
    without, with_stamp = read_one(bent).document, read_one(bent, stamp="iVBORw==").document
    assert without is not None
    assert without.stamp is None
    assert with_stamp is not None
    assert with_stamp.stamp is not None
    assert with_stamp.stamp.media_type == "image/png"


def test_a_list_in_one_text_is_split_and_joined_again(tmp_path: Path) -> None:
    rows = (
        "    - group: transport.equipment[]\n"
        "      each: boxes\n"
        "      rows:\n"
        "        - {field: identifier, source: no}\n"
        '        - {field: "seals[]", source: seals, split: ","}\n'
    )
    bent = load(tmp_path, yaml_of(rows=rows))
    document = read_one(bent, boxes=[{"no": "MSCU1", "seals": "A1, A2,"}]).document
    assert document is not None
    assert document.transport.equipment[0].seals == ("A1", "A2")
    assert json.loads(bent.write(document))["boxes"][0]["seals"] == "A1,A2"


def test_a_fixed_text_must_stand_in_the_source_and_is_written(tmp_path: Path) -> None:
    bent = load(tmp_path, yaml_of(rows="    - {fixed: ECO-1, source: type}\n"))
    good, wrong, missing = read_one(bent, type="ECO-1"), read_one(bent, type="X"), read_one(bent)
    assert good.document is not None
    assert json.loads(bent.write(good.document))["type"] == "ECO-1"
    assert wrong.document is None
    assert missing.document is None
    assert "ECO-1" in wrong.findings[0].message.en


def test_numbers_of_json_keep_every_digit(tmp_path: Path) -> None:
    bent = load(tmp_path)
    raw = json.dumps(source()).replace('"12000.50"', "123456789012345.123456").encode()
    (reading,) = bent.read(raw)
    assert reading.document is not None
    assert reading.document.items[0].quantity.value == Decimal("123456789012345.123456")


def test_as_number_writes_a_json_number(tmp_path: Path) -> None:
    text = yaml_of().replace(
        "{field: quantity.value, source: qty}", "{field: quantity.value, source: qty, as: number}"
    )
    bent = load(tmp_path, text)
    document = read_one(bent).document
    assert document is not None
    assert b'"qty": 12000.50' in bent.write(document)


def test_a_number_where_a_text_is_expected_is_a_finding_since_zeros_were_lost(
    tmp_path: Path,
) -> None:
    goods = [{"pos": 1, "text": "Tea in bulk", "hs": 90240, "qty": "1"}]
    reading = read_one(load(tmp_path), goods=goods)
    assert reading.document is None
    assert [(item.rule, item.path) for item in reading.findings] == [("SHAPE", "items[0].hs_code")]


def test_writing_refuses_what_the_format_would_lose(tmp_path: Path) -> None:
    bent = load(tmp_path)
    document = read_one(bent).document
    assert document is not None
    with pytest.raises(InvalidDocumentError) as caught:
        bent.write(document.model_copy(update={"remarks": "not mapped", "version": 3}))
    assert {item.path for item in caught.value.findings} == {"remarks", "version"}


def test_a_declared_omission_may_be_lost(tmp_path: Path) -> None:
    extra = "  omitted:\n    - {field: remarks, reason: the old system has no room}\n"
    bent = load(tmp_path, yaml_of(extra=extra))
    document = read_one(bent).document
    assert document is not None
    assert bent.write(document.model_copy(update={"remarks": "gone"}))


def test_writing_refuses_a_code_without_translation(tmp_path: Path) -> None:
    rows = "    - {field: issuing_authority.office_code, source: office, table: offices, column: code}\n"
    bent = load(tmp_path, yaml_of(rows=rows))
    document = read_one(bent, office="402").document
    assert document is not None
    foreign = document.issuing_authority.model_copy(update={"office_code": "ZM-ZRA-XXX"})
    with pytest.raises(InvalidDocumentError) as caught:
        bent.write(document.model_copy(update={"issuing_authority": foreign}))
    assert [item.rule for item in caught.value.findings] == ["CODE"]
