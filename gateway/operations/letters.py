"""Letters: the notices for one recipient at one level, worded in the recipient's language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from gateway.documents.codes import Language
from gateway.documents.findings import LocalisedText
from gateway.operations.rules import RuleBook
from gateway.operations.texts import filled, one_line
from gateway.store import Alert, AlertLevel, Notice, NoticeKind


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Is one alert as it is told."""

    alert: Alert
    kind: NoticeKind
    says: str
    todo: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Is what one recipient is told at once.

    Attributes:
        id: digest over its notices; the same when the letter has to be sent again.
    """

    id: str
    gateway: str
    level: AlertLevel
    language: Language
    written_at: datetime
    paragraphs: tuple[Paragraph, ...]

    @property
    def subject(self) -> str:
        """The heading, as ``[eCO ZM-SW] CRITICAL: 2 alerts``."""
        words = _word("alerts", self.language)
        return f"[eCO {self.gateway}] {_word(self.level, self.language)}: {words} " + str(
            len(self.paragraphs)
        )

    def lines(self) -> Iterable[str]:
        """Yield the letter for a person."""
        for paragraph in self.paragraphs:
            alert = paragraph.alert
            kind = _word(paragraph.kind, self.language)
            yield f"{kind} · {paragraph.says}"
            if paragraph.kind is not NoticeKind.CLEARED:
                yield f"→ {paragraph.todo}"
            since = f"{alert.first_at:%Y-%m-%d %H:%M}Z"
            yield f"   {alert.rule} #{alert.id}, {_word('since', self.language)} {since}"
            yield ""
        yield _word("acknowledge", self.language)

    def values(self) -> dict[str, Any]:
        """Return the letter in JSON's types."""
        return {
            "id": self.id,
            "gateway": self.gateway,
            "level": self.level.value,
            "written_at": self.written_at.isoformat(),
            "alerts": [_values(paragraph) for paragraph in self.paragraphs],
        }


class Courier(Protocol):
    """Brings letters to one recipient."""

    def deliver(self, letter: Letter) -> None:
        """Hand over ``letter``.

        Raises:
            TransportError: it was not taken; it may be sent again.
        """


@dataclass(frozen=True, kw_only=True)
class Heading:
    """Says from whom and in which language a letter is."""

    gateway: str
    language: Language
    written_at: datetime


def write(
    rules: RuleBook, taken: Sequence[Notice], alerts: Mapping[int, Alert], heading: Heading
) -> Letter:
    """Return the letter that tells the notices ``taken``, all of one recipient and level."""
    paragraphs = tuple(
        paragraph(rules, alerts[notice.alert_id], heading.language, notice.kind)
        for notice in sorted(taken, key=lambda each: each.id)
    )
    key = "|".join([heading.gateway, taken[0].recipient, *(str(n.id) for n in taken)])
    return Letter(
        id=hashlib.sha256(key.encode()).hexdigest()[:32],
        gateway=heading.gateway,
        level=taken[0].level,
        language=heading.language,
        written_at=heading.written_at,
        paragraphs=paragraphs,
    )


def paragraph(
    rules: RuleBook, alert: Alert, language: Language | str, kind: NoticeKind = NoticeKind.RAISED
) -> Paragraph:
    """Return an alert in words; one whose rule is gone is told by its name."""
    rule = rules.rules.get(alert.rule)
    if rule is None:
        return Paragraph(
            alert=alert, kind=kind, says=f"{alert.rule}: {one_line(alert.subject)}", todo=""
        )
    facts = {"subject": alert.subject, **alert.facts}
    return Paragraph(
        alert=alert,
        kind=kind,
        says=filled(rule.says, facts, str(language)),
        todo=filled(rule.todo, facts, str(language)),
    )


def _values(paragraph: Paragraph) -> dict[str, Any]:
    alert = paragraph.alert
    return {
        "alert": alert.id,
        "kind": paragraph.kind.value,
        "rule": alert.rule,
        "subject": alert.subject,
        "level": alert.level.value,
        "first_at": alert.first_at.isoformat(),
        "last_at": alert.last_at.isoformat(),
        "count": alert.count,
        "says": paragraph.says,
        "todo": paragraph.todo,
    }


_WORDS: Final[Mapping[str, LocalisedText]] = {
    "INFO": LocalisedText(en="INFORMATION", fr="INFORMATION", ar="معلومة"),
    "WARNING": LocalisedText(en="WARNING", fr="AVERTISSEMENT", ar="تحذير"),
    "CRITICAL": LocalisedText(en="CRITICAL", fr="CRITIQUE", ar="حرج"),
    "RAISED": LocalisedText(en="New", fr="Nouveau", ar="جديد"),
    "WORSE": LocalisedText(en="Worse", fr="Aggravé", ar="أسوأ"),
    "REMINDER": LocalisedText(en="Still so", fr="Toujours", ar="ما زال"),
    "CLEARED": LocalisedText(en="Cleared", fr="Résolu", ar="انتهى"),
    "alerts": LocalisedText(en="alerts:", fr="alertes :", ar="تنبيهات:"),
    "since": LocalisedText(en="since", fr="depuis", ar="منذ"),
    "acknowledge": LocalisedText(
        en="Take one on with `eco alerts acknowledge NUMBER --reason …`; then it is not repeated.",
        fr="Prenez-en une en charge par `eco alerts acknowledge NUMÉRO --reason …` ; elle ne sera "
        "plus répétée.",
        ar="تولَّ التنبيه بالأمر `eco alerts acknowledge NUMBER --reason …` فلا يتكرر.",
    ),
}


def _word(key: str, language: Language) -> str:
    return _WORDS[str(key)].in_language(language)
