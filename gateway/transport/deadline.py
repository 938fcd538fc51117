"""Sockets that keep a total deadline, for calls that libraries bound per read only.

A peer that drips one byte a second never lets a read time out.  These sockets ask the deadline
of the running thread before every operation, so that handshake, request and answer together
end in time, on the calling and on the serving side alike.
"""

from __future__ import annotations

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class DeadlineError(TimeoutError):
    """The time for the whole exchange is over (an ``OSError``, as libraries expect)."""


class _Running(threading.local):
    def __init__(self) -> None:
        self.at: float | None = None
        self.socket: socket.socket | None = None

    def drop_socket(self) -> None:
        """Close the socket; not by its close(), which waits for files a library holds on it."""
        if self.socket is not None and self.socket.fileno() >= 0:
            socket.close(self.socket.detach())


_RUNNING = _Running()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound everything that this thread does on deadline sockets in the block.

    Where the block fails, the connection it used is closed: libraries leave one open when an
    answer offends them.
    """
    before = _RUNNING.at, _RUNNING.socket
    _RUNNING.at, _RUNNING.socket = time.monotonic() + seconds, None
    try:
        yield
    except BaseException:
        _RUNNING.drop_socket()
        raise
    finally:
        _RUNNING.at, _RUNNING.socket = before


def at_least(seconds: float) -> None:
    """Let the running deadline end so many seconds from now at the earliest.

    For what may take long as long as it gets on: whoever calls this has seen that it does.
    """
    if _RUNNING.at is not None:
        _RUNNING.at = max(_RUNNING.at, time.monotonic() + seconds)


def is_over() -> bool:
    """Return whether the deadline of this thread has passed."""
    return _RUNNING.at is not None and time.monotonic() >= _RUNNING.at


def left_of(seconds: float) -> float:
    """Return the seconds that a step may still take, which may take ``seconds`` by itself.

    Raises:
        DeadlineError: the time for the whole exchange is over.
    """
    if _RUNNING.at is None:
        return seconds
    left = _RUNNING.at - time.monotonic()
    if left <= 0:
        raise DeadlineError("the time for this exchange is over")
    return min(seconds, left)


def _arm(sock: socket.socket) -> None:
    """Let the next operation on ``sock`` take what is left, and no longer."""
    if _RUNNING.at is None:
        return
    left = left_of(math.inf)
    _RUNNING.socket = sock
    timeout = sock.gettimeout()
    if timeout is None or timeout > left:
        sock.settimeout(left)


class DeadlineSocket(socket.socket):
    """Is a plain socket that keeps the deadline of the running thread."""

    def recv(self, *args: Any) -> bytes:
        """Return received bytes in time."""
        _arm(self)
        return super().recv(*args)

    def recv_into(self, *args: Any) -> int:
        """Return the number of bytes received in time."""
        _arm(self)
        return super().recv_into(*args)

    def send(self, *args: Any) -> int:
        """Return the number of bytes sent in time."""
        _arm(self)
        return super().send(*args)

    def sendall(self, *args: Any) -> None:
        """Send everything in time."""
        _arm(self)
        super().sendall(*args)


class DeadlineTlsSocket(ssl.SSLSocket):
    """Is a TLS socket that keeps the deadline of the running thread."""

    def do_handshake(self, block: bool = False) -> None:
        """Finish the handshake in time."""
        _arm(self)
        super().do_handshake(block)

    def recv(self, *args: Any) -> bytes:
        """Return received bytes in time."""
        _arm(self)
        return super().recv(*args)

    def recv_into(self, *args: Any) -> int:
        """Return the number of bytes received in time."""
        _arm(self)
        return super().recv_into(*args)

    def send(self, *args: Any) -> int:
        """Return the number of bytes sent in time; ``sendall`` comes through here too."""
        _arm(self)
        return super().send(*args)


def with_deadline(sock: socket.socket) -> DeadlineSocket:
    """Return the same connection as a deadline socket; ``sock`` is spent."""
    timeout = sock.gettimeout()
    kept = DeadlineSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
    kept.settimeout(timeout)
    return kept
