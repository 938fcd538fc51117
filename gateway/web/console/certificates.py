"""Pages of one certificate of origin: the form, its signature, what is left, what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.documents.codelists import code_list
from gateway.documents.findings import LocalisedText
from gateway.services import lookup
from gateway.services.customs_answers import answers_about
from gateway.services.lookup import Looked, Wanted
from gateway.services.people.roles import Right
from gateway.services.signatures import banner, envelope_of, receipt_of, verification_report
from gateway.services.specimens import beside_specimens, own_pictures
from gateway.services.timeline import steps_of
from gateway.services.whereabouts import whereabouts
from gateway.services.wording import finding_view
from gateway.web.console.finding import PURPOSE
from gateway.web.console.form import PaperForm, laid_out
from gateway.web.console.pages import Answer, Page, Sent, Shown, Visit
from gateway.web.console.words import Words

_XML: Final = "application/xml"
_SOON: Final = 30
"""Days before the end of validity from which on it is pointed out."""


def wanted(visit: Visit, purpose: str = PURPOSE) -> Wanted:
    """Return which certificate the address names, and what it is looked at for."""
    return Wanted(
        issuing_country=visit.path["country"].upper(),
        serial_number=visit.path["serial"],
        purpose=purpose,
    )


def show_certificate(visit: Visit) -> Answer:
    """Show a certificate as its form, with signature, remainder, what is awaited, timeline."""
    found = lookup.certificate(visit.counter, visit.caller, wanted(visit))
    now = visit.counter.desk.clock()
    values = {
        "row": found.row,
        "items": found.items,
        "form": paper_form(visit, found),
        "banner": banner(visit.counter, found.row),
        "beside": beside_specimens(visit.counter.desk, found.document),
        "pictures": own_pictures(found.document),
        "where": whereabouts(visit.counter, found.row),
        "steps": steps_of(visit.counter, found.row),
        "answers": answers_about(visit.counter, found.row),
        "reason_name": reason_names(visit.words),
        "finding_view": finding_view,
        "cause_of": cause_names(visit),
        "now": now,
        "days_left": (found.row.valid_until - now.date()).days,
        "soon": _SOON,
        "may_decide": Right.DECIDE in visit.person.rights and found.row.side == "RECEIVED",
    }
    return Shown(template="certificate.html", values=values)


def paper_form(visit: Visit, found: Looked) -> PaperForm | None:
    """Return the boxes of the form; None where document or agreement is not at hand."""
    agreement = visit.counter.desk.agreements.get(found.row.agreement)
    if found.document is None or agreement is None:
        return None
    return laid_out(found.document, agreement, visit.words)


def reason_names(words: Words) -> Callable[[str], str]:
    """Return what names the code of a reason in the visitor's language."""
    return lambda code: code_list("response-reasons").name(code, words.language)


def cause_names(visit: Visit) -> Callable[[str | None], LocalisedText | None]:
    """Return what says why an attempt with this code failed, None where nothing is known of it."""

    def cause_of(code: str | None) -> LocalisedText | None:
        known = None if code is None else visit.operating.retry.explain(code)
        return None if known is None else known.says

    return cause_of


def send_document(visit: Visit) -> Answer:
    """Send the signed document, byte for byte."""
    content, _ = lookup.signed_document(visit.counter, visit.caller, wanted(visit))
    return Sent(content=content, media_type=_XML, name=f"{visit.path['serial']}.xml")


def show_verification(visit: Visit) -> Answer:
    """Show what verification says now of the document, every envelope and every receipt."""
    named = wanted(visit, "console: verification report")
    row, pieces = verification_report(visit.counter, visit.caller, named)
    values = {"row": row, "pieces": pieces, "now": visit.counter.desk.clock()}
    return Shown(template="verification.html", values=values)


def send_envelope(visit: Visit) -> Answer:
    """Send the envelope of a message, byte for byte."""
    number = visit.path["message"]
    content = envelope_of(visit.counter, visit.caller, number, purpose=PURPOSE)
    return Sent(content=content, media_type=_XML, name=f"envelope-{number}.xml")


def send_receipt(visit: Visit) -> Answer:
    """Send the receipt of a message, byte for byte."""
    number = visit.path["message"]
    content = receipt_of(visit.counter, visit.caller, number, purpose=PURPOSE)
    return Sent(content=content, media_type=_XML, name=f"receipt-{number}.xml")


PAGES: Final = (
    Page(
        name="certificate",
        path="/certificates/<country>/<path:serial>",
        right=Right.FIND,
        handler=show_certificate,
    ),
    Page(
        name="certificate_xml",
        path="/documents/<country>/<path:serial>",
        right=Right.FIND,
        handler=send_document,
    ),
    Page(
        name="verification",
        path="/verification/<country>/<path:serial>",
        right=Right.FIND,
        handler=show_verification,
    ),
    Page(
        name="message_envelope",
        path="/messages/<message>/envelope",
        right=Right.FIND,
        handler=send_envelope,
    ),
    Page(
        name="message_receipt",
        path="/messages/<message>/receipt",
        right=Right.FIND,
        handler=send_receipt,
    ),
)
