"""How the level of the errors moves in time, or with the day of the week.

As between groups (`mixing.level_share`), MSE = sum of w (bias**2 + variance) over periods. Where
their biases make most of it, and the bias of the whole log does not, no loss helps before the model
follows the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lossreport.advice.level import LARGE_BIAS
from lossreport.advice.mixing import level_share
from lossreport.advice.shape import MINIMUM_ROWS

Floats = npt.NDArray[np.float64]

PERIODS = 12
FEWEST_PERIODS = 4
ADDED = 0.1
"""Of the squared error: a drift that adds no more than this to the whole log's bias is not told."""
MOSTLY = 0.9
"""Of what lies between the periods: a step or a line that explains so much describes the drift."""


@dataclass(frozen=True)
class Drift:
    """How the mean error moves in time."""

    share: float
    """Of the squared error, made by the mean errors of the periods."""
    kind: Literal["step", "trend", "wave", "weekday"]
    """One step, a straight line or neither; or by the day of the week."""
    first: float
    """The mean error before the step, at the line's beginning, or the lowest; ..."""
    last: float
    """... after it, at its end, or the highest; in the target's unit."""
    at: str | None = None
    """When the first bucket after the step begins."""
    places: tuple[str, str] | None = None
    """The days of the week on which the mean error is lowest and highest."""


def drift_of(
    starts: Sequence[str], buckets: Floats, n: Floats, sum_error: Floats, sum_sq: Floats
) -> Drift | None:
    """Return how the level moves in time; None where it does not by enough to come first.

    Parameters
    ----------
    starts
        How the beginning of each bucket is written.
    buckets
        Times in any unit, in order, of at least one row each.
    n, sum_error, sum_sq
        Rows, sum of errors and of their squares in each bucket; of equal length.
    """
    total = float(n.sum())
    periods = min(PERIODS, int(total / (2 * MINIMUM_ROWS)))
    if periods < FEWEST_PERIODS or not np.isfinite(sum_sq.sum()):
        return None
    # Each of about as many rows; a bucket is never divided.
    period = ((np.cumsum(n) - n / 2) / total * periods).astype(np.int64)
    sums = [np.bincount(period, v) for v in (n, sum_error, sum_sq)]
    rows, errors, squares = (v[sums[0] >= MINIMUM_ROWS] for v in sums)
    if len(rows) < FEWEST_PERIODS:
        return None
    share = level_share(rows.tolist(), errors.tolist(), squares.tolist())
    if not _comes_first(share, sum_error, sum_sq, total):
        return None
    mean, bias = sum_error.sum() / total, errors / rows
    between = float((rows * (bias - mean) ** 2).sum())
    at, stepped = _step(n, sum_error)
    slope, straight = _line(buckets, n, sum_error)
    if max(stepped, straight) < MOSTLY * between:
        return Drift(share, "wave", float(bias.min()), float(bias.max()))
    if stepped >= straight:
        halves = (slice(at), slice(at, None))
        before, after = (float(sum_error[half].sum() / n[half].sum()) for half in halves)
        return Drift(share, "step", before, after, starts[at])
    middle = (n * buckets).sum() / total
    first, last = (float(mean + slope * (b - middle)) for b in (buckets[0], buckets[-1]))
    return Drift(share, "trend", first, last)


def weekly_drift(
    names: Sequence[str],
    weekday: npt.NDArray[np.int64],
    n: Floats,
    sum_error: Floats,
    sum_sq: Floats,
) -> Drift | None:
    """Return how the level moves with the day of the week; None where it does not by enough.

    Parameters
    ----------
    names
        Of the days of the week.
    weekday
        Of each bucket, from 0.
    n, sum_error, sum_sq
        As for `drift_of`.
    """
    total = float(n.sum())
    rows, errors, squares = (np.bincount(weekday, v, len(names)) for v in (n, sum_error, sum_sq))
    large = np.flatnonzero(rows >= MINIMUM_ROWS)
    if len(large) < 2 or rows[large].sum() < MOSTLY * total:
        return None
    share = level_share(*(v[large].tolist() for v in (rows, errors, squares)))
    if not _comes_first(share, sum_error, sum_sq, total):
        return None
    bias = errors[large] / rows[large]
    low, high = int(np.argmin(bias)), int(np.argmax(bias))
    places = (names[large[low]], names[large[high]])
    return Drift(share, "weekday", float(bias[low]), float(bias[high]), places=places)


def _comes_first(share: float, sum_error: Floats, sum_sq: Floats, total: float) -> bool:
    """Return whether levels make so much of the squared error, beyond that of the whole log."""
    whole = level_share([total], [float(sum_error.sum())], [float(sum_sq.sum())])
    return share >= LARGE_BIAS and share - whole >= max(ADDED, LARGE_BIAS * (1 - whole))


def _step(n: Floats, sum_error: Floats) -> tuple[int, float]:
    """Return where two levels tell the errors apart best, and what squares they explain."""
    total = n.sum()
    left, sums = np.cumsum(n)[:-1], np.cumsum(sum_error)[:-1]
    right = total - left
    explained = left * right / total * (sums / left - (sum_error.sum() - sums) / right) ** 2
    explained[np.minimum(left, right) < MINIMUM_ROWS] = 0
    at = int(np.argmax(explained))
    return at + 1, float(explained[at])


def _line(buckets: Floats, n: Floats, sum_error: Floats) -> tuple[float, float]:
    """Return the slope of the errors in time, and what squares it explains."""
    away = buckets - (n * buckets).sum() / n.sum()
    spread, together = float((n * away**2).sum()), float((away * sum_error).sum())
    return (together / spread, together**2 / spread) if spread else (0.0, 0.0)
