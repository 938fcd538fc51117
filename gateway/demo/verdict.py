"""Comparing what the demonstration planned with what really happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.demo.attacks import AttackResult
from gateway.demo.manifest import CustomsAction, Outcome
from gateway.demo.play import Deed, Scene, Usage


def surprises(scenes: Iterable[Scene], attacks: Iterable[AttackResult]) -> list[str]:
    """Return one sentence for each expected outcome that did not occur."""
    found = [text for scene in scenes for text in _of_scene(scene)]
    found += [
        f"attack {result.attack.name!r}: expected {result.attack.expected}, got {result.got}"
        for result in attacks
        if not result.repelled
    ]
    return found


def _of_scene(scene: Scene) -> Iterator[str]:
    plan = scene.consignment
    name = f"{plan.id} ({scene.serial})"
    if plan.submission.accepted != (scene.message_id is not None):
        yield f"{name}: submission should be {_word(plan.submission.accepted)}"
    rules = {finding.rule for finding in scene.findings}
    if rules != set(plan.submission.rules):
        yield f"{name}: findings {_listed(rules)}, expected {_listed(plan.submission.rules)}"
    if plan.verdict is not scene.verdict:
        yield f"{name}: verdict {scene.verdict}, expected {plan.verdict}"
    if len(scene.deeds) != len(plan.actions):
        yield f"{name}: {len(scene.deeds)} customs decisions, expected {len(plan.actions)}"
    for number, (deed, action) in enumerate(zip(scene.deeds, plan.actions, strict=False), 1):
        yield from _of_deed(name, number, deed, action)
    if plan.outcome is not None:
        yield from _of_usage(f"{name}, importing side", scene.imported, plan.outcome)
        yield from _of_usage(f"{name}, issuing side", scene.issued, plan.outcome)


def _of_deed(name: str, number: int, deed: Deed, action: CustomsAction) -> Iterator[str]:
    rules = {finding.rule for finding in deed.refused}
    if not set(action.refused_with) <= rules or bool(rules) != bool(action.refused_with):
        yield (
            f"{name}: decision {number} refused with {_listed(rules)}, "
            f"expected {_listed(action.refused_with)}"
        )
    if not action.refused_with and not deed.delivered:
        yield f"{name}: response {number} was not taken by the issuing side"


def _of_usage(name: str, usage: Usage | None, outcome: Outcome) -> Iterator[str]:
    if usage is None:
        yield f"{name}: the certificate is not in the register"
        return
    if usage.status is not outcome.status:
        yield f"{name}: status {usage.status}, expected {outcome.status}"
    for item in outcome.items:
        used = usage.used.get(item.number)
        if used != item.quantity:
            yield f"{name}: item {item.number} used {used}, expected {item.quantity}"


def _word(accepted: bool) -> str:
    return "accepted" if accepted else "refused"


def _listed(rules: Iterable[str]) -> str:
    return ", ".join(sorted(rules)) or "none"
