"""Finding the data files (schemas, mappings, profiles, code lists) that ship with the code.

In a wheel they lie in ``gateway/_data``; in a checkout at the top of the repository.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_WHEEL_DATA = _PACKAGE / "_data"


def data_path(*parts: str) -> Path:
    """Return the path of a shipped data file or folder, as ``data_path("mappings")``."""
    root = _WHEEL_DATA if _WHEEL_DATA.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)
