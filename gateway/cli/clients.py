"""The groups ``eco organisation`` and ``eco api-key``: who of the national side may what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click

from gateway.cli.main import Invocation, OrderedGroup, common
from gateway.cli.opening import actor, present, the_books
from gateway.cli.output import minute, table
from gateway.errors import InputError
from gateway.services.access import SCOPES_OF, Scope
from gateway.services.keys import DEFAULT_DAYS, OVERLAP, KeyOrder, MadeKey, make_key, rotate_key
from gateway.store import (
    ApiKey,
    NewOrganisation,
    Organisation,
    OrganisationKind,
    OrganisationState,
    canonical_key,
    clients,
)

_KIND = click.Choice([kind.value.lower().replace("_", "-") for kind in OrganisationKind])
_SCOPE = click.Choice([scope.value for scope in Scope])
_DAYS = click.IntRange(1, 730)


@click.group(cls=OrderedGroup)
def organisation() -> None:
    """Enter, list, suspend and resume organisations of the national side."""


@organisation.command()
@click.argument("code")
@click.option("--name", required=True, help="Full name, for people.")
@click.option("--kind", type=_KIND, required=True, help="Its role; decides what its keys may do.")
@click.option("--country", default=None, help="Its state; that of the gateway unless given.")
@click.option(
    "--authority-code",
    default=None,
    help="For an issuing authority: the code that its certificates state; CODE unless given.",
)
@common
def add(
    call: Invocation,
    code: str,
    name: str,
    kind: str,
    country: str | None,
    authority_code: str | None,
) -> None:
    """Enter the organisation CODE, as ZM-ZRA."""
    chosen = OrganisationKind(kind.upper().replace("-", "_"))
    if authority_code is not None and chosen is not OrganisationKind.ISSUING_AUTHORITY:
        raise InputError("only an issuing authority has an --authority-code")
    if not 1 <= len(canonical_key(code)) <= 40 or not 1 <= len(name.strip()) <= 200:
        raise InputError("CODE has 1 to 40 characters, --name 1 to 200")
    with the_books(call) as books, books.store.begin() as conn:
        new = NewOrganisation(
            code=code,
            name=name,
            kind=chosen,
            country=country or books.settings.gateway.country,
            authority_code=_authority(chosen, code, authority_code),
        )
        found = clients.add(conn, new, at=present(), actor=actor())
    call.output.result(_organisation_view(found), [f"{code} is entered as {chosen.value}"])


@organisation.command("list")
@common
def list_organisations(call: Invocation) -> None:
    """List the organisations."""
    with the_books(call) as books, books.store.read() as conn:
        found = clients.every(conn)
    rows = [(each.code, each.kind, each.country, each.state, each.name) for each in found]
    lines = table(("code", "kind", "country", "state", "name"), rows)
    call.output.result(
        [_organisation_view(each) for each in found],
        lines if found else ["no organisation is entered; `eco organisation add` enters one"],
    )


@organisation.command()
@click.argument("code")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def suspend(call: Invocation, code: str, reason: str) -> None:
    """Let no key of an organisation open anything until `eco organisation resume`."""
    _set_state(call, code, OrganisationState.SUSPENDED, reason)


@organisation.command()
@click.argument("code")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def resume(call: Invocation, code: str, reason: str) -> None:
    """Let the keys of a suspended organisation open what they did before."""
    _set_state(call, code, OrganisationState.ACTIVE, reason)


@click.group("api-key", cls=OrderedGroup)
def api_key() -> None:
    """Make, list, exchange and revoke API keys."""


@api_key.command()
@click.argument("organisation_code", metavar="ORGANISATION")
@click.option("--label", required=True, help="What the key is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=_SCOPE,
    help="May be given again; all that the organisation may have unless given.",
)
@click.option(
    "--days", type=_DAYS, default=DEFAULT_DAYS, show_default=True, help="How long it holds."
)
@common
def create(
    call: Invocation, organisation_code: str, label: str, scopes: Sequence[str], days: int
) -> None:
    """Make a key of ORGANISATION; its text is shown this once and stored nowhere."""
    order = KeyOrder(
        label=label,
        scopes=[Scope(each) for each in scopes] or None,
        lifetime=timedelta(days=days),
    )
    with the_books(call) as books, books.store.begin() as conn:
        owner = clients.by_code(conn, organisation_code)
        made = make_key(conn, owner, order, at=present(), actor=actor())
    _show_once(call, made)


@api_key.command("list")
@click.option("--organisation", "code", default=None, help="Keys of this organisation only.")
@common
def list_keys(call: Invocation, code: str | None) -> None:
    """List the keys; none can be shown again."""
    with the_books(call) as books, books.store.read() as conn:
        owners = {each.id: each.code for each in clients.every(conn)}
        only = None if code is None else clients.by_code(conn, code).id
        found = clients.keys(conn, only)
    now = present()
    rows = [
        (
            each.key_id,
            owners[each.organisation_id],
            each.label,
            "holds" if each.holds_at(now) else "ended",
            minute(each.expires_at),
            "never" if each.last_used_at is None else minute(each.last_used_at),
        )
        for each in found
    ]
    lines = table(("key", "organisation", "label", "state", "expires", "last used"), rows)
    call.output.result(
        [_key_view(each, owners[each.organisation_id]) for each in found],
        lines if found else ["there is no API key; `eco api-key create` makes one"],
    )


@api_key.command()
@click.argument("key_id", metavar="KEY")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 24 * 90),
    default=int(OVERLAP.total_seconds() // 3600),
    show_default=True,
    help="How long the present key goes on holding.",
)
@click.option(
    "--days",
    type=_DAYS,
    default=DEFAULT_DAYS,
    show_default=True,
    help="How long the new one holds.",
)
@common
def rotate(call: Invocation, key_id: str, overlap_hours: int, days: int) -> None:
    """Make a key like KEY in its place; both hold until the overlap has passed."""
    with the_books(call) as books, books.store.begin() as conn:
        made = rotate_key(
            conn,
            key_id,
            overlap=timedelta(hours=overlap_hours),
            lifetime=timedelta(days=days),
            at=present(),
            actor=actor(),
        )
    _show_once(call, made)


@api_key.command()
@click.argument("key_id", metavar="KEY")
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def revoke(call: Invocation, key_id: str, reason: str) -> None:
    """Let KEY open nothing from now on."""
    now = present()
    with the_books(call) as books, books.store.begin() as conn:
        ended = clients.revoke_key(conn, key_id, ends_at=now, at=now, actor=actor(), reason=reason)
        owners = {each.id: each.code for each in clients.every(conn)}
    call.output.result(_key_view(ended, owners[ended.organisation_id]), [f"{key_id} is revoked"])


def _authority(kind: OrganisationKind, code: str, stated: str | None) -> str | None:
    return (stated or code) if kind is OrganisationKind.ISSUING_AUTHORITY else None


def _set_state(call: Invocation, code: str, state: OrganisationState, reason: str) -> None:
    with the_books(call) as books, books.store.begin() as conn:
        changed = clients.set_state(conn, code, state, at=present(), actor=actor(), reason=reason)
    call.output.result(_organisation_view(changed), [f"{code} is {state.value.lower()}"])


def _show_once(call: Invocation, made: MadeKey) -> None:
    key = made.key
    call.output.result(
        {
            "key": key.key_id,
            "token": made.token,
            "scopes": key.scopes,
            "expires_at": key.expires_at,
        },
        [
            made.token,
            f"Shown this once. Until {minute(key.expires_at)} UTC: {', '.join(key.scopes)}",
        ],
    )


def _organisation_view(found: Organisation) -> dict[str, Any]:
    return {
        "code": found.code,
        "name": found.name,
        "kind": found.kind,
        "country": found.country,
        "authority_code": found.authority_code,
        "state": found.state,
        "scopes": sorted(SCOPES_OF[found.kind]),
    }


def _key_view(key: ApiKey, owner: str) -> dict[str, Any]:
    return {
        "key": key.key_id,
        "organisation": owner,
        "label": key.label,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "replaces": key.replaces,
    }
