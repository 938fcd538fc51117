"""Asking name servers with a time limit, which the resolver of the C library does not know.

A lookup that hangs is left to a thread that nobody waits for, not even the end of the process.
No more than a few may hang at once: then nothing is asked, so that a dead name server costs
neither threads nor memory.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

MOST_AT_ONCE: Final = 32
"""Lookups that may be under way in this process."""

_PLACES: Final = threading.BoundedSemaphore(MOST_AT_ONCE)

AddressInfo = tuple[Any, socket.SocketKind, int, str, Any]
"""Family, kind, protocol, canonical name and address, as ``socket.getaddrinfo`` gives them."""


@dataclass
class _Lookup:
    """Is one question to the name servers and, once ``ended``, what came of it."""

    host: str
    port: int
    ended: threading.Event = field(default_factory=threading.Event)
    found: Sequence[AddressInfo] = ()
    error: OSError | UnicodeError | None = None

    def run(self) -> None:
        try:
            self.found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            self.error = exc
        finally:
            _PLACES.release()
            self.ended.set()


def resolved(host: str, port: int, *, seconds: float) -> Sequence[AddressInfo]:
    """Return the addresses of ``host`` in the system's order, as ``socket.getaddrinfo`` does.

    Raises:
        TimeoutError: the name servers do not answer in time, or leave too many questions open.
        OSError: it resolves to none.
        UnicodeError: no host can have this name.
    """
    if not _PLACES.acquire(blocking=False):
        raise TimeoutError("too many questions to the name servers are open")
    lookup = _Lookup(host, port)
    _begin(lookup.run)
    if not lookup.ended.wait(seconds):
        raise TimeoutError("the name servers do not answer in time")
    if lookup.error is not None:
        raise lookup.error
    return lookup.found


def _begin(work: Callable[[], None]) -> None:
    try:
        threading.Thread(target=work, name="resolve", daemon=True).start()
    except RuntimeError as exc:  # the system gives no thread
        _PLACES.release()
        raise TimeoutError("no thread can be started to ask the name servers") from exc
