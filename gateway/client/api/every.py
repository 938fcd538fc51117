"""The calls of all parts of the interface together.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from gateway.client.api.access import AccessCalls
from gateway.client.api.batches import BatchesCalls
from gateway.client.api.certificates import CertificatesCalls
from gateway.client.api.events import EventsCalls
from gateway.client.api.mappings import MappingsCalls
from gateway.client.api.messages import MessagesCalls
from gateway.client.api.reference import ReferenceCalls
from gateway.client.api.responses import ResponsesCalls
from gateway.client.api.webhooks import WebhooksCalls


class EveryCall(
    AccessCalls,
    BatchesCalls,
    CertificatesCalls,
    EventsCalls,
    MappingsCalls,
    MessagesCalls,
    ReferenceCalls,
    ResponsesCalls,
    WebhooksCalls,
):
    """Has every call of the interface."""
