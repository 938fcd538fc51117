"""Figures drawn on the server as SVG: bars of what is left, columns over time.

No script and no style attribute, so they pass the strictest content policy and print.  Every
figure has a title for those who cannot see it; colours come from the style sheet by class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 100, 8
_PLOT_WIDTH, _PLOT_HEIGHT, _GAP = 600, 160, 2


@dataclass(frozen=True, kw_only=True)
class Part:
    """Is one part of a bar.

    Attributes:
        share: of the whole, 0 to 1.
        tone: class of the style sheet, as ``used``.
    """

    share: float
    tone: str


def bar(parts: Sequence[Part], title: object) -> Markup:
    """Return a horizontal bar of parts, the rest empty."""
    drawn, at = [], 0.0
    for part in parts:
        width = max(0.0, min(part.share, 1.0 - at)) * _WIDTH
        drawn.append(
            Markup('<rect class="{}" x="{}" y="0" width="{}" height="{}"/>').format(
                part.tone, round(at * _WIDTH, 2), round(width, 2), _HEIGHT
            )
        )
        at = min(1.0, at + part.share)
    return Markup(
        '<svg class="bar" viewBox="0 0 {w} {h}" role="img" preserveAspectRatio="none">'
        '<title>{title}</title><rect class="whole" x="0" y="0" width="{w}" height="{h}"/>'
        "{drawn}</svg>"
    ).format(w=_WIDTH, h=_HEIGHT, title=_words(title), drawn=Markup("").join(drawn))


def quantity_bar(item: Any, title: object) -> Markup:
    """Return how much of a goods item is used, re-exported and left."""
    whole = item.certified or Decimal(1)
    return bar(
        (
            Part(share=float(item.used / whole), tone="used"),
            Part(share=float(item.reexported / whole), tone="reexported"),
        ),
        title,
    )


def columns(values: Sequence[tuple[str, float]], title: object, *, tone: str = "sent") -> Markup:
    """Return a column for each value, its label and figure in a title of its own.

    Args:
        values: label and height of each, from the earliest.
    """
    most = max((height for _, height in values), default=0.0) or 1.0
    width = _PLOT_WIDTH / max(1, len(values))
    drawn = []
    for number, (label, height) in enumerate(values):
        tall = height / most * (_PLOT_HEIGHT - 4)
        drawn.append(
            Markup(
                '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>'
            ).format(
                tone,
                round(number * width + _GAP / 2, 1),
                round(_PLOT_HEIGHT - tall, 1),
                round(max(1.0, width - _GAP), 1),
                round(tall, 1),
                label,
                f"{height:g}",
            )
        )
    return Markup(
        '<svg class="columns" viewBox="0 0 {w} {h}" role="img"><title>{title}</title>{drawn}'
        '<line class="axis" x1="0" y1="{h}" x2="{w}" y2="{h}"/></svg>'
    ).format(w=_PLOT_WIDTH, h=_PLOT_HEIGHT, title=_words(title), drawn=Markup("").join(drawn))


def _words(title: object) -> str:
    """Return a title as bare text; SVG titles hold no markup."""
    return str(escape(title).striptags()) if isinstance(title, Markup) else str(title)


FIGURES: Final[Mapping[str, Callable[..., Markup]]] = {
    "bar": bar,
    "quantity_bar": quantity_bar,
    "columns": columns,
}
"""What templates may draw."""
