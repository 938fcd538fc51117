"""Looking at evidence years later: judged as of its own date, and said if it still would hold."""

from __future__ import annotations

from datetime import timedelta

from gateway.exchange.inspection import inspect
from gateway.exchange.outbound import submit_document
from gateway.store import CredentialUse, bodies, outbox, peers
from tests.exchange.corridor import Corridor, Side
from tests.factories import certificate

YEARS = timedelta(days=40 * 365)


def _evidence(corridor: Corridor) -> tuple[bytes, bytes]:
    """Return the envelope of a delivered certificate of origin, and its receipt."""
    message_id = submit_document(corridor.zm.desk, certificate()).message_id or ""
    corridor.zm.work()
    dispatch = corridor.zm.dispatch(message_id)
    with corridor.zm.desk.store.read() as conn:
        receipt = outbox.receipt(conn, message_id)
        assert receipt is not None
        return bodies.get(conn, dispatch.envelope_sha256), receipt


def _sides(corridor: Corridor) -> tuple[Side, Side]:
    return corridor.zm, corridor.ke


def test_evidence_of_today_is_good_today(corridor: Corridor):
    for raw in _evidence(corridor):
        for side in _sides(corridor):
            found = inspect(side.desk, raw)
            assert found.trusted
            assert [report.code_today for report in found.reports] in ([None], [None, None])


def test_SIGNER_EXPIRED_evidence_outlives_its_signing_certificates_and_says_so(corridor: Corridor):
    evidence = _evidence(corridor)
    made_at = corridor.clock()
    corridor.clock.now += YEARS
    for raw in evidence:
        for side in _sides(corridor):
            found = inspect(side.desk, raw)
            assert found.trusted, found
            assert {report.code_today for report in found.reports} == {"SIGNER_EXPIRED"}
            assert found.header is not None
            assert found.reports[0].as_of == found.header.created_at <= made_at


def test_a_signer_whose_registration_was_ended_signed_what_he_signed_before(corridor: Corridor):
    envelope, _ = _evidence(corridor)
    corridor.clock.pass_time(days=2)
    desk, now = corridor.ke.desk, corridor.clock()
    with desk.store.begin() as conn:
        zambia = peers.every(conn)[0]
        for each in peers.credentials(conn, zambia.id, use=CredentialUse.SIGNER):
            peers.end_credential(conn, each.id, until=now, at=now, actor="user:test")
    corridor.clock.pass_time(days=1)
    found = inspect(desk, envelope)
    assert found.trusted
    assert {report.code_today for report in found.reports} == {"SIGNER_NOT_REGISTERED"}


def test_an_envelope_that_claims_to_come_from_the_future_is_judged_as_of_now(corridor: Corridor):
    corridor.clock.pass_time(days=1)
    envelope, _ = _evidence(corridor)
    corridor.clock.pass_time(days=-1)
    found = inspect(corridor.ke.desk, envelope)
    assert found.reports[0].as_of == corridor.clock()
