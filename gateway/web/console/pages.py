"""What one page of the console is: the record of which the table of pages is a list.

A handler reads a ``Visit`` and returns a ``Shown`` page, a ``Go`` elsewhere or a ``Sent`` file;
it knows nothing of HTTP beyond that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.documents import Language, UtilisationStatus
from gateway.services.access import Caller
from gateway.services.counter import Counter
from gateway.services.operating.desk import OperatingDesk
from gateway.services.people.desk import Origin, PeopleDesk
from gateway.services.people.roles import Right, Visitor
from gateway.services.people.sessions import Entry
from gateway.web.console.words import Words
from gateway.web.pressure import Pressure


class Open(StrEnum):
    """Names pages that take no right.

    Attributes:
        PUBLIC: for anybody.
        HALFWAY: for whoever has shown a password, perhaps not yet a second factor.
        SIGNED_IN: for whoever has signed in.
    """

    PUBLIC = "PUBLIC"
    HALFWAY = "HALFWAY"
    SIGNED_IN = "SIGNED_IN"


class Method(StrEnum):
    """Names the HTTP methods in use; only POST changes anything."""

    GET = "GET"
    POST = "POST"


@dataclass(frozen=True, kw_only=True)
class ConsoleSettings:
    """Holds what the console may be told.

    Attributes:
        name: of the gateway's operator, in the head of each page.
        language: of visitors whose browser accepts none of ours.
        behind_proxy: addresses of visitors are those that our own proxy states.
        public: the pages for anybody are shown.
        pressure: how much is taken at a time, of one network and in total.
        public_pressure: the same for checks by the public.
        four_eyes: decisions of customs that a second officer must confirm.
    """

    name: str
    language: Language = Language.ENGLISH
    max_body_bytes: int = 12_000_000
    behind_proxy: bool = False
    public: bool = True
    pressure: Pressure = field(default_factory=Pressure)
    public_pressure: Pressure = field(default_factory=lambda: Pressure(per_minute=10, burst=10))
    four_eyes: tuple[UtilisationStatus, ...] = (
        UtilisationStatus.REJECTED,
        UtilisationStatus.WITHDRAWN,
    )


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Is a file that a form brought."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Is one request for a page, read and checked.

    Attributes:
        visitor: who signed in; None on pages for anybody.
        path, query, form: texts as they came; of repeated names the first.
        many: every value of each name in the form.
        files: by the name of their field.
        journey: token of a sign-in that was led to the identity provider from this browser.
    """

    counter: Counter
    people: PeopleDesk
    settings: ConsoleSettings
    words: Words
    origin: Origin
    visitor: Visitor | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)
    operating: OperatingDesk
    journey: str | None = None

    @property
    def person(self) -> Visitor:
        """Who signed in; the app lets nobody else to pages that ask this."""
        if self.visitor is None:
            raise LookupError("this page is open to anybody")
        return self.visitor

    @property
    def caller(self) -> Caller:
        """Who asks, as the services of the national side know it."""
        return self.person.caller


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Is an answer as a page: a template with its values.

    Attributes:
        entry: a session that was opened.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    entry: Entry | None = None


@dataclass(frozen=True, kw_only=True)
class Go:
    """Is an answer that leads to another page of the console.

    Attributes:
        to: path on this console.
        entry: a session that was opened.
        leaves: the session has ended.
    """

    to: str
    entry: Entry | None = None
    leaves: bool = False


@dataclass(frozen=True, kw_only=True)
class Away:
    """Is an answer that leads to the identity provider, the one site beside our own.

    Attributes:
        to: address on the provider's server.
        journey: token by which the browser is known when it comes back.
        leaves: the session has ended.
    """

    to: str
    journey: str | None = None
    leaves: bool = False


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Is an answer as a file; shown in the browser only if it has no name."""

    content: bytes
    media_type: str
    name: str | None = None


Answer = Shown | Go | Away | Sent
Handler = Callable[[Visit], Answer]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Is one address of the console.

    Attributes:
        name: unique; templates link to it by this name.
        path: with parameters in the words of the URL map, as ``/people/<login>``.
        right: what it takes to get there.
    """

    name: str
    path: str
    right: Right | Open
    handler: Handler
    method: Method = Method.GET
