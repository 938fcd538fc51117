"""Back-pressure: no peer takes all the room, and whoever is turned away hears when to come back."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.errors import BusyError, PeerFaultError, SlowDownError
from gateway.transport.answers import unwelcome
from gateway.transport.http import HttpAnswer, retry_after_of
from gateway.web.peer import PeerAppSettings, Pressure, create_peer_app
from gateway.web.pressure import Gate

XML = "application/xml"
SOAP = "application/soap+xml"


@dataclass
class Ticks:
    """Is a clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_peer_that_sends_too_fast_is_told_when_to_go_on():
    ticks = Ticks()
    gate = Gate(Pressure(per_minute=60, burst=2), ticks)
    for _ in range(2):
        with gate.passage("zm"):
            pass
    with pytest.raises(SlowDownError) as refused:
        gate.enter("zm")
    assert refused.value.retry_after == 1
    with gate.passage("ke"):  # nobody else is asked to wait
        pass
    ticks.now += 1
    with gate.passage("zm"):
        pass


def test_a_bucket_holds_no_more_than_the_burst_after_a_long_pause():
    ticks = Ticks()
    gate = Gate(Pressure(per_minute=60, burst=2), ticks)
    ticks.now += 86_400
    for _ in range(2):
        with gate.passage("zm"):
            pass
    with pytest.raises(SlowDownError):
        gate.enter("zm")


def test_one_peer_leaves_room_for_the_others_and_all_together_have_a_bound():
    gate = Gate(Pressure(at_once=3, at_once_per_peer=2))
    gate.enter("zm")
    gate.enter("zm")
    with pytest.raises(SlowDownError):
        gate.enter("zm")
    gate.enter("ke")
    with pytest.raises(BusyError):
        gate.enter("sd")
    gate.leave("zm")
    gate.enter("sd")


def test_a_place_is_given_back_when_the_request_fails():
    gate = Gate(Pressure(at_once=1, at_once_per_peer=1))
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), gate.passage(None):
            raise ValueError("broken")


def test_ten_thousand_callers_do_not_fill_the_memory():
    gate = Gate(Pressure())
    gate.enter("zm")
    for number in range(10_000):
        with gate.passage(str(number)):
            pass
    gate.leave("zm")
    assert len(gate._buckets) <= 1_024


def test_threads_never_get_more_places_than_there_are():
    gate = Gate(Pressure(at_once=3, at_once_per_peer=3, burst=10_000))
    inside, most = [0], [0]
    lock = threading.Lock()

    def knock() -> None:
        for _ in range(200):
            try:
                with gate.passage("zm"):
                    with lock:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    with lock:
                        inside[0] -= 1
            except SlowDownError:
                continue

    threads = [threading.Thread(target=knock) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most[0] <= 3
    assert gate._in_work == 0


@pytest.mark.parametrize("threads", [1, 2, 3, 8, 64])
def test_a_listener_keeps_threads_free_beside_those_that_take_messages(threads: int):
    bounds = Pressure.for_threads(threads, per_minute=60, burst=1)
    assert 1 <= bounds.at_once_per_peer <= bounds.at_once <= threads
    assert threads < 3 or bounds.at_once == threads - 2


# --- over HTTP ------------------------------------------------------------------------------------


@dataclass
class Desk:
    """Takes everything, slowly if asked to."""

    hold: threading.Event | None = None
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def accept(self, raw: bytes, _fingerprint: str | None) -> bytes:
        self.entered.release()
        if self.hold is not None:
            self.hold.wait(20)
        return b"<receipt/>"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not asked for here")


def app_with(desk: Desk, **bounds: int):
    settings = PeerAppSettings(pressure=Pressure(**bounds), retry_after_seconds=7)
    return create_peer_app(desk, settings)  # type: ignore[arg-type]


def seen_by_peer(response: Any) -> PeerFaultError:
    """Return what our own client makes of an answer."""
    error = unwelcome(
        HttpAnswer(
            status=response.status_code,
            media_type=response.mimetype,
            body=response.data,
            retry_after=retry_after_of(response.headers.get("Retry-After")),
        )
    )
    assert isinstance(error, PeerFaultError)
    return error


def test_SLOW_DOWN_a_fast_peer_gets_429_with_Retry_After_and_obeys():
    client = app_with(Desk(), per_minute=6, burst=1).test_client()
    assert client.post("/rest/v1/messages", data=b"<e/>", content_type=XML).status_code == 200
    refused = client.post("/rest/v1/messages", data=b"<e/>", content_type=XML)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    fault = seen_by_peer(refused)
    assert (fault.peer_code, fault.peer_retryable, fault.retry_after) == ("SLOW_DOWN", True, 10.0)


def test_SLOW_DOWN_a_soap_caller_gets_a_fault_in_its_own_version_with_429():
    client = app_with(Desk(), per_minute=6, burst=1).test_client()
    client.post("/soap", data=b"<e/>", content_type=SOAP)
    refused = client.post("/soap", data=b"<e/>", content_type=SOAP)
    assert (refused.status_code, refused.mimetype) == (429, SOAP)
    assert b"SLOW_DOWN" in refused.data
    assert refused.headers["Retry-After"] == "10"


def test_BUSY_a_full_gateway_answers_503_with_Retry_After_and_still_says_that_it_lives():
    desk = Desk(hold=threading.Event())
    app = app_with(desk, at_once=1, at_once_per_peer=1000)
    answers: list[int] = []

    def send() -> None:
        response = app.test_client().post("/rest/v1/messages", data=b"<e/>", content_type=XML)
        answers.append(response.status_code)

    thread = threading.Thread(target=send)
    thread.start()
    assert desk.entered.acquire(timeout=10)
    refused = app.test_client().post("/rest/v1/messages", data=b"<e/>", content_type=XML)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
    assert seen_by_peer(refused).peer_code == "BUSY"
    assert app.test_client().get("/health/live").status_code == 200
    assert desk.hold is not None
    desk.hold.set()
    thread.join(10)
    assert answers == [200]
    again = app.test_client().post("/rest/v1/messages", data=b"<e/>", content_type=XML)
    assert again.status_code == 200
