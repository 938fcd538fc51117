"""All that the message implementation guide says, before it has a form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway import __version__
from gateway.agreements import Agreement, load_agreements
from gateway.agreements.facts import Point
from gateway.agreements.rule_table import NOT_JUDGED_HERE
from gateway.agreements.rulebook import Rule, all_rules
from gateway.agreements.rules.codes import CODED_VALUES
from gateway.agreements.texts import rule_texts
from gateway.documents import DocumentType
from gateway.documents.codelists import CodeList, code_list, code_list_ids
from gateway.documents.shape import MODELS
from gateway.guide.examples import Example, envelope_example, examples
from gateway.guide.touching import touched
from gateway.guide.tree import ElementRow, message_tree, plain_tree
from gateway.resources import data_path
from gateway.xml.datatypes import DataType, data_types
from gateway.xml.mapping import load_tables
from gateway.xml.mapping.blueprint import Blueprint
from gateway.xml.namespaces import DS_NS, ENVELOPE_NS, GUIDELINES, message_namespace


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """Is what a rule says when it is broken; the variant is empty for its main sentence."""

    variant: str
    message: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class RuleEntry:
    """Is one business rule as it concerns one type of message.

    Attributes:
        levels: point and what a breach does there.
        data: what of the document it complains about; an empty path is the whole of it.
    """

    id: str
    summary: str
    article: str | None
    levels: tuple[tuple[str, str], ...]
    sentences: tuple[Sentence, ...]
    data: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MessageChapter:
    """Is all about one type of message."""

    type: DocumentType
    what: str
    schema: str
    namespace: str
    guideline: str
    elements: tuple[ElementRow, ...]
    rules: tuple[RuleEntry, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Guide:
    """Is the whole guide.

    Attributes:
        used_lists: code lists whose values stand in messages; ``other_lists`` the rest.
        elsewhere: rules that are judged elsewhere, with why.
    """

    version: str
    messages: tuple[MessageChapter, ...]
    envelope: tuple[ElementRow, ...]
    envelope_example: Example
    signature: tuple[ElementRow, ...]
    types: tuple[DataType, ...]
    used_lists: tuple[CodeList, ...]
    other_lists: tuple[CodeList, ...]
    agreements: tuple[Agreement, ...]
    elsewhere: tuple[tuple[str, str], ...]


def make_guide() -> Guide:
    """Return the guide as the schemas, tables, rules and lists of this version make it.

    Raises:
        ConfigError: one of them is broken.
    """
    used = {each[0] for lists in CODED_VALUES.values() for each in lists.values()}
    lists = {name: code_list(name) for name in code_list_ids()}
    types = _types()
    frame = Blueprint.load(data_path("schemas", "uncefact", "Envelope_1p0.xsd"))
    return Guide(
        version=__version__,
        messages=tuple(_chapter(kind) for kind in DocumentType),
        envelope=plain_tree(frame.roots[f"{{{ENVELOPE_NS}}}Envelope"], types),
        envelope_example=envelope_example(),
        signature=plain_tree(frame.roots[f"{{{DS_NS}}}Signature"], types),
        types=types,
        used_lists=tuple(each for name, each in lists.items() if name in used),
        other_lists=tuple(each for name, each in lists.items() if name not in used),
        agreements=tuple(each for _, each in sorted(load_agreements().items())),
        elsewhere=tuple(NOT_JUDGED_HERE.items()),
    )


def _chapter(kind: DocumentType) -> MessageChapter:
    table = load_tables()[kind]
    return MessageChapter(
        type=kind,
        what=_sentence(MODELS[kind].__doc__),
        schema=_schema_name(kind),
        namespace=message_namespace(kind),
        guideline=GUIDELINES[kind],
        elements=message_tree(table),
        rules=tuple(_rules(kind)),
        examples=examples(kind),
    )


def _schema_name(kind: DocumentType) -> str:
    return f"{kind}_{load_tables()[kind].version.replace('.', 'p')}.xsd"


def _types() -> tuple[DataType, ...]:
    found: dict[str, DataType] = {}
    for name in ("Envelope_1p0.xsd", *map(_schema_name, DocumentType)):
        for each in data_types(data_path("schemas", "uncefact", name)):
            found.setdefault(each.name, each)
    return tuple(found[name] for name in sorted(found))


def _rules(kind: DocumentType) -> Iterator[RuleEntry]:
    model = MODELS[kind]
    for rule in all_rules():
        if model in rule.documents:
            yield RuleEntry(
                id=rule.id,
                summary=rule.summary,
                article=rule.article,
                levels=tuple(_levels(rule)),
                sentences=tuple(_sentences(rule.id)),
                data=touched(rule, model),
            )


def _levels(rule: Rule) -> Iterator[tuple[str, str]]:
    for point in Point:
        if point in rule.levels:
            yield point.value.lower(), rule.levels[point].value.lower()


def _sentences(rule_id: str) -> Iterator[Sentence]:
    texts = rule_texts().texts
    base = texts[rule_id]
    for key, text in texts.items():
        name, _, variant = key.partition(".")
        remedy = text.remedy or base.remedy
        if name == rule_id and remedy is not None:
            yield Sentence(variant=variant, message=text.message.en, remedy=remedy.en)


def _sentence(docstring: str | None) -> str:
    """Return the first line of a docstring as a phrase about its subject, without references."""
    line = (docstring or "").strip().splitlines()[0].removeprefix("Is ").removesuffix(".")
    phrase = re.sub(r" \([^)]*\)", "", line)
    return f"{phrase[:1].upper()}{phrase[1:]}."
