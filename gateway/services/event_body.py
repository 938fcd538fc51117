"""The form of an event as it goes out, by feed and by webhook alike: CloudEvents 1.0 in JSON.

Members are added over time, never renamed or removed within a major version, which stands in
``type``.  What does not apply is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import Field

from gateway.services.wording import View
from gateway.store import Event, EventKind

MEDIA_TYPE: Final = "application/cloudevents+json"
TYPE_PREFIX: Final = "eco.v1."
SOURCE_PREFIX: Final = "urn:comesa:eco:gateway:"


class EventData(View):
    """Says what an event is about; what does not apply is absent.

    Attributes:
        sequence: number of the customs response.
        drawn: quantity by number of the goods item, asked for or written off.
        changed: quantity added to the used total, by number of the goods item.
        remaining: quantity left, by number of the goods item.
        missing: customs responses that were never received.
        reexport: serial number of the certificate of the re-export.
        seconds: how long a peer was silent.
        gateway: which gateway will not answer from `begins_at` to `ends_at`.
        note: why, by language.
    """

    kind: EventKind
    side: str | None = None
    issuing_country: str | None = None
    serial_number: str | None = None
    state: str | None = None
    previous_state: str | None = None
    reason: str | None = None
    replaced_by: str | None = None
    message_id: str | None = None
    conversation_id: str | None = None
    document_type: str | None = None
    document_number: str | None = None
    verdict: str | None = None
    code: str | None = None
    detail: str | None = None
    status: str | None = None
    sequence: int | None = None
    standing: str | None = None
    response: str | None = None
    declaration: str | None = None
    drawn: dict[str, str] | None = None
    changed: dict[str, str] | None = None
    remaining: dict[str, str] | None = None
    missing: int | None = None
    reexport: str | None = None
    problems: tuple[str, ...] | None = None
    decided: str | None = None
    contradicting: str | None = None
    decided_by: str | None = None
    receipt_sha256: str | None = None
    peer: str | None = None
    day: str | None = None
    part: int | None = None
    round: int | None = None
    differences: dict[str, int] | None = None
    statement: str | None = None
    answer: str | None = None
    messages: tuple[str, ...] | None = None
    count: int | None = None
    made_at: datetime | None = None
    last_cursor_in_backup: int | None = None
    seconds: int | None = None
    organisation: str | None = None
    webhook: str | None = None
    gateway: str | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    note: dict[str, str] | None = None


class EventView(View):
    """Is one event as CloudEvents 1.0 says it.

    Attributes:
        id: unique within ``source``; the same event told again has the same.
        source: the gateway that tells.
        type: ``eco.v1.`` and the kind.
        subject: serial number, message id, or identifier of a peer.
        sequence: place in the feed; it only rises, not every number is told.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: datetime
    subject: str
    datacontenttype: Literal["application/json"] = "application/json"
    sequence: str = Field(pattern=r"^[0-9]+$")
    data: EventData


def event_view(event: Event, gateway: str) -> EventView:
    """Return an event as it goes out.

    Args:
        gateway: identifier of the gateway that tells it.
    """
    return EventView(
        id=str(event.cursor),
        source=SOURCE_PREFIX + gateway,
        type=TYPE_PREFIX + event.kind.value,
        time=event.at.astimezone(UTC),
        subject=event.subject,
        sequence=str(event.cursor),
        data=EventData(kind=event.kind, **_known(event.data)),
    )


def event_json(event: Event, gateway: str) -> bytes:
    """Return the bytes of an event as it goes out; the same event gives the same bytes."""
    return event_view(event, gateway).model_dump_json(exclude_none=True).encode()


def _known(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form has a place for; the rest is not for other systems."""
    return {
        name: value
        for name, value in data.items()
        if name in EventData.model_fields and name != "kind" and value is not None
    }
