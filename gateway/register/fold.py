"""Totals at the issuing side as a pure fold over responses in the order of their sequence.

Whatever order responses arrive in, and however often, the fold over what is stored gives the
same totals, because every response states cumulative quantities (design decision 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.documents import Finding, Severity, UtilisationStatus
from gateway.register.drawing import plain, wrong_unit
from gateway.register.findings import Problem, finding
from gateway.store.rows import CertificateItem, ResponseItem, ResponseRow
from gateway.store.states import ResponseStanding


@dataclass(frozen=True)
class Folded:
    """Is what responses amount to: the total of each item, and what does not fit."""

    totals: Mapping[int, Decimal]
    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()


def fold_one(
    before: Folded,
    status: UtilisationStatus,
    stated: Sequence[ResponseItem],
    items: Mapping[int, CertificateItem],
) -> Folded:
    """Return ``before`` with one later response added.

    A total never falls, unless the response withdraws the preference.
    """
    totals = dict(before.totals)
    problems, findings = list(before.problems), list(before.findings)
    for index, line in enumerate(stated):
        found = _line_problem(totals, status, line, items, f"items[{index}]")
        if found is None:
            totals[line.number] = line.cumulative
        else:
            problems.append(found[0])
            findings.append(found[1])
    return Folded(totals, tuple(problems), tuple(findings))


def fold_all(responses: Iterable[ResponseRow], items: Mapping[int, CertificateItem]) -> Folded:
    """Return what all deciding responses, by sequence number, amount to."""
    folded = Folded(dict.fromkeys(items, Decimal(0)))
    for response in responses:
        if response.standing is not ResponseStanding.CONTRADICTING:
            folded = fold_one(folded, response.status, response.items, items)
    return folded


def _line_problem(
    totals: Mapping[int, Decimal],
    status: UtilisationStatus,
    line: ResponseItem,
    items: Mapping[int, CertificateItem],
    path: str,
) -> tuple[Problem, Finding] | None:
    item = items.get(line.number)
    if item is None:
        problem = Problem.UNKNOWN_ITEM
        return problem, finding(problem, f"{path}.number", Severity.WARNING, number=line.number)
    if line.unit != item.unit:
        return Problem.WRONG_UNIT, wrong_unit(
            item, line.unit, f"{path}.cumulative.unit", Severity.WARNING
        )
    lowest = Decimal(0) if status is UtilisationStatus.WITHDRAWN else totals[line.number]
    if line.cumulative < lowest:
        said = finding(
            Problem.TOTAL_FELL,
            f"{path}.cumulative.value",
            Severity.WARNING,
            number=line.number,
            asked=plain(line.cumulative),
            remaining=plain(totals[line.number]),
            unit=item.unit,
        )
        return Problem.TOTAL_FELL, said
    return None
