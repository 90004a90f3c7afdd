"""Families of symmetric laws and how well each fits the errors: what few rows cannot show alone.

The density at the median, on which L1's variance factor rests, is badly known from a few hundred
rows. Laws that are fitted to all of the errors know it better where one of them is about right.
Each law's likelihood is that of |error - median|, over a range of scales; as the rows are counted
on a grid of ln |error|, a change of scale is a shift of the grid. Which laws are in the grid, and
that errors none of them fits get little from it, was settled in simulations
(benchmarks/README.md).

Student's t; the generalised normal law, density ~ exp(-|x|**p); a Gaussian of which a share is k
times as wide (Tukey 1960); and two Gaussian humps at +-a.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossreport.advice.histogram import ErrorHistogram, Floats
from lossreport.advice.shape import Shape
from lossreport.losses import HUBER_K, MAD_TO_SIGMA

T_FREEDOM = (1, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 20)
POWERS = (0.5, 0.7, 0.85, 1, 1.2, 1.41, 1.7, 2, 2.5, 3, 4, 6, 8)
SHARES, FACTORS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35), (3, 5, 10)
HUMPS = (1.0, 1.5, 2.0, 3.0)

CELL = 0.04
"""Width of the grid's cells in ln |error|."""
SHIFTS = 15
"""So many cells, either way, the scale may be off that of the data."""
LOWEST, CELLS = -7.0, 475
"""The grid's beginning, in ln of |error| / s, and its length; it ends at e**12."""
EDGES = np.array([0, 0.15, 0.3, 0.5, 0.75, 1, 1.4, 2, 3, np.inf])
"""Cells of |error| / s in which the misfit is measured."""
K = HUBER_K


@dataclass(frozen=True)
class Fitted:
    """How well the laws fit some histograms."""

    weights: Floats
    """Posterior probability of each law; shape (histograms, laws), lines add up to 1."""
    misfit: Floats
    """Chi-square per degree of freedom, of the laws by their weights and of the symmetry about
    the median; about 1 for errors of such a law, shape (histograms,)."""


@dataclass(frozen=True)
class _Laws:
    """The laws, each in units of its robust scale s; arrays have a line for each."""

    log_density: Floats
    """On the grid and `SHIFTS` cells to either side of it."""
    v: Floats
    """Variance factors of L2, Huber and L1; shape (laws, 3)."""
    within: Floats
    """Probability of each of the cells that `EDGES` bound."""
    prior: Floats
    """The same for all laws that one loss suits best, and for each loss a third."""


def variance_factors() -> Floats:
    """Return the laws' variance factors of L2, Huber and L1, shape (laws, 3), in units of s**2."""
    return _laws().v


def fit(shapes: Sequence[Shape]) -> Fitted:
    """Return how well the laws fit each shape's errors."""
    laws = _laws()
    weights, misfits = [], []
    for shape in shapes:
        unit = shape.histogram.in_units_of(shape.scale)
        away = _spread(unit, shape.median / shape.scale)
        rows = np.repeat(unit.n / 3, 3)
        likelihood = _likelihood(laws, np.abs(away), rows)
        likelihood = np.exp(likelihood - likelihood.max()).sum(axis=1) * laws.prior
        weight = likelihood / likelihood.sum()
        weights.append(weight)
        misfits.append(_misfit(laws, away, rows, weight))
    return Fitted(np.stack(weights), np.array(misfits))


def _spread(unit: ErrorHistogram, median: float) -> Floats:
    """Return where the rows of each bin are: three places evenly spread from end to end."""
    thirds = np.array([1, 3, 5]) / 6
    width = unit.high - unit.low
    return np.asarray((unit.low - median)[:, np.newaxis] + thirds * width[:, np.newaxis]).ravel()


def _likelihood(laws: _Laws, size: Floats, rows: Floats) -> Floats:
    """Return the log likelihood of each law (line) at each scale (column)."""
    place = np.floor((np.log(np.maximum(size, 1e-300)) - LOWEST) / CELL)
    place = np.clip(place, 0, CELLS - 1).astype(np.int64)
    counted = np.bincount(place, rows, CELLS)
    used = np.flatnonzero(counted)
    shifts = np.arange(-SHIFTS, SHIFTS + 1)
    moved = laws.log_density[:, used[:, np.newaxis] + SHIFTS + shifts]
    return np.asarray(counted[used] @ moved + rows.sum() * CELL * shifts)


def _misfit(laws: _Laws, away: Floats, rows: Floats, weight: Floats) -> float:
    cell = np.searchsorted(EDGES, np.abs(away), side="right") - 1
    cells = len(EDGES) - 1
    above, below = (np.bincount(cell, np.where(s, rows, 0), cells) for s in (away > 0, away <= 0))
    both = above + below
    expected = rows.sum() * laws.within
    shape = ((both - expected) ** 2 / np.maximum(expected, 1)).sum(axis=1)
    lopsided = ((above - below) ** 2 / np.maximum(both, 1)).sum()
    return float((weight @ shape + lopsided) / (2 * cells - 2))


@functools.cache
def _laws() -> _Laws:
    cells = np.arange(CELLS + 2 * SHIFTS, dtype=np.float64)
    wide: Floats = LOWEST + CELL * (cells - SHIFTS + 0.5)
    made = [_law(density, wide) for density in _densities()]
    log_density, v, within = (np.stack(part) for part in zip(*made, strict=True))
    best = v.argmin(axis=1)
    prior = 1 / np.bincount(best, minlength=3)[best] / 3
    return _Laws(log_density, v, within, prior)


def _densities() -> list[functools.partial[Floats]]:
    of = functools.partial
    return [
        *(of(_student, freedom=f) for f in T_FREEDOM),
        *(of(_generalised_normal, power=p) for p in POWERS),
        *(of(_contaminated, share=e, factor=k) for e in SHARES for k in FACTORS),
        *(of(_humps, at=a) for a in HUMPS),
    ]


def _student(x: Floats, freedom: float) -> Floats:
    constant = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2)
    density = constant / math.sqrt(freedom * math.pi) * (1 + x**2 / freedom) ** (-(freedom + 1) / 2)
    return np.asarray(density)


def _generalised_normal(x: Floats, power: float) -> Floats:
    return np.asarray(power / (2 * math.gamma(1 / power)) * np.exp(-(x**power)))


def _gaussian(x: Floats) -> Floats:
    return np.asarray(np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))


def _contaminated(x: Floats, share: float, factor: float) -> Floats:
    return (1 - share) * _gaussian(x) + share * _gaussian(x / factor) / factor


def _humps(x: Floats, at: float) -> Floats:
    return (_gaussian(x - at) + _gaussian(x + at)) / 2


def _law(density: functools.partial[Floats], grid: Floats) -> tuple[Floats, Floats, Floats]:
    """Return a law's log density on the grid, its variance factors and its cells."""
    fine = np.arange(-12, 16, 0.005)
    size = np.exp(fine)
    share = density(size) * size * 0.01  # of both signs
    share /= share.sum()
    below = np.cumsum(share)
    end = fine + 0.0025
    s = MAD_TO_SIGMA * math.exp(np.interp(0.5, below, end))
    unit = size / s
    inside = share[unit < K].sum()
    v_huber = (share * np.minimum(unit, K) ** 2).sum() / inside**2
    peak = s * float(density(np.zeros(1))[0])
    v = np.array([(share * unit**2).sum(), v_huber, 1 / (4 * peak**2)])
    with np.errstate(divide="ignore"):
        reached = np.interp(np.log(EDGES * s), end, below, left=0, right=1)
    log_density = np.log(np.maximum(s * density(s * np.exp(grid)), 1e-300))
    return log_density, v, np.diff(reached)
