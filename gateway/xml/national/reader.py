"""Reading one document: source tree → values → document, with every finding located."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from gateway.documents.codes import Severity
from gateway.documents.findings import Finding
from gateway.documents.shape import from_values
from gateway.errors import InvalidDocumentError
from gateway.xml.national.rows import (
    AnyRow,
    ConstantRow,
    Direction,
    FixedRow,
    Group,
    NationalDocument,
    PositionRow,
    Row,
    Section,
    optional_records,
)
from gateway.xml.national.texts import Problem, UnfitError, finding, located
from gateway.xml.national.trace import Origin, Trace
from gateway.xml.national.tree import Location, Node, SourcePath
from gateway.xml.national.unread import unmapped_findings

MAX_FINDINGS = 200

Values = dict[str, Any]


def read_document(
    section: Section, top: Node, trace: Trace | None = None
) -> tuple[NationalDocument | None, tuple[Finding, ...]]:
    """Return the document in the tree ``top``, and every finding; None after an error.

    Args:
        trace: gets to know where each value came from.
    """
    reading = _Pass(section, top, trace)
    values = reading.values()
    document: NationalDocument | None = None
    try:
        document = from_values(section.model, values)
    except InvalidDocumentError as exc:
        reading.adopt(exc.findings)
    findings = (*reading.findings, *unmapped_findings(top, section))
    findings = tuple(sorted(findings, key=lambda item: item.severity is Severity.WARNING))
    if any(item.severity is Severity.ERROR for item in findings):
        document = None
    return document, findings[:MAX_FINDINGS]


@dataclass
class _Record:
    """Is one record being gathered.

    Attributes:
        weak: constants, defaults and positions: they fill a record, but do not make one.
        alive: paths of the records that have at least one value of the source.
    """

    values: Values = field(default_factory=dict)
    weak: list[tuple[Row | ConstantRow | PositionRow, object]] = field(default_factory=list)
    alive: set[str] = field(default_factory=set)

    def put(self, path: str, value: object) -> None:
        """Set the value at a dotted path, making the records on the way."""
        *owners, name = path.split(".")
        target = self.values
        for owner in owners:
            target = target.setdefault(owner, {})
        target[name.removesuffix("[]")] = value

    def put_strong(self, path: str, value: object) -> None:
        """Set a value of the source, which brings the records around it to life."""
        parts = path.split(".")
        self.alive.update(".".join(parts[: index + 1]) for index in range(len(parts) - 1))
        self.alive.add("")
        self.put(path, value)


class _Pass:
    """Is one reading of one tree."""

    def __init__(self, section: Section, top: Node, trace: Trace | None) -> None:
        self.findings: list[Finding] = []
        self._trace = trace
        self._section = section
        self._top = top
        self._optional = optional_records(section.model)
        self._places: dict[str, Location] = {}

    def values(self) -> Values:
        """Return the values of the whole document."""
        return self._gather(self._section.rows, self._top, "", "").values

    def adopt(self, findings: tuple[Finding, ...]) -> None:
        """Take over findings of the document's shape, adding where the value came from."""
        known = {item.path for item in self.findings} - {""}
        for item in findings:
            if _stands_in(item.path, known):
                continue
            place = self._places.get(item.path, self._nearest(item.path))
            message = located(item.message, place)
            self.findings.append(item.model_copy(update={"message": message}))

    def _nearest(self, path: str) -> Location:
        while path and path not in self._places:
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
        return self._places.get(path, self._top.location)

    def _gather(self, rows: tuple[AnyRow, ...], node: Node, here: str, model_path: str) -> _Record:
        gathered = _Record()
        ordinal = int(here.rpartition("[")[2].removesuffix("]")) + 1 if here.endswith("]") else 1
        for row in rows:
            if isinstance(row, Row):
                self._take(row, node, here, gathered)
            elif isinstance(row, ConstantRow):
                gathered.weak.append((row, row.value))
            elif isinstance(row, PositionRow):
                gathered.weak.append((row, ordinal))
            elif isinstance(row, FixedRow):
                self._require_fixed(row, node)
            else:
                self._members(row, node, here, gathered)
        for weak, value in gathered.weak:
            if self._lives(weak.field, model_path, gathered):
                gathered.put(weak.field, value)
                if self._trace is not None:
                    self._trace.give(_joined(here, weak.field), _given_by(weak), weak.line)
        return gathered

    def _lives(self, name: str, model_path: str, gathered: _Record) -> bool:
        owners = name.split(".")[:-1]
        for index in range(len(owners)):
            owner = ".".join(owners[: index + 1])
            full = f"{model_path}.{owner}" if model_path else owner
            if full in self._optional and owner not in gathered.alive:
                return False
        return True

    def _take(self, row: Row, node: Node, here: str, gathered: _Record) -> None:
        path = _joined(here, row.field.removesuffix("[]"))
        nodes = [self._select(source, node, path) for source in row.sources]
        if row.only is Direction.WRITE:
            return
        if self._trace is not None:
            self._trace.read(path, chain.from_iterable(nodes), row.line)
        if row.repeated:
            values = self._repeated(row, nodes[0], path)
            if values:
                gathered.put_strong(row.field, values)
            return
        text = self._single(row, nodes, path)
        if text is not None:
            value = self._converted(row, text, path)
            if value is not None:
                gathered.put_strong(row.field, value)
            gathered.alive.update(_owners(row.field))
        elif row.default is not None:
            gathered.weak.append((row, row.default))

    def _select(self, source: SourcePath, node: Node, path: str) -> list[Node]:
        found = source.select(node, self._top)
        for one in found:
            one.used = True
        base = self._top if source.absolute else node
        place = found[0].location if found else _expected(base.location, source.written)
        self._places.setdefault(path, place)
        return found

    def _single(self, row: Row, nodes: list[list[Node]], path: str) -> str | None:
        """Return the joined text of the sources, or None where they are blank or unfit."""
        texts = []
        for found in nodes:
            if not self._is_one_value(found, path):
                continue
            for node in found:
                text = self._text_of(row, node, path)
                if text is not None:
                    texts.append(text)
        return row.join.join(texts) if texts else None

    def _is_one_value(self, found: list[Node], path: str) -> bool:
        if len(found) > 1 or any(node.repeated for node in found):
            self._complain(Problem.REPEATED, path, found[0], count=len(found))
            return False
        return True

    def _text_of(self, row: Row, node: Node, path: str) -> str | None:
        """Return the text of one node, or None where it is blank or of the wrong kind."""
        if node.is_blank() or (node.text or "").strip() in row.absent:
            return None
        if node.text is None:
            if all(name.startswith("@") for name in node.children):
                return None
            self._complain(Problem.NOT_A_VALUE, path, node)
            return None
        if node.kind not in row.kinds:
            expected = " / ".join(sorted(row.kinds))
            self._complain(Problem.WRONG_KIND, path, node, found=node.kind, expected=expected)
            return None
        return node.text.strip()

    def _repeated(self, row: Row, found: list[Node], path: str) -> tuple[object, ...]:
        texts = []
        for node in found:
            text = self._text_of(row, node, path)
            if text is not None:
                parts = text.split(row.split) if row.split else [text]
                texts += [part.strip() for part in parts if part.strip()]
        values = [self._converted(row, text, f"{path}[{i}]") for i, text in enumerate(texts)]
        return tuple(value for value in values if value is not None)

    def _converted(self, row: Row, text: str, path: str) -> object | None:
        try:
            return row.conversion.read(text)
        except UnfitError as exc:
            place = self._places.get(path, self._nearest(path))
            self.findings.append(finding(exc.problem, path, place, **exc.details))
            return None

    def _require_fixed(self, row: FixedRow, node: Node) -> None:
        found = row.source.select(node, self._top)
        for one in found:
            one.used = True
        texts = {(one.text or "").strip() for one in found}
        if texts != {row.text}:
            place = found[0].location if found else _expected(node.location, row.source.written)
            shown_text = ", ".join(sorted(texts))
            self.findings.append(
                finding(Problem.FIXED, "", place, expected=row.text, shown=shown_text)
            )

    def _members(self, group: Group, node: Node, here: str, gathered: _Record) -> None:
        listed: list[Values] = list(_at(gathered.values, group.name))
        sources = [node] if group.each is None else group.each.select(node, self._top)
        for source in sources:
            path = f"{_joined(here, group.name)}[{len(listed)}]"
            if group.each is not None and source.text and not group.takes_text:
                self._complain(Problem.NOT_A_GROUP, path, source)
                source.used = True
                continue
            if group.each is not None:
                self._places[path] = source.location
            member = self._gather(group.rows, source, path, group.path)
            if group.each is not None or member.alive:
                listed.append(member.values)
        if listed:
            gathered.put_strong(group.field, tuple(listed))

    def _complain(self, problem: Problem, path: str, node: Node, **details: object) -> None:
        self.findings.append(finding(problem, path, node.location, **details))


def _stands_in(path: str, known: Collection[str]) -> bool:
    """Return whether ``path`` or a record around it is among those known."""
    while path and path not in known:
        path = path.rpartition(".")[0]
    return bool(path)


def _given_by(row: Row | ConstantRow | PositionRow) -> Origin:
    if isinstance(row, Row):
        return Origin.DEFAULT
    return Origin.CONSTANT if isinstance(row, ConstantRow) else Origin.POSITION


def _at(values: Mapping[str, Any], path: str) -> tuple[Values, ...]:
    here: Any = values
    for name in path.split("."):
        here = here.get(name, {})
    return here if isinstance(here, tuple) else ()


def _owners(path: str) -> list[str]:
    parts = path.split(".")
    return ["", *(".".join(parts[: index + 1]) for index in range(len(parts) - 1))]


def _joined(here: str, name: str) -> str:
    return f"{here}.{name}" if here else name


def _expected(location: Location, written: str) -> Location:
    return location if written == "." else location.below(written.removeprefix("/"))
