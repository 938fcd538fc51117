"""The calls about access, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from gateway.client.calls import Calls
from gateway.client.views import Known, View


class OrganisationKind(StrEnum):
    """Says in which role an organisation of the national side uses this gateway."""

    ISSUING_AUTHORITY = "ISSUING_AUTHORITY"
    CUSTOMS = "CUSTOMS"
    SINGLE_WINDOW = "SINGLE_WINDOW"
    AUDITOR = "AUDITOR"


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


class MeAnswer(View):
    """Is who asks, and what the key is good for.

    Attributes:
        credential: visible part of the key.
        gateway: identifier of this gateway among its peers.
    """

    organisation: str
    name: str
    kind: Known[OrganisationKind]
    country: str
    authority_code: str | None
    credential: str
    scopes: tuple[Known[Scope], ...]
    expires_at: datetime
    gateway: str
    test: bool


class AccessCalls(Calls):
    """Makes the calls about access."""

    def get_me(self) -> MeAnswer:
        """Return who asks, and what the key is good for.

        GET /me, with any key.
        """
        return self._get(MeAnswer, "/me")
