"""Pages of finding: the start page and the one box."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from gateway.errors import InputError
from gateway.services.finding_certificates import find
from gateway.services.one_box import BoxResult, look_everywhere
from gateway.services.people.roles import Right
from gateway.store.search import Criteria
from gateway.web.console.pages import Answer, Go, Open, Page, Shown, Visit

_EACH: Final = 20
_NEWEST: Final = 25
PURPOSE: Final = "console"


def start(visit: Visit) -> Answer:
    """Show the newest certificates to whoever may see any; lead others to their first page."""
    rights = visit.person.rights
    if Right.FIND not in rights:
        return Go(to="/operating" if Right.WATCH in rights else "/account")
    page = find(
        visit.counter,
        visit.caller,
        Criteria(),
        cursor=visit.query.get("cursor"),
        limit=_NEWEST,
        purpose=PURPOSE,
    )
    return Shown(template="start.html", values={"page": page})


def find_anything(visit: Visit) -> Answer:
    """Show whatever the words in the box name; a single certificate is opened at once."""
    words = visit.query.get("q", "")
    found, failure = None, None
    try:
        found = look_everywhere(visit.counter, visit.caller, words, limit=_EACH, purpose=PURPOSE)
    except InputError as exc:
        failure = exc.code
    if found is not None and (only := _only(found)) is not None:
        return Go(to=only)
    values = {"found": found, "words": words, "failure": failure}
    return Shown(template="found.html", values=values)


def _only(found: BoxResult) -> str | None:
    rows = {row.id: row for _, page in found.groups for row in page.rows}
    if len(rows) != 1 or found.message is not None:
        return None
    row = next(iter(rows.values()))
    return f"/certificates/{row.issuing_country}/{quote(row.serial_number, safe='')}"


PAGES: Final = (
    Page(name="start", path="/", right=Open.SIGNED_IN, handler=start),
    Page(name="find", path="/find", right=Right.FIND, handler=find_anything),
)
