"""Metadata with its naming convention, and the small pieces every table uses."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, MetaData, String, text

from gateway.store.types import BigId, EnumText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def partial_index(name: str, condition: str, *columns: Column[Any], unique: bool = False) -> Index:
    """Return an index over the rows that meet ``condition``, the same on either database.

    Args:
        condition: SQL; a query uses the index if it says the same in the same words.
    """
    rows = text(condition)
    return Index(name, *columns, unique=unique, sqlite_where=rows, postgresql_where=rows)


def id_column() -> Column[Any]:
    """Return the surrogate key of a table."""
    return Column("id", BigId, primary_key=True)


def reference(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    """Return a foreign key column to the ``id`` of ``target``."""
    return Column(name, BigId, ForeignKey(f"{target}.id"), nullable=nullable)


def body_reference(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column that names stored bytes by their SHA-256."""
    return Column(name, String(64), ForeignKey("bodies.sha256"), nullable=nullable)


def choice(name: str, vocabulary: type[StrEnum], *, nullable: bool = False) -> Column[Any]:
    """Return a column that admits only the members of ``vocabulary``, by CHECK too."""
    listed = ", ".join(f"'{value.value}'" for value in vocabulary)
    check = CheckConstraint(f"{name} IN ({listed})", name=name)
    return Column(name, EnumText(vocabulary), check, nullable=nullable)


def kind(name: str, vocabulary: type[StrEnum]) -> Column[Any]:
    """Return a column for a vocabulary that may grow without a migration: no CHECK."""
    return Column(name, EnumText(vocabulary), nullable=False)
