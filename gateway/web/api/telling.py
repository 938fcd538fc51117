"""Handlers of the addresses by which national systems are told: the feed, and webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.documents import LocalisedText, from_json
from gateway.documents.base import Name, Record
from gateway.services import event_feed, webhooks
from gateway.services.event_body import EventView, event_view
from gateway.services.event_texts import EVENT_TEXTS
from gateway.services.wording import View
from gateway.store import EventKind, WebhookState
from gateway.web.api.parameters import Cursor64
from gateway.web.api.routes import Call, Params, Reply

HookId = Annotated[str, Field(pattern=r"^wh_[a-z2-7]{16}$")]


class FeedQuery(Params):
    """Says where reading goes on."""

    after: Cursor64 | None = Field(
        default=None, description="`next` of the page before; what was confirmed unless given."
    )
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    wait: Annotated[int, Field(ge=0, le=event_feed.LONGEST_WAIT)] = Field(
        default=0, description="Seconds to wait for an event where there is none yet."
    )


class HookPath(Params):
    """Names one webhook."""

    webhook: HookId


class ConfirmationForm(Record):
    """Says up to which cursor everything has arrived."""

    cursor: Cursor64


class WebhookForm(Record):
    """Says where to tell what.

    Attributes:
        url: https, at a port that the operator allows.
        kinds: told of these only; empty for all.
        after: told of the events after this cursor; of those that come from now on unless given.
    """

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    label: Name
    kinds: tuple[EventKind, ...] = ()
    after: Cursor64 | None = None


class ReplayForm(Record):
    """Says from where a webhook is told again; after what was confirmed unless given."""

    after: Cursor64 | None = None


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


class ConfirmedAnswer(View):
    """Is what the organisation has confirmed."""

    confirmed: int


class KindView(View):
    """Is a kind of event with what it means."""

    kind: EventKind
    type: str
    meaning: str


class KindsAnswer(View):
    """Is the list of the kinds of events."""

    kinds: tuple[KindView, ...]


class WebhookView(View):
    """Is a webhook as it stands.

    Attributes:
        cursor: the last event of the feed that was looked at for it.
        waiting: events in its queue.
        failures: in a row.
        next_try_at: nothing is sent before; null where nothing holds it back.
    """

    webhook: str
    label: str
    url: str
    kinds: tuple[EventKind, ...]
    state: WebhookState
    cursor: int
    waiting: int
    failures: int
    next_try_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None
    secret_since: datetime
    created_at: datetime


class MadeWebhookView(WebhookView):
    """Is a webhook with its new secret, which is shown this once."""

    secret: str


class WebhooksAnswer(View):
    """Is the list of the organisation's webhooks."""

    webhooks: tuple[WebhookView, ...]


def read_events(call: Call) -> Reply:
    """Return the events after a cursor that the caller may be told of, oldest first."""
    asked = call.query
    feed = event_feed.read(
        call.counter, call.caller, after=asked.after, limit=asked.limit, wait=asked.wait
    )
    own = call.counter.desk.identity.identifier
    answer = FeedAnswer(
        events=tuple(event_view(event, own) for event in feed.events),
        next=feed.reached,
        last=feed.last,
        confirmed=feed.confirmed,
    )
    return Reply(content=answer.model_dump_json(exclude_none=True).encode())


def confirm_events(call: Call) -> Reply:
    """Note that everything up to a cursor has arrived; an earlier one changes nothing."""
    form = from_json(ConfirmationForm, call.body)
    confirmed = event_feed.confirm(call.counter, call.caller, form.cursor)
    return Reply(content=ConfirmedAnswer(confirmed=confirmed))


def list_event_kinds(call: Call) -> Reply:
    """Return the kinds of events with what each means."""
    kinds = tuple(_kind(kind, text, call) for kind, text in EVENT_TEXTS.items())
    return Reply(content=KindsAnswer(kinds=kinds))


def register_webhook(call: Call) -> Reply:
    """Register a webhook of the caller's organisation; its secret is shown this once."""
    form = from_json(WebhookForm, call.body)
    order = webhooks.HookOrder(url=form.url, label=form.label, kinds=form.kinds, after=form.after)
    made = webhooks.register(call.counter, call.caller, order)
    return Reply(content=_made(made), status=201)


def list_webhooks(call: Call) -> Reply:
    """Return the webhooks of the caller's organisation."""
    found = webhooks.listed(call.counter, call.caller)
    return Reply(content=WebhooksAnswer(webhooks=tuple(_view(each) for each in found)))


def get_webhook(call: Call) -> Reply:
    """Return one webhook of the caller's organisation."""
    return Reply(content=_view(webhooks.one(call.counter, call.caller, call.path.webhook)))


def exchange_secret(call: Call) -> Reply:
    """Give a webhook a new secret; for a day both sign."""
    made = webhooks.exchange_secret(call.counter, call.caller, call.path.webhook)
    return Reply(content=_made(made))


def disable_webhook(call: Call) -> Reply:
    """Tell a webhook nothing more; what comes meanwhile waits."""
    return _switched(call, WebhookState.DISABLED)


def enable_webhook(call: Call) -> Reply:
    """Take a disabled or stopped webhook up again, where it ended."""
    return _switched(call, WebhookState.ACTIVE)


def replay_webhook(call: Call) -> Reply:
    """Tell a webhook once more of everything that follows a cursor."""
    form = from_json(ReplayForm, call.body)
    found = webhooks.replay(call.counter, call.caller, call.path.webhook, form.after)
    return Reply(content=_view(found))


def delete_webhook(call: Call) -> Reply:
    """Delete a webhook with what waits for it; the answer shows it as it was."""
    found = webhooks.one(call.counter, call.caller, call.path.webhook)
    webhooks.delete(call.counter, call.caller, call.path.webhook)
    return Reply(content=_view(found))


def _switched(call: Call, state: WebhookState) -> Reply:
    found = webhooks.switch(call.counter, call.caller, call.path.webhook, state)
    return Reply(content=_view(found))


def _kind(kind: EventKind, text: LocalisedText, call: Call) -> KindView:
    meaning = text.in_language(call.language)
    return KindView(kind=kind, type=f"eco.v1.{kind.value}", meaning=meaning)


def _view(found: webhooks.Standing) -> WebhookView:
    return WebhookView(**_members(found))


def _made(made: webhooks.MadeHook) -> MadeWebhookView:
    found = webhooks.Standing(hook=made.hook, waiting=0)
    return MadeWebhookView(**_members(found), secret=made.secret.shown)


def _members(found: webhooks.Standing) -> dict[str, object]:
    hook = found.hook
    renamed = {
        "webhook": hook.hook_id,
        "waiting": found.waiting,
        "next_try_at": hook.parked_until,
        "secret_since": hook.rotated_at or hook.created_at,
    }
    own = WebhookView.model_fields.keys() - renamed.keys()
    return {name: getattr(hook, name) for name in own} | renamed
