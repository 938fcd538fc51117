"""Health: whether this process lives, and whether this gateway can take and deliver messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.operations.checks import Check, Outcome, worst
from gateway.operations.doctor import check_values
from gateway.operations.home_checks import ready_checks
from gateway.operations.premises import Premises


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Is the answer to the question whether this gateway is ready."""

    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing fails; a warning does not make a gateway unready."""
        return worst(self.checks) is not Outcome.FAIL

    def values(self, language: str = "en") -> dict[str, Any]:
        """Return the answer in JSON's types, with reasons and remedies."""
        return {
            "status": "ready" if self.ready else "not ready",
            "checks": check_values(self.checks, language),
        }


def live() -> dict[str, str]:
    """Return that this process answers; nothing else is looked at."""
    return {"status": "live"}


def readiness(premises: Premises) -> Readiness:
    """Return whether database, tables, keys, disk and queue let this gateway do its work."""
    return Readiness(checks=ready_checks(premises, premises.desk.clock()))
