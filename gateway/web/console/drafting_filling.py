"""Filling a form: with proposals, with an earlier certificate, or with what a file says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.agreements import Agreement
from gateway.agreements.calendar_days import add_months
from gateway.documents import CertificateOfOrigin
from gateway.services.next_number import proposed_serial
from gateway.store import OrganisationKind
from gateway.web.console.drafting_fields import Kind, Typed, general, within
from gateway.web.console.drafting_reading import compacted
from gateway.web.console.drafting_sheet import fields
from gateway.web.console.drafting_values import written
from gateway.web.console.pages import Visit

NOT_COPIED: Final = (
    "serial_number",
    "issued_at",
    "valid_from",
    "valid_until",
    "transport.journey_id",
    "transport.means_id",
    "transport.departed_on",
    "transport.documents",
    "transport.equipment",
    "invoices",
    "items[].invoices",
    "export_declaration",
    "endorsements",
    "retrospective",
    "original_certificate",
    "replaces",
    "cancellation_reason",
    "attachments",
    "declaration.signed_at",
    "declaration.image",
    "certification.name",
    "certification.identifier",
    "certification.signed_at",
    "certification.image",
    "stamp",
    "purpose",
    "version",
    "kind",
    "test",
)
"""What belongs to one consignment, one signature or one moment, and so never to a copy."""
NOT_COPIED_WORDS: Final = (
    "draft_field.kind",
    "draft_field.serial_number",
    "draft_field.issued_at",
    "draft_field.valid_until",
    "draft_field.departed_on",
    "draft_field.means_id",
    "draft_field.journey_id",
    "draft_part.transport_documents",
    "draft_part.equipment",
    "draft_part.invoices",
    "draft_part.export_declaration",
    "draft_part.endorsements",
    "draft_part.retrospective",
    "draft_part.original_certificate",
    "draft_part.replacement",
    "draft_part.attachments",
    "draft_field.signatory",
    "draft_field.signature",
    "draft_field.stamp",
)
"""The same in words."""
_DEEPEST: Final = 12


@dataclass(frozen=True, kw_only=True)
class Filled:
    """Is a form filled from something.

    Attributes:
        strange: what the source held that no form has a field for.
    """

    typed: Typed
    strange: tuple[str, ...] = ()


def new_form(visit: Visit, agreement: Agreement) -> Typed:
    """Return a form with nothing but what follows from who fills it in, and when."""
    return {**_empty(), **_proposals(visit, agreement)}


def copied(visit: Visit, agreement: Agreement, document: CertificateOfOrigin) -> Typed:
    """Return a form filled with an earlier certificate, but for what is ``NOT_COPIED``."""
    earlier = {
        name: text
        for name, text in filled_from(_tree(document)).typed.items()
        if not any(within(general(name), each) for each in NOT_COPIED)
    }
    proposed = _proposals(visit, agreement)
    fresh = {name: text for name, text in proposed.items() if general(name) in _FRESH}
    return {**_empty(), **proposed, **earlier, **fresh}


_FRESH: Final = frozenset(NOT_COPIED) & frozenset(fields())


def filled_from(tree: Any) -> Filled:
    """Return a form filled with a document as JSON holds it, however odd.

    Raises:
        InputError: it has more rows than a form takes.
    """
    typed: dict[str, str] = {}
    strange: list[str] = []
    for path, value in _leaves(tree, "", 0):
        field = fields().get(general(path))
        if field is None:
            strange.append(path)
        elif value is not None:
            typed[path] = written(field, value)
    return Filled(typed={**_empty(), **compacted(typed)}, strange=tuple(strange))


def filled_from_document(document: CertificateOfOrigin) -> Filled:
    """Return a form filled with a whole document."""
    return filled_from(_tree(document))


def _tree(document: CertificateOfOrigin) -> Any:
    return json.loads(document.model_dump_json(exclude_none=True))


def _empty() -> dict[str, str]:
    """Return every field that stands in no row, with nothing in it."""
    return {path: "" for path in fields() if "[]" not in path}


def _leaves(node: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    known = fields().get(general(path))
    if known is not None and not _opens(known.kind, node):
        yield path, node
    elif depth > _DEEPEST or not isinstance(node, dict | list) or not node:
        if node not in ({}, []):
            yield path or "document", node
    elif isinstance(node, dict):
        for name, below in node.items():
            yield from _leaves(below, f"{path}.{name}".lstrip("."), depth + 1)
    else:
        for number, below in enumerate(node):
            yield from _leaves(below, f"{path}[{number}]", depth + 1)


def _opens(kind: Kind, node: Any) -> bool:
    """Return whether a value is a record or list where the field takes neither."""
    if kind is Kind.PICTURE:
        return False
    return isinstance(node, dict) or (isinstance(node, list) and kind is not Kind.LIST)


def _proposals(visit: Visit, agreement: Agreement) -> dict[str, str]:
    words, own = visit.words, visit.person.organisation
    now = visit.counter.desk.clock()
    day = now.date()
    country = visit.counter.desk.identity.country
    issues = own.kind is OrganisationKind.ISSUING_AUTHORITY
    serial = proposed_serial(visit.counter, visit.caller, agreement, day=day)
    statement = words("draft.certified", country=words.country(country)).striptags()
    return {
        "agreement": agreement.id,
        "serial_number": serial or "",
        "kind": agreement.kinds[0],
        "purpose": "9",
        "version": "1",
        "language": words.language.value,
        "issued_at": _minute(now),
        "valid_from": day.isoformat(),
        "valid_until": add_months(day, agreement.validity_months).isoformat(),
        "exporting_country": country,
        "exporter.address.country": country,
        "issuing_authority.code": (own.authority_code or own.code) if issues else "",
        "issuing_authority.name": own.name if issues else "",
        "issuing_authority.country": country,
        "declaration.statement": words("draft.declared").striptags(),
        "declaration.signed_at": "",
        "certification.name": visit.person.person.name,
        "certification.identifier": "",
        "certification.signed_at": _minute(now),
        "certification.statement": statement,
        "total_gross_weight.unit": "KGM",
        "test": "yes" if visit.counter.desk.identity.test else "",
        **new_item(agreement, country, 0, "1"),
    }


def new_item(agreement: Agreement, country: str, place: int, number: str) -> dict[str, str]:
    """Return the fields of one more goods item, with what is proposed for it."""
    proposed = {
        "items[].number": number,
        "items[].hs_edition": agreement.hs_editions[-1],
        "items[].country_of_origin": country,
        "items[].quantity.unit": "KGM",
        "items[].gross_weight.unit": "KGM",
        "items[].net_weight.unit": "KGM",
        "items[].value.currency": "USD",
    }
    plain = (path for path in fields() if path.startswith("items[].") and path.count("[]") == 1)
    row = f"items[{place}]."
    return {row + path.removeprefix("items[]."): proposed.get(path, "") for path in plain}


def new_row(path: str, place: int) -> dict[str, str]:
    """Return the empty fields of one more row.

    Args:
        path: of the rows, as ``items[0].invoices``.
    """
    whole = f"{general(path)}[]."
    plain = (each for each in fields() if each.startswith(whole) and "[]" not in each[len(whole) :])
    return {f"{path}[{place}].{each.removeprefix(whole)}": "" for each in plain}


def _minute(moment: datetime) -> str:
    return (moment - timedelta(seconds=moment.second)).strftime("%Y-%m-%dT%H:%M")
