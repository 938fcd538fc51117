"""Reading profiles and rule texts from YAML: strict, and exact about what is wrong where."""

from __future__ import annotations

import json
from collections.abc import Hashable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from gateway.documents.base import Record
from gateway.errors import ConfigError
from gateway.yaml_loaders import SafeLoader, first_alias_line

AnyRecord = TypeVar("AnyRecord", bound=Record)


class _StrictLoader(SafeLoader):
    """Is the safe loader that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable) or key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_yaml(path: Path) -> Any:
    """Return what a YAML file says.

    Raises:
        ConfigError: it cannot be read, is no YAML or has a key twice; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        alias = first_alias_line(text)
        if alias is not None:
            raise ConfigError(f"{path.name}, line {alias}: aliases are not used in profiles")
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path.name}: cannot be read as UTF-8 text") from exc
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise ConfigError(f"{path.name}, line {line}: {exc.problem}") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise ConfigError(f"{path.name}: is no YAML: {exc}") from exc


def load_record(model: type[AnyRecord], path: Path) -> AnyRecord:
    """Return the record written in a YAML file, checked as strictly as a document.

    Raises:
        ConfigError: names the file, and each section and key that does not fit with its line.
    """
    values = load_yaml(path)
    try:
        raw = json.dumps(values, default=_iso)
        return model.model_validate_json(raw)
    except (TypeError, ValueError) as exc:
        if isinstance(exc, ValidationError):
            found = exc.errors(include_url=False)[:10]
            top = yaml.compose(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
            problems = "; ".join(_problem(error, _line(top, error["loc"])) for error in found)
            raise ConfigError(f"{path.name}: {problems}") from exc
        raise ConfigError(f"{path.name}: {exc}") from exc


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a profile holds no {type(value).__name__}")


def _line(node: yaml.Node | None, loc: tuple[int | str, ...]) -> int:
    """Return the line of the innermost part of a file that ``loc`` names."""
    line = 1
    for part in loc:
        found: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            key, found = pairs.get(str(part), (None, None))
            line = key.start_mark.line + 1 if key else line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            found = node.value[part] if part < len(node.value) else None
            line = found.start_mark.line + 1 if found else line
        if found is None:
            break
        node = found
    return line


def _problem(error: Any, line: int) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the whole file"
    where = f"{where} (line {line})"
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such key"
    return f"{where}: {error['msg']}"
