"""What a national system needs to know beforehand: code lists, agreements, peers, formats."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from gateway.agreements import Agreement, Use
from gateway.documents import CertificateKind, Language, LocalisedText, Severity
from gateway.documents.codelists import CodeEntry, CodeList, code_list, code_list_ids
from gateway.errors import NotFoundError
from gateway.services.counter import Counter
from gateway.services.wording import ReceiverView, View, receiver_view
from gateway.store import peers
from gateway.xml.national import NationalFormat


class CodeView(View):
    """Is one value of a code list; a name is null where the list has none in that language."""

    code: str
    names: dict[Language, str]
    valid_from: date | None
    valid_to: date | None
    attributes: dict[str, str]


class CodeListSummary(View):
    """Is a code list without its values.

    Attributes:
        unknown: what a value outside the list does to a document.
    """

    id: str
    title: str
    edition: str
    agency: str
    source: str
    unknown: Severity
    values: int


class CodeListView(CodeListSummary):
    """Is a code list with its values."""

    codes: tuple[CodeView, ...]


class MemberView(View):
    """Is a member state of an agreement."""

    country: str
    since: date | None
    until: date | None
    preference: str


class NamedCode(View):
    """Is a code with its name in three languages."""

    code: str
    name: LocalisedText


class AgreementView(View):
    """Is an agreement that is in force at this gateway.

    Attributes:
        boxes: boxes of the paper form, as findings name them.
        serial_number, registration_number: an example of each.
    """

    id: str
    version: str
    name: LocalisedText
    active_from: date
    active_until: date | None
    members: tuple[MemberView, ...]
    kinds: tuple[CertificateKind, ...]
    criteria: tuple[NamedCode, ...]
    boxes: tuple[NamedCode, ...]
    serial_number: str
    registration_number: str
    validity_months: int
    partial_use: bool


class FormatView(View):
    """Is a form in which documents may be handed over."""

    name: str
    media_type: str
    label: LocalisedText


def code_lists() -> tuple[CodeListSummary, ...]:
    """Return every code list without its values."""
    return tuple(_summary(code_list(each)) for each in code_list_ids())


def one_code_list(list_id: str, *, on: date | None) -> CodeListView:
    """Return a code list with its values.

    Args:
        on: only values in force on that day.

    Raises:
        NotFoundError: there is no such list.
    """
    if list_id not in code_list_ids():
        raise NotFoundError(f"no code list is called {list_id!r}")
    found = code_list(list_id)
    chosen = tuple(_code(found, each) for each in found if on is None or each.is_valid_on(on))
    return CodeListView(**dict(_summary(found)), codes=chosen)


def agreements(counter: Counter) -> tuple[AgreementView, ...]:
    """Return the agreements in force at this gateway."""
    return tuple(_agreement(each) for _, each in sorted(counter.desk.agreements.items()))


def known_peers(counter: Counter) -> tuple[ReceiverView, ...]:
    """Return the peers with what each accepts; nothing that is not on their public card."""
    with counter.desk.store.read() as conn:
        return tuple(receiver_view(each) for each in peers.every(conn))


def formats(national: Mapping[str, NationalFormat]) -> tuple[FormatView, ...]:
    """Return the national formats by name."""
    return tuple(
        FormatView(name=name, media_type=found.media_type, label=found.label)
        for name, found in sorted(national.items())
    )


def _summary(found: CodeList) -> CodeListSummary:
    return CodeListSummary(
        id=found.id,
        title=found.title,
        edition=found.edition,
        agency=found.agency,
        source=found.source,
        unknown=found.unknown,
        values=len(found),
    )


def _code(found: CodeList, entry: CodeEntry) -> CodeView:
    return CodeView(
        code=entry.code,
        names={each: found.name(entry.code, each) for each in Language},
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        attributes=dict(entry.attributes),
    )


def _agreement(found: Agreement) -> AgreementView:
    return AgreementView(
        id=found.id,
        version=found.version,
        name=found.name,
        active_from=found.active_from,
        active_until=found.active_until,
        members=tuple(
            MemberView(
                country=country,
                since=member.since,
                until=member.until,
                preference=member.preference.value,
            )
            for country, member in sorted(found.members.items())
        ),
        kinds=found.kinds,
        criteria=tuple(NamedCode(code=each.code, name=each.name) for each in found.criteria),
        boxes=tuple(NamedCode(code=each.number, name=each.title) for each in found.boxes),
        serial_number=found.serial_number.example,
        registration_number=found.registration_number.example,
        validity_months=found.validity_months,
        partial_use=found.use is Use.PARTIAL,
    )
