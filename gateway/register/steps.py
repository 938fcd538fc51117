"""Which steps of the importing side's table a decision of customs amounts to."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.documents import UtilisationStatus
from gateway.errors import ConflictError
from gateway.register.states import ImportEvent, ImportState, advance, is_final

S, E, U = ImportState, ImportEvent, UtilisationStatus
Steps = tuple[ImportEvent, ...]

_PRESENT: Mapping[ImportState, Steps] = {
    S.RECEIVED: (E.MAKE_AVAILABLE, E.PRESENT),
    S.AVAILABLE: (E.PRESENT,),
    S.PRESENTED: (),
}
_QUERY: Mapping[ImportState, Steps] = {
    **{state: (*steps, E.QUERY) for state, steps in _PRESENT.items()},
    S.ACCEPTED: (E.QUERY,),
    S.ACCEPTED_MINOR: (E.QUERY,),
    S.PARTIALLY_UTILISED: (E.QUERY,),
    S.UTILISED: (E.QUERY,),
    S.PENDING: (E.QUERY,),
    S.UNDER_VERIFICATION: (),
}
_ACCEPTED = (S.ACCEPTED, S.ACCEPTED_MINOR, S.PARTIALLY_UTILISED)
_IN_USE = (S.PARTIALLY_UTILISED, S.UTILISED)


def steps_of(
    state: ImportState, status: UtilisationStatus, *, used: bool, spent: bool
) -> Steps | None:
    """Return the events that bring ``state`` where ``status`` says, or None if none may.

    Args:
        used: something is written off, this decision included.
        spent: nothing more may be written off afterwards.
    """
    if status.uses_goods:
        steps = _use(state, spent=spent)
    elif status in (U.ACCEPTED, U.ACCEPTED_MINOR):
        steps = _accept(state, status, used=used, spent=spent)
    else:
        steps = _other(state, status, used=used)
    return steps if steps is not None and _is_walkable(state, steps) else None


def walk(state: ImportState, steps: Steps) -> ImportState:
    """Return the state at the end of ``steps``.

    Raises:
        ConflictError: the table has no such way.
    """
    for event in steps:
        state = advance(state, event)
    return state


def _use(state: ImportState, *, spent: bool) -> Steps | None:
    use = E.USE_ALL if spent else E.USE_PART
    if state in _PRESENT:
        return (*_PRESENT[state], E.ACCEPT, use)  # release without query is acceptance
    return (use,) if state in _ACCEPTED else None


def _accept(
    state: ImportState, status: UtilisationStatus, *, used: bool, spent: bool
) -> Steps | None:
    event = E.ACCEPT if status is U.ACCEPTED else E.ACCEPT_MINOR
    if state in _IN_USE or state.value == status.value:
        return ()
    if state in _PRESENT:
        return (*_PRESENT[state], event)
    if used:
        event = E.RESTORE_ALL if spent else E.RESTORE_PART
    return {S.UNDER_VERIFICATION: (event,), S.PENDING: (E.QUERY, event)}.get(state)


def _other(state: ImportState, status: UtilisationStatus, *, used: bool) -> Steps | None:
    if status is U.RECEIVED:
        return (E.MAKE_AVAILABLE,) if state is S.RECEIVED else None if is_final(state) else ()
    if status is U.EXPIRED_UNUSED:
        return None if used else () if state is S.EXPIRED else (E.EXPIRE,)
    if status is U.PENDING and state is S.PENDING:
        return ()
    if status is U.WITHDRAWN and not used:
        return None
    query = _QUERY.get(state)
    return None if query is None else (*query, *_VERDICTS[status])


_VERDICTS: Mapping[UtilisationStatus, Steps] = {
    U.UNDER_QUERY: (),
    U.PENDING: (E.SUSPEND,),
    U.REJECTED: (E.REJECT,),
    U.WITHDRAWN: (E.WITHDRAW,),
}


def _is_walkable(state: ImportState, steps: Steps) -> bool:
    try:
        walk(state, steps)
    except ConflictError:
        return False
    return True
