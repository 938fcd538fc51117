"""Make organisations, API keys and the search index; index every certificate there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

from gateway.errors import InputError
from gateway.store.keys import canonical_key
from gateway.store.types import BigId, UtcMoment
from gateway.xml.namespaces import RAM_NS
from gateway.xml.parsing import parse

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_BATCH = 500
_LENGTH = 200
_TERM = sa.String(length=_LENGTH).with_variant(
    sa.String(length=_LENGTH, collation="C"), "postgresql"
)
_INVOICES = (
    f"{{{RAM_NS}}}AssociatedReferencedDocument",
    f"{{{RAM_NS}}}InvoiceReferencedDocument",
)
_DECLARED = "AAE"
_KINDS = "'ISSUING_AUTHORITY', 'CUSTOMS', 'SINGLE_WINDOW', 'AUDITOR'"


def upgrade() -> None:
    """Make the tables, then fill the index batch by batch."""
    _organisations()
    _api_keys()
    _search_keys()
    op.create_index(
        "ix_certificates_issued_on_id", "certificates", ["issued_on", "id"], unique=False
    )
    _fill(op.get_bind())


def _organisations() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", BigId, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("authority_code", sa.String(length=70), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("updated_at", UtcMoment(), nullable=False),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_organisations_kind")),
        sa.CheckConstraint("state IN ('ACTIVE', 'SUSPENDED')", name=op.f("ck_organisations_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("code", name=op.f("uq_organisations_code")),
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", BigId, nullable=False),
        sa.Column("key_id", sa.String(length=24), nullable=False),
        sa.Column("organisation_id", BigId, nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("secret_mac", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", UtcMoment(), nullable=False),
        sa.Column("expires_at", UtcMoment(), nullable=False),
        sa.Column("revoked_at", UtcMoment(), nullable=True),
        sa.Column("last_used_at", UtcMoment(), nullable=True),
        sa.Column("replaces", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_api_keys_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_id", name=op.f("uq_api_keys_key_id")),
    )
    op.create_index("ix_api_keys_organisation_id", "api_keys", ["organisation_id"], unique=False)


def _search_keys() -> None:
    op.create_table(
        "search_keys",
        sa.Column("certificate_id", BigId, nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("term", _TERM, nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificates.id"], name=op.f("fk_search_keys_certificate_id")
        ),
        sa.PrimaryKeyConstraint("certificate_id", "field", "term", name=op.f("pk_search_keys")),
    )
    op.create_index(
        "ix_search_keys_field_term",
        "search_keys",
        ["field", "term", "certificate_id"],
        unique=False,
    )


_CERTIFICATES = sa.table(
    "certificates",
    *(
        sa.column(name)
        for name in (
            "id",
            "serial_number",
            "authority_code",
            "exporter_name",
            "exporter_number",
            "consignee_name",
            "issuing_country",
            "destination_country",
            "payload_sha256",
        )
    ),
)
_ITEMS = sa.table("certificate_items", sa.column("certificate_id"), sa.column("hs_code"))
_RESPONSES = sa.table("responses", sa.column("certificate_id"), sa.column("declaration_number"))
_BODIES = sa.table("bodies", sa.column("sha256"), sa.column("content"))
_KEYS = sa.table("search_keys", sa.column("certificate_id"), sa.column("field"), sa.column("term"))


def _fill(conn: Connection) -> None:
    after = 0
    while rows := conn.execute(
        sa.select(_CERTIFICATES)
        .where(_CERTIFICATES.c.id > after)
        .order_by(_CERTIFICATES.c.id)
        .limit(_BATCH)
    ).all():
        keys = {key for row in rows for key in _keys(row)}
        keys |= set(_of_others(conn, [row.id for row in rows]))
        keys |= set(_of_documents(conn, {row.id: row.payload_sha256 for row in rows}))
        conn.execute(
            sa.insert(_KEYS),
            [
                {"certificate_id": owner, "field": field, "term": term}
                for owner, field, term in sorted(keys)
            ],
        )
        after = rows[-1].id


def _keys(row: Any) -> Iterator[tuple[int, str, str]]:
    written = (
        ("SERIAL", row.serial_number),
        ("AUTHORITY", row.authority_code),
        ("EXPORTER", row.exporter_name),
        ("EXPORTER", row.exporter_number),
        ("CONSIGNEE", row.consignee_name),
    )
    for field, text in written:
        if text:
            yield row.id, field, _term(text)
    yield row.id, "ROUTE", f"{row.issuing_country}>{row.destination_country}"


def _of_others(conn: Connection, owners: list[int]) -> Iterator[tuple[int, str, str]]:
    for owner, code in conn.execute(sa.select(_ITEMS).where(_ITEMS.c.certificate_id.in_(owners))):
        digits = canonical_key(code)
        for length in range(min(2, len(digits)), len(digits) + 1):
            yield owner, "HS", digits[:length]
    query = sa.select(_RESPONSES).where(_RESPONSES.c.certificate_id.in_(owners))
    for owner, number in conn.execute(query):
        if number:
            yield owner, "DECLARATION", _term(number)


def _of_documents(conn: Connection, digests: dict[int, str]) -> Iterator[tuple[int, str, str]]:
    """Yield what only the signed documents hold; those erased under retention hold nothing."""
    owners: dict[str, list[int]] = {}
    for owner, sha256 in digests.items():
        owners.setdefault(sha256, []).append(owner)
    query = sa.select(_BODIES).where(_BODIES.c.sha256.in_(owners))
    for sha256, content in conn.execute(query):
        for field, number in _numbers(bytes(content)):
            for owner in owners[sha256]:
                yield owner, field, _term(number)


def _numbers(content: bytes) -> Iterable[tuple[str, str]]:
    try:
        root = parse(content)
    except InputError:  # erased, or of a form that no certificate has today
        return []
    found = []
    for element in root.iter(*_INVOICES):
        number = element.findtext(f"{{{RAM_NS}}}IssuerAssignedID")
        code = element.findtext(f"{{{RAM_NS}}}ReferenceTypeCode")
        if number and code in (None, "IV", _DECLARED):
            found.append(("DECLARATION" if code == _DECLARED else "INVOICE", number))
    return found


def _term(written: str) -> str:
    return canonical_key(written)[:_LENGTH]
