"""The arithmetic of a write-off: what is drawn, what would remain, what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal

from gateway.documents import Finding, Severity, UtilisationStatus
from gateway.register.decision import CustomsDecision, DrawnItem, UsePolicy
from gateway.register.findings import Problem, finding
from gateway.store.rows import CertificateItem, CertificateRow

Quantities = Mapping[int, Decimal]
NOTHING = Decimal(0)


def quantities(decision: CustomsDecision, items: Sequence[CertificateItem]) -> Quantities:
    """Return what is to be added to the used total of each item; negative on withdrawal."""
    if decision.status is UtilisationStatus.WITHDRAWN:
        return {item.number: -item.used for item in items if item.used}
    if decision.status is UtilisationStatus.FULL and not decision.items:
        return {item.number: item.remaining for item in items if item.remaining > 0}
    drawn: dict[int, Decimal] = {}
    for line in decision.items:
        drawn[line.number] = drawn.get(line.number, NOTHING) + line.quantity.value
    return drawn


def after(items: Sequence[CertificateItem], drawn: Quantities) -> tuple[CertificateItem, ...]:
    """Return the items as they would be once ``drawn`` is written off."""
    return tuple(replace(item, used=item.used + drawn.get(item.number, NOTHING)) for item in items)


def use_problems(
    certificate: CertificateRow,
    decision: CustomsDecision,
    policy: UsePolicy,
    items: Sequence[CertificateItem],
) -> list[Finding]:
    """Return everything that speaks against this write-off but the certificate's state."""
    drawn = quantities(decision, items)
    problems = _validity(certificate, decision)
    problems += _single_use(certificate, policy, items)
    problems += _line_problems(decision.items, items)
    if not drawn:
        problems.append(finding(Problem.NO_QUANTITY, "items", number="–"))
    problems += [
        _over_use(item, asked=drawn[item.number])
        for item in items
        if drawn.get(item.number, NOTHING) > item.remaining
    ]
    if decision.status is UtilisationStatus.FULL:
        problems += _not_full(policy, after(items, drawn))
    return problems


def _validity(certificate: CertificateRow, decision: CustomsDecision) -> list[Finding]:
    presented: date = decision.presented_on or decision.decided_at.astimezone(UTC).date()
    if presented <= certificate.valid_until or decision.exceptional:
        return []
    return [
        finding(
            Problem.AFTER_VALIDITY,
            "declaration.declared_on",
            serial=certificate.serial_number,
            valid_until=certificate.valid_until.isoformat(),
        )
    ]


def _single_use(
    certificate: CertificateRow, policy: UsePolicy, items: Sequence[CertificateItem]
) -> list[Finding]:
    if policy.partial or not any(item.used for item in items):
        return []
    return [finding(Problem.SINGLE_USE, "status", serial=certificate.serial_number)]


def _line_problems(lines: Sequence[DrawnItem], items: Sequence[CertificateItem]) -> list[Finding]:
    known = {item.number: item for item in items}
    problems = []
    for index, line in enumerate(lines):
        item = known.get(line.number)
        if item is None:
            path = f"items[{index}].number"
            problems.append(finding(Problem.UNKNOWN_ITEM, path, number=line.number))
            continue
        if line.quantity.unit != item.unit:
            problems.append(wrong_unit(item, line.quantity.unit, f"items[{index}].quantity.unit"))
        if line.quantity.value <= 0:
            path = f"items[{index}].quantity.value"
            problems.append(finding(Problem.NO_QUANTITY, path, number=line.number))
    return problems


def wrong_unit(
    item: CertificateItem, unit: str, path: str, severity: Severity = Severity.ERROR
) -> Finding:
    """Return the finding that ``unit`` is not the one certified for ``item``."""
    facts = {"number": item.number, "certified_unit": item.unit, "unit": unit}
    return finding(Problem.WRONG_UNIT, path, severity, **facts)


def _over_use(item: CertificateItem, *, asked: Decimal) -> Finding:
    return finding(
        Problem.OVER_USE,
        "items",
        number=item.number,
        asked=plain(asked),
        remaining=plain(item.remaining),
        unit=item.unit,
    )


def _not_full(policy: UsePolicy, items: Sequence[CertificateItem]) -> list[Finding]:
    return [
        finding(
            Problem.NOT_FULL,
            "status",
            number=item.number,
            remaining=plain(item.remaining),
            unit=item.unit,
        )
        for item in items
        if not policy.is_spent(item)
    ]


def plain(value: Decimal) -> str:
    """Return a decimal as people write it: no exponent, no needless zeros."""
    return format(value.normalize(), "f") if value else "0"
