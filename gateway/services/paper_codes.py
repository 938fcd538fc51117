"""Codes on paper: who signed one, whether that is believed, and what the books say of the same.

Whether a code is believed is decided by ``gateway.paper.checking`` against the trust list of this
moment.  For anybody the books are opened only once a code is believed, so that a wrong code costs
and tells the same whatever it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.documents import CertificateOfOrigin
from gateway.errors import InputError, NotFoundError
from gateway.paper.checking import CheckCode, Checked, verify_summary
from gateway.paper.order import Standing
from gateway.paper.pieces import figure
from gateway.paper.summary import Summary, read_summary
from gateway.services import lookup
from gateway.services.access import Caller
from gateway.services.counter import Counter
from gateway.services.lookup import Looked, Wanted
from gateway.services.paper_trust import trust_list
from gateway.services.printing import standing_of
from gateway.services.public_check import PublicCertificate, check
from gateway.store import certificates


class CodeVerdict(StrEnum):
    """Says what is to be made of a code.

    ``SUPERSEDED``: genuine, but the books say today what it did not say when it was printed.
    """

    GENUINE = "GENUINE"
    SUPERSEDED = "SUPERSEDED"
    FORGED = "FORGED"
    UNKNOWN_SIGNER = "UNKNOWN_SIGNER"
    UNREADABLE = "UNREADABLE"


_VERDICT_OF: Final = {
    CheckCode.UNREADABLE.value: CodeVerdict.UNREADABLE,
    CheckCode.SIGNER_UNKNOWN.value: CodeVerdict.UNKNOWN_SIGNER,
    CheckCode.SIGNER_NOT_TRUSTED.value: CodeVerdict.UNKNOWN_SIGNER,
}


@dataclass(frozen=True, kw_only=True)
class CodeLine:
    """Is one datum in the code and in the certificate that is registered here.

    Attributes:
        item: number of the goods item, None for the whole certificate.
        agrees: both say the same.
    """

    datum: str
    paper: object
    books: object
    item: int | None = None

    @property
    def agrees(self) -> bool:
        """Whether both say the same."""
        return self.paper == self.books


@dataclass(frozen=True, kw_only=True)
class CheckedCode:
    """Is what a code says, and what the books say of the same certificate.

    Attributes:
        found: the certificate that it names, if it is registered here for the caller to see.
    """

    verdict: CodeVerdict
    checked: Checked
    found: Looked | None
    lines: tuple[CodeLine, ...]


@dataclass(frozen=True, kw_only=True)
class PublicCode:
    """Is a genuine code as anybody may see it; no names, no prices, no quantities.

    Attributes:
        known: the certificate in the books here; None if it is not registered here.
    """

    summary: Summary
    known: PublicCertificate | None


def check_code(counter: Counter, caller: Caller, text: str, *, purpose: str) -> CheckedCode:
    """Return what a code says and whether it is believed, beside the certificate it names.

    A look at a certificate of another state is noted with its purpose.
    """
    found, document = _named(counter, caller, text, purpose)
    now = counter.desk.clock()
    checked = verify_summary(text, trust_list(counter.desk), now, document=document)
    lines: tuple[CodeLine, ...] = ()
    if checked.summary is not None and found is not None and found.document is not None:
        standing = standing_of(found.row, found.document, now)
        lines = tuple(_compared(checked.summary, found.document, standing))
    return CheckedCode(verdict=_verdict(checked, lines), checked=checked, found=found, lines=lines)


def check_publicly(counter: Counter, text: str) -> PublicCode | None:
    """Return what a genuine code says and what is known here; None for any other text.

    The books are not opened for a code that is not believed.
    """
    checked = verify_summary(text, trust_list(counter.desk), counter.desk.clock())
    summary = checked.summary
    if summary is None or not checked.holds:
        return None
    known = check(counter, summary.issuing_country, summary.serial_number, summary.issued_on)
    return PublicCode(summary=summary, known=known)


def _named(
    counter: Counter, caller: Caller, text: str, purpose: str
) -> tuple[Looked | None, bytes | None]:
    """Return the certificate that a code names, believed or not, and its signed document."""
    try:
        summary = read_summary(text).summary
        wanted = Wanted(
            issuing_country=summary.issuing_country,
            serial_number=summary.serial_number,
            purpose=purpose,
        )
        found = lookup.certificate(counter, caller, wanted)
    except (InputError, NotFoundError):
        return None, None
    with counter.desk.store.read() as conn:
        return found, certificates.content(conn, found.row) or None


def _verdict(checked: Checked, lines: tuple[CodeLine, ...]) -> CodeVerdict:
    if not checked.holds:
        errors = (each.rule for each in checked.findings)
        named = (_VERDICT_OF[rule] for rule in errors if rule in _VERDICT_OF)
        return next(named, CodeVerdict.FORGED)
    if any(each.datum == _STANDING and not each.agrees for each in lines):
        return CodeVerdict.SUPERSEDED
    return CodeVerdict.GENUINE


_STANDING: Final = "standing"


def _compared(
    summary: Summary, document: CertificateOfOrigin, standing: Standing
) -> Iterator[CodeLine]:
    """Yield each datum that a code carries beside that of the registered document."""
    yield CodeLine(datum=_STANDING, paper=summary.standing, books=standing)
    yield CodeLine(datum="agreement", paper=summary.agreement, books=document.agreement)
    yield CodeLine(datum="kind", paper=summary.kind, books=document.kind)
    yield CodeLine(
        datum="destination", paper=summary.destination_country, books=document.destination_country
    )
    yield CodeLine(datum="issued_on", paper=summary.issued_on, books=document.issued_at.date())
    yield CodeLine(datum="valid_from", paper=summary.valid_from, books=document.valid_from)
    yield CodeLine(datum="valid_until", paper=summary.valid_until, books=document.valid_until)
    yield CodeLine(datum="items", paper=summary.item_count, books=len(document.items))
    for said, item in zip(summary.items, document.items, strict=False):
        yield CodeLine(
            datum="goods",
            item=item.number,
            paper=(said.hs6, said.quantity, said.unit),
            books=(item.hs_code[:6], figure(item.quantity.value), item.quantity.unit),
        )
