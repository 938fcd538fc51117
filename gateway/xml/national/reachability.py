"""Rows of a mapping file that can never take effect, whatever a national file holds."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace

from gateway.documents.codes import Severity
from gateway.documents.fields import groups
from gateway.xml.national.checks import filled_by, missing_fields, reads
from gateway.xml.national.conversions import CodeTable, Removal, SourcePrefix
from gateway.xml.national.drafting import Draft
from gateway.xml.national.mistakes import Mistake, visible
from gateway.xml.national.rows import (
    AnyRow,
    ConstantRow,
    Group,
    PositionRow,
    Row,
    Section,
    optional_records,
)
from gateway.xml.national.tree import SourcePath, Step

_Steps = tuple[Step, ...]


def unreachable(draft: Draft) -> Iterator[Mistake]:
    """Yield a mistake for each row, group, code and table that nothing can ever reach."""
    for section in (draft.certificate, draft.response):
        if section is not None:
            about = _About(draft, section)
            yield from about.level(section.rows, "")
            yield from about.clashes()
            yield from about.missing_groups()
            if draft.kind == "csv":
                yield from about.columns()
    yield from _unused_tables(draft)


class _About:
    """Looks at one section of a draft."""

    def __init__(self, draft: Draft, section: Section) -> None:
        self._draft = draft
        self._section = section
        self._optional = optional_records(section.model)

    def level(self, rows: tuple[AnyRow, ...], prefix: str) -> Iterator[Mistake]:
        """Yield the rows beside one another that nothing brings to life, and those below."""
        for dead, owner in _lifeless(rows, prefix, self._optional):
            yield self._mistake(
                dead.line,
                dead.path,
                f"the row never takes effect, as no row with a source fills {owner}",
                "Add such a row, or remove this one",
            )
        for row in rows:
            if isinstance(row, Group):
                if not _lives(row):
                    yield self._mistake(
                        row.line,
                        row.path,
                        "no row of the group reads the source, so it never comes to be",
                        'Add a row with a source, or "each:"',
                    )
                yield from self.level(row.rows, row.path + ".")
            elif isinstance(row, Row) and reads(row):
                yield from self._codes(row)

    def clashes(self) -> Iterator[Mistake]:
        """Yield the rows that read a value where another row looks for parts."""
        if self._draft.kind == "csv":
            return
        values: dict[_Steps, Row] = {}
        parts: dict[_Steps, str] = {}
        for row, base in _placed(self._section.rows, ()):
            for source in row.sources:
                steps = source.steps if source.absolute else (*base, *source.steps)
                values.setdefault(steps, row)
                for length in range(1, len(steps)):
                    if not steps[length].name.startswith("@") and steps[length].name != "text()":
                        parts.setdefault(steps[:length], row.path)
        for steps, row in values.items():
            if steps in parts:
                yield self._mistake(
                    row.line,
                    row.path,
                    f'"{row.sources[0].written}" cannot be a value, as the row '
                    f"{parts[steps]} reads a part of it",
                    "Correct one of the two sources",
                )

    def missing_groups(self) -> Iterator[Mistake]:
        """Yield what every document repeats although no group fills it."""
        for path in unfilled_groups(self._section):
            yield self._mistake(
                self._section.line,
                path,
                "every document must have it, but no group fills it",
                "Add a group for it",
            )

    def columns(self) -> Iterator[Mistake]:
        """Yield rows whose column no line of the file can have."""
        layout = self._section.layout
        listed = self._listed_columns()
        shared = set(self._section.columns.get("", ()))
        for row, line, source in _cells(self._section.rows, ""):
            name, own = source.names[0], "" if source.absolute else line
            if listed and name not in listed.get(own, ()):
                yield self._mistake(
                    row.line, row.path, f'columns: lists no "{name}" here', "Add it there"
                )
            elif "lines" in layout and own and name in shared:
                yield self._mistake(
                    row.line,
                    row.path,
                    f'the column "{name}" is read for the whole document elsewhere',
                    f'Write "/{name}" as the source',
                )

    def _listed_columns(self) -> dict[str, set[str]]:
        """Return the columns that the mapping file lists, by repeated part; "" is the document."""
        if getattr(self._draft.carrier, "names", "") != "mapping":
            return {}
        found: dict[str, set[str]] = {}
        for kind, names in self._section.listed_columns.items():
            part = self._section.record_types.get(kind, "")
            found.setdefault(part.removeprefix("."), set()).update(names)
        if "lines" in self._section.layout:
            found[self._section.layout["lines"]] = found.get("", set())
        return found

    def _codes(self, row: Row) -> Iterator[Mistake]:
        before: list[object] = []
        for step in row.conversion.steps:
            if isinstance(step, CodeTable):
                for code in step.codes:
                    if (reason := _unreachable_code(code, row, before)) is not None:
                        mistake = self._mistake(
                            row.line,
                            row.path,
                            f'the code "{code}" of table "{step.name}" is never reached: {reason}',
                            "Write the code as the row meets it",
                        )
                        yield replace(mistake, severity=Severity.WARNING)
            before.append(step)

    def _mistake(self, line: int, row: str, problem: str, remedy: str) -> Mistake:
        return Mistake(self._draft.file, line, visible(problem), visible(remedy), row=f'"{row}"')


def unfillable(section: Section) -> Iterator[str]:
    """Yield the targets that every document must have and that no row can ever fill."""
    yield from _unfillable(section, section.rows, "", lifeless_fields(section))
    yield from unfilled_groups(section)


def _unfillable(
    section: Section, rows: tuple[AnyRow, ...], prefix: str, dead: Set[str]
) -> Iterator[str]:
    yield from missing_fields(filled_by(rows) - dead, section.model, prefix)
    for row in rows:
        if isinstance(row, Group):
            yield from _unfillable(section, row.rows, row.path + ".", dead)


def lifeless_fields(section: Section) -> frozenset[str]:
    """Return the fields whose rows can never take effect."""
    return frozenset(_lifeless_below(section.rows, "", optional_records(section.model)))


def _lifeless_below(rows: tuple[AnyRow, ...], prefix: str, optional: Set[str]) -> Iterator[str]:
    yield from (row.path for row, _ in _lifeless(rows, prefix, optional))
    for row in rows:
        if isinstance(row, Group):
            yield from _lifeless_below(row.rows, row.path + ".", optional)
            if not _lives(row):
                yield from filled_by(row.rows)


def _lifeless(
    rows: tuple[AnyRow, ...], prefix: str, optional: Set[str]
) -> Iterator[tuple[ConstantRow | PositionRow, str]]:
    """Yield the rows that only join a record which nothing beside them begins."""
    alive = set(_brought_to_life(rows))
    for row in rows:
        if isinstance(row, ConstantRow | PositionRow):
            names = row.field.split(".")[:-1]
            owners = (".".join(names[:length]) for length in range(1, len(names) + 1))
            for owner in owners:
                if prefix + owner in optional and owner not in alive:
                    yield row, prefix + owner
                    break


def unfilled_groups(section: Section) -> Iterator[str]:
    """Yield the repeated parts that every document must have and that no group fills."""
    mapped, optional = section.mapped(), optional_records(section.model)
    for path in groups(section.model):
        parent, _, name = path.removesuffix("[]").rpartition(".")
        if not path.endswith("[]") or "[]" in parent:
            continue
        owner = groups(section.model)[parent] if parent else section.model
        needed = owner.model_fields[name].is_required() and parent not in optional
        if needed and not any(each.startswith(path) for each in mapped):
            yield path


def _lives(group: Group) -> bool:
    """Whether a member of the group can ever come to be."""
    return group.each is not None or next(_brought_to_life(group.rows), None) is not None


def _brought_to_life(rows: tuple[AnyRow, ...]) -> Iterator[str]:
    """Yield the records, "" for the outermost, that a row with a source or a group fills."""
    for row in rows:
        lives = isinstance(row, Row) and reads(row)
        if isinstance(row, Group):
            lives = _lives(row)
        if lives and isinstance(row, Row | Group):
            names = row.field.split(".")
            yield from (".".join(names[:length]) for length in range(len(names)))


def _unreachable_code(code: str, row: Row, before: list[object]) -> str | None:
    removed = "".join(step.characters for step in before if isinstance(step, Removal))
    if any(char in removed for char in code):
        return "its characters are removed before"
    if any(isinstance(step, SourcePrefix) for step in before) or row.join:
        return None
    if not code.strip():
        return "a blank source is never looked up"
    if code != code.strip():
        return "the white space around a value is dropped before"
    if code in row.absent and not before:
        return "the row takes it for absent"
    return None


def _placed(rows: tuple[AnyRow, ...], base: _Steps) -> Iterator[tuple[Row, _Steps]]:
    """Yield every row that reads, with the steps that lead to the part where it starts."""
    for row in rows:
        if isinstance(row, Group):
            each = row.each
            inner = base
            if each is not None:
                inner = each.steps if each.absolute else (*base, *each.steps)
            yield from _placed(row.rows, inner)
        elif isinstance(row, Row) and reads(row):
            yield row, base


def _cells(rows: tuple[AnyRow, ...], line: str) -> Iterator[tuple[Row, str, SourcePath]]:
    for row in rows:
        if isinstance(row, Group):
            yield from _cells(row.rows, row.each.names[0] if row.each else line)
        elif isinstance(row, Row) and reads(row):
            for source in row.sources:
                if source.steps:
                    yield row, line, source


def _unused_tables(draft: Draft) -> Iterator[Mistake]:
    if draft.certificate is None or draft.response is None or draft.mistakes:
        return
    used = {
        step.name
        for section in (draft.certificate, draft.response)
        for row in _every_row(section.rows)
        for step in row.conversion.steps
        if isinstance(step, CodeTable)
    }
    for name, table in draft.tables.items():
        if name not in used:
            yield Mistake(
                draft.file,
                table.line,
                visible(f'no row uses the table "{name}"'),
                "Remove it, or name it in a row",
                severity=Severity.WARNING,
            )


def _every_row(rows: tuple[AnyRow, ...]) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, Group):
            yield from _every_row(row.rows)
        elif isinstance(row, Row):
            yield row
