"""Which conversation a message belongs to: derived from what it is about, the same at both ends."""

from __future__ import annotations

import uuid

from gateway.documents import BooksStatement, CertificateOfOrigin, CustomsResponse, Document

_CONVERSATIONS = uuid.UUID("6f0f9a54-2f0a-5c1e-9c38-0d5f5b7a2e11")


def conversation_about(document: Document) -> str:
    """Return the id of the conversation that ``document`` belongs to."""
    if isinstance(document, CustomsResponse):
        reference = document.certificate
        return conversation_of(reference.issuing_country, reference.serial_number)
    if isinstance(document, CertificateOfOrigin):
        return conversation_of(document.exporting_country, document.serial_number)
    if isinstance(document, BooksStatement):
        return books_conversation(document)
    return document.message_id


def conversation_of(issuing_country: str, serial_number: str) -> str:
    """Return the id of the conversation about one certificate, the same at both ends."""
    return uuid.uuid5(_CONVERSATIONS, f"{issuing_country}/{serial_number}").urn


def books_conversation(document: BooksStatement) -> str:
    """Return the id of the conversation about one part of one day, the same at both ends."""
    stated, other = document.sender, document.receiver
    if document.answers is not None:
        stated, other = other, stated
    name = f"books/{stated}/{other}/{document.day.isoformat()}/{document.part}"
    return uuid.uuid5(_CONVERSATIONS, name).urn
