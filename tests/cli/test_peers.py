"""``eco peer``: nothing is believed before it is compared; certificates roll over in order."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.app import open_gateway, peer_app, server_settings
from gateway.cli.output import ExitStatus
from gateway.errors import UnreachableError
from gateway.transport import PeerTransport, PingAnswer
from gateway.trust.demo_pki import make_demo_pki
from tests.cli.eco import eco, eco_json
from tests.cli.homes import Pair, fingerprint, identity, save_card


@pytest.fixture
def stranger(first_pair: Pair, tmp_path: Path) -> Path:
    """A home of Zambia that knows nobody yet."""
    home = tmp_path / "stranger"
    eco_json("init", home, *identity("ZM"), "--pki", first_pair.pki)
    return home


@pytest.fixture
def card(first_pair: Pair) -> Path:
    return first_pair.folder / "ke.card.json"


def state(home: Path, peer: str = "KE-SW") -> str:
    found: str = eco_json("peer", "show", peer, home=home)["peer"]["state"]
    return found


def renewed_card(pair: Pair) -> Path:
    """Kenya's card after its CA issued it a new gateway key and a new revocation list."""
    fresh = make_demo_pki(pair.folder / "fresh", ["KE"], now=datetime.now(UTC))
    holder = fresh.countries["KE"].gateway
    shutil.copy(holder.key_path, pair.ke / "keys/gateway.key.pem")
    shutil.copy(holder.cert_path, pair.ke / "keys/gateway.cert.pem")
    return save_card(pair.ke, pair.folder / "ke.renewed.json")


# --- card and add ----------------------------------------------------------------------------


def test_the_card_holds_no_secret_and_goes_alone_to_standard_output(first_pair: Pair):
    run = eco("peer", "card", home=first_pair.zm)
    value = json.loads(run.out)
    assert value["identifier"] == "ZM-SW"
    assert "PRIVATE" not in run.out
    assert len(value["crls"]) == 1, "the home's own revocation list stands on it"
    assert re.search(r"fingerprint of this card:( [0-9a-f]{8}){8}$", run.err.strip())


def test_the_same_revocation_list_stands_on_the_card_once(first_pair: Pair):
    again = first_pair.pki / "ZM/ca.crl.pem"
    assert len(eco_json("peer", "card", "--crl", again, home=first_pair.zm)["crls"]) == 1


def test_a_newcomer_is_suspended_until_somebody_compared(stranger: Path, card: Path):
    run = eco("peer", "add", card, home=stranger)
    assert run.status is ExitStatus.OK
    assert "SUSPENDED" in run.out
    assert "by another way" in run.out
    assert "eco peer resume KE-SW" in run.out
    assert state(stranger) == "SUSPENDED"
    eco_json("peer", "resume", "KE-SW", "--reason", "read over the telephone", home=stranger)
    assert state(stranger) == "ACTIVE"


def test_a_newcomer_with_the_right_fingerprint_is_active(
    stranger: Path, card: Path, first_pair: Pair
):
    compared = fingerprint(first_pair.ke).upper().replace(" ", ":")
    value = eco_json("peer", "add", card, "--fingerprint", compared, home=stranger)
    assert value["peer"]["state"] == "ACTIVE"
    assert value["card_fingerprint"] == fingerprint(first_pair.ke).replace(" ", "")


def test_a_card_with_another_fingerprint_is_not_registered(stranger: Path, card: Path):
    run = eco("peer", "add", card, "--fingerprint", "00" * 32, home=stranger)
    assert run.status is ExitStatus.UNTRUSTED
    assert eco_json("peer", "list", home=stranger) == []


def test_one_changed_letter_changes_the_fingerprint(stranger: Path, card: Path, first_pair: Pair):
    forged = stranger / "forged.json"
    forged.write_text(card.read_text().replace("https://localhost", "https://elsewhere"))
    run = eco("peer", "add", forged, "--fingerprint", fingerprint(first_pair.ke), home=stranger)
    assert run.status is ExitStatus.UNTRUSTED


def test_add_takes_the_terms(stranger: Path, card: Path):
    terms = ("--channel", "REST", "--soap-version", "1.1", "--algorithms", "COMPATIBLE")
    more = ("--revocation", "REQUIRE", "--live-from", "2027-01-02")
    peer = eco_json("peer", "add", card, *terms, *more, home=stranger)["peer"]
    assert peer["channel"] == "REST"
    assert peer["url"] == "https://localhost:18444/rest/v1"
    assert peer["algorithms"] == "COMPATIBLE"
    assert peer["revocation"] == "REQUIRE"
    assert peer["live_from"] == "2027-01-02T00:00:00+00:00"


def test_a_card_can_come_through_a_pipe(stranger: Path, card: Path):
    value = eco_json("peer", "add", "-", home=stranger, given=card.read_bytes())
    assert value["peer"]["identifier"] == "KE-SW"


def test_a_registered_peer_is_not_added_again(first_pair: Pair, card: Path):
    run = eco("peer", "add", card, home=first_pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert "KE-SW is registered already (ACTIVE)" in run.err
    assert "eco peer update" in run.err


def test_a_gateway_is_no_peer_of_itself(first_pair: Pair):
    run = eco("peer", "add", first_pair.folder / "zm.card.json", home=first_pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert "this gateway itself" in run.err


def test_a_live_gateway_takes_no_test_gateway(first_pair: Pair, tmp_path: Path):
    home = tmp_path / "test-home"
    eco_json("init", home, *identity("KE"), "--test", "--pki", first_pair.pki)
    run = eco("peer", "add", save_card(home, tmp_path / "t.json"), home=first_pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert "a test gateway" in run.err


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"identifier": 1}', b"\xff\xfe"])
def test_what_is_no_card_is_refused_with_findings(stranger: Path, text: bytes):
    run = eco("peer", "add", "-", "--json", home=stranger, given=text)
    assert run.status is ExitStatus.REFUSED
    assert run.problem["findings"]


def test_a_card_with_a_broken_certificate_registers_nothing(stranger: Path, card: Path):
    broken = stranger / "broken.json"
    broken.write_text(re.sub(r"MII[A-Za-z0-9]{8}", "AAAAAAAAAAA", card.read_text(), count=1))
    run = eco("peer", "add", broken, home=stranger)
    assert run.status is ExitStatus.REFUSED
    assert eco_json("peer", "list", home=stranger) == []


# --- list, show, suspend, resume, ping -------------------------------------------------------------


def test_list_shows_every_peer(first_pair: Pair):
    assert "KE-SW" in eco("peer", "list", home=first_pair.zm).out
    assert [peer["identifier"] for peer in eco_json("peer", "list", home=first_pair.zm)] == [
        "KE-SW"
    ]


def test_an_empty_list_says_how_to_begin(stranger: Path):
    assert "eco peer add" in eco("peer", "list", home=stranger).out


def test_show_groups_fingerprints_and_says_what_they_are_for(first_pair: Pair):
    out = eco("peer", "show", "KE-SW", home=first_pair.zm).out
    assert out.count("SHA-256") == 6
    assert re.search(r"SHA-256 +([0-9a-f]{8} ){7}[0-9a-f]{8}\n", out)
    for words in ("TLS certificate", "signs envelopes", "signs customs responses", "next due"):
        assert words in out


def test_shown_fingerprints_are_those_of_the_peers_files(first_pair: Pair):
    known = eco_json("peer", "show", "KE-SW", home=first_pair.zm)["credentials"]
    cert = x509.load_pem_x509_certificates((first_pair.ke / "keys/tls.cert.pem").read_bytes())[0]
    from gateway.trust import fingerprint_of

    assert fingerprint_of(cert) in {row["fingerprint"] for row in known if row["use"] == "TLS"}


def test_an_unknown_peer_is_answered_with_those_known(first_pair: Pair):
    for words in (("show",), ("ping",), ("suspend", "--reason", "x"), ("resume", "--reason", "x")):
        run = eco("peer", *words, "XX-SW", home=first_pair.zm)
        assert run.status is ExitStatus.NOT_FOUND
        assert "registered: KE-SW" in run.err


def test_suspend_and_resume_change_the_state(pair: Pair):
    assert "suspended" in eco("peer", "suspend", "KE-SW", "--reason", "x", home=pair.zm).out
    assert state(pair.zm) == "SUSPENDED"
    assert "active" in eco("peer", "resume", "KE-SW", "--reason", "y", home=pair.zm).out
    assert state(pair.zm) == "ACTIVE"
    assert (
        eco_json("peer", "suspend", "KE-SW", "--reason", "x", home=pair.zm)["state"] == "SUSPENDED"
    )


def test_nothing_reaches_a_suspended_peer(pair: Pair):
    eco_json("peer", "suspend", "KE-SW", "--reason", "x", home=pair.zm)
    with pytest.raises(AssertionError):
        pair.sugar()
    assert eco_json("messages", home=pair.zm)["sent"][0]["state"] == "QUEUED"
    eco_json("peer", "resume", "KE-SW", "--reason", "y", home=pair.zm)
    assert pair.deliver() == 1


def test_ping_reports_a_peer_that_cannot_be_reached(
    first_pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    def unreachable(self: PeerTransport, endpoint: object) -> PingAnswer:
        raise UnreachableError("no connection")

    monkeypatch.setattr(PeerTransport, "ping", unreachable)
    run = eco("peer", "ping", "KE-SW", home=first_pair.zm)
    assert run.status is ExitStatus.UNREACHABLE
    assert "what to do" in run.err


def test_ping_is_not_content_with_whoever_answers(
    first_pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    def somebody(self: PeerTransport, endpoint: object) -> PingAnswer:
        return PingAnswer(
            identifier="TZ-SW", country="TZ", software_version="x/1", time=datetime.now(UTC)
        )

    monkeypatch.setattr(PeerTransport, "ping", somebody)
    run = eco("peer", "ping", "KE-SW", home=first_pair.zm)
    assert run.status is ExitStatus.UNREACHABLE
    assert "TZ-SW" in run.err
    assert eco_json("peer", "show", "KE-SW", home=first_pair.zm)["seen"] is None


def test_a_ping_that_is_answered_is_remembered_and_shown(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    asked_at = datetime.now(UTC)
    versions = ("agreement:COMESA=2026/0a1b2c3d", "rules:all=4e5f6a7b")

    def kenya(self: PeerTransport, endpoint: object) -> PingAnswer:
        return PingAnswer(
            identifier="KE-SW",
            country="KE",
            software_version="eco-gateway/9.9",
            time=asked_at,
            versions=versions,
        )

    assert eco_json("peer", "show", "KE-SW", home=pair.zm)["seen"] is None
    monkeypatch.setattr(PeerTransport, "ping", kenya)
    for _ in range(2):
        assert eco("peer", "ping", "KE-SW", home=pair.zm).status is ExitStatus.OK
    seen = eco_json("peer", "show", "KE-SW", home=pair.zm)["seen"]
    assert (seen["software"], tuple(seen["versions"])) == ("eco-gateway/9.9", versions)
    assert datetime.fromisoformat(seen["at"]) >= asked_at.replace(microsecond=0)
    shown = eco("peer", "show", "KE-SW", home=pair.zm).out
    assert all(word in shown for word in ("last seen", "eco-gateway/9.9", *versions))


# --- rolling over --------------------------------------------------------------------------------------


def test_the_same_card_again_says_nothing_new(first_pair: Pair, card: Path):
    run = eco("peer", "update", card, home=first_pair.zm)
    assert run.status is ExitStatus.OK
    assert "nothing new" in run.out


def test_update_only_shows_until_the_fingerprint_is_given(pair: Pair):
    new = renewed_card(pair)
    run = eco("peer", "update", new, home=pair.zm)
    assert run.status is ExitStatus.OK
    for words in ("would be taken up", "new certificates", "still registered", "--fingerprint"):
        assert words in run.out
    value = eco_json("peer", "update", new, home=pair.zm)
    assert value["taken"] is False
    assert [row["role"] for row in value["new"]] == [None, "GATEWAY"]
    assert len(eco_json("peer", "show", "KE-SW", home=pair.zm)["credentials"]) == 6


def test_a_new_card_is_taken_up_with_its_fingerprint_and_the_old_key_still_counts(pair: Pair):
    serial = pair.sugar()
    eco_json("respond", pair.decision(serial, reference="OLD"), home=pair.ke)
    new = renewed_card(pair)
    value = eco_json("peer", "update", new, "--fingerprint", fingerprint(pair.ke), home=pair.zm)
    assert value["taken"] is True
    assert [row["role"] for row in value["gone"]] == ["GATEWAY"]
    assert pair.deliver() == 1, "signed before the roll-over"
    eco_json("respond", pair.decision(serial, reference="NEW"), home=pair.ke)
    assert pair.deliver() == 1, "signed after it"
    received = eco_json("messages", home=pair.zm)["received"]
    assert [row["verdict"] for row in received] == ["ACCEPTED", "ACCEPTED"]


def test_the_old_certificate_is_ended_by_the_first_digits_of_its_fingerprint(pair: Pair):
    new = renewed_card(pair)
    value = eco_json("peer", "update", new, "--fingerprint", fingerprint(pair.ke), home=pair.zm)
    old = value["gone"][0]["fingerprint"]
    words = ("peer", "end-credential", "KE-SW", old[:8])
    run = eco(*words, home=pair.zm)
    assert run.status is ExitStatus.OK
    assert "ENDED" in run.out
    known = eco_json("peer", "show", "KE-SW", home=pair.zm)["credentials"]
    assert [bool(row["valid_until"]) for row in known if row["fingerprint"] == old] == [True]
    assert eco(*words, home=pair.zm).status is ExitStatus.NOT_FOUND


def test_the_end_of_a_certificate_can_be_set(pair: Pair):
    new = renewed_card(pair)
    value = eco_json("peer", "update", new, "--fingerprint", fingerprint(pair.ke), home=pair.zm)
    old = value["gone"][0]["fingerprint"]
    words = ("peer", "end-credential", "KE-SW", old, "--until", "2030-01-01T12:30")
    rows = eco_json(*words, home=pair.zm)["credentials"]
    ends = [row["valid_until"] for row in rows if row["fingerprint"] == old]
    assert ends == ["2030-01-01T12:30:00+00:00"]


def test_the_only_certificate_of_its_kind_is_not_ended(pair: Pair):
    rows = eco_json("peer", "show", "KE-SW", home=pair.zm)["credentials"]
    for row in rows:
        run = eco("peer", "end-credential", "KE-SW", row["fingerprint"], home=pair.zm)
        assert run.status is ExitStatus.REFUSED
        assert "suspend the peer" in run.err


def test_too_few_digits_end_nothing(first_pair: Pair):
    run = eco("peer", "end-credential", "KE-SW", "ab12", home=first_pair.zm)
    assert run.status is ExitStatus.REFUSED
    assert "eight digits" in run.err


def test_update_changes_terms_and_keeps_those_not_given(pair: Pair, card: Path):
    words = ("peer", "update", card, "--fingerprint", fingerprint(pair.ke))
    eco_json(*words, "--revocation", "REQUIRE", home=pair.zm)
    value = eco_json(*words, "--channel", "REST", home=pair.zm)
    assert value["changed"] == ["channel", "url"]
    peer = eco_json("peer", "show", "KE-SW", home=pair.zm)["peer"]
    assert (peer["channel"], peer["revocation"]) == ("REST", "REQUIRE")


def test_update_needs_a_registered_peer(stranger: Path, card: Path):
    run = eco("peer", "update", card, home=stranger)
    assert run.status is ExitStatus.NOT_FOUND
    assert "registered: none" in run.err


def test_a_card_of_another_country_is_not_taken_for_the_peers(pair: Pair, card: Path):
    value = json.loads(card.read_text()) | {"country": "TZ"}
    forged = pair.folder / "forged.json"
    forged.write_text(json.dumps(value))
    assert eco("peer", "update", forged, home=pair.zm).status is ExitStatus.REFUSED


# --- revocation lists ---------------------------------------------------------------------------------


def newer_list(pair: Pair, *, hours: int) -> bytes:
    """A revocation list made by Kenya's CA some hours from now."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from gateway.trust.issuing import CertificateAuthority

    folder = pair.pki / "KE"
    authority = CertificateAuthority(
        key=load_pem_private_key((folder / "ca.key").read_bytes(), None),  # type: ignore[arg-type]
        cert=x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()),
    )
    made = datetime.now(UTC) + timedelta(hours=hours)
    found = authority.revocation_list(
        number=2, this_update=made, next_update=made + timedelta(days=7)
    )
    return found.public_bytes(Encoding.PEM)


def test_a_newer_revocation_list_is_stored_and_an_older_one_is_not(pair: Pair):
    newer, older = newer_list(pair, hours=0), newer_list(pair, hours=-48)
    assert eco_json("peer", "crl", "KE-SW", "-", home=pair.zm, given=newer)["stored"] is True
    run = eco("peer", "crl", "KE-SW", "-", home=pair.zm, given=older)
    assert run.status is ExitStatus.OK
    assert "not newer" in run.out


def test_a_revocation_list_of_a_stranger_is_refused(pair: Pair):
    foreign = (pair.pki / "ZM/ca.crl.pem").read_bytes()
    run = eco("peer", "crl", "KE-SW", "-", home=pair.zm, given=foreign)
    assert run.status is ExitStatus.UNTRUSTED


def test_a_forged_revocation_list_in_the_cas_name_is_refused(pair: Pair):
    strangers = make_demo_pki(pair.folder / "strangers", ["KE"], now=datetime.now(UTC))
    forged = strangers.countries["KE"].crl.public_bytes(Encoding.PEM)
    run = eco("peer", "crl", "KE-SW", "-", home=pair.zm, given=forged)
    assert run.status is ExitStatus.UNTRUSTED


def test_what_is_no_revocation_list_is_refused(pair: Pair):
    run = eco("peer", "crl", "KE-SW", "-", home=pair.zm, given=b"\xff nothing")
    assert run.status is ExitStatus.REFUSED


# --- what the listener learns --------------------------------------------------------------------------


def test_the_listener_believes_the_anchors_in_force(pair: Pair):
    gateway = open_gateway(pair.zm)
    try:
        tls = server_settings(gateway.settings).tls
    finally:
        gateway.close()
    assert tls is not None
    assert tls.client_ca is not None
    root = (pair.pki / "root.pem").read_text().strip()
    assert root in tls.client_ca.read_text()
    assert peer_app(pair.zm) is not None
