"""A bad line: a TCP proxy below TLS that refuses, swallows, cuts, delays, drips or flaps.

It knows nothing of TLS or HTTP.  A request has passed once the caller has said more than any
handshake does; what the other side says from then on is the answer.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_OF_A_HANDSHAKE = 6_000
"""Bytes.  A client with a chain of three says less, an envelope with two signatures more."""
LEAST_OF_AN_ANSWER = 5_000
"""Bytes.  Session tickets are less, a receipt with its signature is more."""
TICK = 0.02
QUIET = 0.25
LAST = -1
PIECE = 65_536


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Is what a line does to what passes; a sound one does nothing.

    Attributes:
        refuses: nobody listens.
        swallows: connections are taken, and nothing ever comes back (a black hole).
        request_bytes: cut after so many bytes of what the caller says; LAST: before the last.
        answer_bytes: cut after so many bytes of the answer, which the peer has given in full.
        loses_answer: the request passes, the answer never comes.
        delay: seconds that each piece takes longer.
        rate, answer_rate: bytes per second of everything, or of the answer alone.
        flap: seconds for which the line is up, then down, then up …
    """

    refuses: bool = False
    swallows: bool = False
    request_bytes: int | None = None
    answer_bytes: int | None = None
    loses_answer: bool = False
    delay: float = 0
    rate: int | None = None
    answer_rate: int | None = None
    flap: float = 0


SOUND = Trouble()


class Line:
    """Carries connections from a port of its own to ``target``, a port of this host."""

    def __init__(self, target: int) -> None:
        self._home = self._target = target
        self._trouble = SOUND
        self._turn = 0
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._ear = self._start(self._listen)

    def suffer(self, trouble: Trouble = SOUND, target: int | None = None) -> None:
        """Cut what is connected and behave so from now on; nothing more comes through before."""
        was_deaf = self._trouble.refuses
        before = [each for each in self._threads if each is not self._ear]
        self._trouble, self._target = trouble, target or self._home
        self._turn += 1
        if trouble.refuses and not was_deaf:
            self._ear.join()  # a socket that somebody still waits on is not closed yet
            self._listener.close()
            self._listener = _deaf(self.port)
        elif was_deaf and not trouble.refuses:
            self._listener.listen(64)
            self._ear = self._start(self._listen)
        for passage in before:
            passage.join(timeout=10)

    def close(self) -> None:
        self._closed.set()
        self._turn += 1
        for thread in list(self._threads):
            thread.join(timeout=10)
        self._listener.close()

    def _start(self, run: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=run, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)  # only then: whoever joins all of them joins started ones
        return thread

    def _listen(self) -> None:
        while not self._trouble.refuses and not self._closed.is_set():
            with contextlib.suppress(OSError):
                if select.select([self._listener], [], [], TICK)[0]:
                    near, _ = self._listener.accept()
                    self.connections += 1
                    self._start(self._carry, near, self._turn, self._trouble, self._target)

    def _carry(self, near: socket.socket, turn: int, trouble: Trouble, target: int) -> None:
        with contextlib.suppress(OSError), near:
            if trouble.swallows:
                self._wait_while(turn)
                return
            with socket.create_connection(("127.0.0.1", target), 5) as far:
                passage = _Passage(near, far, trouble)
                while turn == self._turn and passage.is_open:
                    passage.carry()

    def _wait_while(self, turn: int) -> None:
        while turn == self._turn:
            time.sleep(TICK)


def _deaf(port: int) -> socket.socket:
    """Return a socket that keeps the port from others and refuses whoever calls."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


@dataclass
class _Passage:
    """Is one connection through the line."""

    near: socket.socket
    far: socket.socket
    trouble: Trouble
    is_open: bool = True
    said: int = 0
    answered: int = 0
    held: bytes = b""
    last_at: float = field(default_factory=time.monotonic)

    @property
    def has_asked(self) -> bool:
        return self.said > MOST_OF_A_HANDSHAKE

    def carry(self) -> None:
        """Carry what has come, or notice that nothing comes."""
        flap = self.trouble.flap
        if flap and int(time.monotonic() / flap) % 2:
            self.is_open = False
            return
        ready = select.select([self.near, self.far], [], [], TICK)[0]
        for side in ready:
            piece = side.recv(self._most(side))
            self.last_at = time.monotonic()
            if not piece:
                self.is_open = False
            elif side is self.near:
                self._ask(piece)
            else:
                self._answer(piece)
        if not ready and time.monotonic() - self.last_at > QUIET:
            self._end_of_what_came()

    def _most(self, side: socket.socket) -> int:
        """Return how much may be taken at a time, after waiting as long as that takes."""
        drips = side is self.far and self.has_asked
        rate = self.trouble.answer_rate if drips else None
        rate = rate or self.trouble.rate
        time.sleep(self.trouble.delay + (TICK if rate else 0))
        return max(int(rate * TICK), 1) if rate else PIECE

    def _ask(self, piece: bytes) -> None:
        self.said += len(piece)
        most = self.trouble.request_bytes
        if most is None or (most == LAST and not self.has_asked):
            self.far.sendall(piece)
        elif most == LAST:
            self.far.sendall(self.held + piece[:-1])
            self.held = piece[-1:]
        else:
            self.far.sendall(piece[: max(most - self.said + len(piece), 0)])
            self.is_open = self.said <= most

    def _answer(self, piece: bytes) -> None:
        if not self.has_asked:
            self.near.sendall(piece)
            return
        before, self.answered = self.answered, self.answered + len(piece)
        most = self.trouble.answer_bytes
        if self.trouble.loses_answer:
            return
        if most is None:
            self.near.sendall(piece)
        elif most == LAST:
            self.near.sendall(self.held + piece[:-1])
            self.held = piece[-1:]
        else:
            self.near.sendall(piece[: max(most - before, 0)])

    def _end_of_what_came(self) -> None:
        """Cut where all has come that will: the last byte of it is never carried."""
        trouble = self.trouble
        cuts_request = trouble.request_bytes == LAST and self.has_asked
        cuts_answer = trouble.answer_bytes is not None and self.answered > LEAST_OF_AN_ANSWER
        self.is_open = not (cuts_request or cuts_answer)
