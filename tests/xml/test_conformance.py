"""What we emit is UN/CEFACT: valid against the unmodified official types, and ours a subset."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from gateway.documents import DocumentType, document_type_of
from gateway.resources import data_path
from gateway.xml.mapping import load_tables
from gateway.xml.mapping.blueprint import Blueprint, Declaration, Structure
from gateway.xml.namespaces import DS_NS, QDT_NS, RAM_NS, UDT_NS, message_namespace
from gateway.xml.parsing import parse
from gateway.xml.schema import SchemaSet
from tests.factories import certificate, customs_response, goods_item
from tests.xml import official
from tests.xml.full import FULL_DOCUMENTS
from tests.xml.strategies import (
    acknowledgements,
    books_statements,
    certificates,
    customs_responses,
    documents,
)

TABLES = load_tables()
SCHEMAS = SchemaSet.load()
FAMILIES = {
    DocumentType.CERTIFICATE_OF_ORIGIN: "trade",
    DocumentType.CUSTOMS_RESPONSE: "status",
    DocumentType.ACKNOWLEDGEMENT: "status",
    DocumentType.BOOKS_STATEMENT: "status",
}
MODEST = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SAMPLES = [*FULL_DOCUMENTS.values(), certificate(), customs_response()]
SAMPLES.append(certificate(items=tuple(goods_item(number) for number in range(1, 6))))


def message(document: Any) -> etree._Element:
    return parse(TABLES[document_type_of(document)].render(document))


def assert_valid(schema: etree.XMLSchema, root: etree._Element) -> None:
    assert schema.validate(root), [entry.message for entry in schema.error_log][:5]


def as_cdar(root: etree._Element) -> etree._Element:
    """The message with nothing but its root renamed to the official one."""
    ours, theirs = etree.QName(root).namespace, official.CDAR_NS
    assert ours
    text = etree.tostring(root).decode().replace(ours, theirs)
    renamed = re.sub(
        rf":{etree.QName(root).localname}(?=[ >])", ":CrossDomainAcknowledgementAndResponse", text
    )
    return parse(renamed.encode())


# --- what we emit ---------------------------------------------------------------------------------


@MODEST
@given(documents())
def test_every_document_is_valid_against_our_schemas(document):
    assert SCHEMAS.findings(message(document)) == ()


@MODEST
@given(certificates())
def test_every_certificate_is_valid_against_the_official_trade_types(document):
    schema = official.with_official_ram(
        "CertificateOfOrigin", official.ram_module(official.trade_folder())
    )
    assert_valid(schema, message(document))


@MODEST
@given(customs_responses())
def test_every_customs_response_is_an_official_cdar_but_for_its_root(document):
    assert_valid(official.official_cdar(), as_cdar(message(document)))


@MODEST
@given(acknowledgements())
def test_every_acknowledgement_is_an_official_cdar_but_for_its_root(document):
    assert_valid(official.official_cdar(), as_cdar(message(document)))


@MODEST
@given(books_statements())
def test_every_books_statement_is_an_official_cdar_but_for_its_root(document):
    assert_valid(official.official_cdar(), as_cdar(message(document)))


@pytest.mark.parametrize("name", ["CustomsResponse", "Acknowledgement", "BooksStatement"])
def test_status_messages_are_valid_with_official_types_and_our_root(name):
    schema = official.with_official_ram(name, official.ram_module(official.status_folder()))
    for sample in SAMPLES:
        if document_type_of(sample) == name:
            assert_valid(schema, message(sample))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda document: type(document).__name__)
def test_no_qualified_code_says_its_list(sample):
    # Official qualified types fix listID and listVersionID differently per message, so that
    # stating them would make a right code invalid (as the coupled schemas show).
    blueprint = Blueprint.load(
        data_path("schemas", "uncefact", f"{document_type_of(sample)}_1p0.xsd")
    )
    root = message(sample)
    checked = 0
    for element, declaration in declared(root, next(iter_roots(blueprint, root))):
        if declaration.type_name.startswith(f"{{{QDT_NS}}}"):
            checked += 1
            assert set(element.keys()) <= {"unitCode", "format"}, element.tag
    assert checked >= 3


def iter_roots(blueprint: Blueprint, root: etree._Element) -> Any:
    yield blueprint.roots[str(root.tag)]


def declared(element: etree._Element, declaration: Declaration) -> Any:
    yield element, declaration
    for child in element:
        inner = declaration.structure.children.get(str(child.tag))
        if inner is not None:
            yield from declared(child, inner)


# --- our schemas are a subset ----------------------------------------------------------------------


def blueprints(family: str) -> tuple[Blueprint, Blueprint]:
    folder = official.trade_folder() if family == "trade" else official.status_folder()
    name = "ReusableAggregateBusinessInformationEntity_subset.xsd"
    ours = Blueprint.load(data_path("schemas", "uncefact", family, name))
    return ours, Blueprint.load(official.ram_module(folder))


def official_structures(family: str) -> list[tuple[Structure, Structure]]:
    ours, theirs = blueprints(family)
    pairs = []
    for name, structure in ours.structures.items():
        if structure.name.startswith((f"{{{RAM_NS}}}", f"{{{UDT_NS}}}", f"{{{QDT_NS}}}")):
            assert name in theirs.structures, f"{name} is no official type"
            pairs.append((structure, theirs.structures[name]))
    assert len(pairs) > 20
    return pairs


@pytest.mark.parametrize("family", ["trade", "status"])
def test_our_types_have_official_elements_in_official_order(family):
    for ours, theirs in official_structures(family):
        names = [tag for tag in theirs.children if tag in ours.children]
        assert list(ours.children) == names, ours.name


@pytest.mark.parametrize("family", ["trade", "status"])
def test_our_elements_have_official_types_and_narrower_cardinalities(family):
    for ours, theirs in official_structures(family):
        for tag, mine in ours.children.items():
            official_one = theirs.children[tag]
            if "@" not in mine.type_name:  # the text inside date types has no named type
                assert mine.type_name == official_one.type_name, f"{ours.name}/{tag}"
            assert mine.least >= official_one.least or is_choice(theirs), f"{ours.name}/{tag}"
            assert mine.most <= official_one.most, f"{ours.name}/{tag}"
        demanded = {
            tag
            for tag, declaration in theirs.children.items()
            if declaration.least > 0 and not is_choice(theirs)
        }
        written = {tag for tag, declaration in ours.children.items() if declaration.least > 0}
        assert demanded <= written, ours.name


def is_choice(structure: Structure) -> bool:
    return structure.name in {f"{{{UDT_NS}}}DateTimeType", f"{{{UDT_NS}}}IndicatorType"}


@pytest.mark.parametrize("family", ["trade", "status"])
def test_our_types_have_official_attributes_only(family):
    for ours, theirs in official_structures(family):
        assert set(ours.attributes) <= set(theirs.attributes), ours.name
        demanded = {name for name, required in theirs.attributes.items() if required}
        assert demanded <= {name for name, required in ours.attributes.items() if required}
        assert ours.has_text == theirs.has_text, ours.name


@pytest.mark.parametrize("kind", DocumentType)
def test_the_two_families_never_meet_in_one_schema(kind):
    ours = data_path("schemas", "uncefact")
    seen: set[Path] = set()
    queue = [ours / f"{kind}_1p0.xsd"]
    while queue:
        path = queue.pop()
        seen.add(path)
        for reference in etree.parse(str(path)).getroot().iterchildren(f"{official.XS}import"):
            queue.append((path.parent / str(reference.get("schemaLocation"))).resolve())
    families = {path.parent.name for path in seen} & {"trade", "status"}
    assert families == {FAMILIES[kind]}


def test_nothing_of_ours_is_declared_in_official_namespaces():
    for family in ("trade", "status"):
        folder = official.trade_folder() if family == "trade" else official.status_folder()
        for path in data_path("schemas", "uncefact", family).glob("*.xsd"):
            name = path.name.removesuffix("_subset.xsd")
            theirs = etree.parse(str(official.module_in(folder, name))).getroot()
            known = {child.get("name") for child in theirs}
            ours = {child.get("name") for child in etree.parse(str(path)).getroot()}
            assert ours - {None} <= known, path


def test_no_schema_of_ours_reaches_outside():
    for path in data_path("schemas", "uncefact").rglob("*.xsd"):
        for element in etree.parse(str(path)).getroot().iter(f"{official.XS}import"):
            location = str(element.get("schemaLocation"))
            assert (path.parent / location).is_file(), f"{path}: {location}"


# --- nothing in our schemas is without a row -----------------------------------------------------


@pytest.mark.parametrize("family", ["trade", "status"])
def test_every_element_and_attribute_of_our_schemas_is_produced_by_some_row(family):
    produced: set[tuple[str, str]] = set()
    declared_here: set[tuple[str, str]] = set()
    for kind in DocumentType:
        if FAMILIES[kind] != family:
            continue
        blueprint = Blueprint.load(data_path("schemas", "uncefact", f"{kind}_1p0.xsd"))
        root = message(FULL_DOCUMENTS[kind])
        for element, declaration in declared(root, blueprint.roots[str(root.tag)]):
            produced |= {(declaration.type_name, str(child.tag)) for child in element}
            produced |= {(declaration.type_name, str(key)) for key in element.keys()}  # noqa: SIM118
        for name, structure in blueprint.structures.items():
            if name.startswith((f"{{{DS_NS}}}", "{http://www.w3.org/")):
                continue
            parts = [*structure.children, *structure.attributes]
            declared_here |= {(name, part) for part in parts}
    signing = {
        (f"{{{message_namespace(kind)}}}{kind}Type", part)
        for kind in DocumentType
        for part in (f"{{{DS_NS}}}Signature", "Id")
    }
    assert declared_here - produced - signing == set()
