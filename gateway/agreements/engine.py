"""Judging a document: every rule that applies at the point, every complaint as a finding.

The engine collects; it does not stop at the first breach and raises for no document, however
odd.  A document with thousands of breaches of one kind is told about the first of them: a
verdict must stay small enough to be signed and read.
"""

from __future__ import annotations

from itertools import islice

from gateway.agreements.facts import Facts
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
    case = Case(agreement, facts)
    overrides = agreement.overrides_at(facts.point)
    found: list[Finding] = []
    for rule, level in rules_for(type(document), facts.point, overrides):
        for complaint in islice(rule.judge(document, case), MAX_PER_RULE):
            finding = _finding(rule, level, complaint, case)
            if finding is not None:
                found.append(finding)
    if len(found) > MAX_FINDINGS:
        found.sort(key=lambda finding: -_WEIGHT[finding.severity])
    return tuple(found[:MAX_FINDINGS])


def _finding(rule: Rule, level: Severity, complaint: Complaint, case: Case) -> Finding | None:
    severity = _severity(rule, level, complaint, case)
    if severity is None:
        return None
    shown = complaint.box or rule.box
    message, remedy = render(rule.id, complaint.variant, complaint.values)
    return Finding(
        rule=rule.id,
        severity=severity,
        path=complaint.path[:300],
        box=None if shown is None else case.agreement.box(shown),
        article=rule.article,
        message=message,
        remedy=remedy,
    )


def _severity(rule: Rule, level: Severity, complaint: Complaint, case: Case) -> Severity | None:
    if complaint.variant is not None:
        own = case.agreement.level(f"{rule.id}.{complaint.variant}", case.facts.point)
        if own is not None:
            return own.severity
    if complaint.severity is None:
        return level
    return min(level, complaint.severity, key=_WEIGHT.__getitem__)
