"""The one place where logging is configured: one JSON object per line, ids and never payloads.

What is bound with ``structlog.contextvars`` (message id, conversation id, peer) stands in every
line, our own and those of libraries alike.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import Processor

_FRAMES: Final = 5


def log_as_json(stream: TextIO | None = None) -> None:
    """Let every logger of this process write JSON lines to ``stream``, standard error unless given.

    Ours from INFO on, those of libraries from WARNING on.
    """
    target = sys.stderr if stream is None else stream
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
