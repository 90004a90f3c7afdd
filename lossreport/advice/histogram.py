"""The histogram of a log's errors, as an approximation of their distribution.

Each bin holds the errors of one sign within 4 % of each other (see `statistics.with_errors`) and
knows their number, sum and sum of squares. Inside a bin the errors are taken as evenly spread
around their mean with their variance, so a bin of one or two rows, or of one repeated value, is
exact, and quantiles of small logs are the true ones.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lossreport.losses import MAD_TO_SIGMA
from lossreport.profiles.statistics import BIN_OFFSET, LOG_GAMMA

Floats = npt.NDArray[np.float64]

LARGEST = np.finfo(np.float64).max
SMALLEST = np.nextafter(0.0, 1.0)
SAME_VALUE = 1e-13
"""A bin whose variance is below this share of its squared mean holds one repeated value."""


@dataclass(frozen=True)
class ErrorHistogram:
    """Errors in ascending bins; all arrays are of equal length, in the unit of the target."""

    n: Floats
    mean: Floats
    deviation: Floats
    """Standard deviation within the bin."""
    low: Floats
    """Where the evenly spread errors of the bin begin ..."""
    high: Floats
    """... and end; equal to `low` where the bin holds one value."""
    edge: Floats
    """The bin's outer limit in |error|: no error of a bin nearer to 0 is larger."""
    level: float = 0.0
    """What was taken from every error before it was put into its bin."""
    apart: float = 0.0
    """How many errors of exactly 0 are not in the bins, where there is a level."""

    @classmethod
    def from_bins(
        cls,
        bins: npt.NDArray[np.int64],
        counts: npt.NDArray[np.int64],
        sums: Floats,
        squares: Floats,
    ) -> ErrorHistogram:
        """Build from ascending bins: each one's number, count, sum and sum of squares of errors."""
        rank = np.abs(bins).astype(np.float64)
        sign = np.sign(bins).astype(np.float64)
        n = counts.astype(np.float64)
        mean = sums / n
        with np.errstate(all="ignore"):
            outer = np.where(sign == 0, 0, np.exp((rank - BIN_OFFSET) * LOG_GAMMA))
            inner = np.where(sign == 0, 0, np.exp((rank - 1 - BIN_OFFSET) * LOG_GAMMA))
            relative = squares / n / mean**2 - 1
        # Sums beyond the range of floats say nothing of where in its bin an error is.
        mean = np.where(
            np.isfinite(mean), mean, sign * (inner / 2 + np.minimum(outer, LARGEST) / 2)
        )
        underflown = (n > 1) & (squares < 1e-290)  # squares that small have lost their digits
        relative = np.where(np.isfinite(relative) & ~underflown, relative, 1.3e-4)
        relative = np.where((sign == 0) | (n == 1) | (relative < SAME_VALUE), 0, relative)
        outer = np.minimum(outer, LARGEST)
        return cls._spread(n, mean, np.abs(mean) * np.sqrt(relative), sign, inner, outer)

    @classmethod
    def _spread(
        cls, n: Floats, mean: Floats, deviation: Floats, sign: Floats, inner: Floats, outer: Floats
    ) -> ErrorHistogram:
        """Put two rows of a bin where they are, and spread more evenly with their deviation."""
        two = (n == 2) & (deviation > 0)
        times = np.where(two, 2, 1)
        side = np.ones(times.sum())
        side[np.cumsum(times)[two] - 2] = -1
        n, mean, deviation, sign, inner, outer = (
            np.repeat(a, times) for a in (np.where(two, 1, n), mean, deviation, sign, inner, outer)
        )
        one = np.repeat(two, times)
        with np.errstate(over="ignore"):
            mean = np.clip(mean + np.where(one, side * deviation, 0), -LARGEST, LARGEST)
        deviation = np.where(one, 0, deviation)
        half = np.sqrt(3) * deviation
        limits = np.sort(np.stack([sign * inner, sign * outer]), axis=0)
        with np.errstate(over="ignore"):  # the limits are finite
            low = np.where(half > 0, np.clip(mean - half, *limits), mean)
            high = np.where(half > 0, np.clip(mean + half, *limits), mean)
        return cls(n, mean, deviation, low, high, outer)

    def select(self, which: npt.NDArray[np.bool_]) -> ErrorHistogram:
        """Return the histogram of some of the bins."""
        return ErrorHistogram(
            self.n[which], self.mean[which], self.deviation[which],
            self.low[which], self.high[which], self.edge[which], self.level, self.apart,
        )  # fmt: skip

    def in_units_of(self, unit: float) -> ErrorHistogram:
        """Return the histogram of the errors divided by a positive number."""
        if unit == 1:
            return self

        def divided(values: Floats) -> Floats:
            return np.maximum(np.minimum(values / unit, LARGEST), -LARGEST)

        each = (self.mean, self.deviation, self.low, self.high, self.edge)
        with np.errstate(over="ignore"):
            mean, *others = map(divided, each)
            deviation, low, high, edge = others
        level = self.level / unit
        return ErrorHistogram(self.n, mean, deviation, low, high, edge, level, self.apart)

    @functools.cached_property
    def rows(self) -> float:
        """How many errors there are."""
        return float(self.n.sum())

    @functools.cached_property
    def corners(self) -> tuple[Floats, Floats]:
        """The cumulative distribution's corners: error, number of rows."""
        after = np.cumsum(self.n)
        return (
            np.stack([self.low, self.high], axis=1).reshape(-1),
            np.stack([after - self.n, after], axis=1).reshape(-1),
        )

    @functools.cached_property
    def median(self) -> float:
        """The median error."""
        return self.quantile([0.5])[0]

    @functools.cached_property
    def robust_scale(self) -> float:
        """1.4826 median |error - median|: the standard deviation, if they were Gaussian."""
        return MAD_TO_SIGMA * self.spread_about(self.median)

    def quantile(self, levels: Sequence[float]) -> list[float]:
        """Return quantiles of the error: the inverse of the cumulative distribution.

        Where that is a step, the middle of it, so that the median of two rows is their mean.
        """
        error, rows = self.corners
        return [float(v) for v in _inverse(error, rows, np.array(levels) * rows[-1])]

    def abs_quantile(self, levels: Sequence[float]) -> list[float]:
        """Return quantiles of |error|, between neighbouring rows as NumPy's default does."""
        segment = np.sort(np.abs(np.stack([self.low, self.high])), axis=0)
        order = np.argsort(segment[0], kind="stable")
        low, high, n = segment[0][order], segment[1][order], self.n[order]
        after = np.cumsum(n)

        def value_at(rank: Floats) -> Floats:
            at = np.minimum(np.searchsorted(after, rank, side="right"), len(n) - 1)
            inside = (rank - (after[at] - n[at]) + 0.5) / n[at]
            return np.asarray(low[at] + np.clip(inside, 0, 1) * (high[at] - low[at]))

        rank = np.array(levels) * (after[-1] - 1)
        below = np.floor(rank)
        lower, upper = value_at(below), value_at(np.minimum(below + 1, after[-1] - 1))
        return [float(v) for v in lower + (rank - below) * (upper - lower)]

    def spread_about(self, centre: float, level: float = 0.5) -> float:
        """Return the quantile (default the median) of |error - centre|."""
        error, rows = self.corners
        distance = np.sort(np.abs(error - centre))

        def within(reach: Floats) -> Floats:
            return np.interp(centre + reach, error, rows) - np.interp(centre - reach, error, rows)

        # Just before and just after each distance: they differ where a value repeats.
        hair = 1e-9 * distance + 1e-12 * abs(centre) + SMALLEST
        corners = np.stack([within(distance - hair), within(distance + hair)], axis=1).reshape(-1)
        corners = np.maximum.accumulate(corners)
        rank = np.array([level * rows[-1]])
        return float(_inverse(np.repeat(distance, 2), corners, rank)[0])

    def about(self, centre: float) -> tuple[float, float]:
        """Return mean |error - centre| and the root of mean (error - centre)**2."""
        scale = float(np.max(np.abs(self.mean - centre))) or 1.0
        away = np.abs(self.mean - centre)
        inside = (self.low < centre) & (centre < self.high)
        width = self.high[inside] - self.low[inside]
        above = (self.high[inside] - centre) / width
        size = away.copy()
        size[inside] = width * (above**2 + (1 - above) ** 2) / 2
        first = scale * float((self.n * (size / scale)).sum() / self.rows)
        squares = (away / scale) ** 2 + (self.deviation / scale) ** 2
        return first, scale * float(np.sqrt((self.n * squares).sum() / self.rows))

    def worst(self, share: float) -> tuple[float, float] | None:
        """Return the share of absolute and of squared error in the worst share of the rows.

        None when that is less than one row, or when all errors are 0.
        """
        rows = share * self.rows
        top = float(np.max(np.abs(self.mean))) if len(self.n) else 0.0
        if rows < 1 or top == 0:
            return None
        n, before, absolute, squared = self._worst_first
        taken = np.clip(rows - before, 0, n)
        return (
            float(taken @ absolute / (n @ absolute)),
            float(taken @ squared / (n @ squared)),
        )

    @functools.cached_property
    def _worst_first(self) -> tuple[Floats, Floats, Floats, Floats]:
        """The bins' rows, the rows before them, and mean |e| and e^2 in units of the largest."""
        top = float(np.max(np.abs(self.mean)))
        size = np.abs(self.mean) / top
        order = np.argsort(-size, kind="stable")
        n, absolute = self.n[order], size[order]
        return n, np.cumsum(n) - n, absolute, absolute**2 + (self.deviation[order] / top) ** 2

    def beyond(self, cut: float) -> tuple[int, float, float]:
        """Return the number of rows in bins beyond |error| = cut, and their two shares of error.

        Exact when `cut` is an `edge`.
        """
        far = self.edge > cut * (1 + 1e-9)
        top = float(np.max(np.abs(self.mean)))
        if top == 0:
            return 0, 0.0, 0.0
        size = np.abs(self.mean) / top
        squared = size**2 + (self.deviation / top) ** 2
        return (
            round(float(self.n[far].sum())),
            float((self.n * size)[far].sum() / (self.n * size).sum()),
            float((self.n * squared)[far].sum() / (self.n * squared).sum()),
        )

    def huber(self, delta: float) -> float:
        """Return the mean Huber loss at delta: e**2 / 2 up to delta, then delta (|e| - delta/2)."""
        unit = self.in_units_of(delta)
        size = np.abs(unit.mean)
        near, far = np.sort(np.abs(np.stack([unit.low, unit.high])), axis=0)
        with np.errstate(all="ignore"):
            below = np.clip((1 - near) / (far - near), 0, 1)
        below = np.where(far > near, below, (size <= 1).astype(np.float64))
        # In the bin that delta cuts, both branches are within 1e-3 of each other.
        near_size, near_deviation = (np.where(below > 0, v, 0) for v in (size, unit.deviation))
        square = (near_size**2 + near_deviation**2) / 2
        loss = below * square + (1 - below) * (size - 0.5)
        return delta * delta * float((self.n * loss).sum() / self.rows)

    def log_cosh(self) -> float:
        """Return the mean of ln cosh(error)."""
        # Within a bin the second term of Taylor's series suffices: ln cosh has curvature at most 1.
        size = np.abs(self.mean)
        fall = np.exp(-2 * size)
        small = np.minimum(size, 1)  # where the other form loses all digits
        loss = np.where(
            size <= 1, np.log1p(2 * np.sinh(small / 2) ** 2), size + np.log1p(fall) - np.log(2)
        )
        curvature = 4 * fall / (1 + fall) ** 2
        with np.errstate(all="ignore"):
            bend = np.where(curvature > 0, curvature * self.deviation**2 / 2, 0.0)
            return float((self.n * (loss + bend)).sum() / self.rows)


def _inverse(value: Floats, rows: Floats, rank: Floats) -> Floats:
    """Return the values at which a cumulative distribution, given by its corners, reaches ranks."""
    tiny = 1e-12 * (rank + 1)
    return np.interp(rank - tiny, rows, value) / 2 + np.interp(rank + tiny, rows, value) / 2
