"""A report as sections of cells, in one language: what the page shows and the file prints alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from markupsafe import Markup

from gateway.agreements.texts import placeholders, rule_texts
from gateway.documents.codelists import code_list
from gateway.services.people.roles import Right
from gateway.services.reports.certificates import Line, Report, Table
from gateway.services.reports.listing import Column
from gateway.store import Side
from gateway.store.reporting import Counted, Failing
from gateway.web.console.pages import Visit
from gateway.web.console.plots import Pile
from gateway.web.console.words import Words, plain

_LINE: Final[Mapping[str, Column]] = {
    "issued": Column.ISSUED,
    "sent": Column.SENT,
    "used": Column.USED,
    "received": Column.RECEIVED,
    "used_here": Column.USED_HERE,
}
_PARTS: Final = {"issued": "sent", "received": "reexported"}
_LIST: Final = "/reports/list"
_NOTHING: Final = "–"


@dataclass(frozen=True, kw_only=True)
class TableCell:
    """Is one cell.

    Attributes:
        href: leads to what a number counts, where the reader may see it.
        share: length of a bar below it, of the greatest, 0 to 1.
    """

    said: str | Markup
    href: str | None = None
    is_figure: bool = False
    is_head: bool = False
    share: float | None = None


Row = tuple[TableCell, ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Is one table of a report with its plot.

    Attributes:
        columns: of the plot; empty for none.
        key: class of the style sheet and meaning of each part of a column.
        hint: what must be known to read it.
    """

    table: Table
    title: str | Markup
    heads: Row
    rows: tuple[Row, ...]
    columns: tuple[Pile, ...] = ()
    key: tuple[tuple[str, str | Markup], ...] = ()
    hint: str | Markup | None = None


class Tables:
    """Words the tables of one report for one visit."""

    def __init__(self, visit: Visit, found: Report) -> None:
        self._words = visit.words
        self._found = found
        self._may_list = Right.FIND in visit.person.rights
        self._may_watch = Right.WATCH in visit.person.rights

    def all(self) -> tuple[Section, ...]:
        """Return every section, in the order in which they are read."""
        made: Mapping[Table, Callable[[], Section]] = {
            Table.PAIRS: self._pairs,
            Table.MONTHS: self._months,
            Table.KINDS: self._kinds,
            Table.CHAPTERS: self._chapters,
            Table.TIMES: self._times,
            Table.REASONS: self._reasons,
            Table.RULES: self._rules,
            Table.OVERDUE: self._overdue,
        }
        return tuple(make() for make in made.values())

    def _pairs(self) -> Section:
        say, found = self._words, self._found
        rows = [
            (
                _head(say.country(origin)),
                _head(say.country(destination)),
                *self._figures(line, {"from": origin, "to": destination}),
            )
            for (origin, destination), line in found.pairs.items()
        ]
        total = (_head(say("reports.total")), TableCell(said=""), *self._figures(found.total, {}))
        heads = (say("certificates.from"), say("certificates.to"))
        return self._lines(Table.PAIRS, "reports.by_pair", heads, [*rows, total])

    def _kinds(self) -> Section:
        rows = [
            (_head(self._words.word("kind", kind)), *self._figures(line, {"kind": kind}))
            for kind, line in self._found.kinds.items()
        ]
        return self._lines(Table.KINDS, "reports.by_kind", (self._words("public.kind"),), rows)

    def _months(self) -> Section:
        say, months = self._words, self._found.months
        rows = [
            (
                _head(say.month(month)),
                *self._figures(line, dict.fromkeys(("first", "last"), f"{month:%Y-%m}")),
            )
            for month, line in months.items()
        ]
        heads, columns = (say("reports.month"),), self._month_piles(months)
        return self._lines(Table.MONTHS, "reports.by_month", heads, rows, columns)

    def _lines(
        self,
        table: Table,
        title: str,
        names: Sequence[str | Markup],
        rows: Sequence[Row],
        columns: tuple[Pile, ...] = (),
    ) -> Section:
        say = self._words
        figures = (say.word("tally", name) for name in (*_LINE, "rate"))
        heads = (*(_head(name) for name in names), *(_figure(name) for name in figures))
        key = tuple((tone, say.word("tally", name)) for name, tone in _PARTS.items())
        return Section(
            table=table,
            title=say(title),
            heads=heads,
            rows=tuple(rows),
            columns=columns,
            key=key if columns else (),
        )

    def _figures(self, line: Line, where: Mapping[str, str]) -> Iterable[TableCell]:
        for name, column in _LINE.items():
            number = getattr(line, name)
            yield self._count(number, column, where)
        rate = line.rate
        said = _NOTHING if rate is None else self._words.percent(rate)
        yield TableCell(said=said, is_figure=True, share=rate)

    def _count(
        self, number: int, column: Column, where: Mapping[str, str], *, share: float | None = None
    ) -> TableCell:
        href = None
        if number and self._may_list:
            href = f"{_LIST}?{urlencode({**self._found.asked.written, **where, 'of': column})}"
        return TableCell(said=self._words.number(number), href=href, is_figure=True, share=share)

    def _chapters(self) -> Section:
        columns = self._chapter_piles(self._found.chapters)
        return self._counted(
            Table.CHAPTERS, "by_chapter", self._found.chapters, Column.CHAPTER, columns=columns
        )

    def _reasons(self) -> Section:
        return self._counted(Table.REASONS, "reasons", self._found.reasons, Column.REASON)

    def _overdue(self) -> Section:
        return self._counted(Table.OVERDUE, "overdue", self._found.overdue, Column.OVERDUE)

    def _counted(
        self,
        table: Table,
        title: str,
        rows: Sequence[Counted],
        column: Column,
        *,
        columns: tuple[Pile, ...] = (),
    ) -> Section:
        say, most = self._words, max((each.count for each in rows), default=1)
        key = tuple((tone, say.word("tally", name)) for name, tone in _PARTS.items())
        return Section(
            table=table,
            title=say(f"reports.{title}"),
            heads=(
                _head(say(f"reports.head_{table.lower()}")),
                _head(say("reports.side")),
                _figure(say("reports.count")),
            ),
            rows=tuple(
                (
                    _head(self._name(table, each.name)),
                    TableCell(said=say.word("side", each.side)),
                    self._count(
                        each.count,
                        column,
                        {"name": each.name, "side": each.side},
                        share=each.count / most,
                    ),
                )
                for each in rows
            ),
            columns=columns,
            key=key if columns else (),
        )

    def _name(self, table: Table, name: str) -> str | Markup:
        if table is Table.REASONS:
            return reason_said(self._words, name)
        if table is Table.OVERDUE:
            return self._words.word("state", name)
        return self._words.code(name)

    def _times(self) -> Section:
        say = self._words
        return Section(
            table=Table.TIMES,
            title=say("reports.times"),
            heads=(
                _head(say("reports.step")),
                _figure(say("reports.count")),
                _figure(say("reports.median")),
                _figure(say("reports.p90")),
            ),
            rows=tuple(
                (
                    _head(say.word("pace", each.step)),
                    TableCell(said=say.number(each.count), is_figure=True),
                    TableCell(said=_span(say, each.median), is_figure=True),
                    TableCell(said=_span(say, each.p90), is_figure=True),
                )
                for each in self._found.times
            ),
            hint=say("reports.times_hint"),
        )

    def _rules(self) -> Section:
        say, rules = self._words, self._found.rules
        most = max((each.count for each in rules), default=1)
        return Section(
            table=Table.RULES,
            title=say("reports.rules"),
            heads=(
                _head(say("reports.sender")),
                _head(say("reports.rule")),
                _head(say("reports.asks")),
                _figure(say("reports.count")),
            ),
            rows=tuple(
                (
                    _head(say.code(each.peer)),
                    TableCell(said=say.code(each.rule)),
                    TableCell(said=rule_said(say, each.rule)),
                    self._failures(each, most),
                )
                for each in rules
            ),
            hint=say("reports.rules_hint"),
        )

    def _failures(self, each: Failing, most: int) -> TableCell:
        href = None
        if self._may_watch:
            href = f"/operating/arrivals?{urlencode({'peer': each.peer, 'refused': 'yes'})}"
        said = self._words.number(each.count)
        return TableCell(said=said, href=href, is_figure=True, share=each.count / most)

    def _month_piles(self, months: Mapping[date, Line]) -> tuple[Pile, ...]:
        say = self._words
        return tuple(
            Pile(
                label=f"{month:%Y-%m}",
                says=f"{say.month(month)} · "
                + " · ".join(
                    f"{say.word('tally', name).striptags()} {say.number(getattr(line, name))}"
                    for name in _PARTS
                ),
                parts=tuple((tone, float(getattr(line, name))) for name, tone in _PARTS.items()),
            )
            for month, line in months.items()
        )

    def _chapter_piles(self, counted: Sequence[Counted]) -> tuple[Pile, ...]:
        sums: dict[str, dict[Side, int]] = {}
        for each in sorted(counted, key=lambda one: one.name):
            sums.setdefault(each.name, {})[each.side] = each.count
        return tuple(
            Pile(
                label=chapter,
                says=f"{chapter}: {self._words.number(sum(sides.values()))}",
                parts=(
                    ("sent", float(sides.get(Side.ISSUED, 0))),
                    ("reexported", float(sides.get(Side.RECEIVED, 0))),
                ),
            )
            for chapter, sides in sums.items()
        )


def reason_said(words: Words, code: str) -> str | Markup:
    """Return the reason of a refusal by its name and code, that of none in words."""
    if not code:
        return words("reports.no_reason")
    name = code_list("response-reasons").name(code, words.language)
    return (
        words.code(code)
        if name == code
        else Markup("{} ({})").format(plain(name), words.code(code))
    )


def rule_said(words: Words, rule: str) -> str | Markup:
    """Return what a rule asks for, blank where that depends on the document."""
    text = rule_texts().texts.get(rule)
    if text is not None and text.remedy is not None:
        said = text.remedy.in_language(words.language)
        return "" if placeholders(said) else said
    known = words.word("error", rule)
    return "" if known == words.code(rule) else known


def _span(words: Words, seconds: float | None) -> str:
    return _NOTHING if seconds is None else words.age(timedelta(seconds=seconds))


def _head(said: str | Markup) -> TableCell:
    return TableCell(said=said, is_head=True)


def _figure(said: str | Markup) -> TableCell:
    return TableCell(said=said, is_head=True, is_figure=True)
