"""What each kind of event means, for people, in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.documents import LocalisedText
from gateway.store import EventKind as K


def _said(en: str, fr: str, ar: str) -> LocalisedText:
    return LocalisedText(en=en, fr=fr, ar=ar)


EVENT_TEXTS: Final[Mapping[K, LocalisedText]] = {
    K.MESSAGE_DELIVERED: _said(
        "The peer took the document and signed a receipt.",
        "Le pair a accepté le document et signé un accusé.",
        "قبل الطرف الآخر المستند ووقّع إيصالا.",
    ),
    K.MESSAGE_REFUSED: _said(
        "The peer refused the document; the findings stand in its receipt.",
        "Le pair a refusé le document ; les constats figurent dans son accusé.",
        "رفض الطرف الآخر المستند، والملاحظات في إيصاله.",
    ),
    K.MESSAGE_FAILED: _said(
        "The document could not be delivered; a person must decide.",
        "Le document n'a pas pu être remis ; une personne doit décider.",
        "تعذّر تسليم المستند، ويلزم قرار من شخص مسؤول.",
    ),
    K.MESSAGE_HELD: _said(
        "A person holds the document back; it is sent once it is released.",
        "Une personne retient le document ; il partira une fois libéré.",
        "حجز شخص مسؤول المستند، ويُرسل عند الإفراج عنه.",
    ),
    K.MESSAGE_QUEUED_AGAIN: _said(
        "The document is queued again and will be sent; an earlier outcome no longer counts.",
        "Le document est remis en file et sera envoyé ; l'issue précédente ne compte plus.",
        "أُعيد المستند إلى قائمة الإرسال وسيُرسل، ولم تعد النتيجة السابقة سارية.",
    ),
    K.CERTIFICATE_AVAILABLE: _said(
        "A certificate of origin came in, is in order, and may be used by customs.",
        "Un certificat d'origine est arrivé, est en règle et peut être utilisé par la douane.",
        "وصلت شهادة منشأ سليمة ويمكن للجمارك استعمالها.",
    ),
    K.CERTIFICATE_CHANGED: _said(
        "A certificate of origin has another state.",
        "Un certificat d'origine a changé d'état.",
        "تغيّرت حالة شهادة منشأ.",
    ),
    K.CERTIFICATE_CANCELLED: _said(
        "A certificate of origin is cancelled and can no longer be used.",
        "Un certificat d'origine est annulé et ne peut plus être utilisé.",
        "أُلغيت شهادة منشأ ولا يمكن استعمالها بعد الآن.",
    ),
    K.CERTIFICATE_REPLACED: _said(
        "A certificate of origin is replaced by another one.",
        "Un certificat d'origine est remplacé par un autre.",
        "استُبدلت شهادة منشأ بأخرى.",
    ),
    K.CERTIFICATE_EXPIRED: _said(
        "The validity of a certificate of origin has ended.",
        "La validité d'un certificat d'origine a pris fin.",
        "انتهت صلاحية شهادة منشأ.",
    ),
    K.DOCUMENT_REFUSED: _said(
        "A document came in and was refused here; its sender has the findings.",
        "Un document est arrivé et a été refusé ici ; son expéditeur a les constats.",
        "وصل مستند ورُفض هنا، والملاحظات لدى مرسله.",
    ),
    K.RESPONSE_RECEIVED: _said(
        "Customs of the importing state decided on a certificate of origin.",
        "La douane de l'État importateur a statué sur un certificat d'origine.",
        "قررت جمارك الدولة المستوردة بشأن شهادة منشأ.",
    ),
    K.RESPONSE_RECOVERED: _said(
        "A decision of ours that the books had lost came back from the peer who has it.",
        "Une décision de notre douane, perdue dans les livres, a été rendue par le pair.",
        "استُعيد من الطرف الآخر قرار لجماركنا كان مفقودا من الدفاتر.",
    ),
    K.UTILISATION_CHANGED: _said(
        "Quantities of a certificate of origin were written off or given back.",
        "Des quantités d'un certificat d'origine ont été imputées ou restituées.",
        "خُصمت كميات من شهادة منشأ أو أُعيدت.",
    ),
    K.OVER_USE: _said(
        "More was used than the certificate of origin covers.",
        "Il a été utilisé plus que le certificat d'origine ne couvre.",
        "استُعمل أكثر مما تغطيه شهادة المنشأ.",
    ),
    K.OVER_USE_ATTEMPTED: _said(
        "A write-off was refused because it asks for more than remains.",
        "Une imputation a été refusée car elle demande plus que le reste.",
        "رُفض خصم لأنه يطلب أكثر من الكمية المتبقية.",
    ),
    K.CONTRADICTION: _said(
        "What a peer says contradicts what it said before; both are kept.",
        "Ce qu'un pair affirme contredit ce qu'il a dit avant ; les deux sont conservés.",
        "ما يقوله الطرف الآخر يناقض قوله السابق، وكلاهما محفوظ.",
    ),
    K.GAP: _said(
        "A decision of customs is missing between those that came.",
        "Une décision de la douane manque parmi celles qui sont arrivées.",
        "يوجد قرار جمركي مفقود بين القرارات الواردة.",
    ),
    K.SERIAL_REUSED: _said(
        "A serial number was used again for another certificate of origin.",
        "Un numéro de série a été réutilisé pour un autre certificat d'origine.",
        "أُعيد استعمال رقم تسلسلي لشهادة منشأ أخرى.",
    ),
    K.MESSAGE_ID_REUSED: _said(
        "A message id came again with other content.",
        "Un identifiant de message est revenu avec un autre contenu.",
        "ورد معرّف رسالة مرة أخرى بمحتوى مختلف.",
    ),
    K.BOOKS_AGREED: _said(
        "The books of a day agree with those of the peer.",
        "Les livres d'une journée concordent avec ceux du pair.",
        "تطابقت دفاتر اليوم مع دفاتر الطرف الآخر.",
    ),
    K.BOOKS_DIFFER: _said(
        "The books of a day differ from those of the peer.",
        "Les livres d'une journée diffèrent de ceux du pair.",
        "تختلف دفاتر اليوم عن دفاتر الطرف الآخر.",
    ),
    K.BOOKS_ASK_PERSON: _said(
        "A difference between the books needs a person.",
        "Une différence entre les livres demande une intervention.",
        "يحتاج اختلاف بين الدفاتر إلى تدخل شخص.",
    ),
    K.BOOKS_RESTORED: _said(
        "The gateway was restored from a backup; say again what was said since it was made.",
        "La passerelle a été restaurée d'une sauvegarde ; redites ce qui a été dit depuis.",
        "استُعيدت البوابة من نسخة احتياطية؛ أعيدوا ما أُرسل بعد إنشائها.",
    ),
    K.PEER_SILENT: _said(
        "A peer cannot be reached; documents for it wait and are sent when it is back.",
        "Un pair est injoignable ; les documents attendent et partiront à son retour.",
        "تعذّر الوصول إلى طرف؛ المستندات تنتظر وتُرسل عند عودته.",
    ),
    K.PEER_BACK: _said(
        "A peer that was silent answers again.",
        "Un pair qui était muet répond de nouveau.",
        "عاد طرف كان صامتا إلى الرد.",
    ),
    K.PEER_SUSPENDED: _said(
        "The exchange with a peer is suspended; documents for it wait.",
        "L'échange avec un pair est suspendu ; les documents qui lui sont destinés attendent.",
        "عُلّق التبادل مع طرف، والمستندات الموجهة إليه تنتظر.",
    ),
    K.PEER_RESUMED: _said(
        "The exchange with a peer goes on.",
        "L'échange avec un pair reprend.",
        "استؤنف التبادل مع طرف.",
    ),
    K.MAINTENANCE_ANNOUNCED: _said(
        "Maintenance is announced: until it ends this gateway, or that of a peer, may not answer.",
        "Une maintenance est annoncée : jusqu'à sa fin, cette passerelle ou celle d'un pair peut "
        "ne pas répondre.",
        "أُعلنت صيانة: قد لا تجيب هذه البوابة أو بوابة طرف آخر إلى أن تنتهي.",
    ),
    K.MAINTENANCE_ENDED: _said(
        "An announced maintenance is taken back, or has ended before its time.",
        "Une maintenance annoncée est retirée ou s'est terminée avant l'heure.",
        "أُلغيت صيانة معلنة أو انتهت قبل موعدها.",
    ),
    K.WEBHOOK_STOPPED: _said(
        "A webhook has not taken an event for too long and was stopped; nothing is lost.",
        "Un webhook n'a rien accepté depuis trop longtemps et a été arrêté ; rien n'est perdu.",
        "أُوقف خطاف لم يقبل حدثا منذ مدة طويلة؛ لم يضع شيء.",
    ),
}
"""Every kind has its sentence; a test sees to it."""
