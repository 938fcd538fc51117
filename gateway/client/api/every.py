"""The calls of all parts of the interface together.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from gateway.client.api.access import AccessCalls
from gateway.client.api.certificates import CertificatesCalls
from gateway.client.api.mappings import MappingsCalls
from gateway.client.api.messages import MessagesCalls
from gateway.client.api.reference import ReferenceCalls
from gateway.client.api.responses import ResponsesCalls


class EveryCall(
    AccessCalls, CertificatesCalls, MappingsCalls, MessagesCalls, ReferenceCalls, ResponsesCalls
):
    """Has every call of the interface."""
