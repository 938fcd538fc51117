"""What the outcome of a delivery means for the certificate and for the national system."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from gateway.register.notes import note_state
from gateway.register.states import ExchangeEvent, ExchangeState, IssueEvent, IssueState, advance
from gateway.store import certificates, concerned, events, journal
from gateway.store.rows import (
    AttemptOutcome,
    CertificateDelivery,
    CertificateRow,
    Claim,
    Dispatch,
)
from gateway.store.states import DeliveryRole, DeliveryState, EventKind

D, E = DeliveryState, ExchangeEvent

_STEPS: Mapping[DeliveryState, tuple[ExchangeEvent, ...]] = {
    D.DELIVERED: (E.SEND, E.RECEIPT, E.ACCEPT),
    D.REFUSED: (E.SEND, E.RECEIPT, E.REFUSE),
    D.FAILED: (E.GIVE_UP,),
}
_EVENTS: Mapping[DeliveryState, EventKind] = {
    D.DELIVERED: EventKind.MESSAGE_DELIVERED,
    D.REFUSED: EventKind.MESSAGE_REFUSED,
    D.FAILED: EventKind.MESSAGE_FAILED,
}
_SENT_AGAIN = (
    ExchangeState.UNDELIVERABLE,
    ExchangeState.REFUSED_BY_PEER,
    ExchangeState.RECEIVED,
)


def record_delivery(conn: Connection, sent: Claim | Dispatch, outcome: AttemptOutcome) -> None:
    """Carry the outcome of an attempt into the register; a retry changes nothing here.

    Call it after ``outbox.record_attempt``, or after ``verdicts.record`` where that decided, in
    the same transaction, for every document type.
    The national system hears of what is final; a refused or confirmed ending is settled.
    """
    kind = _EVENTS.get(outcome.state)
    if kind is None:
        return
    deliveries = certificates.deliveries_of_message(conn, sent.message_id)
    carried = [(each, certificates.lock(conn, each.certificate_id)) for each in deliveries]
    about = carried[0][1] if carried else concerned.answered_by(conn, sent)
    data = {
        **concerned.message_facts(sent, about),
        "verdict": outcome.verdict,
        "code": outcome.code,
        "detail": outcome.detail,
    }
    events.append(
        conn,
        at=outcome.ended_at,
        kind=kind,
        subject=sent.message_id,
        data=data,
        audience=concerned.audience_of(about),
    )
    for delivery, certificate in carried:
        _record(conn, delivery, certificate, outcome)


def _record(
    conn: Connection,
    delivery: CertificateDelivery,
    certificate: CertificateRow,
    outcome: AttemptOutcome,
) -> None:
    state = delivery.state
    if state in _SENT_AGAIN:
        state = advance(state, E.RESEND)
    for event in _STEPS[outcome.state]:
        state = advance(state, event)
    certificates.set_delivery(conn, delivery, state, code=outcome.code, at=outcome.ended_at)
    journal.append(
        conn,
        at=outcome.ended_at,
        action=journal.Action.CERTIFICATE_DELIVERY,
        subject=certificate.serial_number,
        detail={
            "message_id": delivery.message_id,
            "role": delivery.role,
            "from": delivery.state,
            "to": state,
        },
    )
    if delivery.role is DeliveryRole.ENDING:
        _settle(conn, delivery.certificate_id, outcome)


def _settle(conn: Connection, certificate_id: int, outcome: AttemptOutcome) -> None:
    """Confirm an ending once every peer agreed; take it back as soon as one refuses."""
    before = certificates.get(conn, certificate_id)
    if before.state not in (IssueState.CANCELLING, IssueState.REPLACING):
        return
    asked = certificates.deliveries(conn, certificate_id, DeliveryRole.ENDING)
    if any(one.state is ExchangeState.REFUSED_BY_PEER for one in asked):
        event = IssueEvent.REFUSE
    elif all(one.state is ExchangeState.RECEIVED for one in asked):
        event = IssueEvent.CONFIRM
    else:
        return
    state = advance(IssueState(before.state), event)
    ended = {} if event is IssueEvent.CONFIRM else {"ended_by": None, "replaced_by": None}
    now = certificates.change(conn, before, at=outcome.ended_at, state=state, **ended)
    note_state(conn, before, now, at=outcome.ended_at, reason=outcome.code)
