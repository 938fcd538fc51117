"""What the commands apart (``soak``, ``workers``) found last, kept beside the results of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KEPT = Path(__file__).resolve().parent / "kept.json"


def keep(command: str, values: Mapping[str, Any], path: Path = KEPT) -> None:
    """Keep what a command found, with the day."""
    found = dict(kept(path))
    found[command] = {"measured_on": datetime.now(UTC).date().isoformat(), **values}
    path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def kept(path: Path = KEPT) -> Mapping[str, Mapping[str, Any]]:
    """Return what is kept, by command."""
    if not path.is_file():
        return {}
    found: Mapping[str, Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found
