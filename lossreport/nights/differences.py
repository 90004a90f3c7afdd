"""Tonight's figures against a baseline, with intervals that know rows and nights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossreport.chances import benjamini_hochberg
from lossreport.losses import MAD_TO_SIGMA
from lossreport.nights.changes import LEVEL, Difference, Figure, Place, PlaceChange
from lossreport.nights.levels import FEWEST, gaussian
from lossreport.nights.reference import WINDOW, Bools, median
from lossreport.nights.series import FAMILIES, FIGURES, Floats, Series, figure, on_scale
from lossreport.reports.differences import student

FALSE_DISCOVERIES = 0.05
"""Of the sure differences, the share that may be chance (Benjamini, Hochberg 1995)."""
MINIMUM_ROWS = 50
"""With fewer, on either side, no difference of errors is sure: the delta method is too bold."""
OF_MEDIAN = math.pi / 2
"""The variance of a median of n Gaussian values, times n, in variances of one (large n)."""


@dataclass(frozen=True)
class Measured:
    """One figure of all places."""

    now: Floats
    before: Floats
    error: Floats
    """The standard error of the difference; NaN where nothing tells it."""
    freedom: Floats
    """Its degrees of freedom; inf where only rows tell it."""


def between(values: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the variance between nights beyond that of the rows, and how many steps tell it.

    From the median size of the steps from night to night, so that neither a shift nor slow
    creeping nor single bad nights widen it. NaN from fewer than seven steps.

    Parameters
    ----------
    values, variance
        On the scale of `series.on_scale`, of the earlier ordinary nights; shape (places, nights).
    """
    if values.shape[1] <= FEWEST:
        none = np.full(values.shape[0], np.nan)
        return none, none
    steps = np.diff(values, axis=1)
    count = np.isfinite(steps).sum(axis=1)
    whole = (MAD_TO_SIGMA * median(np.abs(steps))) ** 2 / 2
    beyond = np.maximum(whole - median(np.where(np.isfinite(values), variance, np.nan)), 0.0)
    return np.where(count >= FEWEST, beyond, np.nan), count.astype(np.float64)


def measured(tonight: Series, baseline: Series, earlier: Series, name: Figure) -> Measured:
    """Return a figure tonight, in the baseline (the median of its nights) and how sure that is."""
    now, of_now = (x[:, 0] for x in figure(tonight, name))
    each, of_each = figure(baseline, name)
    nights = np.isfinite(each).sum(axis=1)
    before = median(each)
    inflated = np.where(nights > 2, OF_MEDIAN, 1.0) / np.maximum(nights, 1)
    window = slice(-WINDOW, None)
    values, variances = (x[:, window] for x in on_scale(name, *figure(earlier, name)))
    spread, steps = between(values, variances)
    _, unit = on_scale(name, before, np.ones(len(before)))  # the scale's slope, squared
    with np.errstate(all="ignore"):
        nightly = np.where(np.isfinite(spread), spread / unit, 0.0)
        of_before = median(of_each)
        variance = of_now + nightly + (of_before + nightly) * inflated
    known = np.isfinite(spread) & (nightly > 0)
    return Measured(now, before, np.sqrt(variance), np.where(known, steps, np.inf))


def place_changes(
    places: Sequence[Place], tonight: Series, baseline: Series, earlier: Series
) -> tuple[PlaceChange, ...]:
    """Return every place's differences; sure ones by Benjamini and Hochberg.

    Over all places and the figures of the errors; over all places each of the left-out share and
    the rows.
    """
    figures = [measured(tonight, baseline, earlier, name) for name in FIGURES]
    change = np.stack([m.now - m.before for m in figures])
    error = np.stack([m.error for m in figures])
    freedom = np.stack([m.freedom for m in figures])
    with np.errstate(all="ignore"):
        t = change / error
        z = np.where(np.isfinite(freedom), _z(t, freedom), t)
    enough = np.fmin(tonight.sums["n"][:, 0], median(baseline.sums["n"])) >= MINIMUM_ROWS
    sure = np.zeros(z.shape, dtype=bool)
    for family in FAMILIES:
        of = list(family)
        told = enough if of == list(FAMILIES[0]) else np.ones(len(places), dtype=bool)
        sure[of] = _sure(np.where(told, z[of], np.nan))
    return tuple(
        PlaceChange(
            place,
            tuple(
                _difference(name, m, row, sure=bool(sure[f, row]))
                for f, (name, m) in enumerate(zip(FIGURES, figures, strict=True))
            ),
        )
        for row, place in enumerate(places)
    )


def _z(t: Floats, freedom: Floats) -> Floats:
    return gaussian(t, np.where(np.isfinite(freedom), freedom, 1).astype(np.int64))


def _sure(z: Floats) -> Bools:
    chances = np.array([math.erfc(abs(x) / math.sqrt(2)) for x in z.ravel()])  # of NaN, NaN
    return benjamini_hochberg(chances, FALSE_DISCOVERIES).reshape(z.shape)


def _difference(name: Figure, m: Measured, row: int, *, sure: bool) -> Difference:
    now, before, error = (_number(x[row]) for x in (m.now, m.before, m.error))
    change = None if now is None or before is None else now - before
    low = high = None
    if change is not None and error is not None:
        freedom = float(m.freedom[row])
        times = student(0.5 + LEVEL / 2, max(freedom, 5.0))
        low, high = change - times * error, change + times * error
        if name == "left_out_share":
            low, high = max(low, -1.0), min(high, 1.0)
    return Difference(name, before, now, change, low, high, sure)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
