"""A bounded memory for answers that are costly to find."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Memory(Generic[KeyT, ValueT]):
    """Keeps a bounded number of values, the oldest goes first; thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: dict[KeyT, ValueT] = {}

    def get(self, key: KeyT) -> ValueT | None:
        """Return what is kept, if anything is."""
        return self._kept.get(key)

    def keep(self, key: KeyT, value: ValueT) -> None:
        """Keep a value in place of an older one of the same key."""
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = value

    def __len__(self) -> int:
        """Return how many values are kept."""
        return len(self._kept)
