"""Findings for errors that stop an examination: the same complaint in three languages.

Rules V13 and V14 (domain rules on the signer and on the signature) are judged by verifying;
when they break there is no document to run the other rules on, so their findings are made here.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.documents import Finding, LocalisedText, Severity
from gateway.errors import GatewayError

_ARTICLE = "5.5"
_ANY_FR = "Le document ne peut pas être lu."
_ANY_AR = "لا يمكن قراءة المستند."


@dataclass(frozen=True)
class _Complaint:
    rule: str
    fr: str
    ar: str
    remedy_fr: str
    remedy_ar: str


_SIGN_AGAIN_FR = "Faites signer de nouveau le document par une autorité enregistrée."
_SIGN_AGAIN_AR = "أعد توقيع المستند من جهة مسجلة."
_REGISTER_FR = "Faites enregistrer le certificat de signature auprès du pair."
_REGISTER_AR = "سجّل شهادة التوقيع لدى الطرف الآخر."
_RESEND_FR = "Envoyez le document tel qu'il a été signé."
_RESEND_AR = "أرسل المستند كما تم توقيعه."

_COMPLAINTS = {
    "SIGNATURE_MISSING": _Complaint(
        "V14", "Le document n'est pas signé.", "المستند غير موقع.", _SIGN_AGAIN_FR, _SIGN_AGAIN_AR
    ),
    "SIGNATURE_SHAPE": _Complaint(
        "V14",
        "La signature n'a pas la forme convenue.",
        "شكل التوقيع غير متفق عليه.",
        "Signez par une seule référence enveloppée à tout le document.",
        "وقّع بمرجع مغلف واحد يشمل المستند كله.",
    ),
    "SIGNATURE_INVALID": _Complaint(
        "V14",
        "La signature ne correspond pas au document : il a été modifié après signature.",
        "التوقيع لا يطابق المستند: تم تعديله بعد التوقيع.",
        _RESEND_FR,
        _RESEND_AR,
    ),
    "ALGORITHM_NOT_ALLOWED": _Complaint(
        "V14",
        "La signature utilise un algorithme non admis.",
        "يستخدم التوقيع خوارزمية غير مسموح بها.",
        "Utilisez RSA-SHA256 ou ECDSA-SHA256 avec canonicalisation exclusive.",
        "استخدم RSA-SHA256 أو ECDSA-SHA256 مع التقنين الحصري.",
    ),
    "SIGNER_UNTRUSTED": _Complaint(
        "V13",
        "Le certificat de signature n'appartient pas à la liste de confiance de ce pays.",
        "شهادة التوقيع ليست ضمن قائمة الثقة لهذا البلد.",
        _REGISTER_FR,
        _REGISTER_AR,
    ),
    "SIGNER_EXPIRED": _Complaint(
        "V13",
        "Le certificat de signature n'était pas valide à la date de délivrance.",
        "لم تكن شهادة التوقيع صالحة في تاريخ الإصدار.",
        _SIGN_AGAIN_FR,
        _SIGN_AGAIN_AR,
    ),
    "SIGNER_REVOKED": _Complaint(
        "V13",
        "Le certificat de signature avait été révoqué.",
        "تم إلغاء شهادة التوقيع.",
        "Demandez des explications à l'autorité de délivrance.",
        "اطلب توضيحًا من الجهة المصدرة.",
    ),
    "SIGNER_KEY": _Complaint(
        "V13",
        "La clé du signataire n'est pas admise (type, longueur ou usage).",
        "مفتاح الموقّع غير مقبول (النوع أو الطول أو الاستخدام).",
        "Utilisez RSA d'au moins 2048 bits ou ECDSA P-256/P-384.",
        "استخدم RSA بطول 2048 بت على الأقل أو ECDSA P-256/P-384.",
    ),
    "SIGNER_NOT_REGISTERED": _Complaint(
        "V13",
        "Le signataire n'est pas enregistré pour ce pays, cette autorité ou ce rôle.",
        "الموقّع غير مسجل لهذا البلد أو هذه الجهة أو هذا الدور.",
        _REGISTER_FR,
        _REGISTER_AR,
    ),
}


def finding_of(error: GatewayError) -> Finding:
    """Return ``error`` as a finding about the whole document."""
    known = _COMPLAINTS.get(error.code)
    if known is None:
        known = _Complaint(error.code, _ANY_FR, _ANY_AR, _RESEND_FR, _RESEND_AR)
    return Finding(
        rule=known.rule,
        severity=Severity.ERROR,
        path="",
        article=_ARTICLE if known.rule.startswith("V") else None,
        message=LocalisedText(
            en=f"{type(error).__doc__ or error.code} ({error.detail})"[:2000],
            fr=known.fr,
            ar=known.ar,
        ),
        remedy=LocalisedText(en=error.remedy, fr=known.remedy_fr, ar=known.remedy_ar),
    )
