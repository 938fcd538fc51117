"""The gateway as a program of the national side sees it."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gateway.client.api.batches import BatchAnswer, LineOutcome, LineView
from gateway.client.api.certificates import CertificateSummary
from gateway.client.api.events import ConfirmationForm, EventView
from gateway.client.api.every import EveryCall
from gateway.client.api.shared import TakenAnswer
from gateway.client.connection import JSON, Connection, Limits, Manner, Retries
from gateway.client.credentials import ApiKey, Credential, ProvidedToken
from gateway.client.reach import make_pool
from gateway.documents import CertificateOfOrigin, Language
from gateway.errors import InputError

XML: Final = "application/xml"
_IDLE_SECONDS: Final = 0.5
_BETWEEN_LOOKS: Final = 2.0


class Gateway(EveryCall):
    """Asks one gateway over its national interface; safe between threads.

    Each method of the interface has the name of its operation: ``getTimeline`` is
    ``get_timeline``.  What no answer came to is sent again, where that can do no harm: looking
    up, and handing over, which always has an idempotency key.

    Args:
        address: ``https://host:port``.
        credential: an API key, a function that gives a token, or a ``Credential``.
        ca_file: anchors that the gateway's server must chain to; else the host's authorities.
        client_certificate, client_key: shown to a server that asks who calls.
        proxy: ``http://host:port`` of a proxy; none is taken from the environment.

    Raises:
        ConfigError: the address is none, or a file cannot be used.
    """

    def __init__(
        self,
        address: str,
        credential: str | Callable[[], str] | Credential,
        *,
        ca_file: Path | None = None,
        client_certificate: Path | None = None,
        client_key: Path | None = None,
        proxy: str | None = None,
        language: Language = Language.ENGLISH,
        limits: Limits | None = None,
        retries: Retries | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        pool = make_pool(
            ca_file=ca_file,
            client_certificate=client_certificate,
            client_key=client_key,
            proxy=proxy,
        )
        connection = Connection(
            address,
            _credential(credential),
            pool,
            limits=limits or Limits(),
            retries=retries or Retries(),
            sleep=sleep,
        )
        super().__init__(connection, Manner(language=language))
        self._sleep = sleep
        self._media_types: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def asking(
        self,
        *,
        language: Language | None = None,
        correlation_id: str | None = None,
        purpose: str | None = None,
    ) -> Self:
        """Return this gateway, asked in another manner over the same connections.

        Args:
            correlation_id: names the requests in the gateway's log.
            purpose: why foreign certificates are looked at; stands in its journal.
        """
        asked = copy.copy(self)
        asked._manner = Manner(
            language=language or self._manner.language,
            correlation_id=correlation_id or self._manner.correlation_id,
            purpose=purpose or self._manner.purpose,
        )
        return asked

    def submit(
        self,
        document: CertificateOfOrigin | bytes,
        *,
        format: str | None = None,  # noqa: A002 - as the interface says
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> TakenAnswer:
        """Hand over a certificate of origin: a document, or JSON, XML or a national format.

        Args:
            format: the national format; without it bytes are canonical JSON or message XML.
            dry_run: answer what handing over would, and what the peer would find.

        Raises:
            Problem: it was not taken; nothing is stored.
            InputError: the bytes are neither JSON nor XML, and no format is named.
        """
        return self.submit_certificate(
            document.model_dump_json(exclude_none=True).encode()
            if isinstance(document, CertificateOfOrigin)
            else document,
            media_type=self._media_type(document, format),
            format=format,
            dry_run=dry_run,
            idempotency_key=idempotency_key,
        )

    def certificates(self, **criteria: Any) -> Iterator[CertificateSummary]:
        """Yield every certificate that meets the criteria of ``search_certificates``."""
        cursor: str | None = None
        while True:
            page = self.search_certificates(**criteria, cursor=cursor)
            yield from page.certificates
            if page.next is None:
                return
            cursor = page.next

    def events(
        self,
        *,
        after: int | None = None,
        follow: bool = False,
        confirm: bool = True,
        wait: int = 20,
    ) -> Iterator[EventView]:
        """Yield what happened, oldest first, from where the organisation confirmed last.

        A page is confirmed when the caller asks for what follows it, so whoever breaks off
        while dealing with an event is told of it again.

        Args:
            after: begin after this cursor instead.
            follow: go on waiting for events; else the end of the feed is the end.
            wait: seconds that the gateway holds a question to which it has nothing to say yet.
        """
        reached = after
        while True:
            page = self.read_events(after=reached, wait=wait if follow else 0)
            yield from page.events
            if confirm and page.next > page.confirmed:
                self.confirm_events(ConfirmationForm(cursor=page.next))
            if page.next >= page.last and not follow:
                return
            if reached == page.next:
                self._sleep(_IDLE_SECONDS)  # a busy gateway answers without waiting
            reached = page.next

    def batch_results(
        self, batch: str, *, outcome: LineOutcome | None = None, follow: bool = False
    ) -> Iterator[LineView]:
        """Yield what became of each document of a batch, in the order of its lines.

        Args:
            outcome: only documents of which this became.
            follow: go on until the batch has ended; else what is known now is the end.
        """
        after = 0
        while True:
            page = self.get_batch_results(batch, after=after, outcome=outcome)
            yield from page.results
            if page.next is None or (page.next == after and not follow):
                return
            if page.next == after:
                self._sleep(_BETWEEN_LOOKS)
            after = page.next

    def finished_batch(self, batch: str) -> BatchAnswer:
        """Return a batch once it has ended, however long that takes."""
        while True:
            found = self.get_batch(batch)
            if found.ended_at is not None:
                return found
            self._sleep(_BETWEEN_LOOKS)

    def _media_type(self, document: CertificateOfOrigin | bytes, name: str | None) -> str:
        if isinstance(document, CertificateOfOrigin):
            return JSON
        if name is not None:
            return self._known_media_types(name).get(name, JSON)
        form = _FORMS.get(document.lstrip(b"\xef\xbb\xbf \t\r\n")[:1])
        if form is None:
            raise InputError("neither JSON nor XML; a national format is named by `format`")
        return form

    def _known_media_types(self, name: str) -> Mapping[str, str]:
        """Return the media types of the national formats; asked for when a name is not known."""
        if name not in self._media_types:
            self._media_types |= {
                each.name: each.media_type for each in self.list_formats().formats
            }
        return self._media_types


_FORMS: Final = {b"{": JSON, b"<": XML}


def _credential(given: str | Callable[[], str] | Credential) -> Credential:
    if isinstance(given, str):
        return ApiKey(given)
    if isinstance(given, Credential):
        return given
    return ProvidedToken(given)
