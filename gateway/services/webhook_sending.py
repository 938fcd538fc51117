"""Telling webhooks: fan out, claim, post, record; beside the exchange and never in its way.

Like delivery to peers: claim in one transaction, send outside any, record in another.  Each
webhook has its own turn in a thread of a small pool, so a slow receiver delays no other; a turn
ends with the first failure, and the webhook is left alone for a while.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.errors import BadAnswerError, GatewayError
from gateway.exchange.context import Desk
from gateway.services.access import visible_to
from gateway.services.event_body import MEDIA_TYPE, event_json
from gateway.services.webhook_desk import HookDesk, HookSecret
from gateway.services.webhooks import signing_secrets
from gateway.store import HookClaim, Organisation, Webhook, WebhookState, webhooks
from gateway.store.webhooks import LONGEST_PAUSE, Setback
from gateway.transport.guarded_post import PostAnswer, post

log = structlog.get_logger(__name__)

BATCH: Final = 20
FANNED_OUT: Final = 200
THREADS: Final = 8
_FIRST_PAUSE: Final = timedelta(seconds=2)
_RANDOM: Final = secrets.SystemRandom()


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Says how long what fails is tried.

    Attributes:
        give_up_after: an event that failed for so long stops its webhook.
    """

    first: timedelta = _FIRST_PAUSE
    longest: timedelta = LONGEST_PAUSE
    give_up_after: timedelta = timedelta(hours=72)

    def pause(self, failures: int, asked: float | None = None) -> timedelta:
        """Return how long to wait after so many failures in a row, spread by chance.

        Args:
            asked: seconds that the receiver asked for; heeded up to the longest pause.
        """
        grown = min(self.first * (1 << min(failures, 20)), self.longest)
        spread = grown * _RANDOM.uniform(0.5, 1.0)
        if asked is None:
            return spread
        return max(spread, min(timedelta(seconds=asked), self.longest))


@dataclass(kw_only=True)
class Teller:
    """Tells the webhooks of one gateway; safe to run in several processes at once.

    Attributes:
        lease: longer than any post may take.
    """

    desk: Desk
    hooks: HookDesk
    patience: Patience = field(default_factory=Patience)
    lease: timedelta = timedelta(seconds=90)
    ended: threading.Event = field(default_factory=threading.Event)
    _busy: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor | None = None

    def ring(self) -> None:
        """Give every webhook that may be told a turn, unless it has one running here."""
        with self.desk.store.read() as conn:
            found = webhooks.ready(conn, self.desk.clock())
        for hook, owner in found:
            with self._lock:
                if hook.id in self._busy or self.ended.is_set():
                    continue
                self._busy.add(hook.id)
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
                self._pool.submit(self._guarded, hook, owner)

    def drain(self) -> int:
        """Tell every webhook all that is due, one after the other; return how much was taken."""
        with self.desk.store.read() as conn:
            found = webhooks.ready(conn, self.desk.clock())
        return sum(self.turn(hook, owner) for hook, owner in found)

    def stop(self) -> None:
        """Start nothing new and wait for what is being posted."""
        with self._lock:
            self.ended.set()
            pool = self._pool
        if pool is not None:
            pool.shutdown(wait=True)

    def turn(self, hook: Webhook, owner: Organisation) -> int:
        """Tell one webhook what is due until nothing is, or until it fails; return how much."""
        taken, store = 0, self.desk.store
        while not self.ended.is_set():
            now = self.desk.clock()
            with store.begin() as conn:
                seen = visible_to(owner)
                webhooks.fan_out(conn, hook.id, seen, now=now, limit=FANNED_OUT)
                claims = webhooks.claim(conn, hook.id, now, lease=self.lease, limit=BATCH)
            if not claims:
                return taken
            done = self._tell(hook, claims)
            taken += done
            if done < len(claims):
                return taken
        return taken

    def _guarded(self, hook: Webhook, owner: Organisation) -> None:
        try:
            self.turn(hook, owner)
        except GatewayError as exc:
            log.error("webhook turn failed", webhook=hook.hook_id, code=exc.code)  # noqa: TRY400
        except Exception as exc:  # noqa: BLE001 - the others must be told all the same
            name = type(exc).__name__
            log.error("webhook turn broke", webhook=hook.hook_id, error=name)  # noqa: TRY400
        finally:
            with self._lock:
                self._busy.discard(hook.id)

    def _tell(self, hook: Webhook, claims: Sequence[HookClaim]) -> int:
        """Return how many of ``claims`` were taken; after the first failure the rest goes back."""
        for number, claim in enumerate(claims):
            with self.desk.store.read() as conn:
                hook = webhooks.find(conn, hook.hook_id)
            spent = self.desk.clock() + timedelta(seconds=2 * self.hooks.seconds)
            told = hook.state is WebhookState.ACTIVE and not self.ended.is_set()
            if not told or spent >= claim.lease_until:
                self._give_back(claims[number:])
                return number
            if not self._tell_one(hook, claim):
                self._give_back(claims[number + 1 :])
                return number
        return len(claims)

    def _tell_one(self, hook: Webhook, claim: HookClaim) -> bool:
        try:
            answer = self._post(hook, claim)
        except GatewayError as exc:
            self._failed(hook, claim, exc.code, None)
            return False
        if not 200 <= answer.status < 300:
            self._failed(hook, claim, f"HTTP_{answer.status}", answer.retry_after)
            return False
        with self.desk.store.begin() as conn:
            known = webhooks.taken(conn, claim, at=self.desk.clock())
        log.info("webhook told", webhook=hook.hook_id, cursor=claim.event.cursor)
        return known

    def _post(self, hook: Webhook, claim: HookClaim) -> PostAnswer:
        now = self.desk.clock()
        body = event_json(claim.event, self.desk.identity.identifier)
        told = str(claim.event.cursor)
        signing = signing_secrets(self.hooks, hook, now)
        try:
            destination = self.hooks.destination(hook.url)
        except GatewayError as exc:
            raise BadAnswerError("the address is none that may be told any more") from exc
        headers = {"Content-Type": MEDIA_TYPE, **signed(signing, told, now, body)}
        return post(destination, body, headers)

    def _failed(self, hook: Webhook, claim: HookClaim, error: str, asked: float | None) -> None:
        at = self.desk.clock()
        setback = Setback(
            at=at,
            error=error,
            event_due_at=at + self.patience.pause(claim.attempt - 1, asked),
            parked_until=at + self.patience.pause(hook.failures, asked),
        )
        with self.desk.store.begin() as conn:
            webhooks.not_taken(conn, claim, setback)
            since = webhooks.failing_since(conn, hook.id) or at
            if at - since >= self.patience.give_up_after:
                webhooks.stop(conn, hook.id, at=at, error=error)
        log.warning("webhook not told", webhook=hook.hook_id, cursor=claim.event.cursor, code=error)

    def _give_back(self, claims: Sequence[HookClaim]) -> None:
        if claims:
            with self.desk.store.begin() as conn:
                webhooks.give_back(conn, claims, at=self.desk.clock())


def signed(
    signing: Sequence[HookSecret], event_id: str, now: datetime, body: bytes
) -> dict[str, str]:
    """Return the headers by which a receiver knows us, as Standard Webhooks says them.

    HMAC-SHA256 over ``<id>.<unix time>.<body>``, in Base64, once for each secret that holds.
    """
    moment = str(int(now.timestamp()))
    said = f"{event_id}.{moment}.".encode() + body
    marks = [hmac.new(each.raw, said, hashlib.sha256).digest() for each in signing]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(m).decode()}" for m in marks),
    }
