"""Pages of signing in through the identity provider: there and back, and linking one's account."""

from __future__ import annotations

from typing import Final

from gateway.errors import SignInError
from gateway.services.people import journeys, linking
from gateway.services.people.openid import BACK
from gateway.web.console.account import account_page
from gateway.web.console.guard import local_path
from gateway.web.console.pages import Answer, Away, Go, Method, Open, Page, Visit
from gateway.web.console.signing_in import onwards

_LONGEST: Final = 1_000


def start(visit: Visit) -> Answer:
    """Lead the visitor to the provider, to sign in there."""
    to = local_path(visit.form.get("next", "/"))
    if visit.visitor is not None:
        return Go(to=to)
    departure = journeys.depart(visit.people, to)
    return Away(to=departure.address, journey=departure.token)


def come_back(visit: Visit) -> Answer:
    """Open a session for whom the provider states, or link them to whoever began that."""
    done = journeys.come_home(visit.people, visit.journey, visit.query, visit.visitor, visit.origin)
    if done.entry is None:
        return Go(to=done.leads_to)
    return onwards(done.entry, done.leads_to)


def link_account(visit: Visit) -> Answer:
    """Lead a visitor who has shown the password again to the provider, to link who they are."""
    journeys.provider_of(visit.people)
    visit.people.require_local_accounts()
    try:
        linking.require_password(
            visit.people, visit.person, visit.form.get("present", "")[:_LONGEST]
        )
    except SignInError as exc:
        return account_page(visit, link_failure=exc.code, status=422)
    departure = journeys.depart(visit.people, "/account", linking=visit.person)
    return Away(to=departure.address, journey=departure.token)


PAGES: Final = (
    Page(
        name="start_provider",
        path="/sign-in/provider",
        right=Open.PUBLIC,
        handler=start,
        method=Method.POST,
    ),
    Page(name="provider_back", path=BACK, right=Open.PUBLIC, handler=come_back),
    Page(
        name="link_account",
        path="/account/identity",
        right=Open.SIGNED_IN,
        handler=link_account,
        method=Method.POST,
    ),
)
