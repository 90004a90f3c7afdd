"""Do groups of different error size make a heavy tail between them? An exact decomposition.

With w the share of rows, m the MAE and R the ratio RMSE/MAE of each group,

    R^2 = R_within^2 (1 + CV^2),   R_within^2 = sum w m^2 R^2 / sum w m^2,

CV being the coefficient of variation of the groups' MAE over the rows. It needs only counts and
sums of |e| and e^2. Whether the errors inside the groups still ask for a robust loss is seen from
all of them together, each less its group's median and divided by its group's scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossreport.advice.histogram import ErrorHistogram, Floats
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.losses import GAUSSIAN_RATIO
from lossreport.profiles.statistics import BIN_OFFSET, LOG_GAMMA

SCALE_ROWS = 300
"""From so many rows a group's scale is its robust one; below, that of a Gaussian with its MAE."""


@dataclass(frozen=True)
class Decomposition:
    """RMSE/MAE as a product: ratio = inside * between."""

    ratio: float
    inside: float
    """What the ratio would be if all groups had the same MAE."""
    between: float
    """sqrt(1 + CV^2), 1 if all groups have the same MAE."""


def decompose(
    n: Sequence[float], sum_abs: Sequence[float], sum_sq: Sequence[float]
) -> Decomposition | None:
    """Return the decomposition of the ratio over groups.

    Parameters
    ----------
    n, sum_abs, sum_sq
        Each group's rows, sum of |error| and sum of error**2; groups without rows do not matter.

    Returns
    -------
    Decomposition or None
        None if there are fewer than two groups with rows, no error, or sums beyond all floats.
    """
    rows, absolute, square = (np.asarray(v, dtype=np.float64) for v in (n, sum_abs, sum_sq))
    has = rows > 0
    with np.errstate(all="ignore"):
        unit = float(absolute.sum() / rows.sum())
    if has.sum() < 2 or not 0 < unit < math.inf:
        return None
    share = rows[has] / rows.sum()
    with np.errstate(all="ignore"):
        mae = absolute[has] / rows[has] / unit  # its mean over the rows is 1
        mean_sq = square[has] / unit / unit / rows.sum()
        ratio_sq, spread_sq = float(mean_sq.sum()), float((share * mae**2).sum())
    if not (math.isfinite(ratio_sq) and math.isfinite(spread_sq) and ratio_sq > 0):
        return None
    return Decomposition(
        math.sqrt(ratio_sq), math.sqrt(ratio_sq / spread_sq), math.sqrt(max(1.0, spread_sq))
    )


def level_share(n: Sequence[float], sum_error: Sequence[float], sum_sq: Sequence[float]) -> float:
    """Return which share of the squared error the groups' own mean errors make.

    MSE = sum of w (bias**2 + variance) over the groups; from each bias**2 what chance gives it,
    variance / n, is taken off. 0 if there is no group, no error, or a sum beyond all floats.
    """
    rows, sums, squares = (np.asarray(v, dtype=np.float64) for v in (n, sum_error, sum_sq))
    with np.errstate(all="ignore"):
        bias = sums / rows
        variance = np.maximum(squares / rows - bias**2, 0)
        made = float((rows * np.maximum(bias**2 - variance / rows, 0)).sum() / squares.sum())
    return made if math.isfinite(made) else 0.0


def scale_of(histogram: ErrorHistogram | None) -> float | None:
    """Return the scale that a group's errors are taken by; None if they are too few or have none.

    The robust one, or, of fewer than 300 errors, that of a Gaussian with their MAE.
    """
    if histogram is None or histogram.rows < MINIMUM_ROWS:
        return None
    scale = histogram.robust_scale
    if histogram.rows < SCALE_ROWS or scale == 0:
        scale = GAUSSIAN_RATIO * histogram.about(histogram.median)[0]
    return scale if 0 < scale < math.inf else None


def between_scales(histograms: Sequence[ErrorHistogram | None]) -> float:
    """Return sqrt(1 + CV^2) of the groups' scales, each about the group's own median."""
    known = [(h.rows, s) for h in histograms if h is not None and (s := scale_of(h)) is not None]
    if not known:
        return 1.0
    rows, scales = np.array(known, dtype=np.float64).T
    scales /= scales.max()
    return math.sqrt(float((rows * scales**2).sum() * rows.sum())) / float((rows * scales).sum())


def stacked(histograms: Sequence[ErrorHistogram | None]) -> ErrorHistogram | None:
    """Return the errors of all groups, each less its median and in units of its own scale.

    Groups below 50 rows, and those without spread, are left out; None if none is left.
    """
    bins, counts, sums, squares = [], [], [], []
    for histogram in histograms:
        scale = scale_of(histogram)
        if histogram is None or scale is None:
            continue
        median = histogram.median
        with np.errstate(over="ignore"):
            away = (histogram.mean - median) / scale
            squared = away**2 + (histogram.deviation / scale) ** 2
        size = np.abs(np.where(away == 0, 1, away))
        rank = np.ceil(np.log(size) / LOG_GAMMA) + BIN_OFFSET
        bins.append(np.where(away == 0, 0, np.sign(away) * rank).astype(np.int64))
        counts.append(histogram.n)
        sums.append(histogram.n * away)
        squares.append(histogram.n * squared)
    if not bins:
        return None
    which, at = np.unique(np.concatenate(bins), return_inverse=True)
    made: list[Floats] = [
        np.bincount(at, np.concatenate(v)).astype(np.float64) for v in (counts, sums, squares)
    ]
    return ErrorHistogram.from_bins(which, np.round(made[0]).astype(np.int64), made[1], made[2])
