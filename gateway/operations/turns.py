"""Names and periods of what operating does on the workers' clock; one worker takes each turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

WATCH: Final = "watch"
NOTIFY: Final = "notify"

WATCH_PERIOD: Final = timedelta(seconds=30)
NOTIFY_PERIOD: Final = timedelta(seconds=5)
OUTAGE_FAILURES: Final = 3
"""Attempts in a row that find no way to a peer before its outage is registered."""
