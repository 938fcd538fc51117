"""Roles of people and what each may: the one table that pages and services ask.

Source: S4:13.1 (role map).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.errors import InputError, NotPermittedError
from gateway.services.access import Caller, Scope
from gateway.store import Organisation, OrganisationKind, Person, PersonRole


class Right(StrEnum):
    """Names what a person may do at the console."""

    FIND = "FIND"
    SUBMIT = "SUBMIT"
    DECIDE = "DECIDE"
    RESEND = "RESEND"
    WATCH = "WATCH"
    OPERATE = "OPERATE"
    REPORT = "REPORT"
    JOURNAL = "JOURNAL"
    DIRECTORY = "DIRECTORY"
    DIRECTORY_ENTER = "DIRECTORY_ENTER"
    PEOPLE = "PEOPLE"


RIGHTS_OF: Mapping[PersonRole, frozenset[Right]] = {
    PersonRole.ISSUING_OFFICER: frozenset(
        {Right.FIND, Right.SUBMIT, Right.RESEND, Right.REPORT, Right.DIRECTORY}
    ),
    PersonRole.ISSUING_ADMINISTRATOR: frozenset(
        {Right.FIND, Right.SUBMIT, Right.RESEND, Right.REPORT}
        | {Right.DIRECTORY, Right.DIRECTORY_ENTER}
    ),
    PersonRole.CUSTOMS_OFFICER: frozenset({Right.FIND, Right.DECIDE, Right.DIRECTORY}),
    PersonRole.ORIGIN_UNIT: frozenset(
        {Right.FIND, Right.DECIDE, Right.REPORT, Right.DIRECTORY, Right.DIRECTORY_ENTER}
    ),
    PersonRole.OPERATOR: frozenset({Right.WATCH, Right.OPERATE, Right.RESEND, Right.JOURNAL}),
    PersonRole.AUDITOR: frozenset(
        {Right.FIND, Right.WATCH, Right.REPORT, Right.JOURNAL, Right.DIRECTORY}
    ),
    PersonRole.SECRETARIAT: frozenset({Right.REPORT, Right.DIRECTORY}),
}
"""What each role may.  An operator sees envelopes and queues, never a certificate's contents."""

KINDS_OF: Mapping[PersonRole, frozenset[OrganisationKind]] = {
    PersonRole.ISSUING_OFFICER: frozenset(
        {OrganisationKind.ISSUING_AUTHORITY, OrganisationKind.SINGLE_WINDOW}
    ),
    PersonRole.ISSUING_ADMINISTRATOR: frozenset(
        {OrganisationKind.ISSUING_AUTHORITY, OrganisationKind.SINGLE_WINDOW}
    ),
    PersonRole.CUSTOMS_OFFICER: frozenset(
        {OrganisationKind.CUSTOMS, OrganisationKind.SINGLE_WINDOW}
    ),
    PersonRole.ORIGIN_UNIT: frozenset({OrganisationKind.CUSTOMS, OrganisationKind.SINGLE_WINDOW}),
    PersonRole.OPERATOR: frozenset(
        {
            OrganisationKind.ISSUING_AUTHORITY,
            OrganisationKind.CUSTOMS,
            OrganisationKind.SINGLE_WINDOW,
        }
    ),
    PersonRole.AUDITOR: frozenset({OrganisationKind.AUDITOR}),
    PersonRole.SECRETARIAT: frozenset({OrganisationKind.AUDITOR}),
}
"""In which organisations each role may be held."""

_SCOPES: Mapping[Right, frozenset[Scope]] = {
    Right.FIND: frozenset({Scope.READ, Scope.MESSAGES, Scope.EVENTS, Scope.REFERENCE}),
    Right.SUBMIT: frozenset({Scope.SUBMIT}),
    Right.DECIDE: frozenset({Scope.DECIDE}),
}


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Is a person who has signed in, with the session that says so.

    Attributes:
        has_factor: the second factor was shown in this session.
        ends_at: when the session ends whatever they do.
        through_provider: the identity provider opened it.
    """

    person: Person
    organisation: Organisation
    session_id: int
    has_factor: bool
    ends_at: datetime
    through_provider: bool = False

    @property
    def rights(self) -> frozenset[Right]:
        """What they may do, those of looking after people included."""
        own = RIGHTS_OF[self.person.role]
        return own | {Right.PEOPLE} if self.person.administers else own

    @property
    def actor(self) -> str:
        """Who acts, for the journal."""
        return f"user:{self.person.login}"

    @property
    def caller(self) -> Caller:
        """Who asks, as the services of the national side know it."""
        scopes = [_SCOPES[right] for right in self.rights if right in _SCOPES]
        return Caller(
            organisation=self.organisation,
            scopes=frozenset().union(*scopes),
            credential=self.person.login,
            expires_at=self.ends_at,
            way="user",
        )

    def require(self, right: Right) -> None:
        """Return if the person has the right.

        Raises:
            NotPermittedError: they have not.
        """
        if right not in self.rights:
            raise NotPermittedError(f"a {self.person.role} has not the right {right}")


def require_fit(role: PersonRole, owner: Organisation) -> None:
    """Return if the role may be held in this organisation.

    Raises:
        InputError: it may not.
    """
    if owner.kind not in KINDS_OF[role]:
        kinds = ", ".join(sorted(KINDS_OF[role]))
        raise InputError(f"{owner.code} is {owner.kind}; {role} is held in: {kinds}")
