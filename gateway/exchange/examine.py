"""Examining an authentic message's payload: what can be said before the register is asked.

Pure but for the store's revocation lists, which the caller has already turned into trust.
Everything wrong here is wrong with the *document*, so it becomes findings, never a fault;
only what may pass on a later attempt (a missing revocation list) is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from gateway.agreements import SignatureFacts
from gateway.documents import (
    CertificateOfOrigin,
    CustomsResponse,
    Document,
    DocumentType,
    Finding,
)
from gateway.errors import ConfigError, GatewayError, InvalidDocumentError, SchemaError
from gateway.exchange.context import SIGNING_ROLE, Desk
from gateway.exchange.trust_findings import finding_of
from gateway.trust import PeerTrust, Signer, verify
from gateway.xml.namespaces import RAM_NS, UDT_NS, message_namespace
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class Examined:
    """Is what was found in a payload.

    Attributes:
        document: the document read from what its signature covers; None if none could be.
        code: wire code of what stopped the examination, None if nothing did.
        findings: what is wrong so far.
    """

    document: Document | None
    signer: Signer | None = None
    signature: SignatureFacts | None = None
    code: str | None = None
    findings: tuple[Finding, ...] = ()


def examine(
    desk: Desk, payload: bytes, document_type: DocumentType, trust: PeerTrust, now: datetime
) -> Examined:
    """Return what can be said of ``payload`` before the register is asked.

    1. Parse hardened; the root is the message that the envelope announced.
    2. The document signature is that of an authority registered for the peer's country on
       the date of issue that the document claims (design decision 8).
    3. The signed part follows the schema, and the mapping reads it.
    4. The date of issue read from the signed part is the one judged by.

    Raises:
        GatewayError: only where a later attempt with the same bytes may fare better.
    """
    try:
        return _examine(desk, payload, document_type, trust, now)
    except GatewayError as exc:
        if exc.retryable or isinstance(exc, ConfigError):  # ours to mend, not the document's fault
            raise
        return Examined(document=None, code=exc.code, findings=tuple(_findings_of(exc)))


def _examine(
    desk: Desk, payload: bytes, document_type: DocumentType, trust: PeerTrust, now: datetime
) -> Examined:
    root = parse(payload)  # 1
    _require_announced(root, document_type)
    claimed = claimed_issue_moment(root)
    at = min(claimed, now) if claimed is not None else now
    role = SIGNING_ROLE[document_type]
    verified = verify(payload, trust, role=role, at=at, root=root)  # 2; takes the tree over
    desk.schemas.require_valid(verified.root)  # 3
    document = desk.tables[document_type].read(verified.root)
    if document.issued_at != claimed:  # 4
        raise InvalidDocumentError("the date of issue that is signed is not the one stated")
    return Examined(
        document=document,
        signer=verified.signer,
        signature=signature_facts(document, verified.signer, verified.inner),
    )


def claimed_issue_moment(root: etree._Element) -> datetime | None:
    """Return the date of issue that an unverified document states; only to be verified by."""
    namespace = etree.QName(root).namespace
    text = root.findtext(
        f"{{{namespace}}}ExchangedDocument/{{{RAM_NS}}}IssueDateTime/{{{UDT_NS}}}DateTimeString"
    )
    try:
        return datetime.strptime(text or "", "%Y%m%d%H%M%z")
    except ValueError:
        return None


def signature_facts(document: Document, signer: Signer, inner: Signer | None) -> SignatureFacts:
    """Return what the verified signatures say, in the form that the rules judge."""
    authority = (
        document.issuing_authority
        if isinstance(document, CertificateOfOrigin)
        else document.customs_authority
        if isinstance(document, CustomsResponse)
        else None
    )
    return SignatureFacts(
        signer_country=signer.country,
        signer_subject=signer.subject,
        authority_registered=(
            None
            if authority is None or signer.authority_code is None
            else signer.authority_code == authority.code
        ),
        exporter_signed=inner is not None,
    )


def message_type(root: etree._Element) -> DocumentType:
    """Return which message of ours ``root`` is.

    Raises:
        SchemaError: it is none, or another version.
    """
    for document_type in DocumentType:
        if root.tag == f"{{{message_namespace(document_type)}}}{document_type}":
            return document_type
    raise SchemaError(f"{root.tag!r} is no message that this gateway reads")


def _require_announced(root: etree._Element, document_type: DocumentType) -> None:
    if message_type(root) is not document_type:
        raise SchemaError(
            f"the payload is {root.tag!r}, but the envelope announces {document_type}"
        )


def _findings_of(error: GatewayError) -> Sequence[Finding]:
    return error.findings or (finding_of(error),)
