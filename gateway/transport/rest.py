"""The REST channel: the envelope is the body, the receipt envelope is the answer."""

from __future__ import annotations

from typing import Final, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from gateway.errors import BadAnswerError
from gateway.transport.answers import unwelcome
from gateway.transport.http import HttpAnswer, HttpClient
from gateway.transport.port import (
    ENVELOPE_MEDIA_TYPE,
    Answer,
    Collected,
    Confirmed,
    Decline,
    Declined,
    PeerEndpoint,
    PingAnswer,
    StatusAnswer,
)

_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"

AnswerT = TypeVar("AnswerT", bound=Answer)


class RestTransport:
    """Speaks the REST channel with peers; safe between threads."""

    def __init__(self, client: HttpClient | None = None) -> None:
        self._client = client or HttpClient()

    def send(self, endpoint: PeerEndpoint, envelope: bytes) -> bytes:
        """Return the receipt envelope that the peer answers with."""
        headers = {
            "Content-Type": ENVELOPE_MEDIA_TYPE,
            "Accept": f"{ENVELOPE_MEDIA_TYPE}, {_PROBLEM}",
        }
        url = _address(endpoint, "messages")
        answer = self._client.exchange(endpoint, "POST", url, headers=headers, body=envelope)
        if answer.status != 200 or answer.media_type != ENVELOPE_MEDIA_TYPE or not answer.body:
            raise unwelcome(answer)
        return answer.body

    def ping(self, endpoint: PeerEndpoint) -> PingAnswer:
        """Return who answers at ``endpoint``."""
        return self._get(endpoint, _address(endpoint, "ping"), PingAnswer)

    def status(self, endpoint: PeerEndpoint, message_id: str) -> StatusAnswer:
        """Return what the peer knows of a message that we sent."""
        url = _address(endpoint, "messages", quote(message_id, safe=":"))
        found = self._get(endpoint, url, StatusAnswer)
        if found.message_id != message_id:
            raise BadAnswerError("the peer states the status of another message")
        return found

    def collect(self, endpoint: PeerEndpoint, limit: int) -> Collected:
        """Return what waits for us at the peer, at most ``limit`` messages."""
        url = f"{_address(endpoint, 'outbox')}?limit={limit}"
        return self._get(endpoint, url, Collected)

    def confirm(self, endpoint: PeerEndpoint, message_id: str, receipt: bytes) -> Confirmed:
        """Hand in our receipt for a collected message and return what was recorded."""
        url = _address(endpoint, "outbox", quote(message_id, safe=":"), "receipt")
        headers = {"Content-Type": ENVELOPE_MEDIA_TYPE, "Accept": f"{_JSON}, {_PROBLEM}"}
        answer = self._client.exchange(endpoint, "POST", url, headers=headers, body=receipt)
        found = _read(answer, Confirmed)
        if found.message_id != message_id:
            raise BadAnswerError("the peer confirms another message")
        return found

    def decline(self, endpoint: PeerEndpoint, message_id: str, why: Decline) -> Declined:
        """Report that a collected message cannot be taken and return what follows."""
        url = _address(endpoint, "outbox", quote(message_id, safe=":"), "fault")
        headers = {"Content-Type": _JSON, "Accept": f"{_JSON}, {_PROBLEM}"}
        said = why.model_dump_json().encode()
        answer = self._client.exchange(endpoint, "POST", url, headers=headers, body=said)
        found = _read(answer, Declined)
        if found.message_id != message_id:
            raise BadAnswerError("the peer speaks of another message")
        return found

    def close(self) -> None:
        """Close every kept connection."""
        self._client.close()

    def _get(self, endpoint: PeerEndpoint, url: str, kind: type[AnswerT]) -> AnswerT:
        headers = {"Accept": f"{_JSON}, {_PROBLEM}"}
        return _read(self._client.exchange(endpoint, "GET", url, headers=headers), kind)


def _read(answer: HttpAnswer, kind: type[AnswerT]) -> AnswerT:
    if answer.status != 200 or answer.media_type != _JSON:
        raise unwelcome(answer)
    try:
        return kind.model_validate_json(answer.body)
    except (ValidationError, RecursionError) as exc:
        raise BadAnswerError(f"the answer is no {kind.__name__}") from exc


def _address(endpoint: PeerEndpoint, *parts: str) -> str:
    return "/".join([endpoint.url.rstrip("/"), *parts])
