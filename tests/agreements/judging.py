"""Helpers of the rule tests: judge a document, read what one rule said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from gateway.agreements import Agreement, Facts, KnownCertificate, KnownItem, Point, check
from gateway.agreements.facts import RegisterFacts
from gateway.agreements.profile import load_agreements
from gateway.documents import Finding
from gateway.documents.shape import Document
from gateway.resources import data_path
from tests.factories import NOW

COMESA = load_agreements()["COMESA"]
SADC = load_agreements()["SADC"]


def findings(
    rule: str,
    document: Document,
    point: Point = Point.ISSUE,
    agreement: Agreement = COMESA,
    **facts: Any,
) -> list[Finding]:
    """Return what one rule found."""
    known = Facts(point=point, **({"now": NOW, "own_country": "KE"} | facts))
    return [one for one in check(document, agreement, known) if one.rule == rule]


def said(
    rule: str, document: Document, point: Point = Point.ISSUE, *args: Any, **facts: Any
) -> list[str]:
    """Return what one rule found as ``severity path``."""
    return [
        f"{f.severity.lower()} {f.path}".strip()
        for f in findings(rule, document, point, *args, **facts)
    ]


def text_of(
    rule: str, document: Document, point: Point = Point.ISSUE, *args: Any, **facts: Any
) -> str:
    """Return the English sentence of the rule's only finding."""
    (found,) = findings(rule, document, point, *args, **facts)
    return found.message.en


def known_item(**changes: Any) -> KnownItem:
    values = {
        "number": 1,
        "unit": "KGM",
        "certified": Decimal(12000),
        "hs_code": "520512",
        "country_of_origin": "ZM",
    }
    return KnownItem(**(values | changes))


def known(**changes: Any) -> KnownCertificate:
    """Return the factory's certificate as a register would know it."""
    values: dict[str, Any] = {
        "serial_number": "ZM-20260309-000123",
        "issuing_country": "ZM",
        "issued_on": date(2026, 3, 9),
        "valid_until": date(2027, 3, 9),
        "destination_country": "KE",
        "state": "AVAILABLE",
        "content_sha256": "a" * 64,
        "same_content": True,
        "items": (known_item(),),
        "received_from_country": "ZM",
    }
    return KnownCertificate(**(values | changes))


def register(**certificates: KnownCertificate) -> RegisterFacts:
    return RegisterFacts(**certificates)


def profile_values(name: str = "comesa") -> dict[str, Any]:
    """Return a shipped profile as plain values, to be bent and written elsewhere."""
    text = data_path("mappings", "agreements", f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


def written(folder: Path, values: dict[str, Any]) -> Path:
    """Return the path of a profile file with these values."""
    path = folder / "third.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def bent(folder: Path, **changes: Any) -> Agreement:
    """Return the COMESA profile with some sections replaced."""
    return Agreement.load(written(folder, profile_values() | changes))
