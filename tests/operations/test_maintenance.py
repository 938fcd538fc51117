"""Announced maintenance: told to peers by the ping, no outage and no alarm while it lasts, ended by its time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import ConflictError, InputError, NotFoundError, UnreachableError
from gateway.exchange import maintenance as announcing
from gateway.exchange.answers import PeerEntrance
from gateway.exchange.looking_in import LOOK_IN_PERIOD, look_in
from gateway.exchange.retry_table import RetryTable
from gateway.exchange.sighting import note_answer
from gateway.exchange.waiting import why_waiting
from gateway.operations.alerting import AlertDesk
from gateway.operations.peer_checks import peer_checks
from gateway.operations.watch import watch
from gateway.services.maintenance import past, standing, views
from gateway.store import (
    DeliveryState,
    EventKind,
    JournalAction,
    Maintenance,
    NewMaintenance,
    Store,
    events,
    journal,
    maintenance,
    outages,
    peers,
)
from gateway.transport import PingAnswer, Planned
from tests.exchange.corridor import Corridor
from tests.operations.scene import RULES, fail_often, live_rules, make_premises, queue
from tests.store.helpers import NOW as STORE_NOW
from tests.store.helpers import add_peer, after

HOUR = timedelta(hours=1)
NOTE = {"en": "New disks", "fr": "Nouveaux disques"}


def announce(corridor: Corridor, *, starts: float = 1, ends: float = 5) -> Maintenance:
    """Let Kenya announce that it will be away."""
    now = corridor.clock()
    desk = corridor.ke.desk
    return announcing.announce(
        desk, now + starts * HOUR, now + ends * HOUR, NOTE, actor="user:operator"
    )


def ping(corridor: Corridor, **changed: object) -> PingAnswer:
    """Let Zambia ask Kenya who it is, and note the answer."""
    said = PeerEntrance(corridor.ke.desk).ping(corridor.zm.tls_fingerprint)
    answer = PingAnswer.model_validate_json(said.model_dump_json(exclude_none=True))
    answer = answer.model_copy(update=changed)
    assert note_answer(corridor.zm.desk, corridor.zm.peer(), answer)
    return answer


def kinds(corridor: Corridor) -> list[EventKind]:
    with corridor.zm.desk.store.read() as conn:
        return [each.kind for each in events.after(conn, 0, limit=100)]


def look(corridor: Corridor) -> int:
    with corridor.zm.desk.store.begin() as conn:
        return outages.look(conn, now=corridor.clock(), failures=3)


def test_what_is_announced_stands_in_the_answer_to_a_ping_until_it_is_over(corridor: Corridor):
    assert ping(corridor).maintenance is None
    made = announce(corridor)
    (planned,) = ping(corridor).maintenance or ()
    assert (planned.begins_at, planned.ends_at) == (made.begins_at, made.ends_at)
    assert planned.note == NOTE
    corridor.clock.pass_time(hours=6)
    assert ping(corridor).maintenance is None


def test_a_member_that_a_gateway_does_not_know_hides_nothing_of_the_answer(corridor: Corridor):
    announce(corridor)
    said = PeerEntrance(corridor.ke.desk).ping(corridor.zm.tls_fingerprint)
    document = said.model_dump(mode="json", exclude_none=True)
    document["of a later version"] = document.pop("maintenance")
    assert PingAnswer.model_validate_json(json.dumps(document)).country == "KE"


def test_what_a_peer_announces_is_kept_once_journalled_and_told_to_national_systems(
    corridor: Corridor,
):
    announce(corridor)
    ping(corridor)
    ping(corridor)
    (told,) = standing(corridor.zm.desk)
    assert (told.gateway, told.peer, told.planned.announced_by) == ("KE-SW", "KE-SW", "peer:KE-SW")
    (view,) = views(corridor.zm.desk)
    assert (view.own, view.note, view.under_way) == (False, NOTE, False)
    assert kinds(corridor).count(EventKind.MAINTENANCE_ANNOUNCED) == 1
    with corridor.zm.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=JournalAction.MAINTENANCE_ANNOUNCED)
    assert (entry.subject, entry.detail["note"]) == ("KE-SW", NOTE)


def test_a_peer_that_takes_its_announcement_back_is_no_longer_excused(corridor: Corridor):
    made = announce(corridor, starts=0)
    ping(corridor)
    announcing.end(corridor.ke.desk, made.id, actor="user:operator", reason="done early")
    ping(corridor)
    assert standing(corridor.zm.desk) == ()
    assert kinds(corridor)[-1] is EventKind.MAINTENANCE_ENDED
    (told,) = past(corridor.zm.desk)
    assert told.planned.closed_at == corridor.clock()


def test_silence_in_announced_maintenance_is_no_outage_and_no_alarm(corridor: Corridor, tmp_path):
    queue(corridor)
    announce(corridor, starts=0, ends=5)
    ping(corridor)
    fail_often(corridor, 6)
    premises = make_premises(corridor.zm, tmp_path)
    desk = AlertDesk(rules=RULES, recipients=(), digest=HOUR)
    assert watch(premises, desk, "w")
    with corridor.zm.desk.store.read() as conn:
        assert outages.still_open(conn) == ()
    assert not {"peer-unreachable", "queue-age", "failure-rate"} & set(live_rules(premises))
    assert EventKind.PEER_SILENT not in kinds(corridor)


def test_a_peer_still_silent_when_its_maintenance_is_over_is_an_outage(corridor: Corridor):
    queue(corridor)
    announce(corridor, starts=0, ends=1)
    ping(corridor)
    fail_often(corridor, 3)
    assert look(corridor) == 1
    assert kinds(corridor)[-1] is EventKind.PEER_SILENT


def test_a_message_says_that_the_peer_is_in_announced_maintenance(corridor: Corridor):
    message_id = queue(corridor)
    announce(corridor, starts=0, ends=5)
    ping(corridor)
    fail_often(corridor, 1)
    with corridor.zm.desk.store.read() as conn:
        away = maintenance.away(conn, corridor.clock())
    found = corridor.zm.dispatch(message_id)
    assert found.state is DeliveryState.RETRYING
    wait = why_waiting(found, RetryTable.load(), ("KE-SW", away[found.peer_id]))
    assert wait is not None
    for language in ("en", "fr", "ar"):
        assert "KE-SW" in wait.reason.in_language(language)
        assert f"{away[found.peer_id].ends_at:%Y-%m-%d %H:%M}" in wait.reason.in_language(language)


def test_the_doctor_says_that_a_peer_has_announced_maintenance(corridor: Corridor, tmp_path):
    announce(corridor, starts=0)
    ping(corridor)
    premises = make_premises(corridor.zm, tmp_path)
    checks = peer_checks(premises, corridor.zm.peer(), corridor.zm.wire)
    (said,) = [each for each in checks if each.id == "maintenance"]
    assert all("2026-03-10" in said.says(language) for language in ("en", "fr", "ar"))


@pytest.mark.parametrize(
    ("starts", "ends", "note"),
    [
        (-3, -1, NOTE),
        (5, 5, NOTE),
        (5, 1, NOTE),
        (0, 24 * 8, NOTE),
        (24 * 91, 24 * 91 + 1, NOTE),
        (1, 2, {}),
        (1, 2, {"en": " \u202e\x00 ", "de": "Platten"}),
    ],
)
def test_a_span_that_nobody_could_keep_to_or_without_a_reason_is_not_announced(
    corridor: Corridor, starts: float, ends: float, note: dict[str, str]
):
    now = corridor.clock()
    with pytest.raises(InputError):
        announcing.announce(
            corridor.ke.desk, now + starts * HOUR, now + ends * HOUR, note, actor="user:operator"
        )
    assert standing(corridor.ke.desk) == ()


def test_a_maintenance_ends_once_and_nobody_ends_that_of_a_peer(corridor: Corridor):
    made = announce(corridor)
    ping(corridor)
    announcing.end(corridor.ke.desk, made.id, actor="user:operator", reason="postponed")
    with pytest.raises(ConflictError):
        announcing.end(corridor.ke.desk, made.id, actor="user:operator", reason="again")
    (told,) = standing(corridor.zm.desk)
    with pytest.raises(NotFoundError):
        announcing.end(corridor.zm.desk, told.planned.id, actor="user:operator", reason="no")


FAR = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
EARLY = datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "ends"), [(EARLY, FAR), (FAR, FAR), (FAR, EARLY), (EARLY, EARLY)]
)
def test_a_peer_silences_no_alarm_for_ever(corridor: Corridor, begins: datetime, ends: datetime):
    ping(corridor, maintenance=(Planned(begins_at=begins, ends_at=ends),))
    assert standing(corridor.zm.desk) == ()


def test_a_peer_is_excused_for_a_week_at_most_and_its_words_are_bounded(corridor: Corridor):
    now = corridor.clock()
    endless = Planned(begins_at=now, ends_at=FAR, note={"en": "x\u202e" * 9_000, "xx": "y"})
    ping(corridor, maintenance=(endless,) * 1_000)
    (told,) = standing(corridor.zm.desk)
    assert told.planned.ends_at == now + announcing.LONGEST
    assert told.planned.note.keys() == {"en"}
    assert len(told.planned.note["en"]) <= announcing.LONGEST_NOTE
    assert "\u202e" not in told.planned.note["en"]


def test_peers_are_looked_in_on_each_in_its_turn_and_only_where_the_way_is_open(
    corridor: Corridor,
):
    zm, asked = corridor.zm, []

    class Asking:
        def ping(self, endpoint):
            asked.append(endpoint)
            return PeerEntrance(corridor.ke.desk).ping(zm.tls_fingerprint)

    def turn() -> int:
        return look_in(zm.desk, lambda peer: peer.identifier, Asking(), "w")

    announce(corridor)
    assert turn() == 0, "the first turn comes a period after the first start"
    corridor.clock.now += LOOK_IN_PERIOD
    assert (turn(), turn()) == (1, 0)
    assert asked == ["KE-SW"]
    assert len(standing(zm.desk)) == 1
    queue(corridor)
    fail_often(corridor, 1)
    assert turn() == 0
    assert len(asked) == 1


def test_a_peer_that_does_not_answer_when_looked_in_on_stays_as_it_was(corridor: Corridor):
    zm = corridor.zm
    look_in(zm.desk, lambda peer: peer, zm.wire, "w")
    corridor.clock.now += LOOK_IN_PERIOD
    with pytest.raises(UnreachableError):
        zm.wire.ping(None)  # type: ignore[arg-type]
    assert look_in(zm.desk, lambda peer: peer, zm.wire, "w") == 0
    with zm.desk.store.read() as conn:
        assert peers.lane(conn, zm.peer().id).failures == 0


def test_spans_are_kept_in_order_and_the_one_that_ends_last_excuses(store: Store):
    peer = add_peer(store)
    with store.begin() as conn:
        for begins, ends in ((50, 60), (-10, 30), (-20, 20)):
            new = NewMaintenance(
                peer_id=peer.id, begins_at=after(begins), ends_at=after(ends), note=NOTE
            )
            maintenance.announce(conn, new, gateway=peer.identifier, at=STORE_NOW, actor="peer:x")
    with store.read() as conn:
        assert [each.ends_at for each in maintenance.standing(conn, STORE_NOW)] == [
            after(20),
            after(30),
            after(60),
        ]
        assert maintenance.away(conn, STORE_NOW)[peer.id].ends_at == after(30)
        assert maintenance.away(conn, after(40)) == {}
        assert len(maintenance.page(conn, limit=2)) == 2
