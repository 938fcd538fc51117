"""The issuing desk: certificates and where each is, what customs did, submitting, resending."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from gateway.documents import CertificateOfOrigin, Finding
from gateway.errors import GatewayError, InputError, InvalidDocumentError
from gateway.exchange.intake import CANONICAL_JSON, MESSAGE_XML, Reading, read_certificates
from gateway.services import issuing_desk
from gateway.services.customs_feedback import customs_feedback
from gateway.services.people.roles import Right
from gateway.services.submission import submit, try_submission
from gateway.services.wording import finding_view
from gateway.store.feedback import Urgency
from gateway.web.console.certificates import reason_names
from gateway.web.console.finding import PURPOSE
from gateway.web.console.pages import Answer, Go, Method, Page, Shown, Visit

_EACH: Final = 25
_MOST_DOCUMENTS: Final = 100
_LARGEST: Final = 1_000_000
_LONGEST_REASON: Final = 300


@dataclass(kw_only=True)
class Tried:
    """Is what became of one document of a file.

    Attributes:
        good: it would be taken, or was.
        sent: it was taken; ``address`` leads to its page.
    """

    reference: str
    good: bool = False
    sent: bool = False
    repeated: bool = False
    address: str | None = None
    peer: str | None = None
    findings: tuple[Finding, ...] = ()
    peer_findings: tuple[Finding, ...] = ()
    failure: str | None = None


@dataclass(kw_only=True)
class _Work:
    tried: list[Tried] = field(default_factory=list)
    failure: GatewayError | None = None
    content: bytes = b""
    form: str = ""


def show_issuing(visit: Visit) -> Answer:
    """Show what waits, what customs reported, and the newest certificates with their ways."""
    counter, caller = visit.counter, visit.caller
    cursor = visit.query.get("cursor")
    values = {
        "page": issuing_desk.issued(counter, caller, cursor=cursor, limit=_EACH, purpose=PURPOSE),
        "told": customs_feedback(counter, caller, cursor=None, limit=_EACH),
        "waiting": issuing_desk.waiting(counter, caller),
        "now": counter.desk.clock(),
        "reason_name": reason_names(visit.words),
        "done": visit.query.get("done") if visit.query.get("done") in ("resent", "held") else None,
    }
    return Shown(template="issuing.html", values=values)


def show_feedback(visit: Visit) -> Answer:
    """Show all that customs reported, or what is of one urgency, page by page."""
    named = visit.query.get("urgency", "").upper()
    only = Urgency[named] if named in Urgency.__members__ else None
    values = {
        "told": customs_feedback(
            visit.counter,
            visit.caller,
            urgencies=tuple(Urgency) if only is None else (only,),
            cursor=visit.query.get("cursor"),
            limit=_EACH,
        ),
        "only": only,
        "urgencies": tuple(Urgency),
        "reason_name": reason_names(visit.words),
    }
    return Shown(template="feedback.html", values=values)


def show_submission(visit: Visit) -> Answer:
    """Show the form that takes certificates."""
    return _page(visit, _Work())


def take_submission(visit: Visit) -> Answer:
    """Check every certificate of a file, or register, sign and queue them."""
    work = _Work(form=visit.form.get("format", ""))
    sends = visit.form.get("step") == "send"
    try:
        work.content = _content(visit)
        for reading in _readings(visit, work):
            work.tried.append(_taken(visit, reading, sends=sends))
    except GatewayError as exc:
        if exc.http_status >= 500:
            raise
        work.failure = exc
    return _page(visit, work)


def resend_message(visit: Visit) -> Answer:
    """Queue a message of our own again."""
    issuing_desk.resend(visit.counter, visit.person, visit.path["message"], _reason(visit))
    return Go(to="/issuing?done=resent")


def hold_message(visit: Visit) -> Answer:
    """Keep a message of our own back."""
    issuing_desk.hold(visit.counter, visit.person, visit.path["message"], _reason(visit))
    return Go(to="/issuing?done=held")


def _reason(visit: Visit) -> str:
    reason = visit.form.get("reason", "").strip()[:_LONGEST_REASON]
    if not reason:
        raise InputError("say why; it stands in the journal")
    return reason


def _content(visit: Visit) -> bytes:
    """Return the bytes handed over: a file, those checked before, or what was pasted."""
    upload = visit.files.get("file")
    if upload is not None and upload.content:
        found = upload.content
    elif carried := visit.form.get("carried", ""):
        try:
            found = base64.b64decode(carried, validate=True)
        except (ValueError, binascii.Error) as exc:
            raise InputError("the page is outdated; choose the file again") from exc
    else:
        found = visit.form.get("pasted", "").strip().encode("utf-8", "replace")
    if not found:
        raise InputError("choose a file or paste a document")
    if len(found) > _LARGEST:
        raise InputError("a file here has at most 1 MB; larger ones go by interface or folder")
    return found


def _readings(visit: Visit, work: _Work) -> tuple[Reading, ...]:
    counter = visit.counter
    found = read_certificates(counter.desk, work.content, work.form or None, counter.national)
    if len(found) > _MOST_DOCUMENTS:
        raise InputError(f"a file here has at most {_MOST_DOCUMENTS} certificates")
    return found


def _taken(visit: Visit, reading: Reading, *, sends: bool) -> Tried:
    counter, caller = visit.counter, visit.caller
    tried = Tried(reference=reading.reference, findings=reading.findings)
    if not isinstance(reading.document, CertificateOfOrigin):
        return tried
    try:
        if sends:
            with counter.desk.store.begin() as conn:
                taken = submit(counter, conn, caller, reading)
        else:
            taken = try_submission(counter, caller, reading)
    except InvalidDocumentError as exc:
        tried.findings = exc.findings
        return tried
    except GatewayError as exc:
        if exc.http_status >= 500:
            raise
        tried.failure = exc.code
        tried.findings = exc.findings
        return tried
    tried.good, tried.sent = True, sends
    tried.repeated = taken.submission.repeated
    tried.findings, tried.peer_findings = taken.submission.findings, taken.peer_findings
    tried.peer = None if taken.peer is None else taken.peer.identifier
    if sends:
        serial = quote(taken.serial_number, safe="")
        tried.address = f"/certificates/{taken.issuing_country}/{serial}"
    return tried


def _page(visit: Visit, work: _Work) -> Shown:
    good = [each for each in work.tried if each.good and not each.sent]
    values: dict[str, Any] = {
        "work": work,
        "formats": (CANONICAL_JSON, MESSAGE_XML, *sorted(visit.counter.national)),
        "carried": base64.b64encode(work.content).decode("ascii") if good else "",
        "finding_view": finding_view,
    }
    status = 200 if work.failure is None else work.failure.http_status
    return Shown(template="submit.html", values=values, status=status)


PAGES: Final = (
    Page(name="issuing", path="/issuing", right=Right.SUBMIT, handler=show_issuing),
    Page(name="feedback", path="/issuing/feedback", right=Right.SUBMIT, handler=show_feedback),
    Page(name="submission", path="/issuing/submit", right=Right.SUBMIT, handler=show_submission),
    Page(
        name="take_submission",
        path="/issuing/submit",
        right=Right.SUBMIT,
        handler=take_submission,
        method=Method.POST,
    ),
    Page(
        name="resend_own",
        path="/issuing/messages/<message>/resend",
        right=Right.SUBMIT,
        handler=resend_message,
        method=Method.POST,
    ),
    Page(
        name="hold_own",
        path="/issuing/messages/<message>/hold",
        right=Right.SUBMIT,
        handler=hold_message,
        method=Method.POST,
    ),
)
