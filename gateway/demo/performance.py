"""The whole demonstration from empty directory to verdict; prints nothing itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.app import system_clock
from gateway.demo.attacks import AttackResult, attack
from gateway.demo.evidence import export_exchanged
from gateway.demo.manifest import load_manifest
from gateway.demo.play import Scene, perform
from gateway.demo.stage import Stage, build_stage, running
from gateway.demo.telling import attack_lines, trace_lines
from gateway.demo.verdict import surprises

EXCHANGED = "exchanged"


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Is a demonstration that is over.

    Attributes:
        surprises: expected outcomes that did not occur; empty when all is well.
        files: envelopes, documents and receipts left under ``exchanged/``.
    """

    stage: Stage
    scenes: tuple[Scene, ...]
    attacks: tuple[AttackResult, ...]
    surprises: tuple[str, ...]
    files: int
    seconds: float

    def summary(self) -> dict[str, Any]:
        """Return the result in numbers and words, for programs."""
        return {
            "consignments": len(self.scenes),
            "delivered": sum(scene.verdict is not None for scene in self.scenes),
            "refused_at_submission": sum(scene.message_id is None for scene in self.scenes),
            "customs_decisions": sum(len(scene.deeds) for scene in self.scenes),
            "attacks_repelled": sum(result.repelled for result in self.attacks),
            "attacks": len(self.attacks),
            "files_exchanged": self.files,
            "seconds": round(self.seconds, 1),
            "surprises": list(self.surprises),
        }


def perform_all(
    directory: Path,
    *,
    told: Callable[[Scene], None],
    noted: Callable[[str], None],
    afterwards: Callable[[Performance], None] | None,
) -> Performance:
    """Return the demonstration played under ``directory``.

    Args:
        told: called with each consignment's scene as soon as it is over.
        noted: called with each line of progress and of the trace at the end.
        afterwards: called while the gateways are still up; None takes them down at once.
    """
    started = time.monotonic()
    noted("making keys, two gateway homes and their databases …")
    stage = build_stage(directory)
    try:
        noted("starting a peer listener and a delivery worker for each gateway …")
        with running(stage):
            performance = _played(stage, told, noted, started)
            if afterwards is not None:
                afterwards(performance)
            return performance
    finally:
        stage.close()


def _played(
    stage: Stage, told: Callable[[Scene], None], noted: Callable[[str], None], started: float
) -> Performance:
    scenes = []
    for scene in perform(stage, load_manifest().consignments, system_clock()):
        scenes.append(scene)
        told(scene)
    victim = next(scene for scene in scenes if scene.verdict is not None)
    attacks = attack(stage, victim)
    files = export_exchanged(stage, stage.directory / EXCHANGED)
    performance = Performance(
        stage=stage,
        scenes=tuple(scenes),
        attacks=tuple(attacks),
        surprises=tuple(surprises(scenes, attacks)),
        files=files,
        seconds=time.monotonic() - started,
    )
    for line in [*attack_lines(attacks), *trace_lines(performance.summary(), scenes)]:
        noted(line)
    return performance
