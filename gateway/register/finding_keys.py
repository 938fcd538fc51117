"""What a certificate of origin is found by: the business keys that its document states."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.documents import CertificateOfOrigin
from gateway.store.rows import SearchKey
from gateway.store.search_keys import hs_keys, key, route_key
from gateway.store.states import SearchField


def keys_of(coo: CertificateOfOrigin) -> frozenset[SearchKey]:
    """Return every key of ``coo``; declarations of the import are added as they come."""
    named = {key(field, written) for field, written in _written(coo) if written is not None}
    goods = {each for item in coo.items for each in hs_keys(item.hs_code)}
    return frozenset({*named, *goods, route_key(coo.exporting_country, coo.destination_country)})


def _written(coo: CertificateOfOrigin) -> Iterator[tuple[SearchField, str | None]]:
    yield SearchField.SERIAL, coo.serial_number
    yield SearchField.AUTHORITY, coo.issuing_authority.code
    for written in (coo.exporter.name, coo.exporter.registration_number, coo.exporter.trader_id):
        yield SearchField.EXPORTER, written
    for written in (coo.consignee.name, coo.consignee.trader_id):
        yield SearchField.CONSIGNEE, written
    for invoice in (*coo.invoices, *(each for item in coo.items for each in item.invoices)):
        yield SearchField.INVOICE, invoice.number
    if coo.export_declaration is not None:
        yield SearchField.DECLARATION, coo.export_declaration.number
