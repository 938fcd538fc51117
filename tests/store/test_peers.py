"""Peers, what is registered for them, and their lanes."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.documents import DocumentType
from gateway.errors import ConflictError, NotFoundError
from gateway.store import CredentialUse, PeerCrl, PeerState, Store, journal, peers
from tests.store.helpers import NOW, add_peer, after, credential, profile

WHO = {"at": NOW, "actor": "user:operator"}


def test_a_peer_comes_back_as_registered(store: Store) -> None:
    added = add_peer(store, retry={"first": 30}, document_types=(DocumentType.CUSTOMS_RESPONSE,))
    add_peer(store, "KE-GW-2")
    with store.read() as conn:
        assert peers.by_identifier(conn, "KE-GW") == peers.get(conn, added.id) == added
        assert [peer.identifier for peer in peers.by_country(conn, "KE")] == ["KE-GW", "KE-GW-2"]
        assert peers.by_identifier(conn, "XX") is None
        assert len(peers.every(conn)) == 2
        with pytest.raises(NotFoundError):
            peers.get(conn, 999)
        with pytest.raises(NotFoundError):
            peers.lane(conn, 999)
    assert added.document_types == (DocumentType.CUSTOMS_RESPONSE,)
    assert added.retry == {"first": 30}
    assert not added.is_suspended


def test_an_identifier_is_registered_once(store: Store) -> None:
    add_peer(store)
    with pytest.raises(ConflictError):
        add_peer(store)


def test_a_profile_is_replaced_but_never_renamed(store: Store) -> None:
    added = add_peer(store)
    with store.begin() as conn:
        new = profile(url="https://new.example")
        changed = peers.change(conn, added.id, new, **WHO)
        with pytest.raises(ConflictError):
            peers.change(conn, added.id, profile("SD-GW"), **WHO)
    assert changed.url == "https://new.example"
    assert changed.revision == added.revision + 1
    with store.read() as conn:
        entry = journal.page(conn, action=journal.Action.PEER_CHANGED)[0]
    assert entry.detail == {"changed": ["url"]}
    assert entry.actor == "user:operator"


def test_suspending_and_resuming_is_journalled_with_its_reason(store: Store) -> None:
    added = add_peer(store)
    with store.begin() as conn:
        assert peers.suspend(conn, added.id, **WHO, reason="key lost").is_suspended
        assert peers.resume(conn, added.id, **WHO, reason="new key").state is PeerState.ACTIVE
        with pytest.raises(NotFoundError):
            peers.suspend(conn, 999, **WHO, reason="?")
    with store.read() as conn:
        reasons = [entry.detail.get("reason") for entry in journal.page(conn, subject="KE-GW")]
    assert reasons == ["new key", "key lost", None]


def test_a_tls_certificate_names_its_peer_in_any_case_of_hex(store: Store) -> None:
    added = add_peer(store)
    with store.begin() as conn:
        peers.add_credential(
            conn, added.id, credential(valid_from=NOW, valid_until=after(9)), **WHO
        )
    with store.read() as conn:
        for fingerprint in ("ab" * 32, "AB" * 32):
            found = peers.by_tls_fingerprint(conn, fingerprint)
            assert found is not None
            assert found.id == added.id
        assert peers.by_tls_fingerprint(conn, "ab" * 32, at=after(8)) is not None
        assert peers.by_tls_fingerprint(conn, "ab" * 32, at=after(9)) is None
        assert peers.by_tls_fingerprint(conn, "ab" * 32, at=after(-1)) is None
        assert peers.by_tls_fingerprint(conn, "cd" * 32) is None


def test_a_tls_certificate_belongs_to_one_peer(store: Store) -> None:
    kenya, sudan = add_peer(store, "KE-GW"), add_peer(store, "SD-GW")
    with store.begin() as conn:
        peers.add_credential(conn, kenya.id, credential(), **WHO)
        peers.add_credential(conn, kenya.id, credential(), **WHO)
        with pytest.raises(ConflictError):
            peers.add_credential(conn, sudan.id, credential(), **WHO)
        shared = credential(use=CredentialUse.ANCHOR)
        peers.add_credential(conn, kenya.id, shared, **WHO)
        peers.add_credential(conn, sudan.id, shared, **WHO)
    with store.read() as conn:
        assert len(peers.credentials(conn, kenya.id)) == 2
        assert len(peers.credentials(conn, kenya.id, CredentialUse.TLS)) == 1


def test_an_ended_registration_still_shows_what_held_before(store: Store) -> None:
    added = add_peer(store)
    signer = credential(use=CredentialUse.SIGNER, role="CUSTOMS", authority_code="KE-KRA")
    with store.begin() as conn:
        peers.add_credential(conn, added.id, signer, **WHO)
        (known,) = peers.credentials(conn, added.id)
        peers.end_credential(conn, known.id, until=after(60), **WHO)
        with pytest.raises(NotFoundError):
            peers.end_credential(conn, 999, until=after(60), **WHO)
    with store.read() as conn:
        assert len(peers.credentials(conn, added.id, at=after(59))) == 1
        assert peers.credentials(conn, added.id, at=after(60)) == ()
        (kept,) = peers.credentials(conn, added.id)
    assert (kept.role, kept.authority_code, kept.valid_until) == ("CUSTOMS", "KE-KRA", after(60))


def test_every_change_of_trust_raises_the_revision(store: Store) -> None:
    added = add_peer(store)
    revisions = []

    def crl(number: int) -> PeerCrl:
        return PeerCrl(
            peer_id=added.id,
            issuer="CN=KE Root",
            this_update=after(number),
            next_update=after(number + 100),
            stored_at=NOW,
            content=b"crl %d" % number,
        )

    with store.begin() as conn:
        steps = (
            lambda: peers.add_credential(conn, added.id, credential(), **WHO),
            lambda: peers.store_crl(conn, crl(1), actor="gateway"),
            lambda: peers.suspend(conn, added.id, **WHO, reason="x"),
        )
        for step in steps:
            step()
            revisions.append(peers.get(conn, added.id).revision)
        assert not peers.store_crl(conn, crl(0), actor="gateway")
        assert not peers.store_crl(conn, crl(1), actor="gateway")
        assert peers.store_crl(conn, crl(2), actor="gateway")
        other = dataclasses.replace(crl(3), issuer="CN=KE Other")
        assert peers.store_crl(conn, other, actor="gateway")
        assert [kept.content for kept in peers.crls(conn, added.id)] == [b"crl 3", b"crl 2"]
    assert revisions == [2, 3, 4]
