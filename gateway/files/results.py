"""The form of results: what became of a file, and of each document in it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from gateway.documents import Finding, Language
from gateway.errors import GatewayError
from gateway.services.submission import Taken
from gateway.services.wording import FindingView, ReceiverView, View, finding_view, receiver_view


class Outcome(StrEnum):
    """Says what became of a file or a document.

    PARTLY: of some documents in the file, the others were refused.
    QUARANTINED: the file could not be read at all.
    """

    TAKEN = "TAKEN"
    PARTLY = "PARTLY"
    REFUSED = "REFUSED"
    QUARANTINED = "QUARANTINED"


class ProblemPart(View):
    """Says why something could not be done; see docs/errors.md."""

    code: str
    detail: str
    remedy: str


class DocumentResult(View):
    """Is what became of one document.

    Attributes:
        reference: what its sender will recognise it by: serial number, line.
        message_id: of the message that carries it.
        repeated: it was handed over before; nothing new was stored.
    """

    reference: str
    outcome: Outcome
    issuing_country: str | None = None
    serial_number: str | None = None
    document_number: str | None = None
    message_id: str | None = None
    repeated: bool = False
    receiver: ReceiverView | None = None
    problem: ProblemPart | None = None
    findings: tuple[FindingView, ...] = ()


class FileResult(View):
    """Is what became of a file.

    Attributes:
        file: its name; what is no printable character is written out.
        sha256: of its content; absent where it was not read.
        findings: about the file as a whole, where it could not be read.
    """

    file: str
    inbox: str
    organisation: str
    outcome: Outcome
    at: datetime
    sha256: str | None = None
    problem: ProblemPart | None = None
    findings: tuple[FindingView, ...] = ()
    documents: tuple[DocumentResult, ...] = ()


def taken_result(reference: str, taken: Taken, language: Language) -> DocumentResult:
    """Return the result of a document that was taken."""
    submission, peer = taken.submission, taken.peer
    return DocumentResult(
        reference=reference,
        outcome=Outcome.TAKEN,
        issuing_country=taken.issuing_country,
        serial_number=taken.serial_number,
        document_number=submission.document_number,
        message_id=submission.message_id,
        repeated=submission.repeated,
        receiver=None if peer is None else receiver_view(peer),
        findings=tuple(finding_view(each, language) for each in submission.findings),
    )


def refused_result(
    reference: str,
    problem: ProblemPart | None,
    findings: tuple[Finding, ...],
    language: Language,
) -> DocumentResult:
    """Return the result of a document that was refused; nothing of it was stored."""
    return DocumentResult(
        reference=reference,
        outcome=Outcome.REFUSED,
        problem=problem,
        findings=tuple(finding_view(each, language) for each in findings),
    )


def problem_part(error: GatewayError) -> ProblemPart:
    """Return an error as results word it."""
    return ProblemPart(code=error.code, detail=error.detail, remedy=error.remedy)


def outcome_of(documents: tuple[DocumentResult, ...]) -> Outcome:
    """Return what became of a file with these documents."""
    found = {each.outcome for each in documents}
    if found == {Outcome.TAKEN}:
        return Outcome.TAKEN
    return Outcome.PARTLY if Outcome.TAKEN in found else Outcome.REFUSED
