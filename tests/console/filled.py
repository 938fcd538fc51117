"""A console of an operator with a bad night behind it: something of every kind to look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gateway.exchange import maintenance
from gateway.exchange.peering import PeerTerms, own_card, register_peer
from gateway.operations.alerting import AlertDesk, judge
from gateway.operations.in_force import note_parts
from gateway.operations.readings import Reading
from gateway.store import (
    AttemptOutcome,
    DeliveryState,
    JournalAction,
    NewMaintenance,
    Sighting,
    alerts,
    journal,
    outages,
    outbox,
    peers,
    sightings,
    tallies,
    tasks,
)
from gateway.store import PeerChannel as Channel
from gateway.store import maintenance as announced
from tests.api.batches import hand_in, line, ndjson
from tests.api.conftest import Border
from tests.console.house import House
from tests.factories import certificate

WAY = ("UNREACHABLE", "TIMED_OUT", "TLS", "BAD_ANSWER")
FACTS = {
    "peer": "MW-SW",
    "owner": "MW-SW",
    "count": "3",
    "minutes": "75",
    "failures": "12",
    "code": "TIMED_OUT",
    "percent": "63",
    "attempts": "41",
    "folder": "database",
    "free": "1.2 GB",
    "name": "CN=gateway",
    "until": "2026-03-20",
    "days": "10",
    "age": "44",
    "file": "own.yaml",
    "line": "7",
    "problem": "`unit` is named twice",
    "remedy": "name it once",
    "in_force": "1.0",
    "entry": "812",
    "reason": "the hash does not fit",
    "recipients": "mail:ops@example.org",
    "subject": "ZM-20260309-000123",
    "batch": "b-20260310-1",
    "lines": "120",
    "tries": "4",
}


def fill(house: House, border: Border) -> dict[str, str]:
    """Fill the house and return the ids of a dead and of a waiting message."""
    border.zm.submit(certificate(serial_number="ZM-20260309-000001"))
    border.deliver()
    _second_peer(house)
    ids = _messages(house)
    _silent(house)
    _turned_away(house)
    _planned(house)
    _alerts(house)
    hand_in(house.front, ndjson([line(900), line(901)]))
    with house.front.desk.store.begin() as conn:
        tasks.claim(conn, "watch", "w", house.clock(), period=timedelta(seconds=30))
        tallies.fold(conn, at=house.clock())
    note_parts(house.operating.premises, house.clock() - timedelta(days=3))
    return ids


def every_failure(house: House) -> Iterator[str]:
    """Yield one code of every retry class."""
    for each in house.operating.retry.classes.values():
        yield next(iter((*each.causes, *each.faults)))


def _second_peer(house: House) -> None:
    desk, at = house.front.desk, house.clock()
    card = own_card(
        desk, public_url="https://gateway.example:8443", tls=[desk.gateway_credential.signing_cert]
    ).model_copy(update={"identifier": "MW-SW", "country": "MW", "name": "Malawi Single Window"})
    terms = PeerTerms(channel=Channel.REST)
    with desk.store.begin() as conn:
        peer = register_peer(conn, card, terms, own="ZM-SW", at=at, actor="user:test")
        seen = Sighting(
            peer_id=peer.id, seen_at=at, software="eco-gateway/0.9", versions=("rules:all=0",)
        )
        sightings.note(conn, seen)


def _messages(house: House) -> dict[str, str]:
    ids = {}
    states = (DeliveryState.FAILED, DeliveryState.RETRYING)
    for number, code in enumerate(every_failure(house), start=100):
        message_id = _queued(house, number)
        state = states[number % 2]
        _attempt(house, message_id, state, code)
        ids.setdefault("dead" if state is DeliveryState.FAILED else "waiting", message_id)
        ids[code] = message_id
    held = _queued(house, 99)
    with house.front.desk.store.begin() as conn:
        outbox.hold(conn, held, at=house.clock(), actor="user:test", reason="asked by customs")
    return ids


def _queued(house: House, number: int) -> str:
    document = certificate(serial_number=f"ZM-20260309-{number:06}")
    assert house.front.submit(document).status_code == 202
    with house.front.desk.store.read() as conn:
        return outbox.page(conn, limit=1)[0].message_id


def _attempt(house: House, message_id: str, state: DeliveryState, code: str) -> None:
    now = house.clock()
    with house.front.desk.store.begin() as conn:
        (claim,) = outbox.claim_due(conn, "w", now, lease_seconds=60, limit=1)
    assert claim.message_id == message_id
    outcome = AttemptOutcome(
        state=state,
        ended_at=now + timedelta(seconds=2),
        code=code,
        detail="the connection was refused" if code in WAY else None,
        due_at=now + timedelta(days=2) if state is DeliveryState.RETRYING else None,
    )
    with house.front.desk.store.begin() as conn:
        outbox.record_attempt(conn, claim, outcome)


def _silent(house: House) -> None:
    now = house.clock()
    with house.front.desk.store.begin() as conn:
        outages.look(conn, now=now, failures=1)


def _turned_away(house: House) -> None:
    with house.front.desk.store.begin() as conn:
        for code in ("ENVELOPE_SIGNATURE", "UNKNOWN_PEER", "STALE_MESSAGE"):
            journal.append(
                conn,
                at=house.clock(),
                action=JournalAction.ARRIVAL_TURNED_AWAY,
                subject="f" * 64,
                detail={"code": code},
            )


def _planned(house: House) -> None:
    now, note = house.clock(), {"en": "New disks", "fr": "Nouveaux disques", "ar": "أقراص جديدة"}
    maintenance.announce(
        house.operating.desk,
        now + timedelta(hours=6),
        now + timedelta(hours=9),
        note,
        actor="user:operator",
    )
    with house.front.desk.store.begin() as conn:
        peer = peers.by_identifier(conn, "MW-SW")
        assert peer is not None
        new = NewMaintenance(
            peer_id=peer.id,
            begins_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=2),
            note={"en": "Moving house"},
        )
        announced.announce(conn, new, gateway="MW-SW", at=now, actor="peer:MW-SW")


def _alerts(house: House) -> None:
    rules = house.operating.premises.rules
    desk = AlertDesk(rules=rules, recipients=(), digest=timedelta(minutes=15))
    readings = [
        Reading(
            rule=name,
            subject=FACTS["subject"] if rule.event else f"MW-SW {name}",
            value=rule.steps[-1].at,
            facts=FACTS,
        )
        for name, rule in rules.rules.items()
    ]
    with house.front.desk.store.begin() as conn:
        judge(desk, conn, readings, house.clock())
        assert {each.rule for each in alerts.live(conn)} == set(rules.rules)
