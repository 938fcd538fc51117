"""The store: opening a database, its transactions, and the mapping of its failures.

Nothing of SQLAlchemy's error tree leaves the context managers below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from select import select
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import (
    ArgumentError,
    CompileError,
    DataError,
    DisconnectionError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from gateway.errors import (
    BusyError,
    ConfigError,
    ConflictError,
    GatewayError,
    InputError,
    InternalError,
)
from gateway.store import chain
from gateway.store.grouping import Group
from gateway.store.migrations import upgrade
from gateway.store.statements import begin_keeping, catch_up, forget_kept, send_kept

ResultT = TypeVar("ResultT")

LOCK_WAIT_SECONDS = 15.0
_SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
)
_POSTGRESQL_SETTINGS = (
    "timezone = 'UTC'",
    "synchronous_commit = on",
    "statement_timeout = 60000",
    "idle_in_transaction_session_timeout = 120000",
)
_READ = "eco_read"
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BEGIN_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_SCHEMA_MISSING = ("no such table", "no such column")


class Store:
    """Is one database of the gateway, SQLite or PostgreSQL.

    Build it with ``Store.open(url)``.  Threads may share it; processes open their own.

    Args:
        writing: gives the connections of writing transactions.
        reading: gives those of transactions that cannot write; the same where one connection
            may change its mind at no cost.
    """

    def __init__(self, writing: Engine, reading: Engine) -> None:
        self._writing = writing
        self._reading = reading
        self._group = Group(self.begin, self._transaction)

    @classmethod
    def open(cls, url: str, *, lock_wait_seconds: float = LOCK_WAIT_SECONDS) -> Store:
        """Return the store at ``url`` (``sqlite:///path`` or ``postgresql://…``).

        Args:
            lock_wait_seconds: how long a transaction waits for another before BusyError.

        Raises:
            ConfigError: the URL is no address of a supported database.
        """
        address = _address(url)
        try:
            if address.get_backend_name() == "sqlite":
                writing = _sqlite(address, lock_wait_seconds, reading=False)
                return cls(writing, _sqlite(address, lock_wait_seconds, reading=True))
            engine = _postgresql(address, lock_wait_seconds)
            return cls(engine, engine)
        except SQLAlchemyError as exc:
            raise ConfigError("the database URL cannot be used") from exc

    @property
    def dialect(self) -> str:
        """The name of the database kind: ``sqlite`` or ``postgresql``."""
        return self._writing.dialect.name

    @property
    def engines(self) -> frozenset[Engine]:
        """What runs every statement of this store, for whoever watches statements."""
        return frozenset({self._writing, self._reading})

    def migrate(self) -> None:
        """Bring the tables to the newest version; does nothing where they are.

        Raises:
            BusyError: the database does not answer.
        """
        with self.begin() as conn:
            upgrade(conn)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give a writing transaction: committed at the end, rolled back on any exception.

        Journal entries and events of the transaction are chained just before the commit.  What
        was attempted in it is told though it is rolled back (``events.append``).

        Raises:
            BusyError: the database is locked, full or away; the same call may succeed later.
            ConflictError: a unique key is taken.
        """
        attempts: list[chain.PendingEvent] = []
        try:
            with self._transaction() as conn:
                attempts = chain.pending(conn).attempts
                yield conn
        except GatewayError:
            if attempts:
                self._tell(attempts)
            raise

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with mapped_errors(), self._writing.connect() as conn, conn.begin():
            chain.open_pending(conn)
            try:
                yield conn
                chain.seal(conn)
            finally:
                chain.close_pending(conn)

    def _tell(self, attempts: Sequence[chain.PendingEvent]) -> None:
        """Tell what was attempted in a transaction that is undone; that one's error counts."""
        with suppress(GatewayError), self._transaction() as conn:
            chain.pending(conn).events.extend(attempts)

    def together(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Return what ``work`` does in a writing transaction, committed.

        Threads that come at once share the transaction and its commit; a failure of one leaves
        the others' work alone.  ``work`` runs in any of these threads, perhaps twice, of which
        only one counts; it must not wait for another.

        Raises:
            BusyError: as ``begin``, also where the shared transaction failed; nothing is stored.
            ConflictError: a unique key is taken.
        """
        return self._group.run(work)

    @contextmanager
    def trial(self) -> Iterator[Connection]:
        """Give a writing transaction that is rolled back at its end, whatever happens in it.

        Raises:
            BusyError, ConflictError: as ``begin``.
        """
        with mapped_errors(), self._writing.connect() as conn, conn.begin() as transaction:
            chain.open_pending(conn)
            try:
                yield conn
            finally:
                chain.close_pending(conn)
                transaction.rollback()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a transaction that sees one moment and cannot write.

        Raises:
            BusyError: the database is locked or away.
        """
        with mapped_errors(), self._reading.connect() as plain:
            conn = plain.execution_options(**{_READ: True})
            with conn.begin():
                yield conn

    def close(self) -> None:
        """Close every pooled connection."""
        for engine in self.engines:
            engine.dispose()


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Turn every SQLAlchemy error into one of ours; parameters never enter the text."""
    try:
        yield
    except SQLAlchemyError as exc:
        raise _mapped(exc) from exc


def _mapped(exc: SQLAlchemyError) -> GatewayError:
    kind = type(getattr(exc, "orig", None) or exc).__name__
    if isinstance(exc, IntegrityError):
        return ConflictError(f"a stored record stands against this one ({kind})")
    if isinstance(exc, ProgrammingError) or _schema_is_missing(exc):
        return ConfigError(f"the database does not fit this version; run `eco migrate` ({kind})")
    if isinstance(exc, DataError):
        return InputError(f"a value does not fit its column ({kind})")
    if isinstance(exc, CompileError):
        return InternalError(f"a statement of ours cannot be written for this database ({kind})")
    return BusyError(f"the database cannot do this now ({kind})")


def _schema_is_missing(exc: SQLAlchemyError) -> bool:
    text = str(exc.orig) if isinstance(exc, OperationalError) else ""
    return any(sign in text for sign in _SCHEMA_MISSING)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as exc:
        raise ConfigError("the database URL cannot be read") from exc
    backend = address.get_backend_name()
    if backend == "sqlite" and address.database not in (None, "", ":memory:"):
        return address.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return address.set(drivername="postgresql+psycopg")
    raise ConfigError("the database must be a SQLite file or PostgreSQL")


def _sqlite(address: URL, lock_wait: float, *, reading: bool) -> Engine:
    """Return the engine of connections that only read, or of those that write.

    One connection for both would be told by PRAGMA query_only what it may do, and each change of
    a PRAGMA makes SQLite compile every statement of the connection anew.
    """
    # Last in, first out: the connection used last has the pages in its cache, and the others'
    # caches stay small.
    engine = create_engine(
        address, hide_parameters=True, pool_size=10, max_overflow=20, pool_use_lifo=True
    )
    busy, only = f"busy_timeout={int(lock_wait * 1000)}", f"query_only={'ON' if reading else 'OFF'}"

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, see below
        for pragma in (busy, *_SQLITE_PRAGMAS, only):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        # Writers queue at BEGIN instead of failing when a read lock cannot be raised.
        conn.exec_driver_sql("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgresql(address: URL, lock_wait: float) -> Engine:
    engine = create_engine(
        address, hide_parameters=True, pool_size=10, max_overflow=20, pool_timeout=lock_wait
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.autocommit = True  # BEGIN is ours, see below
        for setting in (f"lock_timeout = {int(lock_wait * 1000)}", *_POSTGRESQL_SETTINGS):
            connection.execute(f"SET {setting}")

    @event.listens_for(engine, "checkout")
    def _require_open(connection: Any, _record: Any, _proxy: Any) -> None:
        # An idle connection that has something to say was closed by the server.  This costs no
        # round trip; SQLAlchemy then opens another.
        if connection.closed or select([connection], [], [], 0)[0]:
            raise DisconnectionError("the server has closed the connection")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        # Travels with the first statement, whoever sends it.
        reading = conn.get_execution_options().get(_READ, False)
        begin_keeping(conn, _BEGIN_READING if reading else _BEGIN_WRITING)

    _keep_in_order(engine)
    return engine


def _keep_in_order(engine: Engine) -> None:
    """Have what our statements keep back sent before SQLAlchemy's own, and before the commit."""

    @event.listens_for(engine, "before_cursor_execute")
    def _before(
        conn: Connection, _cursor: Any, _text: str, _values: Any, context: Any, _many: bool
    ) -> None:
        if context is not None:  # not one of ours
            catch_up(conn)

    @event.listens_for(engine, "commit")
    def _commit(conn: Connection) -> None:
        send_kept(conn)
        forget_kept(conn)

    event.listen(engine, "rollback", forget_kept)
