"""The mirror of the writer: it reads what we write, and says nothing of any other message."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.documents import DocumentType, document_type_of
from gateway.documents.shape import MODELS
from gateway.errors import InvalidDocumentError
from gateway.xml.mapping import load_tables
from gateway.xml.mapping.anatomy import Anatomy
from gateway.xml.mapping.mirroring import compile_mirror, mirror_source
from gateway.xml.namespaces import DS_NS, RAM_NS
from gateway.xml.parsing import parse
from tests.factories import certificate, goods_item
from tests.xml.full import FULL_DOCUMENTS
from tests.xml.strategies import documents

TABLES = load_tables()
PATIENT = {kind: replace(table, _mirror=lambda _root: None) for kind, table in TABLES.items()}
"""The same tables without the mirror: ``gateway.xml.mapping.reading`` reads every message."""

MIRRORS = {
    kind: compile_mirror(table.plan, Anatomy(MODELS[kind])) for kind, table in TABLES.items()
}
MODEST = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
WHOLE = tuple(FULL_DOCUMENTS.values())
COO = DocumentType.CERTIFICATE_OF_ORIGIN


def tree_of(document: Any) -> etree._Element:
    return parse(TABLES[document_type_of(document)].render(document))


def outcome(table: Any, root: etree._Element) -> Any:
    """Return the document read, or every finding."""
    try:
        return table.read(root)
    except InvalidDocumentError as exc:
        return exc.findings


# --- what we write ------------------------------------------------------------------------------


@MODEST
@given(documents())
def test_every_document_as_we_write_it_is_read_by_the_mirror(document):
    kind, root = document_type_of(document), tree_of(document)
    reading = PATIENT[kind]._read(root)
    assert MIRRORS[kind](root) == reading.values
    assert not reading.findings


@pytest.mark.parametrize("document", WHOLE, ids=lambda each: type(each).__name__)
def test_a_document_with_every_field_is_read_by_the_mirror(document):
    kind, root = document_type_of(document), tree_of(document)
    assert MIRRORS[kind](root) == PATIENT[kind]._read(root).values


def test_a_message_of_many_items_is_read_by_the_mirror():
    document = certificate(items=tuple(goods_item(number) for number in range(1, 301)))
    assert len(MIRRORS[COO](tree_of(document))["items"]) == 300


# --- what others write, or forge ----------------------------------------------------------------


def _lacks(root: etree._Element, node: etree._Element) -> None:
    node.getparent().remove(node)


def _twice(root: etree._Element, node: etree._Element) -> None:
    node.addnext(copy.deepcopy(node))


def _before_its_sibling(root: etree._Element, node: etree._Element) -> None:
    if node.getprevious() is not None:
        node.getprevious().addprevious(node)


def _last(root: etree._Element, node: etree._Element) -> None:
    node.getparent().append(node)


def _out_of_its_parent(root: etree._Element, node: etree._Element) -> None:
    if node.getparent() is not root:
        node.getparent().addnext(node)


def _renamed(root: etree._Element, node: etree._Element) -> None:
    node.tag = f"{{{RAM_NS}}}Stranger"


def _named_like_another(root: etree._Element, node: etree._Element) -> None:
    node.tag = root[-1][0].tag


def _with_a_child(root: etree._Element, node: etree._Element) -> None:
    etree.SubElement(node, f"{{{RAM_NS}}}ID").text = "1"


def _with_a_signature(root: etree._Element, node: etree._Element) -> None:
    etree.SubElement(root, f"{{{DS_NS}}}Signature").append(copy.deepcopy(node))


def _with_an_attribute(root: etree._Element, node: etree._Element) -> None:
    node.set("schemeID", "UNLOCODE")


def _without_attributes(root: etree._Element, node: etree._Element) -> None:
    node.attrib.clear()


def _with_other_attributes(root: etree._Element, node: etree._Element) -> None:
    for name in node.attrib:
        node.set(name, node.get(name) + " ")


def _spaced(root: etree._Element, node: etree._Element) -> None:
    if not len(node):
        node.text = f"\n {node.text or ''} \t"


def _empty(root: etree._Element, node: etree._Element) -> None:
    if not len(node):
        node.text = None


def _saying_something_else(root: etree._Element, node: etree._Element) -> None:
    if not len(node):
        node.text = "209913459999+9999"


def _saying_what_another_says(root: etree._Element, node: etree._Element) -> None:
    if not len(node):
        node.text = next((each.text for each in root.iter() if each.text), "")


def _with_text_between(root: etree._Element, node: etree._Element) -> None:
    node.tail = " said beside "


CHANGES: tuple[Callable[[etree._Element, etree._Element], None], ...] = (
    _lacks,
    _twice,
    _before_its_sibling,
    _last,
    _out_of_its_parent,
    _renamed,
    _named_like_another,
    _with_a_child,
    _with_a_signature,
    _with_an_attribute,
    _without_attributes,
    _with_other_attributes,
    _spaced,
    _empty,
    _saying_something_else,
    _saying_what_another_says,
    _with_text_between,
)
changes = st.lists(
    st.tuples(st.sampled_from(CHANGES), st.integers(min_value=0)), min_size=1, max_size=3
)


def changed(root: etree._Element, how: list[Any]) -> etree._Element:
    for change, place in how:
        below = list(root.iterdescendants())
        if below:
            change(root, below[place % len(below)])
    return root


def assert_alike(kind: DocumentType, root: etree._Element) -> None:
    reading = PATIENT[kind]._read(root)
    values = MIRRORS[kind](root)
    if values is not None:
        assert values == reading.values
        assert not reading.findings
    assert outcome(TABLES[kind], root) == outcome(PATIENT[kind], root)


@settings(MODEST, max_examples=200)
@given(st.sampled_from(WHOLE), changes)
def test_a_changed_message_is_read_alike_with_and_without_the_mirror(document, how):
    assert_alike(document_type_of(document), changed(tree_of(document), how))


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__.strip("_"))
def test_each_change_at_any_place_is_read_alike_with_and_without_the_mirror(change):
    document = certificate(items=(goods_item(1), goods_item(2)))
    count = sum(1 for _ in tree_of(document).iterdescendants())
    for place in range(0, count, 7):
        assert_alike(COO, changed(tree_of(document), [(change, place)]))


def test_a_time_without_its_text_is_left_to_the_reader_that_complains():
    root = tree_of(certificate())
    moment = next(node for node in root.iter() if str(node.tag).endswith("DateTimeString"))
    moment.getparent().remove(moment)
    assert MIRRORS[COO](root) is None
    assert_alike(COO, root)


@pytest.mark.parametrize(
    "hidden", [etree.Comment("x"), etree.PI("x")], ids=["comment", "instruction"]
)
def test_the_mirror_passes_nothing_over_that_no_parser_of_ours_lets_in(hidden):
    root = tree_of(certificate())
    for node in list(root.iterdescendants()):
        node.append(copy.deepcopy(hidden))
        assert MIRRORS[COO](root) is None
        node.remove(node[-1])
    assert MIRRORS[COO](root) is not None


def test_the_mirror_of_a_repetition_is_a_function_that_walks_in_the_order_of_the_plan():
    source, _ = mirror_source(TABLES[COO].plan, Anatomy(MODELS[COO]))
    transit = next(each for each in source.split("\n\n") if "UNLOCODE" in each)
    assert [line.strip() for line in transit.splitlines()][2:8] == [
        "seen = 1",
        "inner_0 = iter(element); child_0 = next(inner_0, end); tag_0 = child_0.tag",
        f"if tag_0 == '{{{RAM_NS}}}ID' and child_0.items() == [('schemeID', 'UNLOCODE')]:",
        "seen += 2",
        "record['unlocode'] = collapsed(child_0.text or '')",
        "child_0 = next(inner_0, end); tag_0 = child_0.tag",
    ]
