"""The form as a page shows it: boxes of the agreement with their fields, values and findings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from markupsafe import Markup

from gateway.agreements import Agreement, BoxField
from gateway.agreements.parts import Box
from gateway.documents import Severity
from gateway.errors import InputError
from gateway.web.console.drafting_checking import Note
from gateway.web.console.drafting_fields import (
    Choices,
    Field,
    Fold,
    Kind,
    Part,
    Rows,
    Typed,
    fields_in,
    general,
    is_needed,
)
from gateway.web.console.drafting_lists import JOINT, Lists
from gateway.web.console.drafting_reading import UNREAD, is_blank, nested
from gateway.web.console.drafting_sheet import (
    HEAD,
    ITEM_ROWS,
    OF_ITEMS,
    SECTIONS,
    TAIL,
    TOTALS,
    fields,
    repeated,
)
from gateway.web.console.drafting_values import picture_type_of, read_value
from gateway.web.console.words import shown

_ORDINAL: Final = re.compile(r"\[([0-9]+)\]")


@dataclass(frozen=True, kw_only=True)
class FieldNode:
    """Is a field with what stands in it.

    Attributes:
        id: by which labels and findings are tied to it.
        options: values to choose from, with what is shown of each.
        list_id: of the suggestions for a code.
        understood: what is read from it, where that could be doubted.
        picture: address of the picture that it carries.
    """

    of: Field
    name: str
    id: str
    value: str
    is_needed: bool
    notes: tuple[Note, ...]
    options: tuple[tuple[str, str], ...] = ()
    list_id: str = ""
    understood: Markup | str = ""
    picture: str = ""
    shape: str = "field"

    @property
    def is_wrong(self) -> bool:
        """Whether it must be mended."""
        return any(each.severity is Severity.ERROR for each in self.notes)


@dataclass(frozen=True, kw_only=True)
class FoldNode:
    """Is a part that belongs together; open where something stands in it."""

    word: str
    parts: tuple[Node, ...]
    is_open: bool
    shape: str = "fold"


@dataclass(frozen=True, kw_only=True)
class RowNode:
    """Is one row of what repeats; ``path`` names it to the button that removes it."""

    number: int
    path: str
    parts: tuple[Node, ...]
    boxes: tuple[BoxNode, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RowsNode:
    """Is what repeats; ``path`` names it to the button that adds a row."""

    word: str
    path: str
    rows: tuple[RowNode, ...]
    is_full: bool
    shape: str = "rows"


Node = FieldNode | FoldNode | RowsNode


@dataclass(frozen=True, kw_only=True)
class BoxNode:
    """Is a box of the paper form; parts without a box of their own have no number."""

    number: str
    title: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True)
class FormView:
    """Is the whole form, and the lists that its fields suggest codes from."""

    head: tuple[Node, ...]
    before: tuple[BoxNode, ...]
    items: RowsNode
    after: tuple[BoxNode, ...]
    tail: tuple[Node, ...]
    suggestions: Mapping[str, Iterable[tuple[str, str]]] = field(default_factory=dict)


def form_view(typed: Typed, notes: Iterable[Note], lists: Lists) -> FormView:
    """Return the form with what was typed and what was found."""
    return _Painter(typed, notes, lists).whole()


def id_of(name: str) -> str:
    """Return the id of the element of a field."""
    return "f-" + re.sub(r"[\[\].]+", "-", name).strip("-")


def label_of(name: str, lists: Lists) -> Markup:
    """Return what a list of findings calls a field: its rows by number, its label, its box."""
    words, agreement = lists.words, lists.agreement
    said = []
    for end in _ORDINAL.finditer(name):
        rows = repeated()[f"{general(name[: end.start()])}[]"]
        said.append(words(f"draft_part.{rows.word}_one", n=int(end[1]) + 1))
    said.append(words(f"draft_field.{fields()[general(name)].label}"))
    shown_in = _box_fields().get(general(name))
    number = None if shown_in is None else agreement.box(shown_in)
    label = Markup(" · ").join(said)
    if number is None:
        return label
    return Markup("{} ({})").format(label, words("desk.box", box=words.code(number)))


@cache
def _box_fields() -> Mapping[str, BoxField]:
    """Return in which box each field stands."""
    return {
        field.path: box
        for sections in (TOTALS, SECTIONS)
        for box, parts in sections.items()
        for field in fields_in(parts)
    }


class _Painter:
    """Goes through the sheet and makes a node of each part."""

    def __init__(self, typed: Typed, notes: Iterable[Note], lists: Lists) -> None:
        self._typed = typed
        self._tree = nested(typed)
        self._lists = lists
        self._notes: dict[str, list[Note]] = defaultdict(list)
        self._suggested: dict[str, Choices] = {}
        for note in notes:
            self._notes[note.at].append(note)

    def whole(self) -> FormView:
        """Return the form: its boxes as the agreement has them, the goods between."""
        agreement = self._lists.agreement
        boxless = [each for each in SECTIONS if agreement.box(each) is None]
        head = [part for each in boxless if each not in OF_ITEMS for part in SECTIONS[each]]
        before, after = _around_goods(agreement)
        totals = tuple(each for box in after for each in box.shows if each in TOTALS)
        kept = tuple(part for each in TOTALS if each not in totals for part in TOTALS[each])
        return FormView(
            head=self._parts((*head, *HEAD), ""),
            before=tuple(self._boxes(before, SECTIONS)),
            items=self._rows(ITEM_ROWS, ""),
            after=tuple(self._boxes(after, {**SECTIONS, **TOTALS})),
            tail=self._parts((*kept, *TAIL), ""),
            suggestions={
                list_id: [
                    (f"{code}{JOINT}{name}" if name else code, code)
                    for code, name in self._lists.options(choices).items()
                ]
                for list_id, choices in self._suggested.items()
            },
        )

    def _boxes(
        self, boxes: Iterable[Box], sections: Mapping[BoxField, tuple[Part, ...]], at: str = ""
    ) -> Iterator[BoxNode]:
        for box in boxes:
            parts = tuple(part for each in box.shows for part in sections.get(each, ()))
            if parts:
                title = box.title.in_language(self._lists.words.language)
                yield BoxNode(number=box.number, title=title, parts=self._parts(parts, at))

    def _parts(self, parts: Iterable[Part], at: str) -> tuple[Node, ...]:
        return tuple(self._node(part, at) for part in parts)

    def _node(self, part: Part, at: str) -> Node:
        if isinstance(part, Field):
            return self._field(part, at)
        if isinstance(part, Rows):
            return self._rows(part, at)
        made = self._parts(part.parts, at)
        return FoldNode(word=part.word, parts=made, is_open=part.open or self._has(part, at))

    def _has(self, fold: Fold, at: str) -> bool:
        names = [_at(each.path, at) for each in fold.parts if isinstance(each, Field)]
        return any(
            self._notes.get(name) or not is_blank(self._typed.get(name, ""), name) for name in names
        )

    def _rows(self, rows: Rows, at: str) -> RowsNode:
        path = _at(rows.path, at).removesuffix("[]")
        count = len(self._below(path))
        return RowsNode(
            word=rows.word,
            path=path,
            rows=tuple(self._row(rows, f"{path}[{place}]", place) for place in range(count)),
            is_full=count >= rows.most,
        )

    def _row(self, rows: Rows, path: str, place: int) -> RowNode:
        if rows is not ITEM_ROWS:
            return RowNode(number=place + 1, path=path, parts=self._parts(rows.parts, path))
        agreement = self._lists.agreement
        goods = [box for box in agreement.boxes if any(each in OF_ITEMS for each in box.shows)]
        own: dict[BoxField, tuple[Part, ...]] = {each: SECTIONS[each] for each in OF_ITEMS}
        rest = [part for each in own if agreement.box(each) is None for part in own[each]]
        return RowNode(
            number=place + 1,
            path=path,
            parts=self._parts(rest, path),
            boxes=tuple(self._boxes(goods, own, path)),
        )

    def _below(self, path: str) -> Mapping[Any, Any]:
        node: Any = self._tree
        for step in re.split(r"[.\[\]]+", path.strip("]")):
            node = node.get(int(step) if step.isdigit() else step, {})
        return node if isinstance(node, Mapping) else {}

    def _field(self, of: Field, at: str) -> FieldNode:
        name = _at(of.path, at)
        text = shown(self._typed.get(name, ""))
        value, understood = self._understood(of, text)
        list_id = ""
        if of.kind is Kind.CODE and of.choices is not None:
            list_id = f"list-{of.choices}"
            self._suggested[list_id] = of.choices
        return FieldNode(
            of=of,
            name=name,
            id=id_of(name),
            value="" if of.kind is Kind.PICTURE and text == UNREAD else value,
            is_needed=is_needed(of),
            notes=tuple(self._notes.get(name, ())),
            options=self._options(of, value),
            list_id=list_id,
            understood=understood,
            picture=_picture(of, text),
        )

    def _options(self, of: Field, value: str) -> tuple[tuple[str, str], ...]:
        """Return what a choice offers; what stands there is offered even if it is strange."""
        if of.kind is not Kind.CHOICE or of.choices is None:
            return ()
        offered = self._lists.options(of.choices)
        with_codes = of.choices in _WITH_CODES
        found = [
            (code, f"{code}{JOINT}{name}" if with_codes and name else name or code)
            for code, name in offered.items()
        ]
        if value and value not in offered:
            found.append((value, value))
        return tuple(found)

    def _understood(self, of: Field, text: str) -> tuple[str, Markup | str]:
        """Return what to show in the field, and how it is understood where one could doubt."""
        if not text.strip() or of.kind not in _DOUBTED:
            return text, ""
        try:
            value = str(read_value(of, text, self._lists))
        except InputError:
            return text, ""
        words = self._lists.words
        if of.choices is not None:
            name = self._lists.name(of.choices, value) if of.kind is Kind.CODE else ""
            return f"{value}{JOINT}{name}" if name else value, ""
        if of.kind is Kind.DAY:
            return value, words.day(date.fromisoformat(value))
        if of.kind is Kind.MOMENT:
            return value[:16], words.moment(datetime.fromisoformat(value))
        said = words.number(Decimal(value))
        return text, "" if text in (said, value) else said


_DOUBTED: Final = (
    Kind.CODE,
    Kind.CHOICE,
    Kind.DAY,
    Kind.MOMENT,
    Kind.AMOUNT,
    Kind.COUNT,
)
_WITH_CODES: Final = (Choices.CRITERIA, Choices.BOXES, Choices.BASES)
"""Lists whose codes stand on the paper form, too."""


def _picture(of: Field, text: str) -> str:
    if of.kind is not Kind.PICTURE:
        return ""
    media_type = picture_type_of(text)
    return f"data:{media_type};base64,{text}" if media_type else ""


def _around_goods(agreement: Agreement) -> tuple[list[Box], list[Box]]:
    """Return the boxes before the goods and those after them, totals of the goods first."""
    goods = [box for box in agreement.boxes if any(each in OF_ITEMS for each in box.shows)]
    others = [box for box in agreement.boxes if box not in goods]
    first = agreement.boxes.index(goods[0]) if goods else len(agreement.boxes)
    before = [box for box in others if agreement.boxes.index(box) < first]
    totals = [
        box.model_copy(update={"shows": tuple(each for each in box.shows if each in TOTALS)})
        for box in goods
        if any(each in TOTALS for each in box.shows)
    ]
    return before, [*totals, *(box for box in others if box not in before)]


def _at(path: str, row: str) -> str:
    """Return the name of a part in one row: ordinals of the row where the path has none."""
    for number in _ORDINAL.findall(row):
        path = path.replace("[]", f"[{number}]", 1)
    return path
