"""The group ``eco maintenance``: announcing that this gateway may not answer for a while."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from gateway.cli.introducing import MOMENT
from gateway.cli.main import Invocation, OrderedGroup, common, limit_option
from gateway.cli.opening import actor, the_gateway
from gateway.cli.output import minute, table
from gateway.documents import Language
from gateway.exchange import maintenance as announcing
from gateway.services import maintenance
from gateway.services.maintenance import Told
from gateway.services.operating.desk import required_reason


@click.group(cls=OrderedGroup)
def maintenance_group() -> None:
    """Announce, list and end maintenance; people, national systems and peers are told."""


@maintenance_group.command()
@click.option("--from", "begins", type=MOMENT, required=True, help="First moment (UTC).")
@click.option("--until", "ends", type=MOMENT, required=True, help="Last moment (UTC).")
@click.option("--note", default="", help="Why, in English, or in the one language that you write.")
@click.option("--note-fr", default="", help="Why, in French.")
@click.option("--note-ar", default="", help="Why, in Arabic.")
@common
def announce(
    call: Invocation, begins: datetime, ends: datetime, note: str, note_fr: str, note_ar: str
) -> None:
    """Announce that this gateway may not answer from one moment to another.

    A banner says so on every page of the console, national systems get an event, and peers
    learn of it from our answers to their pings. Nothing is stopped by it.
    """
    said = {"en": note, "fr": note_fr, "ar": note_ar}
    with the_gateway(call) as gateway:
        made = announcing.announce(
            gateway.desk,
            begins.replace(tzinfo=UTC),
            ends.replace(tzinfo=UTC),
            said,
            actor=actor(),
        )
    span = f"{minute(made.begins_at)} to {minute(made.ends_at)} UTC"
    call.output.result(
        {"maintenance": made},
        [
            f"maintenance {made.id} is announced: {span}",
            f"take it back with `eco maintenance end {made.id} --reason …`",
        ],
    )


@maintenance_group.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over too, newest first.")
@limit_option(50, "How many at most.")
@common
def list_maintenance(call: Invocation, limit: int, *, everything: bool) -> None:
    """List announced maintenance, ours and the peers', that has not ended."""
    with the_gateway(call) as gateway:
        found = (
            maintenance.past(gateway.desk, limit=limit)
            if everything
            else maintenance.standing(gateway.desk)
        )[:limit]
    language = Language(call.output.language)
    values = [{"gateway": each.gateway, **vars(each.planned)} for each in found]
    call.output.result(values, _lines(found, language) if found else ["none is announced"])


@maintenance_group.command()
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why; stands in the journal.")
@common
def end(call: Invocation, number: int, reason: str) -> None:
    """End the announced maintenance NUMBER before its time, or take it back."""
    with the_gateway(call) as gateway:
        done = announcing.end(gateway.desk, number, actor=actor(), reason=required_reason(reason))
    call.output.result({"maintenance": done}, [f"maintenance {done.id} is ended"])


def _lines(found: Sequence[Told], language: Language) -> list[str]:
    rows = [
        (
            each.planned.id if each.peer is None else "",
            each.gateway,
            minute(each.planned.begins_at),
            minute(each.planned.ends_at),
            "" if each.planned.closed_at is None else minute(each.planned.closed_at),
            each.note(language),
        )
        for each in found
    ]
    return table(("number", "gateway", "from (UTC)", "until (UTC)", "ended", "why"), rows)
