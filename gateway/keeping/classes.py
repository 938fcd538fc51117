"""The classes of retention, read from ``mappings/retention.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator

from gateway.documents.base import Record
from gateway.documents.findings import LocalisedText
from gateway.errors import MappingError
from gateway.register.states import FINAL_STATES
from gateway.resources import data_path
from gateway.store.retention_terms import FLOOR_YEARS, Closed, CountedFrom, Selection, Unit, floor
from gateway.store.states import ImportState, IssueState
from gateway.yaml_loaders import SafeLoader

_ISSUED = frozenset(IssueState(state) for state in FINAL_STATES[IssueState])
_RECEIVED = frozenset(ImportState(state) for state in FINAL_STATES[ImportState])
FINAL = Closed(issued=_ISSUED, received=_RECEIVED, fully_used=True)

_DATES: Mapping[Unit, frozenset[CountedFrom]] = {
    Unit.CERTIFICATES: frozenset(CountedFrom) - {CountedFrom.ENTRY},
    Unit.ARRIVALS: frozenset({CountedFrom.LAST_MESSAGE}),
    Unit.DISPATCHES: frozenset({CountedFrom.LAST_MESSAGE}),
    Unit.EVENTS: frozenset({CountedFrom.ENTRY}),
}


class Nobody(StrEnum):
    """Says who may shorten a period."""

    NOBODY = "nobody"


class RetentionClass(Record):
    """Is one class: what belongs to it, and for how long it is kept."""

    id: str = Field(pattern=r"^[a-z][a-z-]{2,39}$")
    label: LocalisedText
    units: tuple[Unit, ...] = Field(min_length=1)
    states: tuple[str, ...]
    fully_used: bool
    years: int = Field(ge=FLOOR_YEARS, le=100)
    calendar_years: bool
    counted_from: tuple[CountedFrom, ...] = Field(min_length=1)
    may_shorten: Literal[Nobody.NOBODY]
    articles: tuple[str, ...] = Field(min_length=1)

    @field_validator("states")
    @classmethod
    def _only_final_states(cls, states: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [state for state in states if state not in _ISSUED | _RECEIVED]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: no final state of a certificate of origin")
        return states

    def model_post_init(self, _context: Any, /) -> None:
        """Refuse dates that the rows of this class do not have."""
        for unit in self.units:
            if not set(self.counted_from) <= _DATES[unit]:
                raise ValueError(f"{unit} are not counted from {', '.join(self.counted_from)}")

    def cutoff(self, now: datetime, *, least_years: int = FLOOR_YEARS) -> date:
        """Return the day before which what was last counted is over its years."""
        years = max(self.years, least_years)
        if self.calendar_years:
            return date(now.astimezone(UTC).year - years, 1, 1)
        return floor(now, years=years).date()

    def selections(self, before: date) -> tuple[Selection, ...]:
        """Return what the store is asked for, one selection for each kind of row."""
        closed = Closed(
            issued=frozenset(state for state in _ISSUED if state.value in self.states),
            received=frozenset(state for state in _RECEIVED if state.value in self.states),
            fully_used=self.fully_used,
        )
        return tuple(
            Selection(
                name=self.id,
                unit=unit,
                closed=closed,
                final=FINAL,
                counted_from=frozenset(self.counted_from),
                before=datetime.combine(before, time.min, UTC),
            )
            for unit in self.units
        )


class _Table(Record):
    classes: tuple[RetentionClass, ...] = Field(min_length=1)


def read_classes(path: Path) -> Mapping[str, RetentionClass]:
    """Return the classes of retention that a file holds, by id.

    Raises:
        MappingError: the file cannot be read, or a class breaks the law or the table.
    """
    try:
        said = yaml.load(path.read_text(encoding="utf-8"), Loader=SafeLoader)  # noqa: S506 - it is safe
        table = _Table.model_validate(said, strict=False)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise MappingError(f"{path.name} cannot be read as YAML") from exc
    except ValidationError as exc:
        places = "; ".join(
            f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()
        )
        raise MappingError(f"{path.name}: {places}") from exc
    found = {each.id: each for each in table.classes}
    if len(found) != len(table.classes):
        raise MappingError(f"{path.name}: an id stands there twice")
    return found


@cache
def retention_classes() -> Mapping[str, RetentionClass]:
    """Return the classes that ship with this version."""
    return read_classes(data_path("mappings", "retention.yaml"))
