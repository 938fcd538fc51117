"""The parts of an agreement profile: members, criteria, form boxes, number patterns, limits.

They are data as an operator writes it in YAML; what a profile answers stands in ``profile``.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.documents.base import Amount, Code, CountryCode, CurrencyCode, Day, Record
from gateway.documents.codes import Language
from gateway.documents.findings import LocalisedText

Months = Annotated[int, Field(ge=1, le=120)]
HsPrefix = Annotated[str, Field(pattern=r"^[0-9]{2,6}$")]
HsYear = Annotated[str, Field(pattern=r"^(19|20)[0-9]{2}$")]


class Basis(StrEnum):
    """Says on which kind of proof an origin criterion rests."""

    WHOLLY_OBTAINED = "WHOLLY_OBTAINED"
    MATERIAL_CONTENT = "MATERIAL_CONTENT"
    VALUE_ADDED = "VALUE_ADDED"
    ECONOMIC_IMPORTANCE = "ECONOMIC_IMPORTANCE"
    CHANGE_OF_HEADING = "CHANGE_OF_HEADING"
    PRODUCT_RULE = "PRODUCT_RULE"


class BoxField(StrEnum):
    """Names the data that boxes of the paper form show, whatever number a form gives them."""

    SERIAL_NUMBER = "serial_number"
    REGISTRATION_NUMBER = "registration_number"
    EXPORTER = "exporter"
    CONSIGNEE = "consignee"
    TRANSPORT = "transport"
    ENDORSEMENTS = "endorsements"
    OFFICIAL_USE = "official_use"
    GOODS = "goods"
    HS_CODE = "hs_code"
    CRITERION = "criterion"
    WEIGHT = "weight"
    INVOICE = "invoice"
    DECLARATION = "declaration"
    CERTIFICATION = "certification"


class Use(StrEnum):
    """Says whether one certificate serves one import declaration or several."""

    SINGLE = "SINGLE"
    PARTIAL = "PARTIAL"


class Preference(StrEnum):
    """Says what preference a member grants to certificates of this agreement."""

    FULL = "FULL"
    PARTIAL = "PARTIAL"
    NONE = "NONE"


class Member(Record):
    """Is one member state.

    Attributes:
        preference: what the member grants; a certificate may be valid for less than all.
        note: what a trader should know where the preference is not full.
        since: day of accession, if it matters for dates that occur.
        until: last day of membership.
        languages: languages that its officers read (V80).
        hs_edition: edition of the Harmonized System in its tariff, if known (V35).
    """

    preference: Preference = Preference.FULL
    note: LocalisedText | None = None
    since: Day | None = None
    until: Day | None = None
    languages: tuple[Language, ...] = (Language.ENGLISH,)
    hs_edition: HsYear | None = None

    @model_validator(mode="after")
    def _explains_itself(self) -> Self:
        if self.preference is not Preference.FULL and self.note is None:
            raise ValueError("note: needed where the preference is not full")
        return self

    def is_member_on(self, day: date) -> bool:
        """Return whether the state is a member on ``day``."""
        since, until = self.since, self.until
        return (since is None or since <= day) and (until is None or day <= until)


class Criterion(Record):
    """Is one origin criterion with its letter and threshold."""

    code: Code
    basis: Basis
    name: LocalisedText
    minimum_percentage: Amount | None = None
    maximum_percentage: Amount | None = None


class Box(Record):
    """Is one box of the paper form."""

    number: Annotated[str, Field(min_length=1, max_length=20)]
    title: LocalisedText
    shows: tuple[BoxField, ...] = ()


class NumberPattern(Record):
    """Is the form that a number must have, as a regular expression with named groups.

    Attributes:
        template: how a new number is written, with the same parts in braces.
        date_format: how the part ``date`` writes a day (``strftime``).
    """

    pattern: Annotated[str, Field(min_length=1, max_length=200)]
    template: Annotated[str, Field(min_length=1, max_length=100)]
    example: str
    date_format: str | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        try:
            compiled = re.compile(self.pattern, re.ASCII)
        except re.error as exc:
            raise ValueError(f"pattern is no regular expression: {exc}") from exc
        if compiled.fullmatch(self.example) is None:
            raise ValueError("example does not match pattern")
        if ("date" in compiled.groupindex) != (self.date_format is not None):
            raise ValueError(
                "date_format belongs to a pattern with a group 'date', and to no other"
            )
        if compiled.fullmatch(self._sample()) is None:
            raise ValueError("what template writes does not match pattern")
        return self

    def _sample(self) -> str:
        written = date(2026, 3, 9).strftime(self.date_format or "")
        try:
            return self.template.format(country="ZM", sequence=1, date=written)
        except (LookupError, ValueError) as exc:
            raise ValueError("template may name country, date and sequence only") from exc

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, compiled once."""
        return re.compile(self.pattern, re.ASCII)


class SerialPattern(NumberPattern):
    """Is the form of serial numbers: sequence, date and country (Art. 9.1(d))."""

    @model_validator(mode="after")
    def _names_its_parts(self) -> Self:
        if set(self.compiled.groupindex) != {"sequence", "date", "country"}:
            raise ValueError("pattern must name exactly the groups sequence, date and country")
        return self


class RegistrationPattern(NumberPattern):
    """Is the form of exporters' registration numbers: country and sequence (Art. 6.2(i))."""

    @model_validator(mode="after")
    def _names_its_parts(self) -> Self:
        if set(self.compiled.groupindex) != {"sequence", "country"}:
            raise ValueError("pattern must name exactly the groups sequence and country")
        return self


class Endorsement(Record):
    """Is an official text that belongs into a box, word for word."""

    text: Annotated[str, Field(min_length=1, max_length=200)]
    article: str | None = None


class CustomsUnion(Record):
    """Is a narrower union whose own certificate is expected between its members (V9)."""

    name: Code
    members: Annotated[tuple[CountryCode, ...], Field(min_length=2)]


class Threshold(Record):
    """Is the value limit of simplified certificates, in general or for a pair of states."""

    amount: Amount
    currency: CurrencyCode
    countries: tuple[CountryCode, ...] = ()
    since: Day | None = None


class CommonList(Record):
    """Is the common list of two states for simplified certificates (V70), by tariff prefix."""

    countries: Annotated[tuple[CountryCode, ...], Field(min_length=2, max_length=2)]
    hs_prefixes: Annotated[tuple[HsPrefix, ...], Field(min_length=1)]


class Limits(Record):
    """Holds the numbers that rules compare with; each has the rule that reads it.

    Attributes:
        message_age_days: V86; skew_minutes: V19, V86; retrospective_months: V61;
        issue_after_export_working_days: V59, V60; weekend: days of the week that are no
        working days, Monday is 1; maximum_items: V31; mass_tolerance_percent: V52;
        use_tolerance_percent: V89; minimum_description: V36; minimum_reason: V88 (letters);
        attachment_megabytes: V78 (10^6 bytes).
    """

    message_age_days: Annotated[int, Field(ge=1, le=365)]
    skew_minutes: Annotated[int, Field(ge=0, le=60)]
    retrospective_months: Months
    issue_after_export_working_days: Annotated[int, Field(ge=0, le=30)]
    weekend: tuple[Annotated[int, Field(ge=1, le=7)], ...]
    maximum_items: Annotated[int, Field(ge=1, le=10_000)]
    mass_tolerance_percent: Amount
    use_tolerance_percent: Amount
    minimum_description: Annotated[int, Field(ge=1, le=100)]
    minimum_reason: Annotated[int, Field(ge=1, le=100)]
    attachment_megabytes: Annotated[int, Field(ge=1, le=1000)]

    @model_validator(mode="after")
    def _leave_working_days(self) -> Self:
        if len(set(self.weekend)) > 6:
            raise ValueError("weekend must leave at least one working day")
        if not Decimal(0) <= self.mass_tolerance_percent <= Decimal(10):
            raise ValueError("mass_tolerance_percent must lie between 0 and 10")
        if not Decimal(0) <= self.use_tolerance_percent <= Decimal(10):
            raise ValueError("use_tolerance_percent must lie between 0 and 10")
        return self


class Signatures(Record):
    """Says whose digital signature a certificate must carry (V15)."""

    exporter: bool
    authority: bool
