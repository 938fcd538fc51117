"""Measures this machine and the gateway on it: choose measures, run them, show and keep them.

``paper``, ``soak`` and ``workers`` as first word are commands apart, with options of their own.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from bench import archive, page, paper, report, soak, stages, twelve, workers
from bench.harness import Plan
from bench.measures import chosen
from bench.quiet import quiet

FULL = Plan(rounds=7, seconds=0.12, attempts=3, limit=180.0, warms=True)
QUICK = Plan(rounds=2, seconds=0.03, least=1)
APART = {"paper": paper.main, "soak": soak.main, "workers": workers.main}


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("words", nargs="*", help="only measures whose name or group holds a word")
    parser.add_argument("--rounds", type=int, default=FULL.rounds)
    parser.add_argument("--seconds", type=float, default=FULL.seconds, help="per measure and round")
    parser.add_argument("--quick", action="store_true", help="two short rounds, nothing is kept")
    parser.add_argument("--list", action="store_true", help="name the measures and stop")
    parser.add_argument(
        "--archive",
        type=int,
        default=max(archive.EXPONENTS),
        help="largest archive, 10^ARCHIVE rows",
    )
    return parser.parse_args()


def main() -> int:
    """Run the benchmarks; the status is 1 when the run is void."""
    quiet()
    if sys.argv[1:2] and sys.argv[1] in APART:
        return APART[sys.argv[1]](sys.argv[2:])
    asked = arguments()
    archive.register(asked.archive)
    measures = chosen(asked.words)
    if asked.list:
        for each in measures:
            print(f"{each.group}: {each.name}")
        return 0
    plan = QUICK if asked.quick else replace(FULL, rounds=asked.rounds, seconds=asked.seconds)
    finished = stages.run_stages(measures, plan, tell)
    goals = twelve.goals(asked.archive)
    for line in report.screen(finished, goals):
        print(line)
    if not asked.words and not asked.quick:
        page.write_page(finished, goals)
        report.write_values(finished, goals)
        print("kept in docs/benchmarks.md and bench/results.json")
    return int(finished.is_void)


def tell(line: str) -> None:
    """Say how far the run has come."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
