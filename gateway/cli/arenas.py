"""Keeping the memory of processes that run for years close to what they use.

glibc gives threads arenas of their own, and each arena keeps what its threads once needed at their
worst.  Our threads hold Python's lock for most of their time, so a few arenas serve them as well.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from typing import Final

ARENAS: Final = 2
_M_ARENA_MAX: Final = -8  # malloc.h of glibc


def keep_few_arenas() -> None:
    """Let threads share ``ARENAS`` arenas; call it before there are threads.

    What an operator says in ``MALLOC_ARENA_MAX`` stands, and other C libraries have no arenas.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
