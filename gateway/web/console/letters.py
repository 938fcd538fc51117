"""Pages of messages: lists, one message with its attempts, dead letters, what was turned away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Final

from gateway.documents import DocumentType
from gateway.errors import ConflictError, GatewayError, InputError
from gateway.services.operating import letters
from gateway.services.operating.desk import known_peer, required_reason
from gateway.services.people.roles import Right
from gateway.store import DeliveryState, envelopes
from gateway.store.dead_letters import WAITING, Choice
from gateway.web.console.pages import Answer, Go, Method, Page, Shown, Visit

EACH: Final = 50
UNDER_WAY: Final = "UNDER_WAY"
"""Stands in addresses for every state that is not the end."""
_LONGEST_NUMBER: Final = 18
_CODE_LENGTH: Final = 40


def show_messages(visit: Visit) -> Answer:
    """List messages sent from here by state and peer, the newest first."""
    state = stated(DeliveryState, visit.query.get("state"))
    rows = letters.sent(
        visit.operating,
        peer_id=peer_id(visit),
        state=state,
        under_way=visit.query.get("state") == UNDER_WAY,
        before=before(visit),
        limit=EACH,
    )
    values = {
        "rows": rows[:EACH],
        "go_on": rows[EACH - 1].dispatch.id if len(rows) > EACH else None,
        "states": (UNDER_WAY, *DeliveryState),
        "asked": kept(visit, "peer", "state"),
    }
    return Shown(template="messages.html", values=values)


def show_message(visit: Visit) -> Answer:
    """Show the envelope of one message, its attempts, their causes and remedies."""
    return _message_page(visit)


def resend_message(visit: Visit) -> Answer:
    """Queue a message again, or let a held one go."""
    return _done(visit, letters.resend)


def hold_message(visit: Visit) -> Answer:
    """Keep a message back."""
    return _done(visit, letters.hold)


def show_dead(visit: Visit) -> Answer:
    """List the messages of a choice that wait for a person, with the count to confirm."""
    return _dead_page(visit, visit.query)


def resend_dead(visit: Visit) -> Answer:
    """Queue a whole choice again if it still holds the number that was shown."""
    try:
        resent = letters.resend_chosen(
            visit.operating,
            _choice(visit, visit.form),
            whole_number(visit.form.get("count")) or 0,
            actor=visit.person.actor,
            reason=required_reason(visit.form.get("reason", "")),
        )
    except (InputError, ConflictError) as exc:
        return _dead_page(visit, visit.form, failure=exc)
    return _dead_page(visit, visit.form, queued=resent.total)


def show_attempts(visit: Visit) -> Answer:
    """List the newest attempts, failed ones only if asked."""
    failed = visit.query.get("failed") == "yes"
    with visit.operating.desk.store.read() as conn:
        part = envelopes.tried(
            conn,
            peer_id=peer_id(visit),
            failed=failed,
            delivered=visit.query.get("delivered") == "yes",
            since=since(visit),
            before=before(visit),
            limit=EACH,
        )
    asked = kept(visit, "peer", "failed", "delivered", "since")
    values = {"part": part, "asked": asked, "since": since(visit)}
    return Shown(template="attempts.html", values=values)


def show_arrivals(visit: Visit) -> Answer:
    """List the newest messages that came, refused ones only if asked."""
    refused = visit.query.get("refused") == "yes"
    with visit.operating.desk.store.read() as conn:
        part = envelopes.came(
            conn,
            peer_id=peer_id(visit),
            refused=refused,
            since=since(visit),
            before=before(visit),
            limit=EACH,
        )
    asked = kept(visit, "peer", "refused", "since")
    values = {"part": part, "asked": asked, "since": since(visit)}
    return Shown(template="arrivals.html", values=values)


def show_turned_away(visit: Visit) -> Answer:
    """List the calls that got a fault and no receipt."""
    begins = since(visit)
    rows = letters.turned_away(visit.operating, since=begins, before=before(visit), limit=EACH)
    values = {
        "rows": rows[:EACH],
        "go_on": rows[EACH - 1].sequence if len(rows) > EACH else None,
        "asked": kept(visit, "since"),
        "since": begins,
    }
    return Shown(template="turned_away.html", values=values)


def peer_id(visit: Visit) -> int | None:
    """Return the key of the peer that the address names, None if it names none.

    Raises:
        NotFoundError: none is registered under that name.
    """
    identifier = visit.query.get("peer") or ""
    if not identifier:
        return None
    with visit.operating.desk.store.read() as conn:
        return known_peer(conn, identifier).id


def since(visit: Visit) -> datetime | None:
    """Return the beginning of the day (UTC) that the address names; None if it names none."""
    return day_of(visit.query.get("since"))


def day_of(written: str | None) -> datetime | None:
    """Return the beginning of a day in UTC; None if none is written."""
    try:
        day = datetime.strptime(written or "", "%Y-%m-%d").date()  # noqa: DTZ007 a day alone
    except ValueError:
        return None
    return datetime.combine(day, time(), tzinfo=UTC) if day.year < 9999 else None


def before(visit: Visit) -> int | None:
    """Return where the page before ended.

    Raises:
        InputError: the address was not made here.
    """
    return whole_number(visit.query.get("before"))


def whole_number(written: str | None) -> int | None:
    """Return a number as it stands in an address or a form, None if there is none.

    Raises:
        InputError: it is no number.
    """
    if not written:
        return None
    if not (written.isascii() and written.isdigit()) or len(written) > _LONGEST_NUMBER:
        raise InputError("this address does not lead to a page of the list")
    return int(written)


def kept(visit: Visit, *names: str) -> dict[str, str]:
    """Return what of the address goes on to the next page."""
    return {name: visit.query[name] for name in names if visit.query.get(name)}


def stated(states: type[DeliveryState], written: str | None) -> DeliveryState | None:
    """Return the state that an address names; None if none or no such one is named."""
    return states(written) if written in {each.value for each in states} else None


def _message_page(visit: Visit, failure: GatewayError | None = None) -> Shown:
    values = {
        "it": letters.letter(visit.operating, visit.path["message_id"]),
        "failure": failure,
    }
    status = 200 if failure is None else failure.http_status
    return Shown(template="message.html", values=values, status=status)


def _done(visit: Visit, step: letters.Step) -> Answer:
    message_id = visit.path["message_id"]
    try:
        reason = required_reason(visit.form.get("reason", ""))
        step(visit.operating, message_id, actor=visit.person.actor, reason=reason)
    except (InputError, ConflictError) as exc:
        return _message_page(visit, exc)
    return Go(to=f"/operating/messages/{message_id}")


def _choice(visit: Visit, asked: Mapping[str, str]) -> Choice:
    state = stated(DeliveryState, asked.get("state"))
    kind = asked.get("type")
    identifier = asked.get("peer") or ""
    with visit.operating.desk.store.read() as conn:
        chosen = known_peer(conn, identifier).id if identifier else None
    return Choice(
        states=(state if state in WAITING else DeliveryState.FAILED,),
        peer_id=chosen,
        code=asked.get("code", "").strip()[:_CODE_LENGTH] or None,
        document_type=DocumentType(kind) if kind in {each.value for each in DocumentType} else None,
    )


def _dead_page(
    visit: Visit,
    asked: Mapping[str, str],
    *,
    failure: GatewayError | None = None,
    queued: int | None = None,
) -> Shown:
    names = ("peer", "state", "type", "code")
    values = {
        "it": letters.waiting(visit.operating, _choice(visit, asked), limit=EACH),
        "asked": {name: asked[name] for name in names if asked.get(name)},
        "states": WAITING,
        "kinds": tuple(DocumentType),
        "failure": failure,
        "queued": queued,
    }
    status = 200 if failure is None else failure.http_status
    return Shown(template="dead.html", values=values, status=status)


_AT: Final = "/operating/messages"

PAGES: Final = (
    Page(name="messages", path=_AT, right=Right.WATCH, handler=show_messages),
    Page(name="message", path=f"{_AT}/<message_id>", right=Right.WATCH, handler=show_message),
    Page(
        name="resend_message",
        path=f"{_AT}/<message_id>/resend",
        right=Right.OPERATE,
        handler=resend_message,
        method=Method.POST,
    ),
    Page(
        name="hold_message",
        path=f"{_AT}/<message_id>/hold",
        right=Right.OPERATE,
        handler=hold_message,
        method=Method.POST,
    ),
    Page(name="dead", path="/operating/dead", right=Right.WATCH, handler=show_dead),
    Page(
        name="resend_dead",
        path="/operating/dead",
        right=Right.OPERATE,
        handler=resend_dead,
        method=Method.POST,
    ),
    Page(name="attempts", path="/operating/attempts", right=Right.WATCH, handler=show_attempts),
    Page(name="arrivals", path="/operating/arrivals", right=Right.WATCH, handler=show_arrivals),
    Page(
        name="turned_away",
        path="/operating/turned-away",
        right=Right.WATCH,
        handler=show_turned_away,
    ),
)
