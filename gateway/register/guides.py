"""Who must act on a certificate that is not at its end, by when, why, and what comes next.

Every non-final state of every view has an entry (design decision 9); a test says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from gateway.documents import LocalisedText
from gateway.register.states import ExchangeState, ImportState, IssueState
from gateway.store.states import DeliveryState

AnyState = IssueState | ExchangeState | ImportState | DeliveryState


class Owner(StrEnum):
    """Names who must act next."""

    GATEWAY = "GATEWAY"
    OPERATOR = "OPERATOR"
    ISSUING_AUTHORITY = "ISSUING_AUTHORITY"
    TRADER = "TRADER"
    CUSTOMS = "CUSTOMS"
    ORIGIN_UNIT = "ORIGIN_UNIT"


@dataclass(frozen=True)
class Guide:
    """Says what a non-final state waits for.

    Attributes:
        within: time from entering the state after which it is overdue; None means the end
            of the certificate's validity.
    """

    owner: Owner
    within: timedelta | None
    reason: LocalisedText
    next_step: LocalisedText

    def deadline(self, since: datetime, valid_until: date) -> datetime:
        """Return the moment after which a certificate in this state is overdue."""
        if self.within is not None:
            return since + self.within
        return datetime.combine(valid_until + timedelta(days=1), time(), tzinfo=UTC)


def _text(en: str, fr: str, ar: str) -> LocalisedText:
    return LocalisedText(en=en, fr=fr, ar=ar)


_ALARM = timedelta(minutes=15)
_DAY = timedelta(days=1)
_REPLY = timedelta(days=90)

_SEND = _text(
    "The gateway sends the stored bytes again by itself.",
    "La passerelle renvoie d'elle-même les octets conservés.",
    "تعيد البوابة إرسال البايتات المحفوظة تلقائياً.",
)
_ON_ITS_WAY = _text(
    "The message is on its way to the peer.",
    "Le message est en route vers le pair.",
    "الرسالة في طريقها إلى الطرف الآخر.",
)
_CALL_PEER = _text(
    "Find the cause with the peer's operator, then resend; the trader carries a printed copy.",
    "Trouvez la cause avec l'opérateur du pair, puis renvoyez ; l'opérateur économique"
    " présente une copie imprimée.",
    "ابحث عن السبب مع مشغّل الطرف الآخر ثم أعد الإرسال؛ ويحمل التاجر نسخة مطبوعة.",
)
_CORRECT = _text(
    "Read the peer's findings and issue a corrected certificate.",
    "Lisez les constatations du pair et délivrez un certificat corrigé.",
    "اطّلع على ملاحظات الطرف الآخر وأصدر شهادة مصححة.",
)
_WAIT_FOR_PEERS = _text(
    "Every peer that holds the certificate must answer.",
    "Chaque pair qui détient le certificat doit répondre.",
    "يجب أن يجيب كل طرف يحمل الشهادة.",
)
_PRESENT = _text(
    "The importer cites serial number and date in the import declaration.",
    "L'importateur cite le numéro de série et la date dans la déclaration d'importation.",
    "يذكر المستورد الرقم المتسلسل والتاريخ في بيان الاستيراد.",
)
_WRITE_OFF = _text(
    "Customs writes the goods off at release.",
    "La douane impute les marchandises à la mainlevée.",
    "تخصم الجمارك البضائع عند الإفراج.",
)

GUIDES: Mapping[type[StrEnum], Mapping[AnyState, Guide]] = {
    DeliveryState: {
        DeliveryState.QUEUED: Guide(Owner.GATEWAY, _ALARM, _ON_ITS_WAY, _SEND),
        DeliveryState.SENDING: Guide(Owner.GATEWAY, _ALARM, _ON_ITS_WAY, _SEND),
        DeliveryState.RETRYING: Guide(
            Owner.GATEWAY,
            timedelta(hours=2),
            _text(
                "The last attempt gave no usable answer.",
                "La dernière tentative n'a pas donné de réponse utilisable.",
                "لم تعطِ المحاولة الأخيرة جواباً صالحاً.",
            ),
            _SEND,
        ),
        DeliveryState.HELD: Guide(
            Owner.OPERATOR,
            _DAY,
            _text(
                "An operator keeps the message back.",
                "Un opérateur retient le message.",
                "يحتجز أحد المشغلين الرسالة.",
            ),
            _text(
                "Let it go with `eco resend`.",
                "Laissez-le partir par `eco resend`.",
                "أطلقها بالأمر `eco resend`.",
            ),
        ),
    },
    ExchangeState: {
        ExchangeState.QUEUED: Guide(Owner.GATEWAY, _ALARM, _ON_ITS_WAY, _SEND),
        ExchangeState.SENT: Guide(Owner.GATEWAY, _ALARM, _ON_ITS_WAY, _SEND),
        ExchangeState.DELIVERED: Guide(Owner.GATEWAY, _ALARM, _ON_ITS_WAY, _SEND),
        ExchangeState.REFUSED_BY_PEER: Guide(
            Owner.ISSUING_AUTHORITY,
            _DAY,
            _text(
                "The peer refused the certificate and gave its reasons.",
                "Le pair a refusé le certificat et motivé son refus.",
                "رفض الطرف الآخر الشهادة وبيّن أسبابه.",
            ),
            _CORRECT,
        ),
        ExchangeState.UNDELIVERABLE: Guide(
            Owner.OPERATOR,
            timedelta(hours=2),
            _text(
                "Every attempt to deliver it failed.",
                "Toutes les tentatives de remise ont échoué.",
                "فشلت كل محاولات التسليم.",
            ),
            _CALL_PEER,
        ),
    },
    IssueState: {
        IssueState.ISSUED: Guide(
            Owner.TRADER,
            None,
            _text(
                "The certificate may be used until its validity ends.",
                "Le certificat est utilisable jusqu'à la fin de sa validité.",
                "يمكن استعمال الشهادة حتى انتهاء صلاحيتها.",
            ),
            _PRESENT,
        ),
        IssueState.CANCELLING: Guide(
            Owner.OPERATOR,
            _DAY,
            _text(
                "Its cancellation was sent and is not yet confirmed.",
                "Son annulation a été envoyée et n'est pas encore confirmée.",
                "أُرسل إلغاؤها ولم يُؤكَّد بعد.",
            ),
            _WAIT_FOR_PEERS,
        ),
        IssueState.REPLACING: Guide(
            Owner.OPERATOR,
            _DAY,
            _text(
                "Its replacement was sent and is not yet confirmed.",
                "Son remplacement a été envoyé et n'est pas encore confirmé.",
                "أُرسلت الشهادة البديلة ولم تُؤكَّد بعد.",
            ),
            _WAIT_FOR_PEERS,
        ),
    },
    ImportState: {
        ImportState.RECEIVED: Guide(
            Owner.CUSTOMS,
            _DAY,
            _text(
                "The certificate was received and waits for an officer.",
                "Le certificat a été reçu et attend un agent.",
                "استُلمت الشهادة وتنتظر أحد الموظفين.",
            ),
            _text(
                "Look at the findings and make it available.",
                "Examinez les constatations et rendez-le disponible.",
                "راجع الملاحظات وأتح الشهادة.",
            ),
        ),
        ImportState.AVAILABLE: Guide(
            Owner.TRADER,
            None,
            _text(
                "The certificate is there; no declaration cites it yet.",
                "Le certificat est là ; aucune déclaration ne le cite encore.",
                "الشهادة متاحة ولم يذكرها أي بيان بعد.",
            ),
            _PRESENT,
        ),
        ImportState.PRESENTED: Guide(
            Owner.CUSTOMS,
            _DAY,
            _text(
                "A declaration cites the certificate.",
                "Une déclaration cite le certificat.",
                "يذكر أحد البيانات هذه الشهادة.",
            ),
            _text(
                "Accept it, or state the doubt.",
                "Acceptez-le, ou énoncez le doute.",
                "اقبلها أو بيّن الشك.",
            ),
        ),
        ImportState.ACCEPTED: Guide(
            Owner.CUSTOMS,
            timedelta(days=30),
            _text(
                "The certificate is accepted; the goods are not yet released.",
                "Le certificat est accepté ; les marchandises ne sont pas encore libérées.",
                "قُبلت الشهادة ولم يُفرج عن البضائع بعد.",
            ),
            _WRITE_OFF,
        ),
        ImportState.ACCEPTED_MINOR: Guide(
            Owner.CUSTOMS,
            timedelta(days=30),
            _text(
                "The certificate is accepted with minor corrections.",
                "Le certificat est accepté avec des corrections mineures.",
                "قُبلت الشهادة مع تصحيحات طفيفة.",
            ),
            _WRITE_OFF,
        ),
        ImportState.UNDER_VERIFICATION: Guide(
            Owner.ISSUING_AUTHORITY,
            _REPLY,
            _text(
                "Customs doubts the origin and has asked the issuing authority.",
                "La douane doute de l'origine et a interrogé l'autorité émettrice.",
                "تشك الجمارك في المنشأ وقد سألت جهة الإصدار.",
            ),
            _text(
                "The issuing authority answers; customs decides.",
                "L'autorité émettrice répond ; la douane décide.",
                "تجيب جهة الإصدار ثم تقرر الجمارك.",
            ),
        ),
        ImportState.PENDING: Guide(
            Owner.ORIGIN_UNIT,
            _REPLY,
            _text(
                "The decision is deferred for the reasons given.",
                "La décision est différée pour les motifs indiqués.",
                "أُجّل القرار للأسباب المذكورة.",
            ),
            _text(
                "Take the verification up again and decide.",
                "Reprenez la vérification et décidez.",
                "استأنف التحقق ثم قرر.",
            ),
        ),
        ImportState.PARTIALLY_UTILISED: Guide(
            Owner.TRADER,
            None,
            _text(
                "A part of the goods has been written off.",
                "Une partie des marchandises a été imputée.",
                "خُصم جزء من البضائع.",
            ),
            _PRESENT,
        ),
    },
}


def guide(state: AnyState) -> Guide | None:
    """Return what ``state`` waits for, None where it waits for nothing."""
    return GUIDES[type(state)].get(state)
