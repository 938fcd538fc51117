"""The ledger at the issuing side: customs responses of the importing side are believed.

Nothing true is refused: over-use, gaps and contradictions are stored, flagged and told to
the national system.  What decides is the response with the highest sequence number; of two
with the same number the one that came first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from gateway.documents import CustomsResponse, Finding, Severity
from gateway.errors import InvalidDocumentError
from gateway.register.carriage import new_response
from gateway.register.contents import content_digest
from gateway.register.decision import LedgerOutcome
from gateway.register.drawing import plain
from gateway.register.findings import Problem, finding
from gateway.register.fold import Folded, fold_all, fold_one
from gateway.register.notes import serial_event
from gateway.register.states import IssueState
from gateway.store import certificates, journal, utilisation
from gateway.store.rows import CertificateItem, CertificateRow, ResponseRow
from gateway.store.states import EntryKind, EventKind, ResponseStanding, Side
from gateway.store.utilisation import NewEntry, NewResponse

_ENDED = (IssueState.CANCELLED, IssueState.REPLACED)


@dataclass(frozen=True, kw_only=True)
class ReceivedResponse:
    """Is a verified customs response with the bytes and the way it came."""

    document: CustomsResponse
    payload: bytes
    message_id: str
    peer_id: int
    at: datetime


@dataclass(frozen=True)
class _Case:
    """Holds the locked certificate and what is stored about it while one response is judged."""

    certificate: CertificateRow
    items: Mapping[int, CertificateItem]
    received: ReceivedResponse
    content: str
    standing: ResponseStanding
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]


def apply_response(conn: Connection, received: ReceivedResponse) -> LedgerOutcome:
    """Enter a customs response into the ledger of the certificate that it answers.

    1. The certificate was issued here and sent to that peer; its row is locked.
    2. The very same response again changes nothing.
    3. Another response under a used sequence number is kept as a contradiction.
    4. A response above all others adds one step; a late one folds all of them anew.
    5. Totals, flags, ledger lines, journal and events are written together.

    Raises:
        InvalidDocumentError: V87, the certificate is unknown here or was never sent to that
            peer; nothing was written.
    """
    document = received.document
    certificate = _answered(conn, received)  # 1
    content = content_digest(document)
    same = utilisation.at_sequence(conn, certificate.id, document.sequence_number)
    items = certificates.items(conn, certificate.id)
    for response in same:
        if response.content_sha256 == content:  # 2
            return LedgerOutcome(
                certificate=certificate, response=response, items=items, repeated=True
            )
    case = _judge(conn, certificate, items, received, content, taken=bool(same))  # 3
    stored = utilisation.add_response(conn, _new_response(case))
    folded = _folded(conn, case, stored)  # 4
    return _write(conn, case, stored, folded)  # 5


def _answered(conn: Connection, received: ReceivedResponse) -> CertificateRow:
    named = received.document.certificate
    country, serial = named.issuing_country, named.serial_number
    found = certificates.reserve(conn, Side.ISSUED, country, serial)
    path = "certificate.serial_number"
    if found is None:
        problem = finding(Problem.UNKNOWN_CERTIFICATE, path, serial=serial, country=country)
    elif received.peer_id not in {d.peer_id for d in certificates.deliveries(conn, found.id)}:
        problem = finding(Problem.FOREIGN_CERTIFICATE, path, serial=serial)
    else:
        return found
    raise InvalidDocumentError(problem.message.en, findings=[problem])


def _judge(
    conn: Connection,
    certificate: CertificateRow,
    items: Sequence[CertificateItem],
    received: ReceivedResponse,
    content: str,
    *,
    taken: bool,
) -> _Case:
    document = received.document
    found: dict[Problem, Finding] = {}
    if taken:
        found[Problem.SEQUENCE_REUSED] = finding(
            Problem.SEQUENCE_REUSED,
            "sequence_number",
            Severity.WARNING,
            sequence=document.sequence_number,
            serial=certificate.serial_number,
        )
    if utilisation.by_number(conn, certificate.id, document.response_number):
        found[Problem.NUMBER_REUSED] = finding(
            Problem.NUMBER_REUSED,
            "response_number",
            Severity.WARNING,
            response=document.response_number,
        )
    if document.status.uses_goods and certificate.state in _ENDED:
        facts = {"serial": certificate.serial_number, "state": certificate.state}
        found[Problem.USED_AFTER_END] = finding(
            Problem.USED_AFTER_END, "status", Severity.WARNING, **facts
        )
    late = document.sequence_number < certificate.last_sequence
    standing = ResponseStanding.LATE if late else ResponseStanding.APPLIED
    return _Case(
        certificate=certificate,
        items={item.number: item for item in items},
        received=received,
        content=content,
        standing=ResponseStanding.CONTRADICTING if taken else standing,
        findings=tuple(found.values()),
        problems=tuple(found),
    )


def _new_response(case: _Case) -> NewResponse:
    received = case.received
    stated = new_response(
        received.document,
        certificate_id=case.certificate.id,
        standing=case.standing,
        content_sha256=case.content,
        at=received.at,
    )
    return replace(
        stated,
        findings=tuple(case.problems),
        message_id=received.message_id,
        payload=received.payload,
    )


def _folded(conn: Connection, case: _Case, stored: ResponseRow) -> Folded:
    present = {number: item.used for number, item in case.items.items()}
    if case.standing is ResponseStanding.CONTRADICTING:
        return Folded(present)
    if case.standing is ResponseStanding.APPLIED:
        return fold_one(Folded(present), stored.status, stored.items, case.items)
    return fold_all(utilisation.responses(conn, case.certificate.id), case.items)


def _is_contradicted(conn: Connection, case: _Case, folded: Folded) -> bool:
    """Return whether anything stored contradicts; after a late response all is judged anew."""
    if case.problems or folded.problems:
        return True
    if case.standing is not ResponseStanding.LATE:
        return case.certificate.contradicted
    return any(row.findings for row in utilisation.responses(conn, case.certificate.id))


def _write(conn: Connection, case: _Case, stored: ResponseRow, folded: Folded) -> LedgerOutcome:
    before, at = case.certificate, case.received.at
    changes = _enter_totals(conn, case, folded)
    items = certificates.items(conn, before.id)
    over = [item for item in items if item.remaining < 0]
    highest = max(before.last_sequence, stored.sequence_number)
    newest = case.standing is ResponseStanding.APPLIED
    now = certificates.change(
        conn,
        before,
        at=at,
        last_sequence=highest,
        missing_responses=highest - utilisation.known_sequences(conn, before.id),
        reported_status=stored.status if newest else before.reported_status,
        contradicted=_is_contradicted(conn, case, folded),
        over_used=bool(over),
    )
    findings = (*case.findings, *folded.findings, *(_over_use(item) for item in over))
    _tell(conn, before, now, stored, changes, at=at)
    _alarm(conn, before, now, case, folded)
    return LedgerOutcome(
        certificate=now, response=stored, items=items, repeated=False, findings=findings
    )


def _enter_totals(conn: Connection, case: _Case, folded: Folded) -> Mapping[int, Decimal]:
    document = case.received.document
    changes = {
        number: folded.totals[number] - item.used
        for number, item in case.items.items()
        if folded.totals[number] != item.used
    }
    for number, change in changes.items():
        entry = NewEntry(
            certificate_id=case.certificate.id,
            item_number=number,
            kind=EntryKind.USE if change > 0 else EntryKind.REVERSAL,
            quantity=change,
            unit=case.items[number].unit,
            total_after=folded.totals[number],
            sequence_number=document.sequence_number,
            reference=document.response_number,
            entered_at=case.received.at,
        )
        utilisation.add_entry(conn, entry)
    return changes


def _over_use(item: CertificateItem) -> Finding:
    return finding(
        Problem.OVER_USE,
        "items",
        Severity.WARNING,
        number=item.number,
        asked=plain(item.used + item.reexported),
        remaining=plain(item.certified),
        unit=item.unit,
    )


def _tell(
    conn: Connection,
    before: CertificateRow,
    now: CertificateRow,
    stored: ResponseRow,
    changes: Mapping[int, Decimal],
    *,
    at: datetime,
) -> None:
    detail = {
        "sequence": stored.sequence_number,
        "status": stored.status,
        "standing": stored.standing,
        "response": stored.response_number,
        "message_id": stored.message_id,
        "missing": now.missing_responses,
        "changed": {str(number): plain(change) for number, change in changes.items()},
    }
    action = journal.Action.RESPONSE_RECEIVED
    journal.append(conn, at=at, action=action, subject=now.serial_number, detail=detail)
    serial_event(conn, EventKind.RESPONSE_RECEIVED, now, at=at, **detail)
    if changes:
        serial_event(conn, EventKind.UTILISATION_CHANGED, now, at=at, **detail)
    if now.missing_responses > before.missing_responses:
        serial_event(conn, EventKind.GAP, now, at=at, missing=now.missing_responses)


def _alarm(
    conn: Connection, before: CertificateRow, now: CertificateRow, case: _Case, folded: Folded
) -> None:
    at = case.received.at
    newly_over = now.over_used and not before.over_used
    problems = sorted({*case.problems, *folded.problems})
    if newly_over:
        serial_event(conn, EventKind.OVER_USE, now, at=at)
    if problems:
        serial_event(conn, EventKind.CONTRADICTION, now, at=at, problems=problems)
    if newly_over or problems:
        journal.append(
            conn,
            at=at,
            action=journal.Action.UTILISATION_FLAGGED,
            subject=now.serial_number,
            detail={"over_used": now.over_used, "problems": problems},
        )
