"""What the demonstration tells its audience: lines of text, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.demo.play import Deed, Scene, Usage
from gateway.documents import Finding, Verdict

if TYPE_CHECKING:
    from gateway.demo.consoles import Console
    from gateway.demo.performance import Performance

BAR = 12


def opening_lines(directory: Path) -> list[str]:
    """Return what is said before the curtain rises."""
    return [
        "eCO gateway: Zambia (ZM-SW) and Kenya (KE-SW) exchange certificates of origin.",
        "ZM reaches KE over SOAP 1.2, KE reaches ZM over REST; mutual TLS and XML signatures.",
        f"everything is kept in {directory}",
    ]


def scene_lines(scene: Scene, language: str) -> list[str]:
    """Return the story of one consignment, as it really went."""
    plan = scene.consignment
    lines = ["", f"▸ {scene.serial}  {plan.sender} → {plan.receiver}  [{plan.format}]"]
    lines.append(f"  {plan.story.in_language(language)}")
    if scene.message_id is None:
        lines.append("  ✗ refused at submission:")
        lines += _findings(scene.findings, language)
        return lines
    mark = "✗" if scene.verdict is Verdict.REFUSED else "✓"
    lines.append(f"  {mark} delivered, signed verdict: {scene.verdict}")
    lines += _findings(scene.findings, language)
    for deed in scene.deeds:
        lines += _deed(deed, plan.receiver, language)
    if scene.issued is not None and scene.deeds:
        lines.append(f"  ← {plan.sender} knows: {_usage(scene.issued)}   ({scene.seconds:.1f} s)")
    return lines


def attack_lines(results: Iterable[object]) -> list[str]:
    """Return how the attacks ended."""
    lines = ["", "▸ what must not work, sent to Kenya's real listener:"]
    for result in results:
        mark = "✓" if result.repelled else "✗"  # type: ignore[attr-defined]
        entry = result.attack  # type: ignore[attr-defined]
        lines.append(f"  {mark} {entry.name:<26} → {result.got}")  # type: ignore[attr-defined]
    return lines


def trace_lines(summary: dict[str, Any], scenes: Sequence[Scene]) -> list[str]:
    """Return the trace at the end: one line for each consignment, then the sums."""
    lines = ["", "The trace", "─────────"]
    lines += [_trace(scene) for scene in scenes]
    lines.append("")
    lines.append(
        f"{summary['consignments']} consignments: {summary['delivered']} delivered, "
        f"{summary['refused_at_submission']} refused at submission; "
        f"{summary['customs_decisions']} customs decisions; "
        f"{summary['attacks_repelled']} of {summary['attacks']} attacks repelled; "
        f"{summary['files_exchanged']} signed files kept; {summary['seconds']} s"
    )
    if summary["surprises"]:
        lines.append("NOT as expected:")
        lines += [f"  ✗ {text}" for text in summary["surprises"]]
    else:
        lines.append("Every expected outcome occurred.")
    return lines


def console_lines(opened: Iterable[Console], authority: Path) -> Iterator[str]:
    """Yield where the consoles are and who may sign in; the passwords are told here only."""
    yield ""
    yield "Two consoles for people; no second factor is asked here.  Passwords, shown this once:"
    for console in opened:
        yield ""
        yield f"  {console.country}  {console.url}"
        for each in console.accounts:
            role = each.role.value.lower().replace("_", " ")
            yield f"    {role:<22} {each.login:<16} {each.password}"
    yield ""
    yield "A browser warns of the demonstration's own CA until it trusts this file; curl takes it:"
    first = next(iter(opened))
    yield f"  curl --cacert {authority} {first.url}sign-in"


def closing_lines(performance: Performance) -> Iterator[str]:
    """Yield what else the audience may try while both gateways stay up."""
    stage = performance.stage
    first = next(scene for scene in performance.scenes if scene.deeds)
    sender = first.consignment.sender
    yield ""
    yield "Both gateways and consoles stay up; Ctrl-C ends all. Meanwhile, in another terminal:"
    yield f"  eco status {first.serial} --home {stage.home(sender)}"
    yield f"  eco messages --home {stage.home(first.consignment.receiver)}"
    yield f"  eco peer ping KE-SW --home {stage.home('ZM')}"
    yield f"  ls {stage.directory / 'exchanged'}"


def _findings(findings: Iterable[Finding], language: str) -> Iterator[str]:
    for finding in findings:
        box = f", box {finding.box}" if finding.box else ""
        article = f" [Art. {finding.article}]" if finding.article else ""
        yield f"      {finding.rule}{box}: {finding.message.in_language(language)}{article}"


def _deed(deed: Deed, country: str, language: str) -> Iterator[str]:
    action = deed.action
    what = ", ".join(f"item {i.number}: {i.quantity:f} {i.unit}" for i in action.items)
    declaration = "" if action.declaration is None else f" on {action.declaration.number}"
    line = f"{country} customs: {action.status.value} {what}{declaration}".rstrip()
    if deed.refused:
        yield f"  ✗ {line}: refused"
        yield from _findings(deed.refused, language)
        return
    yield f"  ✓ {line}"
    for reason in action.reasons:
        yield f"      {reason.code}: {reason.text}"


def _usage(usage: Usage) -> str:
    full = min(BAR, round(float(usage.share) * BAR))
    bar = "█" * full + "░" * (BAR - full)
    return f"{bar} {usage.share:.0%} {'' if usage.status is None else usage.status.value}".rstrip()


def _trace(scene: Scene) -> str:
    plan = scene.consignment
    verdict = "not sent" if scene.verdict is None else scene.verdict.value
    used = "" if scene.issued is None else _usage(scene.issued)
    rules = ", ".join(sorted({finding.rule for finding in scene.findings}))
    route = f"{plan.sender}→{plan.receiver}"
    return f"{scene.serial:<24} {route:<7} {verdict:<23} {used:<28} {rules}".rstrip()
