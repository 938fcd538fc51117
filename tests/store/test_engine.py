"""Opening databases, transactions, migrations and the mapping of failures."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text, update

from gateway.errors import BusyError, ConfigError, ConflictError, InternalError
from gateway.store import Store, bodies, events, journal, peers
from gateway.store.migrations import configuration
from gateway.store.tables import metadata
from gateway.store.tables import peers as peers_table
from tests.store.helpers import NOW, add_peer, profile


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    opened = Store.open(empty_url)
    opened.migrate()
    opened.migrate()
    with opened.read() as conn:
        assert set(inspect(conn).get_table_names()) == {*metadata.tables, "alembic_version"}
    opened.close()


def test_the_migrations_make_exactly_the_tables_that_the_code_describes(store: Store) -> None:
    with store.begin() as conn:
        context = MigrationContext.configure(
            conn, opts={"compare_type": True, "target_metadata": metadata}
        )
        assert compare_metadata(context, metadata) == []


def test_every_check_of_the_code_stands_in_the_migrated_database(store: Store) -> None:
    with store.read() as conn:
        inspector = inspect(conn)
        for table in metadata.tables.values():
            described = {
                constraint.name
                for column in table.columns
                for constraint in column.constraints
                if type(constraint).__name__ == "CheckConstraint"
            } | {c.name for c in table.constraints if type(c).__name__ == "CheckConstraint"}
            migrated = {check["name"] for check in inspector.get_check_constraints(table.name)}
            assert described == migrated


def test_the_migrations_form_one_line() -> None:
    script = ScriptDirectory.from_config(configuration())
    assert len(script.get_heads()) == 1
    assert len(list(script.walk_revisions())) >= 3


def test_two_processes_may_migrate_at_the_same_time(empty_url: str) -> None:
    failures: list[Exception] = []

    def migrate() -> None:
        try:
            own = Store.open(empty_url)
            own.migrate()
            own.close()
        except Exception as exc:  # noqa: BLE001 - reported below
            failures.append(exc)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_exception_rolls_everything_back(store: Store) -> None:
    with pytest.raises(RuntimeError), store.begin() as conn:
        peers.add(conn, profile(), at=NOW, actor="user:test")
        events.append(conn, at=NOW, kind=events.Kind.GAP, subject="x")
        raise RuntimeError
    with store.read() as conn:
        assert peers.every(conn) == ()
        assert journal.page(conn) == ()
        assert events.after(conn, 0) == ()


def test_a_reading_transaction_cannot_write(store: Store) -> None:
    with pytest.raises((BusyError, ConfigError)), store.read() as conn:
        conn.execute(text("DELETE FROM peers"))
    with pytest.raises(RuntimeError), store.read() as conn:
        journal.append(conn, at=NOW, action=journal.Action.USER_ACTION, subject="x")


def test_a_reading_transaction_sees_one_moment(store: Store) -> None:
    with store.read() as reading:
        before = peers.every(reading)
        add_peer(store)
        assert peers.every(reading) == before == ()


def test_a_taken_key_is_a_conflict_and_names_no_value(store: Store) -> None:
    row = {
        "identifier": "KE-GW",
        "country": "KE",
        "name": "Secret name",
        "state": "ACTIVE",
        "channel": "REST",
        "url": "https://x",
        "soap_version": "1.2",
        "document_types": [],
        "algorithms": "STRICT",
        "revocation": "REQUIRE",
        "retry": {},
        "test": False,
        "revision": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    with pytest.raises(ConflictError) as caught, store.begin() as conn:
        conn.execute(insert(peers_table).values(**row))
        conn.execute(insert(peers_table).values(**row))
    assert "Secret" not in str(caught.value)


def test_a_value_outside_its_vocabulary_is_refused_by_the_database(store: Store) -> None:
    add_peer(store)
    with pytest.raises(ConflictError), store.begin() as conn:
        conn.execute(text("UPDATE peers SET state = 'SLEEPING'"))


def test_a_locked_database_is_busy_and_may_be_tried_again(tmp_path, sqlite_template) -> None:
    path = tmp_path / "locked.db"
    path.write_bytes(sqlite_template.read_bytes())
    opened = Store.open(f"sqlite:///{path}", lock_wait_seconds=0.05)
    with opened.read() as conn:
        conn.execute(text("SELECT 1"))
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(BusyError) as caught, opened.begin():
        pass
    assert caught.value.retryable
    blocker.execute("ROLLBACK")
    blocker.close()
    with opened.begin() as conn:
        peers.add(conn, profile(), at=NOW, actor="user:test")
    opened.close()


def test_a_database_that_is_away_is_busy(tmp_path) -> None:
    away = Store.open("postgresql://nobody@127.0.0.1:1/eco?connect_timeout=1")
    with pytest.raises(BusyError), away.begin():
        pass
    nowhere = Store.open(f"sqlite:///{tmp_path}/no/such/folder/x.db")
    with pytest.raises(BusyError), nowhere.begin():
        pass


def test_a_database_without_tables_asks_for_the_migration(empty_url: str) -> None:
    opened = Store.open(empty_url)
    with pytest.raises(ConfigError, match="migrat"), opened.read() as conn:
        peers.every(conn)
    opened.close()


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "no url at all", "sqlite://", "sqlite:///:memory:", "oracle://h/s"]
)
def test_an_unsupported_address_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError):
        Store.open(url)


def test_sqlite_is_opened_as_the_design_says(tmp_path, sqlite_template) -> None:
    path = tmp_path / "set.db"
    path.write_bytes(sqlite_template.read_bytes())
    opened = Store.open(f"sqlite:///{path}")
    with opened.begin() as conn:
        asked = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "query_only")
        values = [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert values == ["wal", 2, 1, 0, 0]
    opened.close()


def test_postgresql_is_opened_as_the_design_says(store: Store) -> None:
    if store.dialect != "postgresql":
        pytest.skip("about PostgreSQL")
    with store.begin() as conn:
        asked = ("transaction_isolation", "synchronous_commit", "TimeZone")
        values = [conn.execute(text(f"SHOW {name}")).scalar() for name in asked]
    assert values == ["read committed", "on", "UTC"]


def test_stored_bytes_come_back_unchanged_or_not_at_all(store: Store) -> None:
    from gateway.errors import GatewayError, NotFoundError

    content = bytes(range(256)) * 10
    with store.begin() as conn:
        sha256 = bodies.put(conn, content)
        assert bodies.put(conn, content) == sha256
    with store.read() as conn:
        assert bodies.get(conn, sha256) == content
        with pytest.raises(NotFoundError):
            bodies.get(conn, "0" * 64)
    with pytest.raises(ConflictError), store.begin() as conn:
        conn.execute(text("UPDATE bodies SET content = content"))
    with pytest.raises(GatewayError, match="changed"):
        bodies.checked(content + b".", sha256)


def test_what_only_grows_cannot_be_changed_by_a_statement(store: Store) -> None:
    add_peer(store)
    for statement in ("UPDATE journal SET actor = 'x'", "DELETE FROM journal"):
        with pytest.raises(ConflictError), store.begin() as conn:
            conn.execute(text(statement))
    with store.read() as conn:
        assert conn.execute(select(peers_table.c.identifier)).scalar() == "KE-GW"
        assert journal.verify_chain(conn).holds


def test_INTERNAL_a_statement_that_cannot_be_written_is_our_own_mistake_and_not_a_busy_database(
    store: Store,
):
    with pytest.raises(InternalError), store.begin() as conn:
        conn.execute(update(metadata.tables["lanes"]).values(no_such_column=1))
