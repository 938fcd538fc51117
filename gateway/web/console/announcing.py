"""Pages of maintenance: what is announced, announcing it, ending it before its time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from gateway.errors import ConflictError, GatewayError, InputError, NotFoundError
from gateway.exchange import maintenance as announcements
from gateway.services import maintenance
from gateway.services.operating.desk import required_reason
from gateway.services.people.roles import Right
from gateway.web.console.letters import EACH, before
from gateway.web.console.pages import Answer, Go, Method, Page, Shown, Visit

_AT: Final = "/operating/maintenance"
_FIELDS: Final = ("begins_at", "ends_at", "note_en", "note_fr", "note_ar")
_LONGEST_FIELD: Final = 1_000


def show_maintenance(visit: Visit) -> Answer:
    """Show what is announced, ours and the peers', and the form that announces."""
    return _page(visit)


def announce_maintenance(visit: Visit) -> Answer:
    """Announce that this gateway may not answer for a while."""
    form = {name: visit.form.get(name, "")[:_LONGEST_FIELD] for name in _FIELDS}
    try:
        announcements.announce(
            visit.operating.desk,
            _moment(form["begins_at"]),
            _moment(form["ends_at"]),
            {name: form[f"note_{name}"] for name in ("en", "fr", "ar")},
            actor=visit.person.actor,
        )
    except InputError as exc:
        return _page(visit, failure=exc, form=form)
    return Go(to=_AT)


def end_maintenance(visit: Visit) -> Answer:
    """End an announced maintenance before its time, or take it back."""
    try:
        announcements.end(
            visit.operating.desk,
            int(visit.path["number"]),
            actor=visit.person.actor,
            reason=required_reason(visit.form.get("reason", "")),
        )
    except (InputError, ConflictError, NotFoundError) as exc:
        return _page(visit, failure=exc)
    return Go(to=_AT)


def _moment(written: str) -> datetime:
    try:
        return datetime.strptime(written.replace(" ", "T")[:16], "%Y-%m-%dT%H:%M").replace(
            tzinfo=UTC
        )
    except ValueError as exc:
        raise InputError("state both moments as 2026-03-09T22:00, in UTC") from exc


def _page(
    visit: Visit, *, failure: GatewayError | None = None, form: dict[str, str] | None = None
) -> Shown:
    desk = visit.operating.desk
    told = maintenance.past(desk, before=before(visit), limit=EACH)
    values = {
        "standing": maintenance.standing(desk),
        "past": told[:EACH],
        "go_on": told[EACH - 1].planned.id if len(told) > EACH else None,
        "form": form or dict.fromkeys(_FIELDS, ""),
        "failure": failure,
        "now": visit.operating.now(),
        "longest": announcements.LONGEST.days,
    }
    status = 200 if failure is None else failure.http_status
    return Shown(template="maintenance.html", values=values, status=status)


PAGES: Final = (
    Page(name="maintenance", path=_AT, right=Right.WATCH, handler=show_maintenance),
    Page(
        name="announce_maintenance",
        path=_AT,
        right=Right.OPERATE,
        handler=announce_maintenance,
        method=Method.POST,
    ),
    Page(
        name="end_maintenance",
        path=f"{_AT}/<int:number>/end",
        right=Right.OPERATE,
        handler=end_maintenance,
        method=Method.POST,
    ),
)
