"""Alerting: readings become alerts, alerts become notices; all in one transaction per look.

The same rule about the same subject is one alert until it clears.  Recipients are told when
it is raised, when it gets worse, when nobody took it on for a while, and when it has cleared;
critical ones at once, others once per period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from gateway.documents.codes import Language
from gateway.operations.readings import Reading
from gateway.operations.rules import Rule, RuleBook, Step
from gateway.store import (
    Alert,
    AlertLevel,
    AlertState,
    Event,
    NoticeKind,
    alerts,
    events,
    notices,
    watch_marks,
)
from gateway.store.alerts import Sighting

EVENTS_MARK: Final = "alert events"
_EVENTS_AT_ONCE: Final = 1_000
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Is somebody who is told of alerts.

    Attributes:
        address: ``mail:someone@example`` or ``webhook:name``.
        minimum: least urgent level that is told.
    """

    address: str
    language: Language
    minimum: AlertLevel


@dataclass(frozen=True, kw_only=True)
class AlertDesk:
    """Says who is told of what, how often, and for how long it is remembered afterwards."""

    rules: RuleBook
    recipients: tuple[Recipient, ...]
    digest: timedelta
    keep: timedelta = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Counts what one look changed."""

    raised: int = 0
    worse: int = 0
    cleared: int = 0


def judge(desk: AlertDesk, conn: Connection, readings: Iterable[Reading], now: datetime) -> Changes:
    """Return what changed after comparing the alerts with what is seen now.

    1. Readings beyond a threshold of their rule, and new events, are sightings.
    2. A sighting without a live alert raises one; with one, it counts, and tells if worse.
    3. A live alert about a state that was not seen for its quiet time clears.
    """
    sightings = {
        (sighting.rule, sighting.subject): sighting
        for sighting in (*_standing(desk.rules, readings), *_happened(desk.rules, conn, now))  # 1
    }
    present = {(alert.rule, alert.subject): alert for alert in alerts.live(conn)}
    raised = worse = cleared = 0
    for key, sighting in sightings.items():  # 2
        alert = present.get(key)
        if alert is None:
            _tell(desk, conn, alerts.raise_new(conn, sighting, at=now), NoticeKind.RAISED, now)
            raised += 1
        else:
            worse += _seen_again(desk, conn, alert, sighting, now)
    for key, alert in present.items():  # 3
        if key not in sightings:
            cleared += _unseen(desk, conn, alert, now)
    return Changes(raised=raised, worse=worse, cleared=cleared)


def is_about_an_event(rules: RuleBook, alert: Alert) -> bool:
    """Return whether an alert is about something that happened, so that taking it on ends it."""
    rule = rules.rules.get(alert.rule)
    return rule is None or rule.event is not None


def _standing(rules: RuleBook, readings: Iterable[Reading]) -> Iterator[Sighting]:
    for reading in readings:
        step = rules.rules[reading.rule].step_for(reading.value, lifetime=reading.lifetime)
        if step is not None:
            yield _sighting(reading.rule, reading.subject, step, reading.facts)


def _happened(rules: RuleBook, conn: Connection, now: datetime) -> Iterator[Sighting]:
    mark = watch_marks.lock(conn, EVENTS_MARK)
    fresh = events.after(conn, mark.position, limit=_EVENTS_AT_ONCE)
    if fresh:
        watch_marks.move(conn, EVENTS_MARK, fresh[-1].cursor, at=now)
    alarming = rules.by_event()
    for event in fresh:
        rule_id = alarming.get(event.kind.value)
        if rule_id is not None:
            step = rules.rules[rule_id].steps[-1]
            yield _sighting(rule_id, event.subject, step, _facts(event))


def _facts(event: Event) -> Mapping[str, str]:
    return {"subject": event.subject, "at": event.at.isoformat(timespec="seconds")}


def _sighting(rule_id: str, subject: str, step: Step, facts: Mapping[str, str]) -> Sighting:
    return Sighting(
        rule=rule_id, subject=subject[:200], level=step.level, step=step.label, facts=facts
    )


def _seen_again(
    desk: AlertDesk, conn: Connection, alert: Alert, sighting: Sighting, now: datetime
) -> bool:
    """Count a sighting; tell if it got worse, or if a reminder is due."""
    rule = desk.rules.rules[alert.rule]
    worse = _position(rule, sighting.step) > _position(rule, alert.step)
    silent_since = alert.told_at or alert.first_at
    forgotten = alert.state is AlertState.OPEN and now - silent_since >= timedelta(
        hours=rule.remind_hours
    )
    alerts.see_again(conn, alert, sighting, at=now, told=worse or forgotten)
    if worse or forgotten:
        kind = NoticeKind.WORSE if worse else NoticeKind.REMINDER
        _tell(desk, conn, alerts.find(conn, alert.id), kind, now)
    return worse


def _position(rule: Rule, label: str) -> int:
    labels = [step.label for step in rule.steps]
    return labels.index(label) if label in labels else -1


def _unseen(desk: AlertDesk, conn: Connection, alert: Alert, now: datetime) -> bool:
    """Clear an alert that was not seen for long enough; remind of an event nobody took on."""
    rule = desk.rules.rules.get(alert.rule)
    if rule is not None and rule.event is not None:
        forgotten = now - (alert.told_at or alert.first_at) >= timedelta(hours=rule.remind_hours)
        if alert.state is AlertState.OPEN and forgotten:
            alerts.note_told(conn, alert.id, at=now)
            _tell(desk, conn, alert, NoticeKind.REMINDER, now)
        return False
    if rule is not None and now - alert.last_at < timedelta(minutes=rule.quiet_minutes):
        return False
    alerts.clear(conn, alert.id, at=now)
    _tell(desk, conn, alert, NoticeKind.CLEARED, now)
    return True


def _tell(desk: AlertDesk, conn: Connection, alert: Alert, kind: NoticeKind, now: datetime) -> None:
    due_at = now if alert.level is AlertLevel.CRITICAL else _next_digest(now, desk.digest)
    told = [each for each in desk.recipients if alert.level.rank >= each.minimum.rank]
    due = [(each.address, due_at) for each in told]
    notices.add(conn, alert.id, kind, alert.level, due, at=now)


def _next_digest(now: datetime, period: timedelta) -> datetime:
    """Return the end of the running period, so that all notices of one period go together."""
    return now + (period - (now - _EPOCH) % period)
