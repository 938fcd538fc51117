"""Gives every test here a real database, once of each kind."""

from tests.databases import (
    empty_url,
    make_store,
    make_store_url,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    store,
    store_url,
)

__all__ = [
    "empty_url",
    "make_store",
    "make_store_url",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "store",
    "store_url",
]
