"""The one place where logging is configured: one JSON object per line, ids and never payloads.

What is bound with ``structlog.contextvars`` (message id, conversation id, peer) stands in every
line, our own and those of libraries alike.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO, cast

import structlog
from structlog.typing import Processor

_FRAMES: Final = 5


class _Forgiving:
    """Writes to a stream, and lets go what it does not take; the books hold what counts."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text`` or leave it out; all of it counts as written."""
        with suppress(OSError, ValueError):  # ValueError: it was closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Pass on what is buffered, as far as the stream takes it."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def _open_standard_streams() -> None:
    """Let no socket or database get the number of a standard stream that was closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the whole run


def log_as_json(stream: TextIO | None = None) -> None:
    """Let every logger of this process write JSON lines to ``stream``, standard error unless given.

    Ours from INFO on, those of libraries from WARNING on.  A line that cannot be written, because
    the disk of the log is full or its reader has gone, is left out: the work goes on.
    """
    if stream is None:
        _open_standard_streams()
    target = cast("TextIO", _Forgiving(sys.stderr if stream is None else stream))
    shared: tuple[Processor, ...] = (
        structlog.contextvars.merge_contextvars,
        _without_nothing,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_traceback_text,
    )
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _without_nothing(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Leave out what is bound to nothing."""
    for name in [name for name, value in event.items() if value is None]:
        del event[name]
    return event


def _without_traceback_text(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Say of an exception its type and where it came from, never its text: it may quote."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    exc = info[1] if isinstance(info, tuple) else info
    if isinstance(exc, BaseException):
        frames = traceback.extract_tb(exc.__traceback__)[-_FRAMES:]
        event["error"] = type(exc).__name__
        event["at"] = [f"{frame.name}:{frame.lineno}" for frame in frames]
    return event
