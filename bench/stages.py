"""The stages of a run: what shares rounds, so that what is compared saw the same minutes.

Growth and many peers have stages of their own: a million rows or a crowd beside the others would
disturb them.  Each stage has its own control; the run is as restless as its worst stage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bench import archive, harness, items, peers
from bench.harness import Measure, Plan, Run
from bench.material import rsa_key


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Is a part of the run.

    Attributes:
        groups: of measures that belong to it; those that no stage names belong to the first.
        most_rounds: where a round takes long.
    """

    name: str
    groups: tuple[str, ...] = ()
    most_rounds: int = 1_000


STAGES = (
    Stage(name="side by side"),
    Stage(name="goods items", groups=(items.ITEMS,)),
    Stage(name="archive", groups=(archive.ARCHIVE,)),
    Stage(name="many peers", groups=(peers.PEERS,), most_rounds=3),
)


def stage_of(measure: Measure) -> Stage:
    """Return the stage that a measure belongs to."""
    return next((stage for stage in STAGES if measure.group in stage.groups), STAGES[0])


def run_stages(measures: Sequence[Measure], plan: Plan, progress: Callable[[str], None]) -> Run:
    """Return the run of these measures, stage after stage."""
    key = rsa_key()
    runs = []
    for stage in STAGES:
        own = [measure for measure in measures if stage_of(measure) is stage]
        if own:
            progress(f"--- {stage.name}")
            planned = replace(plan, rounds=min(plan.rounds, stage.most_rounds))
            runs.append(
                harness.run(
                    own,
                    lambda: key.sign(b"control", padding.PKCS1v15(), hashes.SHA256()),
                    planned,
                    progress,
                )
            )
    return harness.merged(runs)
