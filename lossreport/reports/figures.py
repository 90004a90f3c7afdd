"""Figures of a group from its sums and its histogram, and which groups are outlier-driven."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from lossreport.advice.histogram import ErrorHistogram
from lossreport.chances import Floats, Marks, benjamini_hochberg
from lossreport.losses import (
    GAUSSIAN_RATIO,
    HUBER_BEATS_L2,
    SE_LOG_RATIO,
    from_sums,
    ratio_interval,
)

Ints = npt.NDArray[np.int64]

WORST_SHARES = (0.001, 0.01, 0.05)
BIASED = 0.25
"""A mean error of more than this share of the MAE is worth a word, ..."""
SURELY = 4.0
"""... if it is more than so many standard errors."""
LOST_DIGITS = 1e-13
"""Of a mean actual value, this share is lost in the rounding of thousands of sums."""
RATIO_SHIFT, RATIO_SKEWNESS = 1.25, 3.0
"""Of ln(RMSE/MAE) about the median of n Gaussian errors: how many of its standard errors its mean
is above ln 1.2533, and its skewness, both times sqrt(n). From simulations of 50 to 1,000 rows, and
on the cautious side there."""
FALSE_DISCOVERIES = 0.05
"""Of the flagged groups, the share that may be flagged by chance (Benjamini, Hochberg 1995)."""


@dataclass(frozen=True)
class WorstShare:
    """What the worst rows hold of each loss."""

    rows: float
    """Share of the scored rows, worst first."""
    abs_error: float
    sq_error: float


@dataclass(frozen=True)
class Figures:
    """The error of some rows, in the target's unit; see `losses` for the formulas."""

    n: int
    mae: float | None = None
    mse: float | None = None
    rmse: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    """95 % interval of the ratio."""
    ratio_high: float | None = None
    centred_ratio: float | None = None
    """The ratio of errors less their median: bias does not hide a tail from it."""
    bias: float | None = None
    """Mean of predicted - actual: positive means the model says too much."""
    median_abs_error: float | None = None
    p90_abs_error: float | None = None
    p95_abs_error: float | None = None
    p99_abs_error: float | None = None
    max_abs_error: float | None = None
    huber: float | None = None
    """Mean Huber loss at `huber_delta`."""
    huber_delta: float | None = None
    log_cosh: float | None = None
    """Mean of ln cosh(error): squared below an error of about 1, absolute above."""
    mean_actual: float | None = None
    mean_predicted: float | None = None
    worst_shares: tuple[WorstShare, ...] = ()
    """Of the worst 0.1 %, 1 % and 5 % of the rows; without those that are less than one row."""

    @property
    def bias_is_rounding(self) -> bool:
        """Whether the mean error is no larger than the digits that floats of this size lose."""
        return abs(self.bias or 0.0) <= LOST_DIGITS * abs(self.mean_actual or 0.0)

    @property
    def ratio_without_worst(self) -> float | None:
        """The ratio without the worst 1 % of the rows; None below 100 rows."""
        worst = next((s for s in self.worst_shares if s.rows == 0.01), None)
        if worst is None or self.ratio is None or worst.abs_error >= 1:
            return None
        left = math.sqrt(max(1 - worst.sq_error, 0.0) * (1 - worst.rows))
        return max(1.0, self.ratio * left / (1 - worst.abs_error))


def figures(
    sums: Mapping[str, float],
    histogram: ErrorHistogram | None,
    delta: float | None = None,
    judged: ErrorHistogram | None = None,
) -> Figures:
    """Return the figures of some rows.

    Parameters
    ----------
    sums
        Their row of a profile's moments.
    histogram
        Their errors; without it quantiles and shares are None.
    delta
        For the Huber loss.
    judged
        Their errors less a level, where they lie far from 0: for the centred ratio.
    """
    n = int(sums["n"])
    if not n:
        return Figures(0)
    exact = from_sums(sums)
    interval = ratio_interval(sums)
    mean_of = {k: sums[f"sum_{k}"] / n for k in ("actual", "predicted")}
    if judged is None or judged.apart:
        judged = histogram
    shape = {} if histogram is None or judged is None else _shape(histogram, judged, exact, delta)
    return Figures(
        n=n,
        mae=exact["mae"],
        mse=exact["mse"],
        rmse=exact["rmse"],
        ratio=exact["ratio"],
        bias=exact["bias"],
        max_abs_error=exact["max_abs_error"],
        ratio_low=interval[0] if interval else None,
        ratio_high=interval[1] if interval else None,
        mean_actual=mean_of["actual"] if math.isfinite(mean_of["actual"]) else None,
        mean_predicted=mean_of["predicted"] if math.isfinite(mean_of["predicted"]) else None,
        **shape,  # type: ignore[arg-type]
    )


def _shape(
    histogram: ErrorHistogram,
    judged: ErrorHistogram,
    exact: Mapping[str, float | None],
    delta: float | None,
) -> dict[str, object]:
    """Return the figures that come from the histogram."""
    p50, p90, p95, p99 = histogram.abs_quantile([0.5, 0.9, 0.95, 0.99])
    shares = [(s, histogram.worst(s)) for s in WORST_SHARES]
    centred = None
    if exact["ratio"] is not None:
        mean_abs, root_mean_sq = judged.about(judged.median)
        centred = max(1.0, root_mean_sq / mean_abs) if mean_abs > 0 else None
    top = exact["max_abs_error"]
    assert top is not None
    return {
        "centred_ratio": centred,
        "median_abs_error": min(p50, top),
        "p90_abs_error": min(p90, top),
        "p95_abs_error": min(p95, top),
        "p99_abs_error": min(p99, top),
        "huber": histogram.huber(delta) if delta and exact["mse"] is not None else None,
        "huber_delta": delta if exact["mse"] is not None else None,
        "log_cosh": histogram.log_cosh() if exact["mse"] is not None else None,
        "worst_shares": tuple(WorstShare(s, *held) for s, held in shares if held),
    }


def surely_biased(of: Figures, of_few: float = 0.0) -> bool:
    """Return whether the mean error is a large share of the MAE, and more than a few rows' doing.

    It must exceed four of its standard errors, sd / sqrt(n), beyond `of_few`, the share of the
    absolute error that few rows make: up to there the mean error may be theirs.
    """
    if of.bias is None or of.mse is None or not of.mae or abs(of.bias) <= BIASED * of.mae:
        return False
    if of.bias_is_rounding:
        return False
    surely = SURELY * math.sqrt(max(of.mse - of.bias**2, 0.0) / of.n)
    return abs(of.bias) > surely + of_few * of.mae


def outlier_driven(of_groups: Sequence[Figures], minimum_rows: int) -> list[bool]:
    """Return which groups' ratio is beyond what their number of rows explains: `beyond_rows`."""
    flags: list[bool] = beyond_rows(*judged_ratios(of_groups), minimum_rows).tolist()
    return flags


def judged_ratios(of_groups: Sequence[Figures]) -> tuple[Floats, Ints]:
    """Return the ratio that each group is judged by (NaN: none), and its number of rows.

    The centred ratio, because bias pulls the raw one towards 1; the raw one for groups whose
    errors are known by their sums alone: of those fewer are flagged.
    """
    ratios = [g.ratio if g.centred_ratio is None else g.centred_ratio for g in of_groups]
    known = np.array([math.nan if r is None else r for r in ratios], dtype=np.float64)
    return known, np.array([g.n for g in of_groups], dtype=np.int64)


def beyond_rows(ratios: Floats, n: Ints, minimum_rows: int) -> Marks:
    """Return which ratios RMSE/MAE are beyond what a number of rows explains.

    A group is flagged when its ratio is above 1.277, where Huber starts to need fewer rows than
    L2, and above the Gaussian 1.2533 beyond chance (`_chance`); the many tests are corrected by
    Benjamini and Hochberg's step-up rule at 5 %.

    Parameters
    ----------
    ratios, n
        Of each group, shape (groups,). Those without a ratio (NaN) and those below
        `minimum_rows` are not tested and never flagged.
    """
    chances = np.where((n >= minimum_rows) & np.isfinite(ratios), 1.0, math.nan)
    for i in np.flatnonzero((chances == 1) & (ratios > GAUSSIAN_RATIO)).tolist():
        chances[i] = _chance(float(ratios[i]), int(n[i]))  # lower ratios are no sign at all
    return benjamini_hochberg(chances, FALSE_DISCOVERIES) & (ratios > HUBER_BEATS_L2)


def _chance(ratio: float, n: int) -> float:
    """Return how likely n Gaussian errors have at least this RMSE/MAE about their median.

    Their ln(ratio) has standard error 0.266 / sqrt(n), but leans to the right: a Gaussian's tail
    would flag 18 times too many of a thousand groups of 50 rows. Taken as a shifted gamma law,
    whose cube root is nearly Gaussian (Wilson and Hilferty 1931).
    """
    root = math.sqrt(n)
    away = math.log(ratio / GAUSSIAN_RATIO) / (SE_LOG_RATIO / root) - RATIO_SHIFT / root
    skewness = RATIO_SKEWNESS / root
    spread = skewness / 6
    cube = max(1 + skewness * away / 2, 0.0)
    return 0.5 * math.erfc((math.cbrt(cube) - 1 + spread**2) / spread / math.sqrt(2))


def funnel(rows: float, level: float = 0.95) -> tuple[float, float]:
    """Return the range of RMSE/MAE that this many Gaussian errors have with the given chance."""
    width = NormalDist().inv_cdf(0.5 + level / 2) * SE_LOG_RATIO / math.sqrt(rows)
    return GAUSSIAN_RATIO * math.exp(-width), GAUSSIAN_RATIO * math.exp(width)
