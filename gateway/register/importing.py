"""The ledger at the importing side: decisions of customs become numbered responses.

Everything is decided under a lock on the certificate's row, so of many draws on the last
quantity one succeeds.  Checks come before writes: after a refusal the caller's transaction
holds nothing of it but the alarm and may go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gateway.documents import Finding, UtilisationStatus
from gateway.errors import ConflictError, InvalidDocumentError
from gateway.register.attempts import tell_over_use
from gateway.register.decision import CustomsDecision, LedgerOutcome, UsePolicy
from gateway.register.drawing import NOTHING, Quantities, after, plain, quantities, use_problems
from gateway.register.findings import Problem, finding
from gateway.register.notes import note_state, serial_event
from gateway.register.states import ImportState
from gateway.register.steps import Steps, steps_of, walk
from gateway.store import certificates, digest, journal, utilisation
from gateway.store.rows import CertificateItem, CertificateRow, ResponseItem, ResponseRow
from gateway.store.states import EntryKind, EventKind, ResponseStanding, Side
from gateway.store.types import canonical_json
from gateway.store.utilisation import NewEntry, NewResponse


def write_off(
    conn: Connection, decision: CustomsDecision, policy: UsePolicy, *, at: datetime
) -> LedgerOutcome:
    """Write goods off and return the numbered response to send.

    Raises:
        InvalidDocumentError, ConflictError: as ``decide``.
        ValueError: the decision uses no goods (a mistake of our own).
    """
    if not decision.status.uses_goods:
        raise ValueError(f"{decision.status} writes nothing off")
    return decide(conn, decision, policy, at=at)


def decide(
    conn: Connection, decision: CustomsDecision, policy: UsePolicy, *, at: datetime
) -> LedgerOutcome:
    """Enter a decision of customs and return the numbered response to send.

    1. The certificate is registered here, and its row is locked.
    2. The same decision again returns the response drawn the first time.
    3. The state allows it, quantities and units fit, nothing is used twice.
    4. Ledger, totals, state, response, journal and event are written together.

    A decision about a certificate not yet presented presents it; a write-off without
    earlier acceptance accepts it, because release is acceptance.

    Raises:
        InvalidDocumentError: V87 unknown, V89 quantity, V90 single use, V73 validity, STATE;
            nothing was written but, with V89, the alarm.
        ConflictError: the reference was used for another decision.
    """
    certificate = _locked(conn, decision)  # 1
    items = certificates.items(conn, certificate.id)
    repeated = _drawn_before(conn, certificate, items, decision)  # 2
    if repeated is not None:
        return repeated
    tell_over_use(conn, certificate, items, decision, at=at)
    steps = _judge(certificate, decision, policy, items)  # 3
    drawn = quantities(decision, items)
    step = _Step(certificate, decision, after(items, drawn), drawn, steps, at)
    return _enter(conn, step, policy)  # 4


@dataclass(frozen=True)
class _Step:
    """Is one decision that was judged good, with the items as they will be."""

    certificate: CertificateRow
    decision: CustomsDecision
    items: tuple[CertificateItem, ...]
    drawn: Quantities
    steps: Steps
    at: datetime


def _locked(conn: Connection, decision: CustomsDecision) -> CertificateRow:
    country, serial = decision.issuing_country, decision.serial_number
    found = certificates.reserve(conn, Side.RECEIVED, country, serial)
    if found is None:
        path = "certificate.serial_number"
        problem = finding(Problem.UNKNOWN_CERTIFICATE, path, serial=serial, country=country)
        raise InvalidDocumentError(problem.message.en, findings=[problem])
    return found


def _drawn_before(
    conn: Connection,
    certificate: CertificateRow,
    items: tuple[CertificateItem, ...],
    decision: CustomsDecision,
) -> LedgerOutcome | None:
    stored = utilisation.by_reference(conn, certificate.id, decision.reference)
    if stored is None:
        stored = _recovered(conn, certificate, decision)
    if stored is None:
        return None
    if stored.content_sha256 != _content(decision):
        raise ConflictError(
            f"the reference {decision.reference!r} was used for another decision on "
            f"{certificate.serial_number}"
        )
    return LedgerOutcome(certificate=certificate, response=stored, items=items, repeated=True)


def _recovered(
    conn: Connection, certificate: CertificateRow, decision: CustomsDecision
) -> ResponseRow | None:
    """Return the response that a peer gave back for this very decision, under its key again.

    Books that were restored learn their responses from the peer, who never saw the keys of the
    customs system.  That system may say its decision again, and must not use the goods twice.
    """
    for response in utilisation.responses(conn, certificate.id):
        if response.reference_key is None and _tells(response, decision):
            return utilisation.adopt(
                conn, response, reference=decision.reference, content_sha256=_content(decision)
            )
    return None


def _tells(response: ResponseRow, decision: CustomsDecision) -> bool:
    said = (response.decided_at, response.declaration_number, response.officer)
    if said != (decision.decided_at, decision.declaration_number, decision.officer):
        return False
    if not (decision.status.uses_goods and response.status.uses_goods):
        return decision.status is response.status
    if not decision.items:
        return response.status is UtilisationStatus.FULL
    told = {item.number: item.quantity for item in response.items if item.quantity}
    return told == quantities(decision, ())


def _content(decision: CustomsDecision) -> str:
    items = sorted(
        (line.number, plain(line.quantity.value), line.quantity.unit) for line in decision.items
    )
    fields = [decision.status, items, decision.declaration_number]
    return digest(canonical_json(fields).encode())


def _judge(
    certificate: CertificateRow,
    decision: CustomsDecision,
    policy: UsePolicy,
    items: Sequence[CertificateItem],
) -> Steps:
    problems: list[Finding] = []
    remaining: Sequence[CertificateItem] = items
    if decision.status.uses_goods:
        problems += use_problems(certificate, decision, policy, items)
        remaining = after(items, quantities(decision, items))
    steps = steps_of(
        _import_state(certificate),
        decision.status,
        used=any(item.used for item in remaining),
        spent=_is_spent(policy, remaining),
    )
    if steps is None or (decision.items and not decision.status.uses_goods):
        problems.append(_state_problem(certificate, decision.status))
    if problems or steps is None:
        raise InvalidDocumentError(
            f"the decision on {certificate.serial_number} is refused: {problems[0].message.en}",
            findings=problems,
        )
    return steps


def _import_state(certificate: CertificateRow) -> ImportState:
    return ImportState(certificate.state)


def _is_spent(policy: UsePolicy, items: Sequence[CertificateItem]) -> bool:
    """Return whether nothing more may be written off; a single use spends everything."""
    if not policy.partial:
        return any(item.used for item in items)
    return all(policy.is_spent(item) for item in items)


def _state_problem(certificate: CertificateRow, status: UtilisationStatus) -> Finding:
    return finding(
        Problem.WRONG_STATE,
        "status",
        serial=certificate.serial_number,
        state=certificate.state,
        asked=status,
    )


def _enter(conn: Connection, step: _Step, policy: UsePolicy) -> LedgerOutcome:
    before = step.certificate
    response = utilisation.add_response(conn, _response(step, policy))
    _enter_lines(conn, step, response.sequence_number)
    changed = certificates.change(
        conn,
        before,
        at=step.at,
        state=walk(_import_state(before), step.steps),
        last_sequence=response.sequence_number,
        reported_status=response.status,
    )
    _tell(conn, step, changed, response)
    return LedgerOutcome(certificate=changed, response=response, items=step.items, repeated=False)


def _response(step: _Step, policy: UsePolicy) -> NewResponse:
    decision = step.decision
    status = decision.status
    if status.uses_goods:
        full = all(policy.is_spent(item) for item in step.items)
        status = UtilisationStatus.FULL if full else UtilisationStatus.PARTIAL
    return NewResponse(
        certificate_id=step.certificate.id,
        sequence_number=step.certificate.last_sequence + 1,
        status=status,
        standing=ResponseStanding.DRAWN,
        content_sha256=_content(decision),
        items=_response_items(step.items, step.drawn),
        decided_at=decision.decided_at,
        stored_at=step.at,
        reference=decision.reference,
        reasons=decision.reason_codes,
        declaration_number=decision.declaration_number,
        officer=decision.officer,
    )


def _response_items(
    items: Sequence[CertificateItem], drawn: Quantities
) -> tuple[ResponseItem, ...]:
    """Return every item used so far; a withdrawal states zero, it never takes below it."""
    return tuple(
        ResponseItem(
            number=item.number,
            unit=item.unit,
            quantity=max(drawn.get(item.number, NOTHING), NOTHING),
            cumulative=item.used,
        )
        for item in items
        if item.used or item.number in drawn
    )


def _enter_lines(conn: Connection, step: _Step, sequence: int) -> None:
    for item in step.items:
        quantity = step.drawn.get(item.number)
        if quantity:
            entry = NewEntry(
                certificate_id=item.certificate_id,
                item_number=item.number,
                kind=EntryKind.USE if quantity > 0 else EntryKind.REVERSAL,
                quantity=quantity,
                unit=item.unit,
                total_after=item.used,
                sequence_number=sequence,
                reference=step.decision.reference[:140],
                entered_at=step.at,
            )
            utilisation.add_entry(conn, entry)


def _tell(conn: Connection, step: _Step, now: CertificateRow, response: ResponseRow) -> None:
    officer = step.decision.officer
    detail = {
        "sequence": response.sequence_number,
        "status": response.status,
        "drawn": {str(number): plain(quantity) for number, quantity in step.drawn.items()},
        "declaration": response.declaration_number,
    }
    journal.append(
        conn,
        at=step.at,
        actor=journal.GATEWAY if officer is None else f"officer:{officer}",
        action=journal.Action.UTILISATION_DRAWN,
        subject=now.serial_number,
        detail=detail,
    )
    note_state(conn, step.certificate, now, at=step.at)
    serial_event(conn, EventKind.UTILISATION_CHANGED, now, at=step.at, **detail)
