"""Reading the three shipped formats: findings located, neighbours unharmed, carriers' own traps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.documents.codes import Severity
from gateway.errors import InvalidDocumentError
from gateway.xml.national import NationalFormat, NationalReading, load_national_formats
from tests.factories import certificate, goods_item
from tests.national.bench_format import load, read_one, source, yaml_of

FORMATS = load_national_formats()
JSON, XML, CSV = (FORMATS[name] for name in ("single-window-json", "customs-xml", "csv-lines"))


def errors(reading: NationalReading) -> list[tuple[str, str]]:
    return [(f.rule, f.path) for f in reading.findings if f.severity is Severity.ERROR]


def warnings(reading: NationalReading) -> list[str]:
    return [f.path for f in reading.findings if f.severity is Severity.WARNING]


def test_three_formats_ship_and_each_has_a_carrier_of_its_own() -> None:
    assert {f.carrier.kind for f in FORMATS.values()} >= {"json", "xml", "csv"}
    for name, format_ in FORMATS.items():
        assert format_.name == name
        assert format_.version
        assert format_.suffixes
        assert format_.label.ar


@pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
def test_every_leaf_of_both_documents_has_a_row(format_: NationalFormat) -> None:
    assert format_.coverage().certificate == ()
    assert format_.coverage().response == ()


def test_coverage_names_the_leaves_without_row(tmp_path: Path) -> None:
    coverage = load(tmp_path).coverage()
    assert "remarks" in coverage.certificate
    assert "items[].producer.name" in coverage.certificate
    assert "security.reference" in coverage.response


@pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
def test_a_bad_certificate_in_a_file_harms_no_other(format_: NationalFormat) -> None:
    three = [certificate(serial_number=f"ZM-20260309-00000{n}") for n in (1, 2, 3)]
    raw = format_.write_all(three)
    broken = raw.replace(b"ZM-20260309-000002", b"ZM-2026  0309-000002")
    first, second, third = format_.read(broken)
    assert first.document == three[0]
    assert second.document is None
    assert errors(second) == [("SHAPE", "serial_number")]
    assert third.document == three[2]
    assert third.reference == "ZM-20260309-000003"


def test_a_finding_names_the_json_pointer(tmp_path: Path) -> None:
    goods = [*source()["goods"], {"pos": 2, "text": "Maize meal", "hs": "110220", "qty": "12,5"}]
    (finding,) = read_one(load(tmp_path), goods=goods).findings
    assert finding.path == "items[1].quantity.value"
    assert "/goods/1/qty" in finding.message.en
    assert "12,5" in finding.message.fr
    assert "12000.5" in finding.message.ar


def test_a_finding_names_the_xml_line_and_element() -> None:
    raw = XML.write(certificate()).replace(b"<PaysOrigine>ZM", b"\n\n<PaysOrigine>Zambie")
    (reading,) = XML.read(raw)
    (finding,) = reading.findings
    assert finding.path == "items[0].country_of_origin"
    assert "line 4, /LotCertificats/Certificat[1]/Article[1]/PaysOrigine[1]" in finding.message.en
    assert "ligne 4" in finding.message.fr
    assert "السطر 4" in finding.message.ar


def test_a_finding_names_the_csv_line_and_column() -> None:
    raw = CSV.write(certificate()).decode("utf-8-sig").replace(";12.000;KG;", ";12000.5;KG;")
    (reading,) = CSV.read(raw.encode())
    paths = [finding.path for finding in reading.findings]
    assert "items[0].quantity.value" in paths
    line = next(n for n, text in enumerate(raw.splitlines(), start=1) if text.startswith("ITM;"))
    assert f"line {line}, QTY" in reading.findings[0].message.en


def test_a_missing_field_names_where_it_was_expected(tmp_path: Path) -> None:
    (finding,) = read_one(load(tmp_path), until=None).findings
    assert (finding.rule, finding.path) == ("SHAPE", "valid_until")
    assert "until" in finding.message.en


def test_every_fault_of_a_certificate_is_told_at_once(tmp_path: Path) -> None:
    goods = [{"pos": "one", "text": "", "hs": "52.05", "qty": "NaN"}]
    reading = read_one(load(tmp_path), at="yesterday", goods=goods, exporter=None)
    assert {path for _, path in errors(reading)} == {
        "issued_at",
        "declaration.signed_at",
        "certification.signed_at",
        "declaration.name",
        "exporter.name",
        "items[0].number",
        "items[0].description",
        "items[0].quantity.value",
    }


def test_an_unknown_field_is_a_warning_said_once(tmp_path: Path) -> None:
    goods = [dict(item, colour="red") for item in source()["goods"] * 2]
    goods[1]["pos"] = 2
    reading = read_one(load(tmp_path), goods=goods, mood="good")
    assert reading.document is not None
    assert sorted(warnings(reading)) == ["goods/colour", "mood"]
    assert (
        "“mood” of the source is not mapped"
        in reading.findings[-1].message.en + reading.findings[0].message.en
    )


def test_an_ignored_field_is_silent_with_everything_below_it(tmp_path: Path) -> None:
    extra = "  ignored:\n    - {source: fees, reason: stays national}\n"
    reading = read_one(load(tmp_path, yaml_of(extra=extra)), fees={"paid": "Y", "amount": 12})
    assert reading.findings == ()


def test_a_part_with_an_unknown_role_does_not_pass_unnoticed() -> None:
    raw = XML.write(certificate())
    more = b'<Intervenant role="TRANSITAIRE"><Nom>Zambezi Clearing</Nom></Intervenant>'
    (reading,) = XML.read(raw.replace(b"<Transport ", more + b"<Transport ", 1))
    assert reading.document is not None
    assert "Intervenant/Nom" in warnings(reading)


def test_a_value_given_twice_is_a_finding_not_a_choice() -> None:
    raw = XML.write(certificate()).replace(
        b"<Langue>ANG</Langue>", b"<Langue>ANG</Langue><Langue>FRA</Langue>"
    )
    (reading,) = XML.read(raw)
    assert ("SOURCE", "language") in errors(reading)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"exporter": {"name": "x"}}, "exporter.name"),
        ({"exporter": ["Kafue Textiles Ltd"]}, "exporter.name"),
        ({"goods": ["x"]}, "items[0]"),
        ({"goods": "x"}, "items[0]"),
        ({"goods": [[1]]}, "items[0].number"),
        ({"until": True}, "valid_until"),
    ],
)
def test_a_group_where_a_value_belongs_is_a_finding(
    tmp_path: Path, changes: dict[str, Any], path: str
) -> None:
    reading = read_one(load(tmp_path), **changes)
    assert reading.document is None
    assert path in {found for _, found in errors(reading)}


def test_a_single_object_may_stand_for_a_list_of_one(tmp_path: Path) -> None:
    document = read_one(load(tmp_path), goods=source()["goods"][0]).document
    assert document is not None
    assert len(document.items) == 1


def test_json_files_are_an_object_an_array_or_wrapped(tmp_path: Path) -> None:
    bent = load(tmp_path)
    assert len(bent.read(json.dumps(source()).encode())) == 1
    assert len(bent.read(json.dumps([source(), source()]).encode())) == 2
    wrapped = load(tmp_path, yaml_of(extra="  record: list\n  around: {kind: ECO}\n"))
    good = {"kind": "ECO", "list": [source()], "sent": "today"}
    (reading,) = wrapped.read(json.dumps(good).encode())
    assert reading.document is not None
    assert warnings(reading) == ["sent"]
    (refused,) = wrapped.read(json.dumps(good | {"kind": "INVOICE"}).encode())
    assert errors(refused) == [("SOURCE", "")]


def test_a_doubled_json_name_is_refused_not_overwritten(tmp_path: Path) -> None:
    raw = json.dumps(source()).replace('"until":', '"from": "2026-01-01", "until":').encode()
    (reading,) = load(tmp_path).read(raw)
    assert reading.document is None
    assert "“from” stands twice" in reading.findings[0].message.en


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    bent, text = load(tmp_path), json.dumps(source())
    for raw in (b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
        assert bent.read(raw)[0].document is not None
    assert CSV.write(certificate()).startswith(b"\xef\xbb\xbf")


def test_csv_falls_back_to_the_national_encoding() -> None:
    document = certificate(items=(goods_item(description="غزل قطن على مخاريط"),), remarks=None)
    text = CSV.write(document).decode("utf-8-sig")
    (reading,) = CSV.read(text.encode("windows-1256"))
    assert reading.document == document


def test_xml_of_another_root_or_namespace_is_refused() -> None:
    raw = XML.write(certificate())
    for other in (
        raw.replace(b"LotCertificats", b"Factures"),
        raw.replace(b"origine:2", b"origine:9"),
    ):
        (reading,) = XML.read(other)
        assert reading.document is None
        assert reading.findings[0].rule == "SOURCE"


def test_a_dtd_never_reaches_the_reader() -> None:
    raw = XML.write(certificate()).replace(
        b"<LotCertificats ", b'<!DOCTYPE x [<!ENTITY e "E">]><LotCertificats '
    )
    (reading,) = XML.read(raw)
    assert "UNSAFE_XML" in reading.findings[0].message.en


def test_text_beside_elements_is_reported() -> None:
    raw = XML.write(certificate()).replace(b"<Entete>", b"<Entete>stray")
    assert warnings(XML.read(raw)[0]) == ["Entete/text()"]


def test_an_empty_file_holds_no_document() -> None:
    for format_ in FORMATS.values():
        for raw in (b"", b"  \n"):
            (reading,) = format_.read(raw)
            assert reading.document is None
    (reading,) = JSON.read(b'{"messageType": "ECO", "certificates": []}')
    assert reading.findings[0].message.en == "The file holds no document."


# --- text lines -------------------------------------------------------------------------------


def csv_lines(**changes: Any) -> list[str]:
    return CSV.write(certificate(**changes)).decode("utf-8-sig").splitlines()


def read_lines(lines: list[str]) -> tuple[NationalReading, ...]:
    return CSV.read("\r\n".join(lines).encode())


def test_an_unpaired_quotation_mark_harms_its_own_line_only() -> None:
    lines = csv_lines()
    at = next(n for n, line in enumerate(lines) if line.startswith("TRN;"))
    lines[at] = lines[at].replace("Tunduma", '"Tunduma')
    (reading,) = read_lines(lines)
    assert [(f.rule, f.path) for f in reading.findings] == [("SOURCE", "")]
    assert f"line {at + 1}" in reading.findings[0].message.en


def test_a_line_with_too_few_or_many_cells_is_refused() -> None:
    for change in (lambda line: line + ";", lambda line: line.rpartition(";")[0]):
        lines = csv_lines()
        at = next(n for n, line in enumerate(lines) if line.startswith("HDR;"))
        lines[at] = change(lines[at])
        (reading,) = read_lines(lines)
        assert "cells" in reading.findings[0].message.en


def test_lines_of_unknown_type_and_lines_before_the_first_header_are_refused() -> None:
    lines = csv_lines()
    at = next(n for n, line in enumerate(lines) if line.startswith("HDR;"))
    orphan, good = read_lines(
        [*lines[:at], next(x for x in lines if x.startswith("ITM;")), *lines[at:]]
    )
    assert orphan.document is None
    assert good.document == certificate()
    (unknown,) = read_lines([*lines, "XXX;1;2"])
    assert "XXX" in unknown.findings[0].message.en


def test_a_doubled_column_name_is_refused() -> None:
    lines = csv_lines()
    lines[0] = lines[0].replace("EXP_NAME", "SERIAL")
    (reading,) = read_lines(lines)
    assert "SERIAL" in reading.findings[0].message.en


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd"])
def test_a_cell_that_a_spreadsheet_would_run_is_refused(cell: str) -> None:
    (reading,) = read_lines([line.replace("Kafue Textiles Ltd", cell) for line in csv_lines()])
    assert reading.document is None
    assert "formula" in reading.findings[0].message.en


@pytest.mark.parametrize(
    "text", ["=1+1", "@here", "-text", "'=quoted", "''=twice", "'plain", "+260 211 (0) 55", "\n=x"]
)
def test_a_text_like_a_formula_is_written_behind_an_apostrophe_and_read_back(text: str) -> None:
    document = certificate(remarks=text)
    raw = CSV.write(document)
    assert CSV.read(raw)[0].document is not None
    assert (CSV.read(raw)[0].document or document).remarks == text.strip()
    for line in raw.decode("utf-8-sig").splitlines():
        assert not any(cell.startswith(("=", "@")) for cell in line.split(";"))


def test_a_line_break_in_a_text_stays_in_its_line() -> None:
    document = certificate(remarks="first\nsecond")
    raw = CSV.write(document)
    assert b"first\\nsecond" in raw
    assert CSV.read(raw)[0].document == document


KEYED = """
format: bent
version: "1"
label: {en: Bent, fr: Plié, ar: مثني}
media_type: text/csv
carrier: {kind: csv, delimiter: ",", names: NAMES}
values:
  date: yyyy-mm-dd
  datetime: yyyy-mm-dd hh:mi
  offset: "+02:00"
  decimal: {point: "."}
tables:
  flags: {Y: "true"}
  offices:
    "402": {code: ZM-ZRA-CHR, name: Chirundu}
"""


def keyed(folder: Path, names: str = "first-row", more: str = "") -> NationalFormat:
    extra = "  key: no\n  lines: goods\n" + more
    text = yaml_of(head=KEYED.replace("NAMES", names), extra=extra)
    response = "response:\n  key: no\n  lines: goods\n" + (
        "  columns: {'': [no, at]}\n" if more else ""
    )
    return load(folder, text.replace("response:\n", response))


HEADER = "no,at,from,until,exporter,consignee,pos,text,hs,qty"
LINE = "ZM-20260309-000123,2026-03-09 12:30,2026-03-09,2027-03-09,Kafue,Nairobi,1,Cotton yarn,520512,5.5"


def test_lines_with_the_same_key_are_one_certificate(tmp_path: Path) -> None:
    second = LINE.replace(",1,Cotton", ",2,Woollen")
    blank = ",".join(["ZM-20260309-000123", *[""] * 5, "3", "Silk yarn", "500600", "1"])
    other = LINE.replace("000123", "000124")
    bent = keyed(tmp_path)
    one, two = bent.read("\n".join([HEADER, LINE, second, other, blank]).encode())
    assert one.document is not None
    assert [item.description for item in one.document.items] == [
        "Cotton yarn",
        "Woollen yarn",
        "Silk yarn",
    ]
    assert two.document is not None
    assert bent.read(bent.write(one.document))[0].document == one.document


def test_lines_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    second = LINE.replace(",1,Cotton", ",2,Cotton").replace("Kafue", "Kitwe")
    (reading,) = keyed(tmp_path).read("\n".join([HEADER, LINE, second]).encode())
    assert reading.document is None
    assert "contradict" in reading.findings[0].message.en
    assert "line 3, exporter" in reading.findings[0].message.en


def test_column_names_may_stand_in_the_mapping(tmp_path: Path) -> None:
    bent = keyed(tmp_path, "mapping", f"  columns: {{'': [{HEADER}]}}\n")
    (reading,) = bent.read(LINE.encode())
    assert reading.document is not None
    assert bent.write(reading.document).decode().splitlines()[0].startswith("ZM-20260309-000123")


def test_an_unknown_column_is_reported_with_its_name(tmp_path: Path) -> None:
    (reading,) = keyed(tmp_path).read(f"{HEADER},mood\n{LINE},good".encode())
    assert warnings(reading) == ["mood"]


TYPED = KEYED.replace("NAMES", "first-row")


def test_typed_lines_may_share_one_naming_row(tmp_path: Path) -> None:
    extra = "  type_column: T\n  types: {H: ., L: goods}\n"
    text = yaml_of(head=TYPED, extra=extra).replace(
        "response:\n", "response:\n  type_column: T\n  types: {H: .}\n"
    )
    bent = load(tmp_path, text)
    header = "H,ZM-20260309-000123,2026-03-09 12:30,2026-03-09,2027-03-09,Kafue,Nairobi,,,,"
    goods = "L,,,,,,,1,Cotton yarn,520512,5.5"
    (reading,) = bent.read("\n".join([f"T,{HEADER}", header, goods]).encode())
    assert reading.document is not None
    assert bent.read(bent.write(reading.document))[0].document == reading.document
    (odd,) = bent.read("\n".join([f"T,{HEADER}", header, goods, "X" + goods[1:]]).encode())
    assert "“X”" in odd.findings[0].message.en
    (nameless,) = bent.read("\n".join([HEADER, header]).encode())
    assert nameless.document is None


def test_a_line_type_without_naming_row_is_refused() -> None:
    lines = [line for line in csv_lines() if not line.startswith("#ITM")]
    (reading,) = read_lines(lines)
    assert "does not name the columns of lines of type “ITM”" in reading.findings[0].message.en


def test_what_the_national_encoding_cannot_write_is_refused(tmp_path: Path) -> None:
    bent = load(
        tmp_path, yaml_of().replace("{kind: json}", "{kind: json, encodings: [iso-8859-1]}")
    )
    document = read_one(bent, exporter="Société X").document
    assert document is not None
    assert "Société X".encode("iso-8859-1") in bent.write(document)
    arabic = document.model_copy(
        update={"exporter": document.exporter.model_copy(update={"name": "شركة"})}
    )
    with pytest.raises(InvalidDocumentError):
        bent.write(arabic)


def test_bytes_in_no_declared_encoding_are_refused(tmp_path: Path) -> None:
    (reading,) = load(tmp_path).read(b'{"no": "\xff\xfe\xfd"}')
    assert reading.findings[0].rule == "SOURCE"


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b'"x"',
        b"12",
        b"[1, null]",
        b'{"list": 7, "kind": "ECO"}',
        b'{"list": [], "list": [], "kind": "ECO"}',
    ],
)
def test_json_of_another_build_is_refused(tmp_path: Path, raw: bytes) -> None:
    wrapped = load(tmp_path, yaml_of(extra="  record: list\n  around: {kind: ECO}\n"))
    assert all(reading.document is None for reading in wrapped.read(raw))
    if not raw.startswith(b"{"):
        assert all(reading.document is None for reading in load(tmp_path).read(raw))


def prefixed(folder: Path) -> NationalFormat:
    carrier = "{kind: xml, namespace: 'urn:a', prefixes: {b: 'urn:b'}}"
    rows = "    - {field: remarks, source: 'b:extra/@b:note'}\n"
    text = yaml_of(rows=rows, extra="  root: coo\n").replace("{kind: json}", carrier)
    return load(folder, text.replace("response:\n", "response:\n  root: b:answer\n"))


def test_xml_may_be_one_document_with_prefixed_names(tmp_path: Path) -> None:
    bent = prefixed(tmp_path)
    parts = "".join(f"<{key}>{value}</{key}>" for key, value in source().items() if key != "goods")
    goods = "<goods><pos>1</pos><text>Cotton yarn</text><hs>520512</hs><qty>5.5</qty></goods>"
    extra = '<x:extra x:note="seen" xmlns:x="urn:b"/><other xmlns="urn:c">odd</other>'
    raw = f'<coo xmlns="urn:a">{parts}{goods}{extra}</coo>'.encode()
    (reading,) = bent.read(raw)
    assert reading.document is not None
    assert reading.document.remarks == "seen"
    assert warnings(reading) == ["{urn:c}other"]
    assert bent.read(bent.write(reading.document))[0].document == reading.document


def test_a_format_of_one_document_refuses_to_write_two(tmp_path: Path) -> None:
    bent = prefixed(tmp_path)
    document = certificate()
    with pytest.raises(InvalidDocumentError):
        bent.write_all([document, document])


def test_an_xml_document_without_elements_is_refused(tmp_path: Path) -> None:
    (reading,) = prefixed(tmp_path).read(b'<coo xmlns="urn:a">text</coo>')
    assert reading.document is None
