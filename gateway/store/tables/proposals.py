"""Decisions of customs that a second person must confirm."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, UniqueConstraint

from gateway.store.roles import ProposalState
from gateway.store.tables.base import choice, id_column, metadata, reference
from gateway.store.types import JsonText, UtcMoment

decision_proposals = Table(
    "decision_proposals",
    metadata,
    id_column(),
    reference("certificate_id", "certificates"),
    reference("organisation_id", "organisations"),
    Column("reference", String(70), nullable=False),
    Column("action", JsonText, nullable=False),
    reference("proposed_by", "people"),
    Column("proposed_at", UtcMoment, nullable=False),
    choice("state", ProposalState),
    reference("settled_by", "people", nullable=True),
    Column("settled_at", UtcMoment),
    Column("remark", String(500)),
    UniqueConstraint("certificate_id", "reference", name="uq_decision_proposals_reference"),
)
Index(
    "ix_decision_proposals_organisation_id",
    decision_proposals.c.organisation_id,
    decision_proposals.c.state,
)
