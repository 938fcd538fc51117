"""The guide as PDF, set by typst: fonts that come with it, nothing from this host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import typst

from gateway.agreements import Agreement
from gateway.documents.codelists import CodeList
from gateway.guide import words
from gateway.guide.content import Guide, MessageChapter, RuleEntry
from gateway.guide.examples import Example
from gateway.guide.tree import Datum, ElementRow

_TEMPLATE: Final = Path(__file__).with_name("guide.typ")
_STANDARD: Final = "a-2u"
_BREAK: Final = "\u200b"

Part = tuple[str, str]
Block = dict[str, Any]


def as_pdf(guide: Guide) -> bytes:
    """Return the guide as PDF/A; the same guide gives the same bytes."""
    said = {
        "title": words.TITLE,
        "product": f"eCO gateway {guide.version}",
        "blocks": list(_blocks(guide)),
    }
    made = typst.compile(
        _TEMPLATE.read_bytes(),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"guide": json.dumps(said, ensure_ascii=False)},
        pdf_standards=_STANDARD,
        timestamp=0,
    )
    return bytes(made)


def _blocks(guide: Guide) -> Iterator[Block]:
    yield _heading(1, "What this is", "what")
    yield from _paragraphs(words.INTRODUCTION)
    rows = ([[("", a)], [("code", b)], [("", c)]] for a, b, c in words.overview(guide))
    yield _table(("message", "root", "is"), (2, 2, 4), rows)
    for chapter in guide.messages:
        yield from _chapter(chapter)
    yield _heading(1, "Envelope", "envelope")
    yield from _paragraphs(words.ENVELOPE)
    yield _elements(guide.envelope, "envelope")
    yield from _example(guide.envelope_example, "envelope-example")
    yield _heading(1, "Signature", "signature")
    yield from _paragraphs(words.SIGNATURE)
    yield _elements(guide.signature, "signature")
    yield _heading(1, "Data types", "types")
    yield from _paragraphs(words.TYPES)
    types = ([[("code", each.name)], _marked(words.type_words(each))] for each in guide.types)
    yield _table(("type", "holds"), (2, 5), types)
    yield _heading(1, "Code lists", "lists")
    yield from _paragraphs(words.LISTS)
    for found in guide.used_lists:
        yield from _code_list(found)
    yield from _other_lists(guide)
    yield _heading(1, "Agreements", "agreements")
    for agreement in guide.agreements:
        yield from _agreement(agreement)
    yield _heading(1, "Rules that are judged elsewhere", "elsewhere")
    elsewhere = ([[("bold", a)], [("", b)]] for a, b in guide.elsewhere)
    yield _table(("rule", "why not here"), (0, 1), elsewhere)


def _chapter(chapter: MessageChapter) -> Iterator[Block]:
    name = chapter.type.value
    yield _heading(1, words.TITLES[chapter.type], name)
    yield _paragraph([("", chapter.what)])
    facts = ([[("soft", what)], _marked(said)] for what, said in words.facts_of(chapter))
    yield _table((), (0, 1), facts)
    yield _heading(2, "Elements", f"{name}-elements")
    yield from _paragraphs(words.ELEMENTS)
    yield _elements(chapter.elements, name)
    if chapter.rules:
        yield _heading(2, "Rules", f"{name}-rules")
        yield from _paragraphs(words.RULES)
        yield _rules(chapter)
    yield _heading(2, "Examples", f"{name}-examples")
    yield from _paragraphs(words.EXAMPLES)
    for number, example in enumerate(chapter.examples, 1):
        yield from _example(example, f"{name}-example-{number}")


def _elements(rows: Iterable[ElementRow], chapter: str) -> Block:
    cells = [
        [
            row.depth,
            [[("code", _breakable(row.name))], [("soft", row.type_name)]],
            row.occurs,
            list(_element_lines(row, chapter)),
        ]
        for row in rows
    ]
    return {"kind": "elements", "rows": cells}


def _element_lines(row: ElementRow, chapter: str) -> Iterator[list[Part]]:
    for datum in row.data:
        yield from _datum(datum, chapter)
    for note in words.element_notes(row):
        yield _soft(note)
    if row.rules:
        yield list(_rule_links(row.rules, chapter))


def _datum(datum: Datum, chapter: str) -> Iterator[list[Part]]:
    head: list[Part] = [("bold", words.datum_name(datum)), ("", " ")]
    if not datum.derived:
        head += [("code", _breakable(datum.field)), ("", " ")]
    for chip in (f"box {datum.box}" if datum.box else "", datum.article or ""):
        head += [("chip", chip), ("", " ")] if chip else []
    yield head
    said = _soft(words.datum_words(datum))
    if datum.code_list is not None:
        said += [("soft", "; "), (f"to:list-{datum.code_list}", f"list {datum.code_list}")]
    yield [*said, ("", " "), *_rule_links(datum.rules, chapter)]


def _rule_links(rules: Iterable[str], chapter: str) -> Iterator[Part]:
    for each in rules:
        yield (f"to:{chapter}-{each}", each)
        yield ("", " ")


def _rules(chapter: MessageChapter) -> Block:
    rows = (
        [
            [(f"at:{chapter.type}-{entry.id}", entry.id)],
            *([list(_rule_lines(entry))]),
            [("", words.levels_of(entry))],
            [("", entry.article or "")],
        ]
        for entry in chapter.rules
    )
    heads = ("rule", "demands, and says when broken", "judged at", "article")
    return _table(heads, (0, 7, 2, 0), rows)


def _rule_lines(entry: RuleEntry) -> Iterator[list[Part]]:
    yield [("bold", entry.summary)]
    yield _soft(f"about {', '.join(words.data_of(entry))}")
    for each in entry.sentences:
        variant: list[Part] = [("italic", f"{each.variant}: ")] if each.variant else []
        yield [*variant, ("", f"{each.message} "), ("soft", f"→ {each.remedy}")]


def _example(example: Example, anchor: str) -> Iterator[Block]:
    yield _heading(3, example.title, anchor)
    yield _paragraph([("", example.note)])
    lines = [
        [line.number, line.depth, _breakable(line.text), _marked(words.callout(line))]
        for line in example.lines
    ]
    yield {"kind": "example", "lines": lines}


def _code_list(found: CodeList) -> Iterator[Block]:
    yield _heading(2, found.title, f"list-{found.id}")
    yield _paragraph(_marked(words.list_words(found)))
    codes = [[entry.code, found.name(entry.code, "en")] for entry in found]
    yield {"kind": "codes", "codes": codes}


def _other_lists(guide: Guide) -> Iterator[Block]:
    yield _heading(2, words.OTHER_LISTS, "other-lists")
    rows = (
        [[("code", each.id)], [("", each.title)], [("", each.edition)], [("", str(len(each)))]]
        for each in guide.other_lists
    )
    yield _table(("list", "title", "edition", "values"), (2, 5, 2, 0), rows)


def _agreement(found: Agreement) -> Iterator[Block]:
    yield _heading(2, f"{found.id}, {found.version}", f"agreement-{found.id}")
    yield _paragraph(_marked(words.agreement_words(found)))
    boxes = ([[("", each.number)], [("", each.title.en)]] for each in found.boxes)
    yield _table(("box", "title"), (0, 1), boxes)
    criteria = ([[("", each.code)], [("", each.name.en)]] for each in found.criteria)
    yield _table(("criterion", "is"), (0, 1), criteria)


# --- small parts ----------------------------------------------------------------------------------


def _heading(level: int, text: str, anchor: str) -> Block:
    return {"kind": "heading", "level": level, "text": text, "id": anchor}


def _paragraph(parts: list[Part]) -> Block:
    return {"kind": "paragraph", "parts": parts}


def _paragraphs(text: str) -> Iterator[Block]:
    yield from (_paragraph(_marked(each)) for each in words.paragraphs(text))


def _table(heads: Iterable[str], widths: Iterable[int], rows: Iterable[list[Any]]) -> Block:
    """Return a table; a cell is a list of lines, or the parts of its only one."""
    cells = [[each if _is_lines(each) else [each] for each in row] for row in rows]
    return {"kind": "table", "heads": list(heads), "widths": list(widths), "rows": cells}


def _is_lines(cell: list[Any]) -> bool:
    return bool(cell) and isinstance(cell[0], list)


def _marked(text: str) -> list[Part]:
    """Return the parts of a text; what stands in backticks is code."""
    parts = text.split("`")
    return [
        ("code", _breakable(part)) if place % 2 else ("", part)
        for place, part in enumerate(parts)
        if part
    ]


def _soft(text: str) -> list[Part]:
    return [(style or "soft", part) for style, part in _marked(text)]


def _breakable(text: str) -> str:
    """Return a long name that may be broken where a reader would."""
    return re.sub(r"([/\[.:>])(?=[^/])", rf"\1{_BREAK}", text)
