"""What libraries raise while a message is taken: bad data is an answer, a bad machine is "later".

Each exception is raised where the library is called.  What the sender's bytes can cause must end
as a wire code of ours; what only our machine can cause must store nothing, promise nothing, and
let the same bytes be taken later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient

from gateway.documents import Verdict
from gateway.errors import ConfigError, SchemaError, error_for_code
from gateway.exchange import booking, outbound, settle
from gateway.exchange.answers import PeerEntrance
from gateway.exchange.outbound import submit_document
from gateway.store import bodies, inbox, outbox
from gateway.transport import PingAnswer, StatusAnswer
from gateway.transport.port import ENVELOPE_MEDIA_TYPE
from gateway.trust import verifying
from gateway.web.peer import create_peer_app
from gateway.xml import schema
from gateway.xml.mapping import MappingTable
from gateway.xml.parsing import parse
from tests.crash.checker import digest_of, read_books
from tests.crash.faults import EVERY, FROM_PYTHON, FROM_THE_MACHINE, FROM_TRUST, FROM_XML, named
from tests.crash.scene import SERIAL
from tests.crash.theatre import Theatre
from tests.factories import certificate

FROM_DATA = (*FROM_XML, *FROM_TRUST, *FROM_PYTHON)
SAID_OF_A_STRANGER = ("journal", "chain_heads")
"""Tables that may change when a message is turned away."""


@dataclass
class _Door:
    """Is the importing gateway's REST entrance, and a sound envelope before it."""

    theatre: Theatre
    client: FlaskClient
    envelope: bytes

    def knock(self) -> tuple[int, Any]:
        """Deliver the envelope; return status and body (a problem document or a receipt)."""
        answer = self.client.post(
            "/rest/v1/messages", data=self.envelope, content_type=ENVELOPE_MEDIA_TYPE
        )
        return answer.status_code, answer.get_json() if answer.is_json else answer.data

    def books(self, *without: str) -> str:
        tables = read_books("KE", self.theatre.urls["KE"]).tables
        return digest_of(self.theatre.urls["KE"], *(each for each in tables if each not in without))

    def verdict(self) -> Verdict | None:
        with self.theatre.scene.side("KE").desk.store.read() as conn:
            stored = inbox.page(conn)
        return stored[0].verdict if stored else None


@dataclass
class _KnownCaller:
    """Lets the one caller of these tests show his TLS certificate without TLS."""

    entrance: PeerEntrance
    fingerprint: str

    def accept(self, raw: bytes, _tls_fingerprint: str | None) -> bytes:
        return self.entrance.accept(raw, self.fingerprint)

    def status(self, message_id: str, _tls_fingerprint: str | None) -> StatusAnswer:
        return self.entrance.status(message_id, self.fingerprint)

    def ping(self, _tls_fingerprint: str | None) -> PingAnswer:
        return self.entrance.ping(self.fingerprint)


@pytest.fixture
def door(theatre: Theatre) -> _Door:
    """Gives an envelope from Zambia at Kenya's door."""
    zambia, kenya = theatre.scene.side("ZM"), theatre.scene.side("KE")
    message_id = submit_document(zambia.desk, certificate(serial_number=SERIAL)).message_id
    with zambia.desk.store.read() as conn:
        dispatch = outbox.dispatch(conn, message_id or "")
        assert dispatch is not None
        envelope = bodies.get(conn, dispatch.envelope_sha256)
    app = create_peer_app(_KnownCaller(PeerEntrance(kenya.desk), zambia.tls_fingerprint))
    return _Door(theatre, app.test_client(), envelope)


def _raising(error: Exception, *, from_call: int = 1, work: Callable[..., Any]) -> Any:
    """Return a stand-in for the method ``work`` that raises from its n-th call on."""
    calls = 0

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= from_call:
            raise error
        return work(*args, **kwargs)

    return stand_in


@dataclass
class _BrokenKey:
    """Is a public key whose library fails when it is to confirm a value."""

    key_size: int
    error: Exception

    def verify(self, *_: object) -> None:
        raise self.error


@rsa.RSAPublicKey.register
class _BrokenRsa(_BrokenKey):
    pass


@ec.EllipticCurvePublicKey.register
class _BrokenElliptic(_BrokenKey):
    pass


def _break_verifier(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, from_call: int = 1
) -> None:
    """Give the verifier keys of which the library raises ``error``, from the n-th signature on."""
    work, calls = verifying.believed_as_shown, 0

    def stand_in(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        found = work(*args, **kwargs)
        if calls < from_call:
            return found
        broken = _BrokenRsa if isinstance(found.key, rsa.RSAPublicKey) else _BrokenElliptic
        return replace(found, key=broken(found.key.key_size, error))

    monkeypatch.setattr(verifying, "believed_as_shown", stand_in)


def test_SIGNATURE_INVALID_whatever_the_verifier_raises_over_an_envelope(
    door: _Door, monkeypatch: pytest.MonkeyPatch
):
    for error in FROM_DATA:
        before = door.books(*SAID_OF_A_STRANGER)
        _break_verifier(monkeypatch, error)
        status, problem = door.knock()
        assert (status, problem["code"]) == (403, "SIGNATURE_INVALID"), named(error)
        assert door.books(*SAID_OF_A_STRANGER) == before, named(error)
        monkeypatch.undo()
    assert door.knock()[0] == 200


def test_what_the_verifier_raises_over_a_document_is_a_signed_refusal(
    door: _Door, monkeypatch: pytest.MonkeyPatch
):
    _break_verifier(monkeypatch, FROM_TRUST[0], from_call=2)
    assert door.knock()[0] == 200
    assert door.verdict() is Verdict.REFUSED


@pytest.mark.parametrize("from_call", [1, 2], ids=["envelope", "document"])
def test_a_machine_that_fails_while_verifying_refuses_nothing_for_good(
    door: _Door, monkeypatch: pytest.MonkeyPatch, from_call: int
):
    for error in FROM_THE_MACHINE:
        before = door.books()
        _break_verifier(monkeypatch, error, from_call=from_call)
        status, problem = door.knock()
        assert (status, problem["code"], problem["retryable"]) == (500, "INTERNAL", True)
        assert door.books() == before, named(error)
        monkeypatch.undo()
    assert door.knock()[0] == 200
    assert door.verdict() is Verdict.ACCEPTED


def test_CONFIGURATION_a_schema_file_that_cannot_be_read_refuses_nothing_for_good(
    door: _Door, monkeypatch: pytest.MonkeyPatch
):
    work = schema.MessageSchema.findings
    stand_in = _raising(ConfigError("the schema cannot be used"), from_call=2, work=work)
    monkeypatch.setattr(schema.MessageSchema, "findings", stand_in)
    before = door.books(*SAID_OF_A_STRANGER)
    status, problem = door.knock()
    assert (status, problem["code"]) == (500, "CONFIGURATION")
    assert door.books(*SAID_OF_A_STRANGER) == before
    monkeypatch.undo()
    assert door.knock()[0] == 200
    assert door.verdict() is Verdict.ACCEPTED


def test_SCHEMA_INVALID_stands_whatever_the_library_raises_that_should_explain_it(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
):
    schemas = theatre.scene.side("KE").desk.schemas
    root = parse(b'<x:CustomsResponse xmlns:x="urn:comesa:eco:data:draft:CustomsResponse:1"/>')
    for error in EVERY:
        monkeypatch.setattr(
            schema, "explain_by_xmlschema", _raising(error, work=schema.explain_by_xmlschema)
        )
        with pytest.raises(SchemaError) as caught:
            schemas.require_valid(root)
        assert caught.value.findings, named(error)
        monkeypatch.undo()


@pytest.mark.parametrize("place", ["reading", "rules", "booking", "answering", "storing"])
def test_INTERNAL_what_nobody_foresaw_stores_nothing_and_the_same_bytes_are_taken_later(
    door: _Door, monkeypatch: pytest.MonkeyPatch, place: str
):
    borders: dict[str, tuple[Any, str]] = {
        "reading": (MappingTable, "read"),
        "rules": (settle, "check"),
        "booking": (settle.register, "record_received"),
        "answering": (settle, "make_receipt"),
        "storing": (settle.inbox, "record_arrival"),
    }
    owner, name = borders[place]
    for error in (*FROM_PYTHON, *FROM_THE_MACHINE):
        before = door.books()
        monkeypatch.setattr(owner, name, _raising(error, work=getattr(owner, name)))
        status, problem = door.knock()
        assert (status, problem["code"], problem["retryable"]) == (500, "INTERNAL", True)
        assert str(error) not in problem["detail"] or not str(error)
        assert door.books() == before, named(error)
        monkeypatch.undo()
    assert door.knock()[0] == 200
    assert door.verdict() is Verdict.ACCEPTED


@pytest.mark.parametrize("place", ["sign", "enqueue", "register"])
def test_a_submission_that_breaks_off_anywhere_leaves_nothing_behind(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, place: str
):
    zambia, url = theatre.scene.side("ZM"), theatre.urls["ZM"]
    borders: dict[str, tuple[Any, str]] = {
        "sign": (outbound, "sign"),
        "enqueue": (booking.outbox, "enqueue"),
        "register": (booking.register, "record_issued"),
    }
    owner, name = borders[place]
    before = digest_of(url)
    for error in EVERY:
        monkeypatch.setattr(owner, name, _raising(error, work=getattr(owner, name)))
        with pytest.raises(Exception):  # noqa: B017 - whatever it is, nothing is stored
            submit_document(zambia.desk, certificate(serial_number=SERIAL))
        assert digest_of(url) == before, named(error)
        monkeypatch.undo()
    assert submit_document(zambia.desk, certificate(serial_number=SERIAL)).repeated is False


def test_every_code_that_a_door_answers_is_known_to_the_senders(door: _Door):
    assert error_for_code("INTERNAL") is not None
    door.envelope = b"<x/>"
    status, problem = door.knock()
    assert status in (400, 422)
    assert error_for_code(problem["code"]) is not None
