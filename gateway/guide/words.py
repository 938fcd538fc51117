"""The guide's own sentences, and how data are told; both forms of the guide say the same.

Backticks mark what is spelled as in a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from gateway.agreements import Agreement
from gateway.documents import DocumentType
from gateway.documents.codelists import CodeList
from gateway.guide.content import Guide, MessageChapter, RuleEntry
from gateway.guide.tree import Datum, ElementRow
from gateway.xml.annotated import Line
from gateway.xml.datatypes import DataType
from gateway.xml.mapping import Row, RowKind

TITLE: Final = "Message implementation guide"
TITLES: Final[Mapping[DocumentType, str]] = MappingProxyType(
    {
        DocumentType.CERTIFICATE_OF_ORIGIN: "Certificate of origin",
        DocumentType.CUSTOMS_RESPONSE: "Customs response",
        DocumentType.ACKNOWLEDGEMENT: "Acknowledgement (receipt or refusal)",
        DocumentType.BOOKS_STATEMENT: "Books statement",
    }
)
INTRODUCTION: Final = """\
This guide is made from what the gateway runs on: the message schemas, the mapping tables, the code
lists, the agreement profiles and the business rules. Nothing of these is typed anew here, so the
guide cannot say anything else than the gateway does.

Four documents travel between gateways. Each is one XML message with names of the UN/CEFACT
Buy-Ship-Pay reference model (release D22B) below a root of our own, signed, and carried by one
envelope. Systems of the national side may hand the same documents over as canonical JSON: every
element names the datum that it carries there."""
ELEMENTS: Final = """\
Elements stand in the order of the schema. `1` is obligatory, `0..1` optional, `n` unbounded; in a
parent that is optional, an obligatory element stands where the parent stands. A reader refuses any
element that is not listed for its place, even where the type would admit it: such elements are
named as not used here.

The datum is the path in canonical JSON, where `[]` is a list. The box is that of the paper form;
an agreement may number boxes otherwise. The rules are those whose findings name the datum."""
RULES: Final = """\
A rule judges at four points: issue (submission and dry run), send (before dispatch), receipt (an
arrival from a peer) and use (at importing customs). An error refuses the document, a query routes
it to an officer, a warning informs. An agreement may change levels. Words in braces are replaced
by values."""
EXAMPLES: Final = """\
Written by the gateway from the documents of its demonstration, one element a line. Long words that
say nothing to readers are cut with `…`. Signatures are left out; they stand last below the root."""
ENVELOPE: Final = """\
The same envelope travels over every channel. It names sender, receiver and message, carries the
signed document as base64 with its SHA-256, and is signed as a whole by the sending gateway."""
SIGNATURE: Final = """\
One enveloped reference to the whole document, exclusive canonicalisation, the signer's certificate
inside. A certificate of origin has two signatures at most: the exporter's, then the authority's."""
TYPES: Final = """\
Types that hold text, with what ours demand beyond the official ones. `*` marks an attribute that
is obligatory."""
LISTS: Final = """\
Values are judged as of the date of issue. Each list says what a value outside it does to a
document."""

OTHER_LISTS: Final = "Lists whose values no field holds"


def paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of a text, each as one line."""
    return tuple(" ".join(each.split()) for each in text.split("\n\n"))


def overview(guide: Guide) -> Iterator[tuple[str, str, str]]:
    """Yield title, root element and purpose of each message."""
    for each in guide.messages:
        yield TITLES[each.type], f"rsm:{each.type}", each.what


def facts_of(chapter: MessageChapter) -> tuple[tuple[str, str], ...]:
    """Return what one must know to read or write a message."""
    return (
        ("root element", f"`{chapter.type}`"),
        ("namespace", f"`{chapter.namespace}`"),
        ("schema", f"`schemas/uncefact/{chapter.schema}`"),
        ("guideline id", f"`{chapter.guideline}`"),
    )


def datum_words(datum: Datum) -> str:
    """Return how a datum is written, and what it may be."""
    if datum.derived:
        return f"follows from `{datum.field}`"
    said = f"one of {', '.join(datum.values)}" if datum.values else datum.limits
    return f"{said}; in XML {datum.written}" if datum.written not in ("", said) else said


def datum_name(datum: Datum) -> str:
    """Return the label of a datum, with the attribute that holds it."""
    if datum.attribute:
        return f"{datum.label or 'Code'} (@{datum.attribute})"
    return datum.label or "Official code"


def _attribute(name: str, value: str) -> str:
    if value in ("", "optional"):
        return f"`@{name}`{f' ({value})' if value else ''}"
    return f"`@{name} = {value}`"


def element_notes(row: ElementRow) -> Iterator[str]:
    """Yield what else there is to say of an element."""
    if row.constant is not None:
        yield f"always `{row.constant}`"
    if row.attributes:
        yield f"attributes: {', '.join(_attribute(*each) for each in row.attributes)}"
    if row.demands:
        yield "; ".join(row.demands)
    if row.group:
        yield f"once for each of `{row.group}`"
    if row.unused:
        yield f"not used here: `{'`, `'.join(row.unused)}`"


def callout(line: Line) -> str:
    """Return what is said beside a line of an example."""
    said = [_row_words(row) for row in line.rows]
    if line.group:
        said.insert(0, f"one of `{line.group}`")
    return "; ".join(said)


def _row_words(row: Row) -> str:
    if row.kind is RowKind.CONSTANT:
        return "always so"
    if row.kind is RowKind.DERIVED:
        return f"follows from `{row.field}`"
    box = f", box {row.box}" if row.box else ""
    label = "" if row.label is None else f"{row.label.en} "
    return f"{label}`{row.field}`{box}"


def levels_of(entry: RuleEntry) -> str:
    """Return the points at which a rule judges, with its level there."""
    return ", ".join(f"{point}: {level}" for point, level in entry.levels) or "by profile only"


def data_of(entry: RuleEntry) -> tuple[str, ...]:
    """Return what a rule complains about, in words where it is the whole document."""
    return tuple(f"`{each}`" if each else "the message as a whole" for each in entry.data)


def type_words(each: DataType) -> str:
    """Return what a data type demands."""
    inner = f" in `{each.contains}`" if each.contains else ""
    demands = [f"`{each.base}`{inner}", *each.facets]
    demands += [f"@{attribute}" for attribute in each.attributes]
    return "; ".join(demands)


def list_words(found: CodeList) -> str:
    """Return where a code list comes from, and what a value outside it does."""
    level = found.unknown.value.lower()
    return (
        f"`{found.id}`: {found.edition}, {found.agency}. A value outside it is a finding: {level}."
    )


def agreement_words(found: Agreement) -> str:
    """Return what one must know of an agreement."""
    return (
        f"{found.name.en}. Members: {', '.join(sorted(found.members))}. A serial number looks like "
        f"`{found.serial_number.example}`, a registration number like "
        f"`{found.registration_number.example}`."
    )
