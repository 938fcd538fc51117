"""Names that messages use: namespaces, prefixes, guideline ids; no logic beyond spelling them.

The base of our own namespaces is one constant, because ``draft`` becomes ``standard`` on the
day the member states adopt the messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.documents.codes import DocumentType

ECO_BASE: Final = "urn:comesa:eco:data:draft"
MAJOR_VERSION: Final = "1"
ENVELOPE_NS: Final = f"{ECO_BASE}:Envelope:{MAJOR_VERSION}"

SBDH_NS: Final = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
DS_NS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N_NS: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
RAM_NS: Final = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
UDT_NS: Final = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
QDT_NS: Final = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"

GUIDELINES: Final[Mapping[DocumentType, str]] = MappingProxyType(
    {
        DocumentType.CERTIFICATE_OF_ORIGIN: "urn:comesa:eco:guideline:certificate-of-origin:1.0",
        DocumentType.CUSTOMS_RESPONSE: "urn:comesa:eco:guideline:customs-response:1.0",
        DocumentType.ACKNOWLEDGEMENT: "urn:comesa:eco:guideline:acknowledgement:1.0",
        DocumentType.BOOKS_STATEMENT: "urn:comesa:eco:guideline:books-statement:1.0",
    }
)
"""Guideline ids: the last number is the minor version, which receivers do not insist on."""

MESSAGE_PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {"ram": RAM_NS, "udt": UDT_NS, "qdt": QDT_NS}
)
"""Prefixes that mapping tables may use beside ``rsm``, which is the message's own namespace."""


def message_namespace(document_type: DocumentType) -> str:
    """Return the namespace of the message that carries ``document_type``."""
    return f"{ECO_BASE}:{document_type}:{MAJOR_VERSION}"
