"""Retention erases what the law lets go, and never anything young, open or held."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text, update

from gateway.errors import ConflictError, InputError, MappingError, NotFoundError
from gateway.exchange.housekeeping import expire_certificates
from gateway.exchange.settle import repeat
from gateway.keeping.classes import read_classes, retention_classes
from gateway.keeping.retention import Preview, RunOrder, preview, run
from gateway.register.states import FINAL_STATES
from gateway.resources import data_path
from gateway.store import (
    DeliveryState,
    ImportState,
    IssueState,
    Side,
    Store,
    bodies,
    certificates,
    digest,
    events,
    holds,
    inbox,
    journal,
    outbox,
    retention,
    utilisation,
)
from gateway.store.integrity import verify_bodies
from gateway.store.retention import KEPT_BY, erase
from gateway.store.retention_terms import floor
from gateway.store.states import HoldScope
from gateway.store.tables import metadata
from tests.exchange.corridor import Corridor
from tests.exchange.corridor import Side as Gateway
from tests.factories import NOW
from tests.keep.books import SERIAL, send, use_up
from tests.store.helpers import add_peer, new_arrival, new_dispatch

YEARS = timedelta(days=366)
LATER = NOW + 7 * YEARS


def shown(side: Gateway, class_id: str = "certificates", now: datetime = LATER) -> Preview:
    with side.desk.store.read() as conn:
        return preview(conn, retention_classes()[class_id], None, now=now, least_years=5)


def erased(side: Gateway, found: Preview, *, now: datetime = LATER, **changes: object):
    values: dict[str, object] = {
        "retention_class": retention_classes()[found.retention_class],
        "before": found.before,
        "confirmed": found.due,
        "least_years": 5,
        "actor": "user:test",
    }
    return run(side.desk.store, RunOrder(**(values | changes)), now=now)


@pytest.fixture
def over(corridor: Corridor) -> Corridor:
    """Gives books in which one certificate is used up, and seven years are over."""
    send(corridor)
    use_up(corridor)
    corridor.clock.now = LATER
    return corridor


@pytest.fixture
def over_sqlite(sqlite_corridor: Corridor) -> Corridor:
    """Gives the same on SQLite, for what does not depend on the database."""
    send(sqlite_corridor)
    use_up(sqlite_corridor)
    sqlite_corridor.clock.now = LATER
    return sqlite_corridor


# --- what is erased, and what stays --------------------------------------------------------------


def test_content_and_personal_data_go_and_everything_that_proves_stays(over: Corridor):
    for side, which in ((over.zm, Side.ISSUED), (over.ke, Side.RECEIVED)):
        found = shown(side)
        assert (found.due, found.held, found.open) == (1, 0, 0)
        done = erased(side, found)
        assert (done.subjects, done.bodies > 3) == (1, True)
        with side.desk.store.read() as conn:
            row = certificates.find(conn, which, "ZM", SERIAL)
            assert (row.exporter_name, row.consignee_name, row.exporter_number) == ("", "", None)
            (item,) = certificates.items(conn, row.id)
            assert (item.description, item.certified, item.used) == ("", 12000, 12000)
            assert len(utilisation.entries(conn, row.id)) == 2
            with pytest.raises(NotFoundError, match="erased"):
                bodies.get(conn, row.payload_sha256)
            assert journal.verify_chain(conn).holds
            report = verify_bodies(conn)
            assert (report.holds, report.erased) == (True, done.bodies)
        assert shown(side).due == 0


def test_a_duplicate_of_an_erased_message_still_gets_the_very_same_receipt(over_sqlite: Corridor):
    first = digest(over_sqlite.zm.wire.sent[0])
    with over_sqlite.ke.desk.store.read() as conn:
        receipt = inbox.find_by_digest(conn, first).receipt
    erased(over_sqlite.ke, shown(over_sqlite.ke))
    with over_sqlite.ke.desk.store.begin() as conn:
        assert repeat(conn, inbox.find_by_digest(conn, first), first, LATER) == receipt


def test_a_serial_number_that_was_erased_is_still_known(over_sqlite: Corridor):
    erased(over_sqlite.zm, shown(over_sqlite.zm))
    with over_sqlite.zm.desk.store.read() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", SERIAL)
    assert row is not None
    assert row.content_sha256


def test_the_same_bytes_handed_in_again_are_stored_again(over: Corridor):
    with over.zm.desk.store.read() as conn:
        sha256 = certificates.find(conn, Side.ISSUED, "ZM", SERIAL).payload_sha256
        content = bodies.get(conn, sha256)
    erased(over.zm, shown(over.zm))
    with over.zm.desk.store.begin() as conn:
        assert bodies.put(conn, content) == sha256
    with over.zm.desk.store.read() as conn:
        assert bodies.get(conn, sha256) == content
        assert verify_bodies(conn).holds


def test_stored_bytes_can_be_erased_but_never_changed(over: Corridor):
    with pytest.raises(ConflictError), over.zm.desk.store.begin() as conn:
        conn.execute(update(metadata.tables["bodies"]).values(content=b"forged"))


def test_every_erasure_stands_in_the_journal(over_sqlite: Corridor):
    done = erased(over_sqlite.zm, shown(over_sqlite.zm))
    with over_sqlite.zm.desk.store.read() as conn:
        (entry,) = journal.page(conn, action=journal.Action.RETENTION_ERASED)
    assert (entry.subject, entry.actor) == (SERIAL, "user:test")
    assert entry.detail["bodies"] == done.bodies


def test_an_erased_message_cannot_be_sent_again(store: Store):
    peer = add_peer(store)
    new = new_dispatch(peer.id)
    with store.begin() as conn:
        outbox.enqueue(conn, new)
        conn.execute(text("UPDATE dispatches SET state = 'REFUSED', due_at = NULL"))
        conn.execute(update(metadata.tables["bodies"]).values(content=b""))
    with pytest.raises(NotFoundError), store.begin() as conn:
        outbox.resend(conn, new.message_id, at=NOW, actor="user:test", reason="again")
    with store.read() as conn:
        assert outbox.dispatch(conn, new.message_id).state is DeliveryState.REFUSED


# --- what is never touched ------------------------------------------------------------------------


@pytest.mark.parametrize("age", [timedelta(days=30), 2 * YEARS, timedelta(days=5 * 365)])
def test_nothing_younger_than_five_years_is_due(used_books: Corridor, age: timedelta):
    for class_id in retention_classes():
        found = shown(used_books.zm, class_id, NOW + age)
        assert (found.due, found.held) == (0, 0)


def test_no_day_and_no_caller_reaches_below_the_floor(used_books: Corridor):
    kept = retention_classes()["certificates"]
    with used_books.zm.desk.store.read() as conn, pytest.raises(InputError):
        preview(conn, kept, NOW.date(), now=NOW + YEARS, least_years=5)
    young = kept.selections(NOW.date() + timedelta(days=1))[0]
    with pytest.raises(InputError), used_books.zm.desk.store.begin() as conn:
        erase(
            conn, young, after=0, limit=9, most=9, actor="user:test", now=NOW + 4 * YEARS
        )  # what a caller might try past the preview
    with pytest.raises(ValueError, match="less than 5"):
        floor(NOW, years=4)


def test_a_certificate_that_is_not_final_is_never_due(sqlite_corridor: Corridor):
    send(sqlite_corridor)
    assert shown(sqlite_corridor.zm).due == shown(sqlite_corridor.ke).due == 0
    sqlite_corridor.clock.now = LATER - 6 * YEARS
    expire_certificates(sqlite_corridor.zm.desk, "worker")
    assert shown(sqlite_corridor.zm).due == 1  # expired: nobody has anything to do
    assert shown(sqlite_corridor.ke).due == 0  # Kenya's clock job has not run


def test_a_dead_letter_keeps_its_whole_conversation_open(sqlite_corridor: Corridor):
    send(sqlite_corridor)
    use_up(sqlite_corridor)
    with sqlite_corridor.zm.desk.store.begin() as conn:
        conn.execute(text("UPDATE dispatches SET state = 'FAILED'"))
    found = shown(sqlite_corridor.zm)
    assert (found.due, found.open) == (0, 1)


def test_a_late_message_keeps_its_whole_conversation(sqlite_corridor: Corridor):
    send(sqlite_corridor)
    use_up(sqlite_corridor)
    peer = sqlite_corridor.zm.peer()
    with sqlite_corridor.zm.desk.store.begin() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", SERIAL)
        late = new_arrival(peer.id, conversation_id=row.conversation_id, received_at=LATER - YEARS)
        inbox.record_arrival(conn, late)
    assert shown(sqlite_corridor.zm).due == 0


@pytest.mark.parametrize(
    ("scope", "subject"),
    [
        (HoldScope.SERIAL, "zm‑20260309‑000123"),  # another spelling of the same number
        (HoldScope.PEER, "KE-SW"),
        (HoldScope.CONVERSATION, None),
    ],
)
def test_a_legal_hold_stops_preview_and_run_until_it_is_lifted(
    over_sqlite: Corridor, scope: HoldScope, subject: str | None
):
    store = over_sqlite.zm.desk.store
    before = shown(over_sqlite.zm)
    with store.begin() as conn:
        row = certificates.find(conn, Side.ISSUED, "ZM", SERIAL)
        name = subject or row.conversation_id
        holds.place(conn, scope, name, reason="court", actor="user:test", at=LATER)
    found = shown(over_sqlite.zm)
    assert (found.due, found.held) == (0, 1)
    with pytest.raises(ConflictError):
        erased(over_sqlite.zm, before)
    with store.begin() as conn:
        holds.lift(conn, scope, name, reason="closed", actor="user:test", at=LATER)
    assert shown(over_sqlite.zm).due == 1


def test_a_hold_stands_once_and_its_past_is_kept(store: Store):
    def place(conn):
        return holds.place(conn, HoldScope.SERIAL, "A-1", reason="r", actor="user:a", at=NOW)

    with store.begin() as conn:
        place(conn)
    with pytest.raises(ConflictError), store.begin() as conn:
        place(conn)
    with store.begin() as conn:
        holds.lift(conn, HoldScope.SERIAL, "a-1", reason="done", actor="user:b", at=NOW)
    with pytest.raises(NotFoundError), store.begin() as conn:
        holds.lift(conn, HoldScope.SERIAL, "A-1", reason="done", actor="user:b", at=NOW)
    with store.begin() as conn:
        place(conn)
    with store.read() as conn:
        assert len(holds.every(conn)) == 1
        assert [hold.lifted_by for hold in holds.every(conn, lifted=True)] == ["user:b", None]


def test_a_document_that_a_younger_message_carries_too_stays(store: Store):
    peer = add_peer(store)
    payload, old = b"<document/>", datetime(2015, 1, 1, tzinfo=UTC)
    with store.begin() as conn:
        for number, received_at in enumerate((old, NOW)):
            inbox.record_arrival(
                conn,
                new_arrival(
                    peer.id,
                    payload=payload,
                    envelope=f"envelope {number}".encode(),
                    document_number="SAME-1",
                    received_at=received_at,
                ),
            )
    selection = retention_classes()["messages"].selections(date(2020, 1, 1))[0]
    with store.begin() as conn:
        done = erase(conn, selection, after=0, limit=9, most=9, actor="user:test", now=NOW)
    assert (done.subjects, done.bodies) == (1, 1)  # the old envelope alone
    with store.read() as conn:
        assert bodies.get(conn, digest(payload)) == payload


# --- the run ------------------------------------------------------------------------------------


def test_another_number_than_the_preview_showed_stops_the_run(over_sqlite: Corridor):
    found = shown(over_sqlite.zm)
    with pytest.raises(ConflictError, match="1 are due"):
        erased(over_sqlite.zm, found, confirmed=2)
    assert shown(over_sqlite.zm).due == 1


def test_a_run_goes_in_chunks_and_a_stopped_one_is_finished_by_the_next(store: Store):
    peer = add_peer(store)
    old = datetime(2015, 1, 1, tzinfo=UTC)
    with store.begin() as conn:
        for _ in range(23):
            inbox.record_arrival(conn, new_arrival(peer.id, received_at=old))
    kept = retention_classes()["messages"]
    selection = kept.selections(date(2020, 1, 1))[0]
    with store.begin() as conn:  # the first chunk of a run that was then killed
        first = erase(conn, selection, after=0, limit=5, most=23, actor="user:test", now=NOW)
    assert (first.subjects, first.ended) == (5, False)
    with store.read() as conn:
        rest = preview(conn, kept, date(2020, 1, 1), now=NOW, least_years=5)
    assert rest.due == 18
    order = RunOrder(
        retention_class=kept,
        before=date(2020, 1, 1),
        confirmed=18,
        least_years=5,
        actor="user:test",
        chunk=4,
    )
    done = run(store, order, now=NOW)
    assert (done.subjects, done.chunks >= 5) == (18, True)


def test_events_stay_until_what_they_speak_of_is_erased(over: Corridor):
    feed = shown(over.zm, "feed")
    assert (feed.due, feed.open > 0) == (0, True)
    erased(over.zm, shown(over.zm))
    feed = shown(over.zm, "feed")
    assert (feed.due > 0, feed.open) == (True, 0)
    with over.zm.desk.store.read() as conn:
        last = events.last_cursor(conn)
    erased(over.zm, feed)
    with over.zm.desk.store.read() as conn:
        assert events.after(conn, 0) == ()
        assert events.last_cursor(conn) == last


def test_a_cancelled_certificate_is_kept_for_whole_calendar_years(sqlite_corridor: Corridor):
    send(sqlite_corridor)
    with sqlite_corridor.zm.desk.store.begin() as conn:
        conn.execute(text("UPDATE certificates SET state = 'CANCELLED'"))
        conn.execute(text("UPDATE certificates SET valid_until = issued_on"))
    for now, due in (
        (datetime(2031, 12, 31, tzinfo=UTC), 0),
        (datetime(2032, 1, 1, tzinfo=UTC), 1),
    ):
        assert shown(sqlite_corridor.zm, "revoked", now).due == due


# --- the classes ----------------------------------------------------------------------------------


def test_every_final_state_belongs_to_exactly_one_class():
    said = [state for kept in retention_classes().values() for state in kept.states]
    final = {state.value for kind in (IssueState, ImportState) for state in FINAL_STATES[kind]}
    assert sorted(said) == sorted(final)


def test_nobody_may_shorten_a_class():
    assert {kept.may_shorten.value for kept in retention_classes().values()} == {"nobody"}
    assert min(kept.years for kept in retention_classes().values()) >= 5


@pytest.mark.parametrize(
    "change",
    [
        {"years": 4},
        {"may_shorten": "the operator"},
        {"states": ["AVAILABLE"]},
        {"counted_from": ["ENTRY"]},
        {"counted_from": []},
        {"unknown": 1},
    ],
)
def test_a_class_that_breaks_the_law_is_refused(tmp_path: Path, change: dict[str, object]):
    said = yaml.safe_load(data_path("mappings", "retention.yaml").read_text(encoding="utf-8"))
    said["classes"][0] |= change
    path = tmp_path / "retention.yaml"
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    with pytest.raises(MappingError, match=r"retention\.yaml"):
        read_classes(path)


def test_a_national_law_that_asks_for_more_is_obeyed():
    kept = retention_classes()["certificates"]
    assert kept.cutoff(NOW, least_years=10) == date(2016, 3, 10)
    assert kept.cutoff(datetime(2028, 2, 29, tzinfo=UTC)) == date(2023, 2, 28)


ERASED = {
    "arrivals.envelope_sha256",
    "arrivals.payload_sha256",
    "certificates.payload_sha256",
    "dispatches.envelope_sha256",
    "dispatches.payload_sha256",
    "responses.payload_sha256",
}
RECEIPTS = {"arrivals.receipt_sha256", "dispatches.receipt_sha256"}


def test_retention_erases_what_it_knows_and_keeps_what_any_other_table_names():
    found = {
        f"{table.name}.{key.parent.name}"
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if key.target_fullname == "bodies.sha256"
    }
    others = {f"{column.table.name}.{column.name}" for column in KEPT_BY}
    assert found == ERASED | RECEIPTS | others | {"erased_bodies.sha256"}


def test_bytes_that_another_table_names_stay_when_their_message_goes(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    """Stands in for a table of its own: here the receipts of dispatches keep an envelope."""
    peer = add_peer(store)
    evidence = b"<balance/>"
    with store.begin() as conn:
        inbox.record_arrival(
            conn,
            new_arrival(peer.id, envelope=evidence, received_at=datetime(2015, 1, 1, tzinfo=UTC)),
        )
        sent = outbox.enqueue(conn, new_dispatch(peer.id))
        dispatches = metadata.tables["dispatches"]
        conn.execute(update(dispatches).values(receipt_sha256=digest(evidence)))
    assert sent.receipt_sha256 is None
    monkeypatch.setattr(retention, "KEPT_BY", (dispatches.c.receipt_sha256,))
    selection = retention_classes()["messages"].selections(date(2020, 1, 1))[0]
    with store.begin() as conn:
        done = erase(conn, selection, after=0, limit=9, most=9, actor="user:test", now=NOW)
    assert (done.subjects, done.bodies) == (1, 1)  # the payload alone
    with store.read() as conn:
        assert bodies.get(conn, digest(evidence)) == evidence
