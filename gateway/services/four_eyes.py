"""Decisions of customs that take two people: one proposes, another of the same office settles.

What is proposed is the whole decision as it will be carried out; confirming it does just that, in
the transaction that settles the proposal, so of many who confirm at once one sends a response.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.errors import ConflictError, NotFoundError, NotPermittedError
from gateway.exchange.responding import CustomsAction
from gateway.services.counter import Counter
from gateway.services.lookup import Wanted, visible_one
from gateway.services.people.roles import Right, Visitor
from gateway.services.submission import Taken, decide, try_decision
from gateway.store import (
    CertificateRow,
    JournalAction,
    NewProposal,
    Proposal,
    ProposalState,
    certificates,
    journal,
    people,
    proposals,
)
from gateway.store.types import canonical_json


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """Is a proposed decision with its certificate and who proposed it.

    Attributes:
        is_own: the visitor proposed it, so another person must settle it.
        settler: login of whoever settled it.
    """

    proposal: Proposal
    action: CustomsAction
    certificate: CertificateRow
    proposer: str
    is_own: bool
    settler: str | None = None


def decide_or_propose(
    counter: Counter, visitor: Visitor, action: CustomsAction, takes_two: Collection[str]
) -> Taken | Proposal:
    """Return what became of a decision: sent, or proposed where its status takes two people.

    Raises:
        GatewayError: as ``decide`` and ``propose``.
    """
    if action.status in takes_two:
        return propose(counter, visitor, action)
    visitor.require(Right.DECIDE)
    with counter.desk.store.begin() as conn:
        return decide(counter, conn, visitor.caller, action)


def propose(counter: Counter, visitor: Visitor, action: CustomsAction) -> Proposal:
    """Return the stored proposal of a decision; nothing is decided or sent yet.

    Raises:
        NotPermittedError: the visitor may not decide.
        NotFoundError: no such certificate was received.
        InvalidDocumentError: confirming it would be refused, with every finding.
        ConflictError: the reference stands for another decision.
    """
    visitor.require(Right.DECIDE)
    try_decision(counter, visitor.caller, action)
    at = counter.desk.clock()
    with counter.desk.store.begin() as conn:
        row = visible_one(conn, visitor.caller, _named(action))
        new = NewProposal(
            certificate_id=row.id,
            organisation_id=visitor.organisation.id,
            reference=action.reference,
            action=action.model_dump(mode="json", exclude_none=True),
            proposed_by=visitor.person.id,
            proposed_at=at,
        )
        stored, is_new = proposals.add(conn, new)
        if is_new:
            _note(conn, counter, visitor, JournalAction.DECISION_PROPOSED, stored, row)
    return stored


def confirm(counter: Counter, visitor: Visitor, proposal_id: int) -> Taken | None:
    """Return what became of a proposed decision, now sent; None if it was confirmed before.

    Raises:
        NotFoundError: there is none in the visitor's organisation.
        NotPermittedError: the visitor proposed it, or may not decide.
        ConflictError: it was returned before.
        InvalidDocumentError: it no longer fits the books; it stays open.
    """
    with counter.desk.store.begin() as conn:
        found = _settled_by(conn, counter, visitor, proposal_id, ProposalState.CONFIRMED, None)
        if found is None:
            return None
        action = CustomsAction.model_validate_json(_as_json(found))
        return decide(counter, conn, visitor.caller, action)


def give_back(counter: Counter, visitor: Visitor, proposal_id: int, remark: str) -> None:
    """Return a proposal to its proposer, with the reason; nothing is decided.

    Raises:
        NotFoundError: there is none in the visitor's organisation.
        NotPermittedError: the visitor proposed it, or may not decide.
        ConflictError: it was confirmed before.
    """
    with counter.desk.store.begin() as conn:
        _settled_by(conn, counter, visitor, proposal_id, ProposalState.RETURNED, remark[:500])


def waiting(counter: Counter, visitor: Visitor) -> tuple[Proposed, ...]:
    """Return the open proposals of the visitor's organisation, oldest first."""
    visitor.require(Right.DECIDE)
    with counter.desk.store.read() as conn:
        found = proposals.waiting(conn, visitor.organisation.id)
        return tuple(_proposed(conn, visitor, each) for each in found)


def about(counter: Counter, visitor: Visitor, row: CertificateRow) -> tuple[Proposed, ...]:
    """Return what the visitor's organisation proposed about a certificate, newest first."""
    visitor.require(Right.DECIDE)
    with counter.desk.store.read() as conn:
        found = proposals.of_certificate(conn, row.id, visitor.organisation.id)
        return tuple(_proposed(conn, visitor, each) for each in found)


def _settled_by(
    conn: Connection,
    counter: Counter,
    visitor: Visitor,
    proposal_id: int,
    state: ProposalState,
    remark: str | None,
) -> Proposal | None:
    """Return the proposal that was settled just now, None if it was settled so before."""
    visitor.require(Right.DECIDE)
    found = proposals.get(conn, proposal_id)
    if found.organisation_id != visitor.organisation.id:
        raise NotFoundError(f"there is no proposal {proposal_id}")
    if found.proposed_by == visitor.person.id:
        raise NotPermittedError("another person must settle what you proposed")
    at = counter.desk.clock()
    if not proposals.settle(conn, found, state, by=visitor.person.id, at=at, remark=remark):
        if proposals.get(conn, proposal_id).state is state:
            return None
        raise ConflictError(f"the proposal {proposal_id} was settled otherwise")
    confirmed = state is ProposalState.CONFIRMED
    action = JournalAction.DECISION_CONFIRMED if confirmed else JournalAction.DECISION_RETURNED
    row = certificates.get(conn, found.certificate_id)
    _note(conn, counter, visitor, action, found, row)
    return found


def _note(
    conn: Connection,
    counter: Counter,
    visitor: Visitor,
    action: JournalAction,
    proposal: Proposal,
    row: CertificateRow,
) -> None:
    detail = {"proposal": proposal.id, "status": proposal.action["status"]}
    journal.append(
        conn,
        at=counter.desk.clock(),
        actor=visitor.actor,
        action=action,
        subject=row.serial_number,
        detail=detail,
    )


def _proposed(conn: Connection, visitor: Visitor, proposal: Proposal) -> Proposed:
    logins = {each.id: each.login for each in people.every(conn, proposal.organisation_id)}
    settler = proposal.settled_by
    return Proposed(
        proposal=proposal,
        action=CustomsAction.model_validate_json(_as_json(proposal)),
        certificate=certificates.get(conn, proposal.certificate_id),
        proposer=logins.get(proposal.proposed_by, "?"),
        is_own=proposal.proposed_by == visitor.person.id,
        settler=None if settler is None else logins.get(settler),
    )


def _as_json(proposal: Proposal) -> str:
    return canonical_json(proposal.action)


def _named(action: CustomsAction) -> Wanted:
    return Wanted(issuing_country=action.issuing_country, serial_number=action.serial_number)
