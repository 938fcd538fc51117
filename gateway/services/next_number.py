"""Proposing the next serial number, where the agreement says how numbers are made."""

from __future__ import annotations

from datetime import date
from typing import Final

from gateway.agreements import Agreement
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.store import Side, certificates, search
from gateway.store.search import Criteria

_LOOKED_AT: Final = 50
_TRIES: Final = 20


def proposed_serial(
    counter: Counter, caller: Caller, agreement: Agreement, *, day: date
) -> str | None:
    """Return a serial number that the caller could give next; None where none can be proposed.

    One more than the highest among the newest certificates of the caller that follow the
    agreement's pattern.  It is a proposal, not a reservation: whoever submits first has it.
    """
    caller.require(Scope.SUBMIT)
    country = counter.desk.identity.country
    with counter.desk.store.read() as conn:
        page = search.search(
            conn, caller.visible, Criteria(side=Side.ISSUED), after=None, limit=_LOOKED_AT
        )
        parts = (agreement.serial_parts(row.serial_number) for row in page.certificates)
        highest = max((each.sequence for each in parts if each is not None), default=0)
        for sequence in range(highest + 1, highest + 1 + _TRIES):
            number = agreement.format_serial(sequence=sequence, day=day, country=country)
            if agreement.serial_parts(number) is None:
                return None
            if certificates.find(conn, Side.ISSUED, country, number) is None:
                return number
    return None
