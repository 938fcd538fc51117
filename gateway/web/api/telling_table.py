"""The part of the route table by which national systems are told."""

from __future__ import annotations

from typing import Final

from gateway.errors import (
    ConfigError,
    ConflictError,
    InvalidDocumentError,
    NotFoundError,
    TooLargeError,
    UnsupportedMediaError,
)
from gateway.services.access import Scope
from gateway.web.api import telling
from gateway.web.api.routes import JSON, Media, Method, Route

_TAKES = (InvalidDocumentError, TooLargeError, UnsupportedMediaError)
_ONE = (NotFoundError,)
_HOOK = {200: Media(media_type=JSON, model=telling.WebhookView)}

TELLING: Final = (
    Route(
        name="readEvents",
        method=Method.GET,
        path="/events",
        tag="events",
        summary="Read the feed of events",
        scope=Scope.EVENTS,
        handler=telling.read_events,
        query=telling.FeedQuery,
        answers={200: Media(media_type=JSON, model=telling.FeedAnswer)},
    ),
    Route(
        name="confirmEvents",
        method=Method.POST,
        path="/events/confirmation",
        tag="events",
        summary="Confirm what has arrived",
        scope=Scope.EVENTS,
        handler=telling.confirm_events,
        takes=(Media(media_type=JSON, model=telling.ConfirmationForm),),
        answers={200: Media(media_type=JSON, model=telling.ConfirmedAnswer)},
        problems=_TAKES,
    ),
    Route(
        name="listEventKinds",
        method=Method.GET,
        path="/event-kinds",
        tag="events",
        summary="List the kinds of events with what each means",
        scope=Scope.REFERENCE,
        handler=telling.list_event_kinds,
        answers={200: Media(media_type=JSON, model=telling.KindsAnswer)},
        conditional=True,
    ),
    Route(
        name="registerWebhook",
        method=Method.POST,
        path="/webhooks",
        tag="webhooks",
        summary="Register a webhook",
        scope=Scope.WEBHOOKS,
        handler=telling.register_webhook,
        takes=(Media(media_type=JSON, model=telling.WebhookForm),),
        answers={201: Media(media_type=JSON, model=telling.MadeWebhookView)},
        problems=(*_TAKES, ConflictError, ConfigError),
    ),
    Route(
        name="listWebhooks",
        method=Method.GET,
        path="/webhooks",
        tag="webhooks",
        summary="List the organisation's webhooks",
        scope=Scope.WEBHOOKS,
        handler=telling.list_webhooks,
        answers={200: Media(media_type=JSON, model=telling.WebhooksAnswer)},
    ),
    Route(
        name="getWebhook",
        method=Method.GET,
        path="/webhooks/{webhook}",
        tag="webhooks",
        summary="Get one webhook as it stands",
        scope=Scope.WEBHOOKS,
        handler=telling.get_webhook,
        path_params=telling.HookPath,
        answers=_HOOK,
        problems=_ONE,
    ),
    Route(
        name="deleteWebhook",
        method=Method.DELETE,
        path="/webhooks/{webhook}",
        tag="webhooks",
        summary="Delete a webhook",
        scope=Scope.WEBHOOKS,
        handler=telling.delete_webhook,
        path_params=telling.HookPath,
        answers=_HOOK,
        problems=_ONE,
    ),
    Route(
        name="exchangeWebhookSecret",
        method=Method.POST,
        path="/webhooks/{webhook}/secret",
        tag="webhooks",
        summary="Give a webhook a new secret",
        scope=Scope.WEBHOOKS,
        handler=telling.exchange_secret,
        path_params=telling.HookPath,
        answers={200: Media(media_type=JSON, model=telling.MadeWebhookView)},
        problems=(*_ONE, ConfigError),
    ),
    Route(
        name="disableWebhook",
        method=Method.POST,
        path="/webhooks/{webhook}/disable",
        tag="webhooks",
        summary="Tell a webhook nothing more for now",
        scope=Scope.WEBHOOKS,
        handler=telling.disable_webhook,
        path_params=telling.HookPath,
        answers=_HOOK,
        problems=_ONE,
    ),
    Route(
        name="enableWebhook",
        method=Method.POST,
        path="/webhooks/{webhook}/enable",
        tag="webhooks",
        summary="Take a disabled or stopped webhook up again",
        scope=Scope.WEBHOOKS,
        handler=telling.enable_webhook,
        path_params=telling.HookPath,
        answers=_HOOK,
        problems=_ONE,
    ),
    Route(
        name="replayWebhook",
        method=Method.POST,
        path="/webhooks/{webhook}/replay",
        tag="webhooks",
        summary="Tell a webhook once more of what follows a cursor",
        scope=Scope.WEBHOOKS,
        handler=telling.replay_webhook,
        path_params=telling.HookPath,
        takes=(Media(media_type=JSON, model=telling.ReplayForm),),
        answers=_HOOK,
        problems=(*_ONE, *_TAKES),
    ),
)
"""Every address of the feed and of webhooks."""
