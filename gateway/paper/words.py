"""The words of the printed form in three languages, typed, so that none can be missing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gateway.agreements.loading import load_record
from gateway.documents import LocalisedText
from gateway.documents.base import Record


class Words(Record):
    """Holds every word of the form that is not the agreement's own."""

    title: LocalisedText
    serial_number: LocalisedText
    registration_number: LocalisedText
    issued_at: LocalisedText
    valid: LocalisedText
    copy_mark: LocalisedText
    copy_note: LocalisedText
    test: LocalisedText
    page: LocalisedText
    of: LocalisedText
    continued: LocalisedText
    item: LocalisedText
    kind_standard: LocalisedText
    kind_retrospective: LocalisedText
    kind_reexport: LocalisedText
    kind_simplified: LocalisedText
    purpose_replacement: LocalisedText
    purpose_cancellation: LocalisedText
    status: LocalisedText
    status_valid: LocalisedText
    status_not_yet: LocalisedText
    status_partly_used: LocalisedText
    status_used: LocalisedText
    status_under_query: LocalisedText
    status_refused: LocalisedText
    status_ending: LocalisedText
    status_cancelled: LocalisedText
    status_replaced: LocalisedText
    status_expired: LocalisedText
    verification: LocalisedText
    signature_holds: LocalisedText
    signature_fails: LocalisedText
    not_verified: LocalisedText
    signed_by: LocalisedText
    signed_at: LocalisedText
    signing_certificate: LocalisedText
    document_digest: LocalisedText
    verified_by: LocalisedText
    check_online: LocalisedText
    check_code: LocalisedText
    no_code: LocalisedText
    code_alt: LocalisedText
    to_order: LocalisedText
    tax_number: LocalisedText
    contact: LocalisedText
    producer: LocalisedText
    marks: LocalisedText
    packages: LocalisedText
    origin: LocalisedText
    gross: LocalisedText
    net: LocalisedText
    quantity: LocalisedText
    total: LocalisedText
    third_country_invoice: LocalisedText
    codes: LocalisedText
    mode: LocalisedText
    means: LocalisedText
    journey: LocalisedText
    departure: LocalisedText
    loading: LocalisedText
    unloading: LocalisedText
    via: LocalisedText
    route: LocalisedText
    container: LocalisedText
    seals: LocalisedText
    transport_document: LocalisedText
    exporting_country: LocalisedText
    destination_country: LocalisedText
    export_declaration: LocalisedText
    original_certificate: LocalisedText
    import_declaration: LocalisedText
    customs_control: LocalisedText
    replaces: LocalisedText
    reason: LocalisedText
    applied_on: LocalisedText
    remarks: LocalisedText
    signatory_number: LocalisedText
    signature_picture: LocalisedText
    stamp_picture: LocalisedText
    no_picture: LocalisedText


@cache
def words() -> Words:
    """Return the words that ship beside this module; read once.

    Raises:
        ConfigError: the file is broken, or a word or language is missing.
    """
    return load_record(Words, Path(__file__).with_name("words.yaml"))
