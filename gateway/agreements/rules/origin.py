"""Country of origin and origin criteria, as far as the certificate itself shows them.

What only the producer's cost sheet shows (V45 to V49) is the issuing desk's to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from gateway.agreements.parts import Basis, BoxField, Criterion
from gateway.agreements.rulebook import ERROR, WARNING, C, Case, Complaint, I, R, at, complain, rule
from gateway.agreements.rules.identity import COO
from gateway.documents.certificate_of_origin import CertificateOfOrigin, GoodsItem
from gateway.documents.codes import CertificateKind

_WHOLE = (Decimal(0), Decimal(100))


@rule("V5", COO, at(ERROR, I, R), box=BoxField.CERTIFICATION, article="9.1(g)")
def origin_is_one_member_state(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The whole certificate names one country of origin, and that is a member state."""
    first = coo.items[0].country_of_origin if coo.items else ""
    issued_on = coo.issued_at.date()
    for index, item in enumerate(coo.items):
        path, origin = f"items[{index}].country_of_origin", item.country_of_origin
        if origin != first:
            yield complain(path, value=origin, first=first)
        if case.agreement.member(origin, issued_on) is None:
            yield complain(path, "member", value=origin, agreement=case.agreement.id)


@rule("V6", COO, at(ERROR, I, R), box=BoxField.CERTIFICATION, article="8.3")
def origin_is_the_issuing_country(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """The country of origin is the issuing one; for a re-export it is the first country."""
    reexport = coo.kind is CertificateKind.REEXPORT
    if reexport and coo.original_certificate is None:
        return
    original = coo.original_certificate
    expected = original.country if reexport and original else coo.exporting_country
    for index, item in enumerate(coo.items):
        if item.country_of_origin != expected:
            yield complain(
                f"items[{index}].country_of_origin",
                "reexport" if reexport else None,
                value=item.country_of_origin,
                expected=expected,
            )


@rule("V39", COO, at(ERROR, I, R), box=BoxField.CRITERION, article="1")
def criterion_is_on_the_list(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """Every goods item has an origin criterion of the agreement's list."""
    for index, item in enumerate(coo.items):
        if case.agreement.criterion(item.criterion.code) is None:
            allowed = ", ".join(criterion.code for criterion in case.agreement.criteria)
            yield complain(
                f"items[{index}].criterion.code", value=item.criterion.code, allowed=allowed
            )


_Resting = tuple[int, GoodsItem, Criterion]
"""A goods item with its index and the criterion that its origin rests on."""


def _resting_on(coo: CertificateOfOrigin, case: Case, basis: Basis) -> Sequence[_Resting]:
    return case.once(_by_basis, coo).get(basis, ())


def _by_basis(coo: CertificateOfOrigin, case: Case) -> Mapping[Basis, Sequence[_Resting]]:
    found: dict[Basis, list[_Resting]] = {}
    for index, item in enumerate(coo.items):
        criterion = case.agreement.criterion(item.criterion.code)
        if criterion is not None:
            found.setdefault(criterion.basis, []).append((index, item, criterion))
    return found


@rule("V40", COO, at(ERROR, I), box=BoxField.CRITERION)
def wholly_produced_has_no_imported_material(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """Goods that are wholly produced declare no imported material."""
    for index, item, criterion in _resting_on(coo, case, Basis.WHOLLY_OBTAINED):
        share = item.criterion.percentage
        if share is not None and share not in _WHOLE:
            yield complain(f"items[{index}].criterion.percentage", value=share, code=criterion.code)


@rule("V41", COO, at(WARNING, I, C), box=BoxField.CRITERION)
def assembled_goods_are_not_wholly_produced(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """Goods of chapters in which things are assembled are hardly wholly produced."""
    for index, item, criterion in _resting_on(coo, case, Basis.WHOLLY_OBTAINED):
        if item.hs_code[:2] in case.agreement.assembled_chapters:
            yield complain(
                f"items[{index}].criterion.code", value=criterion.code, chapter=item.hs_code[:2]
            )


@rule("V42", COO, at(ERROR, I), box=BoxField.CRITERION)
def material_content_is_within_its_limit(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """The imported materials are no more than the permitted share of all materials."""
    yield from _thresholds(coo, case, Basis.MATERIAL_CONTENT)


@rule("V43", COO, at(ERROR, I), box=BoxField.CRITERION)
def value_added_reaches_its_threshold(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The value added reaches the required share of the ex-factory cost."""
    yield from _thresholds(coo, case, Basis.VALUE_ADDED)


@rule("V44", COO, at(ERROR, I), box=BoxField.CRITERION, article="5.3(b)(vi)")
def important_goods_are_listed_and_reach_their_threshold(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """Goods of particular importance stand on the list and reach their value added."""
    yield from _thresholds(coo, case, Basis.ECONOMIC_IMPORTANCE)
    listed = case.agreement.economic_importance
    for index, item, _ in _resting_on(coo, case, Basis.ECONOMIC_IMPORTANCE):
        if listed and not item.hs_code.startswith(listed):
            yield complain(
                f"items[{index}].hs_code", "list", box=BoxField.HS_CODE, value=item.hs_code
            )


def _thresholds(coo: CertificateOfOrigin, case: Case, basis: Basis) -> Iterator[Complaint]:
    # Percentages are compared as stated, unrounded (V50): 34.996 does not reach 35.
    for index, item, criterion in _resting_on(coo, case, basis):
        share, path = item.criterion.percentage, f"items[{index}].criterion.percentage"
        least, most = criterion.minimum_percentage, criterion.maximum_percentage
        if share is None:
            if least is not None or most is not None:
                yield complain(path, "missing", severity=WARNING, code=criterion.code)
        elif most is not None and share > most:
            yield complain(path, value=share, limit=most)
        elif least is not None and share < least:
            yield complain(path, value=share, limit=least)
