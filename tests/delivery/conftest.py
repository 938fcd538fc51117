"""Gives every test here real databases, once of each kind, and the corridor on them."""

from tests.databases import (
    make_store,
    make_store_url,
    postgresql_database,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    store,
    store_url,
)
from tests.exchange.conftest import corridor

__all__ = [
    "corridor",
    "make_store",
    "make_store_url",
    "postgresql_database",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "store",
    "store_url",
]
