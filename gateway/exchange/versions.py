"""Which schemas, agreements and rules a gateway works by, in words that two of them can compare.

Each is one token, ``kind:name=version``.  Agreements and rules carry a digest beside, because
what two gateways call by the same version may have been edited at one of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway import __version__
from gateway.agreements import Agreement
from gateway.agreements.rulebook import all_rules
from gateway.exchange.context import Desk

_DIGITS: Final = 8
_LONGEST_VERSION: Final = 15


def own_versions(desk: Desk) -> tuple[str, ...]:
    """Return the versions that ``desk`` works by, sorted by name."""
    schemas = (f"schema:{kind}={table.version}" for kind, table in desk.tables.items())
    agreements = (_agreement(each) for each in desk.agreements.values())
    return tuple(sorted([*schemas, *agreements, f"rules:all={_digest(_rules())}"]))


def own_parts(desk: Desk) -> tuple[tuple[str, str, str], ...]:
    """Return name, version and SHA-256 of all that ``desk`` works by, sorted by name."""
    mappings = (
        (f"schema:{kind}", table.version, hashlib.sha256(table.file.read_bytes()).hexdigest())
        for kind, table in desk.tables.items()
    )
    agreements = (
        (f"agreement:{each.id}", each.version, _sha256(each.model_dump(mode="json")))
        for each in desk.agreements.values()
    )
    return tuple(sorted([*mappings, *agreements, ("rules:all", __version__, _sha256(_rules()))]))


def compared(ours: Iterable[str], theirs: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield name, our version and theirs of all that both gateways state."""
    known, stated = _by_name(ours), _by_name(theirs)
    for name in sorted(known.keys() & stated.keys()):
        yield name, known[name], stated[name]


def _by_name(versions: Iterable[str]) -> Mapping[str, str]:
    split = (each.partition("=") for each in versions)
    return {name: version for name, found, version in split if found}


def _agreement(agreement: Agreement) -> str:
    digest = _digest(agreement.model_dump(mode="json"))
    return f"agreement:{agreement.id}={agreement.version[:_LONGEST_VERSION]}/{digest}"


def _rules() -> list[object]:
    return [
        [
            rule.id,
            [kind.__name__ for kind in rule.documents],
            {point.value: severity.value for point, severity in rule.levels.items()},
        ]
        for rule in all_rules()
    ]


def _digest(value: object) -> str:
    return _sha256(value)[:_DIGITS]


def _sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
