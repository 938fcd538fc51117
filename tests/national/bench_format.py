"""A small national format that tests bend: JSON, as few rows as a certificate allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gateway.xml.national import NationalFormat, NationalReading

HEAD = """
format: bent
version: "1"
label: {en: Bent, fr: Plié, ar: مثني}
media_type: application/json
carrier: {kind: json}
values:
  date: yyyy-mm-dd
  datetime: yyyy-mm-dd hh:mi
  offset: "+02:00"
  decimal: {point: "."}
tables:
  flags: {Y: "true", N: "false"}
  offices:
    "402": {code: ZM-ZRA-CHR, name: Chirundu}
"""

COMMON = """
    - {field: agreement, constant: COMESA}
    - {field: kind, constant: STANDARD}
    - {field: serial_number, source: no}
    - {field: language, constant: en}
    - {field: issued_at, source: at}
    - {field: valid_from, source: from}
    - {field: valid_until, source: until}
    - {field: exporting_country, constant: ZM}
    - {field: destination_country, constant: KE}
    - {field: issuing_authority.code, constant: ZM-ZRA}
    - {field: issuing_authority.name, constant: Zambia Revenue Authority}
    - {field: issuing_authority.country, constant: ZM}
    - {field: exporter.name, source: exporter}
    - {field: exporter.address.country, constant: ZM}
    - {field: consignee.name, source: consignee}
    - {field: consignee.address.country, constant: KE}
    - {field: transport.mode, constant: "3"}
    - group: items[]
      each: goods
      rows:
        - {field: number, source: pos}
        - {field: packages.kind, constant: BG}
        - {field: description, source: text}
        - {field: hs_code, source: hs}
        - {field: hs_edition, constant: "2022"}
        - {field: country_of_origin, constant: ZM}
        - {field: criterion.code, constant: P}
        - {field: quantity.value, source: qty}
        - {field: quantity.unit, constant: KGM}
    - {field: consent_to_publication, constant: "false"}
    - {field: declaration.name, source: exporter}
    - {field: declaration.signed_at, source: at}
    - {field: declaration.statement, constant: Correct.}
    - {field: certification.name, constant: J. Mwansa}
    - {field: certification.signed_at, source: at}
    - {field: certification.statement, constant: Certified.}
"""

RESPONSE = """
response:
  reference: no
  rows:
    - {field: agreement, constant: COMESA}
    - {field: response_number, source: no}
    - {field: language, constant: en}
    - {field: issued_at, source: at}
    - {field: customs_authority.code, constant: KE-KRA}
    - {field: customs_authority.name, constant: Kenya Revenue Authority}
    - {field: customs_authority.country, constant: KE}
    - {field: officer.identifier, source: officer}
    - {field: officer.role, constant: Officer}
    - {field: recipient_authority.code, constant: ZM-ZRA}
    - {field: recipient_authority.name, constant: Zambia Revenue Authority}
    - {field: recipient_authority.country, constant: ZM}
    - {field: certificate.serial_number, source: serial}
    - {field: certificate.issued_on, source: day}
    - {field: certificate.issuing_country, constant: ZM}
    - {field: sequence_number, source: seq}
    - {field: status, source: status}
    - {field: decided_at, source: at}
"""


def yaml_of(*, rows: str = "", common: str = COMMON, head: str = HEAD, extra: str = "") -> str:
    """Return the mapping file with further ``rows`` in its certificate section."""
    return f"{head}certificate:\n  reference: no\n{extra}  rows:{common}{rows}{RESPONSE}"


def load(folder: Path, text: str | None = None) -> NationalFormat:
    """Return the format written in ``text``."""
    path = folder / "bent.yaml"
    path.write_text(yaml_of() if text is None else text, encoding="utf-8")
    return NationalFormat.load(path)


def source(**changes: Any) -> dict[str, Any]:
    """Return a certificate as the bent format writes it."""
    values: dict[str, Any] = {
        "no": "ZM-20260309-000123",
        "at": "2026-03-09 12:30",
        "from": "2026-03-09",
        "until": "2027-03-09",
        "exporter": "Kafue Textiles Ltd",
        "consignee": "Nairobi Garments Ltd",
        "goods": [{"pos": 1, "text": "Cotton yarn on cones", "hs": "520512", "qty": "12000.50"}],
    }
    return values | changes


def read_one(format_: NationalFormat, **changes: Any) -> NationalReading:
    """Return the reading of ``source(**changes)``."""
    (reading,) = format_.read(json.dumps(source(**changes)).encode())
    return reading
