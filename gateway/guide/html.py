"""The guide as one HTML file: no outside resource, readable on a screen and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from gateway.agreements import Agreement
from gateway.documents.codelists import CodeList
from gateway.guide import words
from gateway.guide.content import Guide, MessageChapter, RuleEntry
from gateway.guide.examples import Example
from gateway.guide.tree import Datum, ElementRow

_STYLE = Path(__file__).with_name("guide.css")


def as_html(guide: Guide) -> str:
    """Return the guide as one HTML file."""
    body = "".join(_sections(guide))
    contents = "".join(_contents(body))
    style = _STYLE.read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{words.TITLE}, eCO gateway {guide.version}</title>\n<style>\n{style}</style>\n"
        f'</head>\n<body>\n<nav aria-label="Contents"><p>{words.TITLE}</p>\n<ul>\n{contents}</ul>'
        f"</nav>\n<main>\n<h1>{words.TITLE}</h1>\n"
        f'<p class="version">eCO gateway {guide.version}</p>\n{body}</main>\n</body>\n</html>\n'
    )


def _sections(guide: Guide) -> Iterator[str]:
    yield _heading(2, "What this is", "what")
    yield _paragraphs(words.INTRODUCTION)
    rows = (
        (escape(a), f"<code>{escape(b)}</code>", escape(c)) for a, b, c in words.overview(guide)
    )
    yield _table(("message", "root", "is"), rows)
    for chapter in guide.messages:
        yield from _chapter(chapter)
    yield _heading(2, "Envelope", "envelope") + _paragraphs(words.ENVELOPE)
    yield _elements(guide.envelope, "envelope")
    yield _example(guide.envelope_example, "envelope-example")
    yield _heading(2, "Signature", "signature") + _paragraphs(words.SIGNATURE)
    yield _elements(guide.signature, "signature")
    yield _heading(2, "Data types", "types") + _paragraphs(words.TYPES)
    types = ((f"<code>{each.name}</code>", _marked(words.type_words(each))) for each in guide.types)
    yield _table(("type", "holds"), types)
    yield _heading(2, "Code lists", "lists") + _paragraphs(words.LISTS)
    yield from map(_code_list, guide.used_lists)
    yield _other_lists(guide)
    yield _heading(2, "Agreements", "agreements")
    yield from map(_agreement, guide.agreements)
    yield _heading(2, "Rules that are judged elsewhere", "elsewhere")
    yield _table(("rule", "why not here"), ((a, escape(b)) for a, b in guide.elsewhere))


def _chapter(chapter: MessageChapter) -> Iterator[str]:
    name = chapter.type.value
    yield _heading(2, words.TITLES[chapter.type], name)
    yield f"<p>{escape(chapter.what)}</p>\n"
    facts = ((escape(what), _marked(said)) for what, said in words.facts_of(chapter))
    yield _table(("", ""), facts, kind="facts")
    yield _heading(3, "Elements", f"{name}-elements") + _paragraphs(words.ELEMENTS)
    yield _elements(chapter.elements, name)
    if chapter.rules:
        yield _heading(3, "Rules", f"{name}-rules") + _paragraphs(words.RULES)
        yield _rules(chapter)
    yield _heading(3, "Examples", f"{name}-examples") + _paragraphs(words.EXAMPLES)
    for number, example in enumerate(chapter.examples, 1):
        yield _example(example, f"{name}-example-{number}")


def _elements(rows: Iterable[ElementRow], chapter: str) -> str:
    cells = (
        (_element_name(row), escape(row.occurs), "".join(_element_words(row, chapter)))
        for row in rows
    )
    return _table(("element", "occurs", "holds"), cells, kind="elements")


def _element_name(row: ElementRow) -> str:
    inset = f'style="padding-left:{row.depth * 0.8:.1f}rem"'
    return (
        f'<span class="name" {inset}><code>{_breakable(row.name)}</code></span>'
        f'<span class="type" {inset}>{escape(row.type_name)}</span>'
    )


def _element_words(row: ElementRow, chapter: str) -> Iterator[str]:
    for datum in row.data:
        yield _datum(datum, chapter)
    for note in words.element_notes(row):
        yield f'<div class="note">{_marked(note)}</div>'
    if row.rules:
        yield f"<div>{_rule_links(row.rules, chapter)}</div>"


def _datum(datum: Datum, chapter: str) -> str:
    box = f' <span class="chip">box {escape(datum.box)}</span>' if datum.box else ""
    article = f' <span class="chip">{escape(datum.article)}</span>' if datum.article else ""
    said = [_marked(words.datum_words(datum))]
    if datum.code_list is not None:
        said.append(f'<a href="#list-{datum.code_list}">list {datum.code_list}</a>')
    path = "" if datum.derived else f" <code>{_breakable(datum.field)}</code>"
    return (
        f"<div><b>{escape(words.datum_name(datum))}</b>{path}{box}{article}</div>"
        f'<div class="note">{"; ".join(said)} {_rule_links(datum.rules, chapter)}</div>'
    )


def _rule_links(rules: Iterable[str], chapter: str) -> str:
    return " ".join(f'<a class="rule" href="#{chapter}-{each}">{each}</a>' for each in rules)


def _rules(chapter: MessageChapter) -> str:
    rows = (
        (
            f'<span id="{chapter.type}-{entry.id}"><b>{entry.id}</b></span>',
            "".join(_rule_words(entry)),
            escape(words.levels_of(entry)),
            escape(entry.article or ""),
        )
        for entry in chapter.rules
    )
    return _table(("rule", "demands, and says when broken", "judged at", "article"), rows, "rules")


def _rule_words(entry: RuleEntry) -> Iterator[str]:
    yield f"<div><b>{escape(entry.summary)}</b></div>"
    yield f'<div class="note">about {_marked(", ".join(words.data_of(entry)))}</div>'
    for each in entry.sentences:
        variant = f"<i>{escape(each.variant)}</i>: " if each.variant else ""
        yield (
            f"<div>{variant}{escape(each.message)} "
            f'<span class="remedy">→ {escape(each.remedy)}</span></div>'
        )


def _example(example: Example, anchor: str) -> str:
    rows = "".join(
        f'<tr><td class="no">{line.number}</td>'
        f'<td class="xml" style="padding-left:{0.4 + line.depth * 0.9:.1f}rem">'
        f"{escape(line.text)}</td><td>{_marked(words.callout(line))}</td></tr>\n"
        for line in example.lines
    )
    details = (
        "<details><summary>the same in canonical JSON</summary>"
        f"<pre>{escape(example.json_text)}</pre></details>\n"
        if example.json_text
        else ""
    )
    return (
        f"{_heading(4, example.title, anchor)}<p>{escape(example.note)}</p>\n"
        f'<table class="example">\n{rows}</table>\n{details}'
    )


def _code_list(found: CodeList) -> str:
    codes = "".join(
        f"<li><code>{escape(entry.code)}</code> {escape(found.name(entry.code, 'en'))}</li>"
        for entry in found
    )
    return (
        f"{_heading(3, found.title, f'list-{found.id}')}"
        f"<p>{_marked(words.list_words(found))}</p>\n"
        f'<ul class="codes">{codes}</ul>\n'
    )


def _other_lists(guide: Guide) -> str:
    rows = (
        (f"<code>{each.id}</code>", escape(each.title), escape(each.edition), str(len(each)))
        for each in guide.other_lists
    )
    heading = _heading(3, words.OTHER_LISTS, "other-lists")
    return heading + _table(("list", "title", "edition", "values"), rows)


def _agreement(found: Agreement) -> str:
    boxes = ((escape(each.number), escape(each.title.en)) for each in found.boxes)
    criteria = ((escape(each.code), escape(each.name.en)) for each in found.criteria)
    return (
        f"{_heading(3, f'{found.id}, {found.version}', f'agreement-{found.id}')}"
        f"<p>{_marked(words.agreement_words(found))}</p>\n"
        f"{_table(('box', 'title'), boxes)}{_table(('criterion', 'is'), criteria)}"
    )


# --- small parts ----------------------------------------------------------------------------------


def _heading(level: int, text: str, anchor: str) -> str:
    return f'<h{level} id="{escape(anchor)}">{escape(text)}</h{level}>\n'


def _contents(body: str) -> Iterator[str]:
    for level, anchor, text in re.findall(r'<h([23]) id="([^"]+)">([^<]+)</h', body):
        yield f'<li class="l{level}"><a href="#{anchor}">{text}</a></li>\n'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_marked(each)}</p>\n" for each in words.paragraphs(text))


def _marked(text: str) -> str:
    """Return a text with what stands in backticks as code."""
    parts = text.split("`")
    return "".join(
        f"<code>{_breakable(part)}</code>" if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _breakable(text: str) -> str:
    """Return a long name that a browser may break where a reader would."""
    return re.sub(r"([/\[.:])", r"\1<wbr>", escape(text))


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]], kind: str = "plain") -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    top = f"<thead><tr>{head}</tr></thead>" if head.replace("<th></th>", "") else ""
    return f'<table class="{kind}">{top}<tbody>\n{body}</tbody></table>\n'
