"""The mapping engine: every document survives the way through its message unchanged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.documents import CertificateOfOrigin, DocumentType, document_type_of
from gateway.documents.fields import leaves
from gateway.documents.shape import MODELS
from gateway.errors import InvalidDocumentError
from gateway.xml.mapping import MappingTable, Row, RowKind, load_tables
from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.blueprint import Declaration
from gateway.xml.mapping.plan import Constant, Node
from gateway.xml.mapping.rendering import compile_writer
from gateway.xml.mapping.steps import Step
from gateway.xml.namespaces import DS_NS, GUIDELINES, RAM_NS, message_namespace
from gateway.xml.parsing import parse
from gateway.xml.schema import SchemaSet
from tests.factories import certificate, customs_response, goods_item
from tests.xml.full import FULL_DOCUMENTS, acknowledgement
from tests.xml.strategies import (
    HOSTILE,
    acknowledgements,
    books_statements,
    certificates,
    customs_responses,
    documents,
)

TABLES = load_tables()
SCHEMAS = SchemaSet.load()
MODEST = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def rendered(document: Any) -> bytes:
    return TABLES[document_type_of(document)].render(document)


def read(kind: DocumentType, raw: bytes) -> Any:
    return TABLES[kind].read(parse(raw))


def assert_survives(document: Any) -> None:
    back = read(document_type_of(document), rendered(document))
    assert back == document
    assert back.model_dump_json() == document.model_dump_json()  # digits and offsets too


def refused(kind: DocumentType, raw: bytes) -> InvalidDocumentError:
    with pytest.raises(InvalidDocumentError) as caught:
        read(kind, raw)
    return caught.value


COO = DocumentType.CERTIFICATE_OF_ORIGIN


# --- both ways ----------------------------------------------------------------------------------


@MODEST
@given(certificates())
def test_every_certificate_is_read_as_it_was_rendered(document):
    assert_survives(document)


@MODEST
@given(customs_responses())
def test_every_customs_response_is_read_as_it_was_rendered(document):
    assert_survives(document)


@MODEST
@given(acknowledgements())
def test_every_acknowledgement_is_read_as_it_was_rendered(document):
    assert_survives(document)


@MODEST
@given(books_statements())
def test_every_books_statement_is_read_as_it_was_rendered(document):
    assert_survives(document)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_survives_in_every_kind_of_box(text):
    assert_survives(
        certificate(
            remarks=text,
            items=(goods_item(description=text, packages={"kind": "CT", "marks": text}),),
        )
    )


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1))
@settings(max_examples=200, deadline=None)
def test_any_printable_text_survives(text):
    if text.strip() and not any(ord(char) & 0xFFFE == 0xFFFE for char in text):
        noncharacters = range(0xFDD0, 0xFDF0)
        if not any(ord(char) in noncharacters for char in text):
            assert_survives(certificate(remarks=text))


def test_a_certificate_without_items_survives():
    assert_survives(certificate(items=()))


def test_the_offset_of_a_time_is_kept():
    zone = timezone(-timedelta(hours=3, minutes=30))
    document = certificate(issued_at=datetime(2026, 3, 9, 0, 5, tzinfo=zone))
    assert b">202603090005-0330<" in rendered(document)
    back = read(COO, rendered(document))
    assert back.issued_at.utcoffset() == timedelta(hours=-3, minutes=-30)


def test_noughts_after_the_point_are_kept():
    document = certificate(total_gross_weight={"value": Decimal("0.500"), "unit": "KGM"})
    assert str(read(COO, rendered(document)).total_gross_weight.value) == "0.500"


def test_the_message_is_one_line_of_utf_8_with_a_declaration():
    raw = rendered(certificate(remarks="القطن"))
    assert raw.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<rsm:CertificateOfOrigin ')
    assert raw.count(b"\n") == 1
    assert "القطن".encode() in raw


def test_a_table_may_quote_whatever_it_likes_and_nothing_of_it_is_run():
    odd = "it's {record} \\ \"\"\" ''' {{0}} %s &<>"
    element = Step("{urn:x}Odd", "x:Odd")
    root = Step("{urn:x}Root", "x:Root")
    kind = Declaration("{urn:x}Root", "{urn:x}RootType", 1, 1, {})
    note = Node(element, kind, "x:Odd", 1, "", constant=Constant(odd), constants={"a": odd})
    place = Node(root, kind, "x:Root", 1, "", children=[note])
    write = compile_writer(place, Anatomy(CertificateOfOrigin), {"x": "urn:x"})
    written = etree.fromstring(write(certificate()))[0]
    assert (written.text, written.get("a")) == (odd, odd)


def test_rendering_twice_gives_the_same_bytes():
    assert rendered(certificate()) == rendered(certificate())


def test_rendering_a_document_of_another_type_is_our_own_mistake():
    with pytest.raises(TypeError, match="CustomsResponse"):
        TABLES[COO].render(customs_response())


# --- what a table says ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DocumentType)
def test_every_field_of_the_model_has_one_row(kind):
    carried = [row.field for row in TABLES[kind].rows if row.kind is RowKind.VALUE]
    assert sorted(carried) == sorted(leaves(MODELS[kind]))


def every_row() -> list[tuple[DocumentType, Row]]:
    return [(kind, row) for kind, table in TABLES.items() for row in table.rows]


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        pytest.param(kind, row, id=f"{kind}:{row.field or row.constant}@{row.line}")
        for kind, row in every_row()
    ],
)
def test_every_row_produces_xml_for_a_full_document(kind, row):
    produced = etree.fromstring(rendered(FULL_DOCUMENTS[kind]))
    namespaces = {prefix: uri for prefix, uri in produced.nsmap.items() if prefix is not None}
    assert produced.xpath(f"/*/{row.xml}", namespaces=namespaces), row.xml


@pytest.mark.parametrize("kind", DocumentType)
def test_people_read_a_label_in_three_languages_for_every_field(kind):
    for row in TABLES[kind].rows:
        assert (row.label is not None) == (row.kind is RowKind.VALUE), row
        if row.label:
            assert any("\u0600" <= char <= "\u06ff" for char in row.label.ar), row
            assert row.label.en


@pytest.mark.parametrize("box", ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"])
def test_every_box_of_the_form_has_a_row(box):
    assert any(row.box == box for row in TABLES[COO].rows)


def test_a_row_is_found_by_the_path_of_a_finding():
    table = TABLES[COO]
    found = table.row_for("items[12].invoices[0].number")
    assert found is not None
    assert (found.field, found.box) == ("items[].invoices[].number", "10")
    of_record = table.row_for("items[0].packages")
    assert of_record is not None
    assert of_record.box == "6"
    assert table.row_for("no.such.field") is None


def test_each_table_names_its_own_guideline():
    for kind, table in TABLES.items():
        assert GUIDELINES[kind] in {row.constant for row in table.rows}


# --- what reading refuses ---------------------------------------------------------------------------


def swap(old: str, new: str, document: Any = None) -> bytes:
    raw = rendered(document or certificate()).decode()
    assert old in raw, old
    return raw.replace(old, new, 1).encode()


def test_a_wrong_day_is_named_with_path_box_and_article():
    error = refused(COO, swap(">20260305<", ">20260230<"))
    (finding,) = error.findings
    assert finding.path == "items[0].invoices[0].issued_on"
    assert finding.box == "10"
    assert "102" in finding.message.en
    assert "102" in finding.message.fr
    assert "102" in finding.message.ar


def test_every_wrong_value_is_found_in_one_pass():
    raw = swap(">12500<", ">12.500,0<").decode()
    raw = raw.replace('listID="ECO-CERTIFICATE-KIND">STANDARD', 'listID="ECO-CERTIFICATE-KIND">ODD')
    raw = raw.replace("<ram:VersionID>1<", "<ram:VersionID>one<")
    paths = {finding.path for finding in refused(COO, raw.encode()).findings}
    assert paths == {"total_gross_weight.value", "kind", "version"}


def test_a_value_out_of_range_is_found_by_the_model_and_gets_its_box():
    error = refused(COO, swap("<ram:CountryID>KE<", "<ram:CountryID>Kenya<"))
    (finding,) = error.findings
    assert (finding.path, finding.box) == ("consignee.address.country", "2")


def test_a_missing_element_is_found_by_the_model():
    error = refused(
        COO, swap("<rsm:ExportTradeCountry><ram:ID>ZM</ram:ID></rsm:ExportTradeCountry>", "")
    )
    assert [finding.path for finding in error.findings] == ["exporting_country"]
    assert error.findings[0].box == "3"


def test_an_element_without_a_row_is_not_silently_lost():
    # RegisteredID is in our schema for every party, but only the exporter has a row for it.
    error = refused(
        COO,
        swap(
            "<ram:RoleCode>CN</ram:RoleCode>",
            "<ram:RoleCode>CN</ram:RoleCode><ram:RegisteredID>COM-KE1</ram:RegisteredID>",
        ),
    )
    assert "RegisteredID" in error.findings[0].message.en


def test_an_attribute_without_a_row_is_not_silently_lost():
    error = refused(COO, swap("<ram:Name>", '<ram:Name languageID="fr">'))
    assert "languageID" in error.findings[0].message.en


def test_a_type_substituted_in_the_instance_is_refused():
    schema_instance = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x"'
    assert refused(COO, swap("<ram:Name>", f"<ram:Name {schema_instance}>"))


def test_an_element_below_a_text_is_refused():
    assert refused(COO, swap("<ram:Name>Kafue", "<ram:Name><ram:ID>x</ram:ID>Kafue"))


def test_an_element_below_a_constant_is_refused():
    assert refused(COO, swap("<ram:RoleCode>EX", "<ram:RoleCode><ram:ID>x</ram:ID>EX"))


def test_another_constant_is_refused():
    error = refused(COO, swap("<ram:TypeCode>864<", "<ram:TypeCode>861<"))
    assert "864" in error.findings[0].message.en
    assert "861" in error.findings[0].message.en


def test_another_list_or_scheme_is_refused():
    assert refused(COO, swap('listID="ECO-ORIGIN-CRITERION"', 'listID="SADC-CRITERION"'))


def test_an_element_that_stands_twice_is_refused():
    note = "<ram:IncludedNote><ram:ContentCode>REMARKS</ram:ContentCode><ram:Content>{}</ram:Content></ram:IncludedNote>"
    document = certificate(remarks="first")
    raw = swap(note.format("first"), note.format("first") + note.format("second"), document)
    assert "more than once" in refused(COO, raw).findings[0].message.en


def test_a_reference_of_unknown_kind_is_refused():
    document = certificate(transport=certificate().transport)
    raw = swap("<ram:ReferenceTypeCode>AAS<", "<ram:ReferenceTypeCode>XYZ<", document)
    assert "AssociatedReferencedDocument" in refused(COO, raw).findings[0].message.en


def test_a_date_in_another_format_is_refused():
    assert refused(COO, swap('format="205">202603091030+0000', 'format="203">202603091030'))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("12500", "1e3"),
        ("12500", "+12500"),
        ("12500", "12500."),
        ("12500", "012500"),
        ("12500", "١٢٥٠٠"),
        ("12500", "NaN"),
        (">500<", ">5.0<"),
        (">500<", ">٥٠٠<"),
        (">500<", ">-1<"),
        (">20260309<", ">2026-03-09<"),
        (">20260309<", ">٢٠٢٦٠٣٠٩<"),
        ("202603091030+0000", "202603091030Z"),
        ("202603091030+0000", "202603091030+1500"),
        ("202603091030+0000", "202603092430+0000"),
        (">false</udt:Indicator>", ">no</udt:Indicator>"),
        ("iVBORw0KGgo=", "iVBORw0KGgo"),
        ("iVBORw0KGgo=", "***"),
        ("NAMED", "SOMEBODY"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_form_is_refused(good, bad):
    assert refused(COO, swap(good, bad))


def test_space_around_codes_and_numbers_means_nothing():
    raw = swap("<ram:CountryID>KE<", "<ram:CountryID>\n KE\t<").decode()
    raw = raw.replace(">12500<", "> 12500 <")
    assert read(COO, raw.encode()) == certificate()


def test_base64_may_be_broken_into_lines():
    assert read(COO, swap("iVBORw0KGgo=", "iVBO\nRw0K\nGgo=\n")) == certificate()


def test_a_later_minor_version_of_the_guideline_is_read():
    raw = swap("certificate-of-origin:1.0", "certificate-of-origin:1.7")
    assert read(COO, raw) == certificate()


def test_another_major_version_of_the_guideline_is_refused():
    assert refused(COO, swap("certificate-of-origin:1.0", "certificate-of-origin:2.0"))


def test_signatures_below_the_root_are_passed_over():
    signature = f'<ds:Signature xmlns:ds="{DS_NS}"><ds:SignedInfo/></ds:Signature>'
    raw = swap("</rsm:CertificateOfOrigin>", f"{signature}{signature}</rsm:CertificateOfOrigin>")
    assert read(COO, raw) == certificate()


def test_a_signature_anywhere_else_is_refused():
    signature = f'<ds:Signature xmlns:ds="{DS_NS}"/>'
    assert refused(COO, swap("</rsm:ExchangedDocument>", f"{signature}</rsm:ExchangedDocument>"))


def test_another_root_is_refused():
    error = refused(COO, rendered(customs_response()))
    assert message_namespace(COO) in error.findings[0].message.en


def test_an_official_status_that_contradicts_ours_is_refused():
    kind = DocumentType.CUSTOMS_RESPONSE
    raw = swap("<ram:StatusCode>13<", "<ram:StatusCode>12<", customs_response())
    assert [finding.path for finding in refused(kind, raw).findings] == ["status"]


def test_an_official_status_may_be_left_out():
    kind = DocumentType.CUSTOMS_RESPONSE
    raw = swap("<ram:StatusCode>13</ram:StatusCode>", "", customs_response())
    assert read(kind, raw) == customs_response()


def test_findings_are_capped_so_that_nonsense_stays_cheap():
    raw = swap("</rsm:ExchangedDocument>", "<ram:X/>" * 5_000 + "</rsm:ExchangedDocument>")
    assert len(refused(COO, raw).findings) == 200


@MODEST
@given(documents(), st.data())
def test_no_element_can_be_taken_out_unnoticed(document, data):
    root = parse(rendered(document))
    removable = [element for element in root.iter() if element.getparent() is not None]
    chosen = data.draw(st.sampled_from(removable))
    chosen.getparent().remove(chosen)
    table = TABLES[document_type_of(document)]
    try:
        back = table.read(root)
    except InvalidDocumentError as error:
        assert error.findings  # noqa: PT017 - either outcome is right
    else:
        constants = {
            row.xml.split("/")[-1].split("[")[0]
            for row in table.rows
            if row.kind is not RowKind.VALUE
        }
        name = f"{chosen.prefix}:{etree.QName(chosen).localname}"
        assert back != document or name in constants or SCHEMAS.findings(root)


@MODEST
@given(documents(), st.data())
def test_reading_never_fails_otherwise_than_with_findings(document, data):
    root = parse(rendered(document))
    elements = list(root.iter())
    victim = data.draw(st.sampled_from(elements))
    stranger = data.draw(st.sampled_from(elements))
    how = data.draw(st.sampled_from(["text", "tag", "double", "attribute", "move"]))
    if how == "text":
        victim.text = data.draw(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=9))
    elif how == "tag":
        victim.tag = f"{{{RAM_NS}}}{data.draw(st.sampled_from(['ID', 'Name', 'Odd']))}"
    elif how == "double" and victim is not root:
        victim.addnext(etree.fromstring(etree.tostring(victim)))
    elif how == "attribute":
        victim.set("listID", "odd")
    elif how == "move" and victim not in stranger.iterancestors() and victim is not stranger:
        victim.append(
            stranger
        ) if stranger not in victim.iterancestors() and stranger is not root else None
    try:
        TABLES[document_type_of(document)].read(root)
    except InvalidDocumentError as error:
        assert error.findings  # noqa: PT017 - either outcome is right


def test_the_values_of_a_message_are_not_shared_between_readings():
    table = TABLES[COO]
    root = parse(rendered(certificate()))
    assert table.read(root) == table.read(root)
    assert isinstance(table, MappingTable)
    assert replace(table, version="1.0") == table


def test_utc_is_read_as_utc():
    assert read(COO, rendered(certificate())).issued_at.tzinfo is UTC
    assert read(COO, rendered(certificate())).valid_from == date(2026, 3, 9)


def test_an_acknowledgement_carries_findings_in_three_languages():
    document = acknowledgement()
    back = read(DocumentType.ACKNOWLEDGEMENT, rendered(document))
    assert back.findings[0].message == document.findings[0].message
