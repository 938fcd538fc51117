"""Pages of looking after people: an administrator and the people of the same organisation."""

from __future__ import annotations

from typing import Final

from gateway.documents import Language
from gateway.errors import GatewayError, InputError
from gateway.services.people import directory, journeys, linking
from gateway.services.people.directory import Invitation, PersonOrder
from gateway.services.people.roles import KINDS_OF, Right
from gateway.store import PersonRole, PersonState
from gateway.web.console.pages import Answer, Go, Method, Page, Shown, Visit


def show_people(visit: Visit) -> Answer:
    """List the people of the organisation, with a form to enter one."""
    return _people_page(visit)


def enter_person(visit: Visit) -> Answer:
    """Enter a person and show their one-time code this once."""
    visit.person.require(Right.PEOPLE)
    try:
        order = PersonOrder(
            login=visit.form.get("login", ""),
            name=visit.form.get("name", ""),
            role=_role(visit),
            administers=visit.form.get("administers") == "yes",
            language=_language(visit),
        )
        owner, actor = visit.person.organisation, visit.person.actor
        if not visit.people.local_accounts:
            directory.enter_for_provider(visit.people, owner, order, actor=actor)
            return _people_page(visit)
        invitation = directory.enter(visit.people, owner, order, actor=actor)
    except InputError as exc:
        return _people_page(visit, failure=exc)
    return _people_page(visit, invitation=invitation)


def invite_person(visit: Visit) -> Answer:
    """Show a new one-time code for a colleague, this once."""
    visit.people.require_local_accounts()
    found = directory.colleague(visit.people, visit.person, visit.path["login"])
    invitation = directory.invite(
        visit.people,
        found.login,
        actor=visit.person.actor,
        forget_factor=visit.form.get("forget_factor") == "yes",
    )
    return _people_page(visit, invitation=invitation)


def change_person(visit: Visit) -> Answer:
    """Suspend a colleague, or let them in again."""
    found = directory.colleague(visit.people, visit.person, visit.path["login"])
    state = PersonState.SUSPENDED if found.state is PersonState.ACTIVE else PersonState.ACTIVE
    directory.set_state(
        visit.people, found.login, state, actor=visit.person.actor, reason="at the console"
    )
    return Go(to="/people")


def forget_factor(visit: Visit) -> Answer:
    """Let a colleague who lost the second factor set another one."""
    found = directory.colleague(visit.people, visit.person, visit.path["login"])
    directory.forget_factor(visit.people, found.login, actor=visit.person.actor)
    return Go(to="/people")


def link_person(visit: Visit) -> Answer:
    """Link an identity at the provider to a colleague."""
    journeys.provider_of(visit.people)
    found = directory.colleague(visit.people, visit.person, visit.path["login"])
    subject = visit.form.get("subject", "").strip()
    try:
        linking.link(visit.people, found.login, subject, actor=visit.person.actor)
    except InputError as exc:
        return _people_page(visit, failure=exc)
    return Go(to="/people")


def unlink_person(visit: Visit) -> Answer:
    """Take the identity of a colleague away; their sessions end."""
    journeys.provider_of(visit.people)
    found = directory.colleague(visit.people, visit.person, visit.path["login"])
    linking.unlink(visit.people, found.login, actor=visit.person.actor)
    return Go(to="/people")


def _people_page(
    visit: Visit,
    *,
    invitation: Invitation | None = None,
    failure: GatewayError | None = None,
) -> Shown:
    kind = visit.person.organisation.kind
    values = {
        "people": directory.colleagues(visit.people, visit.person),
        "roles": [role for role in PersonRole if kind in KINDS_OF[role]],
        "invitation": invitation,
        "identities": linking.identities_here(visit.people),
        "failure": failure,
        "provider": visit.people.provider,
        "local": visit.people.local_accounts,
    }
    status = 200 if failure is None else failure.http_status
    return Shown(template="people.html", values=values, status=status)


def _role(visit: Visit) -> PersonRole:
    try:
        return PersonRole(visit.form.get("role", ""))
    except ValueError as exc:
        raise InputError("choose a role") from exc


def _language(visit: Visit) -> str:
    chosen = visit.form.get("language", "")
    known = {each.value for each in Language}
    return chosen if chosen in known else visit.words.language.value


PAGES: Final = (
    Page(name="people", path="/people", right=Right.PEOPLE, handler=show_people),
    Page(
        name="enter_person",
        path="/people",
        right=Right.PEOPLE,
        handler=enter_person,
        method=Method.POST,
    ),
    Page(
        name="invite_person",
        path="/people/<login>/invite",
        right=Right.PEOPLE,
        handler=invite_person,
        method=Method.POST,
    ),
    Page(
        name="change_person",
        path="/people/<login>/state",
        right=Right.PEOPLE,
        handler=change_person,
        method=Method.POST,
    ),
    Page(
        name="forget_factor",
        path="/people/<login>/factor/forget",
        right=Right.PEOPLE,
        handler=forget_factor,
        method=Method.POST,
    ),
    Page(
        name="link_person",
        path="/people/<login>/identity",
        right=Right.PEOPLE,
        handler=link_person,
        method=Method.POST,
    ),
    Page(
        name="unlink_person",
        path="/people/<login>/identity/end",
        right=Right.PEOPLE,
        handler=unlink_person,
        method=Method.POST,
    ),
)
