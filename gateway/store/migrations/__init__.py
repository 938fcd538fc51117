"""The versions of the tables, and bringing a database to the newest one.

Runs from an installed wheel: the scripts lie beside this module and no ini file is read.
Alembic is imported where it is used: a command that finds its database current never needs it,
and it would take a tenth of the time that the command takes to start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = "gateway.store:migrations"
_LOCK = 0x65434F  # "eCO": one migration at a time on PostgreSQL


def configuration(conn: Connection | None = None) -> Config:
    """Return Alembic's configuration for our scripts, bound to ``conn`` if given."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.set_main_option("path_separator", "os")
    if conn is not None:
        config.attributes["connection"] = conn
    return config


NEWEST = "head"


def upgrade(conn: Connection, revision: str = NEWEST) -> None:
    """Bring the database behind ``conn`` forward to ``revision``, inside its transaction."""
    from alembic import command

    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(configuration(conn), revision)


def present_revision(conn: Connection) -> str | None:
    """Return the version of the tables behind ``conn``, None where there are none."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(conn).get_current_revision()


def known_revisions() -> tuple[str, ...]:
    """Return every version that this software can bring forward, newest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(configuration())
    return tuple(script.revision for script in scripts.walk_revisions())
