"""Every mistake in a mapping file names the file, the line, the row and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import MappingError
from tests.national.bench_format import HEAD, load, yaml_of


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(MappingError) as caught:
        load(folder, text)
    assert "bent.yaml" in caught.value.detail
    return caught.value.detail


ROWS = [
    ("{field: remark, source: r}", "remark is no field of CertificateOfOrigin"),
    ("{field: 'invoices[].number', source: r}", "no field of CertificateOfOrigin here"),
    ("{field: remarks, constants: r}", '"constants" is no known key'),
    ("{field: remarks}", "exactly one of source, constant and position"),
    ("{field: remarks, source: r, constant: x}", "exactly one of source, constant and position"),
    ("{field: remarks, constant: x, prefix: y}", 'makes sense with "source" only'),
    ("{field: remarks, source: r, date: ddmmyyyy}", '"date" does not suit remarks'),
    ("{field: version, source: r, decimal: {point: ','}}", '"decimal" does not suit version'),
    ("{field: remarks, source: r, table: nowhere}", 'there is no table "nowhere"'),
    ("{field: remarks, source: r, table: offices}", 'has no column ""'),
    ("{field: remarks, source: r, table: flags, column: x}", 'has no column "x"'),
    ("{field: remarks, source: r, column: x}", '"column" stands without "table"'),
    ("{field: remarks, source: r, otherwise: keep}", '"otherwise" stands without "table"'),
    ("{field: remarks, source: r, table: flags, otherwise: maybe}", '"maybe" is not known'),
    ("{field: value_basis, source: r, table: flags}", 'gives "true", which the field cannot hold'),
    ("{field: version, constant: many}", '"many" is no value that version can hold'),
    ("{field: version, source: r, default: '0'}", '"0" is no value that version can hold'),
    ("{field: total_packages, constant: '-1'}", '"-1" is no value'),
    ("{field: remarks, position: yes}", "cannot count positions"),
    ("{field: remarks, source: r, split: ','}", "remarks holds one value"),
    ("{field: remarks, source: [a, b]}", "cannot be told apart"),
    ("{field: remarks, source: []}", "cannot be told apart"),
    ("{field: remarks, source: 'a//b'}", '"a//b" is no path'),
    ("{field: remarks, source: 'a[b'}", '"a[b" is no path'),
    ("{field: remarks, source: ''}", '"" is no path'),
    ("{field: remarks, source: r, only: sometimes}", '"sometimes" is no direction'),
    ("{field: remarks, source: r, as: figure}", '"figure" is no kind of value'),
    ("{field: serial_number, source: other}", "the field is filled twice"),
    ("{field: stamp.media_type, source: r}", '"stamp.content"'),
    ("{field: exporter.contact.email, source: r}", '"exporter.contact.name"'),
    ("{field: transport.departed_on, source: r, date: dd-mm}", "does not name each of yyyy mm dd"),
    ("{field: transport.departed_on, source: r, date: dd dd mm yyyy}", "exactly once"),
    ("{field: transport.departed_on, source: r, date: ddmmyyyyhh}", "names a time of day"),
    ("{field: transport.departed_on, source: r, date: ddmmyyyyss}", "names a time of day"),
    ("{field: total_gross_weight.value, source: r, decimal: {point: '-'}}", "two different single"),
    ("{field: total_gross_weight.value, source: r, decimal: {point: x}}", "two different single"),
    (
        "{field: total_gross_weight.value, source: r, decimal: {point: ',', thousands: ','}}",
        "two different single",
    ),
    ("{field: total_packages, source: r, digits: roman}", '"roman" is no kind of digits'),
    ("{group: exporter, rows: []}", "exporter is no repeated record"),
    (
        "{group: 'invoices[]', each: '.', rows: [{field: number, source: n}]}",
        '"." cannot be repeated',
    ),
    (
        "{group: 'invoices[]', each: i, rows: [{field: issued_on, source: n}]}",
        '"invoices[].number"',
    ),
    ("{group: 'invoices[]', each: i}", 'the key "rows" is missing'),
    ("{fixed: X}", 'the key "source" is missing'),
    ("{source: X}", 'neither "field", "group" nor "fixed"'),
    (
        "{field: 'transport.equipment[].seals[]', constant: x}",
        "no field of CertificateOfOrigin here",
    ),
]


@pytest.mark.parametrize(("row", "sentence"), ROWS, ids=[sentence for _, sentence in ROWS])
def test_a_wrong_row_is_named_with_its_line(tmp_path: Path, row: str, sentence: str) -> None:
    text = yaml_of(rows=f"    - {row}\n")
    line = text[: text.index(row)].count("\n") + 1
    detail = refusal(tmp_path, text)
    assert sentence in detail
    if "obligatory" not in detail:
        assert f"line {line}" in detail


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('  decimal: {point: "."}\n', "", "nothing says how it is written"),
        ("  date: yyyy-mm-dd\n", "", "nothing says how it is written"),
        ('  offset: "+02:00"\n', "", "nothing says how it is written"),
        ('"+02:00"', '"2 hours"', '"2 hours" is no offset'),
        ("format: bent", "format: straight", "Write bent"),
        ("kind: json", "kind: punch-card", "is no carrier"),
        ("{kind: json}", "{}", 'the key "kind" is missing'),
        ("{kind: json}", "{kind: json, delimiter: ','}", '"delimiter" is no known key'),
        ("{kind: json}", "{kind: json, encodings: [klingon]}", '"klingon" is no known encoding'),
        ('  flags: {Y: "true", N: "false"}', "  flags: {}", 'the table "flags" is empty'),
        ("fr: Plié, ", "", 'the key "fr" is missing'),
        ("  reference: no\n", "", 'the key "reference" is missing'),
        (
            "    - {field: serial_number, source: no}\n",
            "",
            '"serial_number": the field is obligatory',
        ),
        (
            "        - {field: hs_code, source: hs}\n",
            "",
            '"items[].hs_code": the field is obligatory',
        ),
        ('version: "1"', 'version: "1"\nversion: "2"', '"version" is written twice'),
        ('version: "1"', 'versions: "1"', '"versions" is no known key'),
        ('version: "1"', "version: [1]", "a single value is expected"),
        ("values:\n", "values: &a\n", "column"),
        ("  rows:\n", "  record: [a]\n  rows:\n", "a single value is expected"),
        ("  rows:\n", "  root: x\n  rows:\n", '"root" is unknown to json files'),
        ("  rows:\n", "  around: {a: b}\n  rows:\n", "around: needs record:"),
        ("  rows:\n", "  ignored:\n    - {source: x}\n  rows:\n", 'the key "reason" is missing'),
        ("  rows:\n", "  omitted:\n    - {field: x, reason: y}\n  rows:\n", '"x" is no field'),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    text = yaml_of()
    assert old in text
    if new == "values: &a\n":
        text, sentence = (
            text.replace(old, new, 1).replace("tables:", "x: *a\ntables:", 1),
            "anchors",
        )
    else:
        text = text.replace(old, new, 1)
    assert sentence in refusal(tmp_path, text)


def test_a_file_without_response_section_is_refused(tmp_path: Path) -> None:
    text = yaml_of()
    assert '"response" is missing' in refusal(tmp_path, text[: text.index("response:")])


@pytest.mark.parametrize("text", ["", "a: [", "\t- x", "just text", "- a\n- b\n"])
def test_what_is_no_mapping_file_is_refused(tmp_path: Path, text: str) -> None:
    refusal(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    from gateway.xml.national import NationalFormat

    with pytest.raises(MappingError, match=r"nowhere\.yaml"):
        NationalFormat.load(tmp_path / "nowhere.yaml")


def as_csv(section: str, carrier: str = "kind: csv, delimiter: ';', names: first-row") -> str:
    head = HEAD.replace("kind: json", carrier)
    text = yaml_of(head=head, extra=section)
    return text.replace("response:\n", "response:\n  key: no\n  lines: goods\n")


GOOD = "  key: no\n  lines: goods\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (as_csv(""), "one of two layouts"),
        (as_csv(GOOD + "  type_column: T\n  types: {A: .}\n"), "one of two layouts"),
        (as_csv("  type_column: T\n  types: {A: goods}\n"), "exactly one type of line"),
        (as_csv("  type_column: T\n  types: {A: ., B: goods, C: .}\n"), "exactly one type of line"),
        (as_csv("  type_column: T\n  types: {A: .}\n"), 'no line carries the part "goods"'),
        (as_csv(GOOD, "kind: csv, delimiter: ';', names: type-rows"), "there are no types of line"),
        (as_csv(GOOD, "kind: csv, delimiter: ';', names: mapping"), "columns: must list"),
        (as_csv(GOOD, "kind: csv, delimiter: ';;', names: first-row"), "the delimiter must be one"),
        (as_csv(GOOD, "kind: csv, delimiter: a, names: first-row"), "the delimiter must be one"),
        (as_csv(GOOD, "kind: csv, delimiter: ';', names: behind"), "is no place of column names"),
        (as_csv(GOOD, "kind: csv, delimiter: ';', names: first-row, bom: 1"), "yes or no"),
        (
            as_csv(GOOD).replace("source: exporter}", "source: a/b}", 1),
            "is no column of a CSV line",
        ),
        (as_csv(GOOD + "  record: x\n"), '"record" is unknown to csv files'),
    ],
)
def test_a_csv_section_that_cannot_be_carried_is_refused(
    tmp_path: Path, text: str, sentence: str
) -> None:
    assert sentence in refusal(tmp_path, text)


def test_a_csv_line_has_no_repeated_parts(tmp_path: Path) -> None:
    inner = "        - {group: 'invoices[]', each: i, rows: [{field: number, source: n}]}\n"
    text = as_csv(GOOD).replace(
        "        - {field: hs_code, source: hs}\n",
        "        - {field: hs_code, source: hs}\n" + inner,
    )
    assert "a CSV line has no repeated parts" in refusal(tmp_path, text)


def test_an_xml_section_needs_a_root(tmp_path: Path) -> None:
    assert '"root" is missing' in refusal(tmp_path, yaml_of(head=HEAD.replace("json}", "xml}")))


@pytest.mark.parametrize(
    ("section", "row", "sentence"),
    [
        ("  root: '1st'\n", "", "is no path of XML names"),
        ("  root: a/b\n", "", "is no element name"),
        ("  root: a\n", "    - {field: remarks, source: 'two words'}\n", "is no path of XML names"),
        ("  root: a\n  around: {b: c}\n", "", "around: needs record:"),
        ("  root: a\n  key: b\n", "", '"key" is unknown to xml files'),
    ],
)
def test_an_xml_section_that_cannot_be_carried_is_refused(
    tmp_path: Path, section: str, row: str, sentence: str
) -> None:
    text = yaml_of(head=HEAD.replace("json}", "xml}"), extra=section, rows=row)
    assert sentence in refusal(tmp_path, text)
