"""The command: choose measures, run them, show them, keep them when the run holds."""

from __future__ import annotations

import argparse
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bench import harness, raw, report, rooms  # noqa: F401 - these register their measures
from bench.material import ITEMS, document_xml, rsa_key


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("words", nargs="*", help="only measures whose name or group holds a word")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.4, help="per measure and round")
    parser.add_argument("--quick", action="store_true", help="three short rounds, nothing is kept")
    parser.add_argument("--list", action="store_true", help="name the measures and stop")
    return parser.parse_args()


def main() -> int:
    """Run the benchmarks; the status is 1 when the run is void."""
    asked = arguments()
    chosen = harness.with_limits(harness.registered(asked.words))
    if asked.list:
        for each in chosen:
            print(f"{each.group}: {each.name}")
        return 0
    key = rsa_key()
    finished = harness.run(
        chosen,
        lambda: key.sign(b"control", padding.PKCS1v15(), hashes.SHA256()),
        rounds=3 if asked.quick else asked.rounds,
        seconds=0.1 if asked.quick else asked.seconds,
        progress=lambda line: print(line, file=sys.stderr),
    )
    for line in report.screen(finished):
        print(line)
    complete = not asked.words and not asked.quick
    if complete and not finished.is_void:
        report.write(finished, items=ITEMS, document_bytes=len(document_xml()))
        print("kept in docs/benchmarks.md and bench/results.json")
    return int(finished.is_void)


if __name__ == "__main__":
    sys.exit(main())
