"""django-pyas2 as a whole gateway, end to end, beside our own round trips."""

from __future__ import annotations

from collections.abc import Iterator

from bench.contestants import install
from bench.contestants.side_by_side import python_program
from bench.harness import Batch, Work, measure
from bench.memory import processor_seconds
from bench.trips import CPU

WHOLE = "whole gateways of others, end to end"
DJANGO = "django-pyas2, signed AS2 and signed MDN, HTTP without TLS, SQLite"
SECONDS = 0.3


@measure(DJANGO, group=WHOLE, least=1)
def _django() -> Iterator[Work]:
    with python_program(install.DJANGO_PYAS2, "run_django_pyas2.py") as program:

        def exchange() -> Batch:
            before = processor_seconds(program.pid)
            found = program.repeat("exchange", SECONDS)
            used = (processor_seconds(program.pid) - before) / len(found.singles)
            return Batch(found.each, found.singles, {CPU: used * 1e6})

        yield exchange
