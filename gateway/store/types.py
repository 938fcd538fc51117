"""Column types that mean the same on SQLite and PostgreSQL: moments, decimals, JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit key; SQLite numbers rows by itself only where the type is INTEGER."""


class UtcMoment(TypeDecorator[datetime]):
    """Stores an aware point in time as UTC; sortable text of fixed width on SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text on SQLite and ``timestamptz`` elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return what the driver stores.

        Raises:
            ValueError: the time is naive, which is a mistake of our own.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        moment = value.astimezone(UTC)
        return _written(moment) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the stored time as aware UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.fromisoformat(value)
        moment: datetime = value
        return moment.astimezone(UTC)


def _written(moment: datetime) -> str:
    """Return a moment in UTC as text of fixed width, which sorts as the moments do."""
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class ExactDecimal(TypeDecorator[Decimal]):
    """Stores a decimal digit for digit: NUMERIC on PostgreSQL, text on SQLite (never REAL)."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return text on SQLite and unconstrained NUMERIC elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(40))
        return dialect.type_descriptor(Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Return what the driver stores; text without exponent on SQLite."""
        if value is None:
            return None
        return format(value, "f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Return the stored decimal."""
        return None if value is None else Decimal(value)


class EnumText(TypeDecorator[StrEnum]):
    """Stores a member of one closed vocabulary as its text and gives the member back."""

    impl = String
    cache_ok = True

    def __init__(self, vocabulary: type[StrEnum]) -> None:
        super().__init__(40)
        self.vocabulary = vocabulary
        self._texts = {member: member.value for member in vocabulary}
        self._members = {member.value: member for member in vocabulary}

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the member's text.

        Raises:
            ValueError: the value is no member, which is a mistake of our own.
        """
        if value is None:
            return None
        text = self._texts.get(value)
        return self.vocabulary(value).value if text is None else text

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        """Return the member."""
        return None if value is None else self._members.get(value) or self.vocabulary(value)


class JsonText(TypeDecorator[Any]):
    """Stores a JSON value as text with sorted keys, so that digests over it are stable."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return the value as JSON text."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return the JSON value."""
        return None if value is None else json.loads(value)


def canonical_json(value: Any) -> str:
    """Return ``value`` as JSON with sorted keys and no spare white space."""
    return _CANONICAL.encode(value)
