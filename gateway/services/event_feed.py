"""The feed of events as an organisation sees it: read by cursor, waited for, confirmed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from gateway.errors import InputError
from gateway.services.access import Caller, Scope
from gateway.services.counter import Counter
from gateway.store import Event, events, readers

LONGEST_WAIT: Final = 20
_LOOK_EVERY: Final = 0.3


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Is a page of the feed.

    Attributes:
        reached: cursor to go on after; nothing up to it is left out.
        last: cursor of the newest event of all, visible or not.
        confirmed: what the organisation has confirmed.
    """

    events: tuple[Event, ...]
    reached: int
    last: int
    confirmed: int


def read(counter: Counter, caller: Caller, *, after: int | None, limit: int, wait: float) -> Feed:
    """Return the events after a cursor that the caller may be told of, oldest first.

    Args:
        after: None goes on after what the organisation confirmed.
        wait: seconds to wait where there is nothing yet; not waited where too many wait already.

    Raises:
        InputError: the feed does not reach to the cursor.
    """
    caller.require(Scope.EVENTS)
    feed = _page(counter, caller, after, limit)
    if wait <= 0 or not _is_read(feed) or not counter.long_polls.acquire(blocking=False):
        return feed
    try:
        return _waited(counter, caller, feed, limit, time.monotonic() + wait)
    finally:
        counter.long_polls.release()


def confirm(counter: Counter, caller: Caller, cursor: int) -> int:
    """Note that the caller's organisation has everything up to a cursor; return what holds.

    Raises:
        InputError: the feed does not reach to the cursor.
    """
    caller.require(Scope.EVENTS)
    with counter.desk.store.begin() as conn:
        _require_reached(cursor, events.last_cursor(conn))
        own = caller.organisation.id
        return readers.confirm(conn, own, cursor, at=counter.desk.clock())


def _waited(counter: Counter, caller: Caller, feed: Feed, limit: int, until: float) -> Feed:
    """Return the first page that holds anything, the present one once the time is over."""
    while _is_read(feed) and (left := until - time.monotonic()) > 0:
        time.sleep(min(_LOOK_EVERY, left))
        with counter.desk.store.read() as conn:
            moved = events.last_cursor(conn) > feed.last
        if moved:
            feed = _page(counter, caller, feed.reached, limit)
    return feed


def _is_read(feed: Feed) -> bool:
    return not feed.events and feed.reached >= feed.last


def _page(counter: Counter, caller: Caller, after: int | None, limit: int) -> Feed:
    with counter.desk.store.read() as conn:
        last = events.last_cursor(conn)
        confirmed = readers.confirmed(conn, caller.organisation.id)
        start = confirmed if after is None else after
        _require_reached(start, last)
        page = events.visible_after(conn, caller.visible, start, limit=limit)
    return Feed(events=page.events, reached=page.reached, last=last, confirmed=confirmed)


def _require_reached(cursor: int, last: int) -> None:
    if cursor > last:
        raise InputError(f"the feed ends at {last}; it does not reach to {cursor}")
