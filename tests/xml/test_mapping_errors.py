"""A mapping table that is wrong says so when it is loaded: file, line and row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import MappingError
from gateway.resources import data_path
from gateway.xml.mapping import MappingTable

TABLE = data_path("mappings", "certificate-of-origin.yaml").read_text(encoding="utf-8")
Load = Callable[[str], MappingTable]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load the text of a table from a file called ``coo.yaml``."""

    def load(text: str) -> MappingTable:
        path = tmp_path / "coo.yaml"
        path.write_text(text, encoding="utf-8")
        return MappingTable.load(path)

    return load


def line_of(text: str, part: str) -> int:
    return text[: text.rindex(part)].count("\n") + 1


def changed(old: str, new: str) -> str:
    assert old in TABLE, old
    return TABLE.replace(old, new, 1)


def refused(load: Load, text: str) -> str:
    with pytest.raises(MappingError) as caught:
        load(text)
    return caught.value.detail


ROUTE = "  - field: transport.route\n"


def test_the_table_as_shipped_loads(load):
    assert load(TABLE).version == "1.0"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("field: transport.route", "field: transport.rout", "no field 'transport.rout'"),
        ("field: transport.route", "feild: transport.route", "exactly one of field"),
        ("field: transport.route", "field: remarks", "has a row already, on line"),
        ("field: transport.route", "field: items[].description", "group of its own"),
    ],
)
def test_a_wrong_field_is_named_with_file_line_and_row(load, old, new, complaint):
    text = changed(old, new)
    detail = refused(load, text)
    assert f"coo.yaml:{line_of(text, new)}: row " in detail
    assert complaint in detail


@pytest.mark.parametrize(
    ("new", "complaint"),
    [
        ("rsm:ExchangedDocument/ram:Routing", "the schema has no ram:Routing"),
        ("rsm:ExchangedDocument/xyz:ID", "prefix 'xyz'"),
        ("rsm:ExchangedDocument//ram:ID", "cannot be read"),
        ("rsm:ExchangedDocument/ram:ID[2]", "cannot be read"),
        ("rsm:ExchangedDocument/", "ends in a slash"),
        ("rsm:ExchangedDocument/ram:ID", "already filled"),
        ("rsm:ExchangedDocument/ram:ID/@schemeURI", "no attribute schemeURI"),
        ("rsm:ExchangedDocument/ram:IssueDateTime", "already filled"),
        ("rsm:ExchangedDocument/ram:IncludedNote/ram:Content", "cannot be told apart"),
        (
            "rsm:ExchangedDocument/ram:EffectiveSpecifiedPeriod",
            "an element with text has no elements below it",
        ),
        (
            "rsm:RetrospectiveApplicationSupplyChainEvent/ram:OccurrenceDateTime",
            "already filled",
        ),
    ],
)
def test_a_wrong_xml_path_is_named_with_file_and_row(load, new, complaint):
    row = "rsm:ExchangedDocument/ram:IncludedNote[ram:ContentCode='ROUTE']/ram:Content"
    detail = refused(load, changed(row, new))
    assert "coo.yaml:" in detail
    assert complaint in detail


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("    label: {en: Route,", "    lable: {en: Route,", "does not know the key 'lable'"),
        ("{en: Route, fr: Itinéraire, ar: خط السير}", "{en: Route}", "label in en, fr and ar"),
        ("{en: Route, fr: Itinéraire, ar: خط السير}", "rout", "no label is named 'rout'"),
        ("attributes: {schemeID: ECO-EXPORTER}", "attributes: schemeID", "mapping of texts"),
        ("attributes: {schemeID: ECO-EXPORTER}", "attributes: {listID: X}", "no attribute listID"),
        ('{"true": GRANTED, "false": WITHHELD}', '{"true": GRANTED}', "do not cover"),
        ('{"true": GRANTED, "false": WITHHELD}', '{"true": A, "false": A}', "the same code"),
        ("as: sha256-uri", "as: sha1", "no form is named 'sha1'"),
        ("as: sha256-uri", "as: date-102", "does not fit the element's type"),
        ("as: sha256-uri", "codes: {a: b}", "only enumerations"),
        ("1\\.[0-9]{1,3}'", "1\\.[0-9'", "no regular expression"),
        ("record: exporter", "record: exportr", "no record 'exportr'"),
        ("each: endorsements", "each: endorsement", "repeats no 'endorsement[]'"),
        ("each: seals\n        xml: ram:AffixedLogisticsSeal", "each: seals\n        xml: .", "element of its own"),
        (
            "each: endorsements\n    xml: rsm:ExchangedDocument/ram:IncludedNote[ram:ContentCode='ENDORSEMENT']",
            "each: endorsements\n    xml: rsm:RetrospectiveApplicationSupplyChainEvent",
            "RetrospectiveApplicationSupplyChainEvent",
        ),
        (
            "xml: rsm:SpecifiedSupplyChainConsignment/ram:PackageQuantity",
            "xml: rsm:ActualDespatchSupplyChainEvent/ram:OccurrenceDateTime/@format",
            "no attribute format",
        ),
        ("field: unit, xml: ram:GrossWeightMeasure/@unitCode", "field: unit, xml: ram:PackageQuantity/@unitCode", "demands the attribute unitCode"),
        ('constant: "864"\n    xml: rsm:ExchangedDocument/ram:TypeCode', 'constant: "864"\n    xml: rsm:ExchangedDocument', "hold no text"),
        ("ram:IncludedBinaryObject/@mimeCode", "ram:FileName/@mimeCode", "fields in attributes"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named_with_file_and_row(load, old, new, complaint):
    detail = refused(load, changed(old, new))
    assert "coo.yaml:" in detail
    assert ": row " in detail
    assert complaint in detail


def test_a_lost_row_is_reported_with_the_field_that_it_carried(load):
    start = TABLE.index(ROUTE)
    end = TABLE.index("  - record: transport.loading_place")
    detail = refused(load, TABLE[:start] + TABLE[end:])
    assert "coo.yaml" in detail
    assert "mapping loses field 'transport.route'" in detail


def test_a_field_may_be_left_out_with_a_reason(load):
    start = TABLE.index(ROUTE)
    end = TABLE.index("  - record: transport.loading_place")
    reason = "not_carried:\n  transport.route: It never leaves the national system.\nrows:\n"
    table = load((TABLE[:start] + TABLE[end:]).replace("rows:\n", reason, 1))
    assert all(row.field != "transport.route" for row in table.rows)


@pytest.mark.parametrize("field", ["remarks", "no.such.field"])
def test_a_reason_for_a_field_that_is_carried_or_unknown_is_refused(load, field):
    text = changed("rows:\n", f"not_carried:\n  {field}: Why not.\nrows:\n")
    assert repr(field) in refused(load, text)


def test_an_element_that_the_schema_demands_must_have_a_row(load):
    start = TABLE.index("  - field: purpose")
    end = TABLE.index("  - field: version\n")
    text = (TABLE[:start] + TABLE[end:]).replace(
        "rows:\n", "not_carried:\n  purpose: No.\nrows:\n", 1
    )
    assert "the schema demands PurposeCode" in refused(load, text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must be a mapping"),
        ("[1, 2]", "must be a mapping"),
        ("document: Nothing\nversion: '1.0'\nrows: []", "no document 'Nothing'"),
        ("document: CertificateOfOrigin\nrows: []", "needs a version"),
        ("document: CertificateOfOrigin\nversion: '9.9'\nrows: []", "cannot be read"),
        ("document: CertificateOfOrigin\nversion: '1.0'\nrows: []", "list under 'rows'"),
        ("document: CertificateOfOrigin\nversion: '1.0'\nrows: [x]", "must be a mapping"),
        ("document: CertificateOfOrigin\nversion: '1.0'\nlabels: x\nrows: [x]", "labels"),
        (
            "document: CertificateOfOrigin\nversion: '1.0'\nnot_carried: x\nrows: []",
            "list under 'rows'",
        ),
        ("document: CertificateOfOrigin\nversion: '1.0'\nodd: x", "does not know the key 'odd'"),
        ("a: 1\na: 2", "'a' stands twice"),
        ("a: [", "coo.yaml:"),
        ("a: \x07", "is not YAML"),
    ],
)
def test_a_file_that_is_no_table_is_refused(load, text, complaint):
    detail = refused(load, text)
    assert "coo.yaml" in detail or "xsd" in detail
    assert complaint in detail


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MappingError, match=r"none\.yaml"):
        MappingTable.load(tmp_path / "none.yaml")


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("document: é".encode("latin-1"))
    with pytest.raises(MappingError, match=r"latin\.yaml: is not UTF-8"):
        MappingTable.load(path)
