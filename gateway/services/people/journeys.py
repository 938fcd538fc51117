"""Signing in through the identity provider: led there, and back to the same browser, once.

State, nonce and verifier are derived from a token that only the browser keeps and the key of the
home; the books know a digest of it, so that a journey ends once, in time, and here.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.errors import (
    JourneyLostError,
    NotFoundError,
    NotLinkedError,
    ProviderRefusedError,
    ProviderUnavailableError,
    TokenKeysUnavailableError,
)
from gateway.services.people.desk import Origin, PeopleDesk
from gateway.services.people.id_token import Stated, stated_in
from gateway.services.people.linking import link_own
from gateway.services.people.openid_provider import Errand, OpenIdProvider
from gateway.services.people.roles import Visitor
from gateway.services.people.secrets import new_token
from gateway.services.people.sessions import Entry, Proof, open_halfway
from gateway.store import (
    JournalAction,
    Journey,
    OrganisationState,
    Person,
    PersonState,
    identities,
    people,
)

LONGEST: Final = timedelta(minutes=10)
_LONGEST_PATH: Final = 1_500


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Is a journey that begins: the token for the browser, and where to send it."""

    token: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Homecoming:
    """Is a journey that ended well: where it leads, and the session that it opened.

    Attributes:
        entry: None where it linked an identity to whoever had signed in already.
    """

    leads_to: str
    entry: Entry | None


def provider_of(desk: PeopleDesk) -> OpenIdProvider:
    """Return the identity provider.

    Raises:
        NotFoundError: there is none here.
    """
    if desk.provider is None:
        raise NotFoundError("nobody signs in through an identity provider here")
    return desk.provider


def depart(desk: PeopleDesk, leads_to: str, *, linking: Visitor | None = None) -> Departure:
    """Return the beginning of a journey to the provider.

    Args:
        leads_to: page of the console that it ends at.
        linking: who wants to link their identity; None signs somebody in.

    Raises:
        NotFoundError: there is no provider here.
        ProviderUnavailableError: it cannot be reached.
    """
    provider, token, now = provider_of(desk), new_token(), desk.clock()
    address = provider.address(_errand(desk, token))
    journey = Journey(
        token_mac=desk.secrets.mac("journey", token),
        leads_to=leads_to if len(leads_to) <= _LONGEST_PATH else "/",
        person_id=None if linking is None else linking.person.id,
        expires_at=now + LONGEST,
    )
    with desk.store.begin() as conn:
        identities.begin_journey(conn, journey, at=now)
    return Departure(token=token, address=address)


def come_home(
    desk: PeopleDesk,
    token: str | None,
    said: Mapping[str, str],
    visitor: Visitor | None,
    origin: Origin,
) -> Homecoming:
    """Return what a journey led to.

    Args:
        token: what the browser kept.
        said: what stood in the address back.
        visitor: who has signed in there already.

    Raises:
        NotFoundError: there is no provider here.
        JourneyLostError: it was not begun in this browser, took too long, or ended before.
        ProviderRefusedError: the provider signed nobody in.
        ProviderUnavailableError: it cannot be reached.
        IdTokenError: what it states does not hold.
        NotLinkedError: no open account is linked to whom it states.
        ConflictError: the identity, or the account, is linked otherwise.
    """
    provider = provider_of(desk)
    errand, journey = _arrive(desk, token, said)
    _require_own_answer(provider, said)
    redeemed = provider.redeem(said.get("code", ""), errand)
    try:
        stated = stated_in(
            redeemed, provider.terms, provider.keys, nonce=errand.nonce, now=desk.clock()
        )
    except TokenKeysUnavailableError as exc:
        raise ProviderUnavailableError("the identity provider's keys cannot be had") from exc
    if journey.person_id is None:
        entry = _enter(desk, provider, stated, visitor, origin)
        return Homecoming(leads_to=journey.leads_to, entry=entry)
    if visitor is None or not visitor.has_factor or visitor.person.id != journey.person_id:
        raise JourneyLostError("whoever began to link an identity has not signed in here")
    link_own(desk, visitor, stated.subject)
    return Homecoming(leads_to=journey.leads_to, entry=None)


def _errand(desk: PeopleDesk, token: str) -> Errand:
    mac = desk.secrets.mac
    return Errand(
        state=mac("journey state", token),
        nonce=mac("journey nonce", token),
        verifier=mac("journey verifier", token),
    )


def _arrive(desk: PeopleDesk, token: str | None, said: Mapping[str, str]) -> tuple[Errand, Journey]:
    """Return the journey that ends now; what does not belong to this browser ends none."""
    errand = _errand(desk, token or "")
    state = said.get("state", "")
    if token is None or not hmac.compare_digest(state.encode(), errand.state.encode()):
        raise JourneyLostError("no sign-in that was begun in this browser comes back so")
    with desk.store.begin() as conn:
        journey = identities.end_journey(conn, desk.secrets.mac("journey", token), at=desk.clock())
    if journey is None:
        raise JourneyLostError("this sign-in took too long, or came back before")
    return errand, journey


def _require_own_answer(provider: OpenIdProvider, said: Mapping[str, str]) -> None:
    """Return if our provider leads back with a code; another one's answer tells nothing."""
    issuer = said.get("iss")
    stated = issuer is not None or provider.description().names_itself
    if stated and issuer != provider.terms.issuer:
        raise JourneyLostError("another provider than ours answers")
    if "error" in said:
        raise ProviderRefusedError("the identity provider signed nobody in")
    if not said.get("code"):
        raise JourneyLostError("the identity provider leads back without a code")


def _enter(
    desk: PeopleDesk,
    provider: OpenIdProvider,
    stated: Stated,
    visitor: Visitor | None,
    origin: Origin,
) -> Entry:
    """Return a new session of whoever is stated; one that this browser had ends."""
    now, issuer = desk.clock(), provider.terms.issuer
    with desk.store.begin() as conn:
        person = identities.owner(conn, issuer=issuer, subject=stated.subject)
        if person is not None and _is_open(conn, person):
            if visitor is not None:
                people.end_sessions(conn, visitor.person, at=now, only=visitor.session_id)
            identities.use(conn, person, issuer, at=now)
            proof = Proof(through_provider=True, has_factor=stated.has_factor)
            return open_halfway(conn, desk, person, origin, now, proof)
        if person is not None:
            _note_refusal(conn, person, origin, now)
    raise NotLinkedError("no open account is linked to this identity", subject=stated.subject)


def _is_open(conn: Connection, person: Person) -> bool:
    owner = people.organisation_of(conn, person)
    return owner.state is OrganisationState.ACTIVE and person.state is PersonState.ACTIVE


def _note_refusal(conn: Connection, person: Person, origin: Origin, now: datetime) -> None:
    people.note(
        conn,
        person.login,
        JournalAction.PERSON_TURNED_AWAY,
        at=now,
        actor="console",
        detail={"network": origin.network, "through": "provider"},
    )
