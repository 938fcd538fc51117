"""The versions of the tables, and bringing a database to the newest one.

Runs from an installed wheel: the scripts lie beside this module and no ini file is read.
Alembic is imported where it is used: a process that finds its database current never needs it.
It would take a tenth of the time that a command takes to start, and of the memory that a worker
holds for years.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = "gateway.store:migrations"
_SCRIPT: Final = "v[0-9][0-9][0-9][0-9]_*.py"
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
    if revision == NEWEST and present_revision(conn) == newest_revision():
        return
    from alembic import command

    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(configuration(conn), revision)


def present_revision(conn: Connection) -> str | None:
    """Return the version of the tables behind ``conn``, None where there are none."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    stated = conn.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return max(stated, default=None)


def newest_revision() -> str:
    """Return the version that this software needs, by the names of its scripts."""
    scripts = (Path(__file__).parent / "versions").glob(_SCRIPT)
    return max(script.name[1:5] for script in scripts)


def known_revisions() -> tuple[str, ...]:
    """Return every version that this software can bring forward, newest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(configuration())
    return tuple(script.revision for script in scripts.walk_revisions())
