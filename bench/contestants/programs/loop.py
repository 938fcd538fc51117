"""What every contestant's program does: offer works by name, repeat one for as long as asked.

Runs in the contestant's own environment and imports nothing of ours.  The first line on standard
output names the works; after that each line in, ``work seconds``, is answered by one line, the
nanoseconds of each call, or ``!`` and the reason.
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
            print(*repeated(works[name], float(seconds)), file=out, flush=True)
        except Exception as exc:  # noqa: BLE001 - the bench ends the run with these words
            print("!", repr(exc).replace("\n", " "), file=out, flush=True)


def repeated(work, seconds):
    """Return the nanoseconds of each call; at least one is made."""
    clock, found = time.perf_counter_ns, []
    end = clock() + int(seconds * 1e9)
    while not found or clock() < end:
        start = clock()
        work()
        found.append(clock() - start)
    return found
