"""What customs answered about a certificate, in their own words, as far as it is still kept."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.documents import CustomsResponse, DocumentType
from gateway.errors import GatewayError
from gateway.exchange.context import Desk
from gateway.services.counter import Counter
from gateway.store import CertificateRow, ResponseRow, bodies, utilisation
from gateway.xml.parsing import parse


@dataclass(frozen=True, kw_only=True)
class CustomsAnswer:
    """Is one response; ``document`` is None where only the books' line of it is kept."""

    response: ResponseRow
    document: CustomsResponse | None


def answers_about(counter: Counter, row: CertificateRow) -> tuple[CustomsAnswer, ...]:
    """Return every response about a certificate that the caller has found, newest first."""
    with counter.desk.store.read() as conn:
        found = utilisation.responses(conn, row.id)
        return tuple(
            CustomsAnswer(response=each, document=_document(counter.desk, conn, each))
            for each in reversed(found)
        )


def _document(desk: Desk, conn: Connection, response: ResponseRow) -> CustomsResponse | None:
    if response.payload_sha256 is None:
        return None
    try:
        content = bodies.get(conn, response.payload_sha256)
        found = desk.tables[DocumentType.CUSTOMS_RESPONSE].read(parse(content))
    except GatewayError:  # erased, or of a version that is not read any more
        return None
    return found if isinstance(found, CustomsResponse) else None
