"""Queries about decisions of customs that a second person must confirm."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from gateway.errors import ConflictError, NotFoundError
from gateway.store.dialects import insert_if_absent
from gateway.store.roles import ProposalState
from gateway.store.rows import NewProposal, Proposal
from gateway.store.tables import decision_proposals as table


def add(conn: Connection, new: NewProposal) -> tuple[Proposal, bool]:
    """Store a proposal; return it as stored, and whether it is new.

    Raises:
        ConflictError: the reference stands for another decision.
    """
    values = {**vars(new), "state": ProposalState.OPEN}
    row = conn.execute(insert_if_absent(conn, table, *table.c), values).one_or_none()
    if row is not None:
        return Proposal(**row._mapping), True
    query = select(table).where(
        table.c.certificate_id == new.certificate_id, table.c.reference == new.reference
    )
    found = Proposal(**conn.execute(query).one()._mapping)
    if found.proposed_by != new.proposed_by or not _is_same(found, new):
        raise ConflictError(f"the reference {new.reference!r} stands for another proposal")
    return found, False


def get(conn: Connection, proposal_id: int) -> Proposal:
    """Return a proposal.

    Raises:
        NotFoundError: there is none with this number.
    """
    row = conn.execute(select(table).where(table.c.id == proposal_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no proposal {proposal_id}")
    return Proposal(**row._mapping)


def settle(
    conn: Connection,
    proposal: Proposal,
    state: ProposalState,
    *,
    by: int,
    at: datetime,
    remark: str | None = None,
) -> bool:
    """Settle an open proposal; False if somebody else was faster."""
    done = conn.execute(
        update(table)
        .where(table.c.id == proposal.id, table.c.state == ProposalState.OPEN)
        .values(state=state, settled_by=by, settled_at=at, remark=remark)
    )
    return done.rowcount == 1


def waiting(conn: Connection, organisation_id: int, *, limit: int = 100) -> tuple[Proposal, ...]:
    """Return the open proposals of an organisation, oldest first."""
    query = (
        select(table)
        .where(table.c.organisation_id == organisation_id, table.c.state == ProposalState.OPEN)
        .order_by(table.c.id)
        .limit(limit)
    )
    return tuple(Proposal(**row._mapping) for row in conn.execute(query))


def of_certificate(
    conn: Connection, certificate_id: int, organisation_id: int
) -> tuple[Proposal, ...]:
    """Return what an organisation's officers proposed about a certificate, newest first."""
    query = (
        select(table)
        .where(
            table.c.certificate_id == certificate_id,
            table.c.organisation_id == organisation_id,
        )
        .order_by(table.c.id.desc())
        .limit(20)
    )
    return tuple(Proposal(**row._mapping) for row in conn.execute(query))


_OF_THE_MOMENT = ("decided_at",)
"""What differs between two clicks on the same button."""


def _is_same(found: Proposal, new: NewProposal) -> bool:
    def lasting(proposal: NewProposal) -> dict[str, object]:
        return {k: v for k, v in proposal.action.items() if k not in _OF_THE_MOMENT}

    return lasting(found) == lasting(new)
