"""The findings of register and ledger: what only the books can know, in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.documents import Finding, LocalisedText, Severity


class Problem(StrEnum):
    """Names what register and ledger can find wrong."""

    UNKNOWN_CERTIFICATE = "UNKNOWN_CERTIFICATE"
    FOREIGN_CERTIFICATE = "FOREIGN_CERTIFICATE"
    SERIAL_REUSED = "SERIAL_REUSED"
    ALREADY_USED = "ALREADY_USED"
    NOT_THE_ISSUER = "NOT_THE_ISSUER"
    UNKNOWN_ITEM = "UNKNOWN_ITEM"
    WRONG_UNIT = "WRONG_UNIT"
    NO_QUANTITY = "NO_QUANTITY"
    OVER_USE = "OVER_USE"
    NOT_FULL = "NOT_FULL"
    SINGLE_USE = "SINGLE_USE"
    AFTER_VALIDITY = "AFTER_VALIDITY"
    WRONG_STATE = "WRONG_STATE"
    REEXPORT_BALANCE = "REEXPORT_BALANCE"
    SEQUENCE_REUSED = "SEQUENCE_REUSED"
    NUMBER_REUSED = "NUMBER_REUSED"
    TOTAL_FELL = "TOTAL_FELL"
    USED_AFTER_END = "USED_AFTER_END"


@dataclass(frozen=True)
class _Entry:
    rule: str
    article: str | None
    message: tuple[str, str, str]
    remedy: tuple[str, str, str]


_READ_REGISTER = (
    "Read the present state of the certificate and ask again.",
    "Consultez l'état actuel du certificat et recommencez.",
    "اطّلع على الحالة الراهنة للشهادة ثم أعد الطلب.",
)
_BOTH_OPERATORS = (
    "Both operators must find out which of the two is right.",
    "Les deux opérateurs doivent établir lequel des deux est exact.",
    "على المشغّلَين تحديد أيّهما صحيح.",
)
_REMAINING = (
    "Write off no more than what remains; a further certificate is needed for the rest.",
    "N'imputez pas plus que le reste ; un autre certificat est nécessaire pour le surplus.",
    "لا تخصم أكثر من الكمية المتبقية؛ يلزم شهادة أخرى لما زاد.",
)
_CHECK_LINE = (
    "Correct the item as the certificate states it.",
    "Corrigez l'article selon le certificat.",
    "صحّح البند كما ورد في الشهادة.",
)
P = Problem

_CATALOGUE: Mapping[Problem, _Entry] = {
    P.UNKNOWN_CERTIFICATE: _Entry(
        "V87",
        "11.1",
        (
            "No certificate {serial} of {country} is registered here.",
            "Aucun certificat {serial} de {country} n'est enregistré ici.",
            "لا توجد شهادة مسجلة هنا برقم {serial} صادرة عن {country}.",
        ),
        (
            "Check serial number and issuing country.",
            "Vérifiez le numéro de série et le pays d'émission.",
            "تحقق من الرقم المتسلسل وبلد الإصدار.",
        ),
    ),
    P.FOREIGN_CERTIFICATE: _Entry(
        "V87",
        "11.1",
        (
            "The certificate {serial} was never sent to this peer.",
            "Le certificat {serial} n'a jamais été envoyé à ce pair.",
            "لم تُرسل الشهادة {serial} إلى هذا الطرف قط.",
        ),
        (
            "Only the customs that received a certificate may answer it.",
            "Seule la douane qui a reçu le certificat peut y répondre.",
            "لا يجيب عن الشهادة إلا الجمارك التي استلمتها.",
        ),
    ),
    P.SERIAL_REUSED: _Entry(
        "V84",
        "9.1(d)",
        (
            "The serial number {serial} is registered with other content.",
            "Le numéro de série {serial} est enregistré avec un autre contenu.",
            "الرقم المتسلسل {serial} مسجل بمحتوى آخر.",
        ),
        _BOTH_OPERATORS,
    ),
    P.ALREADY_USED: _Entry(
        "ALREADY_USED",
        "9.1(f)",
        (
            "The certificate {serial} has been used and can be neither cancelled nor replaced.",
            "Le certificat {serial} a été utilisé et ne peut être ni annulé ni remplacé.",
            "استُعملت الشهادة {serial} فلا يمكن إلغاؤها ولا استبدالها.",
        ),
        (
            "Settle the matter with the importing customs.",
            "Réglez la question avec la douane d'importation.",
            "سوِّ الأمر مع جمارك بلد الاستيراد.",
        ),
    ),
    P.NOT_THE_ISSUER: _Entry(
        "V76",
        "9.1(f)",
        (
            "The certificate {serial} did not come from this peer.",
            "Le certificat {serial} ne provient pas de ce pair.",
            "لم ترد الشهادة {serial} من هذا الطرف.",
        ),
        (
            "Only the issuing authority may cancel or replace it.",
            "Seule l'autorité émettrice peut l'annuler ou le remplacer.",
            "لا يلغيها ولا يستبدلها إلا جهة الإصدار.",
        ),
    ),
    P.UNKNOWN_ITEM: _Entry(
        "V89",
        "11.1",
        (
            "The certificate has no item {number}.",
            "Le certificat n'a pas d'article {number}.",
            "لا يوجد في الشهادة بند رقم {number}.",
        ),
        _CHECK_LINE,
    ),
    P.WRONG_UNIT: _Entry(
        "V89",
        "11.1",
        (
            "Item {number} is certified in {certified_unit}, not in {unit}.",
            "L'article {number} est certifié en {certified_unit}, non en {unit}.",
            "البند {number} مشهود به بوحدة {certified_unit} لا بوحدة {unit}.",
        ),
        _CHECK_LINE,
    ),
    P.NO_QUANTITY: _Entry(
        "V89",
        "11.1",
        (
            "Nothing is written off, or the quantity of item {number} is not above zero.",
            "Rien n'est imputé, ou la quantité de l'article {number} n'est pas positive.",
            "لم تُخصم أي كمية، أو أن كمية البند {number} ليست موجبة.",
        ),
        _CHECK_LINE,
    ),
    P.OVER_USE: _Entry(
        "V89",
        "11.1",
        (
            "Item {number}: {asked} {unit} used or asked for, {remaining} {unit} available.",
            "Article {number} : {asked} {unit} utilisés ou demandés, {remaining} disponibles.",
            "البند {number}: المستعمل أو المطلوب {asked} {unit} والمتاح {remaining} {unit}.",
        ),
        _REMAINING,
    ),
    P.NOT_FULL: _Entry(
        "V89",
        "11.1",
        (
            "The use is called full, but {remaining} {unit} of item {number} remain.",
            "Utilisation dite totale, mais il reste {remaining} {unit} de l'article {number}.",
            "وُصف الاستعمال بالكامل، لكن بقي {remaining} {unit} من البند {number}.",
        ),
        (
            "Call the use partial, or write off the rest.",
            "Déclarez l'utilisation partielle, ou imputez le reste.",
            "اجعل الاستعمال جزئياً أو اخصم الباقي.",
        ),
    ),
    P.SINGLE_USE: _Entry(
        "V90",
        "11.1",
        (
            "The certificate {serial} may be used once and has been used.",
            "Le certificat {serial} n'est utilisable qu'une fois et l'a été.",
            "الشهادة {serial} تُستعمل مرة واحدة وقد استُعملت.",
        ),
        (
            "Ask for a certificate for this consignment.",
            "Demandez un certificat pour cet envoi.",
            "اطلب شهادة لهذه الشحنة.",
        ),
    ),
    P.AFTER_VALIDITY: _Entry(
        "V73",
        "11.1",
        (
            "The certificate {serial} was presented after {valid_until}, the end of its validity.",
            "Le certificat {serial} a été présenté après le {valid_until}, fin de sa validité.",
            "قُدمت الشهادة {serial} بعد {valid_until}، تاريخ انتهاء صلاحيتها.",
        ),
        (
            "Refuse it, or state the exceptional circumstances.",
            "Refusez-le, ou indiquez les circonstances exceptionnelles.",
            "ارفضها أو بيّن الظروف الاستثنائية.",
        ),
    ),
    P.WRONG_STATE: _Entry(
        "STATE",
        None,
        (
            "The certificate {serial} is {state}; {asked} is not possible.",
            "Le certificat {serial} est {state} ; {asked} est impossible.",
            "حالة الشهادة {serial} هي {state}؛ لا يمكن {asked}.",
        ),
        _READ_REGISTER,
    ),
    P.REEXPORT_BALANCE: _Entry(
        "V66",
        "8.3(a)",
        (
            "Item {number}: {asked} {unit} to be re-exported, {remaining} remain of the original.",
            "Article {number} : {asked} {unit} à réexporter, il en reste {remaining}.",
            "البند {number}: يُراد إعادة تصدير {asked} {unit} والمتبقي من الأصل {remaining} {unit}.",
        ),
        _REMAINING,
    ),
    P.SEQUENCE_REUSED: _Entry(
        "V89",
        "11.1",
        (
            "Response {sequence} to {serial} was received before with other content.",
            "La réponse {sequence} à {serial} a déjà été reçue avec un autre contenu.",
            "سبق استلام الرد {sequence} على {serial} بمحتوى آخر.",
        ),
        _BOTH_OPERATORS,
    ),
    P.NUMBER_REUSED: _Entry(
        "V89",
        "11.1",
        (
            "The response number {response} was used before for other content.",
            "Le numéro de réponse {response} a déjà servi pour un autre contenu.",
            "سبق استعمال رقم الرد {response} لمحتوى آخر.",
        ),
        _BOTH_OPERATORS,
    ),
    P.TOTAL_FELL: _Entry(
        "V89",
        "11.1",
        (
            "Item {number}: the total {asked} {unit} is below {remaining} {unit} reported earlier.",
            "Article {number} : le total {asked} {unit} est inférieur aux {remaining} déclarés.",
            "البند {number}: المجموع {asked} {unit} أقل من {remaining} {unit} المبلَّغ عنها سابقاً.",
        ),
        _BOTH_OPERATORS,
    ),
    P.USED_AFTER_END: _Entry(
        "V89",
        "9.1(f)",
        (
            "The certificate {serial} is {state}, yet a use of it is reported.",
            "Le certificat {serial} est {state}, pourtant une utilisation est déclarée.",
            "حالة الشهادة {serial} هي {state} ومع ذلك أُبلغ عن استعمالها.",
        ),
        _BOTH_OPERATORS,
    ),
}


def finding(
    problem: Problem, path: str, severity: Severity = Severity.ERROR, **facts: object
) -> Finding:
    """Return the finding about the datum at ``path`` with ``facts`` put into its sentences."""
    entry = _CATALOGUE[problem]
    return Finding(
        rule=entry.rule,
        severity=severity,
        path=path,
        article=entry.article,
        message=_text(entry.message, facts),
        remedy=_text(entry.remedy, facts),
    )


def _text(sentences: tuple[str, str, str], facts: Mapping[str, object]) -> LocalisedText:
    en, fr, ar = (sentence.format(**facts) for sentence in sentences)
    return LocalisedText(en=en, fr=fr, ar=ar)
