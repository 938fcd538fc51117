"""What each kind of certificate demands: retrospective, re-export, simplified; attachments."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from decimal import Decimal

from gateway.agreements.calendar_days import add_months
from gateway.agreements.parts import BoxField
from gateway.agreements.rulebook import ERROR, WARNING, Case, Complaint, I, R, at, complain, rule
from gateway.agreements.rules.identity import COO
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import CertificateKind

_EXPORT_DECLARATION = "830"
_MEGABYTE = 1_000_000


@rule("V61", COO, at(ERROR, I), article="8.4(b)")
def retrospective_application_is_in_time(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """A retrospective certificate states the day of exportation and was applied for in time."""
    if coo.kind is not CertificateKind.RETROSPECTIVE:
        return
    left = coo.transport.departed_on
    if left is None:
        yield complain("transport.departed_on", "export", box=BoxField.TRANSPORT)
    elif coo.retrospective is not None:
        last = add_months(left, case.agreement.limits.retrospective_months)
        if coo.retrospective.applied_on > last:
            yield complain(
                "retrospective.applied_on",
                value=coo.retrospective.applied_on,
                day=left,
                last=last,
            )


@rule("V62", COO, at(ERROR, I), article="8.4(b)")
def retrospective_issue_has_its_reason(
    coo: CertificateOfOrigin, _case: Case
) -> Iterator[Complaint]:
    """A retrospective certificate gives its reason and names the export documents."""
    if coo.kind is not CertificateKind.RETROSPECTIVE:
        if coo.retrospective is not None:
            yield complain("retrospective", "kind", value=coo.kind.value)
        return
    if coo.retrospective is None:
        yield complain("retrospective")
    attached = any(one.type_code == _EXPORT_DECLARATION for one in coo.attachments)
    if coo.export_declaration is None and not attached:
        yield complain("export_declaration", "documents")


@rule("V63", COO, at(ERROR, I, R), box=BoxField.ENDORSEMENTS, article="8.4(c)")
def retrospective_endorsement_stands_in_its_box(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """A retrospective certificate is endorsed as such, word for word; no other one is."""
    text = case.agreement.retrospective.text
    box = case.agreement.box(BoxField.ENDORSEMENTS) or ""
    if coo.kind is CertificateKind.RETROSPECTIVE:
        if not any(one.box == box and one.text == text for one in coo.endorsements):
            yield complain("endorsements", text=text, box_number=box)
        return
    for index, one in enumerate(coo.endorsements):
        if _plain(text) in _plain(one.text):
            yield complain(f"endorsements[{index}].text", "forbidden", text=text)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@rule("V64", COO, at(ERROR, I, R), article="8.3(d)")
def reexport_names_the_original(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """A re-export names the original certificate and import declaration; no other kind does."""
    original = coo.original_certificate
    if coo.kind is not CertificateKind.REEXPORT:
        if original is not None:
            yield complain("original_certificate", "kind", value=coo.kind.value)
    elif original is None:
        yield complain("original_certificate")
    elif original.issued_on > coo.issued_at.date():
        yield complain("original_certificate.issued_on", "date", value=original.issued_on)


@rule("V67", COO, at(ERROR, I), article="8.3(a)")
def reexported_goods_stayed_as_they_were(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """Re-exported goods stayed under customs control and kept tariff code and origin."""
    original = coo.original_certificate
    if coo.kind is not CertificateKind.REEXPORT or original is None:
        return
    if original.customs_control is None:
        yield complain("original_certificate.customs_control")
    known = case.facts.register.original if case.facts.register else None
    items = () if known is None else known.items
    codes = {item.hs_code[:6] for item in items if item.hs_code is not None}
    origins = {item.country_of_origin for item in items if item.country_of_origin is not None}
    for index, item in enumerate(coo.items):
        if codes and item.hs_code[:6] not in codes:
            yield complain(f"items[{index}].hs_code", "goods", value=item.hs_code)
        if origins and item.country_of_origin not in origins:
            yield complain(
                f"items[{index}].country_of_origin", "goods", value=item.country_of_origin
            )


@rule("V68", COO, at(WARNING, I), article="8.3")
def reexport_goes_on(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """A re-export leaves another country than the origin's and does not return there."""
    if coo.kind is not CertificateKind.REEXPORT or not coo.items:
        return
    origin = coo.items[0].country_of_origin
    if origin == coo.exporting_country:
        yield complain("exporting_country", value=origin)
    if origin == coo.destination_country:
        yield complain("destination_country", "return", value=origin)


@rule("V69", COO, at(ERROR, I), article="1")
def simplified_value_is_within_its_threshold(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """The value of a simplified certificate does not exceed the threshold of the two states."""
    limit = case.agreement.threshold(
        coo.exporting_country, coo.destination_country, coo.issued_at.date()
    )
    if coo.kind is not CertificateKind.SIMPLIFIED or limit is None:
        return
    total = Decimal(0)
    for index, item in enumerate(coo.items):
        if item.value is None:
            yield complain(f"items[{index}].value", "missing", severity=WARNING)
        elif item.value.currency != limit.currency:
            yield complain(
                f"items[{index}].value.currency",
                "currency",
                severity=WARNING,
                value=item.value.currency,
                expected=limit.currency,
            )
        else:
            total += item.value.amount
    if total > limit.amount:
        yield complain("items", value=total, limit=limit.amount, currency=limit.currency)


@rule("V70", COO, at(ERROR, I), box=BoxField.HS_CODE)
def simplified_goods_are_on_the_common_list(
    coo: CertificateOfOrigin, case: Case
) -> Iterator[Complaint]:
    """The goods of a simplified certificate stand on the common list of the two states."""
    terms = case.agreement.simplified
    if coo.kind is not CertificateKind.SIMPLIFIED or terms is None:
        return
    pair = {coo.exporting_country, coo.destination_country}
    for listed in terms.common_lists:
        if set(listed.countries) != pair:
            continue
        for index, item in enumerate(coo.items):
            if not item.hs_code.startswith(listed.hs_prefixes):
                yield complain(f"items[{index}].hs_code", value=item.hs_code)


@rule("V77", COO, at(ERROR, I), article="8.2(b)")
def obligatory_documents_are_attached(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """The supporting documents that the kind of certificate demands are attached."""
    types = {attachment.type_code for attachment in coo.attachments}
    for group in case.agreement.required_attachments.get(coo.kind, ()):
        if types.isdisjoint(group):
            yield complain("attachments", value=" / ".join(group), kind=coo.kind.value)


@rule("V78", COO, at(ERROR, I), article="8.2(b)")
def attachments_can_be_opened(coo: CertificateOfOrigin, case: Case) -> Iterator[Complaint]:
    """Attachments have a permitted file type and size."""
    limit = case.agreement.limits.attachment_megabytes
    for index, attachment in enumerate(coo.attachments):
        if attachment.media_type not in case.agreement.attachment_media:
            yield complain(f"attachments[{index}].media_type", value=attachment.media_type)
        if attachment.size > limit * _MEGABYTE:
            yield complain(f"attachments[{index}].size", "size", value=attachment.size, limit=limit)
