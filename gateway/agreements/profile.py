"""The agreement profile: everything that differs between trade agreements, as data.

A profile is one YAML file in ``mappings/agreements``.  A new agreement is a new file there and
no line of Python.  What the rules do with it stands in ``gateway.agreements.rules``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from gateway.agreements.facts import Point
from gateway.agreements.loading import load_record
from gateway.agreements.parts import (
    Box,
    BoxField,
    CommonList,
    Criterion,
    CustomsUnion,
    Endorsement,
    HsPrefix,
    HsYear,
    Limits,
    Member,
    Months,
    RegistrationPattern,
    SerialPattern,
    Signatures,
    Threshold,
    Use,
)
from gateway.agreements.texts import text_keys
from gateway.documents.base import Code, CountryCode, Day, Record
from gateway.documents.codes import CertificateKind, Severity
from gateway.documents.findings import LocalisedText
from gateway.errors import ConfigError
from gateway.resources import data_path


class Level(StrEnum):
    """Says what a broken rule does at one point; IGNORE switches the rule off there."""

    ERROR = "ERROR"
    QUERY = "QUERY"
    WARNING = "WARNING"
    IGNORE = "IGNORE"

    @property
    def severity(self) -> Severity | None:
        """The severity of the finding, None where the rule is off."""
        return None if self is Level.IGNORE else Severity(self.value)


@dataclass(frozen=True)
class SerialParts:
    """Is what a serial number says about itself (Art. 9.1(d))."""

    sequence: int
    day: date | None
    country: str


class Simplified(Record):
    """Holds the terms of simplified certificates for small-scale traders (V69, V70)."""

    thresholds: Annotated[tuple[Threshold, ...], Field(min_length=1)]
    common_lists: tuple[CommonList, ...] = ()


class Agreement(Record):
    """Is one agreement: who belongs to it, what its certificates look like, what it demands.

    Attributes:
        id: what documents name it, as ``COMESA``.
        active_from: first day on which certificates may be issued under it.
        kinds: kinds of certificate that exist.
        required_attachments: per kind, groups of UN/EDIFACT 1001 codes of which each group
            must be represented (V77).
        retrospective: the endorsement of certificates issued after exportation (V63).
        non_preferential_marks: words that betray a certificate of another class (V3).
        economic_importance: tariff prefixes of goods of particular importance (V44); empty
            means that the list is not kept here.
        assembled_chapters: chapters in which nothing is wholly produced (V41).
        through_documents: transport documents that cover a whole journey (V58).
        levels: per rule and point, where this agreement departs from the rule's own level.
    """

    id: Code
    version: Code
    name: LocalisedText
    active_from: Day
    active_until: Day | None = None
    members: dict[CountryCode, Member]
    kinds: tuple[CertificateKind, ...]
    criteria: tuple[Criterion, ...]
    boxes: tuple[Box, ...]
    serial_number: SerialPattern
    registration_number: RegistrationPattern
    validity_months: Months
    use: Use
    signatures: Signatures
    limits: Limits
    retrospective: Endorsement
    hs_editions: Annotated[tuple[HsYear, ...], Field(min_length=1)]
    simplified: Simplified | None = None
    customs_unions: tuple[CustomsUnion, ...] = ()
    required_attachments: dict[CertificateKind, tuple[tuple[Code, ...], ...]] = Field(
        default_factory=dict
    )
    attachment_media: tuple[str, ...]
    non_preferential_marks: tuple[str, ...] = ()
    economic_importance: tuple[HsPrefix, ...] = ()
    assembled_chapters: tuple[Annotated[str, Field(pattern=r"^[0-9]{2}$")], ...] = ()
    through_documents: tuple[Code, ...] = ()
    levels: dict[str, dict[Point, Level]] = Field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the profile written in ``path``.

        Raises:
            ConfigError: the file is broken; names file, section and key.
        """
        return load_record(cls, path)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _once("members", self.members)
        _once("kinds", self.kinds)
        _once("criteria", (criterion.code for criterion in self.criteria))
        _once("boxes", (box.number for box in self.boxes))
        _once("boxes.shows", (shown for box in self.boxes for shown in box.shows))
        unknown = sorted(set(self.levels) - text_keys())
        if unknown:
            raise ValueError(f"levels: there is no rule {', '.join(unknown)}")
        if (CertificateKind.SIMPLIFIED in self.kinds) != (self.simplified is not None):
            raise ValueError("simplified: belongs to the kind SIMPLIFIED, and to no other")
        return self

    def member(self, country: str, on: date) -> Member | None:
        """Return the member state, or None for a country that is none on that day."""
        found = self.members.get(country)
        return found if found is not None and found.is_member_on(on) else None

    def is_active(self, on: date) -> bool:
        """Return whether certificates may be issued under the agreement on that day."""
        return self.active_from <= on and (self.active_until is None or on <= self.active_until)

    def criterion(self, code: str) -> Criterion | None:
        """Return the criterion with this letter, or None."""
        return self._criteria.get(code)

    def box(self, shown: BoxField) -> str | None:
        """Return the number of the form box that shows the datum, if one does."""
        return self._boxes.get(shown)

    def serial_parts(self, serial_number: str) -> SerialParts | None:
        """Return what the serial number says, or None if it does not have the pattern."""
        match = self.serial_number.compiled.fullmatch(serial_number)
        if match is None:
            return None
        return SerialParts(int(match["sequence"]), self._day(match["date"]), match["country"])

    def format_serial(self, *, sequence: int, day: date, country: str) -> str:
        """Return the serial number that an authority gives to its next certificate."""
        written = day.strftime(self.serial_number.date_format or "%Y%m%d")
        return self.serial_number.template.format(sequence=sequence, date=written, country=country)

    def registration_country(self, number: str) -> str | None:
        """Return the country in an exporter's number, or None if it has not the pattern."""
        match = self.registration_number.compiled.fullmatch(number)
        return None if match is None else match["country"]

    def threshold(self, one: str, other: str, on: date) -> Threshold | None:
        """Return the value limit of simplified certificates between two states on a day."""
        if self.simplified is None:
            return None
        in_force = [t for t in self.simplified.thresholds if t.since is None or t.since <= on]
        own = [t for t in in_force if set(t.countries) == {one, other}]
        general = [t for t in in_force if not t.countries]
        latest = sorted(own or general, key=lambda t: t.since or date.min)
        return latest[-1] if latest else None

    def level(self, key: str, point: Point) -> Level | None:
        """Return the level that the profile sets for a rule or its variant at a point."""
        return self._overrides.get((key, point))

    def overrides_at(self, point: Point) -> tuple[tuple[str, Level], ...]:
        """Return every rule or variant whose level the profile sets at a point."""
        return self._overrides_by_point.get(point, ())

    def _day(self, written: str) -> date | None:
        try:
            return datetime.strptime(written, self.serial_number.date_format or "").date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            return None

    @cached_property
    def _criteria(self) -> Mapping[str, Criterion]:
        return {criterion.code: criterion for criterion in self.criteria}

    @cached_property
    def _boxes(self) -> Mapping[BoxField, str]:
        return {shown: box.number for box in self.boxes for shown in box.shows}

    @cached_property
    def _overrides(self) -> Mapping[tuple[str, Point], Level]:
        return {(k, p): lv for k, points in self.levels.items() for p, lv in points.items()}

    @cached_property
    def _overrides_by_point(self) -> Mapping[Point, tuple[tuple[str, Level], ...]]:
        found: dict[Point, list[tuple[str, Level]]] = {}
        for (key, point), level in self._overrides.items():
            found.setdefault(point, []).append((key, level))
        return {point: tuple(sorted(pairs)) for point, pairs in found.items()}


@cache
def load_agreements(directory: Path | None = None) -> Mapping[str, Agreement]:
    """Return every agreement profile of a directory by id; by default those that ship.

    Raises:
        ConfigError: a file is broken, or two files claim one id.
    """
    folder = data_path("mappings", "agreements") if directory is None else directory
    found: dict[str, Agreement] = {}
    for path in sorted(folder.glob("*.yaml")):
        agreement = Agreement.load(path)
        if agreement.id in found:
            raise ConfigError(f"{path.name}: id: {agreement.id} is the id of another profile")
        found[agreement.id] = agreement
    if not found:
        raise ConfigError(f"no agreement profile (*.yaml) lies in {folder.name}")
    return found


def _once(section: str, values: Iterable[Any]) -> None:
    counts = Counter(iter(values))
    twice = sorted(str(value) for value, count in counts.items() if count > 1)
    if twice:
        raise ValueError(f"{section}: {', '.join(twice)} stands there twice")
    if not counts:
        raise ValueError(f"{section}: must not be empty")
