"""Looks for values in the unit of something else: off by a factor, some of them or all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from lossreport.checks.finding import Finding
from lossreport.checks.view import (
    MINIMUM,
    Floats,
    Marks,
    View,
    all_in,
    examples,
    extent_of,
    issue,
    passed,
    skipped,
    spread,
)

FACTORS = (
    (10.0, "10, a shifted decimal point"),
    (100.0, "100, as between percent and shares"),
    (1000.0, "1,000, as between units and thousands"),
    (1e6, "1,000,000, as between units and millions"),
    (24.0, "24, as between hours and days"),
    (60.0, "60, as between minutes and hours"),
    (3600.0, "3,600, as between seconds and hours"),
    (86400.0, "86,400, as between seconds and days"),
    (1.609344, "1.609, as between miles and kilometres"),
    (1 / 0.3048, "3.281, as between metres and feet"),
    (2.54, "2.54, as between inches and centimetres"),
    (1 / 0.45359237, "2.205, as between kilograms and pounds"),
)
"""How many times too large a value is when its unit is mistaken."""
APART = 6.0
"""A factor is told from an error when it is so many robust standard deviations of the logarithm
of actual / predicted."""
WIDEST = 0.25
"""The rows of a factor lie within this share of its logarithm."""
SURELY = 3.75
"""The median of rows lies within so many of their spread / sqrt(n) of a factor: three standard
errors of a median, or 1 % where that is less."""
MOST = 0.5
"""At least so many of the rows that lie apart on its side are at the factor."""
ALIKE = 0.9
"""Rows are off by a number, not by a factor, if ln |error| spreads less than so many times as
ln(actual / predicted)."""
CLOSE = 0.05
"""How well the place of rows must be known to tell the factors below 10 apart."""


@dataclass(frozen=True)
class Ratios:
    """The logarithm of actual / predicted of the rows kept, where both have one sign."""

    away: Floats
    """Less its median; NaN where the signs differ."""
    middle: float
    """The median."""
    width: float
    """Its robust spread."""
    sizes: Floats
    """The logarithm of |predicted - actual|."""

    @classmethod
    def of(cls, kept: pl.DataFrame) -> Ratios | None:
        """Return those of the rows kept; None if fewer than 20 have one sign."""
        logs = log_ratio(kept)
        of_one_sign = logs[np.isfinite(logs)]
        if len(of_one_sign) < MINIMUM:
            return None
        middle = float(np.median(of_one_sign))
        return cls(logs - middle, middle, spread(of_one_sign), log_size(kept))

    def beside(self, centre: float, rows: Floats, reach: float) -> tuple[float, float]:
        """Return how far the median of some rows is from a centre, and how far it may be.

        Counted from the median of the rows that are not off: those within `reach` of all rows'.
        """
        not_off = self.away[np.abs(self.away) <= reach]
        off = abs(float(np.median(rows)) - float(np.median(not_off)) - centre)
        return off, _slack(min(self.width, spread(rows)), len(rows))


def log_ratio(rows: pl.DataFrame) -> Floats:
    """Return ln(actual / predicted); NaN where they are not of one sign."""
    actual, predicted = rows["actual"].to_numpy(), rows["predicted"].to_numpy()
    logs = np.log(np.abs(actual)) - np.log(np.abs(predicted))
    same = np.sign(actual) * np.sign(predicted) > 0
    return np.where(same, logs, np.nan)


def log_size(rows: pl.DataFrame) -> Floats:
    """Return ln |predicted - actual|."""
    error = rows["predicted"].to_numpy() - rows["actual"].to_numpy()
    return np.asarray(np.log(np.abs(error)))


def _by_a_number(away: Floats, sizes: Floats) -> bool:
    """Return whether rows are rather off by one number than by one factor."""
    return spread(sizes) < ALIKE * spread(away)


def _slack(width: float, rows: int) -> float:
    """Return how far the median of rows of this spread may be from a factor that they lie at."""
    return max(0.01, SURELY * width / math.sqrt(rows))


def unit_slips(view: View) -> Finding:
    """Look for rows whose actual / predicted gathers at the factor of a mistaken unit."""
    code, title = "LR018", "No rows are off by the factor of a unit"
    ratios = Ratios.of(view.rows)
    if ratios is None:
        why = "Fewer than 20 rows with actual and predicted of one sign."
        return skipped(code, title, why, view.name)
    todo = "Find out which side is in the other unit, convert it, and make the report again."
    usable = np.isfinite(ratios.away)
    if (whole := _factor_of_all(ratios, int(usable.sum()))) is not None:
        name, ways = whole
        message = f"nearly all actual values are {ways} the predictions by a factor of {name}."
        size = extent_of(view, usable)
        return issue(code, title, message, todo, "error", view.name, size=size,
                     at=examples(view.rows, usable))  # fmt: skip
    best = _gathered(ratios)
    if best is None:
        return _among_worst(view, code, title, todo, ratios)
    name, larger, marks = best
    size = extent_of(view, marks)
    small, large = ("predicted", "actual") if larger else ("actual", "predicted")
    message = (
        f"{size.rows('is', 'are')} off by a factor of {name}{all_in(view, marks)}: there "
        f"{large} is that many times {small}, elsewhere the two agree."
    )
    return issue(code, title, message, todo, "warning", view.name, size=size,
                 at=examples(view.rows, marks))  # fmt: skip


def _among_worst(view: View, code: str, title: str, todo: str, ratios: Ratios) -> Finding:
    """Look at the worst rows: slips too rare for the rows kept are half of them or more."""
    away = log_ratio(view.worst) - ratios.middle
    for factor, name in FACTORS:
        size = math.log(factor)
        marks = slipped(away, ratios.width, size)
        n = int(marks.sum())
        if factor < 10 or size < APART * ratios.width or n < max(5, 0.5 * view.worst.height):
            continue
        between = int(slipped(ratios.away, ratios.width, size / 2).sum())
        off, most = ratios.beside(size, np.abs(away[marks]), 3 * ratios.width)
        if n <= 3 * between + 2 or off > most:
            continue
        one_sign = np.isfinite(away)
        if _by_a_number(away[one_sign], log_size(view.worst)[one_sign]):
            continue
        message = (
            f"{n:,} of the {view.worst.height:,} worst rows are off by a factor of {name}, where "
            "the others agree."
        )
        return issue(
            code, title, message, todo, "warning", view.name, at=examples(view.worst, marks)
        )
    return passed(code, title, view.name)


def slipped(away: Floats, width: float, size: float) -> Marks:
    """Return which rows are off by a factor whose logarithm is `size`, one way or the other.

    `away` is the logarithm of actual / predicted less its median, `width` its robust spread.
    """
    return np.abs(np.abs(away) - size) <= min(max(0.01, 4 * width), WIDEST * size)


def _factor_of_all(ratios: Ratios, rows: int) -> tuple[str, str] | None:
    """Return the factor that the median of actual / predicted is at, and which way."""
    slack = _slack(ratios.width, rows)
    for factor, name in FACTORS:
        known = ratios.width < 0.25 and slack < (0.1 if factor >= 10 else CLOSE)
        if known and abs(abs(ratios.middle) - math.log(factor)) < slack:
            return name, "above" if ratios.middle > 0 else "below"
    return None


def _gathered(ratios: Ratios) -> tuple[str, bool, Marks] | None:
    """Return the factor at which most rows gather: more than half way between it and the rest.

    The errors of any one law become rarer the larger they are, so halfway there would be more.
    """
    found = []
    for factor, name in FACTORS:
        size = math.log(factor)
        if size < APART * ratios.width:
            continue
        reach = min(max(3 * ratios.width, 0.01), WIDEST * size)
        for centre in (size, -size):
            marks = np.abs(ratios.away - centre) <= reach
            between = int((np.abs(ratios.away - centre / 2) <= reach).sum())
            n = int(marks.sum())
            if n < 5 or n <= 3 * between + 2:
                continue
            apart = ratios.away * np.sign(centre) > size / 2
            if n < MOST * apart.sum() or _by_a_number(ratios.away[apart], ratios.sizes[apart]):
                continue
            off, most = ratios.beside(centre, ratios.away[marks], reach)
            if off <= most and (factor >= 10 or most <= CLOSE):
                found.append((n, -off, name, centre > 0, marks))
    if not found:
        return None
    largest = max(n for n, *_ in found)
    _, _, name, larger, marks = max(
        (f for f in found if f[0] >= 0.8 * largest), key=lambda f: (f[1], f[0])
    )
    return name, larger, marks
