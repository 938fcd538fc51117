"""What goes into the ledger and what comes out of it, on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from gateway.documents import Finding, UtilisationStatus
from gateway.documents.base import Quantity
from gateway.documents.customs_response import UtilisedItem
from gateway.store.rows import CertificateItem, CertificateRow, ResponseRow


@dataclass(frozen=True, kw_only=True)
class UsePolicy:
    """Says what the agreement lets an importer do with one certificate of origin.

    Attributes:
        partial: it may be used for several consignments (V90).
        tolerance_percent: share of the certified quantity that may remain when an item
            counts as fully used (V89); it never allows more than was certified.
    """

    partial: bool
    tolerance_percent: Decimal = Decimal(0)

    def is_spent(self, item: CertificateItem) -> bool:
        """Return whether nothing that matters remains of ``item``."""
        return item.remaining * 100 <= item.certified * self.tolerance_percent


@dataclass(frozen=True, kw_only=True)
class DrawnItem:
    """Is the quantity of one goods item that customs writes off now."""

    number: int
    quantity: Quantity


@dataclass(frozen=True, kw_only=True)
class CustomsDecision:
    """Is what the importing customs decided about one certificate of origin.

    Attributes:
        reference: the customs system's own key of this decision (declaration and line, or
            request id); the same one again is the same decision.
        items: what is written off, for PARTIAL and FULL; FULL without items writes off
            everything that remains.
        presented_on: date of the declaration; None counts as the day of the decision.
        exceptional: customs grants use after the end of validity (V73).
        reason_codes: codes of the reasons, for the open grounds of a query.
    """

    issuing_country: str
    serial_number: str
    status: UtilisationStatus
    reference: str
    decided_at: datetime
    items: tuple[DrawnItem, ...] = ()
    presented_on: date | None = None
    declaration_number: str | None = None
    officer: str | None = None
    exceptional: bool = False
    reason_codes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LedgerOutcome:
    """Is what the ledger holds after a decision or a response.

    Attributes:
        certificate: the certificate as it is now.
        response: the response as stored: sequence number, status and cumulative totals.
        items: the goods items as they are now.
        repeated: it was known already and changed nothing.
        findings: what does not fit; warnings only, nothing was refused.
    """

    certificate: CertificateRow
    response: ResponseRow
    items: tuple[CertificateItem, ...]
    repeated: bool
    findings: tuple[Finding, ...] = ()

    @property
    def sequence_number(self) -> int:
        """The sequence number that the response carries."""
        return self.response.sequence_number

    @property
    def status(self) -> UtilisationStatus:
        """The status that the response states."""
        return self.response.status

    @property
    def utilised_items(self) -> tuple[UtilisedItem, ...]:
        """The items of the response in the form of the document."""
        return tuple(
            UtilisedItem(
                number=item.number,
                quantity=Quantity(value=item.quantity, unit=item.unit),
                cumulative=Quantity(value=item.cumulative, unit=item.unit),
            )
            for item in self.response.items
        )
