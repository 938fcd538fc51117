"""What must not work: forged, replayed and misdirected messages, sent to the real listener.

Each attempt is made with everything a real attacker might hold (a genuine TLS credential, a
captured message, a compromised gateway) and must end with its own code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from gateway.app import endpoint_book
from gateway.demo.play import Scene
from gateway.demo.stage import Stage
from gateway.documents import CertificateOfOrigin, DocumentType, LocalisedText
from gateway.envelope import Header, peek, wrap
from gateway.errors import GatewayError, NotFoundError, PeerFaultError
from gateway.exchange.context import Desk
from gateway.exchange.conversations import conversation_of
from gateway.exchange.known import stored_certificate
from gateway.exchange.receipts import (
    DOCUMENT_VERSION,
    check_receipt,
    new_message_id,
    sha256_of,
)
from gateway.store import Peer, Side, bodies, certificates, outbox, peers
from gateway.transport import PeerTransport
from gateway.trust import Credential, sign
from gateway.trust.demo_pki import make_demo_pki
from gateway.xml.parsing import parse

REPEATED = "SAME_RECEIPT"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """Is one attempt and how it must end: a wire code, or ``SAME_RECEIPT`` for a replay."""

    name: str
    story: LocalisedText
    expected: str
    attempt: Callable[[Attacker], str]


@dataclass(frozen=True, kw_only=True)
class AttackResult:
    """Is how one attempt really ended."""

    attack: Attack
    got: str

    @property
    def repelled(self) -> bool:
        """Whether it ended as it must."""
        return self.got == self.attack.expected


@dataclass(frozen=True, kw_only=True)
class Attacker:
    """Holds what an attacker holds: a delivered message and the sender's TLS credential."""

    desk: Desk
    peer: Peer
    stranger: Credential
    captured: bytes
    captured_receipt: bytes
    document: CertificateOfOrigin
    send: Callable[[bytes], bytes]

    def header(self, **changes: object) -> Header:
        """Return a fitting header for the captured document; arguments replace fields."""
        header = Header(
            message_id=new_message_id(),
            sender=self.desk.identity.identifier,
            sender_country=self.desk.identity.country,
            receiver=self.peer.identifier,
            receiver_country=self.peer.country,
            document_type=DocumentType.CERTIFICATE_OF_ORIGIN,
            document_version=DOCUMENT_VERSION,
            created_at=self.desk.clock(),
            conversation_id=conversation_of(
                self.document.exporting_country, self.document.serial_number
            ),
            test=self.desk.identity.test,
        )
        return dataclasses.replace(header, **changes)  # type: ignore[arg-type]

    def payload(self, signer: Credential | None = None) -> bytes:
        """Return a fresh certificate signed by ``signer``, or by the genuine authority."""
        number = self.document.serial_number[:-6] + "999999"
        fresh = self.document.model_copy(update={"serial_number": number})
        xml = self.desk.tables[DocumentType.CERTIFICATE_OF_ORIGIN].render(fresh)
        return sign(xml, signer or self.desk.signer(DocumentType.CERTIFICATE_OF_ORIGIN))

    def deliver(self, header: Header, payload: bytes, signer: Credential | None = None) -> str:
        """Send an envelope and return the code it ends with."""
        envelope = sign(wrap(header, payload), signer or self.desk.gateway_credential)
        try:
            receipt = self.send(envelope)
        except PeerFaultError as exc:
            return exc.peer_code
        except GatewayError as exc:
            return exc.code
        return self._read(receipt, header, envelope)

    def _read(self, receipt: bytes, header: Header, envelope: bytes) -> str:
        with self.desk.store.read() as conn:
            trust = self.desk.trust_cache.of(conn, self.peer)
        found = check_receipt(
            self.desk,
            receipt,
            trust,
            sender=self.peer.identifier,
            message_id=header.message_id,
            sha256=sha256_of(envelope),
            now=self.desk.clock(),
        )
        return found.code or found.verdict.value


def attack(stage: Stage, victim: Scene) -> list[AttackResult]:
    """Return how every attempt against a delivered consignment ended."""
    transport = PeerTransport()
    try:
        attacker = _attacker(stage, victim, transport)
        return [AttackResult(attack=entry, got=entry.attempt(attacker)) for entry in ATTACKS]
    finally:
        transport.close()


def _attacker(stage: Stage, victim: Scene, transport: PeerTransport) -> Attacker:
    country = victim.consignment.sender
    gateway = stage.gateways[country]
    with gateway.store.read() as conn:
        dispatch = outbox.dispatch(conn, victim.message_id or "")
        receipt = outbox.receipt(conn, victim.message_id or "")
        if dispatch is None or receipt is None:
            raise NotFoundError(f"{victim.serial} was never delivered, so nothing can be captured")
        peer = peers.get(conn, dispatch.peer_id)
        captured = bodies.get(conn, dispatch.envelope_sha256)
        certificate = certificates.find(conn, Side.ISSUED, country, victim.serial)
        if certificate is None:
            raise NotFoundError(f"{victim.serial} is not registered")
        document = stored_certificate(gateway.desk, conn, certificate)
    endpoint = endpoint_book(gateway)(peer)
    strangers = make_demo_pki(stage.directory / "strangers", [country], now=gateway.desk.clock())
    return Attacker(
        desk=gateway.desk,
        peer=peer,
        stranger=strangers.countries[country].authority.credential,
        captured=captured,
        captured_receipt=receipt,
        document=document,
        send=lambda envelope: transport.send(endpoint, envelope),
    )


def _replay(attacker: Attacker) -> str:
    again = attacker.send(attacker.captured)
    return REPEATED if again == attacker.captured_receipt else "OTHER_RECEIPT"


def _altered(attacker: Attacker) -> str:
    name = attacker.document.consignee.name.encode()
    payload = attacker.payload().replace(name, b"Another Consignee Ltd")
    return attacker.deliver(attacker.header(), payload)


def _stranger_signs_document(attacker: Attacker) -> str:
    return attacker.deliver(attacker.header(), attacker.payload(attacker.stranger))


def _stranger_signs_envelope(attacker: Attacker) -> str:
    return attacker.deliver(attacker.header(), attacker.payload(), attacker.stranger)


def _gateway_signs_document(attacker: Attacker) -> str:
    own = attacker.desk.gateway_credential
    return attacker.deliver(attacker.header(), attacker.payload(own))


def _reused_id(attacker: Attacker) -> str:
    message_id = peek(parse(attacker.captured)).message_id
    return attacker.deliver(attacker.header(message_id=message_id), attacker.payload())


def _wrong_receiver(attacker: Attacker) -> str:
    return attacker.deliver(attacker.header(receiver="ZW-SW"), attacker.payload())


def _from_the_future(attacker: Attacker) -> str:
    later = attacker.desk.clock() + timedelta(hours=2)
    return attacker.deliver(attacker.header(created_at=later), attacker.payload())


def _stale(attacker: Attacker) -> str:
    earlier = attacker.desk.clock() - timedelta(days=60)
    return attacker.deliver(attacker.header(created_at=earlier), attacker.payload())


def _text(en: str, fr: str, ar: str) -> LocalisedText:
    return LocalisedText(en=en, fr=fr, ar=ar)


ATTACKS = (
    Attack(
        name="replay",
        story=_text(
            "A captured message is sent once more: it gets the same receipt and changes nothing.",
            "Un message capturé est renvoyé : il reçoit le même accusé et ne change rien.",
            "أعيد إرسال رسالة ملتقطة: تتلقى الإيصال نفسه ولا يتغير شيء.",
        ),
        expected=REPEATED,
        attempt=_replay,
    ),
    Attack(
        name="altered after signing",
        story=_text(
            "The consignee is changed after the authority signed.",
            "Le destinataire est modifié après la signature de l'autorité.",
            "تم تغيير المرسل إليه بعد توقيع الجهة المصدرة.",
        ),
        expected="SIGNATURE_INVALID",
        attempt=_altered,
    ),
    Attack(
        name="forged by a stranger",
        story=_text(
            "A certificate is signed by an authority of a foreign PKI.",
            "Un certificat est signé par une autorité d'une ICP étrangère.",
            "شهادة موقعة من جهة تتبع بنية مفاتيح أجنبية.",
        ),
        expected="SIGNER_UNTRUSTED",
        attempt=_stranger_signs_document,
    ),
    Attack(
        name="gateway signs as authority",
        story=_text(
            "The gateway's own key signs a certificate in place of the issuing authority.",
            "La clé de la passerelle signe un certificat à la place de l'autorité.",
            "مفتاح البوابة يوقّع شهادة بدلًا من الجهة المصدرة.",
        ),
        expected="SIGNER_NOT_REGISTERED",
        attempt=_gateway_signs_document,
    ),
    Attack(
        name="foreign envelope",
        story=_text(
            "An envelope in the peer's name is signed by a stranger.",
            "Une enveloppe au nom du pair est signée par un inconnu.",
            "ظرف باسم الطرف الآخر موقع من غريب.",
        ),
        expected="SIGNER_UNTRUSTED",
        attempt=_stranger_signs_envelope,
    ),
    Attack(
        name="message id reused",
        story=_text(
            "Other content is sent under a message id that was used before.",
            "Un autre contenu est envoyé sous un identifiant déjà utilisé.",
            "أرسل محتوى آخر بمعرّف رسالة سبق استخدامه.",
        ),
        expected="MESSAGE_ID_REUSED",
        attempt=_reused_id,
    ),
    Attack(
        name="wrong receiver",
        story=_text(
            "A message for Zimbabwe is delivered here.",
            "Un message destiné au Zimbabwe est livré ici.",
            "سُلّمت هنا رسالة موجهة إلى زمبابوي.",
        ),
        expected="WRONG_RECEIVER",
        attempt=_wrong_receiver,
    ),
    Attack(
        name="from the future",
        story=_text(
            "A message claims to be made two hours from now.",
            "Un message prétend avoir été fait dans deux heures.",
            "رسالة تدّعي أنها أُنشئت بعد ساعتين.",
        ),
        expected="FUTURE_MESSAGE",
        attempt=_from_the_future,
    ),
    Attack(
        name="stale",
        story=_text(
            "A message made sixty days ago is delivered now.",
            "Un message fait il y a soixante jours est livré maintenant.",
            "رسالة أُنشئت قبل ستين يومًا تُسلّم الآن.",
        ),
        expected="STALE_MESSAGE",
        attempt=_stale,
    ),
)
