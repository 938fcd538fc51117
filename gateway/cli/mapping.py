"""The mapping workbench on the command line: check, see what is covered, try, compare, list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from gateway.app import catalogue_of
from gateway.cli.main import Invocation, OrderedGroup, common
from gateway.cli.mapping_text import (
    check_lines,
    comparison_lines,
    coverage_lines,
    list_lines,
)
from gateway.cli.opening import FILE, content, label, the_gateway
from gateway.cli.output import ExitStatus, stop
from gateway.cli.trial_text import trial_lines
from gateway.config import load_settings
from gateway.documents import DocumentType, Language, Verdict
from gateway.errors import InputError, NotFoundError
from gateway.exchange.intake import national_format
from gateway.services.mappings import (
    Became,
    Sample,
    checked,
    compare,
    coverage,
    summaries,
    try_sample,
)
from gateway.xml.national import Examination, FormatCatalogue, examination_of, examine, examine_file

_MOST_SAMPLES = 1_000
_PATH = click.Path(exists=True, dir_okay=False, path_type=Path)
_RESPONSE = click.option(
    "--response", is_flag=True, help="The samples hold customs responses, not certificates."
)


@click.group("mapping", cls=OrderedGroup)
def mapping() -> None:
    """Work on the mapping file of a national format; nothing is stored or sent.

    MAPPING is a mapping file, or the name of a format in force here.
    """


@mapping.command("list", short_help="List the national formats in force.")
@common
def list_mappings(call: Invocation) -> None:
    """List the national formats, those that ship and those of this home, with their versions."""
    found = summaries(_catalogue(call).states)
    call.output.result(found, list_lines(found, call.output.language))


@mapping.command("check", short_help="Name every mistake in mapping files.")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@common
def check_mappings(call: Invocation, files: Sequence[Path]) -> None:
    """Name every mistake in FILES, with line and remedy.

    Looks at syntax, types, conversions, tables, code lists, and rows that can never take effect.
    A running gateway takes a file exactly when this finds no error; the exit status is 1 else.
    """
    found = [checked(examine_file(file)) for file in files]
    call.output.result(found, (line for each in found for line in check_lines(each)))
    stop(ExitStatus.OK if all(each.sound for each in found) else ExitStatus.REFUSED)


@mapping.command("coverage", short_help="Show what a mapping never fills or reads.")
@click.argument("name", metavar="MAPPING")
@click.argument("samples", nargs=-1, type=_PATH)
@_RESPONSE
@common
def show_coverage(call: Invocation, name: str, samples: Sequence[Path], response: bool) -> None:
    """Show which targets MAPPING never fills, and which fields of SAMPLES it never reads.

    The exit status is 1 when a target that every document must have can never be filled.
    """
    found = coverage(
        _examined(call, name), [_sample(file) for file in samples], kind=_kind(response)
    )
    call.output.result(found, coverage_lines(found))
    lacks = any(section.unfillable for section in found.sections) or not found.sections
    stop(ExitStatus.REFUSED if lacks else ExitStatus.OK)


@mapping.command("try", short_help="Show a sample side by side with what becomes of it.")
@click.argument("name", metavar="MAPPING")
@click.argument("sample", type=FILE)
@_RESPONSE
@common
def try_mapping(call: Invocation, name: str, sample: Path, response: bool) -> None:
    """Show a SAMPLE side by side: as it stands, as document, as message, with every finding.

    SAMPLE may be `-` for standard input.  The exit status is 1 when a document of it would be
    refused.
    """
    found = _examined(call, name)
    _require_sound(call, found)
    with the_gateway(call) as gateway:
        trial = try_sample(
            gateway.desk,
            found,
            content(sample),
            language=Language(call.output.language),
            kind=_kind(response),
        )
    call.output.result(trial, trial_lines(trial))
    refused = any(each.verdict is Verdict.REFUSED for each in trial.documents)
    stop(ExitStatus.REFUSED if refused else ExitStatus.OK)


@mapping.command("diff", short_help="Compare two versions over a folder of samples.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.argument(
    "folder", metavar="SAMPLES", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@_RESPONSE
@common
def compare_mappings(call: Invocation, old: str, new: str, folder: Path, response: bool) -> None:
    """Show which documents of the folder SAMPLES come out differently with NEW than with OLD.

    Both are a mapping file or the name of a format.  The exit status is 1 when a document that
    could be read with OLD cannot be read with NEW.
    """
    before, after = (_examined(call, name, own_name=False) for name in (old, new))
    _require_sound(call, before, after)
    found = compare(
        before,
        after,
        [_sample(file) for file in _files(folder)],
        language=Language(call.output.language),
        kind=_kind(response),
    )
    call.output.result(found, comparison_lines(found))
    worse = any(each.became in (Became.NOW_FAILS, Became.GONE) for each in found.changes)
    stop(ExitStatus.REFUSED if worse else ExitStatus.OK)


def _examined(call: Invocation, name: str, *, own_name: bool = True) -> Examination:
    """Return what is found in the mapping that ``name`` means.

    Args:
        own_name: a file must be called as the format is.
    """
    path = Path(name)
    if path.is_file():
        return examine_file(path) if own_name else examine(path.read_bytes(), name)
    if path.suffix or len(path.parts) > 1:
        raise NotFoundError(f"there is no file {name}")
    return examination_of(national_format(name, _catalogue(call)))


def _require_sound(call: Invocation, *mappings: Examination) -> None:
    """Return if mappings can be used; else name their mistakes and end the command.

    Raises:
        FaultyMapping: one cannot, and the answer is for a program.
    """
    for found in mappings:
        if call.output.as_json:
            found.require_format()
        if not found.sound:
            for line in check_lines(checked(found)):
                call.output.note(line)
            stop(ExitStatus.CONFIGURATION)


def _catalogue(call: Invocation) -> FormatCatalogue:
    return catalogue_of(load_settings(call.home))


def _sample(file: Path) -> Sample:
    return Sample(name=label(file), raw=content(file))


def _files(folder: Path) -> Iterator[Path]:
    found = sorted(path for path in folder.iterdir() if path.is_file())
    if len(found) > _MOST_SAMPLES:
        raise InputError(f"{folder} holds more than {_MOST_SAMPLES} files; take fewer")
    yield from found


def _kind(response: bool) -> DocumentType:
    return DocumentType.CUSTOMS_RESPONSE if response else DocumentType.CERTIFICATE_OF_ORIGIN
