"""Writes the pages of docs/ that follow from code and data, so that they cannot lag behind.

``make docs`` writes them; ``tests/test_docs.py`` proves that the committed pages are the ones
this would write.  A page is a function without arguments that returns Markdown, registered in
``PAGES``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from gateway import errors

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


def table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
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
    for cls in sorted(errors.all_error_types(), key=lambda each: each.code):
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
    for child in cls.__subclasses__():
        yield from _error_sections(child, min(level + 1, 4))


def _meaning(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0].strip()


PAGES: Mapping[str, Callable[[], str]] = {
    "errors.md": errors_page,
}


def written(name: str) -> str:
    """Return the text that page ``name`` must have."""
    return PAGES[name]().rstrip("\n") + "\n"


def main() -> None:
    """Write every generated page whose text has changed."""
    for name in PAGES:
        path, text = DOCS / name, written(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote docs/{name}\n")


if __name__ == "__main__":
    main()
