"""What every contestant's program does: offer works by name, repeat one for as long as asked.

Runs in the contestant's own environment and imports nothing of ours.  The first line on standard
output names the works; after that each line in, ``work seconds``, is answered by one line, the
nanoseconds of each call and after a semicolon facts as ``name=value``, or ``!`` and the reason.
A work may return nanoseconds and facts of its own; otherwise its whole call is timed.
"""

import sys
import time


def serve(works):
    """Answer until standard input ends."""
    out, sys.stdout = sys.stdout, sys.stderr
    print(*works, file=out, flush=True)
    for line in sys.stdin:
        name, seconds = line.split()
        try:
            found, facts = repeated(works[name], float(seconds))
            told = [f"{fact}={value}" for fact, value in facts.items()]
            print(*found, ";", *told, file=out, flush=True)
        except Exception as exc:  # noqa: BLE001 - the bench ends the run with these words
            print("!", repr(exc).replace("\n", " "), file=out, flush=True)


def repeated(work, seconds):
    """Return the nanoseconds of each call, at least one, and the facts of the last."""
    clock, found, facts = time.perf_counter_ns, [], {}
    end = clock() + int(seconds * 1e9)
    while not found or clock() < end:
        start = clock()
        answer = work()
        took = clock() - start
        if isinstance(answer, tuple):
            took, facts = answer
        found.append(took)
    return found, facts
