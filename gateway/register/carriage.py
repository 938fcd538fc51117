"""Documents on their way into the register: how they travel, and the rows they become."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.documents import CertificateOfOrigin, CustomsResponse
from gateway.register.contents import content_digest
from gateway.register.finding_keys import keys_of
from gateway.store.rows import NewCertificate, NewItem, ResponseItem
from gateway.store.states import ImportState, IssueState, ResponseStanding, Side
from gateway.store.utilisation import NewResponse

_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Carriage:
    """Says which message carries a document, and where to or from.

    Attributes:
        payload: the signed document, byte for byte.
        peer_id: the destination of what is issued, the sender of what is received; None
            where an issued certificate goes to no peer.
    """

    payload: bytes
    message_id: str
    conversation_id: str
    peer_id: int | None
    at: datetime


def new_certificate(
    coo: CertificateOfOrigin,
    carriage: Carriage,
    *,
    side: Side,
    state: IssueState | ImportState,
) -> NewCertificate:
    """Return the row that ``coo`` becomes."""
    original, replaces = coo.original_certificate, coo.replaces
    return NewCertificate(
        side=side,
        agreement=coo.agreement,
        kind=coo.kind,
        serial_number=coo.serial_number,
        issuing_country=coo.exporting_country,
        destination_country=coo.destination_country,
        issued_on=coo.issued_at.date(),
        valid_until=coo.valid_until,
        authority_code=coo.issuing_authority.code,
        exporter_name=coo.exporter.name,
        exporter_number=coo.exporter.registration_number,
        consignee_name=coo.consignee.name,
        test=coo.test,
        state=state,
        peer_id=carriage.peer_id,
        conversation_id=carriage.conversation_id,
        message_id=carriage.message_id,
        original_country=None if original is None else original.country,
        original_serial=None if original is None else original.serial_number,
        replaces_serial=None if replaces is None else replaces.serial_number,
        content_sha256=content_digest(coo),
        payload=carriage.payload,
        items=_new_items(coo),
        at=carriage.at,
        keys=keys_of(coo),
    )


def new_response(
    response: CustomsResponse,
    *,
    certificate_id: int,
    standing: ResponseStanding,
    content_sha256: str,
    at: datetime,
) -> NewResponse:
    """Return the row of what ``response`` states; which message carried it is not in it yet."""
    return NewResponse(
        certificate_id=certificate_id,
        sequence_number=response.sequence_number,
        status=response.status,
        standing=standing,
        content_sha256=content_sha256,
        items=tuple(
            ResponseItem(
                number=item.number,
                unit=item.cumulative.unit,
                quantity=item.quantity.value,
                cumulative=item.cumulative.value,
            )
            for item in response.items
        ),
        decided_at=response.decided_at,
        stored_at=at,
        reasons=tuple(reason.code for reason in response.reasons),
        response_number=response.response_number,
        declaration_number=None if response.declaration is None else response.declaration.number,
        officer=response.officer.identifier,
    )


def _new_items(coo: CertificateOfOrigin) -> tuple[NewItem, ...]:
    return tuple(
        NewItem(
            number=item.number,
            hs_code=item.hs_code,
            country_of_origin=item.country_of_origin,
            description=item.description[:_SHOWN],
            unit=item.quantity.unit,
            certified=item.quantity.value,
        )
        for item in coo.items
    )
