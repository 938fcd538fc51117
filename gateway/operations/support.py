"""The support bundle: what a stranger needs to help, in one zip, and nothing that is secret.

No key, password, payload, serial number, name of a person or trader is in it: only counts,
codes, times, versions and ids, each taken by name.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import zipfile
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from gateway import __version__
from gateway.errors import GatewayError, InputError
from gateway.operations import metrics
from gateway.operations.doctor import Report
from gateway.operations.premises import Premises
from gateway.operations.redaction import redacted_log, redacted_settings
from gateway.store import (
    JournalAction,
    alerts,
    journal,
    measures,
    outages,
    peers,
    tasks,
)
from gateway.store.migrations import newest_revision, present_revision
from gateway.store.tallies import known_code

JOURNAL_ENTRIES: Final = 300
ATTEMPTS: Final = 300
LOG_LINES: Final = 2_000

_README: Final = """\
Support bundle of an eCO gateway. It holds counts, codes, times, versions and message ids.
It holds no key, password, payload, serial number, and no name of a person or trader.
Read it before you send it: every file is text.
"""


@dataclass(frozen=True, kw_only=True)
class Material:
    """Is what goes into a bundle beside what the books say.

    Attributes:
        settings: the settings as values, not yet redacted.
        logs: log files whose tails are taken, redacted.
    """

    settings: Mapping[str, Any]
    report: Report
    logs: tuple[Path, ...] = ()


def write_bundle(target: Path, premises: Premises, material: Material) -> tuple[str, ...]:
    """Write the bundle to ``target`` and return the names of what is in it.

    Raises:
        InputError: there is a file already, or it cannot be written.
    """
    parts = {"README.txt": _README, **_parts(premises, material)}
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(handle, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle,
        ):
            for name, text in parts.items():
                bundle.writestr(name, text)
    except OSError as exc:
        raise InputError(f"{target} cannot be written: {exc.strerror}") from exc
    return tuple(parts)


def _parts(premises: Premises, material: Material) -> dict[str, str]:
    parts = {
        "versions.json": _json(_versions(premises)),
        "settings.json": _json(redacted_settings(material.settings)),
        "doctor.json": _json(material.report.values("en")),
        "metrics.txt": metrics.scrape(premises).decode(),
    }
    try:
        with premises.desk.store.read() as conn:
            parts |= {name: _json(value) for name, value in _books(conn).items()}
    except GatewayError as exc:
        parts["books.json"] = _json({"unreadable": exc.code})
    for number, path in enumerate(material.logs, start=1):
        parts[f"log-{number}.jsonl"] = "\n".join(redacted_log(_tail(path)))
    return parts


def _versions(premises: Premises) -> dict[str, Any]:
    desk = premises.desk
    return {
        "software": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "gateway": desk.identity.identifier,
        "time": desk.clock(),
        "database": desk.store.dialect,
        "tables_needed": newest_revision(),
        "messages": {kind.value: table.version for kind, table in desk.tables.items()},
        "agreements": {name: each.version for name, each in desk.agreements.items()},
        "variables": sorted(name for name in os.environ if name.startswith("ECO_")),
        "libraries": {each.name: each.version for each in distributions() if each.name},
    }


def _books(conn: Connection) -> dict[str, Any]:
    names = {peer.id: peer.identifier for peer in peers.every(conn)}
    return {
        "tables.json": {"present": present_revision(conn)},
        "peers.json": [
            {
                "peer": peer.identifier,
                "country": peer.country,
                "state": peer.state.value,
                "channel": peer.channel.value,
                "revision": peer.revision,
            }
            for peer in peers.every(conn)
        ],
        "queue.json": [
            {
                "peer": names[each.peer_id],
                "state": each.state.value,
                "count": each.count,
                "oldest_at": each.oldest_at,
            }
            for each in measures.queue(conn)
        ],
        "attempts.json": [_attempt(each, names) for each in _attempts(conn)],
        "outages.json": [
            {
                "peer": names[each.peer_id],
                "opened_at": each.opened_at,
                "closed_at": each.closed_at,
                "failures": each.failures,
                "code": known_code(each.code),
            }
            for each in outages.page(conn)
        ],
        "alerts.json": [_alert(each) for each in alerts.page(conn, limit=200)],
        "journal.json": [_entry(each) for each in journal.page(conn, limit=JOURNAL_ENTRIES)],
        "tasks.json": [vars(task) for task in tasks.every(conn)],
    }


def _attempts(conn: Connection) -> Iterable[Any]:
    since = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    return measures.newest_attempts(conn, since=since, limit=ATTEMPTS)


def _attempt(each: Any, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "peer": names[each.peer_id],
        "started_at": each.started_at,
        "seconds": round(each.seconds, 3),
        "code": known_code(each.code),
        "http_status": each.http_status,
        "answered": each.answered,
    }


def _alert(alert: Any) -> dict[str, Any]:
    return {
        "alert": alert.id,
        "rule": alert.rule,
        "level": alert.level.value,
        "state": alert.state.value,
        "step": alert.step,
        "first_at": alert.first_at,
        "last_at": alert.last_at,
        "count": alert.count,
    }


# Subjects of these are ids that we or a peer's gateway made; others may name a consignment.
_ABOUT_A_MESSAGE: Final = frozenset(
    str(action)
    for action in JournalAction
    if action.startswith(("dispatch:", "arrival:", "outage:"))
)


def _entry(entry: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "sequence": entry.sequence,
        "at": entry.at,
        "actor": entry.actor.partition(":")[0],
        "action": entry.action,
    }
    if entry.action in _ABOUT_A_MESSAGE:
        told["subject"] = entry.subject
    if entry.detail.get("code"):
        told["code"] = known_code(entry.detail["code"])
    return told


def _tail(path: Path) -> Iterable[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return deque((line.rstrip("\n") for line in file), maxlen=LOG_LINES)
    except OSError as exc:
        raise InputError(f"the log {path.name} cannot be read: {exc.strerror}") from exc


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, default=_plain) + "\n"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
