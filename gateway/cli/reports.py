"""The command that counts anew what the reports of the console tell."""

from __future__ import annotations

import click

from gateway.cli.main import Invocation, common
from gateway.cli.opening import present, the_gateway
from gateway.operations.report_counts import recount as count_anew

_TOLD_EACH = 50_000


@click.command()
@common
def recount(call: Invocation) -> None:
    """Count all certificates and refusals for the reports anew, from the books.

    The workers keep the counts by themselves; this is for counts that are doubted. Nothing else
    stands still meanwhile, and reports say how far it has come. Interrupted, the workers go on.
    """
    with the_gateway(call) as gateway:
        done = 0
        for done in count_anew(gateway.desk, at=present()):
            if done % _TOLD_EACH == 0:
                call.output.note(f"{done} certificates counted")
    call.output.result({"certificates": done}, [f"{done} certificates counted"])
