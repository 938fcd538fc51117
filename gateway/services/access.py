"""Who may: scopes, callers, and which certificates of origin a caller may see.

What is not the caller's to see does not exist for it: the answer is that of a missing one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from gateway.errors import NotPermittedError
from gateway.store import (
    CertificateRow,
    Organisation,
    OrganisationKind,
    OrganisationState,
    Side,
    canonical_key,
)
from gateway.store.search import Visible


class Scope(StrEnum):
    """Names what a key may be good for."""

    SUBMIT = "certificates:submit"
    DECIDE = "responses:submit"
    READ = "certificates:read"
    MESSAGES = "messages:read"
    EVENTS = "events:read"
    WEBHOOKS = "webhooks:manage"
    REFERENCE = "reference:read"
    MAPPINGS = "mappings:try"


_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_READS = frozenset({Scope.READ, Scope.MESSAGES, Scope.EVENTS, Scope.WEBHOOKS, Scope.REFERENCE})

SCOPES_OF: Mapping[OrganisationKind, frozenset[Scope]] = {
    OrganisationKind.ISSUING_AUTHORITY: _READS | {Scope.SUBMIT},
    OrganisationKind.CUSTOMS: _READS | {Scope.DECIDE},
    OrganisationKind.SINGLE_WINDOW: _READS | {Scope.SUBMIT, Scope.DECIDE, Scope.MAPPINGS},
    OrganisationKind.AUDITOR: _READS,
}
"""What the keys of an organisation may be good for at most, by its kind."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Is who asks: an organisation, by one of its keys or a token of its identity provider.

    Attributes:
        credential: visible part of the key, or the client in the token; never a secret.
        expires_at: when the credential ends.
        way: how it came in, as the journal names it.
    """

    organisation: Organisation
    scopes: frozenset[Scope]
    credential: str
    expires_at: datetime
    way: str = "key"

    @property
    def digest(self) -> str:
        """The credential as the journal names it."""
        return hashlib.sha256(self.credential.encode()).hexdigest()[:16]

    @property
    def actor(self) -> str:
        """Who acts, for the journal."""
        return f"{self.way}:{self.digest if self.way == 'key' else self.credential}"

    def require(self, scope: Scope) -> None:
        """Return if the caller has the scope.

        Raises:
            NotPermittedError: it has not.
        """
        if scope not in self.scopes or scope not in SCOPES_OF[self.organisation.kind]:
            raise NotPermittedError(f"this needs the scope {scope}")

    @property
    def visible(self) -> Visible:
        """What the caller may see among the certificates here."""
        return visible_to(self.organisation)

    def may_see(self, row: CertificateRow) -> bool:
        """Return whether a certificate is the caller's to see."""
        visible = self.visible
        if row.side is Side.RECEIVED:
            return visible.received and visible.country in (None, row.destination_country)
        authority = canonical_key(row.authority_code)
        return (
            visible.issued
            and visible.country in (None, row.issuing_country)
            and visible.authority in (None, authority)
        )

    @property
    def sides(self) -> Iterator[Side]:
        """The sides of which the caller sees anything, its own first."""
        if self.visible.issued:
            yield Side.ISSUED
        if self.visible.received:
            yield Side.RECEIVED


def by_folder(owner: Organisation, name: str) -> Caller:
    """Return the caller that files in the folder ``name`` speak for: all that its owner may.

    Who may write into the folder is the operating system's to say, and the operator's.

    Raises:
        NotPermittedError: the organisation is suspended.
    """
    if owner.state is not OrganisationState.ACTIVE:
        raise NotPermittedError(f"the organisation {owner.code} is suspended")
    return Caller(
        organisation=owner,
        scopes=SCOPES_OF[owner.kind],
        credential=name,
        expires_at=_NEVER,
        way="files",
    )


def visible_to(own: Organisation) -> Visible:
    """Return what an organisation may see among the certificates here, and be told of."""
    if own.kind is OrganisationKind.AUDITOR:
        return Visible(issued=True, received=True)
    if own.kind is OrganisationKind.ISSUING_AUTHORITY:
        code = canonical_key(own.authority_code or own.code)
        return Visible(issued=True, received=False, country=own.country, authority=code)
    issued = own.kind is OrganisationKind.SINGLE_WINDOW
    return Visible(issued=issued, received=True, country=own.country)
