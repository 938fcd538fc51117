"""Why a message breaks its schema, in sentences that its author can act on.

Two sources: xmlschema, which knows what would fit, and the error log of libxml2, which is fast
and terse.  Neither decides whether a message is valid; that is ``gateway.xml.schema``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from gateway.documents.codes import Severity
from gateway.documents.findings import Finding, LocalisedText

if TYPE_CHECKING:
    import xmlschema
    from xmlschema.validators.exceptions import XMLSchemaValidationError

RULE: Final = "SCHEMA"
MAX_FINDINGS: Final = 50
_MAX_REASON: Final = 300
_MAX_PATH: Final = 300


@dataclass(frozen=True)
class _Sentence:
    """Is a sentence with places for the element and for what fits there."""

    en: str
    fr: str
    ar: str

    def with_(self, name: str, fits: str) -> LocalisedText:
        return LocalisedText(
            en=self.en.format(name, fits),
            fr=self.fr.format(name, fits),
            ar=self.ar.format(name, fits),
        )


_UNEXPECTED: Final = _Sentence(
    "The element {0} is not expected here; expected: {1}.",
    "L'élément {0} n'est pas attendu ici ; attendu : {1}.",
    "العنصر {0} غير متوقع هنا؛ المتوقع: {1}.",
)
_INCOMPLETE: Final = _Sentence(
    "The element {0} is not complete; it lacks: {1}.",
    "L'élément {0} est incomplet ; il manque : {1}.",
    "العنصر {0} غير مكتمل وينقصه: {1}.",
)
_BROKEN: Final = _Sentence(
    "The element {0} does not follow the message schema ({1}).",
    "L'élément {0} ne suit pas le schéma du message ({1}).",
    "العنصر {0} لا يتبع مخطط الرسالة ({1}).",
)
_REMEDY: Final = LocalisedText(
    en="Correct the element as the message schema says, then sign and send again.",
    fr="Corrigez l'élément selon le schéma du message, puis signez et renvoyez-le.",
    ar="صحّح العنصر وفق مخطط الرسالة ثم وقّع الرسالة وأعد إرسالها.",
)


def explain_by_xmlschema(
    root: etree._Element, schema: xmlschema.XMLSchema10
) -> tuple[Finding, ...]:
    """Return the first findings that ``schema`` has about ``root``, one for each element."""
    source: Any = root  # xmlschema reads lxml elements, though its annotations do not say so
    errors = schema.iter_errors(source, use_location_hints=False, use_defaults=False)
    return tuple(islice(_one_for_each_path(map(_explained, errors)), MAX_FINDINGS))


def explain_by_lxml(root: etree._Element, log: etree._ListErrorLog) -> tuple[Finding, ...]:
    """Return the first findings out of the error log that validating ``root`` has left."""
    findings = (
        _finding(entry.path or "", _BROKEN.with_(_last_step(entry.path or ""), _plain(entry)))
        for entry in log
    )
    found = tuple(islice(_one_for_each_path(findings), MAX_FINDINGS))
    unexplained = _BROKEN.with_(etree.QName(root).localname, "–")
    return found or (_finding("", unexplained),)


def _explained(error: XMLSchemaValidationError) -> Finding:
    from xmlschema.validators.exceptions import XMLSchemaChildrenValidationError

    path = error.path or ""
    if isinstance(error, XMLSchemaChildrenValidationError):
        fits = _cut(", ".join(error.expected_tags)) or "–"
        if error.invalid_tag is not None:
            name = etree.QName(error.invalid_tag).localname
            return _finding(f"{path}/{name}", _UNEXPECTED.with_(_cut(name), fits))
        return _finding(path, _INCOMPLETE.with_(_last_step(path), fits))
    return _finding(path, _BROKEN.with_(_last_step(path), _cut(error.reason or "–")))


def _finding(path: str, message: LocalisedText) -> Finding:
    below_root = "/".join(path.split("/")[2:])
    return Finding(
        rule=RULE,
        severity=Severity.ERROR,
        path=below_root[-_MAX_PATH:],
        message=message,
        remedy=_REMEDY,
    )


def _one_for_each_path(findings: Iterable[Finding]) -> Iterator[Finding]:
    seen: set[str] = set()
    for finding in findings:
        if finding.path not in seen:
            seen.add(finding.path)
            yield finding


def _plain(entry: etree._LogEntry) -> str:
    message = entry.message
    return _cut(message.split("': ", 1)[-1])


def _last_step(path: str) -> str:
    return path.rpartition("/")[2] or path or "–"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_REASON else text[:_MAX_REASON] + "…"
