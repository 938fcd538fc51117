"""A log that nobody takes costs no work."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from gateway.operations.logs import log_as_json


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Gives the loggers back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


class _Full(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


def _closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [_Full(), _closed()], ids=["full", "closed"])
def test_a_line_that_cannot_be_written_is_left_out(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
):
    log_as_json(stream)
    structlog.get_logger("eco").info("attempt recorded")
    logging.getLogger("library").warning("noted")
    assert capsys.readouterr().err == ""


def test_lines_are_written_where_they_are_taken():
    stream = io.StringIO()
    log_as_json(stream)
    structlog.get_logger("eco").info("attempt recorded", message_id="urn:uuid:1")
    assert '"message_id": "urn:uuid:1"' in stream.getvalue()
