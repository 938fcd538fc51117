"""Plots as SVG, drawn by hand: bars of one quantity, and lines over two logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW = 760, 300, 80, 22
COLOURS = ("#1b6ca8", "#c1440e", "#2e7d32", "#7b1fa2", "#b8860b", "#455a64", "#ad1457", "#00695c")
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
    'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
    '<text x="10" y="20" font-size="14" font-weight="bold">{title}</text>'
)
Points = Sequence[tuple[float, float]]


def bars(title: str, values: Mapping[str, float], unit: str, marked: str = "") -> str:
    """Return a plot of one bar for each value, longest for the most.

    Args:
        marked: label of the bars that stand out: those whose label begins so.
    """
    height, most = 40 + ROW * len(values), max(values.values())
    parts = [_HEAD.format(width=WIDTH, height=height, title=escape(title))]
    for row, (label, value) in enumerate(values.items()):
        y, length = 34 + ROW * row, (WIDTH - LEFT - RIGHT) * value / most
        colour = COLOURS[1] if marked and label.startswith(marked) else COLOURS[0]
        parts += [
            _text(LEFT - 8, y + 13, label, anchor="end"),
            f'<rect x="{LEFT}" y="{y}" width="{max(length, 1):.1f}" height="16" fill="{colour}"/>',
            _text(LEFT + length + 5, y + 13, f"{value:,.0f} {unit}"),
        ]
    return "".join([*parts, "</svg>"]) + "\n"


def lines(title: str, series: Mapping[str, Points], x_title: str, y_title: str) -> str:
    """Return a plot of lines over two logarithmic axes, with their names beside it."""
    chart = _Chart([point for points in series.values() for point in points])
    parts = [_HEAD.format(width=WIDTH, height=_Chart.HEIGHT + 60, title=escape(title))]
    parts += chart.grid()
    for number, (label, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{chart.x(x):.1f},{chart.y(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(_Chart.END + 10, 50 + 16 * number, label, colour=colour))
    parts.append(_text(_Chart.BEGIN, _Chart.HEIGHT + 52, f"{x_title} →   ↑ {y_title}"))
    return "".join([*parts, "</svg>"]) + "\n"


class _Chart:
    """Places points on logarithmic axes of whole powers of ten."""

    BEGIN, END, TOP, HEIGHT = 70, 500, 36, 300

    def __init__(self, points: Points) -> None:
        self._x = _powers([x for x, _ in points])
        self._y = _powers([y for _, y in points])

    def x(self, value: float) -> float:
        """Return where a value stands from left to right."""
        return self.BEGIN + (self.END - self.BEGIN) * _place(value, self._x)

    def y(self, value: float) -> float:
        """Return where a value stands from top to bottom."""
        return self.HEIGHT + 20 - (self.HEIGHT + 20 - self.TOP) * _place(value, self._y)

    def grid(self) -> list[str]:
        """Return the lines of whole powers with their numbers."""
        found = []
        for power in range(self._x[0], self._x[1] + 1):
            x = self.x(10**power)
            found.append(_line(x, self.TOP, x, self.HEIGHT + 20))
            found.append(_text(x, self.HEIGHT + 35, f"{10**power:,g}", anchor="middle"))
        for power in range(self._y[0], self._y[1] + 1):
            y = self.y(10**power)
            found.append(_line(self.BEGIN, y, self.END, y))
            found.append(_text(self.BEGIN - 6, y + 4, f"{10**power:,g}", anchor="end"))
        return found


def _powers(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _place(value: float, powers: tuple[int, int]) -> float:
    return (math.log10(value) - powers[0]) / (powers[1] - powers[0])


def _text(x: float, y: float, said: str, *, anchor: str = "start", colour: str = "black") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {where}>{escape(said)}</text>"


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line {ends} stroke="#ddd"/>'
