"""The doctor: looks at our own home and at the way to each peer; every line has its remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.operations.checks import Check, Outcome, worst
from gateway.operations.home_checks import home_checks
from gateway.operations.peer_checks import peer_checks
from gateway.operations.premises import Premises
from gateway.store import Peer
from gateway.transport import Transport

MARKS = {Outcome.OK: "✓", Outcome.WARN: "!", Outcome.FAIL: "✗"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """Is what the doctor found."""

    at: datetime
    gateway: str
    checks: tuple[Check, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of all checks."""
        return worst(self.checks)

    def values(self, language: str) -> dict[str, Any]:
        """Return the report in JSON's types, sentences in one language."""
        return {
            "at": self.at.isoformat(),
            "gateway": self.gateway,
            "outcome": self.outcome.value,
            "checks": check_values(self.checks, language),
        }

    def lines(self, language: str) -> Iterator[str]:
        """Yield the report for a person: a heading per subject, remedies below what needs one."""
        heading = None
        for check in self.checks:
            subject = check.subject or self.gateway
            if subject != heading:
                heading = subject
                yield subject
            yield f"  {MARKS[check.outcome]} {check.says(language)}"
            remedy = check.remedy(language)
            if remedy is not None:
                yield f"      → {remedy}"


def examine(
    premises: Premises, peers: Sequence[Peer], transport: Transport, *, own: bool = True
) -> Report:
    """Return the report on our own home, unless left out, and on the way to each of ``peers``."""
    now = premises.desk.clock()
    checks = [*home_checks(premises, now)] if own else []
    for peer in peers:
        checks += peer_checks(premises, peer, transport)
    return Report(at=now, gateway=premises.desk.identity.identifier, checks=tuple(checks))


def check_values(checks: Iterable[Check], language: str) -> list[dict[str, Any]]:
    """Return checks in JSON's types, sentences in one language."""
    return [
        {
            "check": check.id,
            "subject": check.subject,
            "outcome": check.outcome.value,
            "says": check.says(language),
            "remedy": check.remedy(language),
            "facts": dict(check.facts),
        }
        for check in checks
    ]
