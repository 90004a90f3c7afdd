"""Several histograms at once, as the lines of arrays filled up with empty bins.

Thousands of small groups would each cost more in calls than in arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from lossreport.advice.histogram import ErrorHistogram, Floats
from lossreport.advice.shape import Shape
from lossreport.profiles.statistics import RELATIVE_ACCURACY


@dataclass(frozen=True)
class Bins:
    """The bins of several histograms in units of their scales; arrays (histograms, bins)."""

    n: Floats
    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats
    rows: Floats
    """Shape (histograms,)."""

    @classmethod
    def of(cls, shapes: Sequence[Shape]) -> Bins:
        """Return the bins of these histograms, of which there is at least one."""
        units = [_without_needless_bins(s.histogram.in_units_of(s.scale)) for s in shapes]
        filled = np.zeros((5, len(shapes), max(len(u.n) for u in units)))
        for i, unit in enumerate(units):
            filled[:, i, : len(unit.n)] = unit.n, unit.mean, unit.deviation, unit.low, unit.high
        n, mean, deviation, low, high = filled
        return cls(n, mean, deviation, low, high, n.sum(axis=1))


def _without_needless_bins(unit: ErrorHistogram) -> ErrorHistogram:
    """Join the many bins around 0 that are far narrower than what the median's density is of.

    Of the density the bandwidth h is known in shares of the rows, which for errors in units of
    their scale is about 2.5 h: cells of a fifth of h leave no trace. Repeated values stay apart.
    """
    cell = float(bandwidth(np.array(unit.rows))) / 5
    single = (unit.low < unit.high) | (unit.n == 1)
    inner = (unit.edge < cell / (2 * RELATIVE_ACCURACY)) & single
    near, deviation = (np.where(inner, v, 0) for v in (unit.mean, unit.deviation))
    place = np.floor(near / cell)
    same = inner[1:] & inner[:-1] & (place[1:] == place[:-1])
    if not same.any():
        return unit
    start = np.flatnonzero(np.append(True, ~same))
    n = np.add.reduceat(unit.n, start)
    mean = np.add.reduceat(unit.n * near, start) / n
    variance = np.add.reduceat(unit.n * (near**2 + deviation**2), start) / n - mean**2
    joined = np.diff(np.append(start, len(unit.n))) > 1
    return ErrorHistogram(
        n=n,
        mean=np.where(joined, mean, unit.mean[start]),
        deviation=np.where(joined, np.sqrt(np.maximum(variance, 0)), unit.deviation[start]),
        low=np.minimum.reduceat(unit.low, start),
        high=np.maximum.reduceat(unit.high, start),
        edge=np.maximum.reduceat(unit.edge, start),
    )


def bandwidth(rows: Floats) -> Floats:
    """Return the Hall-Sheather bandwidth for the density at the median (Hall, Sheather 1988).

    n**(-1/3) z**(2/3) (1.5 phi(0)**2)**(1/3) with z = 1.96, as in R's quantreg; at most 0.45.
    """
    phi = NormalDist().pdf(0.0)
    h: Floats = np.cbrt(1.959964**2 * 1.5 * phi**2 / rows)
    return np.minimum(h, 0.45)


def huber_centres(bins: Bins, delta: float, start: Floats) -> Floats:
    """Return c with mean psi(e - c) = 0, psi(x) = clip(x, -delta, delta), by Newton's method."""
    centre = start
    for _ in range(50):
        psi, _, _, inside = (bins.n * huber_psi(bins, centre, delta)).sum(axis=2)
        move = np.divide(psi, inside, out=np.zeros_like(psi), where=inside > 0)
        centre = centre + move
        if np.all(np.abs(move) < 1e-9 * delta):
            break
    return centre


def huber_psi(bins: Bins, centre: Floats, delta: float) -> Floats:
    """Return each bin's means of psi, psi**2, psi inside +-delta, and the share inside.

    psi is Huber's, of the errors less the centre of each histogram; shape (4, histograms, bins).
    """
    centre = centre[:, np.newaxis]
    low, high = bins.low - centre, bins.high - centre
    width = high - low
    with np.errstate(all="ignore"):
        cut_low, cut_high = (np.maximum(np.minimum(v, delta), -delta) for v in (low, high))
        inside = np.where(width > 0, (cut_high - cut_low) / width, np.abs(low) <= delta)
        above = np.where(
            width > 0, np.maximum(high - np.maximum(low, delta), 0) / width, low > delta
        )
    below = 1 - inside - above
    middle = (cut_low + cut_high) / 2
    whole = inside == 1
    mean = np.where(whole, bins.mean - centre, middle)
    spread = np.where(whole, bins.deviation**2, (cut_high - cut_low) ** 2 / 12)
    linear = inside * mean
    return np.stack(
        [
            linear + delta * (above - below),
            inside * (mean**2 + spread) + delta**2 * (above + below),
            linear,
            inside,
        ]
    )


def share_within(bins: Bins, centre: Floats, delta: float) -> Floats:
    """Return the share of each histogram's rows whose error is within delta of its centre."""
    inside = huber_psi(bins, centre, delta)[3]
    return np.asarray((bins.n * inside).sum(axis=1) / bins.rows)
