"""The message implementation guide says everything: each element, each rule, true examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree
from pypdf import PdfReader

from gateway.agreements.rulebook import all_rules
from gateway.agreements.texts import text_keys
from gateway.cli.output import ExitStatus
from gateway.documents import DocumentType, from_json
from gateway.documents.fields import groups, leaves
from gateway.documents.shape import MODELS
from gateway.guide.content import Guide, MessageChapter, make_guide
from gateway.guide.html import as_html
from gateway.guide.touching import touched
from gateway.resources import data_path
from gateway.xml.mapping import RowKind, load_tables
from gateway.xml.parsing import parse
from gateway.xml.schema import SchemaSet
from tests.cli.eco import eco

XS = "{http://www.w3.org/2001/XMLSchema}"
FOLDER = data_path("schemas", "uncefact")


@pytest.fixture(scope="module")
def guide() -> Guide:
    return make_guide()


@pytest.fixture(scope="module")
def html(guide: Guide) -> str:
    return as_html(guide)


def chapter(guide: Guide, kind: DocumentType) -> MessageChapter:
    return next(each for each in guide.messages if each.type is kind)


# --- every element of the schema ------------------------------------------------------------------


class Xsd:
    """An own reader of the schemas, which shares nothing with the one that the guide rests on."""

    def __init__(self, file: Path) -> None:
        self.types: dict[str, etree._Element] = {}
        self.elements: dict[str, etree._Element] = {}
        self._read(file, set())

    def _read(self, file: Path, seen: set[Path]) -> None:
        if file.resolve() in seen:
            return
        seen.add(file.resolve())
        root = etree.parse(file).getroot()
        space = root.get("targetNamespace")
        for child in root:
            if child.tag == f"{XS}import":
                self._read(file.parent / child.get("schemaLocation"), seen)
            elif child.tag == f"{XS}complexType":
                self.types[f"{{{space}}}{child.get('name')}"] = child
            elif child.tag == f"{XS}element":
                self.elements[f"{{{space}}}{child.get('name')}"] = child

    def children(self, element: etree._Element) -> Iterator[etree._Element]:
        definition = element.find(f"{XS}complexType")
        if definition is None and element.get("type"):
            definition = self.types.get(self._full(element, "type"))
        for child in [] if definition is None else definition.iter(f"{XS}element"):
            if child.getparent().tag in (f"{XS}sequence", f"{XS}choice"):
                yield self.elements[self._full(child, "ref")] if child.get("ref") else child

    def _full(self, element: etree._Element, name: str) -> str:
        prefix, _, local = element.get(name).rpartition(":")
        return f"{{{element.nsmap.get(prefix)}}}{local}"

    def paths(self, element: etree._Element, above: str = "") -> Iterator[str]:
        path = f"{above}/{element.get('name')}"
        yield path
        for child in self.children(element):
            yield from self.paths(child, path)


def bare(path: str) -> str:
    """A path of the guide without prefixes and predicates."""
    return re.sub(r"\w+:", "", re.sub(r"\[[^\]]*\]", "", path))


@pytest.mark.parametrize("kind", DocumentType)
def test_every_element_of_the_schema_appears_or_is_named_as_not_used(guide: Guide, kind):
    said = chapter(guide, kind)
    told: set[str] = set()
    left_out: set[str] = set()
    for row in said.elements:
        path = f"/{kind}/{bare(row.path)}".rstrip("/")
        told.add(path)
        told |= {f"{path}/{bare(row.name).rpartition('/')[2]}"} if "/" in bare(row.name) else set()
        left_out |= {f"{path}/{bare(name)}" for name in row.unused}
    xsd = Xsd(FOLDER / said.schema)
    (root,) = (each for each in xsd.elements.values() if each.get("name") == kind)
    signature = f"/{kind}/Signature"
    missing = [
        path
        for path in xsd.paths(root)
        if path not in told
        if not any(path == each or path.startswith(f"{each}/") for each in left_out - told)
        if not path.startswith(f"{signature}/")
    ]
    assert not missing
    assert signature in told


@pytest.mark.parametrize("name", ["Envelope", "Signature"])
def test_every_element_of_envelope_and_signature_appears(guide: Guide, name: str):
    xsd = Xsd(FOLDER / "Envelope_1p0.xsd")
    (root,) = (each for each in xsd.elements.values() if each.get("name") == name)
    rows = guide.envelope if name == "Envelope" else guide.signature
    told = {f"/{bare(row.path)}" for row in rows}
    paths = {each for each in xsd.paths(root) if "/Signature/" not in each or name == "Signature"}
    assert paths == told


@pytest.mark.parametrize("kind", DocumentType)
def test_every_datum_of_the_document_stands_at_an_element(guide: Guide, kind):
    shown = {
        datum.field
        for row in chapter(guide, kind).elements
        for datum in row.data
        if not datum.derived
    }
    assert shown == set(leaves(MODELS[kind]))


def test_every_element_stands_in_the_html(guide: Guide, html: str):
    plain = re.sub(r"<wbr>|&#x27;", lambda found: "'" if "#" in found[0] else "", html)
    for said in guide.messages:
        for row in said.elements:
            assert f"<code>{row.name}</code>" in plain
            for name in row.unused:
                assert f"<code>{name}</code>" in plain


# --- every rule -----------------------------------------------------------------------------------


def test_every_rule_appears_with_all_it_says_and_stands_at_what_it_is_about(
    guide: Guide, html: str
):
    for rule in all_rules():
        for document in rule.documents:
            kind = next(kind for kind, model in MODELS.items() if model is document)
            said = chapter(guide, kind)
            (entry,) = (each for each in said.rules if each.id == rule.id)
            variants = {
                key.partition(".")[2] for key in text_keys() if key.split(".")[0] == rule.id
            }
            assert {each.variant for each in entry.sentences} == variants
            assert (entry.summary, entry.article) == (rule.summary, rule.article)
            assert f'id="{kind}-{rule.id}"' in html
            assert entry.data, f"{rule.id} is about nothing of {kind}"
            at_elements = [row for row in said.elements if rule.id in row.rules] + [
                datum for row in said.elements for datum in row.data if rule.id in datum.rules
            ]
            assert at_elements, f"{rule.id} stands at no element of {kind}"


@pytest.mark.parametrize(
    ("rule_id", "expected"),
    [
        ("V3", ("certification.statement", "endorsements[].text", "remarks")),
        ("V4", ("exporting_country", "issuing_authority.country")),
        ("V44", ("items[].criterion.percentage", "items[].hs_code")),
        ("V80", ("consignee.name", "exporter.name")),
        ("V83", ("",)),
    ],
)
def test_what_a_rule_is_about_is_read_through_loops_helpers_and_constants(rule_id, expected):
    (rule,) = (each for each in all_rules() if each.id == rule_id)
    assert touched(rule, rule.documents[0]) == expected


def test_what_a_rule_is_about_exists_in_its_document():
    for rule in all_rules():
        for document in rule.documents:
            known = {"", *leaves(document), *groups(document)}
            assert set(touched(rule, document)) <= known


# --- the examples ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DocumentType)
def test_examples_are_valid_messages_and_each_datum_in_them_is_explained(guide: Guide, kind):
    schemas, table = SchemaSet.load(), load_tables()[kind]
    for example in chapter(guide, kind).examples:
        document = from_json(MODELS[kind], example.json_text.encode())
        root = parse(table.render(document))
        assert schemas.findings(root) == (), example.title
        assert table.read(root) == document
        filled = {leaf for leaf in leaves(MODELS[kind]) if has_value(document, leaf)}
        explained = {
            row.field for line in example.lines for row in line.rows if row.kind is RowKind.VALUE
        }
        assert filled <= explained, example.title
        assert [line.number for line in example.lines] == list(range(1, len(example.lines) + 1))


def has_value(record: object, path: str) -> bool:
    records = [record]
    for step in path.split("."):
        values = [getattr(each, step.removesuffix("[]")) for each in records]
        records = [
            member
            for value in values
            for member in (value if step.endswith("[]") else (value,))
            if member is not None
        ]
    return bool(records)


def test_each_kind_of_certificate_a_replacement_a_cancellation_and_a_refusal_have_an_example(
    guide: Guide,
):
    titles = {kind: [e.title for e in chapter(guide, kind).examples] for kind in DocumentType}
    assert len(titles[DocumentType.CERTIFICATE_OF_ORIGIN]) == 6
    texts = [e.json_text for e in chapter(guide, DocumentType.CERTIFICATE_OF_ORIGIN).examples]
    for word in ("STANDARD", "RETROSPECTIVE", "REEXPORT", "SIMPLIFIED"):
        assert any(f'"kind": "{word}"' in text for text in texts)
    assert any('"replaces"' in text for text in texts)
    assert any('"cancellation_reason"' in text for text in texts)
    receipts = [e.json_text for e in chapter(guide, DocumentType.ACKNOWLEDGEMENT).examples]
    assert ['"REFUSED"' in text for text in receipts] == [False, True]


# --- the files ------------------------------------------------------------------------------------


def test_the_html_needs_nothing_from_outside_and_its_links_lead_somewhere(html: str):
    assert not re.search(r"<(?:script|link|img|iframe|object|base)\b|@import|url\(|\bsrc=", html)
    assert not re.findall(r'href="(?!#)', html)
    anchors = re.findall(r'\bid="([^"]+)"', html)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(anchors)
    assert len(html.encode()) < 1_000_000


def test_the_html_is_well_formed(html: str):
    etree.fromstring(re.sub(r"<(meta|wbr)([^>]*)>", r"<\1\2/>", html.split("\n", 1)[1]))


def test_the_command_writes_both_forms(tmp_path: Path, guide: Guide, html: str):
    page, paper = tmp_path / "guide.html", tmp_path / "guide.pdf"
    run = eco("guide", page, paper, "--json")
    assert run.status is ExitStatus.OK, run.err
    assert page.read_text(encoding="utf-8") == html
    pdf = PdfReader(BytesIO(paper.read_bytes()))
    headings = {entry.title for entry in flat(pdf.outline)}
    assert {"Certificate of origin", "Code lists", "Envelope"} <= headings
    assert len(pdf.pages) > 40
    links = [note for page in pdf.pages[3:6] for note in page.get("/Annots", ())]
    assert links


def flat(outline) -> Iterator:
    for each in outline:
        if isinstance(each, list):
            yield from flat(each)
        else:
            yield each


def test_another_form_is_refused(tmp_path):
    assert eco("guide", tmp_path / "guide.docx").status is ExitStatus.USAGE
