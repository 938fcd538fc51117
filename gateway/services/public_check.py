"""What anybody may learn of one certificate: whether it is real and holds; no names, no prices.

Whoever asks must know state, serial number and date of issue.  A certificate that is missing
reads like one whose date is another, so numbers cannot be tried out one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gateway.documents import CertificateKind
from gateway.services.counter import Counter
from gateway.store import CertificateRow, ImportState, IssueState, Side, certificates


@dataclass(frozen=True, kw_only=True)
class PublicGoods:
    """Is a goods item as anybody may see it; the tariff code to six digits."""

    number: int
    hs_code: str
    description: str


@dataclass(frozen=True, kw_only=True)
class PublicCertificate:
    """Is a certificate of origin as anybody may see it.

    Attributes:
        holds: it is neither cancelled, replaced, refused nor expired on the day of asking.
    """

    issuing_country: str
    destination_country: str
    serial_number: str
    issued_on: date
    valid_until: date
    kind: CertificateKind
    agreement: str
    state: IssueState | ImportState
    holds: bool
    test: bool
    goods: tuple[PublicGoods, ...]


_ENDED = frozenset(
    {
        IssueState.CANCELLED,
        IssueState.REPLACED,
        IssueState.EXPIRED,
        ImportState.REJECTED,
        ImportState.WITHDRAWN,
        ImportState.CANCELLED,
        ImportState.REPLACED,
        ImportState.EXPIRED,
    }
)
_HS_DIGITS = 6


def check(
    counter: Counter, issuing_country: str, serial_number: str, issued_on: date
) -> PublicCertificate | None:
    """Return the certificate with this serial number and date, None if none is known here."""
    with counter.desk.store.read() as conn:
        for side in (Side.ISSUED, Side.RECEIVED):
            row = certificates.find(conn, side, issuing_country, serial_number)
            if row is not None and row.issued_on == issued_on:
                goods = tuple(
                    PublicGoods(
                        number=item.number,
                        hs_code=item.hs_code[:_HS_DIGITS],
                        description=item.description,
                    )
                    for item in certificates.items(conn, row.id)
                )
                return _public(row, goods, counter.desk.clock().date())
    return None


def _public(row: CertificateRow, goods: tuple[PublicGoods, ...], today: date) -> PublicCertificate:
    return PublicCertificate(
        issuing_country=row.issuing_country,
        destination_country=row.destination_country,
        serial_number=row.serial_number,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        kind=row.kind,
        agreement=row.agreement,
        state=row.state,
        holds=row.state not in _ENDED and today <= row.valid_until,
        test=row.test,
        goods=goods,
    )
