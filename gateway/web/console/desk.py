"""The customs desk: find a certificate, compare it with the declaration, decide, settle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from gateway.documents import Finding
from gateway.documents.codelists import code_list
from gateway.errors import GatewayError, InputError
from gateway.services import four_eyes, lookup
from gateway.services.comparing import Comparison, Explanation, Likeness, compare
from gateway.services.declared import Declared, declared_item, read_declared
from gateway.services.finding_certificates import SearchPage, find, keys_from
from gateway.services.lookup import Looked
from gateway.services.people.roles import Right
from gateway.services.scanned import serial_numbers_in
from gateway.services.signatures import banner
from gateway.services.specimens import beside_specimens, own_pictures
from gateway.services.submission import Taken, try_decision
from gateway.services.wording import finding_view
from gateway.store import CertificateItem, CertificateRow, SearchField, Side
from gateway.store.search import Criteria
from gateway.web.console.certificates import reason_names, wanted
from gateway.web.console.deciding import REASONS, STATUSES, decision_in, mark_of, new_reference
from gateway.web.console.pages import Answer, Go, Method, Page, Shown, Visit
from gateway.web.console.paper_codes import code_page_of

_PURPOSE: Final = "console: customs desk"
_EACH: Final = 20
_MOST_BY_HAND: Final = 20
"""Goods items for which there are fields to compare by hand; of more a file is compared."""


@dataclass(kw_only=True)
class _Work:
    """Is what the page says beside the form.

    Attributes:
        checked: mark of the form that was found good, so that the button that sends appears.
        failure: key of a text that says what is missing or wrong.
    """

    comparisons: tuple[Comparison, ...] = ()
    taken: Taken | None = None
    checked: str | None = None
    failure: str | None = None
    findings: tuple[Finding, ...] = ()
    detail: str | None = None
    status: int = 200
    suggested: dict[int, str] = field(default_factory=dict)


def show_desk(visit: Visit) -> Answer:
    """Show the ways to find a certificate, what was found, and what waits for a second person."""
    code = code_page_of(visit.query.get("scanned", ""))
    if code is not None:
        return Go(to=code)
    page, failure = None, None
    try:
        page = _found(visit)
    except InputError:
        failure = "unreadable"
    asked = any(visit.query.get(name, "").strip() for name in ("serial", "declaration", "scanned"))
    if asked and page is not None and len(page.rows) == 1:
        row = page.rows[0]
        return Go(to=_address(row))
    values = {
        "page": page,
        "asked": asked,
        "failure": failure,
        "query": visit.query,
        "waiting": four_eyes.waiting(visit.counter, visit.person),
        "reason_name": reason_names(visit.words),
    }
    return Shown(template="desk.html", values=values)


def show_decision(visit: Visit) -> Answer:
    """Show a certificate with the fields to compare it and to decide on it."""
    return _page(visit, _received(visit), _Work())


def take_decision(visit: Visit) -> Answer:
    """Compare, check or carry out what the form says, as its button asks."""
    found = _received(visit)
    work = _Work()
    step = visit.form.get("step")
    try:
        declared = _declared(visit, found.items)
        if found.document is not None and not declared.is_blank:
            work.comparisons = compare(found.document, found.items, declared)
            work.suggested = _suggested(work.comparisons)
        if step in ("check", "send"):
            sent = _decide(visit, found, work, sends=step == "send")
            if sent is not None:
                return sent
    except GatewayError as exc:
        if exc.http_status >= 500:
            raise
        work.status = exc.http_status
        work.failure, work.detail = exc.code, exc.detail
        work.findings = tuple(exc.findings)
    return _page(visit, found, work)


def settle_proposal(visit: Visit) -> Answer:
    """Confirm or return what a colleague proposed."""
    number = int(visit.path["number"])
    if visit.form.get("verdict") == "confirm":
        four_eyes.confirm(visit.counter, visit.person, number)
    else:
        remark = visit.form.get("remark", "").strip()
        four_eyes.give_back(visit.counter, visit.person, number, remark)
    return Go(to="/desk")


def _decide(visit: Visit, found: Looked, work: _Work, *, sends: bool) -> Answer | None:
    """Return the way on after sending; else note what was found and return None."""
    action = decision_in(visit, found.row, found.items)
    mark = mark_of(visit.form)
    if sends and visit.form.get("checked") == mark:
        takes_two = visit.settings.four_eyes
        done = four_eyes.decide_or_propose(visit.counter, visit.person, action, takes_two)
        said = "sent" if isinstance(done, Taken) else "proposed"
        return Go(to=f"{_address(found.row)}?done={said}")
    work.taken = try_decision(visit.counter, visit.caller, action)
    work.findings = work.taken.submission.findings
    work.checked = mark
    return None


def _address(row: CertificateRow) -> str:
    return f"/desk/{row.issuing_country}/{quote(row.serial_number, safe='')}"


def _received(visit: Visit) -> Looked:
    found = lookup.certificate(visit.counter, visit.caller, wanted(visit, _PURPOSE))
    if found.row.side is not Side.RECEIVED:
        raise InputError("customs decide on certificates that came from abroad")
    return found


def _found(visit: Visit) -> SearchPage | None:
    query = {name: value.strip() for name, value in visit.query.items()}
    serial = query.get("serial") or None
    if scanned := query.get("scanned"):
        read = serial_numbers_in(scanned, visit.counter.desk.agreements)
        if not read:
            raise InputError("the scanned text names no certificate")
        serial = read[0]
    day = query.get("issued_on")
    try:
        issued_on = date.fromisoformat(day) if day and serial else None
    except ValueError as exc:
        raise InputError("the date of issue is no date") from exc
    written = {
        SearchField.SERIAL: serial,
        SearchField.DECLARATION: query.get("declaration") or None,
    }
    criteria = Criteria(
        keys=keys_from(written), side=Side.RECEIVED, issued_from=issued_on, issued_until=issued_on
    )
    return find(visit.counter, visit.caller, criteria, cursor=None, limit=_EACH, purpose=_PURPOSE)


def _declared(visit: Visit, items: Sequence[CertificateItem]) -> Declared:
    upload = visit.files.get("file")
    if upload is not None and upload.content:
        return read_declared(upload.content)
    if pasted := visit.form.get("declared", "").strip():
        return read_declared(pasted.encode("utf-8", "replace"))
    form = {name: value.strip()[:500] for name, value in visit.form.items()}
    lines = []
    for item in items[:_MOST_BY_HAND]:
        names = ("hs", "origin", "quantity", "unit")
        values = {name: form.get(f"declared_{name}_{item.number}", "") for name in names}
        if any(values.values()):
            lines.append(declared_item(f"{item.number}", str(item.number), values))
    return Declared(
        exporter=form.get("declared_exporter", ""),
        consignee=form.get("declared_consignee", ""),
        invoice=form.get("declared_invoice", ""),
        items=tuple(lines),
    )


_FITS: Final = (Explanation.ALL_THAT_REMAINS, Explanation.WITHIN_REMAINDER)


def _suggested(comparisons: tuple[Comparison, ...]) -> dict[int, str]:
    """Return the declared quantities that may be written off as they stand."""
    return {
        each.item: each.declared.split(" ")[0]
        for each in comparisons
        if each.item is not None and each.explanation in _FITS
    }


def _page(visit: Visit, found: Looked, work: _Work) -> Shown:
    form = dict(visit.form)
    upload = visit.files.get("file")
    if upload is not None and upload.content:
        form["declared"] = upload.content.decode("utf-8", "replace")
    done = visit.query.get("done")
    values: dict[str, Any] = {
        "row": found.row,
        "items": found.items,
        "by_hand": found.items[:_MOST_BY_HAND],
        "banner": banner(visit.counter, found.row),
        "beside": beside_specimens(visit.counter.desk, found.document),
        "pictures": own_pictures(found.document),
        "now": visit.counter.desk.clock(),
        "form": form,
        "work": work,
        "differing": [each for each in work.comparisons if each.likeness is Likeness.DIFFERS],
        "reference": form.get("reference") or new_reference(),
        "statuses": STATUSES,
        "reasons": tuple(code_list("response-reasons")),
        "reason_lines": range(1, REASONS + 1),
        "takes_two": visit.settings.four_eyes,
        "proposals": four_eyes.about(visit.counter, visit.person, found.row),
        "done": done if done in ("sent", "proposed") else None,
        "finding_view": finding_view,
        "reason_name": reason_names(visit.words),
    }
    return Shown(template="decide.html", values=values, status=work.status)


PAGES: Final = (
    Page(name="desk", path="/desk", right=Right.DECIDE, handler=show_desk),
    Page(
        name="decide",
        path="/desk/<country>/<path:serial>",
        right=Right.DECIDE,
        handler=show_decision,
    ),
    Page(
        name="take_decision",
        path="/desk/<country>/<path:serial>",
        right=Right.DECIDE,
        handler=take_decision,
        method=Method.POST,
    ),
    Page(
        name="settle_proposal",
        path="/proposals/<int:number>",
        right=Right.DECIDE,
        handler=settle_proposal,
        method=Method.POST,
    ),
)
