"""Real listeners and workers, killed at random moments while consignments cross the border."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway
from gateway.demo.stage import Stage
from gateway.exchange.outbound import submit_document
from gateway.exchange.responding import respond
from gateway.store import Side, certificates, outbox
from tests.crash.checker import broken_promises, read_books
from tests.crash.papers import certificate_of_today, write_off
from tests.crash.processes import Crew, raging, two_gateways, wait_for

CERTIFICATES = 40
USED_EACH = Decimal(1000)
KILLS = 10
SEED = 20261122


@pytest.mark.slow
def test_processes_killed_at_random_lose_and_double_nothing(tmp_path: Path):
    with two_gateways(tmp_path) as crew:
        stage = crew.stage
        told: dict[str, str] = {}
        with raging(crew, SEED):
            serials = [_submit(stage, number, told) for number in range(1, CERTIFICATES + 1)]
            used = _let_customs_act(stage, serials, told, crew)
            wait_for(lambda: len(crew.killed) >= KILLS, 40, crew)
        assert len(set(crew.killed)) == 4, "each process is hit"
        wait_for(lambda: not any(map(_backlog, stage.gateways.values())), 40, crew)
        crew.end_all()
        urls = {c: gateway.settings.store_url for c, gateway in stage.gateways.items()}
        books = {country: read_books(country, url) for country, url in urls.items()}
        assert broken_promises(books["ZM"], books["KE"], told, used) == []


def _submit(stage: Stage, number: int, told: dict[str, str]) -> str:
    time.sleep(0.1)
    document = certificate_of_today(number)
    answer = submit_document(stage.gateways["ZM"].desk, document)
    told[document.serial_number] = answer.message_id or ""
    return document.serial_number


def _let_customs_act(
    stage: Stage, serials: list[str], told: dict[str, str], crew: Crew
) -> dict[str, Decimal]:
    """Write some off of the first ten certificates that arrive, twice each."""
    kenya = stage.gateways["KE"]
    wait_for(lambda: len(_arrived(kenya, serials)) >= 10, 40, crew)
    used = dict.fromkeys(serials, Decimal(0))
    for serial in _arrived(kenya, serials)[:10]:
        for number in (1, 2):
            reference = f"{serial}/{number}"
            told[reference] = (
                respond(kenya.desk, write_off(serial, reference, USED_EACH)).message_id or ""
            )
            used[serial] += USED_EACH
            time.sleep(0.1)
    return used


def _arrived(kenya: Gateway, serials: list[str]) -> list[str]:
    with kenya.store.read() as conn:
        return [each for each in serials if certificates.find(conn, Side.RECEIVED, "ZM", each)]


def _backlog(gateway: Gateway) -> Any:
    with gateway.store.read() as conn:
        return outbox.backlog(conn)
