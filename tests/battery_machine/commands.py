"""Running ``eco`` as the operator of one country does, on that country's clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.battery_machine.pair import Pair


def eco(
    pair: Pair,
    country: str,
    *arguments: str,
    given: bytes | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Any:
    """Return what a command answers in JSON; it must succeed."""
    home = pair.crew.stage.home(country)
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments, "--home", str(home), "--json"],
        input=given,
        capture_output=True,
        check=False,
        env={**os.environ, **pair.crew.environment[country], **(secrets or {})},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
