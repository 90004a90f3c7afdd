"""Variance factors and centres of the losses, from a histogram and from resamples of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from lossreport.advice.histogram import LARGEST, ErrorHistogram, Floats

RESAMPLES = 200
SEED = 20260901
POISSON_BELOW = 30
"""Counts up to here are redrawn from Poisson's law, larger ones from a Gaussian of equal
variance."""
POOL, FEW_POOL = 2048, 256
"""So many Gaussian and (for each mean) Poisson numbers are drawn once; bins beyond use them
again."""


@dataclass(frozen=True)
class Functionals:
    """Variance factors V and centres of the losses, in units of the robust scale s.

    Arrays are over resamples; the functionals of the data themselves are one row.
    """

    rows: float
    scale: float
    """Robust standard deviation s = 1.4826 median |e - median| of the data, in the target's
    unit."""
    step: float
    """Spacing of rounded errors in units of s; 0 if they are not rounded."""
    ks: tuple[float, ...]
    """Each Huber loss's delta."""
    within: tuple[float, ...]
    """Share of the rows with |e| below each delta."""
    mean: Floats
    median: Floats
    c_huber: Floats
    """Shape (resamples, len(ks)), as `v_huber`."""
    v_l2: Floats
    v_l1: Floats
    v_huber: Floats


def bandwidth(rows: float) -> float:
    """Return the Hall-Sheather bandwidth for the density at the median (Hall, Sheather 1988).

    n**(-1/3) z**(2/3) (1.5 phi(0)**2)**(1/3) with z = 1.96, as in R's quantreg; at most 0.45.
    """
    phi = NormalDist().pdf(0.0)
    return min(0.45, float(rows ** (-1 / 3) * 1.959964 ** (2 / 3) * (1.5 * phi**2) ** (1 / 3)))


def functionals(histogram: ErrorHistogram, ks: Sequence[float], step: float = 0.0) -> Functionals:
    """Return the functionals of the data themselves; `step` is the spacing of rounded errors."""
    (median,) = histogram.quantile([0.5])
    scale = 1.4826 * histogram.spread_about(median)
    unit = histogram.in_units_of(scale)
    centres = [_huber_centre(unit, k, median / scale) for k in ks]
    return _evaluate(unit, unit.n[:, np.newaxis], scale, step / scale, tuple(ks), centres)


def resample(histogram: ErrorHistogram, point: Functionals) -> Functionals:
    """Return the functionals of 200 Poisson resamples of the histogram's counts.

    Scale and deltas stay those of the data. The same histogram gives the same resamples.
    """
    unit = histogram.in_units_of(point.scale)
    centres = [float(c) for c in point.c_huber[0]]
    return _evaluate(unit, _poisson(unit.n), point.scale, point.step, point.ks, centres)


@functools.cache
def _pools() -> tuple[Floats, npt.NDArray[np.int8]]:
    """Return standard Gaussian numbers, and Poisson numbers for each mean up to the limit."""
    rng = np.random.default_rng(SEED)
    gaussian = rng.standard_normal((POOL, RESAMPLES))
    means = np.arange(POISSON_BELOW + 1)[:, np.newaxis, np.newaxis]
    poisson = rng.poisson(np.broadcast_to(means, (POISSON_BELOW + 1, FEW_POOL, RESAMPLES)))
    return gaussian, poisson.astype(np.int8)


def _poisson(counts: Floats) -> Floats:
    """Return redrawn counts, shape (bins, resamples)."""
    gaussian, poisson = _pools()
    column = np.arange(len(counts))
    drawn = gaussian[column % POOL] * np.sqrt(counts)[:, np.newaxis] + counts[:, np.newaxis]
    few = np.flatnonzero(counts <= POISSON_BELOW)
    # Spread atoms have whole counts too: a bin's rows are never divided.
    drawn[few] = poisson[np.round(counts[few]).astype(np.int64), few % (FEW_POOL)]
    return np.maximum(drawn, 0)


def _huber_centre(histogram: ErrorHistogram, delta: float, start: float) -> float:
    """Return c with mean psi(e - c) = 0, psi(x) = clip(x, -delta, delta), by Newton's method."""
    centre = start
    for _ in range(50):
        parts = _psi(histogram, centre, delta)
        inside = float(histogram.n @ parts[3])
        if inside == 0:
            return centre
        move = float(histogram.n @ parts[0]) / inside
        centre += move
        if abs(move) < 1e-9 * delta:
            break
    return centre


def _psi(histogram: ErrorHistogram, centre: float, delta: float) -> Floats:
    """Return each bin's means of psi, psi**2, psi inside +-delta, and the share inside."""
    low, high = histogram.low - centre, histogram.high - centre
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
    mean = np.where(whole, histogram.mean - centre, middle)
    spread = np.where(whole, histogram.deviation**2, (cut_high - cut_low) ** 2 / 12)
    linear = inside * mean
    return np.stack(
        [
            linear + delta * (above - below),
            inside * (mean**2 + spread) + delta**2 * (above + below),
            linear,
            inside,
        ]
    )


def _evaluate(
    histogram: ErrorHistogram,
    weights: Floats,
    scale: float,
    step: float,
    ks: tuple[float, ...],
    centres: Sequence[float],
) -> Functionals:
    """Return the functionals of each column of weights: all but the median are linear in them."""
    # About the data's own mean, so that a large bias costs no digits.
    origin = float(histogram.n / histogram.rows @ histogram.mean)
    away = histogram.mean - origin
    window, below = _window(histogram)
    about_psi = [_psi(histogram, centre, k) for centre, k in zip(centres, ks, strict=True)]
    with np.errstate(over="ignore", invalid="ignore"):
        square = away**2 + histogram.deviation**2
        # A square, or a sum, may be beyond all floats: then L2 is infinitely bad.
        square = np.minimum(square, LARGEST)
        linear = np.stack([np.ones_like(away), below, away, square, *np.concatenate(about_psi)])
        total, before, first, second, *psis = linear @ weights
        total = np.where(total > 0, total, 1)
        first, second = np.clip([first / total, second / total], -LARGEST, LARGEST)
        v_l2 = np.where(second < LARGEST, second - first**2, np.inf)
        mean = np.clip(origin + first, -LARGEST / 4, LARGEST / 4)
    v_huber, c_huber = np.empty((2, len(total), len(ks)))
    for j, centre in enumerate(centres):
        psi, psi2, part, inside = np.stack(psis[4 * j : 4 * j + 4]) / total
        inside = np.maximum(inside, 1e-12)
        move = psi / inside  # one Newton step from the data's centre
        c_huber[:, j] = centre + move
        moved = psi2 - 2 * move * part + move**2 * inside
        v_huber[:, j] = np.maximum(moved, 0) / inside**2
    h = bandwidth(histogram.rows)
    after = before + np.cumsum(weights[window], axis=0)
    lower, median, upper = (
        _quantile(histogram.select(window), weights[window], after, level * total)
        for level in (0.5 - h, 0.5, 0.5 + h)
    )
    density = 2 * h / np.maximum(np.maximum(upper - lower, step), 1e-12)
    return Functionals(
        rows=histogram.rows,
        scale=scale,
        step=step,
        ks=ks,
        within=tuple(_share_within(histogram, k) for k in ks),
        mean=mean,
        median=median,
        c_huber=c_huber,
        v_l2=v_l2,
        v_l1=1 / (4 * density**2),
        v_huber=v_huber,
    )


def _share_within(histogram: ErrorHistogram, delta: float) -> float:
    return float(histogram.n @ _psi(histogram, 0.0, delta)[3]) / histogram.rows


def _window(histogram: ErrorHistogram) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Return which bins the median and its neighbourhood can be in, and 1 for those below them."""
    reach = bandwidth(histogram.rows) + 4 / np.sqrt(histogram.rows)  # eight standard errors
    after = np.cumsum(histogram.n) / histogram.rows
    window = (after >= 0.5 - reach) & (after - histogram.n / histogram.rows <= 0.5 + reach)
    return window, (after < 0.5 - reach).astype(np.float64)


def _quantile(histogram: ErrorHistogram, weights: Floats, after: Floats, rank: Floats) -> Floats:
    """Return the error below which `rank` of the weight lies, for each resample."""
    bins = np.minimum((after < rank).sum(axis=0), len(after) - 1)
    each = np.arange(len(rank))
    weight = weights[bins, each]
    before = after[bins, each] - weight
    inside = np.clip((rank - before) / np.where(weight > 0, weight, 1), 0, 1)
    width = histogram.high[bins] - histogram.low[bins]
    return np.asarray(histogram.low[bins] + inside * width)
