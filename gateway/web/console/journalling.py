"""Pages of the journal: searching it, and taking a search along as a file."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from gateway.services import journal_reading
from gateway.services.people.roles import Right
from gateway.store import JournalAction
from gateway.store.journal_search import Asked
from gateway.web.console.letters import before, day_of, kept
from gateway.web.console.pages import Answer, Page, Sent, Shown, Visit

_EACH: Final = 50
_LONGEST: Final = 140
_ACTIONS: Final = {action.value: action for action in JournalAction}


def show_journal(visit: Visit) -> Answer:
    """Show the newest entries that are asked for, with how the chain was found."""
    desk = visit.counter.desk
    part = journal_reading.read(
        desk, visit.person, _asked(visit), before=before(visit), limit=_EACH
    )
    values = {
        "part": part,
        "chain": journal_reading.chain_state(desk),
        "actions": sorted(journal_reading.readable(visit.person)),
        "asked": kept(visit, "subject", "actor", "action", "since", "until"),
    }
    return Shown(template="journal.html", values=values)


def send_journal(visit: Visit) -> Answer:
    """Send what is asked for as CSV."""
    content = journal_reading.as_csv(visit.counter.desk, visit.person, _asked(visit))
    return Sent(content=content, media_type="text/csv; charset=utf-8", name="journal.csv")


def _asked(visit: Visit) -> Asked:
    action = _ACTIONS.get(visit.query.get("action", ""))
    since, until = day_of(visit.query.get("since")), day_of(visit.query.get("until"))
    return Asked(
        subject=visit.query.get("subject", "").strip()[:_LONGEST] or None,
        actor=visit.query.get("actor", "").strip()[:_LONGEST] or None,
        actions=None if action is None else frozenset({action}),
        since=since,
        until=None if until is None else until + timedelta(days=1),
    )


PAGES: Final = (
    Page(name="journal", path="/journal", right=Right.JOURNAL, handler=show_journal),
    Page(name="journal_csv", path="/journal.csv", right=Right.JOURNAL, handler=send_journal),
)
