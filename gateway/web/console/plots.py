"""Plots of several measures over time or by name, as SVG without script and style.

Bars stand on one another, each with its figure for whoever points at it or cannot see it; the
axis tells the greatest value and where the time begins and ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

_WIDTH, _HEIGHT, _GAP = 600, 150, 2
_TOP, _FOOT = 26, 28
_LEAST: Final = 1.5
_WIDEST: Final = 40


@dataclass(frozen=True, kw_only=True)
class Pile:
    """Is one column.

    Attributes:
        label: what stands below it.
        says: the column in words.
        parts: class of the style sheet and height of each part, from the ground up.
    """

    label: str
    says: str
    parts: tuple[tuple[str, float], ...]

    @property
    def height(self) -> float:
        """All parts together."""
        return sum(height for _, height in self.parts)


def piles(columns: Sequence[Pile], title: str) -> Markup:
    """Return columns side by side, the earliest at the left in any language."""
    most = max((each.height for each in columns), default=0.0)
    width = _WIDTH / max(1, len(columns))
    drawn = [_pile(each, number * width, width, most or 1.0) for number, each in enumerate(columns)]
    ends = (columns[0].label, columns[-1].label) if columns else ("", "")
    return Markup(
        '<svg class="columns plot" viewBox="0 0 {w} {h}" role="img" direction="ltr">'
        '<title>{title}</title>{drawn}<line class="axis" x1="0" y1="{y}" x2="{w}" y2="{y}"/>'
        '<text class="scale" x="0" y="18">{most}</text>'
        '<text class="scale" x="0" y="{foot}">{first}</text>'
        '<text class="scale" x="{w}" y="{foot}" text-anchor="end">{last}</text></svg>'
    ).format(
        w=_WIDTH,
        h=_TOP + _HEIGHT + _FOOT,
        y=_TOP + _HEIGHT,
        foot=_TOP + _HEIGHT + _FOOT - 8,
        title=title,
        drawn=Markup("").join(drawn),
        most=f"{most:g}",
        first=ends[0],
        last=ends[1],
    )


def share_bar(share: float) -> Markup:
    """Return a bar as long as a share of the greatest; the number stands beside it."""
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="whole" x="0" y="0" width="100" height="8"/>'
        '<rect class="used" x="0" y="0" width="{}" height="8"/></svg>'
    ).format(round(100 * min(1.0, max(0.0, share)), 2))


def _pile(column: Pile, left: float, width: float, most: float) -> Markup:
    drawn, ground = [], float(_TOP + _HEIGHT)
    for tone, height in column.parts:
        if height <= 0:
            continue
        tall = max(_LEAST, height / most * _HEIGHT)
        ground -= tall
        drawn.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                tone,
                round(left + _GAP / 2, 1),
                round(max(0.0, ground), 1),
                round(min(_WIDEST, max(1.0, width - _GAP)), 1),
                round(tall, 1),
            )
        )
    return Markup("<g><title>{}</title>{}</g>").format(column.says, Markup("").join(drawn))
