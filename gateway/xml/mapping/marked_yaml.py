"""Reading YAML with line numbers; every scalar stays the text that stands in the file.

Nothing is guessed from a scalar's looks: ``NO`` is Norway and ``1.0`` is a version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from gateway.errors import MappingError
from gateway.yaml_loaders import BaseLoader


class MarkedDict(dict[str, Any]):
    """Is a YAML mapping that knows the line it begins on."""

    line: int = 0


class _MarkedLoader(BaseLoader):
    """Builds ``MarkedDict`` for mappings; refuses a key that stands twice."""


def _construct_mapping(loader: _MarkedLoader, node: yaml.MappingNode) -> MarkedDict:
    marked = MarkedDict()
    marked.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in marked:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", key_node.start_mark
            )
        marked[key] = loader.construct_object(value_node, deep=True)
    return marked


_MarkedLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def load_marked(path: Path) -> MarkedDict:
    """Return the top mapping of the YAML file at ``path``.

    Raises:
        MappingError: the file cannot be read, is no YAML, or is no mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_MarkedLoader)  # noqa: S506 - a BaseLoader, it builds text only
    except OSError as exc:
        raise MappingError(f"{path}: cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError as exc:
        raise MappingError(f"{path}: is not UTF-8") from exc
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise MappingError(f"{path}:{line}: {exc.problem}") from exc
    except yaml.YAMLError as exc:
        raise MappingError(f"{path}: is not YAML ({exc})") from exc
    if not isinstance(content, MarkedDict):
        raise MappingError(f"{path}:1: must be a mapping")
    return content
