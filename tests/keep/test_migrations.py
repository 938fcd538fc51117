"""Tables go forward with data in them, on both databases, whoever starts first."""

from __future__ import annotations

import multiprocessing
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, text

from gateway.errors import ConflictError
from gateway.store import (
    DeliveryState,
    IssueState,
    Side,
    Store,
    certificates,
    events,
    journal,
    migrations,
    outbox,
    peers,
)
from gateway.store.migrations import (
    known_revisions,
    newest_revision,
    present_revision,
    upgrade,
)
from gateway.store.migrations.versions import v0013_telling
from gateway.store.portable import count, rows, shapes
from gateway.store.tables import metadata

FIXTURES = Path(__file__).parent / "fixtures"
SCRIPTS = Path(migrations.__file__).parent / "versions"
PAYLOAD = "6b1f1b3ce5c66b9a1e2d6b1d2b4f2c9f7d2e6f6a1b0c3d4e5f60718293a4b5c7"


def fill(conn: Connection, revision: str) -> None:
    """Insert the rows that a version of the tables held, in the dialect of this database."""
    said = (FIXTURES / f"revision_{revision}.sql").read_text(encoding="utf-8")
    if conn.dialect.name == "postgresql":
        said = re.sub(r"X'([0-9a-f]*)'", r"'\\x\1'::bytea", said)
    for statement in re.split(r";\n", re.sub(r"^--.*$", "", said, flags=re.M)):
        if statement.strip():
            conn.exec_driver_sql(statement.replace("%", "%%"))


def filled(url: str, *revisions: str) -> Store:
    """Return books that stopped at the last of ``revisions``, with the rows of each."""
    store = Store.open(url)
    with store.begin() as conn:
        for revision in revisions:
            upgrade(conn, revision)
            if (FIXTURES / f"revision_{revision}.sql").exists():
                fill(conn, revision)
    return store


@pytest.mark.parametrize("revisions", [("0001",), ("0001", "0003")])
def test_books_of_an_older_version_come_forward_whole(empty_url: str, revisions: tuple[str, ...]):
    store = filled(empty_url, *revisions)
    store.migrate()
    with store.read() as conn:
        assert present_revision(conn) == known_revisions()[0]
        kenya = peers.by_identifier(conn, "KE-SW")
        assert (kenya.name, kenya.revision) == ("Kenya — guichet unique", 3)
        assert kenya.updated_at == datetime(2026, 2, 1, 8, 30, 0, 250000, tzinfo=UTC)
        sent = outbox.dispatch(conn, "urn:uuid:1")
        assert (sent.state, sent.payload_sha256) == (DeliveryState.DELIVERED, PAYLOAD)
        waiting = outbox.dispatch(conn, "urn:uuid:7")
        assert (waiting.state, waiting.fence, waiting.attempts) == (DeliveryState.RETRYING, 4, 4)
        assert journal.verify_chain(conn).holds
        if "0003" in revisions:
            row = certificates.find(conn, Side.ISSUED, "ZM", "ZM-1")
            assert (row.state, row.valid_until) == (IssueState.ISSUED, date(2027, 2, 1))
            (item,) = certificates.items(conn, row.id)
            assert (item.certified, item.used) == (Decimal("12000.500"), Decimal("0.125"))
    store.close()


def test_what_guarded_the_old_rows_guards_them_after(empty_url: str):
    store = filled(empty_url, "0001", "0003")
    store.migrate()
    for forbidden in (
        "UPDATE bodies SET content = CAST('x' AS BLOB)"
        if store.dialect == "sqlite"
        else "UPDATE bodies SET content = 'x'::bytea",
        "UPDATE utilisation_entries SET quantity = '1'",
        "DELETE FROM utilisation_entries",
        "UPDATE peers SET state = 'GONE'",
        "UPDATE dispatches SET peer_id = 99",
        "UPDATE peers SET identifier = 'KE-SW'",
    ):
        with pytest.raises(ConflictError), store.begin() as conn:
            conn.execute(text(forbidden))
    store.close()


def test_the_migrated_tables_are_the_ones_that_the_code_expects(empty_url: str):
    store = filled(empty_url, "0001", "0003")
    store.migrate()
    with store.read() as conn:
        found = inspect(conn)
        for table in metadata.tables.values():
            assert {each["name"] for each in found.get_columns(table.name)} == set(
                table.columns.keys()
            )
            indexes = {each["name"] for each in found.get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= indexes
        for shape in shapes():
            assert len(list(rows(conn, shape))) == count(conn, shape)
    store.close()


ISSUED, RECEIVED = ("ISSUED", "ZM", "ZM-ZRA", 11), ("RECEIVED", "ZM", "KE-KRA", 12)
EVERYBODY, OPERATORS = ("EVERYBODY", None, None, None), ("OPERATORS", None, None, None)


@pytest.mark.parametrize("at_once", [1, 4, 500])
def test_the_events_so_far_learn_whom_they_concern(
    empty_url: str, at_once: int, monkeypatch: pytest.MonkeyPatch
):
    """Certificates by their serial, messages by what they carry or answer; else operators."""
    monkeypatch.setattr(v0013_telling, "_BATCH", at_once)
    store = filled(empty_url, "0001", "0003", "0012")
    store.migrate()
    with store.read() as conn:
        told = {
            event.cursor: (event.circle, event.country, event.authority, event.certificate_id)
            for event in events.after(conn, 0)
        }
    assert told == {
        1: OPERATORS,
        **dict.fromkeys((2, 3, 4, 5), ISSUED),
        **dict.fromkeys((6, 7, 8), RECEIVED),
        9: EVERYBODY,
        **dict.fromkeys((10, 11, 12), OPERATORS),
    }
    store.close()


def migrate_at_once(url: str, start: object, ended: object) -> None:
    """Migrate when all are ready (runs in a process of its own)."""
    start.wait(30)
    store = Store.open(url)
    try:
        store.migrate()
        ended.put("done")
    except BaseException as exc:  # noqa: BLE001 - the test wants to read it
        ended.put(repr(exc))
    finally:
        store.close()


def test_processes_that_start_together_migrate_once_and_harm_nothing(empty_url: str):
    filled(empty_url, "0001", "0003").close()
    context = multiprocessing.get_context("spawn")
    start, ended = context.Barrier(3), context.Queue()
    processes = [
        context.Process(target=migrate_at_once, args=(empty_url, start, ended)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    assert [ended.get(timeout=60) for _ in processes] == ["done"] * 3
    for process in processes:
        process.join(30)
    store = Store.open(empty_url)
    with store.read() as conn:
        assert present_revision(conn) == known_revisions()[0]
        assert certificates.find(conn, Side.ISSUED, "ZM", "ZM-1") is not None
    store.close()


def test_a_migration_that_fails_changes_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch):
    from gateway.store import engine

    store = filled(empty_url, "0001")

    def halfway(conn: Connection) -> None:
        upgrade(conn)
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(engine, "upgrade", halfway)
    with pytest.raises(RuntimeError):
        store.migrate()
    with store.read() as conn:
        assert present_revision(conn) == "0001"
        assert not inspect(conn).has_table("certificates")
        assert outbox.attempts_of(conn, "urn:uuid:7")
    store.close()


def test_the_newest_version_by_the_names_of_the_scripts_is_alembics():
    assert newest_revision() == known_revisions()[0]
    assert {path.stem[1:5] for path in SCRIPTS.glob("v*.py")} == set(known_revisions())
