"""The words of the page for checking without a line, in three languages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gateway.agreements.loading import load_record
from gateway.documents import LocalisedText
from gateway.documents.base import Record


class PageWords(Record):
    """Holds every word of the page that neither the form nor the findings say."""

    title: LocalisedText
    lead: LocalisedText
    field: LocalisedText
    hint: LocalisedText
    check: LocalisedText
    picture: LocalisedText
    no_picture: LocalisedText
    believed: LocalisedText
    not_believed: LocalisedText
    compare: LocalisedText
    serial: LocalisedText
    kind: LocalisedText
    issued: LocalisedText
    valid: LocalisedText
    route: LocalisedText
    standing: LocalisedText
    stated_at: LocalisedText
    items: LocalisedText
    digest: LocalisedText
    signed_by: LocalisedText
    as_authority: LocalisedText
    as_gateway: LocalisedText
    trust_list: LocalisedText
    old_list: LocalisedText
    unsupported: LocalisedText


@cache
def page_words() -> PageWords:
    """Return the words that ship beside this module; read once.

    Raises:
        ConfigError: the file is broken, or a word or language is missing.
    """
    return load_record(PageWords, Path(__file__).with_name("page_words.yaml"))
