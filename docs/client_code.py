"""Writes the calls and answers of the Python client from the route table and its models.

``make docs`` writes ``gateway/client/api/``; ``tests/client/test_written.py`` proves that what
is committed is what this would write.  So the client has every address of the interface, and
nothing of it is typed twice.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import types
import typing
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from inspect import getdoc
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.documents.base import Record
from gateway.web.api import ROUTES
from gateway.web.api.answers import ProblemView
from gateway.web.api.routes import Media, Method, Params, Route

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = "gateway/client/api"
_PLAIN: Final = {str, int, bool, float, bytes}
_IMPORTED: Final = {
    Any: "from typing import Any",
    date: "from datetime import date",
    datetime: "from datetime import datetime",
    Decimal: "from decimal import Decimal",
}
_TYPES: Final = (
    type,
    types.GenericAlias,
    types.UnionType,
    type(Annotated[int, 0]),
    type(Any | None),
)
_DOCUMENTS: Final = "gateway.documents"
_WRITTEN: Final = "Written by ``make docs`` from the route table; change that"
_SHARED: Final = "shared"
_EVERY: Final = "every"


@dataclass
class _Module:
    """Is one module to be written: its imports, its records in order, its calls."""

    name: str
    imports: set[str] = field(default_factory=set)
    records: dict[type[BaseModel], str] = field(default_factory=dict)
    vocabularies: dict[type[Enum], str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)


class Writer:
    """Writes the modules of the client that follow from a route table."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)
        self._home: dict[type[Any], str] = {}
        self._modules: dict[str, _Module] = {}
        self._place_models()

    def texts(self) -> dict[str, str]:
        """Return the text of every module by its path from the root."""
        for route in self._routes:
            module = self._module(_module_name(route.tag))
            module.calls.append(self._call(route, module))
        for model in (ProblemView, *self._home):
            if issubclass(model, Enum):
                self._vocabulary(model)
            else:
                self._record(model)
        texts = {f"{FOLDER}/{name}.py": self._text(each) for name, each in self._modules.items()}
        door = '"""The calls of the interface and their answers; written by ``make docs``."""\n'
        return texts | {f"{FOLDER}/__init__.py": door, f"{FOLDER}/{_EVERY}.py": self._every()}

    # -- which module a model lives in ---------------------------------------------------------

    def _place_models(self) -> None:
        users: dict[type[Any], set[str]] = defaultdict(set)
        for route in self._routes:
            tag = _module_name(route.tag)
            for model in _models_of(route):
                for each in _reached(model):
                    users[each].add(tag)
        for each in _reached(ProblemView):
            users[each] |= {"", _SHARED}
        for model, tags in users.items():
            self._home[model] = _SHARED if len(tags) > 1 else next(iter(tags))
        by_name: dict[str, type[Any]] = {}
        for model in self._home:
            other = by_name.setdefault(model.__name__, model)
            if other is not model:
                raise ValueError(f"two models are called {model.__name__}: {other}, {model}")

    def _module(self, name: str) -> _Module:
        return self._modules.setdefault(name, _Module(name))

    # -- records and vocabularies --------------------------------------------------------------

    def _vocabulary(self, kind: type[Enum]) -> None:
        module = self._module(self._home[kind])
        if kind in module.vocabularies:
            return
        module.imports.add("from enum import StrEnum")
        members = "\n".join(f'    {each.name} = "{each.value}"' for each in kind)
        module.vocabularies[kind] = (
            f"class {kind.__name__}(StrEnum):\n{_docstring(_first_line(kind))}\n\n{members}\n"
        )

    def _record(self, model: type[BaseModel]) -> None:
        module = self._module(self._home[model])
        if model in module.records:
            return
        form = issubclass(model, Record)
        base = next((each for each in model.__mro__[1:] if each in self._home), None)
        if base is not None:
            self._record(base)
            above = self._named(base, module)
        else:
            above = "Record" if form else "View"
            module.imports.add(
                "from gateway.documents.base import Record"
                if form
                else "from gateway.client.views import View"
            )
        inherited = base.model_fields if base is not None else {}
        lines = [
            self._member(name, info, module, form=form)
            for name, info in model.model_fields.items()
            if name not in inherited or _said(inherited[name]) != _said(info)
        ]
        body = "\n".join(lines)
        module.records[model] = (
            f"class {model.__name__}({above}):\n{_docstring(_meaning(model))}\n\n{body}\n"
        )

    def _member(self, name: str, info: FieldInfo, module: _Module, *, form: bool) -> str:
        shown = self._type(info.annotation, module, form=form)
        if info.is_required():
            return f"    {name}: {shown}"
        return f"    {name}: {shown} = {self._default(info.get_default(), module)}"

    def _default(self, value: Any, module: _Module) -> str:
        if isinstance(value, Enum):
            return f"{self._named(type(value), module)}.{value.name}"
        return repr(value).replace("'", '"')

    def _type(self, annotation: Any, module: _Module, *, form: bool = False) -> str:
        """Return how the client writes a type; in a form vocabularies are closed."""
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is None:
            return self._plain(annotation, module, form=form)
        if origin is Literal:
            return type(arguments[0]).__name__
        inner = [
            self._type(each, module, form=form or origin is dict) for each in _types(arguments)
        ]
        if origin in (typing.Union, types.UnionType):
            return " | ".join(dict.fromkeys(inner))
        shapes = {Annotated: "{0}", tuple: "tuple[{0}, ...]", dict: "dict[{0}, {1}]"}
        return shapes[origin].format(*inner)

    def _plain(self, kind: type[Any], module: _Module, *, form: bool) -> str:
        if kind is type(None):
            return "None"
        if kind in _PLAIN:
            return kind.__name__
        if kind in _IMPORTED:
            module.imports.add(_IMPORTED[kind])
            return kind.__name__
        name = self._named(kind, module)
        if issubclass(kind, Enum) and not form:
            module.imports.add("from gateway.client.views import Known")
            return f"Known[{name}]"
        return name

    def _named(self, kind: type[Any], module: _Module) -> str:
        name = kind.__name__
        if kind.__module__.startswith(_DOCUMENTS):
            module.imports.add(f"from {kind.__module__} import {name}")
        elif self._home[kind] != module.name:
            module.imports.add(f"from gateway.client.api.{self._home[kind]} import {name}")
        return name

    # -- calls ---------------------------------------------------------------------------------

    def _call(self, route: Route, module: _Module) -> str:
        parameters = [
            *self._parameters(route.path_params, module, named=False),
            *self._content(route, module),
        ]
        named = self._parameters(route.query, module, named=True)
        if _is_free(route):
            named.insert(0, "media_type: str")
        if route.keyed:
            named.append("idempotency_key: str | None = None")
        if named:
            parameters += ["*", *named]
        returned, statement = self._statement(route, module)
        scope = "any key" if route.scope is None else f"the scope {route.scope}"
        words = f"{getdoc(route.handler)}\n\n{route.method} {route.path}, with {scope}."
        return (
            f"def {method_name(route)}({', '.join(['self', *parameters])}) -> {returned}:\n"
            f"{_docstring(words)}\n    return {statement}\n"
        )

    def _parameters(self, model: type[Params], module: _Module, *, named: bool) -> list[str]:
        found = []
        for name, info in model.model_fields.items():
            shown = self._type(info.annotation, module, form=True)
            if info.is_required() or not named:
                found.append(f"{name}: {shown}")
            else:
                found.append(f"{name}: {shown} = {self._default(info.get_default(), module)}")
        return found

    def _content(self, route: Route, module: _Module) -> list[str]:
        if not route.takes:
            return []
        model = route.takes[0].model
        if model is not None and not _is_free(route):
            return [f"content: {self._plain(model, module, form=True)}"]
        module.imports.add("from gateway.client.connection import Body")
        return ["content: Body"]

    def _statement(self, route: Route, module: _Module) -> tuple[str, str]:
        path, query = _path(route, module), _query(route.query)
        good: Media = next(iter(route.answers.values()))
        if good.model is None:
            streamed = good.media_type == "application/x-ndjson"
            if streamed:
                module.imports.add("from collections.abc import Iterator")
            verb = "_stream" if streamed else "_bytes"
            asked = [path, f'"{good.media_type}"', *([query] if query else [])]
            return ("Iterator[bytes]" if streamed else "bytes"), f"self.{verb}({', '.join(asked)})"
        shown = self._plain(good.model, module, form=True)
        asked = [shown, path]
        if route.method is Method.POST:
            if route.takes:
                asked.append("content")
            if _is_free(route):
                asked.append("media_type=media_type")
            if query:
                asked.append(f"query={query}")
            if route.keyed:
                asked += ["idempotency_key=idempotency_key", "keyed=True"]
        elif query:
            asked.append(query)
        return shown, f"self._{route.method.lower()}({', '.join(asked)})"

    # -- text ----------------------------------------------------------------------------------

    def _text(self, module: _Module) -> str:
        title = module.name.replace("_", " ")
        what = "Answers and vocabularies that several parts of the interface share"
        head = what if module.name == _SHARED else f"The calls about {title}, with their answers"
        calls = ""
        if module.calls:
            module.imports.add("from gateway.client.calls import Calls")
            calls = (
                f"class {_class_name(module.name)}(Calls):\n"
                f'    """Makes the calls about {title}."""\n\n'
                + textwrap.indent("\n".join(module.calls), "    ")
            )
        text = "\n\n".join(
            [
                f'"""{head}.\n\n{_WRITTEN}, not this module.\n"""',
                "from __future__ import annotations",
                "\n".join(sorted(module.imports)),
                *module.vocabularies.values(),
                *self._sorted_records(module),
                calls,
            ]
        )
        return _formed(text)

    def _sorted_records(self, module: _Module) -> Iterator[str]:
        """Yield records so that each stands below those it names."""
        told: set[type[BaseModel]] = set()

        def tell(model: type[BaseModel]) -> Iterator[str]:
            if model in told or model not in module.records:
                return
            told.add(model)
            for inner in _reached(model):
                if inner is not model and not issubclass(inner, Enum):
                    yield from tell(inner)
            yield module.records[model]

        for model in module.records:
            yield from tell(model)

    def _every(self) -> str:
        rooms = sorted(each.name for each in self._modules.values() if each.calls)
        imports = "\n".join(
            f"from gateway.client.api.{name} import {_class_name(name)}" for name in rooms
        )
        bases = ", ".join(_class_name(name) for name in rooms)
        return _formed(
            f'"""The calls of all parts of the interface together.\n\n{_WRITTEN}, not this '
            'module.\n"""\n\nfrom __future__ import annotations\n\n'
            f"{imports}\n\n"
            f'class EveryCall({bases}):\n    """Has every call of the interface."""\n'
        )


def method_name(route: Route) -> str:
    """Return the name of the client's method for a route."""
    return re.sub(r"([A-Z])", r"_\1", route.name).lower()


def _module_name(tag: str) -> str:
    return tag.replace("-", "_").replace(" ", "_")


def _class_name(module: str) -> str:
    return "".join(word.title() for word in module.split("_")) + "Calls"


def _models_of(route: Route) -> Iterator[type[BaseModel]]:
    for media in (*route.takes, *route.answers.values()):
        if media.model is not None:
            yield media.model
    for params in (route.path_params, route.query):
        for info in params.model_fields.values():
            yield from (each for each in _kinds(info.annotation) if issubclass(each, Enum))


def _kinds(annotation: Any) -> Iterator[type[Any]]:
    """Yield the models and vocabularies in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | Enum):
        yield annotation
    if typing.get_origin(annotation) is not Literal:
        for each in typing.get_args(annotation):
            yield from _kinds(each)


def _reached(model: type[Any]) -> Iterator[type[Any]]:
    """Yield a model and all that it names, but for those of the documents."""
    if model.__module__.startswith(_DOCUMENTS):
        return
    yield model
    if not issubclass(model, BaseModel):
        return
    for base in model.__mro__[1:]:
        plain = base.__module__.startswith((_DOCUMENTS, "pydantic"))
        if issubclass(base, BaseModel) and base.model_fields and not plain:
            yield from _reached(base)
    for info in model.model_fields.values():
        for each in _kinds(info.annotation):
            yield from _reached(each)


def _said(info: FieldInfo) -> tuple[Any, Any]:
    return info.annotation, info.get_default()


def _is_free(route: Route) -> bool:
    """Whether the body has more forms than one model, so that the caller names its media type."""
    return len(route.takes) > 1 or any(each.model is None for each in route.takes)


def _path(route: Route, module: _Module) -> str:
    if "{" not in route.path:
        return f'"{route.path}"'
    module.imports.add("from gateway.client.calls import step")
    return 'f"' + re.sub(r"\{(\w+)\}", r"{step(\1)}", route.path) + '"'


def _query(model: type[Params]) -> str:
    return (
        ", ".join(f'"{name}": {name}' for name in model.model_fields).join("{}").replace("{}", "")
    )


def _first_line(kind: type[Any]) -> str:
    line = (kind.__doc__ or "").strip().splitlines()[0]
    return re.sub(r" \((?:domain\.md )?[0-9][^)]*\)", "", line)


def _meaning(model: type[Any]) -> str:
    return re.sub(r"\n\nRaises:\n.*", "", getdoc(model) or "", flags=re.S)


def _types(arguments: Iterable[Any]) -> Iterator[Any]:
    """Yield the types among the arguments of another one."""
    yield from (each for each in arguments if each is Any or isinstance(each, _TYPES))


def _docstring(text: str) -> str:
    """Return a docstring, indented and with lines that are not too long."""
    quoted = textwrap.indent(f'"""{text}', "    ")
    return f'{quoted}\n    """' if "\n" in text else f'{quoted}"""'


def _formed(text: str) -> str:
    """Return a text in the form that ruff gives it."""
    for arguments in (("check", "--fix-only", "--quiet"), ("format", "--quiet")):
        text = subprocess.run(  # noqa: S603 - our own linter, fixed arguments
            [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", f"{FOLDER}/x.py", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
    return text


def main() -> None:
    """Write every module whose text has changed, and remove those that nothing asks for."""
    texts = Writer(ROUTES).texts()
    for name, text in texts.items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")
    for path in (ROOT / FOLDER).glob("*.py"):
        if path.relative_to(ROOT).as_posix() not in texts:
            path.unlink()
            sys.stdout.write(f"removed {path.relative_to(ROOT).as_posix()}\n")


if __name__ == "__main__":
    main()
