"""The calls about mappings, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.client.api.shared import FindingView
from gateway.client.calls import Calls, step
from gateway.client.views import Known, View
from gateway.documents.base import Record
from gateway.documents.codes import DocumentType, Severity, Verdict
from gateway.documents.findings import LocalisedText


class Origin(StrEnum):
    """Says where a value of a document comes from."""

    SOURCE = "SOURCE"
    CONSTANT = "CONSTANT"
    DEFAULT = "DEFAULT"
    POSITION = "POSITION"
    MODEL = "MODEL"


class Became(StrEnum):
    """Says what a new version of a mapping makes of a document."""

    CHANGED = "CHANGED"
    NOW_FAILS = "NOW_FAILS"
    NOW_PASSES = "NOW_PASSES"
    GONE = "GONE"
    NEW = "NEW"


class MistakeView(View):
    """Is one thing that is wrong in a mapping file.

    Attributes:
        severity: an ERROR keeps the file out of force, a WARNING does not.
    """

    file: str
    line: int
    row: str | None
    severity: Known[Severity]
    problem: str
    remedy: str


class MappingSummary(View):
    """Is a national format with the version in force and where it comes from.

    Attributes:
        own: its file lies in the gateway home; otherwise it ships with the gateway.
        version, sha256, label: of the version in force; null where there is none.
        refused: why the file as it stands is not in force; empty where it is.
    """

    name: str
    own: bool
    version: str | None
    sha256: str | None
    label: LocalisedText | None
    media_type: str | None
    carrier: str | None
    refused: tuple[MistakeView, ...]


class MappingsAnswer(View):
    """Is the list of national formats with the versions in force."""

    mappings: tuple[MappingSummary, ...]


class CheckView(View):
    """Is what was found in one mapping file.

    Attributes:
        sound: it may be put in force; nothing in it is an error.
        name, version, sha256: null where the file is no YAML.
    """

    file: str
    name: str | None
    version: str | None
    sha256: str | None
    sound: bool
    mistakes: tuple[MistakeView, ...]


class UnreadView(View):
    """Is a field of samples that no row reads.

    Attributes:
        count: how often it stood there with a value.
        example: where it stood first.
    """

    field: str
    count: int
    example: str


class LeftOutView(View):
    """Is what a mapping leaves out on purpose, and why."""

    name: str
    reason: str


class SectionCoverage(View):
    """Is what one section of a mapping covers.

    Attributes:
        fields: how many fields such a document can have.
        unfillable: targets that every document must have and that can never be filled.
        unmapped: other targets without a row.
        unfilled: targets with a row that no sample has filled; empty without samples.
        unread: fields of the samples that no row reads.
        ignored: fields of the source that are lost on purpose.
        omitted: fields of the document that are lost on purpose when one is written.
        read, failed: documents of the samples.
        cut: a sample holds more documents than are looked at.
    """

    document_type: Known[DocumentType]
    fields: int
    unfillable: tuple[str, ...]
    unmapped: tuple[str, ...]
    unfilled: tuple[str, ...]
    unread: tuple[UnreadView, ...]
    ignored: tuple[LeftOutView, ...]
    omitted: tuple[LeftOutView, ...]
    read: int
    failed: int
    cut: bool


class CoverageView(View):
    """Is what a mapping covers of the documents, and loses of the samples."""

    mapping: CheckView
    sections: tuple[SectionCoverage, ...]


class MappingForm(Record):
    """Names a mapping: a format in force here, or the text of a mapping file.

    Attributes:
        name: of a format in force.
        text: of a mapping file; it is looked at and not kept.
    """

    name: str | None = None
    text: str | None = None


class CheckForm(Record):
    """Asks what is wrong with the text of a mapping file."""

    mapping: MappingForm


class _AboutSamples(Record):
    """Is the base of questions about samples.

    Attributes:
        response: the samples hold customs responses, not certificates of origin.
    """

    response: bool = False


class SampleForm(Record):
    """Is one national file to try a mapping on; it is looked at and not kept.

    Attributes:
        name: what answers call it.
        text: the file, where it is UTF-8.
        base64: the file byte for byte, where it is not.
    """

    name: str = "sample"
    text: str | None = None
    base64: str | None = None


class CoverageForm(_AboutSamples):
    """Asks what a mapping covers, and what it loses of samples."""

    mapping: MappingForm
    samples: tuple[SampleForm, ...] = ()


class TrialForm(_AboutSamples):
    """Asks what would become of the documents of a sample."""

    mapping: MappingForm
    sample: SampleForm


class PlaceView(View):
    """Is where a value stood in a sample: a line, a place by names, or both."""

    line: int | None
    place: str
    text: str


class FieldView(View):
    """Is one field of a document, side by side in the sample, the document and the message.

    Attributes:
        field: path in the document, as ``items[0].hs_code``.
        label: what people call it.
        box: of the paper form.
        origin: where its value comes from.
        row_line: line of the mapping file that filled it.
        source: what stood in the sample; several where a row joins them.
        document: the value; null where it could not be read.
        xml_path, xml: the same in the message; null where the message has no row for it.
    """

    field: str
    label: str | None
    box: str | None
    origin: Known[Origin]
    row_line: int | None
    source: tuple[PlaceView, ...]
    document: str | None
    xml_path: str | None
    xml: str | None


class TriedView(View):
    """Is one document of a sample, as it would be read, judged and sent.

    Attributes:
        receiver: peer that would get it; null where none is registered.
        cut: there are more fields than are shown.
    """

    reference: str
    document_type: Known[DocumentType]
    readable: bool
    verdict: Known[Verdict]
    receiver: str | None
    fields: tuple[FieldView, ...]
    cut: bool
    unread: tuple[PlaceView, ...]
    findings: tuple[FindingView, ...]


class TrialView(View):
    """Is a sample tried with a mapping; no documents where the mapping is not sound.

    Attributes:
        cut: the sample holds more documents than are tried.
    """

    mapping: CheckView
    documents: tuple[TriedView, ...]
    cut: bool


class ComparisonForm(_AboutSamples):
    """Asks which documents of samples come out differently with a new version of a mapping."""

    old: MappingForm
    new: MappingForm
    samples: tuple[SampleForm, ...]


class FieldChange(View):
    """Is one field that comes out differently; null where it has no value."""

    field: str
    old: str | None
    new: str | None


class DocumentChange(View):
    """Is one document of the samples that comes out differently.

    Attributes:
        findings: of the version with which it cannot be read.
    """

    file: str
    reference: str
    became: Known[Became]
    fields: tuple[FieldChange, ...]
    findings: tuple[FindingView, ...]


class ComparisonView(View):
    """Is what a new version of a mapping makes of samples, compared with the old one.

    Attributes:
        same: documents that come out the same, or fail with both.
        cut: a sample holds more documents than are compared.
    """

    old: CheckView
    new: CheckView
    documents: int
    same: int
    changes: tuple[DocumentChange, ...]
    cut: bool


class MappingsCalls(Calls):
    """Makes the calls about mappings."""

    def list_mappings(self) -> MappingsAnswer:
        """Return the national formats with the versions in force, and why a newer one is not.

        GET /mappings, with the scope reference:read.
        """
        return self._get(MappingsAnswer, "/mappings")

    def get_coverage(self, name: str) -> CoverageView:
        """Return what a format covers of the documents.

        GET /mappings/{name}/coverage, with the scope reference:read.
        """
        return self._get(CoverageView, f"/mappings/{step(name)}/coverage")

    def check_mapping(self, content: CheckForm) -> CheckView:
        """Name every mistake in a mapping file, with line and remedy.

        POST /mappings:check, with the scope mappings:try.
        """
        return self._post(CheckView, "/mappings:check", content)

    def cover_samples(self, content: CoverageForm) -> CoverageView:
        """Say which targets a mapping never fills, and which fields of samples it never reads.

        POST /mappings:coverage, with the scope mappings:try.
        """
        return self._post(CoverageView, "/mappings:coverage", content)

    def try_mapping(self, content: TrialForm) -> TrialView:
        """Show a sample as it stands, as document and as message, with every finding.

        POST /mappings:try, with the scope mappings:try.
        """
        return self._post(TrialView, "/mappings:try", content)

    def compare_mappings(self, content: ComparisonForm) -> ComparisonView:
        """Say which documents of samples come out differently with a new version of a mapping.

        POST /mappings:diff, with the scope mappings:try.
        """
        return self._post(ComparisonView, "/mappings:diff", content)
