"""The command ``eco guide``: the message implementation guide as HTML and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from gateway.cli.main import Invocation, without_home

_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", metavar="OUTPUT...", nargs=-1, required=True, type=_OUTPUT)
@without_home
def guide(call: Invocation, files: Sequence[Path]) -> None:
    """Write the message implementation guide to each OUTPUT; .html or .pdf says in which form.

    Every element of every message with its datum, code list and rules, and annotated examples:
    made from the schemas, mapping tables, code lists and rules of this version.
    """
    from gateway.guide.content import make_guide
    from gateway.guide.html import as_html
    from gateway.guide.pdf import as_pdf

    forms = {".html": lambda made: as_html(made).encode(), ".pdf": as_pdf}
    unknown = [str(each) for each in files if each.suffix not in forms]
    if unknown:
        raise click.BadParameter(f"ends neither in .html nor in .pdf: {', '.join(unknown)}")
    made = make_guide()
    written = []
    for file in files:
        content = forms[file.suffix](made)
        file.write_bytes(content)
        written.append({"file": file, "bytes": len(content)})
    call.output.result(written, [f"wrote {each['file']}" for each in written])
