"""Invoices and values: box 10 and what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.agreements.parts import BoxField
from gateway.agreements.rulebook import ERROR, WARNING, Case, Complaint, I, R, at, complain, rule
from gateway.agreements.rules.identity import COO
from gateway.documents.certificate_of_origin import CertificateOfOrigin, Invoice
from gateway.documents.codes import CertificateKind, ValueBasis


@rule("V53", COO, at(ERROR, I, R), box=BoxField.INVOICE)
def every_item_has_an_invoice(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """Every goods item has an invoice with number and date, no later than the certificate."""
    bare = [index for index, item in enumerate(coo.items) if not item.invoices]
    small = WARNING if coo.kind is CertificateKind.SIMPLIFIED else None
    if not coo.invoices and len(bare) == len(coo.items):
        yield complain("invoices", severity=small)
    elif not coo.invoices:
        for index in bare:
            yield complain(f"items[{index}].invoices", severity=small)
    issued_on = coo.issued_at.date()
    for path, invoice in _invoices(coo):
        yield from _dating(path, invoice, issued_on)


def _invoices(coo: CertificateOfOrigin) -> Iterator[tuple[str, Invoice]]:
    for index, invoice in enumerate(coo.invoices):
        yield f"invoices[{index}]", invoice
    for number, item in enumerate(coo.items):
        for index, invoice in enumerate(item.invoices):
            yield f"items[{number}].invoices[{index}]", invoice


def _dating(path: str, invoice: Invoice, issued_on: date) -> Iterator[Complaint]:
    if invoice.issued_on is None:
        yield complain(f"{path}.issued_on", "undated", severity=WARNING, value=invoice.number)
    elif invoice.issued_on > issued_on:
        yield complain(
            f"{path}.issued_on",
            "late",
            severity=WARNING,
            value=invoice.number,
            day=invoice.issued_on,
        )


@rule("V55", COO, at(WARNING, I), box=BoxField.INVOICE)
def third_country_invoice_names_its_issuer(
    coo: CertificateOfOrigin, _case: Case
) -> Iterator[Complaint]:
    """An invoice issued in a third country names its issuer and the country."""
    for path, invoice in _invoices(coo):
        if invoice.issuer_country is not None and invoice.issuer_name is None:
            yield complain(f"{path}.issuer_name", value=invoice.number)
        if invoice.issuer_name is not None and invoice.issuer_country is None:
            yield complain(f"{path}.issuer_country", "country", value=invoice.number)


@rule("V82", COO, at(ERROR, I), box=BoxField.INVOICE)
def values_have_a_basis(coo: CertificateOfOrigin, _case: Case) -> Iterator[Complaint]:
    """Values are not negative, and state whether they are ex works or free on board."""
    for index, item in enumerate(coo.items):
        if item.value is not None and item.value.amount < 0:
            yield complain(f"items[{index}].value.amount", "negative", value=item.value.amount)
    if coo.value_basis is None and any(item.value is not None for item in coo.items):
        yield complain("value_basis")
    if coo.value_basis is ValueBasis.COST_INSURANCE_FREIGHT:
        yield complain("value_basis", "cif", severity=WARNING)
