"""Draws the penalty of one row under L1 and L2, with this log's errors marked; SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from lossreport.formats import amount, squared
from lossreport.render.drawing import Chart
from lossreport.render.svg import BLUE, CLASSES, GREY, GRID, INK, MUTED, ORANGE
from lossreport.reports.seen import Seen, times_words

WIDTH, HEIGHT = 382, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 372, 26, 184
LINEAR = 12.0
"""Up to so many times the median, the largest error fits on linear axes."""
FROM = 1.5
"""Below so many times the median, all errors are alike and there is nothing to draw."""
STEPS = 60


def penalties(seen: Seen | None, name: str, unit: str | None = None) -> Chart | None:
    """Draw |error| and error**2 in units of a median row's, from no error to the largest."""
    if seen is None or seen.median <= 0 or seen.largest / seen.median < FROM:
        return None
    times = seen.largest / seen.median
    if not math.isfinite(times * times):
        return None
    marks = [("median", seen.median), ("99% are smaller", seen.p99), ("largest", seen.largest)]
    if seen.p99 <= 1.02 * seen.median or seen.p99 >= 0.98 * seen.largest:
        del marks[1]
    much, more = times_words(times), times_words(times**2)
    title = f"The largest error counts {much} times a median one in L1, {more} times in L2"
    linear = times <= LINEAR
    axes = (
        "L1 is a straight line, L2 a parabola (quadratic)."
        if linear
        else "Both axes are logarithmic, so that all fits: there L2, the square, is twice as steep."
    )
    return Chart(
        title,
        f"What one row adds, by the size of its error; 1 is what a median row adds. {axes}",
        _svg(name, title, [(word, size / seen.median) for word, size in marks], linear=linear),
        ("Error", "Size", "Adds to L1", "Adds to L2"),
        tuple(
            (word, amount(size, unit), amount(size, unit), amount(size * size, squared(unit)))
            for word, size in marks
        ),
    )


def _svg(name: str, title: str, marks: list[tuple[str, float]], *, linear: bool) -> str:
    """Return the chart; `marks` are names and sizes in units of the median."""
    top = marks[-1][1]
    across = _scale(0.0 if linear else 1 / 3, top * 1.03, LEFT, RIGHT, linear=linear)
    up = _scale(0.0 if linear else 1 / 9, top**2 * 1.08, BOTTOM, TOP, linear=linear)
    parts = [
        _line(LEFT, y, RIGHT, y, GRID) + _text(LEFT - 5, y + 3, f"{tick:,g}", MUTED, "end")
        for tick in _ticks(top**2, linear=linear)
        for y in [up(tick)]
    ]
    sizes = [top * i / STEPS for i in range(STEPS + 1)]
    if not linear:
        sizes = [(top * 3) ** (i / STEPS) / 3 for i in range(STEPS + 1)]
    for power, colour in ((1, BLUE), (2, ORANGE)):
        points = " ".join(f"{across(s):.1f},{up(s**power):.1f}" for s in sizes)
        drawn = f'stroke-width="2" {_of(colour, "stroke")} points="{points}"'
        parts.append(f'<polyline fill="none" {drawn}/>')
        y = up(top**power)
        above = -6 if power == 1 else 4
        parts.append(_text(across(top) - 8, y + above, f"L{power}", colour, "end", bold=True))
    last = -math.inf
    for i, (word, size) in enumerate(marks):
        x = across(size)
        parts.append(_line(x, TOP, x, BOTTOM, GREY, ' stroke-dasharray="2 3"'))
        for power, colour in ((1, BLUE), (2, ORANGE)):
            at = f'cx="{x:.1f}" cy="{up(size**power):.1f}"'
            parts.append(f'<circle {at} r="3.5" {_of(colour, "fill")}/>')
        row = 12 if x - last > 75 or i == 0 else 22
        last = x
        parts.append(_text(x, BOTTOM + row, word, INK, "end" if x > RIGHT - 30 else "middle"))
    parts.append(_text((LEFT + RIGHT) / 2, HEIGHT - 3, "size of the error", MUTED, "middle"))
    parts.append(_text(2, 12, "times what a median row adds", MUTED, "start"))
    return (
        f'<svg class="chart" id="{name}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{name}-title {name}-description" font-family="sans-serif" '
        f'font-size="9.5"><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">Two curves, straight for L1 and quadratic for L2. '
        f"{escape(title)}.</desc>{''.join(parts)}</svg>"
    )


def _scale(
    low: float, high: float, start: float, end: float, *, linear: bool
) -> Callable[[float], float]:
    """Return where a value lies between two coordinates."""

    def at(value: float) -> float:
        if linear:
            return start + (end - start) * (value - low) / (high - low)
        share = math.log(max(value, low) / low) / math.log(high / low)
        return start + (end - start) * share

    return at


def _ticks(top: float, *, linear: bool) -> list[float]:
    """Return at most six round numbers from 0, or from 1, up to `top`."""
    if linear:
        raw = top / 5
        unit = 10.0 ** math.floor(math.log10(raw))
        step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= raw)
        return [step * i for i in range(int(top / step) + 1)]
    decades = math.floor(math.log10(top))
    stride = math.ceil((decades + 1) / 6)
    return [10.0**d for d in range(0, decades + 1, stride)]


def _of(colour: str, key: str) -> str:
    """Return a colour as an attribute, and the class by which the page's theme changes it."""
    return f'class="{CLASSES[colour]}-{key}" {key}="{colour}"'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f"{_of(colour, 'stroke')}{more}/>"
    )


def _text(x: float, y: float, text: str, colour: str, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight} {_of(colour, "fill")}>'
        f"{escape(text)}</text>"
    )
