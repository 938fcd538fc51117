"""What is signed here lasts as it is, so nothing is signed while our own certificate is not valid."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.documents import DocumentType
from gateway.errors import SigningKeyEndedError
from gateway.exchange.outbound import dry_run, submit_document
from gateway.store import Side, certificates
from tests.exchange.corridor import Corridor
from tests.factories import NOW, certificate
from tests.trust.refused_signers import make_refused_credentials

COO = DocumentType.CERTIFICATE_OF_ORIGIN
SERIAL = certificate().serial_number
PAST_OUR_OWN = {"days": 365 * 30}


@pytest.fixture
def ended(pki):
    """Return a credential whose certificate has ended."""
    return make_refused_credentials(pki.countries["ZM"], now=NOW).expired


@pytest.mark.parametrize("ask", [submit_document, dry_run])
def test_SIGNING_KEY_ENDED_nothing_is_submitted_once_our_own_certificate_has_ended(
    corridor: Corridor, ask
):
    corridor.clock.pass_time(**PAST_OUR_OWN)
    with pytest.raises(SigningKeyEndedError, match="holds from"):
        ask(corridor.zm.desk, certificate())
    with corridor.zm.desk.store.read() as conn:
        assert certificates.find(conn, Side.ISSUED, "ZM", SERIAL) is None


def test_an_authority_whose_certificate_has_ended_signs_no_certificate_of_origin(
    corridor: Corridor, ended
):
    desk = corridor.zm.desk
    desk = dataclasses.replace(desk, signers={**desk.signers, COO: ended})
    with pytest.raises(SigningKeyEndedError):
        submit_document(desk, certificate())


def test_no_receipt_is_signed_with_an_ended_key_and_the_message_comes_again(
    corridor: Corridor, ended
):
    submit_document(corridor.zm.desk, certificate())
    ke = corridor.ke
    sound, ke.desk = ke.desk, dataclasses.replace(ke.desk, gateway_credential=ended)
    corridor.zm.work()
    with sound.store.read() as conn:
        assert certificates.find(conn, Side.RECEIVED, "ZM", SERIAL) is None
    ke.desk = sound
    corridor.clock.pass_time(hours=1)
    corridor.zm.work()
    with sound.store.read() as conn:
        assert certificates.find(conn, Side.RECEIVED, "ZM", SERIAL) is not None
