"""Alerting: one alert per thing, told once, told again when worse, cleared when gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.documents.codes import Language
from gateway.errors import ConflictError
from gateway.operations.alerting import AlertDesk, Recipient, judge
from gateway.operations.observations import observe
from gateway.operations.readings import Reading
from gateway.operations.watch import watch
from gateway.store import (
    Alert,
    AlertLevel,
    AlertState,
    EventKind,
    NoticeKind,
    Store,
    alerts,
    events,
    notices,
    reporting,
)
from gateway.store.report_measures import Measure
from gateway.store.reporting import Bounds
from gateway.store.search import Visible
from gateway.xml.national import FormatFault, Mistake
from tests.exchange.corridor import Corridor
from tests.operations.scene import (
    OPERATOR,
    RULES,
    fail_often,
    live_rules,
    make_premises,
    queue,
)
from tests.store.helpers import NOW

HOUR = timedelta(hours=1)
DESK = AlertDesk(rules=RULES, recipients=(OPERATOR,), digest=HOUR)


def reading(days: float, rule: str = "tls-expiry", **facts: str) -> Reading:
    stated = {"owner": "KE-SW", "name": "CN=x", "until": "2026-12-01", "days": str(days)}
    return Reading(rule=rule, subject="KE-SW TLS ab", value=days, facts=stated | facts)


def judged(store: Store, *readings: Reading, at=NOW, desk: AlertDesk = DESK):
    with store.begin() as conn:
        return judge(desk, conn, readings, at)


def live(store: Store) -> tuple[Alert, ...]:
    with store.read() as conn:
        return alerts.live(conn)


def queued_notices(store: Store, at=NOW + 2000 * HOUR) -> list[tuple[NoticeKind, AlertLevel]]:
    with store.begin() as conn:
        taken = notices.claim(conn, at, lease=HOUR)
        notices.end(conn, taken, at=at)
    return [(notice.kind, notice.level) for notice in sorted(taken, key=lambda n: n.id)]


def test_the_same_thing_seen_again_is_the_same_alert_and_tells_nobody(store: Store):
    for number in range(5):
        judged(store, reading(25), at=NOW + number * timedelta(minutes=1))
    (alert,) = live(store)
    assert (alert.level, alert.step, alert.count) == (AlertLevel.WARNING, "30", 5)
    assert queued_notices(store) == [(NoticeKind.RAISED, AlertLevel.WARNING)]


def test_each_rung_of_the_ladder_is_told_once(store: Store):
    for days in (91, 89, 61, 60, 59, 30, 29, 14, 7, 4, 3, 2, 1, 0, -1):
        judged(store, reading(days), at=NOW + (91 - days) * timedelta(hours=1))
    kinds = queued_notices(store)
    assert [kind for kind, _ in kinds] == [NoticeKind.RAISED] + 7 * [NoticeKind.WORSE]
    levels = [level.value[0] for _, level in kinds]
    assert levels == ["I", "I", "W", "W", "C", "C", "C", "C"]


def test_an_alert_clears_after_its_quiet_time_and_says_so(store: Store):
    judged(store, reading(25))
    judged(store, at=NOW + timedelta(minutes=1))
    assert len(live(store)) == 1, "a moment without it is not enough"
    changes = judged(store, at=NOW + timedelta(minutes=10))
    assert (changes.cleared, live(store)) == (1, ())
    assert [kind for kind, _ in queued_notices(store)] == [NoticeKind.RAISED, NoticeKind.CLEARED]
    judged(store, reading(25), at=NOW + HOUR)
    assert len(live(store)) == 1, "what comes back is a new alert"


def test_nobody_is_reminded_of_what_somebody_took_on(store: Store):
    judged(store, reading(25))
    (alert,) = live(store)
    later = NOW + timedelta(days=8)
    judged(store, reading(25), at=later)
    with store.begin() as conn:
        taken = alerts.acknowledge(
            conn, alert.id, at=later, actor="user:a", reason="ordered", ends=False
        )
    assert taken.state is AlertState.ACKNOWLEDGED
    judged(store, reading(25), at=later + timedelta(days=9))
    assert [kind for kind, _ in queued_notices(store)] == [NoticeKind.RAISED, NoticeKind.REMINDER]


def test_an_acknowledged_alert_that_gets_more_urgent_opens_again(store: Store):
    judged(store, reading(25))
    with store.begin() as conn:
        alerts.acknowledge(conn, live_id(store), at=NOW, actor="user:a", reason="seen", ends=False)
    judged(store, reading(6), at=NOW + HOUR)
    (alert,) = live(store)
    assert (alert.state, alert.level) == (AlertState.OPEN, AlertLevel.CRITICAL)


def live_id(store: Store) -> int:
    (alert,) = live(store)
    return alert.id


def test_critical_alerts_are_due_at_once_and_others_at_the_end_of_the_period(store: Store):
    at = NOW + timedelta(minutes=20)
    judged(store, reading(25), reading(100, rule="crl-age", age="101"), at=at)
    with store.begin() as conn:
        now = notices.claim(conn, at, lease=HOUR)
        early = notices.claim(conn, NOW + timedelta(minutes=59), lease=HOUR)
        digest = notices.claim(conn, NOW + HOUR, lease=HOUR)
    assert [notice.level for notice in now] == [AlertLevel.CRITICAL]
    assert early == ()
    assert [notice.level for notice in digest] == [AlertLevel.WARNING]


def test_recipients_are_told_from_their_level_on(store: Store):
    urgent = Recipient(
        address="webhook:pager", language=Language.FRENCH, minimum=AlertLevel.CRITICAL
    )
    desk = AlertDesk(rules=RULES, recipients=(OPERATOR, urgent), digest=HOUR)
    judged(store, reading(25), desk=desk)
    judged(store, reading(6), desk=desk)
    with store.begin() as conn:
        told = [notice.recipient for notice in notices.claim(conn, NOW + HOUR, lease=HOUR)]
    assert sorted(told) == ["mail:ops@example.org", "mail:ops@example.org", "webhook:pager"]


@pytest.mark.parametrize(
    "kind",
    [
        EventKind.CONTRADICTION,
        EventKind.OVER_USE,
        EventKind.SERIAL_REUSED,
        EventKind.MESSAGE_ID_REUSED,
    ],
)
def test_an_alarming_event_is_an_alert_until_somebody_takes_it_on(store: Store, kind: EventKind):
    with store.begin() as conn:
        events.append(conn, at=NOW, kind=EventKind.MESSAGE_DELIVERED, subject="m")
        events.append(conn, at=NOW, kind=kind, subject="ZM-1")
    assert judged(store).raised == 1
    assert judged(store, at=NOW + timedelta(days=30)).raised == 0
    (alert,) = live(store)
    assert (alert.level, alert.subject) == (AlertLevel.CRITICAL, "ZM-1")
    with store.begin() as conn:
        alerts.acknowledge(conn, alert.id, at=NOW, actor="user:a", reason="asked", ends=True)
    assert live(store) == ()
    with store.begin() as conn, pytest.raises(ConflictError):
        alerts.acknowledge(conn, alert.id, at=NOW, actor="user:a", reason="again", ends=True)


# --- what is watched ------------------------------------------------------------------------------


def test_an_old_queue_an_outage_and_unclaimed_work_are_seen(corridor: Corridor, premises):
    queue(corridor)
    fail_often(corridor)
    corridor.clock.pass_time(hours=4)
    watch(premises, DESK, "w")
    assert {"queue-age", "queue-stuck", "peer-unreachable"} <= set(live_rules(premises))
    corridor.zm.wire.down = False
    corridor.zm.work()
    corridor.clock.pass_time(minutes=10)
    watch(premises, DESK, "w")
    assert not {"queue-age", "queue-stuck", "peer-unreachable"} & set(live_rules(premises))


def test_an_answer_that_is_no_receipt_is_critical(corridor: Corridor, premises):
    queue(corridor)
    corridor.zm.wire.bend = lambda _answer: b"<receipt/>"
    corridor.zm.work()
    watch(premises, DESK, "w")
    with premises.desk.store.read() as conn:
        codes = {alert.rule: alert for alert in alerts.live(conn)}
    assert codes["receipt-invalid"].level is AlertLevel.CRITICAL


def test_ends_of_ours_and_of_peers_are_seen(corridor: Corridor, premises):
    corridor.clock.pass_time(days=3 * 365 - 5)
    with premises.desk.store.read() as conn:
        seen = {
            (each.rule, each.subject.split()[0])
            for each in observe(premises, conn, corridor.clock())
            if RULES.rules[each.rule].step_for(each.value, lifetime=each.lifetime)
        }
    for owner in ("ZM-SW", "KE-SW"):
        for use in ("signing", "tls", "ca", "crl"):
            assert (f"{use}-expiry", owner) in seen
        assert ("crl-age", owner) in seen


def test_one_worker_of_many_watches_in_each_period(corridor: Corridor, premises):
    assert [watch(premises, DESK, name) for name in ("a", "b", "c")] == [True, False, False]
    corridor.clock.pass_time(seconds=31)
    assert watch(premises, DESK, "c")


def test_the_watch_counts_for_reports_what_came_since_it_looked_last(corridor: Corridor, premises):
    for expected in (1, 2):
        queue(corridor, expected)
        corridor.clock.pass_time(seconds=31)
        watch(premises, DESK, "w")
        with premises.desk.store.read() as conn:
            months = {"since": date(2026, 3, 1), "until": date(2026, 4, 1), "test": False}
            everything = Bounds(visible=Visible(issued=True, received=True), **months)
            found = reporting.cells(conn, everything)
            assert reporting.currency(conn).at == corridor.clock()
        assert sum(each.count for each in found if each.measure is Measure.ALL) == expected


def test_a_changed_journal_is_found_even_if_it_was_verified_before(corridor: Corridor, premises):
    queue(corridor)
    watch(premises, DESK, "w")
    assert "journal-broken" not in live_rules(premises)
    with premises.desk.store.begin() as conn:
        conn.exec_driver_sql("DROP TRIGGER journal_no_update")
        conn.exec_driver_sql("UPDATE journal SET subject = 'forged' WHERE sequence = 2")
    corridor.clock.pass_time(minutes=1)
    watch(premises, DESK, "w")
    assert "journal-broken" in live_rules(premises)


def test_a_mapping_file_with_an_error_is_an_alert_until_it_is_mended(
    corridor: Corridor, premises, tmp_path
):
    mistake = Mistake("timber.yaml", 7, 'there is no table "x"', "Write it under tables:")
    fault = FormatFault(file="timber.yaml", name="timber", mistakes=(mistake,), in_force=None)
    faults = [fault]
    watched = replace(premises, format_faults=lambda: tuple(faults))
    watch(watched, DESK, "w")
    with watched.desk.store.read() as conn:
        (alert,) = [each for each in alerts.live(conn) if each.rule == "format-refused"]
    assert alert.subject == "timber.yaml"
    says = RULES.rules["format-refused"].says.in_language("fr").format(**alert.facts)
    assert "timber.yaml" in says
    assert "ligne 7" in says
    faults.clear()
    corridor.clock.pass_time(minutes=30)
    watch(watched, DESK, "w")
    assert "format-refused" not in live_rules(watched)


# --- forgetting ---------------------------------------------------------------------------------


def test_cleared_alerts_and_ended_notices_are_forgotten_after_their_time(store: Store):
    judged(store, reading(25))
    judged(store, at=NOW + HOUR)
    later = NOW + timedelta(days=300)
    judged(store, reading(25, rule="crl-expiry"), at=later)
    with store.begin() as conn:
        waiting = notices.claim(conn, later + 2 * HOUR, lease=HOUR)
        assert alerts.forget(conn, later) == 0, "somebody is still to be told of the first one"
        notices.end(conn, waiting, at=NOW + 2 * HOUR)
    with store.begin() as conn:
        assert alerts.forget(conn, NOW) == 0, "all of it is younger than that"
    with store.begin() as conn:
        assert alerts.forget(conn, later) == len(waiting) + 1
        assert [alert.rule for alert in alerts.page(conn)] == ["crl-expiry"], "what lasts stays"


def test_the_watch_forgets_by_itself(corridor: Corridor, tmp_path):
    premises = make_premises(corridor.zm, tmp_path)
    queue(corridor)
    fail_often(corridor)
    assert watch(premises, DESK, "w")
    corridor.zm.wire.down = False
    corridor.clock.pass_time(hours=2)
    corridor.zm.work()
    assert watch(premises, DESK, "w")
    with premises.desk.store.begin() as conn:
        old = {a.id for a in alerts.page(conn) if a.state is AlertState.CLEARED}
        assert old
        notices.end(conn, notices.claim(conn, corridor.clock() + HOUR, lease=HOUR), at=NOW)
    corridor.clock.pass_time(days=399)
    assert watch(premises, DESK, "w")
    with premises.desk.store.read() as conn:
        assert old <= {alert.id for alert in alerts.page(conn)}
    corridor.clock.pass_time(days=2)
    assert watch(premises, DESK, "w")
    with premises.desk.store.read() as conn:
        assert not old & {alert.id for alert in alerts.page(conn)}
