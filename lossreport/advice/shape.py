"""What is judged of the errors: rounded ones spread, zeros and broken rows set apart."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lossreport.advice.gap import Gap, apart_from, widest_gap
from lossreport.advice.histogram import LARGEST, ErrorHistogram
from lossreport.advice.level import SPIKE, is_too_far
from lossreport.formats import count

MINIMUM_ROWS = 50
OFF_LEVEL = 0.25
"""The level is off if mean and median error are beyond so many robust sigmas on one side."""


OFF_SURELY = 4.0
"""... and the mean beyond so many of its standard errors."""


@dataclass(frozen=True)
class Shape:
    """Errors whose shape is judged."""

    histogram: ErrorHistogram
    median: float
    scale: float
    """1.4826 median |e - median|, not 0."""
    step: float = 0.0
    """Spacing of rounded errors; 0 if they are not rounded."""
    unit: float = 1.0
    """What the errors were divided by, to leave room for differences near the largest float."""


@dataclass(frozen=True)
class Judged:
    """The shape of some errors, or why there is none to judge."""

    shape: Shape | None
    reason: str | None = None
    """Why there is no shape."""
    flags: tuple[str, ...] = ()
    """`spike_at_zero`, `rounded`, `biased`."""
    zeros: float = 0.0
    """Share of the errors that are exactly 0."""
    broken: Gap | None = None
    """Rows that lie apart from all others ..."""
    repaired: Shape | None = None
    """... and the shape of the errors without them."""


def shape_of(histogram: ErrorHistogram) -> Judged:
    """Return what is to be judged of errors of at least 50 rows."""
    zero = histogram.mean == -histogram.level
    if np.all(zero):
        reason = "Every prediction equals the actual value: check whether the target has leaked."
        return Judged(None, reason)
    zeros = float(histogram.n[zero].sum()) + histogram.apart
    zeros /= histogram.rows + histogram.apart
    unit = 1024.0 if float(np.max(np.abs(histogram.mean))) > LARGEST / 1024 else 1.0
    spread, step, flags = _spread_or_set_apart(histogram.in_units_of(unit))
    if none := _no_shape(spread):
        return Judged(None, none, flags, zeros)
    median, scale = spread.median, spread.robust_scale
    if scale == 0 or is_too_far(median, scale):
        reason = (
            "The errors lie far to one side of 0, at many times their own spread: "
            "put the level right first."
        )
        return Judged(None, reason, flags, zeros)
    mean = float(spread.n / spread.rows @ spread.mean)
    centres = mean + spread.level, median + spread.level
    off = min(centres) > OFF_LEVEL * scale or max(centres) < -OFF_LEVEL * scale
    if off and abs(centres[0]) > OFF_SURELY * _error_of_mean(spread):
        flags = (*flags, "biased")
    shape = Shape(spread, median, scale, step, unit)
    gap = widest_gap(spread, median, scale)
    if gap is None:
        return Judged(shape, None, flags, zeros)
    clean = spread.select(~apart_from(spread, median, gap.cut))
    repaired = Shape(clean, clean.median, clean.robust_scale, step, unit)
    return Judged(shape, None, flags, zeros, gap.in_units_of(1 / unit), repaired)


def _error_of_mean(histogram: ErrorHistogram) -> float:
    share = histogram.n / histogram.rows
    with np.errstate(all="ignore"):  # squares may be beyond all floats
        mean = share @ histogram.mean
        variance = float(share @ (histogram.mean**2 + histogram.deviation**2) - mean * mean)
    return math.sqrt(max(variance, 0.0) / histogram.rows) if math.isfinite(variance) else math.inf


def _spread_or_set_apart(
    histogram: ErrorHistogram,
) -> tuple[ErrorHistogram, float, tuple[str, ...]]:
    """Spread rounded errors over their step, or set exact zeros apart; say which was done."""
    zero = histogram.mean == -histogram.level
    set_apart = ("spike_at_zero",) if histogram.apart else ()
    repeated = (histogram.low == histogram.high) & (histogram.n > 1) & ~zero
    others = float(histogram.n[~zero].sum())
    values = int(repeated.sum())
    if values > 1 and float(histogram.n[repeated].sum()) > others / 2:
        step = _step(histogram)
        half = np.where(histogram.low == histogram.high, step / 2, 0)
        spread = replace(
            histogram,
            deviation=np.hypot(histogram.deviation, half / np.sqrt(3)),
            low=histogram.low - half,
            high=histogram.high + half,
        )
        return spread, step, (*set_apart, "rounded")
    if histogram.rows - others >= SPIKE * histogram.rows:
        return histogram.select(~zero), 0.0, ("spike_at_zero",)
    return histogram, 0.0, set_apart


def _step(histogram: ErrorHistogram) -> float:
    """Return the spacing of rounded errors: the median distance of values near the median."""
    values = histogram.mean[histogram.low == histogram.high]
    if len(values) < 2:
        return 0.0
    near = np.sort(values[np.argsort(np.abs(values - histogram.median))[:11]])
    return float(np.median(np.diff(near)))


def _no_shape(histogram: ErrorHistogram) -> str | None:
    """Return why these errors' shape cannot be judged, or None."""
    if histogram.rows < MINIMUM_ROWS:
        differ = "differs" if round(histogram.rows) == 1 else "differ"
        return (
            f"Only {count(round(histogram.rows), 'error')} {differ} from 0: too few to choose a "
            f"loss, for which {MINIMUM_ROWS} are needed."
        )
    one_value = histogram.n[histogram.low == histogram.high]
    if len(histogram.n) == len(one_value) == 1:
        return "All errors are one and the same value: subtract it, and none is left."
    if len(one_value) and float(one_value.max()) > histogram.rows / 2:
        return (
            "More than half of the errors are one and the same value: they have no shape to judge."
        )
    return None
