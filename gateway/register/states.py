"""What may become of a certificate of origin: one table per view, and one way to advance.

The states themselves are the store's (they guard its columns); here stands what follows
what.  Source: domain model 4.1 (after issue), 4.2 (per destination), 4.3 (importing side).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from gateway.errors import ConflictError
from gateway.store.states import ExchangeState, ImportState, IssueState

__all__ = [
    "EXCHANGE_TABLE",
    "FINAL_STATES",
    "IMPORT_TABLE",
    "ISSUE_TABLE",
    "ExchangeEvent",
    "ExchangeState",
    "ImportEvent",
    "ImportState",
    "IssueEvent",
    "IssueState",
    "advance",
    "is_final",
]


class IssueEvent(StrEnum):
    """Names what can happen to a certificate at its issuing side.

    CANCEL and REPLACE: no peer holds it, so nobody needs to be asked.
    """

    ASK_CANCEL = "ASK_CANCEL"
    ASK_REPLACE = "ASK_REPLACE"
    CONFIRM = "CONFIRM"
    REFUSE = "REFUSE"
    CANCEL = "CANCEL"
    REPLACE = "REPLACE"
    EXPIRE = "EXPIRE"


class ExchangeEvent(StrEnum):
    """Names what can happen to one delivery of an issued certificate."""

    SEND = "SEND"
    RECEIPT = "RECEIPT"
    ACCEPT = "ACCEPT"
    REFUSE = "REFUSE"
    GIVE_UP = "GIVE_UP"
    RESEND = "RESEND"


class ImportEvent(StrEnum):
    """Names what can happen to a certificate at its importing side.

    RESTORE_PART and RESTORE_ALL end an audit in the trader's favour.
    """

    MAKE_AVAILABLE = "MAKE_AVAILABLE"
    PRESENT = "PRESENT"
    ACCEPT = "ACCEPT"
    ACCEPT_MINOR = "ACCEPT_MINOR"
    QUERY = "QUERY"
    SUSPEND = "SUSPEND"
    REJECT = "REJECT"
    USE_PART = "USE_PART"
    USE_ALL = "USE_ALL"
    RESTORE_PART = "RESTORE_PART"
    RESTORE_ALL = "RESTORE_ALL"
    WITHDRAW = "WITHDRAW"
    CANCEL = "CANCEL"
    REPLACE = "REPLACE"
    EXPIRE = "EXPIRE"
    REOPEN = "REOPEN"
    REOPEN_PART = "REOPEN_PART"


_I, _IE = IssueState, IssueEvent
ISSUE_TABLE: Mapping[tuple[IssueState, IssueEvent], IssueState] = {
    (_I.ISSUED, _IE.ASK_CANCEL): _I.CANCELLING,
    (_I.ISSUED, _IE.ASK_REPLACE): _I.REPLACING,
    (_I.ISSUED, _IE.CANCEL): _I.CANCELLED,
    (_I.ISSUED, _IE.REPLACE): _I.REPLACED,
    (_I.ISSUED, _IE.EXPIRE): _I.EXPIRED,
    (_I.CANCELLING, _IE.CONFIRM): _I.CANCELLED,
    (_I.CANCELLING, _IE.REFUSE): _I.ISSUED,
    (_I.REPLACING, _IE.CONFIRM): _I.REPLACED,
    (_I.REPLACING, _IE.REFUSE): _I.ISSUED,
}

_X, _XE = ExchangeState, ExchangeEvent
EXCHANGE_TABLE: Mapping[tuple[ExchangeState, ExchangeEvent], ExchangeState] = {
    (_X.QUEUED, _XE.SEND): _X.SENT,
    (_X.QUEUED, _XE.GIVE_UP): _X.UNDELIVERABLE,
    (_X.SENT, _XE.RECEIPT): _X.DELIVERED,
    (_X.SENT, _XE.GIVE_UP): _X.UNDELIVERABLE,
    (_X.DELIVERED, _XE.ACCEPT): _X.RECEIVED,
    (_X.DELIVERED, _XE.REFUSE): _X.REFUSED_BY_PEER,
    (_X.UNDELIVERABLE, _XE.RESEND): _X.QUEUED,
    (_X.REFUSED_BY_PEER, _XE.RESEND): _X.QUEUED,
    (_X.RECEIVED, _XE.RESEND): _X.QUEUED,  # the peer lost it, as its signed statement says
}

_M, _ME = ImportState, ImportEvent
_LIVE_UNUSED = (
    _M.RECEIVED,
    _M.AVAILABLE,
    _M.PRESENTED,
    _M.ACCEPTED,
    _M.ACCEPTED_MINOR,
    _M.UNDER_VERIFICATION,
    _M.PENDING,
)
IMPORT_TABLE: Mapping[tuple[ImportState, ImportEvent], ImportState] = {
    (_M.RECEIVED, _ME.MAKE_AVAILABLE): _M.AVAILABLE,
    (_M.AVAILABLE, _ME.PRESENT): _M.PRESENTED,
    (_M.PRESENTED, _ME.ACCEPT): _M.ACCEPTED,
    (_M.PRESENTED, _ME.ACCEPT_MINOR): _M.ACCEPTED_MINOR,
    (_M.PRESENTED, _ME.QUERY): _M.UNDER_VERIFICATION,
    (_M.UNDER_VERIFICATION, _ME.ACCEPT): _M.ACCEPTED,
    (_M.UNDER_VERIFICATION, _ME.ACCEPT_MINOR): _M.ACCEPTED_MINOR,
    (_M.UNDER_VERIFICATION, _ME.REJECT): _M.REJECTED,
    (_M.UNDER_VERIFICATION, _ME.SUSPEND): _M.PENDING,
    (_M.UNDER_VERIFICATION, _ME.WITHDRAW): _M.WITHDRAWN,
    (_M.UNDER_VERIFICATION, _ME.RESTORE_PART): _M.PARTIALLY_UTILISED,
    (_M.UNDER_VERIFICATION, _ME.RESTORE_ALL): _M.UTILISED,
    (_M.PENDING, _ME.QUERY): _M.UNDER_VERIFICATION,
    **{
        (state, event): following
        for state in (_M.ACCEPTED, _M.ACCEPTED_MINOR, _M.PARTIALLY_UTILISED)
        for event, following in (
            (_ME.USE_PART, _M.PARTIALLY_UTILISED),
            (_ME.USE_ALL, _M.UTILISED),
            (_ME.QUERY, _M.UNDER_VERIFICATION),
        )
    },
    (_M.UTILISED, _ME.QUERY): _M.UNDER_VERIFICATION,  # post-clearance audit
    **{(state, _ME.CANCEL): _M.CANCELLED for state in _LIVE_UNUSED},
    **{(state, _ME.REPLACE): _M.REPLACED for state in _LIVE_UNUSED},
    (_M.RECEIVED, _ME.EXPIRE): _M.EXPIRED,
    (_M.AVAILABLE, _ME.EXPIRE): _M.EXPIRED,
    (_M.PRESENTED, _ME.EXPIRE): _M.EXPIRED,
    (_M.PARTIALLY_UTILISED, _ME.EXPIRE): _M.EXPIRED,
    (_M.EXPIRED, _ME.REOPEN): _M.AVAILABLE,
    (_M.EXPIRED, _ME.REOPEN_PART): _M.PARTIALLY_UTILISED,
}

FINAL_STATES: Mapping[type[StrEnum], frozenset[StrEnum]] = {
    IssueState: frozenset({_I.CANCELLED, _I.REPLACED, _I.EXPIRED}),
    ExchangeState: frozenset({_X.RECEIVED}),
    ImportState: frozenset(
        {_M.UTILISED, _M.REJECTED, _M.WITHDRAWN, _M.CANCELLED, _M.REPLACED, _M.EXPIRED}
    ),
}
"""States in which nobody has anything to do; an audit or a re-opening may still leave them."""

_TABLES: Mapping[type[StrEnum], Mapping[Any, Any]] = {
    IssueState: ISSUE_TABLE,
    ExchangeState: EXCHANGE_TABLE,
    ImportState: IMPORT_TABLE,
}
AnyState = TypeVar("AnyState", IssueState, ExchangeState, ImportState)


def advance(state: AnyState, event: IssueEvent | ExchangeEvent | ImportEvent) -> AnyState:
    """Return the state that follows ``state`` upon ``event``.

    Raises:
        ConflictError: the table has no such step.
    """
    following: AnyState | None = _TABLES[type(state)].get((state, event))
    if following is None:
        raise ConflictError(f"a certificate of origin that is {state} cannot {event}")
    return following


def is_final(state: IssueState | ExchangeState | ImportState) -> bool:
    """Return whether nobody has anything to do about a certificate in this state."""
    return state in FINAL_STATES[type(state)]
