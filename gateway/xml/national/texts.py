"""What reading and writing a national format may complain about, in three languages.

Each ``Problem`` has its rule id, severity, sentence and remedy.  ``SOURCE`` findings are about
the file itself, ``SHAPE`` about a value, ``CODE`` about a code that no table translates.
"""

from __future__ import annotations

from enum import Enum

from gateway.documents.codes import Severity
from gateway.documents.findings import Finding, LocalisedText
from gateway.xml.national.tree import Location

_E, _W = Severity.ERROR, Severity.WARNING
_CORRECT = (
    "Correct the value at its source and hand the file over again.",
    "Corrigez la valeur à la source et remettez le fichier.",
    "صحّح القيمة في مصدرها وأعد تسليم الملف.",
)
_RESEND = (
    "Hand the file over again as the description of the format says.",
    "Remettez le fichier conformément à la description du format.",
    "أعد تسليم الملف وفق وصف الصيغة.",
)
_EXTEND = (
    "Add a row for it to the mapping file, or list it there under ignored: with a reason.",
    (
        "Ajoutez-lui une ligne dans le fichier de correspondance, ou citez-le sous ignored: "
        "avec un motif."
    ),
    "أضف له سطراً في ملف المطابقة، أو اذكره فيه تحت ignored: مع بيان السبب.",
)


class Problem(Enum):
    """Lists the problems: rule, severity, sentences (en, fr, ar), remedies (en, fr, ar)."""

    UNREADABLE = (
        "SOURCE",
        _E,
        "The file cannot be read: {reason}",
        "Le fichier est illisible : {reason}",
        "تعذرت قراءة الملف: {reason}",
        *_RESEND,
    )
    EMPTY = (
        "SOURCE",
        _E,
        "The file holds no document.",
        "Le fichier ne contient aucun document.",
        "لا يحتوي الملف على أي مستند.",
        *_RESEND,
    )
    MISPLACED = (
        "SOURCE",
        _E,
        "{expected} is expected, {found} was found.",
        "{expected} est attendu, {found} a été trouvé.",
        "المتوقع {expected} ولكن وُجد {found}.",
        *_RESEND,
    )
    TOO_MANY = (
        "SOURCE",
        _E,
        "The file holds more than {limit} {what}.",
        "Le fichier contient plus de {limit} {what}.",
        "يحتوي الملف على أكثر من {limit} {what}.",
        "Divide the file into smaller ones.",
        "Divisez le fichier.",
        "قسّم الملف إلى ملفات أصغر.",
    )
    DUPLICATE_NAME = (
        "SOURCE",
        _E,
        "The name “{name}” stands twice in the same place.",
        "Le nom « {name} » figure deux fois au même endroit.",
        "ورد الاسم «{name}» مرتين في الموضع نفسه.",
        *_CORRECT,
    )
    REPEATED = (
        "SOURCE",
        _E,
        "The value stands {count} times where one is expected.",
        "La valeur figure {count} fois alors qu'une seule est attendue.",
        "وردت القيمة {count} مرات والمتوقع قيمة واحدة.",
        *_CORRECT,
    )
    NOT_A_VALUE = (
        "SOURCE",
        _E,
        "A group stands where a single value is expected.",
        "Un groupe figure là où une valeur simple est attendue.",
        "وردت مجموعة حيث تُنتظر قيمة مفردة.",
        *_CORRECT,
    )
    NOT_A_GROUP = (
        "SOURCE",
        _E,
        "A single value stands where a group is expected.",
        "Une valeur simple figure là où un groupe est attendu.",
        "وردت قيمة مفردة حيث تُنتظر مجموعة.",
        *_CORRECT,
    )
    WRONG_KIND = (
        "SHAPE",
        _E,
        "A {found} stands where a {expected} is expected.",
        "Le type {found} figure là où {expected} est attendu.",
        "ورد النوع {found} حيث يُنتظر النوع {expected}.",
        *_CORRECT,
    )
    FIXED = (
        "SOURCE",
        _E,
        "“{expected}” must stand here, not “{shown}”.",
        "« {expected} » doit figurer ici, et non « {shown} ».",
        "يجب أن ترد هنا «{expected}» وليس «{shown}».",
        *_CORRECT,
    )
    NOT_A_DATE = (
        "SHAPE",
        _E,
        "“{shown}” is no date of the form {expected}.",
        "« {shown} » n'est pas une date de la forme {expected}.",
        "«{shown}» ليست تاريخاً بالصيغة {expected}.",
        *_CORRECT,
    )
    NOT_A_DECIMAL = (
        "SHAPE",
        _E,
        "“{shown}” is no number of the form {expected}.",
        "« {shown} » n'est pas un nombre de la forme {expected}.",
        "«{shown}» ليس عدداً بالصيغة {expected}.",
        *_CORRECT,
    )
    NOT_AN_INTEGER = (
        "SHAPE",
        _E,
        "“{shown}” is no whole number.",
        "« {shown} » n'est pas un nombre entier.",
        "«{shown}» ليس عدداً صحيحاً.",
        *_CORRECT,
    )
    NOT_LISTED = (
        "SHAPE",
        _E,
        "“{shown}” is none of: {expected}.",
        "« {shown} » ne figure pas parmi : {expected}.",
        "«{shown}» ليس من القيم: {expected}.",
        *_CORRECT,
    )
    NOT_BASE64 = (
        "SHAPE",
        _E,
        "The picture is not base64.",
        "L'image n'est pas en base64.",
        "الصورة ليست بترميز base64.",
        *_CORRECT,
    )
    UNKNOWN_CODE = (
        "CODE",
        _E,
        "The code “{shown}” is not in the table “{expected}”.",
        "Le code « {shown} » ne figure pas dans la table « {expected} ».",
        "الرمز «{shown}» غير وارد في الجدول «{expected}».",
        "Use a code of the table, or add the code to the table of the mapping file.",
        "Utilisez un code de la table, ou ajoutez le code à la table du fichier de correspondance.",
        "استعمل رمزاً من الجدول، أو أضف الرمز إلى الجدول في ملف المطابقة.",
    )
    PREFIX = (
        "SHAPE",
        _E,
        "“{shown}” does not begin with “{expected}”.",
        "« {shown} » ne commence pas par « {expected} ».",
        "«{shown}» لا تبدأ بـ «{expected}».",
        *_CORRECT,
    )
    FORMULA = (
        "SOURCE",
        _E,
        "The cell looks like a spreadsheet formula.",
        "La cellule ressemble à une formule de tableur.",
        "تشبه الخلية معادلة جدول حسابي.",
        "Write the value itself, or put an apostrophe before the text.",
        "Écrivez la valeur elle-même, ou faites précéder le texte d'une apostrophe.",
        "اكتب القيمة نفسها، أو ضع فاصلة عليا قبل النص.",
    )
    CELL_COUNT = (
        "SOURCE",
        _E,
        "The line has {found} cells where {expected} are expected.",
        "La ligne compte {found} cellules au lieu de {expected}.",
        "عدد خلايا السطر {found} والمتوقع {expected}.",
        *_CORRECT,
    )
    BROKEN_LINE = (
        "SOURCE",
        _E,
        "The line cannot be divided into cells: a quotation mark is missing or misplaced.",
        "La ligne ne peut être découpée en cellules : un guillemet manque ou est mal placé.",
        "تعذر تقسيم السطر إلى خلايا: علامة اقتباس ناقصة أو في غير موضعها.",
        *_CORRECT,
    )
    LINE_TYPE = (
        "SOURCE",
        _E,
        "Lines of type “{shown}” are not known; known are: {expected}.",
        "Les lignes de type « {shown} » sont inconnues ; types connus : {expected}.",
        "نوع السطر «{shown}» غير معروف؛ الأنواع المعروفة: {expected}.",
        *_CORRECT,
    )
    UNNAMED_LINE = (
        "SOURCE",
        _E,
        "The file does not name the columns of lines of type “{shown}”.",
        "Le fichier ne nomme pas les colonnes des lignes de type « {shown} ».",
        "لا يسمي الملف أعمدة الأسطر من النوع «{shown}».",
        *_RESEND,
    )
    ORPHAN_LINE = (
        "SOURCE",
        _E,
        "The line stands before any header line.",
        "La ligne précède toute ligne d'en-tête.",
        "ورد السطر قبل أي سطر رأسي.",
        *_CORRECT,
    )
    CONTRADICTION = (
        "SOURCE",
        _E,
        "Lines of one document contradict each other here.",
        "Les lignes d'un même document se contredisent ici.",
        "تتناقض أسطر المستند الواحد هنا.",
        *_CORRECT,
    )
    UNMAPPED = (
        "SOURCE",
        _W,
        "Field “{name}” of the source is not mapped; its value is not exchanged.",
        "Le champ « {name} » est sans correspondance ; sa valeur n'est pas échangée.",
        "الحقل «{name}» في المصدر غير مطابَق، ولا يجري تبادل قيمته.",
        *_EXTEND,
    )
    LOST = (
        "SOURCE",
        _E,
        "The national format {name} cannot express this value unchanged.",
        "Le format national {name} ne peut exprimer cette valeur sans altération.",
        "لا تستطيع الصيغة الوطنية {name} التعبير عن هذه القيمة دون تغيير.",
        "Add a row for it to the mapping file, or list it there under omitted: with a reason.",
        (
            "Ajoutez-lui une ligne dans le fichier de correspondance, ou citez-la sous omitted: "
            "avec un motif."
        ),
        "أضف لها سطراً في ملف المطابقة، أو اذكرها فيه تحت omitted: مع بيان السبب.",
    )


class UnfitError(Exception):
    """Says that one value cannot be converted; caught within this package, never outside."""

    def __init__(self, problem: Problem, **details: object) -> None:
        super().__init__(problem.name)
        self.problem = problem
        self.details = details


def shown(text: str) -> str:
    """Return ``text`` cut short and safe to print in a finding."""
    visible = "".join(char if char.isprintable() else "?" for char in text[:40])
    return visible + ("…" if len(text) > 40 else "")


def finding(problem: Problem, path: str, location: Location, **details: object) -> Finding:
    """Return the finding about ``problem`` at document ``path`` and source ``location``."""
    rule, severity, *sentences = problem.value
    safe = {
        key: shown(str(value)) if key in ("shown", "found") else shown_path(str(value))
        for key, value in details.items()
    }
    en, fr, ar, remedy_en, remedy_fr, remedy_ar = (text.format(**safe) for text in sentences)
    return Finding(
        rule=rule,
        severity=severity,
        path=shown_path(path),
        message=located(LocalisedText(en=en, fr=fr, ar=ar), location),
        remedy=LocalisedText(en=remedy_en, fr=remedy_fr, ar=remedy_ar),
    )


def shown_path(path: str) -> str:
    """Return a document or source path cut to what a finding carries, safe to print."""
    return "".join(char if char.isprintable() else "?" for char in path[:300])


def located(text: LocalisedText, location: Location) -> LocalisedText:
    """Return the sentences with the place in the source file added."""
    pointer = shown_path(location.pointer[-200:])
    line = location.line
    if line is None and not pointer:
        return text
    en = ", ".join(part for part in (f"line {line}" if line else "", pointer) if part)
    fr = ", ".join(part for part in (f"ligne {line}" if line else "", pointer) if part)
    ar = "، ".join(part for part in (f"السطر {line}" if line else "", pointer) if part)
    return LocalisedText(en=f"{text.en} [{en}]", fr=f"{text.fr} [{fr}]", ar=f"{text.ar} [{ar}]")
