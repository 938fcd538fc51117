"""Killed with SIGKILL between any two statements, a gateway loses, doubles and halves nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.errors import UnreachableError
from tests.crash.checker import digest_of
from tests.crash.scene import COUNTRIES, play, say_all_again
from tests.crash.steps import Steps, die
from tests.crash.theatre import Theatre
from tests.exchange.corridor import Side

KILLED = -9
STRIDE = {"sqlite": 1, "postgresql": 4}
"""Every step is tried on SQLite; on PostgreSQL, where books take longer to renew, every fourth."""
ASK_AGAIN = 3
"""After every third restart all requests and envelopes are repeated."""
STRIDE_AGAIN = {"sqlite": 4, "postgresql": 12}


def _run(theatre: Theatre, *, die_at: int, later_by: int = 0) -> int:
    """Run the scene in a process that dies at step ``die_at``; return how it ended."""
    scene = theatre.scene

    def run() -> None:
        scene.steps.begin(die_at)
        scene.clock.pass_time(minutes=later_by)
        play(scene, theatre.told)

    return theatre.fork(run).wait()


def _restart(theatre: Theatre, *, ask_again: bool) -> None:
    """Run it again here, where nothing of the killed process is known but the books.

    Args:
        ask_again: repeat every request and every envelope once more at the end.
    """
    scene = theatre.scene
    scene.clock.pass_time(minutes=10)
    play(scene, theatre.told)
    if ask_again:
        say_all_again(scene, theatre.told)


def _rehearse(theatre: Theatre) -> list[str]:
    """Return the places of all steps; what is compiled and cached stays warm for the forks."""
    scene = theatre.scene
    for _ in range(2):
        theatre.fresh()
        scene.steps.begin(0)
        play(scene, theatre.told)
    assert theatre.broken_promises() == []
    return list(scene.steps.passed)


def _chosen(count: int, stride: int) -> Iterator[int]:
    yield from range(1, count + 1, stride)


@pytest.mark.slow
def test_killed_at_any_step_and_restarted_nothing_is_lost_doubled_or_half_written(
    theatre: Theatre,
):
    places = _rehearse(theatre)
    for number in _chosen(len(places), STRIDE[theatre.engine]):
        theatre.fresh()
        place = f"killed at step {number} of {len(places)}, {places[number - 1]}"
        assert _run(theatre, die_at=number) == KILLED, place
        try:
            _restart(theatre, ask_again=number % ASK_AGAIN == 0)
        except Exception as exc:
            exc.add_note(place)
            raise
        assert theatre.broken_promises() == [], place
    theatre.fresh()
    assert _run(theatre, die_at=len(places) + 1) == 0


@pytest.mark.slow
def test_killed_again_and_again_while_it_restarts_a_gateway_still_finishes(theatre: Theatre):
    _rehearse(theatre)
    theatre.fresh()
    deaths, die_at = 0, 1
    while _run(theatre, die_at=die_at, later_by=10 * deaths) == KILLED:
        deaths, die_at = deaths + 1, die_at + STRIDE_AGAIN[theatre.engine]
    assert deaths > 5
    assert theatre.broken_promises() == []


def test_a_receiver_that_dies_at_each_statement_in_turn_stores_and_answers_once(theatre: Theatre):
    _rehearse(theatre)
    theatre.fresh()
    mortal = {country: _Mortal(theatre, country) for country in COUNTRIES}
    for country, other in (COUNTRIES, reversed(COUNTRIES)):
        theatre.scene.side(country).wire.deliver = mortal[other].accept
    play(theatre.scene, theatre.told)
    assert theatre.broken_promises() == []
    assert all(len(one.died_at) > 20 for one in mortal.values())
    assert all(one.died_at[-1].endswith("after COMMIT") for one in mortal.values())


class _Mortal:
    """Is a listener whose process dies at its first step, then at its second, and so on."""

    def __init__(self, theatre: Theatre, country: str) -> None:
        self._theatre = theatre
        self._side: Side = theatre.scene.side(country)
        self._accept = theatre.scene.side(_other(country)).wire.deliver
        self._url = theatre.urls[country]
        self._steps: Steps = theatre.scene.steps
        self._answer = theatre.told.file.with_name(f"answer-{country}")
        self.died_at: list[str] = []

    def accept(self, raw: bytes) -> bytes:
        number = len(self.died_at) + 1
        place = self._answer.with_suffix(".place")

        def last_words(where: str) -> None:
            place.write_text(where)
            die(where)

        def run() -> None:
            self._steps.begin(number, last_words)
            self._answer.write_bytes(self._accept(raw))

        before = digest_of(self._url)
        if self._theatre.fork(run).wait() == 0:
            return self._answer.read_bytes()
        self.died_at.append(place.read_text())
        if not self.died_at[-1].endswith("after COMMIT"):
            assert digest_of(self._url) == before, self.died_at[-1]
        raise UnreachableError("the connection was cut")


def _other(country: str) -> str:
    return next(each for each in COUNTRIES if each != country)
