"""Gives every test here two gateways, once on each database, and what they exchanged."""

from __future__ import annotations

from tests.exchange.conftest import (
    corridor,
    make_store,
    make_store_url,
    postgresql_server,
    postgresql_template,
    sqlite_template,
    store_url,
)

__all__ = [
    "corridor",
    "make_store",
    "make_store_url",
    "postgresql_server",
    "postgresql_template",
    "sqlite_template",
    "store_url",
]
