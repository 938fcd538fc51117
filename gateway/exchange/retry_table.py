"""The retry classes as data: what follows a failed attempt, by its cause.

Shipped in ``mappings/delivery/retry-classes.yaml``; a home may replace single classes by a file
of its own.  When to send next is computed in ``gateway.exchange.retry``.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.agreements.loading import load_record
from gateway.documents.base import Record
from gateway.documents.findings import LocalisedText
from gateway.errors import ConfigError, GatewayError, PeerFaultError
from gateway.resources import data_path

ClassId = Annotated[str, Field(pattern=r"^[a-z][a-z-]{2,38}$")]
Cause = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")]
Fault = Annotated[str, Field(pattern=r"^([A-Z][A-Z0-9_]{1,39}|HTTP_[45]xx|\*RETRYABLE|\*FINAL)$")]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Factor = Annotated[float, Field(ge=1, le=10)]

ANY_CAUSE = GatewayError.code
ANY_RETRYABLE, ANY_FINAL = "*RETRYABLE", "*FINAL"
_HTTP_STATUS = re.compile(r"HTTP_([45])[0-9]{2}")


class Treatment(StrEnum):
    """Says what follows a failed attempt.

    BACKOFF: a growing pause.  SLOW: the longest pause each time.  HOLD: a person must act.
    """

    BACKOFF = "BACKOFF"
    SLOW = "SLOW"
    HOLD = "HOLD"


class RetryClass(Record):
    """Is how failures of one kind are treated; the file itself explains every key."""

    causes: tuple[Cause, ...] = ()
    faults: tuple[Fault, ...] = ()
    treatment: Treatment
    first: Seconds | None = None
    factor: Factor = 2
    longest: Seconds | None = None
    give_up_hours: Annotated[float, Field(gt=0, le=2400)] | None = None
    blocks_lane: bool
    resumes_with_lane: bool
    says: LocalisedText
    todo: LocalisedText

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.causes and not self.faults:
            raise ValueError("names neither a cause nor a fault")
        if self.first is not None and self.longest is not None and self.first > self.longest:
            raise ValueError("`first` is more than `longest`")
        if self.resumes_with_lane and not self.blocks_lane:
            raise ValueError("only what blocks the lane can resume with it")
        return self


class Breaker(Record):
    """Says when and for how long a lane is parked.

    Attributes:
        after: failures in a row that park it.
        first, factor, longest: seconds of the first pause, its growth and its bound; a little
            after the bound one message is tried again, whatever the pauses of all.
    """

    after: Annotated[int, Field(ge=1, le=100)] = 1
    first: Seconds = 2
    factor: Factor = 2
    longest: Seconds = 50


class RetryTable(Record):
    """Holds every retry class by its id; each cause and fault belongs to exactly one."""

    lane: Breaker = Breaker()
    classes: dict[ClassId, RetryClass]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for kind, wanted in (("causes", {ANY_CAUSE}), ("faults", {ANY_RETRYABLE, ANY_FINAL})):
            named = Counter(_named(self.classes, kind))
            twice = sorted(code for code, count in named.items() if count > 1)
            if twice:
                raise ValueError(f"{kind} that stand in two classes: {', '.join(twice)}")
            _require_all(kind, wanted - set(named))
        return self

    @classmethod
    def load(cls, own: Path | None = None) -> RetryTable:
        """Return the shipped table, single classes replaced by those in ``own`` if given.

        Raises:
            ConfigError: names file and line of what is wrong.
        """
        shipped = _shipped()
        if own is None:
            return shipped
        changes = load_record(_OwnClasses, own)
        classes = {**shipped.classes, **changes.classes}
        try:
            for kind in ("causes", "faults"):
                _require_all(kind, {*_named(shipped.classes, kind)} - {*_named(classes, kind)})
            return cls(lane=changes.lane or shipped.lane, classes=classes)
        except ValueError as exc:
            reason = str(exc).split("Value error, ", 1)[-1].split(" [type=", 1)[0]
            raise ConfigError(f"{own.name}: with the shipped classes there are {reason}") from exc

    def class_of(self, error: GatewayError) -> RetryClass:
        """Return the class of a failed attempt."""
        if isinstance(error, PeerFaultError):
            return self.fault_class(error.peer_code, retryable=error.peer_retryable)
        for cls in type(error).__mro__:
            found = self._find("causes", getattr(cls, "code", ANY_CAUSE))
            if found is not None:
                return found
        return self._require("causes", ANY_CAUSE)

    def fault_class(self, code: str, *, retryable: bool) -> RetryClass:
        """Return the class of a fault that the peer stated.

        Args:
            retryable: what the peer says of its code; counts where the code is unknown here.
        """
        status = _HTTP_STATUS.fullmatch(code)
        found = self._find("faults", code)
        if found is None and status is not None:
            found = self._find("faults", f"HTTP_{status[1]}xx")
        return found or self._require("faults", ANY_RETRYABLE if retryable else ANY_FINAL)

    def explain(self, code: str) -> RetryClass | None:
        """Return the class of a recorded code, as a cause or else as a fault; None if unknown."""
        status = _HTTP_STATUS.fullmatch(code)
        ranged = f"HTTP_{status[1]}xx" if status else code
        return (
            self._find("causes", code) or self._find("faults", code) or self._find("faults", ranged)
        )

    @functools.cached_property
    def resuming_codes(self) -> frozenset[str]:
        """Codes of failures that are tried again at once when the way is open again."""
        return frozenset(
            code
            for each in self.classes.values()
            if each.resumes_with_lane
            for code in (*each.causes, *each.faults)
            if not code.endswith("xx") and not code.startswith("*")
        )

    def _find(self, kind: str, code: str) -> RetryClass | None:
        return next((one for one in self.classes.values() if code in getattr(one, kind)), None)

    def _require(self, kind: str, code: str) -> RetryClass:
        found = self._find(kind, code)
        if found is None:  # the validator has seen to it that there is one
            raise ConfigError(f"the retry table has no class for {code}")
        return found


class _OwnClasses(Record):
    lane: Breaker | None = None
    classes: dict[ClassId, RetryClass] = Field(default_factory=dict)


@functools.cache
def _shipped() -> RetryTable:
    return load_record(RetryTable, data_path("mappings", "delivery", "retry-classes.yaml"))


def _named(classes: dict[ClassId, RetryClass], kind: str) -> Iterator[str]:
    for each in classes.values():
        yield from getattr(each, kind)


def _require_all(kind: str, missing: set[str]) -> None:
    if missing:
        raise ValueError(f"{kind} that stand in no class: {', '.join(sorted(missing))}")
