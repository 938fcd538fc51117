"""The commands of ``eco api`` that tell what happened."""

from __future__ import annotations

from itertools import islice

import click

from gateway.cli.asking import asking
from gateway.cli.main import Invocation, limit_option
from gateway.cli.output import table
from gateway.client import Gateway
from gateway.client.api.events import ConfirmationForm, EventView


@click.command()
@click.option(
    "--after",
    type=click.IntRange(0),
    default=None,
    help="Begin after this cursor; after what was confirmed unless given.",
)
@click.option("--confirm", is_flag=True, help="Note at the gateway that what is shown has arrived.")
@click.option("--follow", is_flag=True, help="Go on until stopped; with --json one object a line.")
@limit_option(100, "At most so many events, unless they are followed.")
@asking
def events(
    call: Invocation, gateway: Gateway, after: int | None, confirm: bool, follow: bool, limit: int
) -> None:
    """List the events of certificates and messages, oldest first.

    Without --confirm the same events are listed again the next time.
    """
    if follow:
        for event in gateway.events(after=after, follow=True, confirm=confirm):
            call.output.say(_line(event))
            call.output.each(event.model_dump(mode="json", exclude_none=True))
        return
    found = list(islice(gateway.events(after=after, confirm=False), limit))
    shown = [event.model_dump(mode="json", exclude_none=True) for event in found]
    call.output.result(shown, map(_line, found) if found else ["nothing new"])
    if confirm and found:
        gateway.confirm_events(ConfirmationForm(cursor=int(found[-1].sequence)))


@click.command("event-kinds")
@asking
def event_kinds(call: Invocation, gateway: Gateway) -> None:
    """List the kinds of events with what each means."""
    found = gateway.list_event_kinds().kinds
    rows = [(each.kind, each.meaning) for each in found]
    call.output.result(list(found), table(("kind", "means"), rows))


def _line(event: EventView) -> str:
    data = event.data
    said = [data.serial_number or event.subject, data.state, data.verdict, data.status, data.code]
    told = " ".join(str(each) for each in said if each is not None)
    return f"{event.sequence:>8}  {event.time:%Y-%m-%d %H:%M:%S}  {data.kind:<24} {told}"
