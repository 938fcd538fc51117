"""Alert letters by webhook: one signed POST, to public addresses unless others are allowed.

The receiver checks ``Eco-Signature: t=<unix time>,v1=<hex>``: HMAC-SHA256 with the shared
secret over ``<unix time>.<body>``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.errors import BadAnswerError
from gateway.operations.letters import Letter
from gateway.transport.guarded_post import Destination, Network, post

SIGNATURE_HEADER: Final = "Eco-Signature"


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Says where a webhook is and how it knows us.

    Attributes:
        networks: networks allowed although they are not public.
        ca: PEM file of the anchors the server must chain to; None takes those of the web.
    """

    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    networks: tuple[Network, ...] = ()
    ca: Path | None = None


class WebhookCourier:
    """Posts letters to one webhook."""

    def __init__(self, webhook: Webhook) -> None:
        self._secret = webhook.secret
        self._destination = Destination(url=webhook.url, networks=webhook.networks, ca=webhook.ca)

    def deliver(self, letter: Letter) -> None:
        """Post ``letter``; any 2xx takes it.

        Raises:
            TransportError: it was not taken.
        """
        body = json.dumps(letter.values(), ensure_ascii=False, sort_keys=True).encode()
        moment = str(int(letter.written_at.timestamp()))
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: f"t={moment},v1={signature(self._secret, moment, body)}",
            "Idempotency-Key": letter.id,
        }
        status = post(self._destination, body, headers).status
        if not 200 <= status < 300:
            raise BadAnswerError(f"the webhook answers {status}")


def signature(secret: bytes, moment: str, body: bytes) -> str:
    """Return the HMAC-SHA256 over time and body in hex."""
    return hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest()
