"""The consignments of the demonstration: what is sent, what must come of it, and the texts.

The files lie in ``gateway/demo/consignments``.  Their dates are placeholders, so that they
stay valid for years: ``{{today-3d}}``, ``{{today-1d+12mo:%d%m%Y}}``, ``{{now-1h:%H:%M}}``.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from gateway.documents.base import CountryCode, Identifier
from gateway.documents.certificate_of_origin import CertificateOfOrigin
from gateway.documents.codes import UtilisationStatus, Verdict
from gateway.documents.findings import Finding, LocalisedText
from gateway.documents.shape import from_json
from gateway.errors import ConfigError, InvalidDocumentError
from gateway.xml.national import FormatMark, NationalReading, Reading, load_national_formats

FOLDER = Path(__file__).with_name("consignments")
CANONICAL = "canonical-json"

RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")]


class Entry(BaseModel):
    """Is the base of the manifest's records: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataFile(Entry):
    """Is a certificate in a file of the demonstration.

    Attributes:
        document: position in a file that holds several certificates, from 1.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{3,60}$")]
    file: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{3,60}\.(json|xml|csv)$")]
    format: str
    document: Annotated[int, Field(ge=1)] = 1
    serial: str

    def serial_number(self, now: datetime) -> str:
        """Return the serial number as it stands in the expanded file."""
        return expand(self.serial, now)

    def content(self, now: datetime) -> bytes:
        """Return the file with its dates put in."""
        return expand((FOLDER / self.file).read_text(encoding="utf-8"), now).encode("utf-8")

    @property
    def mapping(self) -> FormatMark | None:
        """The mapping that the file is read with, None for canonical JSON."""
        return None if self.format == CANONICAL else load_national_formats()[self.format].mark

    def reading(self, now: datetime) -> NationalReading:
        """Return the certificate of the file, or the findings why it cannot be read."""
        raw = self.content(now)
        if self.format == CANONICAL:
            return _read_canonical(raw, self.serial_number(now))
        return load_national_formats()[self.format].read(raw)[self.document - 1]


class Original(DataFile):
    """Is a third country's certificate behind a re-export.

    Its country has no gateway in the demonstration, so that the re-export meets V65: an
    officer compares the paper.  Recorded as received by the holder beforehand, it would not.

    Attributes:
        holder: state that holds it and issues the re-export certificate.
    """

    holder: CountryCode


class ItemUse(Entry):
    """Is a quantity of one goods item."""

    number: Annotated[int, Field(ge=1)]
    quantity: Annotated[Decimal, Field(ge=0, max_digits=18)]
    unit: Identifier


class ImportDeclaration(Entry):
    """Is the import declaration that uses the certificate."""

    number: str
    office: str


class ActionReason(Entry):
    """Is one reason of a planned customs response (code list response-reasons)."""

    code: Identifier
    text: str
    item: int | None = None


class CustomsAction(Entry):
    """Is one planned step of the importing customs.

    Attributes:
        items: written off by this step; the cumulative totals follow from the steps before.
        refused_with: rule ids with which our own gateway must refuse the step; empty when it
            must go through.
    """

    status: UtilisationStatus
    office: Identifier
    items: tuple[ItemUse, ...] = ()
    declaration: ImportDeclaration | None = None
    reasons: tuple[ActionReason, ...] = ()
    refused_with: tuple[RuleId, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.status.uses_goods != bool(self.items):
            raise ValueError("items are for PARTIAL and FULL, and for these only")
        if self.status.uses_goods and self.declaration is None:
            raise ValueError("goods are used by a declaration")
        if self.status.needs_reason and not self.reasons:
            raise ValueError("this status needs a reason")
        return self


class Submission(Entry):
    """Is what must come of handing the file to the sending gateway.

    Attributes:
        rules: rule ids of every finding that must be there: errors when refused, warnings
            when accepted.  Nothing else may be found.
    """

    accepted: bool
    rules: tuple[RuleId, ...] = ()


class Outcome(Entry):
    """Is how far the certificate is used at the end, on both sides."""

    status: UtilisationStatus
    items: tuple[ItemUse, ...] = ()


class Consignment(DataFile):
    """Is one certificate of the demonstration and its planned life.

    Attributes:
        after: id of the consignment that must have been submitted before this one.
        verdict: of the receiving gateway; None when nothing is sent.
        verdict_rules: rule ids of the receiving gateway's findings.
    """

    sender: CountryCode
    receiver: CountryCode
    after: str | None = None
    story: LocalisedText
    submission: Submission
    verdict: Verdict | None = None
    verdict_rules: tuple[RuleId, ...] = ()
    actions: tuple[CustomsAction, ...] = ()
    outcome: Outcome | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.submission.accepted != (self.verdict is not None):
            raise ValueError("what is accepted is sent and gets a verdict, what is not is not")
        if bool(self.actions) != (self.outcome is not None):
            raise ValueError("actions have an outcome")
        return self


class Manifest(Entry):
    """Lists the consignments in the order of submission, and the originals of re-exports."""

    edition: int
    originals: tuple[Original, ...] = ()
    consignments: tuple[Consignment, ...]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        known: set[str] = set()
        for consignment in self.consignments:
            if consignment.id in known:
                raise ValueError(f"{consignment.id} is listed twice")
            if consignment.after is not None and consignment.after not in known:
                raise ValueError(f"{consignment.id} comes before {consignment.after}")
            known.add(consignment.id)
        return self


def load_manifest(path: Path = FOLDER / "manifest.yaml") -> Manifest:
    """Return the manifest.

    Raises:
        ConfigError: it cannot be read or is wrong; the detail names the place.
    """
    try:
        return Manifest.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as exc:
        raise ConfigError(f"{path.name}: cannot be read ({type(exc).__name__})") from exc
    except ValidationError as exc:
        error = exc.errors(include_input=False)[0]
        place = ".".join(str(part) for part in error["loc"])
        raise ConfigError(f"{path.name}, {place}: {error['msg']}") from exc


_PLACEHOLDER = re.compile(
    r"\{\{(?P<base>today|now)(?P<shifts>(?:[+-][0-9]{1,4}(?:d|h|mo))*)(?::(?P<form>[^{}]{1,30}))?\}\}"
)
_SHIFT = re.compile(r"([+-][0-9]{1,4})(d|h|mo)")
_FORMS = {"today": "%Y-%m-%d", "now": "%Y-%m-%dT%H:%M+00:00"}


def expand(text: str, now: datetime) -> str:
    """Return ``text`` with its date placeholders put in, in UTC.

    ``today`` and ``now`` may be shifted by days (``-3d``), hours (``+2h``) and calendar months
    (``+12mo``), one after the other; after a colon comes the form as strftime writes it.
    """
    moment = now.astimezone(UTC)
    return _PLACEHOLDER.sub(lambda match: _expanded(match, moment), text)


def _expanded(match: re.Match[str], moment: datetime) -> str:
    for amount, unit in _SHIFT.findall(match["shifts"]):
        moment = _shifted(moment, int(amount), unit)
    return moment.strftime(match["form"] or _FORMS[match["base"]])


def _shifted(moment: datetime, amount: int, unit: str) -> datetime:
    if unit == "d":
        return moment + timedelta(days=amount)
    if unit == "h":
        return moment + timedelta(hours=amount)
    months = moment.year * 12 + moment.month - 1 + amount
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def _read_canonical(raw: bytes, serial: str) -> NationalReading:
    try:
        return Reading(serial, from_json(CertificateOfOrigin, raw), ())
    except InvalidDocumentError as exc:
        findings: tuple[Finding, ...] = exc.findings
        return Reading(serial, None, findings)
