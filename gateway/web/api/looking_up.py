"""Handlers of the addresses that only read."""

from __future__ import annotations

from gateway.documents import Language
from gateway.errors import NotFoundError
from gateway.services import finding_certificates, lookup, maintenance, reference
from gateway.services.access import SCOPES_OF
from gateway.services.lookup import Wanted
from gateway.services.timeline import TimelineStep, timeline
from gateway.services.wording import (
    CertificateSummary,
    MessageView,
    certificate_summary,
    finding_view,
    item_view,
)
from gateway.store import Arrival, CertificateRow, SearchField
from gateway.store.search import Criteria
from gateway.web.api.answers import (
    AgreementsAnswer,
    CertificateAnswer,
    CodeListsAnswer,
    FormatsAnswer,
    LedgerAnswer,
    LedgerLine,
    MaintenanceAnswer,
    MeAnswer,
    PeersAnswer,
    SearchAnswer,
    StepView,
    TimelineAnswer,
)
from gateway.web.api.handing_over import links_to
from gateway.web.api.routes import XML, Call, Reply


def get_certificate(call: Call) -> Reply:
    """Return one certificate with its goods items and its document."""
    found = lookup.certificate(call.counter, call.caller, _wanted(call))
    row = found.row
    return Reply(
        content=CertificateAnswer(
            **_members(row),
            items=tuple(item_view(each) for each in found.items),
            over_used=row.over_used,
            contradicted=row.contradicted,
            missing_responses=row.missing_responses,
            replaced_by=row.replaced_by,
            message_id=row.message_id,
            conversation_id=row.conversation_id,
            sha256=row.payload_sha256,
            document=found.document,
            links=links_to(row.issuing_country, row.serial_number, row.message_id),
        )
    )


def get_signed_document(call: Call) -> Reply:
    """Return the signed XML of one certificate, byte for byte."""
    content, sha256 = lookup.signed_document(call.counter, call.caller, _wanted(call))
    return Reply(content=content, media_type=XML, headers={"Content-SHA256": sha256})


def get_timeline(call: Call) -> Reply:
    """Return everything that happened to one certificate."""
    row, steps = timeline(call.counter, call.caller, _wanted(call))
    return Reply(
        content=TimelineAnswer(
            certificate=certificate_summary(row),
            steps=tuple(_step(each, call.language) for each in steps),
        )
    )


def get_ledger(call: Call) -> Reply:
    """Return the utilisation ledger of one certificate."""
    row, items, entries = lookup.ledger(call.counter, call.caller, _wanted(call))
    return Reply(
        content=LedgerAnswer(
            issuing_country=row.issuing_country,
            serial_number=row.serial_number,
            customs_status=row.reported_status,
            over_used=row.over_used,
            items=tuple(item_view(each) for each in items),
            entries=tuple(
                LedgerLine(**{name: getattr(each, name) for name in LedgerLine.model_fields})
                for each in entries
            ),
        )
    )


def search_certificates(call: Call) -> Reply:
    """Return one page of the certificates that meet the criteria."""
    asked = call.query
    criteria = Criteria(
        keys=finding_certificates.keys_from(
            {
                SearchField.SERIAL: asked.serial,
                SearchField.EXPORTER: asked.exporter,
                SearchField.CONSIGNEE: asked.consignee,
                SearchField.INVOICE: asked.invoice,
                SearchField.DECLARATION: asked.declaration,
                SearchField.HS: asked.hs,
            }
        ),
        side=asked.side,
        issuing_country=asked.issuing_country,
        destination_country=asked.destination_country,
        state=asked.state,
        kind=asked.kind,
        issued_from=asked.issued_from,
        issued_until=asked.issued_until,
    )
    page = finding_certificates.find(
        call.counter,
        call.caller,
        criteria,
        cursor=asked.cursor,
        limit=asked.limit,
        purpose=call.purpose,
    )
    rows = tuple(certificate_summary(row) for row in page.rows)
    return Reply(content=SearchAnswer(certificates=rows, next=page.cursor))


def get_message(call: Call) -> Reply:
    """Return one message and what its receipt says."""
    found = lookup.message(call.counter, call.caller, call.path.message_id, purpose=call.purpose)
    row = found.message
    arrived = isinstance(row, Arrival)
    return Reply(
        content=MessageView(
            message_id=row.message_id,
            sent=not arrived,
            peer=found.peer,
            document_type=row.document_type,
            document_number=row.document_number,
            conversation_id=row.conversation_id,
            refers_to=row.refers_to,
            state=None if isinstance(row, Arrival) else row.state,
            verdict=row.verdict,
            code=row.code,
            detail=None if isinstance(row, Arrival) else row.detail,
            at=row.received_at if isinstance(row, Arrival) else row.created_at,
            attempts=0 if isinstance(row, Arrival) else row.attempts,
            findings=tuple(finding_view(each, call.language) for each in found.findings),
        )
    )


def list_code_lists(_call: Call) -> Reply:
    """Return every code list without its values."""
    return Reply(content=CodeListsAnswer(code_lists=reference.code_lists()))


def get_code_list(call: Call) -> Reply:
    """Return one code list with its values."""
    return Reply(content=reference.one_code_list(call.path.id, on=call.query.on))


def list_agreements(call: Call) -> Reply:
    """Return the agreements in force here."""
    return Reply(content=AgreementsAnswer(agreements=reference.agreements(call.counter)))


def get_agreement(call: Call) -> Reply:
    """Return one agreement."""
    for each in reference.agreements(call.counter):
        if each.id == call.path.id:
            return Reply(content=each)
    raise NotFoundError(f"no agreement {call.path.id!r} is in force here")


def list_peers(call: Call) -> Reply:
    """Return the peers and what each accepts."""
    return Reply(content=PeersAnswer(peers=reference.known_peers(call.counter)))


def list_maintenance(call: Call) -> Reply:
    """Return the announced maintenance that has not ended."""
    return Reply(content=MaintenanceAnswer(maintenance=maintenance.views(call.counter.desk)))


def list_formats(call: Call) -> Reply:
    """Return the national formats in which documents may be handed over."""
    return Reply(content=FormatsAnswer(formats=reference.formats(call.counter.national)))


def get_me(call: Call) -> Reply:
    """Return who asks, and what the key is good for."""
    caller, own = call.caller, call.caller.organisation
    scopes = caller.scopes & SCOPES_OF[own.kind]
    return Reply(
        content=MeAnswer(
            organisation=own.code,
            name=own.name,
            kind=own.kind,
            country=own.country,
            authority_code=own.authority_code,
            credential=caller.credential,
            scopes=tuple(sorted(scopes)),
            expires_at=caller.expires_at,
            gateway=call.counter.desk.identity.identifier,
            test=call.counter.desk.identity.test,
        )
    )


def _wanted(call: Call) -> Wanted:
    return Wanted(
        issuing_country=call.path.country,
        serial_number=call.path.serial,
        issued_on=call.query.issued_on,
        purpose=call.purpose,
    )


def _members(row: CertificateRow) -> dict[str, object]:
    summary: CertificateSummary = certificate_summary(row)
    return dict(summary)


def _step(step: TimelineStep, language: Language) -> StepView:
    own = StepView.model_fields.keys() - {"findings"}
    return StepView(
        **{name: getattr(step, name) for name in own},
        findings=tuple(finding_view(each, language) for each in step.findings),
    )
