"""Where to go from what is wrong: the page at which an operator does what a remedy says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from markupsafe import Markup, escape

from gateway.operations.checks import Check, Outcome
from gateway.store import Alert
from gateway.web.console.words import shown

_COMMAND: Final = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, kw_only=True)
class Way:
    """Is a page with what its address says.

    Attributes:
        facts: parameter of the address by the fact of the alert that fills it.
        fixed: parameters that are always the same.
    """

    page: str
    facts: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)


_PEER: Final = Way(page="peer", facts={"identifier": "peer"})
_OWNER: Final = Way(page="peer", facts={"identifier": "owner"})
_WORKERS: Final = Way(page="workers")
_JOURNAL: Final = Way(page="journal", facts={"subject": "subject"})
_CALENDAR: Final = Way(page="expiries")
_VERSIONS: Final = Way(page="versions")
_DEAD: Final = Way(page="dead")

OF_ALERTS: Final[Mapping[str, Way]] = {
    "queue-age": _PEER,
    "queue-stuck": _WORKERS,
    "peer-unreachable": _PEER,
    "failure-rate": Way(page="attempts", facts={"peer": "peer"}, fixed={"failed": "yes"}),
    "dead-letters": Way(page="dead", facts={"peer": "peer"}),
    "receipt-invalid": _PEER,
    "format-refused": _VERSIONS,
    "disk-space": _WORKERS,
    "signing-expiry": _CALENDAR,
    "tls-expiry": _CALENDAR,
    "ca-expiry": _CALENDAR,
    "crl-expiry": _CALENDAR,
    "crl-age": _CALENDAR,
    "crl-missing": _OWNER,
    "journal-broken": Way(page="journal"),
    "notices-stuck": _WORKERS,
    "contradiction": _JOURNAL,
    "over-use": _JOURNAL,
    "serial-reused": _JOURNAL,
    "message-id-reused": _JOURNAL,
    "books-ask-person": Way(page="journal"),
    "books-restored": Way(page="journal"),
    "webhook-stopped": _JOURNAL,
    "batch-stuck": _WORKERS,
    "folder-stuck": _WORKERS,
}
"""The page of each rule of alerting; a test proves that no rule lacks one."""

OF_CHECKS: Final[Mapping[str, Way]] = {
    "credential": Way(page="own_keys"),
    "expiry": _CALENDAR,
    "crl": _CALENDAR,
    "crl-missing": _CALENDAR,
    "formats": _VERSIONS,
    "queue": Way(page="messages", fixed={"state": "UNDER_WAY"}),
    "dead-letters": _DEAD,
    "alerts": Way(page="alerts"),
    "journal": Way(page="journal"),
    "lane": Way(page="attempts", fixed={"failed": "yes"}),
    "outage": Way(page="outages"),
    "maintenance": Way(page="maintenance"),
    "served-certificate": Way(page="add_peer"),
}
"""The page of checks whose remedy is at a page; the others want a hand elsewhere."""


def way_of_alert(link: Callable[..., str], alert: Alert) -> tuple[str, str] | None:
    """Return name and address of the page for an alert; None where none helps."""
    way = OF_ALERTS.get(alert.rule)
    if way is None:
        return None
    facts = {**alert.facts, "subject": alert.subject}
    if not set(way.facts.values()) <= facts.keys():
        return None
    filled: dict[str, Any] = {name: facts[fact] for name, fact in way.facts.items()}
    return way.page, link(way.page, **filled, **way.fixed)


def way_of_check(link: Callable[..., str], check: Check) -> tuple[str, str] | None:
    """Return name and address of the page for a check that is not well; None where none helps."""
    way = OF_CHECKS.get(check.id)
    if way is None or check.outcome is Outcome.OK:
        return None
    return way.page, link(way.page, **way.fixed)


def remedy(text: object) -> Markup:
    """Return a remedy as it is read: commands left to right in any language."""
    parts = _COMMAND.split(shown(text))
    said = [_command(part) if number % 2 else escape(part) for number, part in enumerate(parts)]
    return Markup("").join(said)


def _command(text: str) -> Markup:
    return Markup('<code dir="ltr" translate="no">{}</code>').format(text)


WAYS: Final[Mapping[str, Callable[..., Any]]] = {
    "way_of_alert": way_of_alert,
    "way_of_check": way_of_check,
}
"""What templates may ask."""
