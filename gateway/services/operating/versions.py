"""Mappings, profiles, rules and formats: which version of each is loaded here, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.operations.in_force import parts_of
from gateway.services.operating.desk import OperatingDesk
from gateway.store import PartInForce, parts


@dataclass(frozen=True, kw_only=True)
class LoadedPart:
    """Is one part as this process has loaded it.

    Attributes:
        kind: ``schema``, ``agreement``, ``rules``, ``format`` or ``software``.
        since: when a worker saw it first; None while none has looked.
        agrees: what the workers have loaded is the same; True while none has looked.
        before: what was in force earlier, the newest first.
    """

    kind: str
    name: str
    version: str
    checksum: str
    since: datetime | None
    agrees: bool
    before: tuple[PartInForce, ...]


def loaded_parts(desk: OperatingDesk) -> tuple[LoadedPart, ...]:
    """Return every part that this process has loaded, with what the workers noted of it."""
    with desk.desk.store.read() as conn:
        noted = parts.every(conn)
    return tuple(
        _loaded(name, version, checksum, tuple(each for each in noted if each.name == name))
        for name, version, checksum in parts_of(desk.premises)
    )


def _loaded(name: str, version: str, checksum: str, noted: tuple[PartInForce, ...]) -> LoadedPart:
    kind, _, bare = name.partition(":")
    newest = noted[0] if noted else None
    agrees = newest is None or (newest.version, newest.checksum) == (version, checksum)
    return LoadedPart(
        kind=kind,
        name=bare,
        version=version,
        checksum=checksum,
        since=newest.since if newest is not None and agrees else None,
        agrees=agrees,
        before=noted[1:] if agrees else noted,
    )
