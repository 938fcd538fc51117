"""Why a message is where it is: who must act, by when, and what happens next by itself.

The states have their sentences in ``gateway.register.guides``; where an attempt failed, its
retry class (``gateway.exchange.retry_table``) says more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.documents.findings import LocalisedText
from gateway.exchange.maintenance import while_away
from gateway.exchange.retry_table import RetryClass, RetryTable, Treatment
from gateway.register.guides import Guide, Owner, guide
from gateway.store import DeliveryState, Dispatch, Maintenance

_GAVE_UP = LocalisedText(
    en="It was given up and waits for a person; `eco resend` sends the same bytes again.",
    fr="Abandonné, en attente d'une personne ; `eco resend` renvoie les mêmes octets.",
    ar="تُركت بانتظار شخص؛ ويعيد `eco resend` إرسال البايتات نفسها.",
)


GOES_BY_ITSELF = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.RETRYING)


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Says why a message waits.

    Attributes:
        deadline: after this it is overdue; None where it has waited too long already.
        next_at: when the gateway acts by itself; None where a person must.
    """

    owner: Owner
    reason: LocalisedText
    next_step: LocalisedText
    deadline: datetime | None
    next_at: datetime | None


def why_waiting(
    dispatch: Dispatch, table: RetryTable, away: tuple[str, Maintenance] | None = None
) -> Wait | None:
    """Return why a message sent from here is not at its end, None where the peer has decided.

    Args:
        away: the peer's identifier and the announced maintenance in which it is now.
    """
    if away is not None and dispatch.state in GOES_BY_ITSELF:
        return _until_back(dispatch, *away)
    if dispatch.state is DeliveryState.FAILED:
        kind = _class_of(dispatch, table)
        return Wait(
            owner=Owner.OPERATOR,
            reason=_GAVE_UP if kind is None else kind.says,
            next_step=_GAVE_UP if kind is None else kind.todo,
            deadline=None,
            next_at=None,
        )
    found = guide(dispatch.state)
    return None if found is None else _waiting(dispatch, found, table)


def _until_back(dispatch: Dispatch, peer: str, one: Maintenance) -> Wait:
    reason, next_step = while_away(peer, one)
    return Wait(
        owner=Owner.GATEWAY,
        reason=reason,
        next_step=next_step,
        deadline=one.ends_at,
        next_at=dispatch.due_at,
    )


def _waiting(dispatch: Dispatch, found: Guide, table: RetryTable) -> Wait:
    kind = _class_of(dispatch, table) if dispatch.state is DeliveryState.RETRYING else None
    calls_for_help = kind is not None and kind.treatment is not Treatment.BACKOFF
    return Wait(
        owner=Owner.OPERATOR if calls_for_help else found.owner,
        reason=found.reason if kind is None else kind.says,
        next_step=found.next_step if kind is None or not calls_for_help else kind.todo,
        deadline=found.deadline(dispatch.updated_at, dispatch.updated_at.date()),
        next_at=dispatch.due_at,
    )


def _class_of(dispatch: Dispatch, table: RetryTable) -> RetryClass | None:
    return None if dispatch.code is None else table.explain(dispatch.code)
