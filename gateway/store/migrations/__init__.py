"""The versions of the tables, and bringing a database to the newest one.

Runs from an installed wheel: the scripts lie beside this module and no ini file is read.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

SCRIPTS = "gateway.store:migrations"
_LOCK = 0x65434F  # "eCO": one migration at a time on PostgreSQL


def configuration(conn: Connection | None = None) -> Config:
    """Return Alembic's configuration for our scripts, bound to ``conn`` if given."""
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.set_main_option("path_separator", "os")
    if conn is not None:
        config.attributes["connection"] = conn
    return config


NEWEST = "head"


def upgrade(conn: Connection, revision: str = NEWEST) -> None:
    """Bring the database behind ``conn`` forward to ``revision``, inside its transaction."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(configuration(conn), revision)


def present_revision(conn: Connection) -> str | None:
    """Return the version of the tables behind ``conn``, None where there are none."""
    return MigrationContext.configure(conn).get_current_revision()


def known_revisions() -> tuple[str, ...]:
    """Return every version that this software can bring forward, newest first."""
    scripts = ScriptDirectory.from_config(configuration())
    return tuple(script.revision for script in scripts.walk_revisions())
