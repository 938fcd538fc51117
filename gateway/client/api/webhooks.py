"""The calls about webhooks, with their answers.

Written by ``make docs`` from the route table; change that, not this module.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from gateway.client.api.shared import EventKind
from gateway.client.calls import Calls, step
from gateway.client.views import Known, View
from gateway.documents.base import Record


class WebhookState(StrEnum):
    """Says whether a webhook is told: by its owner's will, or stopped because it never took."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    STOPPED = "STOPPED"


class WebhookForm(Record):
    """Says where to tell what.

    Attributes:
        url: https, at a port that the operator allows.
        kinds: told of these only; empty for all.
        after: told of the events after this cursor; of those that come from now on unless given.
    """

    url: str
    label: str
    kinds: tuple[EventKind, ...] = ()
    after: int | None = None


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
    kinds: tuple[Known[EventKind], ...]
    state: Known[WebhookState]
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


class ReplayForm(Record):
    """Says from where a webhook is told again; after what was confirmed unless given."""

    after: int | None = None


class WebhooksCalls(Calls):
    """Makes the calls about webhooks."""

    def register_webhook(self, content: WebhookForm) -> MadeWebhookView:
        """Register a webhook of the caller's organisation; its secret is shown this once.

        POST /webhooks, with the scope webhooks:manage.
        """
        return self._post(MadeWebhookView, "/webhooks", content)

    def list_webhooks(self) -> WebhooksAnswer:
        """Return the webhooks of the caller's organisation.

        GET /webhooks, with the scope webhooks:manage.
        """
        return self._get(WebhooksAnswer, "/webhooks")

    def get_webhook(self, webhook: str) -> WebhookView:
        """Return one webhook of the caller's organisation.

        GET /webhooks/{webhook}, with the scope webhooks:manage.
        """
        return self._get(WebhookView, f"/webhooks/{step(webhook)}")

    def delete_webhook(self, webhook: str) -> WebhookView:
        """Delete a webhook with what waits for it; the answer shows it as it was.

        DELETE /webhooks/{webhook}, with the scope webhooks:manage.
        """
        return self._delete(WebhookView, f"/webhooks/{step(webhook)}")

    def exchange_webhook_secret(self, webhook: str) -> MadeWebhookView:
        """Give a webhook a new secret; for a day both sign.

        POST /webhooks/{webhook}/secret, with the scope webhooks:manage.
        """
        return self._post(MadeWebhookView, f"/webhooks/{step(webhook)}/secret")

    def disable_webhook(self, webhook: str) -> WebhookView:
        """Tell a webhook nothing more; what comes meanwhile waits.

        POST /webhooks/{webhook}/disable, with the scope webhooks:manage.
        """
        return self._post(WebhookView, f"/webhooks/{step(webhook)}/disable")

    def enable_webhook(self, webhook: str) -> WebhookView:
        """Take a disabled or stopped webhook up again, where it ended.

        POST /webhooks/{webhook}/enable, with the scope webhooks:manage.
        """
        return self._post(WebhookView, f"/webhooks/{step(webhook)}/enable")

    def replay_webhook(self, webhook: str, content: ReplayForm) -> WebhookView:
        """Tell a webhook once more of everything that follows a cursor.

        POST /webhooks/{webhook}/replay, with the scope webhooks:manage.
        """
        return self._post(WebhookView, f"/webhooks/{step(webhook)}/replay", content)
