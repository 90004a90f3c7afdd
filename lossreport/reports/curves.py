"""The shape of the errors as curves: how many exceed a size, and their quantiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from lossreport.advice.histogram import ErrorHistogram

POINTS = 40
MOST_SIGMAS = 5.0
"""The quantile curve ends here: so far out no log has rows enough to say more."""


@dataclass(frozen=True)
class Exceedance:
    """Which share of some rows has a larger error, by the error's size."""

    by: tuple[str, ...]
    """() for the whole log."""
    key: tuple[str | None, ...]
    source: bool
    """Whether it is a source of the large errors."""
    points: tuple[tuple[float, float], ...]
    """|error| and the share of rows with a larger one, rising in |error|."""


@dataclass(frozen=True)
class QuantilePoint:
    """One point of a quantile-quantile curve."""

    gaussian: float
    """What a standard Gaussian has at this share of the rows."""
    error: float
    """What the errors have, less their median and in robust standard deviations."""


def exceedance(histogram: ErrorHistogram) -> tuple[tuple[float, float], ...]:
    """Return |error| and the share of the rows with a larger one, at most 40 points.

    Exact at the limits of bins; evenly spread over the logarithm of the share, so that the tail
    has as many points as the body. No rows, or no error but 0: no points.
    """
    order = np.argsort(histogram.edge, kind="stable")
    edge, n = histogram.edge[order], histogram.n[order]
    last = np.append(edge[1:] != edge[:-1], True)
    beyond = (histogram.rows - np.cumsum(n))[last]
    edge = edge[last]
    drawn = (beyond > 0.5) & (edge > 0)
    edge, share = edge[drawn], beyond[drawn] / max(histogram.rows, 1.0)
    if not len(edge):
        return ()
    steps = np.geomspace(1.0, float(share[-1]), POINTS) if share[-1] < 1 else np.array([1.0])
    at = np.unique(np.minimum(np.searchsorted(-share, -steps), len(share) - 1))
    return tuple((float(edge[i]), float(share[i])) for i in at)


def quantile_points(histogram: ErrorHistogram, scale: float | None) -> tuple[QuantilePoint, ...]:
    """Return the errors' quantiles beside those of a Gaussian; none without a scale.

    From the first half row to the last, at most 5 standard deviations out; none
    beyond the largest float.
    """
    rows = histogram.rows
    if not scale or not math.isfinite(scale) or rows < 2:
        return ()
    gaussian = NormalDist()
    end = min(MOST_SIGMAS, -gaussian.inv_cdf(0.5 / rows))
    sigmas = np.linspace(-end, end, POINTS + 1).tolist()
    median, *found = histogram.quantile([0.5, *(gaussian.cdf(z) for z in sigmas)])
    # Each divided: a difference of the largest floats would exceed them.
    each = ((z, q / scale - median / scale) for z, q in zip(sigmas, found, strict=True))
    return tuple(QuantilePoint(z, error) for z, error in each if math.isfinite(error))
