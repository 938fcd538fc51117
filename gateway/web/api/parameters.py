"""Path and query parameters of the interface, as strict as the documents themselves."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from gateway.documents import CertificateKind, Language
from gateway.documents.base import CountryCode, Day, Identifier, Name
from gateway.store import ImportState, IssueState, LineOutcome, Side
from gateway.web.api.routes import Params

AnyState = IssueState | ImportState
FormatName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Cursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,2000}$")]
Cursor64 = Annotated[int, Field(ge=0, le=2**63 - 1)]
MessageId = Annotated[str, Field(pattern=r"^[!-~]{1,70}$")]


class CertificatePath(Params):
    """Names one certificate: who issued it, under which number."""

    country: CountryCode
    serial: Identifier


class CertificateQuery(Params):
    """Narrows which certificate is meant."""

    issued_on: Day | None = Field(
        default=None, description="Day of issue; another day than the certificate's finds nothing."
    )


class PaperQuery(CertificateQuery):
    """Says how a certificate is printed."""

    language: Language | None = Field(
        default=None, description="Language of the form; that of `Accept-Language` unless given."
    )
    copy_number: Annotated[int, Field(ge=1, le=999)] = Field(
        default=1, description="Number of the copy; the original is electronic."
    )


class SubmitQuery(Params):
    """Says how a document is handed over."""

    format: FormatName | None = Field(
        default=None,
        description="National format of the body; canonical JSON or message XML unless given.",
    )
    dry_run: bool = Field(
        default=False,
        description="Answer what submission would, and what the peer would find; store nothing.",
    )


class DecideQuery(Params):
    """Says whether a decision takes effect."""

    dry_run: bool = Field(
        default=False, description="Answer as without it; write nothing off and send nothing."
    )


class SearchQuery(Params):
    """Says what is searched for; everything given must hold.

    Text keys match by their beginning, in any spelling of case, dashes and digits.
    """

    serial: Identifier | None = None
    exporter: Name | None = Field(default=None, description="Name, registration or tax number.")
    consignee: Name | None = Field(default=None, description="Name or tax number.")
    invoice: Identifier | None = None
    declaration: Identifier | None = Field(
        default=None, description="Number of an export or import declaration."
    )
    hs: Annotated[str, Field(pattern=r"^[0-9]{2,10}$")] | None = Field(
        default=None, description="First two or more digits of a tariff code."
    )
    issuing_country: CountryCode | None = None
    destination_country: CountryCode | None = None
    state: AnyState | None = None
    kind: CertificateKind | None = None
    side: Side | None = None
    issued_from: Day | None = None
    issued_until: Day | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Cursor | None = Field(default=None, description="`next` of the page before.")


class MessagePath(Params):
    """Names one message."""

    message_id: MessageId


class CodeListPath(Params):
    """Names one code list."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]


class CodeListQuery(Params):
    """Narrows the values of a code list."""

    on: date | None = Field(default=None, description="Only values in force on that day.")


class MappingPath(Params):
    """Names one national format."""

    name: FormatName


class AgreementPath(Params):
    """Names one agreement."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,34}$")]


class BatchPath(Params):
    """Names one batch."""

    batch: Annotated[str, Field(pattern=r"^ba_[a-z2-7]{24}$")]


class BatchesQuery(Params):
    """Says which page of batches is wanted."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = Field(
        default=None, description="`next` of the page before."
    )


class ResultsQuery(Params):
    """Says which results of a batch are wanted."""

    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        default=0, description="Only lines behind this one; `next` of the page before."
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    outcome: LineOutcome | None = None
