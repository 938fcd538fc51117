"""Transport: one consignment, the way it takes, and the day it left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.agreements.calendar_days import add_working_days
from gateway.agreements.parts import BoxField
from gateway.agreements.rulebook import (
    ERROR,
    QUERY,
    WARNING,
    C,
    Case,
    Complaint,
    I,
    at,
    complain,
    rule,
)
from gateway.agreements.rules.identity import COO
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import CertificateKind
from gateway.documents.parties import Place

_UNLOCODE = re.compile(r"[A-Z]{2}[A-Z2-9]{3}", re.ASCII)


@rule("V56", COO, at(WARNING, I), box=BoxField.TRANSPORT)
def certificate_covers_one_consignment(
    coo: CertificateOfOrigin, _case: Case
) -> Iterator[Complaint]:
    """A certificate covers one consignment: one transport document of each type."""
    seen: dict[str, str] = {}
    for index, document in enumerate(coo.transport.documents):
        first = seen.setdefault(document.type_code, document.number)
        if first != document.number:
            yield complain(
                f"transport.documents[{index}].number", value=document.number, first=first
            )


@rule("V57", COO, at(WARNING, I), box=BoxField.TRANSPORT)
def transport_says_when_and_where(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """The particulars of transport give departure and route, and their place codes are sound."""
    transport = coo.transport
    if transport.departed_on is None:
        yield complain("transport.departed_on")
    if transport.route is None and transport.loading_place is None:
        yield complain("transport.route", "route")
    for path, place in _places(coo):
        code = place.unlocode
        if code is not None and not (_UNLOCODE.fullmatch(code) and code[:2] == place.country):
            yield complain(f"{path}.unlocode", "place", value=code, country=place.country)


def _places(coo: CertificateOfOrigin) -> Iterator[tuple[str, Place]]:
    if coo.transport.loading_place is not None:
        yield "transport.loading_place", coo.transport.loading_place
    if coo.transport.unloading_place is not None:
        yield "transport.unloading_place", coo.transport.unloading_place
    for index, place in enumerate(coo.transport.transit):
        yield f"transport.transit[{index}]", place


@rule("V58", COO, at(QUERY, C), box=BoxField.TRANSPORT)
def goods_are_consigned_directly(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """Transit outside the member states is covered by a through transport document."""
    through = case.agreement.through_documents
    if any(document.type_code in through for document in coo.transport.documents):
        return
    for index, place in enumerate(coo.transport.transit):
        if case.agreement.member(place.country, coo.issued_at.date()) is None:
            yield complain(f"transport.transit[{index}].country", value=place.country)


@rule("V59", COO, at(WARNING, I), article="8.4")
def certificate_precedes_exportation(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """A standard certificate is issued before exportation; a few working days are tolerated."""
    left, issued_on = coo.transport.departed_on, coo.issued_at.date()
    if coo.kind is not CertificateKind.STANDARD or left is None or issued_on <= left:
        return
    limits = case.agreement.limits
    last = add_working_days(left, limits.issue_after_export_working_days, limits.weekend)
    if issued_on <= last:
        yield complain("issued_at", value=issued_on, day=left, last=last)


@rule("V60", COO, at(ERROR, I), article="1")
def late_certificate_is_retrospective(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """A certificate issued after exportation is a retrospective one."""
    left, issued_on = coo.transport.departed_on, coo.issued_at.date()
    if coo.kind not in (CertificateKind.STANDARD, CertificateKind.SIMPLIFIED) or left is None:
        return
    limits = case.agreement.limits
    last = add_working_days(left, limits.issue_after_export_working_days, limits.weekend)
    if issued_on > last:
        yield complain("kind", value=issued_on, day=left)
