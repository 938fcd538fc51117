"""What reading a message complains about, as findings in three languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.documents.codes import Severity
from gateway.documents.findings import Finding, LocalisedText

RULE: Final = "SHAPE"
_MAX_QUOTED: Final = 80


@dataclass(frozen=True)
class Complaint:
    """Is one kind of complaint; ``{0}`` stands for what is quoted."""

    en: str
    fr: str
    ar: str

    def about(
        self, path: str, *quoted: str, box: str | None = None, article: str | None = None
    ) -> Finding:
        """Return the finding that makes this complaint about the datum at ``path``."""
        short = [text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…" for text in quoted]
        return Finding(
            rule=RULE,
            severity=Severity.ERROR,
            path=path[:300],
            box=box,
            article=article,
            message=LocalisedText(
                en=self.en.format(*short), fr=self.fr.format(*short), ar=self.ar.format(*short)
            ),
            remedy=_REMEDY,
        )


_REMEDY: Final = LocalisedText(
    en="Correct the element as the message description says.",
    fr="Corrigez l'élément selon la description du message.",
    ar="صحّح العنصر وفق وصف الرسالة.",
)

UNREAD_ELEMENT: Final = Complaint(
    "This message has no place for the element {0}; it would be lost.",
    "Ce message ne prévoit pas l'élément {0} ; il serait perdu.",
    "لا مكان في هذه الرسالة للعنصر {0} وسيضيع محتواه.",
)
UNREAD_ATTRIBUTE: Final = Complaint(
    "This message has no place for the attribute {0}; it would be lost.",
    "Ce message ne prévoit pas l'attribut {0} ; il serait perdu.",
    "لا مكان في هذه الرسالة للسمة {0} وسيضيع محتواها.",
)
REPEATED_ELEMENT: Final = Complaint(
    "The element {0} stands more than once.",
    "L'élément {0} figure plus d'une fois.",
    "يتكرر العنصر {0} أكثر من مرة.",
)
WRONG_CONSTANT: Final = Complaint(
    "{0} must hold '{1}', not '{2}'.",
    "{0} doit contenir « {1} » et non « {2} ».",
    "يجب أن يحتوي {0} على «{1}» لا على «{2}».",
)
CONTRADICTION: Final = Complaint(
    "{0} holds '{1}', which contradicts the value stated elsewhere in the message.",
    "{0} contient « {1} », ce qui contredit la valeur indiquée ailleurs dans le message.",
    "يحتوي {0} على «{1}» وهو ما يناقض القيمة المذكورة في موضع آخر من الرسالة.",
)
WRONG_TEXT: Final = Complaint(
    "{0} holds '{1}', which is not {2}.",
    "{0} contient « {1} », ce qui n'est pas {3}.",
    "يحتوي {0} على «{1}» وهذا ليس {4}.",
)
WRONG_ROOT: Final = Complaint(
    "The message is {0}, not {1}.",
    "Le message est {0} et non {1}.",
    "الرسالة هي {0} وليست {1}.",
)
