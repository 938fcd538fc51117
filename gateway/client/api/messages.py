"""The calls about messages, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from gateway.client.api.shared import FindingView
from gateway.client.calls import Calls, step
from gateway.client.views import Known, View
from gateway.documents.codes import DocumentType, Verdict


class DeliveryState(StrEnum):
    """Is how far one dispatch has come."""

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    RETRYING = "RETRYING"
    HELD = "HELD"
    DELIVERED = "DELIVERED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


class MessageView(View):
    """Is one message, sent or received.

    Attributes:
        state: how far one that we send has come; None for a received one.
    """

    message_id: str
    sent: bool
    peer: str
    document_type: Known[DocumentType]
    document_number: str | None
    conversation_id: str
    refers_to: str | None
    state: Known[DeliveryState] | None
    verdict: Known[Verdict] | None
    code: str | None
    detail: str | None
    at: datetime
    attempts: int
    findings: tuple[FindingView, ...]


class MessagesCalls(Calls):
    """Makes the calls about messages."""

    def get_message(self, message_id: str) -> MessageView:
        """Return one message and what its receipt says.

        GET /messages/{message_id}, with the scope messages:read.
        """
        return self._get(MessageView, f"/messages/{step(message_id)}")
