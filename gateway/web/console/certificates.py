"""Pages of one certificate of origin: the form, what is left of it, all that happened to it."""

from __future__ import annotations

from typing import Final

from gateway.services import lookup
from gateway.services.lookup import Wanted
from gateway.services.people.roles import Right
from gateway.services.timeline import timeline
from gateway.services.wording import finding_view
from gateway.web.console.finding import PURPOSE
from gateway.web.console.pages import Answer, Page, Sent, Shown, Visit


def wanted(visit: Visit) -> Wanted:
    """Return which certificate the address names."""
    return Wanted(
        issuing_country=visit.path["country"].upper(),
        serial_number=visit.path["serial"],
        purpose=PURPOSE,
    )


def show_certificate(visit: Visit) -> Answer:
    """Show a certificate with its goods items and its timeline."""
    found = lookup.certificate(visit.counter, visit.caller, wanted(visit))
    _, steps = timeline(visit.counter, visit.caller, wanted(visit))
    values = {
        "row": found.row,
        "items": found.items,
        "document": found.document,
        "steps": steps,
        "finding_view": finding_view,
        "now": visit.counter.desk.clock(),
    }
    return Shown(template="certificate.html", values=values)


def send_document(visit: Visit) -> Answer:
    """Send the signed document, byte for byte."""
    content, _ = lookup.signed_document(visit.counter, visit.caller, wanted(visit))
    return Sent(content=content, media_type="application/xml", name=f"{visit.path['serial']}.xml")


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
)
