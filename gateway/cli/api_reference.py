"""The commands of ``eco api`` that show what one must know beforehand."""

from __future__ import annotations

from datetime import datetime

import click

from gateway.cli.asking import asking
from gateway.cli.main import Invocation
from gateway.cli.output import table
from gateway.client import Gateway
from gateway.documents import Language


@click.command()
@click.argument("list_id", metavar="[LIST]", required=False)
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Only values in force on that day.",
)
@asking
def codes(call: Invocation, gateway: Gateway, list_id: str | None, on: datetime | None) -> None:
    """List the code lists, or the values of LIST with their names."""
    if list_id is None:
        lists = gateway.list_code_lists().code_lists
        rows = [(each.id, each.values, each.edition, each.title) for each in lists]
        call.output.result(list(lists), table(("list", "values", "edition", "title"), rows))
        return
    found = gateway.get_code_list(list_id, on=None if on is None else on.date())
    language = Language(call.output.language)
    values = [(each.code, each.names.get(language), each.valid_to) for each in found.codes]
    call.output.result(found, table(("code", "name", "until"), values))


@click.command()
@asking
def agreements(call: Invocation, gateway: Gateway) -> None:
    """List the agreements in force at the gateway."""
    found = gateway.list_agreements().agreements
    rows = [
        (
            each.id,
            each.version,
            each.active_from,
            " ".join(sorted(member.country for member in each.members)),
        )
        for each in found
    ]
    heads = ("agreement", "version", "since", "members")
    call.output.result(list(found), table(heads, rows))


@click.command()
@asking
def peers(call: Invocation, gateway: Gateway) -> None:
    """List the peers and what each accepts."""
    found = gateway.list_peers().peers
    rows = [
        (
            each.identifier,
            each.country,
            each.state,
            "test" if each.test else "live",
            ", ".join(each.document_types),
        )
        for each in found
    ]
    heads = ("peer", "country", "state", "", "accepts")
    call.output.result(list(found), table(heads, rows))


@click.command()
@asking
def formats(call: Invocation, gateway: Gateway) -> None:
    """List the national formats in which documents may be handed over."""
    found = gateway.list_formats().formats
    language = call.output.language
    rows = [(each.name, each.media_type, each.label.in_language(language)) for each in found]
    call.output.result(list(found), table(("format", "content type", "label"), rows))
