"""Gives every test here a real database, once of each kind."""

from tests.databases import (
    empty_url,
    postgresql_database,
    postgresql_server,
    sqlite_template,
    store,
    store_url,
)

__all__ = [
    "empty_url",
    "postgresql_database",
    "postgresql_server",
    "sqlite_template",
    "store",
    "store_url",
]
