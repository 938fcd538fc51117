"""Handlers of the addresses that take documents: certificates, and decisions of customs."""

from __future__ import annotations

from urllib.parse import quote

from gateway.documents import DocumentType, from_json
from gateway.errors import UnsupportedMediaError
from gateway.exchange.intake import CANONICAL_JSON, MESSAGE_XML, national_format
from gateway.exchange.responding import CustomsAction, CustomsDecisionForm
from gateway.services.access import Caller
from gateway.services.counter import Counter, GivenAnswer
from gateway.services.submission import (
    Taken,
    decide,
    read_one,
    submit,
    try_decision,
    try_submission,
)
from gateway.services.wording import finding_view, receiver_view
from gateway.web.api.answers import Links, PeerJudgement, TakenAnswer
from gateway.web.api.routes import BASE, JSON, XML, Call, Reply

_ACCEPTED = 202
_OWN_FORMS = {JSON: CANONICAL_JSON, XML: MESSAGE_XML}


def submit_certificate(call: Call) -> Reply:
    """Take one certificate of origin, or say what taking it would answer."""
    form = _form(call)
    reading = read_one(call.counter, call.body, form)
    if call.query.dry_run:
        taken = try_submission(call.counter, call.caller, reading)
        return Reply(content=_answer(call, taken, DocumentType.CERTIFICATE_OF_ORIGIN, dry=True))
    given = call.counter.once(
        call.key,
        lambda conn: _given(
            call,
            submit(call.counter, conn, call.caller, reading),
            DocumentType.CERTIFICATE_OF_ORIGIN,
        ),
    )
    return _reply(given)


def respond(call: Call) -> Reply:
    """Take one decision of customs, with the certificate it is about."""
    return _decided(call, from_json(CustomsAction, call.body))


def respond_to_one(call: Call) -> Reply:
    """Take one decision of customs about the certificate that the address names."""
    form = from_json(CustomsDecisionForm, call.body)
    action = CustomsAction(
        issuing_country=call.path.country,
        serial_number=call.path.serial,
        **{name: getattr(form, name) for name in CustomsDecisionForm.model_fields},
    )
    return _decided(call, action)


def links_to(country: str, serial: str, message_id: str | None) -> Links:
    """Return where a certificate and a message of it are found."""
    certificate = f"{BASE}/certificates/{country}/{quote(serial, safe='')}"
    message = None if message_id is None else f"{BASE}/messages/{quote(message_id, safe='')}"
    return Links(certificate=certificate, timeline=f"{certificate}/timeline", message=message)


def _decided(call: Call, action: CustomsAction) -> Reply:
    counter: Counter = call.counter
    caller: Caller = call.caller
    kind = DocumentType.CUSTOMS_RESPONSE
    if call.query.dry_run:
        return Reply(content=_answer(call, try_decision(counter, caller, action), kind, dry=True))
    return _reply(
        counter.once(
            call.key, lambda conn: _given(call, decide(counter, conn, caller, action), kind)
        )
    )


def _form(call: Call) -> str:
    """Return the name of the form of the body.

    Raises:
        UnsupportedMediaError: the content type is not that of the form named.
        NotFoundError: no format has this name.
    """
    name: str | None = call.query.format
    if name is not None and name not in _OWN_FORMS.values():
        found = national_format(name, call.counter.national)
        if call.media_type != found.media_type:
            raise UnsupportedMediaError(f"the content type of {name} is {found.media_type}")
        return name
    form = _OWN_FORMS.get(call.media_type)
    if form is None or name not in (None, form):
        raise UnsupportedMediaError(
            f"without a national format the content type is {JSON} or {XML}"
        )
    return form


def _answer(call: Call, taken: Taken, kind: DocumentType, *, dry: bool) -> TakenAnswer:
    submission, peer = taken.submission, taken.peer
    judgement = PeerJudgement(
        would_refuse=taken.peer_refuses,
        findings=tuple(finding_view(each, call.language) for each in taken.peer_findings),
    )
    return TakenAnswer(
        document_type=kind,
        document_number=submission.document_number,
        issuing_country=taken.issuing_country,
        serial_number=taken.serial_number,
        message_id=submission.message_id,
        repeated=submission.repeated,
        dry_run=dry,
        receiver=None if peer is None else receiver_view(peer),
        findings=tuple(finding_view(each, call.language) for each in submission.findings),
        peer=judgement if dry else None,
        links=links_to(taken.issuing_country, taken.serial_number, submission.message_id),
    )


def _given(call: Call, taken: Taken, kind: DocumentType) -> GivenAnswer:
    answer = _answer(call, taken, kind, dry=False)
    return GivenAnswer(status=_ACCEPTED, body=answer.model_dump_json().encode())


def _reply(given: GivenAnswer) -> Reply:
    replayed = {"Idempotency-Replayed": "true"} if given.replayed else {}
    return Reply(content=given.body, status=given.status, headers=replayed)
