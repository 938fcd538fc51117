"""Reading the decision form of the customs desk: what an officer filled in becomes a decision."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from gateway.documents import UtilisationStatus
from gateway.documents.base import Money, Quantity
from gateway.documents.customs_response import Declaration, Officer, Reason, Security
from gateway.documents.parties import Authority
from gateway.errors import InputError
from gateway.exchange.receipts import to_minute
from gateway.exchange.responding import CustomsAction, WriteOff
from gateway.services.people.roles import Visitor
from gateway.store import CertificateItem, CertificateRow
from gateway.web.console.pages import Visit

STATUSES: Final = (
    UtilisationStatus.ACCEPTED,
    UtilisationStatus.ACCEPTED_MINOR,
    UtilisationStatus.PARTIAL,
    UtilisationStatus.FULL,
    UtilisationStatus.UNDER_QUERY,
    UtilisationStatus.PENDING,
    UtilisationStatus.REJECTED,
    UtilisationStatus.WITHDRAWN,
)
"""What an officer may decide, in the order of the form."""

REASONS: Final = 3
"""Lines for reasons; a list of more is written into the text of one."""

_REFERENCE: Final = re.compile(r"CON-[A-Za-z0-9_-]{22}", re.ASCII)
_NOT_OF_THE_DECISION: Final = ("seal", "step", "checked", "reference", "declared")


def new_reference() -> str:
    """Return the key of a decision that is yet to be made."""
    return f"CON-{secrets.token_urlsafe(16)}"


def mark_of(form: Mapping[str, str]) -> str:
    """Return what tells whether a form still says what was checked."""
    said = sorted((k, v) for k, v in form.items() if k not in _NOT_OF_THE_DECISION and v)
    return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()


def decision_in(
    visit: Visit, row: CertificateRow, items: Sequence[CertificateItem]
) -> CustomsAction:
    """Return the decision that the form states, in the name of whoever is signed in.

    Raises:
        InputError: something is missing or cannot be read; the detail names the field's key
            among the texts ``desk``.
    """
    form = {name: value.strip() for name, value in visit.form.items()}
    reference = form.get("reference", "")
    if not _REFERENCE.fullmatch(reference):
        raise InputError("reference")
    status = _status(form.get("status", ""))
    values: dict[str, Any] = {
        "issuing_country": row.issuing_country,
        "serial_number": row.serial_number,
        "issued_on": row.issued_on,
        "status": status,
        "reference": reference,
        "decided_at": to_minute(visit.counter.desk.clock()),
        "language": visit.words.language,
        "customs_authority": _authority(visit.person),
        "officer": _officer(visit),
        "items": _write_offs(form, items) if status is UtilisationStatus.PARTIAL else (),
        "reasons": tuple(_reasons(form)),
        "declaration": _declaration(form),
        "security": _security(form),
        "remarks": form.get("remarks") or None,
        "exceptional": form.get("exceptional") == "yes",
    }
    try:
        return CustomsAction(**values)
    except ValidationError as exc:
        raise InputError(str(exc.errors()[0]["loc"][0])) from exc


def _status(written: str) -> UtilisationStatus:
    if written not in {each.value for each in STATUSES}:
        raise InputError("status")
    return UtilisationStatus(written)


def _authority(visitor: Visitor) -> Authority:
    own = visitor.organisation
    return Authority(code=own.code, name=own.name, country=own.country)


def _officer(visit: Visit) -> Officer:
    person = visit.person.person
    role = visit.words.word("role", person.role).striptags()
    return Officer(identifier=person.login, name=person.name, role=role)


def _write_offs(form: Mapping[str, str], items: Sequence[CertificateItem]) -> tuple[WriteOff, ...]:
    found = []
    for item in items:
        written = form.get(f"quantity_{item.number}", "").replace(" ", "")
        if not written:
            continue
        try:
            quantity = Quantity(value=Decimal(written), unit=item.unit)
        except (ArithmeticError, ValueError) as exc:
            raise InputError("quantity") from exc
        found.append(WriteOff(number=item.number, quantity=quantity))
    if not found:
        raise InputError("quantity")
    return tuple(found)


def _reasons(form: Mapping[str, str]) -> list[Reason]:
    found = []
    for place in range(1, REASONS + 1):
        code, text = form.get(f"reason_{place}", ""), form.get(f"reason_text_{place}", "")
        if not code and not text:
            continue
        item = form.get(f"reason_item_{place}", "")
        number = int(item) if item.isascii() and item.isdigit() and len(item) < 6 else None
        try:
            found.append(Reason(code=code, text=text, item_number=number))
        except ValidationError as exc:
            raise InputError("reasons") from exc
    return found


def _declaration(form: Mapping[str, str]) -> Declaration | None:
    number, day = form.get("declaration", ""), form.get("declared_on", "")
    if not number and not day:
        return None
    try:
        return Declaration(
            number=number,
            declared_on=date.fromisoformat(day),
            office_code=form.get("office") or None,
        )
    except ValueError as exc:
        raise InputError("declaration") from exc


def _security(form: Mapping[str, str]) -> Security | None:
    reference, amount = form.get("security", ""), form.get("security_amount", "")
    if not reference and not amount:
        return None
    try:
        money = (
            Money(amount=Decimal(amount), currency=form.get("security_currency", "").upper())
            if amount
            else None
        )
        return Security(reference=reference, amount=money)
    except (ArithmeticError, ValueError) as exc:
        raise InputError("security") from exc
