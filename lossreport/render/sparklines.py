"""Small lines of a place's nights, and the band in which they were expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lossreport.formats import count, number
from lossreport.nights.changes import Changes, Place, PlaceChange, Trend, TrendPoint

WIDTH, HEIGHT, MARGIN = 240.0, 44.0, 4.0
MAX_ROWS = 20
MAX_NIGHTS = 14
"""The numbers of so many nights are in the page; all are in the JSON."""


@dataclass(frozen=True)
class Sparkline:
    """The geometry of a line, as attributes of SVG elements."""

    bands: tuple[str, ...]
    """Points of polygons."""
    line: str
    """Path data."""
    beyond: tuple[tuple[float, float], ...]
    """Nights outside the band."""
    last: tuple[float, float] | None
    description: str


@dataclass(frozen=True)
class Row:
    """What the page shows of one place."""

    place: Place
    change: PlaceChange | None
    trend: Trend | None
    line: Sparkline | None


def rows_of(changes: Changes) -> list[Row]:
    """Return the places to show: those with a trend, else the first with differences."""
    differences = {p.place: p for p in changes.places}
    if not changes.trends:
        return [Row(p.place, p, None, None) for p in changes.places[:MAX_ROWS]]
    return [Row(t.place, differences.get(t.place), t, sparkline(t)) for t in changes.trends]


def outside(point: TrendPoint) -> bool:
    """Return whether a night's MAE lies outside its band."""
    if point.mae is None or point.low is None or point.high is None:
        return False
    return not point.low <= point.mae <= point.high


def sparkline(trend: Trend) -> Sparkline | None:
    """Return a place's line; None of fewer than two nights with an error."""
    points = trend.points
    there = [p.mae for p in points if p.mae is not None]
    if len(there) < 2:
        return None
    ends = [v for p in points for v in (p.low, p.high) if v is not None and p.mae is not None]
    low, high = min(there + ends), max(there + ends)
    step = (WIDTH - 2 * MARGIN) / (len(points) - 1)

    def at(i: int, value: float) -> tuple[float, float]:
        share = (value - low) / (high - low) if high > low else 0.5
        y = HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)
        return round(MARGIN + i * step, 1), round(y, 1)

    runs = _runs([p.mae is not None for p in points])
    line = " ".join(
        "M" + " L".join("{} {}".format(*at(i, points[i].mae or 0.0)) for i in run)
        + (" h0.1" if len(run) == 1 else "")
        for run in runs
    )  # fmt: skip
    told = [p.mae is not None and p.low is not None and p.high is not None for p in points]
    bands = []
    for run in _runs(told):
        upper = [at(i, points[i].high or 0.0) for i in run]
        lower = [at(i, points[i].low or 0.0) for i in reversed(run)]
        bands.append(" ".join(f"{x},{y}" for x, y in (*upper, *lower)))
    beyond = tuple(at(i, p.mae or 0.0) for i, p in enumerate(points) if outside(p))
    newest = points[-1].mae
    last = None if newest is None else at(len(points) - 1, newest)
    return Sparkline(tuple(bands), line, beyond, last, _said(trend, len(beyond)))


def _said(trend: Trend, beyond: int) -> str:
    there = [p.mae for p in trend.points if p.mae is not None]
    return (
        f"MAE of {count(len(trend.points), 'night')}, between {number(min(there))} and "
        f"{number(max(there))}; {count(beyond, 'night')} outside the band."
    )


def _runs(there: Sequence[bool]) -> list[list[int]]:
    """Return the positions that are there, those next to each other together."""
    runs: list[list[int]] = []
    for i, yes in enumerate(there):
        if yes and i and there[i - 1]:
            runs[-1].append(i)
        elif yes:
            runs.append([i])
    return runs
