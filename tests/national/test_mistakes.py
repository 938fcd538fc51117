"""``eco mapping check``: every mistake of a mapping file at once, and what nothing can reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.documents.codes import Severity
from gateway.resources import data_path
from gateway.xml.national import Examination, examine, examine_file
from gateway.xml.national.marks import MAX_BYTES
from gateway.xml.national.mistakes import MOST_MISTAKES
from tests.national.bench_format import COMMON, HEAD, yaml_of

SHIPPED = sorted(data_path("mappings", "national").glob("*.yaml"))
TABLE_LINES = "tables:\n"
XML_HEAD = HEAD.replace("{kind: json}", "{kind: xml}")
CSV_HEAD = HEAD.replace("{kind: json}", "{kind: csv, delimiter: ';', names: first-row}")
KEYED = "  key: no\n  lines: goods\n"


def look(text: str) -> Examination:
    return examine(text.encode(), "bent.yaml", name="bent")


def tidy(text: str) -> str:
    """The bench format without the tables that its rows do not use."""
    start = text.index(TABLE_LINES)
    return text[:start] + text[text.index("certificate:") :]


def errors(found: Examination) -> list[str]:
    return [str(each) for each in found.mistakes if each.severity is Severity.ERROR]


def csv_of(rows: str = "", *, head: str = CSV_HEAD, extra: str = KEYED) -> str:
    text = yaml_of(head=head, extra=extra, rows=rows)
    return text.replace("response:\n", "response:\n  key: no\n  lines: goods\n")


# --- all at once ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_has_no_mistake(path: Path) -> None:
    found = examine_file(path)
    assert found.sound
    assert found.mistakes == ()


def test_a_file_with_many_mistakes_is_told_all_of_them() -> None:
    text = (
        yaml_of(rows="    - {field: nowhere, source: x, fromat: y}\n")
        .replace('version: "1"', 'version: "1"\nversions: "2"')
        .replace("fr: Plié, ", "")
        .replace("{kind: json}", "{kind: json, delimiter: ';'}")
        .replace("{field: kind, constant: STANDARD}", "{field: kind, constant: SPECIAL}")
        .replace("{field: issued_at, source: at}", "{field: issued_at, source: 'a//t', date: x}")
        .replace("    - {field: exporter.name, source: exporter}\n", "")
        .replace("constant: J. Mwansa", "constant: [J., Mwansa]")
        .replace(
            "{field: sequence_number, source: seq}",
            "{field: sequence_number, position: no, constant: '1'}",
        )
    )
    found = look(text)
    said = "\n".join(errors(found))
    for sentence in (
        '"versions" is no known key',
        'the key "fr" is missing',
        '"delimiter" is no known key',
        '"SPECIAL" is no value that kind can hold',
        '"a//t" is no path',
        '"date" does not suit issued_at',
        'row "exporter.name": the field is obligatory',
        "a single value is expected here",
        "exactly one of source, constant and position",
        "nowhere is no field of CertificateOfOrigin",
        '"fromat" is no known key',
    ):
        assert sentence in said, sentence
    assert [each.line for each in found.mistakes] == sorted(each.line for each in found.mistakes)
    assert 'issued_at": the field is obligatory' not in said


def test_one_cause_is_told_once_and_not_for_every_row() -> None:
    text = yaml_of().replace("date: yyyy-mm-dd\n", "date: dd-mm\n")
    said = [each for each in errors(look(text)) if "does not name each" in each]
    assert len(said) == 1


def test_of_too_many_mistakes_the_errors_come_first() -> None:
    codes = ", ".join(f'"{n} ": Q{n}' for n in range(300))
    row = "    - {field: items, source: x}\n    - {field: remarks, source: r, table: many}\n"
    text = yaml_of(rows=row).replace(TABLE_LINES, f"tables:\n  many: {{{codes}}}\n")
    found = look(text)
    assert len(found.mistakes) == MOST_MISTAKES
    assert not found.sound
    assert errors(found)


# --- the file as such -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "line", "sentence"),
    [
        (b"a: 1\nb: \xff\n", 2, "this is no UTF-8"),
        (b"x" * (MAX_BYTES + 1), 1, "longer than"),
        (b"a: " + b"[" * 100 + b"]" * 100, 1, "nested too deeply"),
        (b'a: 1\nb: "\\UFFFFFFFF"\n', 2, "no YAML"),
        (b'a: 1\nb: "\\ud800"\n', 2, "is no text"),
        (b"a: 1\n\x07: b\n", 2, "special characters"),
        (b"a: 1\nb: *c\n", 2, "anchors are not read"),
        (b"a: 1\n? [b]\n: 1\n", 2, "a key must be one plain text"),
        (b"a: 1\na: 2\n", 2, '"a" is written twice'),
        (b"--- a\n--- b\n", 2, "but found another document"),
        (b"", 1, "the file is empty"),
        (b"- a\n", 1, "keys with values are expected"),
    ],
)
def test_what_is_no_mapping_file_has_file_line_and_remedy(
    raw: bytes, line: int, sentence: str
) -> None:
    found = examine(raw, "bent.yaml", name="bent")
    assert not found.sound
    (said, *_) = [each for each in found.mistakes if sentence in each.problem]
    assert (said.file, said.line) == ("bent.yaml", line)
    assert said.remedy


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('version: "1"', 'version: "1 2"', '"1 2" is no version'),
        ("application/json", "json; evil", '"json; evil" is no media_type'),
        ("carrier:", "suffixes: [csv]\ncarrier:", '"csv" is no ending of file names'),
        ("{en: Bent,", '{en: "",', "this is no label"),
        ("carrier: {kind: json}", "carrier: {kind: json, encodings: ['a\\0b']}", "is no known"),
    ],
)
def test_a_heading_that_others_would_repeat_is_plain(old: str, new: str, sentence: str) -> None:
    assert sentence in "\n".join(errors(look(yaml_of().replace(old, new, 1))))


@pytest.mark.parametrize("name", ["json", "xml", "Bent", "-bent", "b" * 41])
def test_a_format_has_a_name_of_its_own(name: str) -> None:
    found = examine(yaml_of().replace("format: bent", f"format: {name}").encode(), "x", name=name)
    assert "cannot name a format" in "\n".join(errors(found))


# --- rows that nothing can reach ------------------------------------------------------------------


def test_the_bench_format_without_its_idle_tables_is_sound() -> None:
    found = look(tidy(yaml_of()))
    assert found.mistakes == ()
    assert found.sound


def test_a_table_that_no_row_uses_is_a_warning() -> None:
    found = look(yaml_of())
    assert [each.problem for each in found.mistakes] == [
        'no row uses the table "flags"',
        'no row uses the table "offices"',
    ]
    assert found.sound


ROWS = [
    ("{field: producer_remark, constant: x}", "is no field"),
    ("{field: total_gross_weight.unit, constant: KGM}", '"total_gross_weight.value"'),
    ("{field: original_certificate.country, constant: KE}", "never takes effect"),
    (
        "{group: 'endorsements[]', rows: [{field: text, constant: Replaces another.}]}",
        "it never comes to be",
    ),
    ("{field: remarks, source: goods/text}", None),
    ("{field: remarks, source: exporter/name}", '"exporter" cannot be a value'),
    ("{field: remarks, source: goods}", '"goods" cannot be a value'),
]


@pytest.mark.parametrize(("row", "sentence"), ROWS)
def test_a_row_that_can_never_take_effect_is_named(row: str, sentence: str | None) -> None:
    said = "\n".join(errors(look(tidy(yaml_of(rows=f"    - {row}\n")))))
    if sentence is None:
        assert not said
    else:
        assert sentence in said


def test_an_attribute_beside_a_text_is_no_clash() -> None:
    text = tidy(yaml_of(head=XML_HEAD, extra="  root: eco\n")).replace(
        "response:\n", "response:\n  root: eco\n"
    )
    row = "    - {field: remarks, source: exporter/@note}\n"
    assert errors(look(text.replace("response:\n", row + "response:\n"))) == []


def test_every_document_must_have_its_goods() -> None:
    start, end = COMMON.index("    - group: items[]"), COMMON.index("    - {field: consent")
    without = COMMON[:start] + COMMON[end:]
    said = "\n".join(errors(look(tidy(yaml_of(common=without)))))
    assert 'row "items[]": every document must have it, but no group fills it' in said


def test_a_column_of_the_whole_document_cannot_belong_to_a_line_too() -> None:
    text = tidy(csv_of()).replace(
        "{field: description, source: text}", "{field: description, source: exporter}"
    )
    said = "\n".join(errors(look(text)))
    assert (
        'the column "exporter" is read for the whole document elsewhere. Write "/exporter"' in said
    )
    assert errors(look(text.replace("source: exporter}", "source: /exporter}"))) == []


def test_a_column_that_the_mapping_does_not_list_is_named() -> None:
    head = CSV_HEAD.replace("first-row", "mapping")
    names = "no, at, from, until, exporter, consignee, pos, text, hs"
    text = tidy(csv_of(head=head, extra=KEYED + f'  columns: {{"": [{names}]}}\n'))
    text = text.replace(
        "response:\n", 'response:\n  columns: {"": [no, at, officer, serial, day, seq, status]}\n'
    )
    (said,) = errors(look(text))
    assert 'row "items[].quantity.value": columns: lists no "qty" here' in said


@pytest.mark.parametrize(
    ("keys", "codes", "reason"),
    [
        ("remove: '.'", '"a.b": X', "its characters are removed before"),
        ("", '" a": X', "the white space around a value is dropped"),
        ("", '"": X', "a blank source is never looked up"),
        ("absent: none", "none: X", "the row takes it for absent"),
    ],
)
def test_a_code_that_no_value_can_meet_is_a_warning(keys: str, codes: str, reason: str) -> None:
    row = f"    - {{field: remarks, source: r, table: own{', ' + keys if keys else ''}}}\n"
    text = tidy(yaml_of(rows=row)).replace(
        "certificate:", f"tables:\n  own: {{{codes}}}\ncertificate:"
    )
    found = look(text)
    (said,) = found.mistakes
    assert reason in said.problem
    assert said.severity is Severity.WARNING
    assert found.sound


# --- codes that no list knows ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("constant: ZM}", "constant: QQ}", '"QQ" is not in the code list countries'),
        ("constant: COMESA}", "constant: ATLANTIS}", 'no agreement is called "ATLANTIS"'),
        (
            "{field: criterion.code, constant: P}",
            "{field: criterion.code, constant: Z}",
            '"Z" is no origin criterion',
        ),
        (
            '{field: transport.mode, constant: "3"}',
            '{field: transport.mode, source: m, default: "77"}',
            '"77" is not in the code list transport-modes',
        ),
    ],
)
def test_a_code_that_is_not_known_is_named(old: str, new: str, sentence: str) -> None:
    text = tidy(yaml_of())
    assert old in text
    assert sentence in "\n".join(errors(look(text.replace(old, new, 1))))


def test_a_code_of_a_table_is_judged_with_the_prefix_that_follows_it() -> None:
    row = "{field: exporting_country, source: c, table: lands, prefix: Z}"
    text = tidy(yaml_of()).replace("{field: exporting_country, constant: ZM}", row)
    text = text.replace("certificate:", "tables:\n  lands: {one: M, two: Q}\ncertificate:", 1)
    (said,) = errors(look(text))
    assert '"ZQ" is not in the code list countries' in said


# --- whatever is written --------------------------------------------------------------------------

BASES = (tidy(yaml_of()), csv_of(), SHIPPED[0].read_text(encoding="utf-8")[:9000])
PIECES = st.sampled_from(
    [
        "\t",
        ":",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "*a",
        "&a ",
        "!!int ",
        "|\n",
        '"',
        "'",
        "\\",
        "#",
        "?",
        "%YAML 9",
        "\n",
        "---\n",
        "\u202e",
        "\ud7ff",
        "\x00",
        "\x85",
        "source: ",
        "group: x[]",
        "each: .",
        "table: ",
        "..",
        "//",
        "\U0001f600",
        "null",
    ]
)


def assert_located(raw: bytes) -> None:
    found = examine(raw, "bent.yaml", name="bent")
    lines = raw.count(b"\n") + raw.count(b"\r") + raw.count("\x85".encode()) + 2
    lines += raw.count("\u2028".encode()) + raw.count("\u2029".encode())
    for each in found.mistakes:
        assert each.file == "bent.yaml"
        assert 1 <= each.line <= lines
        assert each.problem
        assert each.remedy
        assert str(each).isprintable()
    assert found.sound or errors(found)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(BASES), st.data())
def test_a_file_changed_anywhere_is_answered_with_places(base: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(base)))
        cut = data.draw(st.integers(0, 12))
        base = base[:at] + data.draw(PIECES) + base[at + cut :]
    assert_located(base.encode("utf-8", "replace"))


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_are_answered_with_places(raw: bytes) -> None:
    assert_located(raw)
