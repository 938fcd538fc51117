"""Writing one document into a source tree, and telling what the format could not say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gateway.documents.base import Record
from gateway.documents.findings import Finding
from gateway.xml.national.rows import (
    AnyRow,
    Direction,
    FixedRow,
    Group,
    NationalDocument,
    Row,
    Section,
)
from gateway.xml.national.texts import Problem, UnfitError, finding
from gateway.xml.national.tree import Location, Node, NodeKind


def write_document(section: Section, document: NationalDocument) -> tuple[Node, list[Finding]]:
    """Return the tree of ``document``, and what could not be converted."""
    writing = _Writing()
    writing.record(section.rows, document, "")
    return writing.top, writing.findings


def losses(section: Section, before: NationalDocument, after: NationalDocument) -> list[Finding]:
    """Return one finding per value of ``before`` that ``after``, read back, does not have."""
    omitted = {omission.what for omission in section.omitted}
    return [
        finding(Problem.LOST, path, Location(), name=section.format_name)
        for path in sorted(set(_differences(before, after, "", "", omitted)))
    ]


class _Writing:
    """Is the writing of one tree."""

    def __init__(self) -> None:
        self.top = Node("")
        self.findings: list[Finding] = []

    def record(self, rows: tuple[AnyRow, ...], record: Record, here: str) -> None:
        """Write the fields of a record of the document into the top of the tree."""
        self._fill(rows, record, self.top, here)

    def _fill(self, rows: tuple[AnyRow, ...], record: Record, node: Node, here: str) -> None:
        taken: dict[str, set[int]] = {}
        for row in rows:
            if isinstance(row, FixedRow):
                self._put(row.source.place(node, self.top), NodeKind.TEXT, row.text, "")
            elif isinstance(row, Group):
                self._members(row, record, node, here, taken.setdefault(row.field, set()))
            elif isinstance(row, Row) and row.only is not Direction.READ:
                self._value(row, record, node, f"{here}.{row.field}" if here else row.field)

    def _value(self, row: Row, record: Record, node: Node, path: str) -> None:
        value = _reach(record, row.field.removesuffix("[]"))
        if value is None or value == ():
            return
        try:
            if row.repeated:
                self._repeated(row, value, node)
                return
            text = row.conversion.write(value)
        except UnfitError as exc:
            self.findings.append(finding(exc.problem, path, Location(), **exc.details))
            return
        self._scalar(row, text, node, path)

    def _scalar(self, row: Row, text: str, node: Node, path: str) -> None:
        texts = text.split(row.join, len(row.sources) - 1) if row.join else [text]
        for source, part in zip(row.sources, texts, strict=False):
            if part:
                self._put(source.place(node, self.top), row.write_kind, part, path)

    def _repeated(self, row: Row, values: tuple[object, ...], node: Node) -> None:
        texts = [row.conversion.write(value) for value in values]
        source = row.sources[0]
        for text in [row.split.join(texts)] if row.split else texts:
            placed = source.place(node, self.top) if row.split else source.append(node, self.top)
            placed.kind, placed.text, placed.repeated = row.write_kind, text, not row.split

    def _put(self, node: Node, kind: NodeKind, text: str, path: str) -> None:
        if node.text is not None and node.text != text:
            self.findings.append(finding(Problem.CONTRADICTION, path, Location(None, node.name)))
        node.kind, node.text = kind, text

    def _members(
        self, group: Group, record: Record, node: Node, here: str, taken: set[int]
    ) -> None:
        """Write the members that belong to ``group``: one for a slot, else all that are left."""
        for index, member in enumerate(_reach(record, group.name) or ()):
            if index in taken or not _belongs(member, group):
                continue
            taken.add(index)
            path = f"{here}.{group.name}[{index}]" if here else f"{group.name}[{index}]"
            if group.each is None:
                self._fill(group.rows, member, node, path)
                return
            part = group.each.append(node, self.top)
            part.repeated = True
            self._fill(group.rows, member, part, path)


def _belongs(member: Record, group: Group) -> bool:
    return all(_reach(member, row.field) == row.value for row in group.constants())


def _reach(record: Record | None, path: str) -> Any:
    here: Any = record
    for name in path.split("."):
        here = None if here is None else getattr(here, name)
    return here


def _differences(
    before: Any, after: Any, path: str, model_path: str, omitted: set[str]
) -> Iterator[str]:
    if model_path in omitted or _same(before, after):
        return
    if isinstance(before, Record) and isinstance(after, Record):
        for name in type(before).model_fields:
            inner = f"{path}.{name}" if path else name
            model = f"{model_path}.{name}" if model_path else name
            yield from _differences(
                getattr(before, name), getattr(after, name), inner, model, omitted
            )
    elif isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        unmatched = list(after)
        for index, member in enumerate(before):
            twin = next((one for one in unmatched if _same(member, one)), None)
            twin = twin if twin is not None else unmatched[0]
            unmatched.remove(twin)
            yield from _differences(member, twin, f"{path}[{index}]", model_path + "[]", omitted)
    else:
        yield path


def _same(before: object, after: object) -> bool:
    """Whether the two say the same; white space around a text says nothing."""
    if isinstance(before, str) and isinstance(after, str):
        return before.strip() == after.strip()
    if isinstance(before, datetime) and isinstance(after, datetime):
        return before == after
    return before == after
