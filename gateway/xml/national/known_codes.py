"""Codes that a mapping file writes into documents, against code lists and agreements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gateway.agreements import Agreement, load_agreements
from gateway.agreements.rules.codes import CODED_VALUES
from gateway.documents.codelists import code_list
from gateway.xml.national.checks import reads
from gateway.xml.national.conversions import CodeTable
from gateway.xml.national.drafting import Draft
from gateway.xml.national.mistakes import Mistake, visible
from gateway.xml.national.rows import AnyRow, ConstantRow, Group, Row, Section
from gateway.xml.national.texts import UnfitError


def unknown_codes(draft: Draft) -> Iterator[Mistake]:
    """Yield a mistake for each code of a constant, default or table that no list knows."""
    for section in (draft.certificate, draft.response):
        if section is not None:
            for row, code in _codes(section.rows):
                yield from _judged(draft.file, section, row, code)


def _judged(file: str, section: Section, row: Row | ConstantRow, code: str) -> Iterator[Mistake]:
    shown = visible(code)
    coded = CODED_VALUES[section.model].get(row.path)
    if coded is not None and code not in code_list(coded[0]):
        known = code_list(coded[0])
        problem = f'"{shown}" is not in the code list {known.id}'
        mistake = _mistake(file, row, problem, f"Use a code of the list {known.id}")
        yield replace(mistake, severity=known.unknown)
    if row.path == "agreement" and code not in load_agreements():
        remedy = "Known are: " + ", ".join(sorted(load_agreements()))
        yield _mistake(file, row, f'no agreement is called "{shown}"', remedy)
    if row.path == "items[].criterion.code":
        criteria = {each.code for agreement in _agreements(section) for each in agreement.criteria}
        if criteria and code not in criteria:
            problem = f'"{shown}" is no origin criterion of the agreement'
            yield _mistake(file, row, problem, "Known are: " + ", ".join(sorted(criteria)))


def _mistake(file: str, row: Row | ConstantRow, problem: str, remedy: str) -> Mistake:
    return Mistake(file, row.line, problem, remedy, row=f'"{row.path}"')


def _agreements(section: Section) -> tuple[Agreement, ...]:
    """Return the agreements that the documents of a section are under, as far as known."""
    named = {code for row, code in _codes(section.rows) if row.path == "agreement"}
    known = load_agreements()
    return tuple(known[name] for name in named if name in known)


def _codes(rows: tuple[AnyRow, ...]) -> Iterator[tuple[Row | ConstantRow, str]]:
    """Yield the texts that rows write by themselves, as they stand in the document."""
    for row in rows:
        if isinstance(row, Group):
            yield from _codes(row.rows)
        elif isinstance(row, ConstantRow):
            if isinstance(row.value, str):
                yield row, str(row.value)
        elif isinstance(row, Row) and reads(row):
            if isinstance(row.default, str):
                yield row, str(row.default)
            for code in _translated(row):
                yield row, code


def _translated(row: Row) -> Iterator[str]:
    """Yield what the table of a row gives, with what later steps add."""
    steps = row.conversion.steps
    for index, step in enumerate(steps):
        if isinstance(step, CodeTable):
            for ours in dict.fromkeys(step.codes.values()):
                text = ours
                try:
                    for later in steps[index + 1 :]:
                        text = later.read(text)
                except UnfitError:
                    continue
                yield text
