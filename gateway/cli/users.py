"""The group ``eco user``: people at the console, entered by the owner of the home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from gateway.cli.main import Invocation, OrderedGroup, common
from gateway.cli.opening import actor, the_gateway
from gateway.cli.output import minute, table
from gateway.console_side import people_desk
from gateway.documents import Language
from gateway.services.people import directory, linking
from gateway.services.people.desk import PeopleDesk
from gateway.services.people.directory import Invitation, PersonOrder
from gateway.store import Person, PersonRole, PersonState, clients, people

_ROLE = click.Choice([role.value.lower().replace("_", "-") for role in PersonRole])
_LANGUAGE = click.Choice([each.value for each in Language])


@click.group(cls=OrderedGroup)
def user() -> None:
    """Enter, list, invite, link, suspend and resume people at the console."""


@user.command("add")
@click.argument("login")
@click.option("--name", required=True, help="Full name, for people.")
@click.option("--organisation", "code", required=True, help="Code of the organisation.")
@click.option("--role", type=_ROLE, required=True, help="What they do; decides what they may.")
@click.option("--administers", is_flag=True, help="Looks after the people of the organisation.")
@click.option(
    "--console-language",
    "console_language",
    type=_LANGUAGE,
    default="en",
    show_default=True,
    help="Of the pages; they can choose another.",
)
@common
def add_user(
    call: Invocation,
    login: str,
    name: str,
    code: str,
    role: str,
    administers: bool,
    console_language: str,
) -> None:
    """Enter a person; the code with which they set a password is shown this once."""
    order = PersonOrder(
        login=login,
        name=name,
        role=_role(role),
        administers=administers,
        language=console_language,
    )
    with _the_desk(call) as desk:
        with desk.store.read() as conn:
            owner = clients.by_code(conn, code)
        invitation = directory.enter(desk, owner, order, actor=actor())
        local = desk.local_accounts
    _show_once(call, invitation, once=not local)


@user.command("list")
@common
def list_users(call: Invocation) -> None:
    """List the people."""
    with _the_desk(call) as desk:
        with desk.store.read() as conn:
            owners = {each.id: each.code for each in clients.every(conn)}
            found = people.every(conn)
        linked = linking.identities_here(desk)
    rows = [
        (
            each.login,
            owners[each.organisation_id],
            each.role + (" +people" if each.administers else ""),
            each.state,
            "yes" if each.factor_confirmed else "no",
            "yes" if each.id in linked else "no",
            "never" if each.last_signed_in_at is None else minute(each.last_signed_in_at),
        )
        for each in found
    ]
    heads = ("login", "organisation", "role", "state", "second factor", "linked", "last signed in")
    call.output.result(
        [
            _view(each, owners[each.organisation_id]) | {"linked": each.id in linked}
            for each in found
        ],
        table(heads, rows) if found else ["nobody is entered; `eco user add` enters one"],
    )


@user.command("invite")
@click.argument("login")
@click.option("--forget-factor", is_flag=True, help="The second factor is lost as well.")
@common
def invite_user(call: Invocation, login: str, forget_factor: bool) -> None:
    """Make a new one-time code for LOGIN, who forgot the password or never set one."""
    with _the_desk(call) as desk:
        invitation = directory.invite(desk, login, actor=actor(), forget_factor=forget_factor)
        local = desk.local_accounts
    _show_once(call, invitation, once=not local)


@user.command("link")
@click.argument("login")
@click.option("--subject", required=True, help="What the identity provider calls them (`sub`).")
@common
def link_user(call: Invocation, login: str, subject: str) -> None:
    """Let LOGIN sign in through the identity provider ([console.oidc])."""
    with _the_desk(call) as desk:
        found = linking.link(desk, login, subject, actor=actor())
    call.output.result(
        {"login": login, "issuer": found.issuer, "subject": found.subject},
        [f"{found.subject} at {found.issuer} signs in as {login} now"],
    )


@user.command("unlink")
@click.argument("login")
@common
def unlink_user(call: Invocation, login: str) -> None:
    """Let LOGIN sign in through the identity provider no more; sessions end at once."""
    with _the_desk(call) as desk:
        person = linking.unlink(desk, login, actor=actor())
    call.output.result(
        {"login": person.login, "linked": False},
        [f"no identity is linked to {person.login} any more"],
    )


@user.command("suspend")
@click.argument("login")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def suspend_user(call: Invocation, login: str, reason: str) -> None:
    """Let LOGIN in no more; sessions end at once."""
    _set_state(call, login, PersonState.SUSPENDED, reason)


@user.command("resume")
@click.argument("login")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def resume_user(call: Invocation, login: str, reason: str) -> None:
    """Let LOGIN in again."""
    _set_state(call, login, PersonState.ACTIVE, reason)


@user.command("role")
@click.argument("login")
@click.argument("role", type=_ROLE)
@click.option("--administers", is_flag=True, help="Looks after the people of the organisation.")
@common
def change_role(call: Invocation, login: str, role: str, administers: bool) -> None:
    """Give LOGIN another ROLE; sessions end at once."""
    with _the_desk(call) as desk:
        changed = directory.set_role(
            desk, login, _role(role), administers=administers, actor=actor()
        )
    call.output.result(
        {"login": changed.login, "role": changed.role}, [f"{changed.login} is {changed.role} now"]
    )


@contextmanager
def _the_desk(call: Invocation) -> Iterator[PeopleDesk]:
    with the_gateway(call) as gateway:
        yield people_desk(gateway)


def _role(written: str) -> PersonRole:
    return PersonRole(written.upper().replace("-", "_"))


def _set_state(call: Invocation, login: str, state: PersonState, reason: str) -> None:
    with _the_desk(call) as desk:
        changed = directory.set_state(desk, login, state, actor=actor(), reason=reason)
    call.output.result(
        {"login": changed.login, "state": changed.state}, [f"{changed.login} is {changed.state}"]
    )


def _show_once(call: Invocation, invitation: Invitation, *, once: bool = False) -> None:
    value = {
        "login": invitation.person.login,
        "code": invitation.code,
        "expires_at": invitation.expires_at.isoformat(),
    }
    lines = [
        f"{invitation.person.login} sets a password at /welcome with this code, shown this once:",
        f"  {invitation.code}",
        f"it holds until {minute(invitation.expires_at)}",
    ]
    if once:
        lines.append("it opens one session; otherwise people sign in through the provider here")
    call.output.result(value, lines)


def _view(person: Person, organisation: str) -> dict[str, Any]:
    return {
        "login": person.login,
        "name": person.name,
        "organisation": organisation,
        "role": person.role,
        "administers": person.administers,
        "state": person.state,
        "second_factor": person.factor_confirmed,
        "last_signed_in_at": person.last_signed_in_at and person.last_signed_in_at.isoformat(),
    }
