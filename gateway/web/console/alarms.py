"""Pages of alerts and outages."""

from __future__ import annotations

from typing import Final

from gateway.errors import ConflictError, GatewayError, InputError
from gateway.services.operating import standing
from gateway.services.operating.desk import required_reason
from gateway.services.people.roles import Right
from gateway.store import AlertLevel
from gateway.web.console.letters import EACH, before, kept, peer_id
from gateway.web.console.pages import Answer, Go, Method, Page, Shown, Visit


def show_alerts(visit: Visit) -> Answer:
    """List the alerts that have not cleared, each with what to do; all of them if asked."""
    return _alerts_page(visit)


def acknowledge_alert(visit: Visit) -> Answer:
    """Take an alert on."""
    try:
        standing.acknowledge(
            visit.operating,
            int(visit.path["number"]),
            actor=visit.person.actor,
            reason=required_reason(visit.form.get("reason", "")),
        )
    except (InputError, ConflictError) as exc:
        return _alerts_page(visit, exc)
    return Go(to="/operating/alerts")


def show_outages(visit: Visit) -> Answer:
    """List when peers could not be reached, the newest first."""
    if visit.query.get("open") == "yes":
        rows = standing.lasting_outages(visit.operating)
    else:
        rows = standing.outage_page(
            visit.operating, peer_id=peer_id(visit), before=before(visit), limit=EACH
        )
    values = {
        "rows": rows[:EACH],
        "go_on": rows[EACH - 1].outage.id if len(rows) > EACH else None,
        "asked": kept(visit, "peer"),
        "now": visit.operating.now(),
    }
    return Shown(template="outages.html", values=values)


def _alerts_page(visit: Visit, failure: GatewayError | None = None) -> Shown:
    language, everything = visit.words.language, visit.query.get("all") == "yes"
    if everything:
        told = standing.past_alerts(visit.operating, language, before=before(visit), limit=EACH)
    else:
        told = standing.live_alerts(visit.operating, language)
        level = visit.query.get("level")
        told = tuple(each for each in told if level in (None, each.alert.level.value))
    values = {
        "told": told[:EACH] if everything else told,
        "go_on": told[EACH - 1].alert.id if everything and len(told) > EACH else None,
        "everything": everything,
        "asked": kept(visit, "all", "level"),
        "levels": tuple(AlertLevel)[::-1],
        "failure": failure,
    }
    status = 200 if failure is None else failure.http_status
    return Shown(template="alerts.html", values=values, status=status)


PAGES: Final = (
    Page(name="alerts", path="/operating/alerts", right=Right.WATCH, handler=show_alerts),
    Page(
        name="acknowledge_alert",
        path="/operating/alerts/<int:number>/acknowledge",
        right=Right.OPERATE,
        handler=acknowledge_alert,
        method=Method.POST,
    ),
    Page(name="outages", path="/operating/outages", right=Right.WATCH, handler=show_outages),
)
