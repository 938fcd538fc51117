"""Rows of the people at the console and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.store.roles import PersonRole, PersonState


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    """Is a person to be entered.

    Attributes:
        login: what they sign in with; lower case.
        administers: may enter and change the people of the same organisation.
        language: of the console, ``en``, ``fr`` or ``ar``.
    """

    login: str
    name: str
    organisation_id: int
    role: PersonRole
    administers: bool = False
    language: str = "en"


@dataclass(frozen=True, kw_only=True)
class Person(NewPerson):
    """Is a person who may use the console.

    Attributes:
        factor_version: which seed of a second factor is in force; 0 before the first.
        factor_confirmed: the person has shown a code of that seed.
        factor_step: last time step whose code was used; no code opens twice.
    """

    id: int
    state: PersonState
    password_hash: str | None
    password_set_at: datetime | None
    factor_version: int
    factor_confirmed: bool
    factor_step: int
    last_signed_in_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def __repr__(self) -> str:
        return f"Person({self.login!r}, {self.role})"


@dataclass(frozen=True, kw_only=True)
class NewConsoleSession:
    """Is a session to be entered, known by a digest of its token.

    Attributes:
        network: address that it came from without its last part.
        factor_at: when the second factor was shown; None until then.
        through_provider: the identity provider said who it is, not a password.
    """

    token_mac: str
    person_id: int
    created_at: datetime
    network: str
    agent: str
    factor_at: datetime | None = None
    through_provider: bool = False


@dataclass(frozen=True, kw_only=True)
class ConsoleSession(NewConsoleSession):
    """Is a session of a person at the console."""

    id: int
    last_seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Is a person as an identity provider knows them.

    Attributes:
        subject: what the provider calls them; never given to anybody else there.
    """

    id: int
    person_id: int
    issuer: str
    subject: str
    linked_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Journey:
    """Is a sign-in that was led to the identity provider, known by a digest of its token.

    Attributes:
        leads_to: page here that it ends at.
        person_id: who wants to link their identity; None for whoever signs in.
    """

    token_mac: str
    leads_to: str
    person_id: int | None
    expires_at: datetime
