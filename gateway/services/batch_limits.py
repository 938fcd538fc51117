"""How much a batch may hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class BatchLimits:
    """Bounds batches.

    Attributes:
        max_bytes: of the upload.
        max_line_bytes: of one document: a line, the rows of one document, a file of an archive.
        max_lines: physical lines of an upload.
        max_files: in an archive.
        max_unpacked_bytes: of all files of an archive together.
        max_open: batches of one organisation that arrive, wait or are in work.
        kept: how long the results stay after a batch has ended.
        stalled: an upload of which nothing came for so long is given up.
    """

    max_bytes: int = 1_000_000_000
    max_line_bytes: int = 2_000_000
    max_lines: int = 500_000
    max_files: int = 10_000
    max_unpacked_bytes: int = 1_000_000_000
    max_open: int = 10
    kept: timedelta = timedelta(days=30)
    stalled: timedelta = timedelta(minutes=15)
