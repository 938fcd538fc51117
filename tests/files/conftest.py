"""A border whose sides hand documents over as files."""

from __future__ import annotations

from tests.api.conftest import border, files, sqlite_template

__all__ = ["border", "files", "sqlite_template"]
