"""Submitting by form: start, fill in, check, sign and send.

Every step works without scripts: buttons that add and remove rows send the whole form, which
comes back with nothing lost.  What is sent is what was checked; anything else is checked first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from gateway.agreements import Agreement
from gateway.documents import Severity
from gateway.errors import GatewayError, InputError, NotFoundError
from gateway.exchange.intake import CANONICAL_JSON, MESSAGE_XML
from gateway.services import lookup
from gateway.services.lookup import Wanted
from gateway.services.people.roles import Right
from gateway.services.whereabouts import whereabouts
from gateway.store import Side
from gateway.web.console.drafting_checking import Checked, check, glance, mark_of, send
from gateway.web.console.drafting_fields import Typed
from gateway.web.console.drafting_filling import NOT_COPIED_WORDS, copied, new_form
from gateway.web.console.drafting_lists import Lists
from gateway.web.console.drafting_nodes import form_view, id_of, label_of
from gateway.web.console.drafting_opening import Opened, opened
from gateway.web.console.drafting_reading import names_in, read_form, typed_in
from gateway.web.console.drafting_rows import changed
from gateway.web.console.pages import Answer, Go, Method, Page, Shown, Visit

_PURPOSE: Final = "console: copy into a new certificate"
_CHECK, _SEND = "check", "send"


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    """Is a form to be shown.

    Attributes:
        focus: id of the element that gets the focus.
        changed: it was to be sent, but says something else than what was checked.
        copied_from: serial number of the certificate that it was filled with.
    """

    typed: Typed
    agreement: Agreement
    checked: Checked | None = None
    focus: str = ""
    changed: bool = False
    copied_from: str = ""
    opened: Opened | None = None


def show_start(visit: Visit) -> Answer:
    """Show the ways to begin: empty, from an earlier certificate, from a file."""
    return _start(visit)


def show_new(visit: Visit) -> Answer:
    """Show a form with nothing but proposals."""
    agreement = _agreement(visit, visit.query.get("agreement"))
    return _page(visit, _Sheet(typed=new_form(visit, agreement), agreement=agreement))


def show_copy(visit: Visit) -> Answer:
    """Show a form filled with an earlier certificate of one's own organisation."""
    serial = visit.query.get("serial", "").strip()
    if not serial:
        return Go(to="/issuing/form")
    named = Wanted(
        issuing_country=visit.counter.desk.identity.country,
        serial_number=serial,
        purpose=_PURPOSE,
    )
    found = lookup.certificate(visit.counter, visit.caller, named)
    if found.row.side is not Side.ISSUED or found.document is None:
        raise NotFoundError("no such certificate of yours can be copied")
    agreement = _agreement(visit, found.document.agreement)
    sheet = _Sheet(
        typed=copied(visit, agreement, found.document),
        agreement=agreement,
        copied_from=found.row.serial_number,
    )
    return _page(visit, sheet)


def open_file(visit: Visit) -> Answer:
    """Show a form filled with what a file says, right or wrong."""
    try:
        found = opened(visit)
        agreement = _agreement(visit, found.typed.get("agreement"))
    except GatewayError as exc:
        if exc.http_status >= 500:
            raise
        return _start(visit, exc)
    typed = {**found.typed, "agreement": agreement.id}
    return _page(visit, _Sheet(typed=typed, agreement=agreement, opened=found))


def take_form(visit: Visit) -> Answer:
    """Do what the pressed button says: change rows, check, or sign and send."""
    typed = typed_in(visit)
    agreement = _agreement_of(visit, typed)
    step = visit.form.get("step", _CHECK)
    if step not in (_CHECK, _SEND):
        country = visit.counter.desk.identity.country
        typed, focus = changed(typed, step, agreement, country)
        return _page(visit, _Sheet(typed=typed, agreement=agreement, focus=focus))
    lists = Lists(visit.words, agreement)
    read = read_form(typed, lists)
    sheet = _Sheet(typed=typed, agreement=agreement, focus="found")
    if step == _SEND and read.document is not None:
        if visit.form.get("checked") == mark_of(read.document):
            try:
                return Go(to=_sent_address(send(visit, read.document).serial_number))
            except GatewayError as exc:  # the check below says it at the fields
                if exc.http_status >= 500:
                    raise
        else:
            sheet = replace(sheet, changed=True)
    return _page(visit, replace(sheet, checked=check(visit, read, lists, names_in(typed))))


def take_glance(visit: Visit) -> Answer:
    """Show what can be said about a form while somebody types; nothing is sent."""
    typed = typed_in(visit)
    agreement = _agreement_of(visit, typed)
    lists = Lists(visit.words, agreement)
    found = glance(visit, read_form(typed, lists), lists, names_in(typed))
    by_field: dict[str, list[Any]] = {}
    for note in found.notes:
        by_field.setdefault(note.at, []).append(note)
    values = {"checked": found, "by_field": by_field, **_wording(lists)}
    return Shown(template="drafting_findings.html", values=values)


def show_sent(visit: Visit) -> Answer:
    """Show that a certificate is registered, signed and on its way, and what may come next."""
    named = Wanted(
        issuing_country=visit.counter.desk.identity.country, serial_number=visit.path["serial"]
    )
    found = lookup.certificate(visit.counter, visit.caller, named)
    if found.row.side is not Side.ISSUED:
        raise NotFoundError("no such certificate of yours was sent")
    values = {"row": found.row, "where": whereabouts(visit.counter, found.row)}
    return Shown(template="drafting_sent.html", values=values)


def _agreements(visit: Visit) -> tuple[Agreement, ...]:
    """Return the agreements under which certificates may be issued here today."""
    desk = visit.counter.desk
    day, own = desk.clock().date(), desk.identity.country
    found = (each for each in desk.agreements.values() if each.is_active(day))
    return tuple(each for each in found if each.member(own, day) is not None)


def _agreement(visit: Visit, named: str | None) -> Agreement:
    """Return the agreement of this name, the first where none is named or it is unknown here."""
    offered = _agreements(visit)
    if not offered:
        raise InputError("no agreement is in force here under which a certificate may be issued")
    return next((each for each in offered if each.id == named), offered[0])


def _agreement_of(visit: Visit, typed: Typed) -> Agreement:
    found = visit.counter.desk.agreements.get(typed.get("agreement", ""))
    if found is None:
        raise InputError("the form names no agreement that is known here")
    return found


def _sent_address(serial: str) -> str:
    return f"/issuing/form/sent/{quote(serial, safe='')}"


def _start(visit: Visit, failure: GatewayError | None = None) -> Shown:
    values = {
        "agreements": _agreements(visit),
        "formats": (CANONICAL_JSON, MESSAGE_XML, *sorted(visit.counter.national)),
        "failure": failure,
        "chosen": visit.form.get("format", ""),
        "pasted": visit.form.get("pasted", ""),
    }
    status = 200 if failure is None else failure.http_status
    return Shown(template="drafting_start.html", values=values, status=status)


def _page(visit: Visit, sheet: _Sheet) -> Shown:
    checked = sheet.checked or Checked()
    lists = Lists(visit.words, sheet.agreement)
    values = {
        "sheet": sheet,
        "checked": sheet.checked,
        "view": form_view(sheet.typed, checked.notes, lists),
        "not_copied": NOT_COPIED_WORDS if sheet.copied_from else (),
        **_wording(lists),
    }
    return Shown(template="drafting.html", values=values)


def _wording(lists: Lists) -> dict[str, Any]:
    return {
        "id_of": id_of,
        "label_of": lambda name: label_of(name, lists),
        "errors": Severity.ERROR,
    }


PAGES: Final = (
    Page(name="form_start", path="/issuing/form", right=Right.SUBMIT, handler=show_start),
    Page(name="form_new", path="/issuing/form/new", right=Right.SUBMIT, handler=show_new),
    Page(name="form_copy", path="/issuing/form/copy", right=Right.SUBMIT, handler=show_copy),
    Page(
        name="form_open",
        path="/issuing/form/open",
        right=Right.SUBMIT,
        handler=open_file,
        method=Method.POST,
    ),
    Page(
        name="form_take",
        path="/issuing/form",
        right=Right.SUBMIT,
        handler=take_form,
        method=Method.POST,
    ),
    Page(
        name="form_glance",
        path="/issuing/form/findings",
        right=Right.SUBMIT,
        handler=take_glance,
        method=Method.POST,
    ),
    Page(
        name="form_sent",
        path="/issuing/form/sent/<path:serial>",
        right=Right.SUBMIT,
        handler=show_sent,
    ),
)
