"""The acknowledgement: the receiving gateway's signed verdict on one delivered message."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.documents.base import Code, CountryCode, Identifier, Moment, Record, Sha256
from gateway.documents.codes import DocumentType, Verdict
from gateway.documents.findings import Finding


class Acknowledgement(Record):
    """Is the answer to one delivered envelope: verdict, findings, digest of what came.

    Attributes:
        acknowledgement_number: number given by the receiving gateway, unique there.
        message_id: id of the message answered.
        envelope_sha256: SHA-256 of the envelope bytes received; proof of receipt.
        code: wire code of the refusal, absent unless refused.
        document_number: serial or response number of the payload, where it could be read.
    """

    acknowledgement_number: Identifier
    issued_at: Moment
    test: bool = False
    sender: Identifier
    sender_country: CountryCode
    receiver: Identifier
    receiver_country: CountryCode
    message_id: Identifier
    envelope_sha256: Sha256
    document_type: DocumentType
    document_number: Identifier | None = None
    received_at: Moment
    verdict: Verdict
    code: Code | None = None
    findings: Annotated[tuple[Finding, ...], Field(max_length=500)] = ()
