"""Measures this machine and the gateway on it: choose measures, run them, show and keep them."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bench import harness, page, report
from bench.harness import Plan
from bench.material import rsa_key
from bench.measures import chosen
from bench.quiet import quiet

FULL = Plan(rounds=7, seconds=0.12, attempts=3, limit=180.0)
QUICK = Plan(rounds=2, seconds=0.03, least=1)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("words", nargs="*", help="only measures whose name or group holds a word")
    parser.add_argument("--rounds", type=int, default=FULL.rounds)
    parser.add_argument("--seconds", type=float, default=FULL.seconds, help="per measure and round")
    parser.add_argument("--quick", action="store_true", help="two short rounds, nothing is kept")
    parser.add_argument("--list", action="store_true", help="name the measures and stop")
    return parser.parse_args()


def main() -> int:
    """Run the benchmarks; the status is 1 when the run is void."""
    quiet()
    asked = arguments()
    measures = chosen(asked.words)
    if asked.list:
        for each in measures:
            print(f"{each.group}: {each.name}")
        return 0
    plan = QUICK if asked.quick else replace(FULL, rounds=asked.rounds, seconds=asked.seconds)
    finished = measured(measures, plan)
    for line in report.screen(finished):
        print(line)
    if not asked.words and not asked.quick:
        page.write_page(finished)
        report.write_values(finished)
        print("kept in docs/benchmarks.md and bench/results.json")
    return int(finished.is_void)


def measured(measures: list[harness.Measure], plan: Plan) -> harness.Run:
    """Return a run of these measures, its progress told on standard error."""
    key = rsa_key()
    return harness.run(
        measures,
        lambda: key.sign(b"control", padding.PKCS1v15(), hashes.SHA256()),
        plan,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )


if __name__ == "__main__":
    sys.exit(main())
