"""The digest of what a document says, whatever signature or spelling of XML carries it."""

from __future__ import annotations

from gateway.documents import Document
from gateway.store.keys import digest
from gateway.store.types import canonical_json


def content_digest(document: Document) -> str:
    """Return the SHA-256 of ``document``'s values in canonical JSON."""
    return digest(canonical_json(document.model_dump(mode="json")).encode())
