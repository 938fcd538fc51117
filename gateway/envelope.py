"""The envelope: header and payload of one message between two gateways, whatever the channel.

Layout: ``schemas/uncefact/Envelope_1p0.xsd``.  ``wrap`` writes an unsigned envelope, ``peek``
reads what an envelope *claims* (only good for choosing whom to believe), ``unwrap`` reads a
root that the verifier returned.  Signing, verifying and parsing live in ``gateway.trust`` and
``gateway.xml``; nothing here opens a socket or reads a clock.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from gateway.documents.codes import DocumentType
from gateway.errors import (
    DigestMismatchError,
    DocumentTypeNotAgreedError,
    SchemaError,
    TooLargeError,
    VersionNotSupportedError,
)
from gateway.xml.mapping.rendering import escape_text
from gateway.xml.namespaces import ECO_BASE, ENVELOPE_NS, SBDH_NS, message_namespace

IDENTIFIER_AUTHORITY: Final = "COMESA-ECO"
"""Who hands out gateway identifiers (``sbdh:Identifier/@Authority``)."""

MAX_PAYLOAD_BYTES: Final = 12_000_000
MAX_ENVELOPE_BYTES: Final = 16_500_000
"""What can be written and read at all; a certificate of 5,000 goods items has ten million bytes."""

USUAL_ENVELOPE_BYTES: Final = 7_000_000
"""What every reader takes, through SOAP and REST alike: base64 in base64 stays below the ten
million characters of one text that libxml2, and all that is built on it, reads unasked.  More is
made and taken only where the settings say so."""

_HEADER_VERSION: Final = "1.0"
_MEDIA_TYPE: Final = "application/xml"
_SHA256_URI: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_LAYOUT: Final = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    f'<eco:Envelope xmlns:eco="{ENVELOPE_NS}">{{header}}'
    f"<eco:Payload><eco:MediaType>{_MEDIA_TYPE}</eco:MediaType>"
    f'<eco:Digest Algorithm="{_SHA256_URI}">{{digest}}</eco:Digest>'
    "<eco:Content>{content}</eco:Content></eco:Payload></eco:Envelope>"
)
_HEADER_LAYOUT: Final = (
    f'<sbdh:StandardBusinessDocumentHeader xmlns:sbdh="{SBDH_NS}">'
    f"<sbdh:HeaderVersion>{_HEADER_VERSION}</sbdh:HeaderVersion>"
    f'<sbdh:Sender><sbdh:Identifier Authority="{IDENTIFIER_AUTHORITY}">{{sender}}'
    "</sbdh:Identifier></sbdh:Sender>"
    f'<sbdh:Receiver><sbdh:Identifier Authority="{IDENTIFIER_AUTHORITY}">{{receiver}}'
    "</sbdh:Identifier></sbdh:Receiver>"
    "<sbdh:DocumentIdentification>"
    "<sbdh:Standard>{standard}</sbdh:Standard>"
    "<sbdh:TypeVersion>{document_version}</sbdh:TypeVersion>"
    "<sbdh:InstanceIdentifier>{message_id}</sbdh:InstanceIdentifier>"
    "<sbdh:Type>{document_type}</sbdh:Type>"
    "<sbdh:CreationDateAndTime>{created_at}</sbdh:CreationDateAndTime>"
    "</sbdh:DocumentIdentification>"
    "<sbdh:BusinessScope>{scopes}</sbdh:BusinessScope>"
    "</sbdh:StandardBusinessDocumentHeader>"
)
_XML_SPACE: Final = b"\t\n\r "
_STAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_INK: Final = "[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\ufffe\uffff]"
_LINE: Final = "[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"

# Ids travel in URLs and in the receipt, so they are plain ASCII of at most 70 characters; a
# conversation may be named as the sender likes.
_TOKEN: Final = re.compile(r"[!-~]{1,70}")
_PATTERNS: Final[Mapping[str, re.Pattern[str]]] = {
    "message_id": _TOKEN,
    "sender": _TOKEN,
    "sender_country": re.compile(r"[A-Z]{2}"),
    "receiver": _TOKEN,
    "receiver_country": re.compile(r"[A-Z]{2}"),
    "document_version": re.compile(r"[0-9]{1,3}\.[0-9]{1,3}"),
    "conversation_id": re.compile(f"{_INK}(?:{_LINE}{{0,198}}{_INK})?"),
    "refers_to": _TOKEN,
}


@dataclass(frozen=True, kw_only=True)
class Header:
    """Says who sends what to whom, when, and in which conversation.

    Attributes:
        message_id: unique for ever, ``urn:uuid:…`` when this gateway writes it.
        sender: identifier of the sending gateway; ``receiver`` likewise.
        created_at: when the message was made, aware; a resend keeps it.
        conversation_id: the life of one certificate, as the sender names it.
        refers_to: message id that this one answers.
        test: a test message, which no live gateway takes.
    """

    message_id: str
    sender: str
    sender_country: str
    receiver: str
    receiver_country: str
    document_type: DocumentType
    document_version: str
    created_at: datetime
    conversation_id: str
    refers_to: str | None = None
    test: bool


def wrap(header: Header, payload: bytes) -> bytes:
    """Return the unsigned envelope that carries ``payload``, below its XML declaration canonical.

    Each namespace is declared where exclusive canonical XML declares it, so that
    ``gateway.trust.sign_canonical`` need not read the envelope again.

    Raises:
        TooLargeError: the payload exceeds ``MAX_PAYLOAD_BYTES``.
        ValueError: our own header cannot stand in an envelope (a mistake of the caller).
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise TooLargeError(f"payload of {len(payload)} bytes; at most {MAX_PAYLOAD_BYTES} fit")
    if not payload:
        raise ValueError("an envelope carries a payload")
    _require_writable(header)
    return _LAYOUT.format(
        header=_written_header(header),
        digest=_base64(hashlib.sha256(payload).digest()),
        content=_base64(payload),
    ).encode()


def peek(root: etree._Element) -> Header:
    """Return the header that a parsed, not yet verified envelope claims to have.

    Raises:
        SchemaError: the header is incomplete or holds a value that none may have.
        VersionNotSupportedError: the envelope is of another major version.
        DocumentTypeNotAgreedError: the document type is none that this gateway knows.
    """
    _require_envelope(root)
    header = _only(root, _sbdh("StandardBusinessDocumentHeader"))
    identification = _only(header, _sbdh("DocumentIdentification"))
    scopes = _scopes(_only(header, _sbdh("BusinessScope")))
    document_type = _document_type(identification)
    return Header(
        message_id=_value("message_id", _child_text(identification, "InstanceIdentifier")),
        sender=_value("sender", _partner(header, "Sender")),
        sender_country=_value("sender_country", scopes.get("SENDER_COUNTRY")),
        receiver=_value("receiver", _partner(header, "Receiver")),
        receiver_country=_value("receiver_country", scopes.get("RECEIVER_COUNTRY")),
        document_type=document_type,
        document_version=_value("document_version", _child_text(identification, "TypeVersion")),
        created_at=_moment(_child_text(identification, "CreationDateAndTime")),
        conversation_id=_value("conversation_id", scopes.get("CONVERSATION_ID")),
        refers_to=_value("refers_to", scopes["REFERS_TO"]) if "REFERS_TO" in scopes else None,
        test=_boolean(scopes.get("TEST")),
    )


def unwrap(root: etree._Element) -> tuple[Header, bytes]:
    """Return header and payload of an envelope root that the verifier returned.

    Raises:
        DigestMismatchError: the payload does not have the digest stated beside it.
        SchemaError, VersionNotSupportedError, DocumentTypeNotAgreedError: see ``peek``.
    """
    header = peek(root)
    part = _only(root, _eco("Payload"))
    if _text(_only(part, _eco("MediaType"))) != _MEDIA_TYPE:
        raise SchemaError(f"the payload's media type is not {_MEDIA_TYPE}")
    digest = _only(part, _eco("Digest"))
    if digest.get("Algorithm") != _SHA256_URI:
        raise SchemaError("the payload's digest is not a SHA-256")
    payload = _decoded(_text(_only(part, _eco("Content"))), "payload")
    stated = _decoded(_text(digest), "digest")
    if not hmac.compare_digest(stated, hashlib.sha256(payload).digest()):
        raise DigestMismatchError("the payload does not have the SHA-256 that the envelope states")
    return header, payload


def _written_header(header: Header) -> str:
    scopes = "".join(
        f"<sbdh:Scope><sbdh:Type>{kind}</sbdh:Type>"
        f"<sbdh:InstanceIdentifier>{escape_text(value)}</sbdh:InstanceIdentifier></sbdh:Scope>"
        for kind, value in _scope_values(header)
    )
    return _HEADER_LAYOUT.format(
        sender=escape_text(header.sender),
        receiver=escape_text(header.receiver),
        standard=escape_text(message_namespace(header.document_type)),
        document_version=header.document_version,
        message_id=escape_text(header.message_id),
        document_type=header.document_type.value,
        created_at=_stamp(header.created_at),
        scopes=scopes,
    )


def _scope_values(header: Header) -> list[tuple[str, str]]:
    refers_to = [] if header.refers_to is None else [("REFERS_TO", header.refers_to)]
    return [
        ("CONVERSATION_ID", header.conversation_id),
        *refers_to,
        ("TEST", "true" if header.test else "false"),
        ("SENDER_COUNTRY", header.sender_country),
        ("RECEIVER_COUNTRY", header.receiver_country),
    ]


def _require_writable(header: Header) -> None:
    for field, pattern in _PATTERNS.items():
        value = getattr(header, field)
        if not (value is None and field == "refers_to") and not pattern.fullmatch(value):
            raise ValueError(f"{field} cannot stand in an envelope header: {value!r}")
    if header.created_at.tzinfo is None:
        raise ValueError("created_at must state its offset from UTC")


def _require_envelope(root: etree._Element) -> None:
    if root.tag == _eco("Envelope"):
        return
    name = etree.QName(root)
    if name.localname == "Envelope" and (name.namespace or "").startswith(f"{ECO_BASE}:Envelope:"):
        raise VersionNotSupportedError(f"envelopes of {name.namespace} are not read here")
    raise SchemaError(f"the root is no Envelope of {ENVELOPE_NS}")


def _document_type(identification: etree._Element) -> DocumentType:
    stated = _child_text(identification, "Type")
    try:
        document_type = DocumentType(stated)
    except ValueError as exc:
        raise DocumentTypeNotAgreedError(f"no {stated[:70]!r} is known here") from exc
    standard = _child_text(identification, "Standard")
    if standard != message_namespace(document_type):
        raise VersionNotSupportedError(
            f"a {document_type} of {standard[:200]!r} is not read here, "
            f"only {message_namespace(document_type)}"
        )
    return document_type


def _partner(header: etree._Element, role: str) -> str:
    identifier = _only(_only(header, _sbdh(role)), _sbdh("Identifier"))
    if identifier.get("Authority") != IDENTIFIER_AUTHORITY:
        raise SchemaError(f"the identifier of the {role} is not one of {IDENTIFIER_AUTHORITY}")
    return _text(identifier)


def _scopes(parent: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for scope in parent.iterchildren(_sbdh("Scope")):
        kind = _child_text(scope, "Type")
        if kind in found:
            raise SchemaError(f"the business scope {kind[:70]!r} stands twice in the header")
        found[kind] = _child_text(scope, "InstanceIdentifier")
    return found


def _value(field: str, stated: str | None) -> str:
    if stated is None:
        raise SchemaError(f"the header lacks its {field}")
    if not _PATTERNS[field].fullmatch(stated):
        raise SchemaError(f"the header's {field} is no acceptable value")
    return stated


def _boolean(stated: str | None) -> bool:
    if stated not in ("true", "false"):
        raise SchemaError("the header does not say whether this is a test ('true' or 'false')")
    return stated == "true"


def _moment(stated: str) -> datetime:
    if not _STAMP.fullmatch(stated):
        raise SchemaError("the creation time is no date and time with offset from UTC")
    try:
        return datetime.fromisoformat(stated).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise SchemaError("the creation time is no date that exists") from exc


def _stamp(moment: datetime) -> str:
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    if not utc.microsecond:
        return utc.isoformat(timespec="seconds") + "Z"
    precision = "microseconds" if utc.microsecond % 1000 else "milliseconds"
    return utc.isoformat(timespec=precision) + "Z"


def _decoded(text: str, what: str) -> bytes:
    try:
        return binascii.a2b_base64(
            text.encode("ascii").translate(None, delete=_XML_SPACE), strict_mode=True
        )
    except (binascii.Error, ValueError) as exc:
        raise SchemaError(f"the {what} is not base64") from exc


def _only(parent: etree._Element, tag: str) -> etree._Element:
    children = list(parent.iterchildren(tag))
    if len(children) != 1:
        raise SchemaError(
            f"{etree.QName(parent).localname} has {len(children)} children "
            f"{etree.QName(tag).localname}, not exactly one"
        )
    return children[0]


def _child_text(parent: etree._Element, name: str) -> str:
    return _text(_only(parent, _sbdh(name)))


def _text(element: etree._Element) -> str:
    if len(element):
        raise SchemaError(f"{etree.QName(element).localname} holds elements where text belongs")
    return element.text or ""


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _eco(name: str) -> str:
    return f"{{{ENVELOPE_NS}}}{name}"


def _sbdh(name: str) -> str:
    return f"{{{SBDH_NS}}}{name}"
