"""What the register of certificates knows: earlier serial numbers, originals, balances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from gateway.agreements.facts import KnownCertificate, KnownItem
from gateway.agreements.parts import BoxField
from gateway.agreements.rulebook import ERROR, QUERY, Case, Complaint, I, R, at, complain, rule
from gateway.agreements.rules.identity import COO
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import CertificateKind, Purpose


def _other_under_same_serial(coo: CertificateOfOrigin, case: Case) -> KnownCertificate | None:
    register = case.facts.register
    known = None if register is None else register.same_serial
    if known is None or known.same_content or coo.purpose is Purpose.CANCELLATION:
        return None
    return known


@rule("V17", COO, at(ERROR, I), box=BoxField.SERIAL_NUMBER, article="9.1(d)")
def serial_number_is_unique(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """A serial number is given once and for ever (at receipt V84 judges the same)."""
    known = _other_under_same_serial(coo, case)
    if known is not None:
        yield complain("serial_number", value=coo.serial_number, day=known.issued_on)


@rule("V84", COO, at(ERROR, R), box=BoxField.SERIAL_NUMBER, article="9.1(d)")
def serial_number_came_with_this_content(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """A serial number received before came with the same content."""
    known = _other_under_same_serial(coo, case)
    if known is not None:
        yield complain("serial_number", value=coo.serial_number, digest=known.content_sha256[:16])


@rule("V65", COO, at(ERROR, I) | at(QUERY, R), article="8.3")
def original_is_known_and_good(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The original behind a re-export is known here and was not cancelled, refused or expired."""
    if coo.kind is not CertificateKind.REEXPORT or coo.original_certificate is None:
        return
    if case.facts.register is None:
        return
    path, number = "original_certificate.serial_number", coo.original_certificate.serial_number
    original = case.facts.register.original
    if original is None:
        # Art. 18 brings the states in by phases: a first country's certificate may still be on
        # paper, so an officer looks at it instead of the system refusing.
        yield complain(path, severity=QUERY, value=number)
    elif original.is_dead:
        yield complain(path, "state", value=number, state=original.state)


@rule("V66", COO, at(ERROR, I), box=BoxField.WEIGHT, article="8.3(a)")
def reexport_stays_within_the_balance(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """Re-exported quantities do not exceed what is left on the original certificate."""
    register = case.facts.register
    original = None if register is None else register.original
    if coo.kind is not CertificateKind.REEXPORT or original is None:
        return
    if any(item.hs_code is None for item in original.items):
        return
    left = _balance(original.items)
    for index, item in enumerate(coo.items):
        key = (item.hs_code[:6], item.quantity.unit)
        if key not in left:
            if any(known == key[0] for known, _ in left):
                yield complain(f"items[{index}].quantity.unit", "unit", value=key[1])
            continue
        if item.quantity.value > left[key]:
            yield complain(
                f"items[{index}].quantity.value",
                value=item.quantity.value,
                left=left[key],
                unit=item.quantity.unit,
            )
        left[key] -= item.quantity.value


def _balance(items: Iterable[KnownItem]) -> dict[tuple[str, str], Decimal]:
    left: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for item in items:
        if item.hs_code is not None:
            left[item.hs_code[:6], item.unit] += item.remaining
    return dict(left)
