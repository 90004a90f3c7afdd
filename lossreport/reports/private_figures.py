"""Hides in figures and curves what is the error of a few rows, or could be worked out as that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist

from lossreport.profiles.statistics import REASONS
from lossreport.reports.by_level import opening
from lossreport.reports.curves import QuantilePoint
from lossreport.reports.figures import Figures, WorstShare
from lossreport.reports.private_fields import only
from lossreport.reports.results import Ledger, TimePoint
from lossreport.reports.where import ByLevel

FEW_BEYOND = 5
"""A quantile that fewer rows lie beyond is nearly one row's error."""
MEANS = ("mae", "mse", "bias", "mean_actual", "mean_predicted")
BEYOND = {"p90_abs_error": 0.1, "p95_abs_error": 0.05, "p99_abs_error": 0.01}


def told_apart(rows: Sequence[int], least: int, others: int = 0) -> set[int]:
    """Return which parts of some rows can be told, by their place.

    Those with at least so many rows; and what is left, which is the difference to the whole, must
    have so many as well, or none: so the next larger parts go too.

    Parameters
    ----------
    rows
        How many each part has.
    others
        How many rows of the whole are in none of them.
    """
    told = set(range(len(rows)))
    for i in sorted(told, key=lambda i: rows[i]):
        if rows[i] >= least and (not others or others >= least):
            break
        told.remove(i)
        others += rows[i]
    return told


def none_or_enough(rows: float, least: int) -> bool:
    """Return whether what so many rows have in common may be told."""
    return rows == 0 or rows >= least


def hidden(figures: Figures, least: int) -> Figures:
    """Return figures without those that are the error of one row, or nearly."""
    kept = {
        name: getattr(figures, name) if share * figures.n >= FEW_BEYOND else None
        for name, share in BEYOND.items()
    }
    shares = held_by_worst(figures.worst_shares, figures.n, least)
    return only(figures, max_abs_error=None, worst_shares=shares, **kept)


def held_by_worst(shares: Iterable[WorstShare], n: int, least: int) -> tuple[WorstShare, ...]:
    """Return what the worst rows hold, where these and those between are so many at least."""
    told: list[WorstShare] = []
    last = 0.0
    for share in shares:
        rows = share.rows * n
        if rows - last >= least - 0.5 and none_or_enough(round(n - rows), least):
            told.append(share)
            last = rows
    return tuple(told)


def curve(
    points: Sequence[tuple[float, float]], n: int, least: int
) -> tuple[tuple[float, float], ...]:
    """Return an exceedance curve of n rows with so many beyond its end and between its points."""
    told: list[tuple[float, float]] = []
    last = float(n)
    for error, share in points:
        rows = share * n
        if min(rows, last - rows) >= least - 0.5:
            told.append((error, share))
            last = rows
    return tuple(told)


def quantiles(points: Sequence[QuantilePoint], n: int, least: int) -> tuple[QuantilePoint, ...]:
    """Return the quantiles with so many rows beyond them and between them."""
    told: list[QuantilePoint] = []
    last, gaussian = 0.0, NormalDist()
    for point in points:
        rows = gaussian.cdf(point.gaussian) * n
        if rows - last >= least and n - rows >= least:
            told.append(point)
            last = rows
    return tuple(told)


def timeline(points: Sequence[TimePoint], n: int, least: int) -> tuple[TimePoint, ...]:
    """Return the stretches of time that can be told of n rows."""
    rows = [p.figures.n for p in points]
    told = told_apart(rows, least, n - sum(rows))
    return tuple(
        only(p, figures=hidden(p.figures, least)) for i, p in enumerate(points) if i in told
    )


def levels(found: ByLevel, least: int, unit: str | None) -> ByLevel | None:
    """Return the error by bands of |predicted| that can be told; None if fewer than two can.

    The bins go: they begin and end at the prediction of one row.
    """
    bands = found.levels.bands
    rows = [b.rows for b in bands]
    told = told_apart(rows, least, found.rows - sum(rows))
    made = only(found.levels, bands=tuple(b for i, b in enumerate(bands) if i in told))
    if len(made.judged) < 2:
        return None
    first = found.sentences[0] if made.factor is None else opening(made, unit)
    said = (first, *found.sentences[1:])
    return only(found, levels=made, bins=(), sentences=said)


def ledger(each: Sequence[Ledger]) -> Ledger:
    """Return the ledger of the rows of all."""
    left_out = {r: sum(dict(rows.left_out).get(r, 0) for rows in each) for r in REASONS}
    return Ledger(
        sum(rows.read for rows in each),
        sum(rows.scored for rows in each),
        tuple((r, n) for r, n in left_out.items() if n),
    )


def together(each: Sequence[Figures]) -> Figures:
    """Return the figures of the rows of all: means of means, weighted by their rows."""
    some = [f for f in each if f.n]
    n = sum(f.n for f in some)
    if not n:
        return Figures(0)
    mean = {name: _mean(some, name, n) for name in MEANS}
    rmse = None if mean["mse"] is None else math.sqrt(mean["mse"])
    ratio = rmse / mean["mae"] if rmse is not None and mean["mae"] else None
    return Figures(n=n, rmse=rmse, ratio=ratio, **mean)  # type: ignore[arg-type]


def _mean(each: Sequence[Figures], name: str, n: int) -> float | None:
    values = [(f.n, getattr(f, name)) for f in each]
    if any(value is None for _, value in values):
        return None
    return math.fsum(rows / n * value for rows, value in values)
