"""What the workbench is asked from afar: mappings by name or as text, samples, all bounded."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from gateway.documents import DocumentType
from gateway.documents.base import Record
from gateway.errors import InputError
from gateway.exchange.intake import national_format
from gateway.services.mappings.samples import Sample
from gateway.xml.national import Examination, FormatCatalogue, examination_of, examine

MOST_MAPPING: Final = 120_000
MOST_SAMPLE: Final = 400_000
MOST_SAMPLES: Final = 20

FormatName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class MappingForm(Record):
    """Names a mapping: a format in force here, or the text of a mapping file.

    Attributes:
        name: of a format in force.
        text: of a mapping file; it is looked at and not kept.
    """

    name: FormatName | None = None
    text: Annotated[str, Field(max_length=MOST_MAPPING)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.name is None) is (self.text is None):
            raise ValueError("give either `name` or `text`")
        return self


class SampleForm(Record):
    """Is one national file to try a mapping on; it is looked at and not kept.

    Attributes:
        name: what answers call it.
        text: the file, where it is UTF-8.
        base64: the file byte for byte, where it is not.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)] = "sample"
    text: Annotated[str, Field(max_length=MOST_SAMPLE)] | None = None
    base64: Annotated[str, Field(max_length=MOST_SAMPLE)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.text is None) is (self.base64 is None):
            raise ValueError("give either `text` or `base64`")
        return self


class CheckForm(Record):
    """Asks what is wrong with the text of a mapping file."""

    mapping: MappingForm


class _AboutSamples(Record):
    """Is the base of questions about samples.

    Attributes:
        response: the samples hold customs responses, not certificates of origin.
    """

    response: bool = False

    @property
    def kind(self) -> DocumentType:
        """What type of document the samples hold."""
        return (
            DocumentType.CUSTOMS_RESPONSE if self.response else DocumentType.CERTIFICATE_OF_ORIGIN
        )


class CoverageForm(_AboutSamples):
    """Asks what a mapping covers, and what it loses of samples."""

    mapping: MappingForm
    samples: Annotated[tuple[SampleForm, ...], Field(max_length=MOST_SAMPLES)] = ()


class TrialForm(_AboutSamples):
    """Asks what would become of the documents of a sample."""

    mapping: MappingForm
    sample: SampleForm


class ComparisonForm(_AboutSamples):
    """Asks which documents of samples come out differently with a new version of a mapping."""

    old: MappingForm
    new: MappingForm
    samples: Annotated[tuple[SampleForm, ...], Field(min_length=1, max_length=MOST_SAMPLES)]


def examined(form: MappingForm, catalogue: FormatCatalogue) -> Examination:
    """Return what is found in the mapping that a form names.

    Raises:
        NotFoundError: no format has this name.
    """
    if form.text is not None:
        return examine(form.text.encode("utf-8", "replace"), "mapping")
    return examination_of(national_format(form.name or "", catalogue))


def samples_of(forms: Sequence[SampleForm]) -> tuple[Sample, ...]:
    """Return the samples that forms hold.

    Raises:
        InputError: one is no base64, or together they are too long.
    """
    found = tuple(Sample(name=form.name, raw=_raw(form)) for form in forms)
    if sum(len(each.raw) for each in found) > 2 * MOST_SAMPLE:
        raise InputError(f"the samples are longer than {2 * MOST_SAMPLE} bytes together")
    return found


def _raw(form: SampleForm) -> bytes:
    if form.base64 is None:
        return (form.text or "").encode("utf-8", "replace")
    try:
        return base64.b64decode(form.base64, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InputError(f"the sample {form.name!r} is no base64") from exc
