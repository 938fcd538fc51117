"""The calls about events, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import datetime

from gateway.client.api.shared import EventKind
from gateway.client.calls import Calls
from gateway.client.views import Known, View
from gateway.documents.base import Record


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

    kind: Known[EventKind]
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

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    time: datetime
    subject: str
    datacontenttype: str = "application/json"
    sequence: str
    data: EventData


class FeedAnswer(View):
    """Is a page of the feed; a page may be short or empty and yet not reach to ``last``.

    Attributes:
        next: cursor to go on after, and to confirm once all of the page is dealt with.
        last: cursor of the newest event here.
        confirmed: what the organisation has confirmed.
    """

    events: tuple[EventView, ...]
    next: int
    last: int
    confirmed: int


class ConfirmationForm(Record):
    """Says up to which cursor everything has arrived."""

    cursor: int


class ConfirmedAnswer(View):
    """Is what the organisation has confirmed."""

    confirmed: int


class KindView(View):
    """Is a kind of event with what it means."""

    kind: Known[EventKind]
    type: str
    meaning: str


class KindsAnswer(View):
    """Is the list of the kinds of events."""

    kinds: tuple[KindView, ...]


class EventsCalls(Calls):
    """Makes the calls about events."""

    def read_events(
        self, *, after: int | None = None, limit: int = 100, wait: int = 0
    ) -> FeedAnswer:
        """Return the events after a cursor that the caller may be told of, oldest first.

        GET /events, with the scope events:read.
        """
        return self._get(FeedAnswer, "/events", {"after": after, "limit": limit, "wait": wait})

    def confirm_events(self, content: ConfirmationForm) -> ConfirmedAnswer:
        """Note that everything up to a cursor has arrived; an earlier one changes nothing.

        POST /events/confirmation, with the scope events:read.
        """
        return self._post(ConfirmedAnswer, "/events/confirmation", content)

    def list_event_kinds(self) -> KindsAnswer:
        """Return the kinds of events with what each means.

        GET /event-kinds, with the scope reference:read.
        """
        return self._get(KindsAnswer, "/event-kinds")
