"""Broken rows or a heavy tail? A gap in the errors that no power tail would leave.

In the tail of a power law with index a, the ratio of neighbouring order statistics follows
P(x_(i) / x_(i+1) > r) = r**(-i a), x_(i) being the i-th largest (Renyi 1953). So an empty stretch
of a factor r beyond which only i rows lie is either very unlikely or not of the same law as the
rest: a sentinel, a wrong unit, a decimal point. The chance is multiplied by the number of places
where there could have been a gap, whether or not there was one: the cautious side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lossreport.advice.histogram import LARGEST, ErrorHistogram, Floats

MOST_ROWS = 0.02
"""Broken rows are at most this share of all."""
NEAREST = 4.0
"""They lie at least this many robust standard deviations from the median."""
SMALLEST_GAP = 2.0
CHANCE = 0.001
TAIL, TAIL_ROWS = 0.05, 25
"""The tail's index is of the rows from this share on, and of so many at least."""
STEEPEST = 8.0
"""No tail is taken to fall faster than with this index: a Gaussian's seems to at its end."""


@dataclass(frozen=True)
class Gap:
    """Rows that lie apart from all others."""

    rows: int
    cut: float
    """Their distance from the median exceeds this; in the target's unit."""
    factor: float
    """How many times further out the nearest of them is than the furthest of the others."""
    share_of_sq_error: float
    chance: float
    """Of such a gap, if the errors had one tail."""

    def in_units_of(self, unit: float) -> Gap:
        """Return the same rows where errors are divided by a positive number."""
        return replace(self, cut=self.cut / unit)


def apart_from(histogram: ErrorHistogram, median: float, cut: float) -> npt.NDArray[np.bool_]:
    """Return which bins lie beyond a cut found by `widest_gap`: none lies on both sides."""
    return np.asarray(np.abs(histogram.mean - median) > cut)


def widest_gap(histogram: ErrorHistogram, median: float, scale: float) -> Gap | None:
    """Return the rows beyond the least likely gap in |error - median|, if it is no chance.

    Parameters
    ----------
    median, scale
        Of the errors; `scale` is 1.4826 median |error - median|, not 0.
    """
    low, high = histogram.low - median, histogram.high - median
    near = np.where((low < 0) & (high > 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    far = np.maximum(np.abs(low), np.abs(high))
    order = np.argsort(near, kind="stable")
    near, far, n = near[order], far[order], histogram.n[order]
    reach = np.maximum.accumulate(far)
    rows = histogram.rows
    beyond = rows - np.cumsum(n)[:-1]
    with np.errstate(all="ignore"):
        factor = np.where(reach[:-1] > 0, near[1:] / reach[:-1], 0.0)
    looked_at = (beyond <= MOST_ROWS * rows) & (near[1:] >= NEAREST * scale)
    candidate = looked_at & (factor >= SMALLEST_GAP)
    best: tuple[float, int] | None = None
    for at in np.flatnonzero(candidate).tolist():
        index = _tail_index(near, far, n, at, float(beyond[at]))
        if index is None:
            continue
        log_chance = math.log(looked_at.sum()) - beyond[at] * index * math.log(
            min(factor[at], LARGEST)
        )
        if log_chance < math.log(CHANCE) and (best is None or log_chance < best[0]):
            best = log_chance, at
    if best is None:
        return None
    log_chance, at = best
    error = histogram.mean + histogram.level
    top = float(np.max(np.abs(error)))
    squares = ((error / top) ** 2 + (histogram.deviation / top) ** 2)[order] * n
    return Gap(
        rows=round(float(beyond[at])),
        cut=float(np.sqrt(near[at + 1]) * np.sqrt(reach[at])),
        factor=min(float(factor[at]), float(LARGEST)),
        share_of_sq_error=float(squares[at + 1 :].sum() / squares.sum()),
        chance=math.exp(max(log_chance, -700)),
    )


def _tail_index(near: Floats, far: Floats, n: Floats, at: int, beyond: float) -> float | None:
    """Return Hill's index of the rows below the gap, down to the 5 % point; None if too few."""
    rows = float(n.sum())
    from_top = np.cumsum(n[at::-1])  # from the gap downwards
    wanted = max(TAIL * rows - beyond, TAIL_ROWS)
    last = int(np.searchsorted(from_top, wanted))
    if last >= len(from_top):
        return None
    first = at - last
    threshold = near[first]
    if threshold <= 0:
        return None
    inside = slice(first, at + 1)
    middle = (near[inside] + far[inside]) / 2
    logs = float((n[inside] * np.log(np.maximum(middle / threshold, 1.0))).sum())
    return min(STEEPEST, float(from_top[last]) / logs) if logs > 0 else STEEPEST
