"""Why a balance is where it is, who acts next and what happens, in three languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.documents import LocalisedText
from gateway.store import BalanceState, BooksSide


@dataclass(frozen=True, kw_only=True)
class BalanceGuide:
    """Says of a balance who must act next and why; its deadline is the balance's ``due_at``."""

    owner: str
    reason: LocalisedText
    next_step: LocalisedText


def guide_of(side: BooksSide, state: BalanceState) -> BalanceGuide | None:
    """Return the guide of a balance; None where both sides agree."""
    return _GUIDES.get((side, state))


def _text(en: str, fr: str, ar: str) -> LocalisedText:
    return LocalisedText(en=en, fr=fr, ar=ar)


_PERSON = BalanceGuide(
    owner="OPERATOR",
    reason=_text(
        "The books still differ after every automatic round.",
        "Les livres diffèrent encore après tous les tours automatiques.",
        "ما زالت الدفاتر مختلفة بعد كل الجولات التلقائية.",
    ),
    next_step=_text(
        "Settle the differences with the peer's operator, then run `eco reconcile`.",
        "Réglez les différences avec l'opérateur du pair, puis lancez `eco reconcile`.",
        "سوِّ الفروق مع مشغل الطرف الآخر ثم نفّذ `eco reconcile`.",
    ),
)
_GUIDES: Mapping[tuple[BooksSide, BalanceState], BalanceGuide] = {
    (BooksSide.SENT, BalanceState.STATED): BalanceGuide(
        owner="PEER",
        reason=_text(
            "Our statement is with the peer, whose answer is awaited.",
            "Notre relevé est chez le pair, dont la réponse est attendue.",
            "كشفنا لدى الطرف الآخر وننتظر رده.",
        ),
        next_step=_text(
            "Without an answer the part is stated again by itself.",
            "Sans réponse, la partie est déclarée de nouveau automatiquement.",
            "من دون رد يُعاد تقديم هذا الجزء تلقائيًا.",
        ),
    ),
    (BooksSide.SENT, BalanceState.DIFFERENT): BalanceGuide(
        owner="GATEWAY",
        reason=_text(
            "The books differed; what was missing is being sent again.",
            "Les livres différaient ; ce qui manquait est renvoyé.",
            "اختلفت الدفاتر ويُعاد إرسال ما كان ناقصًا.",
        ),
        next_step=_text(
            "The part is stated again by itself after a pause.",
            "La partie est déclarée de nouveau automatiquement après une pause.",
            "يُعاد تقديم هذا الجزء تلقائيًا بعد مهلة.",
        ),
    ),
    (BooksSide.RECEIVED, BalanceState.DIFFERENT): BalanceGuide(
        owner="PEER",
        reason=_text(
            "We answered with differences; the peer is mending its side.",
            "Nous avons répondu avec des différences ; le pair corrige de son côté.",
            "أجبنا بوجود فروق والطرف الآخر يصحح من جهته.",
        ),
        next_step=_text(
            "The peer states the part again; if it does not, a person is asked.",
            "Le pair déclare de nouveau la partie ; sinon une personne est sollicitée.",
            "يعيد الطرف الآخر تقديم الجزء، وإلا طُلب تدخل شخص.",
        ),
    ),
    (BooksSide.SENT, BalanceState.ASKS_PERSON): _PERSON,
    (BooksSide.RECEIVED, BalanceState.ASKS_PERSON): _PERSON,
}
