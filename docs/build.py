"""Writes the pages of docs/ that follow from code and data, so that they cannot lag behind.

``make docs`` writes them; ``tests/test_docs.py`` proves that the committed pages are the ones
this would write.  A page is a function without arguments that returns Markdown, or JSON for
programs, registered in ``PAGES``.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from pydantic.fields import FieldInfo

from docs.client_code import main as write_client
from gateway import errors
from gateway.agreements.rule_table import render_rule_table
from gateway.agreements.rules.codes import CODED_VALUES
from gateway.cli.home import migrate
from gateway.cli.main import main as eco
from gateway.cli.output import ExitStatus
from gateway.config import Section, Settings
from gateway.documents import CertificateOfOrigin, CustomsResponse, DocumentType
from gateway.documents.base import Record
from gateway.documents.fields import Leaf, leaves
from gateway.web.api import ROUTES, describe
from gateway.xml.mapping import load_tables
from gateway.xml.national.rows import optional_records

DOCS = Path(__file__).resolve().parent

ERRORS_INTRODUCTION = """\
Every error that the gateway answers carries one of these codes: in the `code` of a problem
document (REST, national interface), in the detail of a SOAP fault, and in the journal.
*May be repeated* means that the very same bytes can succeed later. A refusal of a *document*
is no error: it travels as a signed acknowledgement with findings
([decision 2](decisions/0002-faults-and-refusals.md))."""


def page(title: str, source: str, *parts: str) -> str:
    """Return a page with its title, the note that it is generated, and its parts."""
    note = f"<!-- Written by `make docs` from {source}. Change that, not this page. -->"
    return "\n\n".join([f"# {title}", note, *parts])


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def errors_page() -> str:
    """Return the page of every wire code, from the tree in ``gateway/errors.py``."""
    return page(
        "Error codes",
        "gateway/errors.py",
        ERRORS_INTRODUCTION,
        table(("code", "HTTP", "may be repeated", "meaning"), _error_rows()),
        *_error_sections(errors.GatewayError),
    )


def _error_rows() -> Iterator[tuple[str, ...]]:
    tree = [cls for cls in errors.all_error_types() if _is_of_the_tree(cls)]
    for cls in sorted(tree, key=lambda each: each.code):
        yield (
            f"[{cls.code}](#{cls.code.lower()})",
            str(cls.http_status),
            "yes" if cls.retryable else "no",
            _meaning(cls),
        )


def _error_sections(cls: type[errors.GatewayError], level: int = 2) -> Iterator[str]:
    repeat = "may succeed later" if cls.retryable else "will fail again"
    yield f"{'#' * level} {cls.code}"
    yield f"{_meaning(cls)} HTTP {cls.http_status}; the same bytes {repeat}."
    yield f"*What to do:* {cls.remedy}"
    for child in filter(_is_of_the_tree, cls.__subclasses__()):
        yield from _error_sections(child, min(level + 1, 4))


def _is_of_the_tree(cls: type) -> bool:
    """Return whether the class has a wire code of its own; rooms add data in subclasses."""
    return cls.__module__ == errors.__name__


def _meaning(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0].strip()


COMMANDS_INTRODUCTION = """\
`eco` works on a *gateway home*, a folder with `gateway.toml` ([settings](settings.md)): the present
folder, or the one named by `--home` or `ECO_HOME`. With `--json`, standard output holds exactly one
JSON value and nothing else, and errors go to standard error in the same form;
[forms](command-forms.md) describes every value printed and every file read. Where a command takes a
`FILE`, `-` is standard input. [Getting started](getting-started.md) uses most of them once.

`eco --version` prints the version, `eco COMMAND --help` (or `-h`) explains a command."""

_HELP = ["-h", "--help"]  # as `eco` says; click keeps what it is asked with first
SHARED_OPTIONS = ("--home", "--json", "--language", "--debug")
OPTIONS_OF_THE_API = ("--url", "--ca-file", "--config")


def commands_page() -> str:
    """Return the page of every command, from the commands themselves."""
    return page(
        "Commands",
        "gateway/cli/",
        COMMANDS_INTRODUCTION,
        "## Options of every command",
        _option_table(migrate, only=SHARED_OPTIONS),
        *_command_sections(eco, "eco"),
        "## Exit statuses",
        table(
            ("status", "name", "meaning"),
            ((str(each.value), each.name, each.meaning) for each in ExitStatus),
        ),
    )


def _command_sections(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, help_option_names=_HELP)
    if isinstance(command, click.Group):
        if path != "eco":
            yield f"## {path}"
            yield inspect.cleandoc(command.help or "")
        if path == "eco api" and (first := command.get_command(context, "me")):
            yield _option_table(first, only=OPTIONS_OF_THE_API)
        for name in command.list_commands(context):
            if child := command.get_command(context, name):
                yield from _command_sections(child, f"{path} {name}")
        return
    yield f"{'##' if path.count(' ') == 1 else '###'} {path}"
    yield inspect.cleandoc(command.help or "").replace("\f", "")
    yield f"    {command.get_usage(context).removeprefix('Usage: ')}"
    if options := _option_table(command):
        yield options


def _option_table(command: click.Command, *, only: tuple[str, ...] = ()) -> str:
    """Return the options of a command; ``only`` these, or all that it does not share."""
    elsewhere = (*SHARED_OPTIONS, *OPTIONS_OF_THE_API) if _asks(command) else SHARED_OPTIONS
    context = click.Context(command, help_option_names=_HELP)
    records = [
        record
        for each in command.params
        if isinstance(each, click.Option)
        if (each.opts[-1] in only if only else each.opts[-1] not in elsewhere)
        if (record := each.get_help_record(context))
    ]
    rows = [(f"`{name}`", " ".join(text.split())) for name, text in records]
    return table(("option", "meaning"), rows) if rows else ""


def _asks(command: click.Command) -> bool:
    """Return whether a command is one of ``eco api``, which say once whom they ask."""
    names = {each.opts[-1] for each in command.params}
    return names >= set(OPTIONS_OF_THE_API)


SETTINGS_INTRODUCTION = """\
One file, `gateway.toml`, in the gateway home; relative paths in it start there. An unknown key is
an error. Secrets never stand in the file: `password_env` names the environment variable that holds
one. `ECO_STORE_URL` overrides `[store] url`, because a database URL may hold a password."""


def settings_page() -> str:
    """Return the page of every setting, from the models in ``gateway/config.py``."""
    return page(
        "Settings",
        "gateway/config.py",
        SETTINGS_INTRODUCTION,
        *_setting_sections(Settings, ""),
    )


def _setting_sections(model: type[Section], path: str, note: str = "") -> Iterator[str]:
    inner = {name: _section_of(info) for name, info in model.model_fields.items()}
    keys = [name for name, section in inner.items() if section is None and name != "home"]
    if path:
        yield f"## {path}" if path.startswith("[[") else f"## [{path}]"
        yield f"{_meaning(model)} This one {note}" if note else _meaning(model)
    meanings = _attributes(model)
    if keys:
        yield table(
            ("key", "type", "unless given", "meaning"),
            (
                (f"`{name}`", *_type_and_default(model.model_fields[name]), meanings.get(name, ""))
                for name in keys
            ),
        )
    for name, section in inner.items():
        if section is not None:
            inner_path = f"{path}.{name}" if path else name
            if typing.get_origin(model.model_fields[name].annotation) is tuple:
                inner_path = f"[[{inner_path}]]"  # a table that may stand there several times
            yield from _setting_sections(section, inner_path, meanings.get(name, ""))


def _section_of(info: FieldInfo) -> type[Section] | None:
    candidates = (info.annotation, *typing.get_args(info.annotation))
    return next(
        (each for each in candidates if isinstance(each, type) and issubclass(each, Section)), None
    )


def _type_and_default(info: FieldInfo) -> tuple[str, str]:
    default = "must be given" if info.is_required() else _as_toml(info.get_default())
    return _type_name(info.annotation) + _bounds(info), default


def _bounds(info: FieldInfo) -> str:
    """Return the least and greatest value that a number may have, in words."""
    signs = (("ge", "from"), ("gt", "more than"), ("le", "to"))
    found = [
        f"{word} {getattr(each, sign)}"
        for sign, word in signs
        for each in info.metadata
        if hasattr(each, sign)
    ]
    return f" {' '.join(found)}" if found else ""


def _type_name(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Annotated:
        plain, *more = typing.get_args(annotation)
        bounds = (_bounds(each) for each in more if isinstance(each, FieldInfo))
        return _type_name(plain) + "".join(bounds)
    arguments = [each for each in typing.get_args(annotation) if each not in {type(None), ...}]
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(f"`{each}`" for each in arguments)
    if typing.get_origin(annotation) is tuple:
        return f"list of {_type_name(arguments[0])}"
    if arguments:
        return " or ".join(dict.fromkeys(_type_name(each) for each in arguments))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " or ".join(f"`{each}`" for each in annotation)
    words = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    return words[annotation]


def _as_toml(value: Any) -> str:
    match value:
        case None:
            return "not set"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple():
            listed = (repr(str(each) if isinstance(each, str) else each) for each in value)
            return f"`[{', '.join(listed)}]`".replace("'", '"')
        case str():
            return f'`"{value}"`'
        case _:
            return f"`{value}`"


def _attributes(model: type) -> dict[str, str]:
    """Return what the docstring says of each attribute."""
    _, _, text = inspect.cleandoc(model.__doc__ or "").partition("Attributes:\n")
    found = re.findall(r"^    (\w+): (.+(?:\n        .+)*)", text, flags=re.M)
    return {name: " ".join(meaning.split()).replace("``", "`") for name, meaning in found}


def openapi_file() -> str:
    """Return the description of the national side's interface, from its route table."""
    return json.dumps(describe(ROUTES), ensure_ascii=False, indent=1)


FIELDS_INTRODUCTION = """\
What a mapping file of a [national format](national-formats.md) may name as `field`: the path of
each value in the document, inside a group relative to it. `[]` follows what repeats; a repeated
record needs a `group`. *Needed*: a document without it is refused; *with* a record: where anything
of that record is there. The type also says how a `constant` or `default` is written."""


def fields_page() -> str:
    """Return the page of every field that national formats can fill, from the models."""
    models: tuple[type[Record], ...] = (CertificateOfOrigin, CustomsResponse)
    return page(
        "Fields of the documents",
        "gateway/documents/ and mappings/",
        FIELDS_INTRODUCTION,
        *(part for model in models for part in _field_sections(model)),
    )


def _field_sections(model: type[Record]) -> Iterator[str]:
    rows = load_tables()[DocumentType(model.__name__)]
    yield f"## {model.__name__}"
    yield table(
        ("field", "what it is", "box", "type", "needed"),
        (
            (
                f"`{leaf.path}`",
                row.label.en if (row := rows.row_for(leaf.path)) and row.label else "",
                row.box or "" if row else "",
                _field_type(model, leaf),
                _field_need(model, leaf),
            )
            for leaf in leaves(model).values()
        ),
    )


def _field_type(model: type[Record], leaf: Leaf) -> str:
    words: Mapping[type, str] = {
        str: "text",
        int: "whole number",
        bool: "`true` or `false`",
        Decimal: "decimal number",
        date: "day, `2026-03-09`",
        datetime: "moment, `2026-03-09T11:15:00+02:00`",
        bytes: "bytes in base64",
    }
    coded = CODED_VALUES[model].get(leaf.path)
    if coded is not None:
        return f"code of the list `{coded[0]}`"
    if issubclass(leaf.type, StrEnum):
        return "one of " + ", ".join(f"`{each.value}`" for each in leaf.type)
    return words[leaf.type]


def _field_need(model: type[Record], leaf: Leaf) -> str:
    if not leaf.required:
        return ""
    steps = leaf.path.split(".")[:-1]
    for length in range(len(steps), 0, -1):
        owner = ".".join(steps[:length])
        if owner.endswith("[]"):
            return f"in each `{owner}`"
        if owner in optional_records(model):
            return f"with `{owner}`"
    return "yes"


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "document-fields.md": fields_page,
    "errors.md": errors_page,
    "openapi.json": openapi_file,
    "rules.md": render_rule_table,
    "settings.md": settings_page,
}


def written(name: str) -> str:
    """Return the text that page ``name`` must have."""
    return PAGES[name]().rstrip("\n") + "\n"


def main() -> None:
    """Write every generated page whose text has changed, and the client's calls before them."""
    write_client()
    for name in PAGES:
        path, text = DOCS / name, written(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote docs/{name}\n")


if __name__ == "__main__":
    main()
