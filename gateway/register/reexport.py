"""Re-export: a certificate issued here draws on the original received earlier (Art. 8.3).

Home use and re-export together never exceed what the original certified (V66).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from gateway.documents import CertificateOfOrigin, Finding
from gateway.documents.certificate_of_origin import GoodsItem
from gateway.errors import InvalidDocumentError
from gateway.register.drawing import plain
from gateway.register.findings import Problem, finding
from gateway.register.notes import serial_event
from gateway.store import certificates, journal, utilisation
from gateway.store.rows import CertificateItem, CertificateRow
from gateway.store.states import EntryKind, EventKind, ImportState, Side
from gateway.store.utilisation import NewEntry

_SUBHEADING = 6
_DEAD = (
    ImportState.CANCELLED,
    ImportState.REPLACED,
    ImportState.REJECTED,
    ImportState.WITHDRAWN,
)


@dataclass(frozen=True)
class Share:
    """Is what one item of the original gives to a re-export."""

    item: CertificateItem
    quantity: Decimal


def original_of(conn: Connection, coo: CertificateOfOrigin) -> CertificateRow | None:
    """Return the received certificate behind a re-export, locked; None where not known."""
    named = coo.original_certificate
    if named is None:
        return None
    return certificates.reserve(conn, Side.RECEIVED, named.country, named.serial_number)


def shares(
    coo: CertificateOfOrigin, original: CertificateRow, items: Sequence[CertificateItem]
) -> tuple[Share, ...]:
    """Return which items of ``original`` the goods of ``coo`` are taken from.

    An item draws on the original's items of the same HS subheading and unit, that of its own
    number first.

    Raises:
        InvalidDocumentError: V66, more is re-exported than remains; STATE, the original was
            cancelled, replaced, rejected or withdrawn.
    """
    if original.state in _DEAD:
        raise _refused(
            finding(
                Problem.WRONG_STATE,
                "original_certificate.serial_number",
                serial=original.serial_number,
                state=original.state,
                asked=coo.kind,
            )
        )
    taken: dict[int, Decimal] = {}
    problems: list[Finding] = []
    for index, goods in enumerate(coo.items):
        problem = _allot(goods, items, taken, f"items[{index}].quantity.value")
        if problem is not None:
            problems.append(problem)
    if problems:
        raise _refused(*problems)
    return tuple(Share(item, taken[item.number]) for item in items if taken.get(item.number))


def enter(
    conn: Connection,
    original: CertificateRow,
    drawn: Sequence[Share],
    *,
    reference: str,
    at: datetime,
) -> None:
    """Enter a re-export into the ledger of the original."""
    for share in drawn:
        entry = NewEntry(
            certificate_id=original.id,
            item_number=share.item.number,
            kind=EntryKind.REEXPORT,
            quantity=share.quantity,
            unit=share.item.unit,
            total_after=share.item.reexported + share.quantity,
            sequence_number=None,
            reference=reference,
            entered_at=at,
        )
        utilisation.add_entry(conn, entry)
    detail = {
        "reexport": reference,
        "drawn": {str(share.item.number): plain(share.quantity) for share in drawn},
    }
    action = journal.Action.UTILISATION_REEXPORTED
    journal.append(conn, at=at, action=action, subject=original.serial_number, detail=detail)
    serial_event(conn, EventKind.UTILISATION_CHANGED, original, at=at, **detail)


def _refused(*problems: Finding) -> InvalidDocumentError:
    return InvalidDocumentError(problems[0].message.en, findings=problems)


def _allot(
    goods: GoodsItem, items: Sequence[CertificateItem], taken: dict[int, Decimal], path: str
) -> Finding | None:
    fitting = [
        item
        for item in items
        if item.hs_code[:_SUBHEADING] == goods.hs_code[:_SUBHEADING]
        and item.unit == goods.quantity.unit
    ]
    fitting.sort(key=lambda item: (item.number != goods.number, item.number))
    wanted = goods.quantity.value
    available = {
        item.number: item.remaining - taken.get(item.number, Decimal(0)) for item in fitting
    }
    for number, left in available.items():
        part = min(wanted, max(left, Decimal(0)))
        taken[number] = taken.get(number, Decimal(0)) + part
        wanted -= part
    if wanted <= 0:
        return None
    return finding(
        Problem.REEXPORT_BALANCE,
        path,
        number=goods.number,
        asked=plain(goods.quantity.value),
        remaining=plain(sum(available.values(), Decimal(0))),
        unit=goods.quantity.unit,
    )
