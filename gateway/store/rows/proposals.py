"""Rows of decisions of customs that a second person must confirm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.store.roles import ProposalState


@dataclass(frozen=True, kw_only=True)
class NewProposal:
    """Is a decision that an officer proposes.

    Attributes:
        reference: key of the decision; the same one again is the same proposal.
        action: the whole decision as JSON, as it is carried out once confirmed.
    """

    certificate_id: int
    organisation_id: int
    reference: str
    action: Mapping[str, Any]
    proposed_by: int
    proposed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Proposal(NewProposal):
    """Is a proposed decision as stored.

    Attributes:
        remark: why it was returned.
    """

    id: int
    state: ProposalState
    settled_by: int | None
    settled_at: datetime | None
    remark: str | None
