"""Rows of the organisations of the national side and their API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.store.roles import OrganisationKind, OrganisationState


@dataclass(frozen=True, kw_only=True)
class NewOrganisation:
    """Is an organisation to be entered.

    Attributes:
        code: its short name here, as ``ZM-ZRA``.
        country: the state it belongs to.
        authority_code: for an issuing authority: the code that its certificates state.
    """

    code: str
    name: str
    kind: OrganisationKind
    country: str
    authority_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Organisation(NewOrganisation):
    """Is an organisation that may use the interfaces of the national side."""

    id: int
    state: OrganisationState
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewApiKey:
    """Is an API key to be entered; its secret is not part of it.

    Attributes:
        key_id: the visible part, which logs and lists may name.
        secret_mac: what the secret is recognised by.
        replaces: the key in whose place this one was made.
    """

    key_id: str
    organisation_id: int
    label: str
    secret_mac: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    replaces: str | None = None


@dataclass(frozen=True, kw_only=True)
class ApiKey(NewApiKey):
    """Is an API key as stored.

    Attributes:
        revoked_at: it opens nothing from then on; may lie ahead while keys are exchanged.
        last_used_at: exact to the minute.
    """

    id: int
    revoked_at: datetime | None
    last_used_at: datetime | None

    def holds_at(self, now: datetime) -> bool:
        """Return whether the key opens anything at this moment."""
        ended = self.revoked_at is not None and self.revoked_at <= now
        return not ended and now < self.expires_at
