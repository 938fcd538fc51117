"""Judging a document: every rule that applies at the point, every complaint as a finding.

The engine collects; it does not stop at the first breach and raises for no document, however
odd.  A document with thousands of breaches of one kind is told about the first of them: a
verdict must stay small enough to be signed and read.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from gateway.agreements.facts import Facts, Point
from gateway.agreements.profile import Agreement
from gateway.agreements.rulebook import Case, Complaint, Rule, rules_for
from gateway.agreements.texts import render
from gateway.documents.codes import Severity
from gateway.documents.findings import Finding
from gateway.documents.shape import Document

MAX_PER_RULE = 50
MAX_FINDINGS = 500
"""What an acknowledgement can carry."""

_WEIGHT = {Severity.WARNING: 0, Severity.QUERY: 1, Severity.ERROR: 2}


def check(document: Document, agreement: Agreement, facts: Facts) -> tuple[Finding, ...]:
    """Return every finding about ``document`` at the point that ``facts`` name.

    Rules come in the order of the rule table, findings of one rule in the order of the
    document.  Past ``MAX_PER_RULE`` breaches a rule falls silent; if more than
    ``MAX_FINDINGS`` remain, the gravest are kept.
    """
    return _Judgement(document, Case(agreement, facts)).at(facts.point)


def check_at_each(
    document: Document, agreement: Agreement, facts: Facts, points: Iterable[Point]
) -> tuple[Finding, ...]:
    """Return what ``check`` finds at each of these points, one after the other.

    A rule judges the document once, whatever the number of points: no rule knows the point, it
    only gives the breach its level.  What is found again at a later point, by the same rule
    about the same datum, is not repeated.
    """
    judgement = _Judgement(document, Case(agreement, facts))
    found: dict[tuple[str, str], Finding] = {}
    for point in points:
        for finding in judgement.at(point):
            found.setdefault((finding.rule, finding.path), finding)
    return tuple(found.values())


class _Judgement:
    """Holds what the rules complained about so far, by rule."""

    def __init__(self, document: Document, case: Case) -> None:
        self._document = document
        self._case = case
        self._complaints: dict[str, tuple[Complaint, ...]] = {}

    def at(self, point: Point) -> tuple[Finding, ...]:
        """Return every finding at this point."""
        found: list[Finding] = []
        overrides = self._case.agreement.overrides_at(point)
        for rule, level in rules_for(type(self._document), point, overrides):
            complaints = self._complaints.get(rule.id)
            if complaints is None:
                complaints = self._judged(rule)
            for complaint in complaints:
                finding = _finding(rule, level, complaint, self._case.agreement, point)
                if finding is not None:
                    found.append(finding)
        if len(found) > MAX_FINDINGS:
            found.sort(key=lambda finding: -_WEIGHT[finding.severity])
        return tuple(found[:MAX_FINDINGS])

    def _judged(self, rule: Rule) -> tuple[Complaint, ...]:
        complaints = tuple(islice(rule.judge(self._document, self._case), MAX_PER_RULE))
        self._complaints[rule.id] = complaints
        return complaints


def _finding(
    rule: Rule, level: Severity, complaint: Complaint, agreement: Agreement, point: Point
) -> Finding | None:
    severity = _severity(rule, level, complaint, agreement, point)
    if severity is None:
        return None
    shown = complaint.box or rule.box
    message, remedy = render(rule.id, complaint.variant, complaint.values)
    return Finding(
        rule=rule.id,
        severity=severity,
        path=complaint.path[:300],
        box=None if shown is None else agreement.box(shown),
        article=rule.article,
        message=message,
        remedy=remedy,
    )


def _severity(
    rule: Rule, level: Severity, complaint: Complaint, agreement: Agreement, point: Point
) -> Severity | None:
    if complaint.variant is not None:
        own = agreement.level(f"{rule.id}.{complaint.variant}", point)
        if own is not None:
            return own.severity
    if complaint.severity is None:
        return level
    return min(level, complaint.severity, key=_WEIGHT.__getitem__)
