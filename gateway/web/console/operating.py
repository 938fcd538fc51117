"""Pages of the operator: how the gateway is, and what works in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.services.operating import standing
from gateway.services.operating.overview import HourOfFlow, overview
from gateway.services.people.roles import Right
from gateway.store.hourly import Flow
from gateway.web.console.pages import Answer, Page, Shown, Visit
from gateway.web.console.plots import Pile, piles
from gateway.web.console.words import Words

GONE: Final[Mapping[Flow, str]] = {
    Flow.DELIVERED: "sent",
    Flow.REFUSED: "waiting",
    Flow.FAILED: "failed",
}
COME: Final[Mapping[Flow, str]] = {
    Flow.CAME: "sent",
    Flow.REFUSED_HERE: "waiting",
    Flow.TURNED_AWAY: "failed",
}
_ALERTS: Final = 5


def show_overview(visit: Visit) -> Answer:
    """Show how the gateway is, each number leading to what it counts."""
    found = overview(visit.operating)
    values = {
        "it": found,
        "flows": Flow,
        "alerts": standing.live_alerts(visit.operating, visit.words.language)[:_ALERTS],
        "gone": flow_plot(visit.words, found.hours, GONE, "operating.gone"),
        "come": flow_plot(visit.words, found.hours, COME, "operating.come"),
    }
    return Shown(template="operating.html", values=values)


def show_workers(visit: Visit) -> Answer:
    """Show what works here and how this home stands, by the doctor's checks."""
    values = {
        "it": standing.workers(visit.operating),
        "checks": standing.examined(visit.operating),
        "now": visit.operating.now(),
    }
    return Shown(template="workers.html", values=values)


def flow_plot(
    words: Words, hours: Sequence[HourOfFlow], tones: Mapping[Flow, str], title: str
) -> str:
    """Return what went or came by the hour as a plot."""
    columns = [
        Pile(
            label=f"{each.hour:%H:%M}",
            says=_said(words, each, tones),
            parts=tuple((tone, float(each.counts.get(flow, 0))) for flow, tone in tones.items()),
        )
        for each in hours
    ]
    return piles(columns, words(title).striptags())


def _said(words: Words, hour: HourOfFlow, tones: Mapping[Flow, str]) -> str:
    parts = (
        f"{words.word('flow', flow).striptags()} {words.number(hour.counts.get(flow, 0))}"
        for flow in tones
    )
    return f"{hour.hour:%H:%M} · " + " · ".join(parts)


PAGES: Final = (
    Page(name="operating", path="/operating", right=Right.WATCH, handler=show_overview),
    Page(name="workers", path="/operating/workers", right=Right.WATCH, handler=show_workers),
)
