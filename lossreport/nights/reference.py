"""What is usual of a figure before a night: its level, its weekly pattern, its spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lossreport.losses import MAD_TO_SIGMA
from lossreport.nights.series import Floats

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

WINDOW = 56
"""So many nights before are looked back at: eight weeks."""
WEEKS = 4
"""Of every weekday so many nights must be there before a weekly pattern is taken out."""
CLIP = 2.5
CLIPPED_VARIANCE = 0.978
"""Of a Gaussian, clipped at 2.5 standard deviations."""


@dataclass(frozen=True)
class Usual:
    """How a figure varies from night to night; one row per place and figure."""

    effect: Floats
    """What a weekday adds, from Monday; shape (rows, 7)."""
    variance: Floats
    """Of one night, with what its rows give it; at least `sampling`."""
    sampling: Floats
    """The part of it that the number of rows gives."""
    nights: Ints
    """How many nights that is from, less what was estimated from them."""


def median(values: Floats) -> Floats:
    """Return the median along the last axis without NaN; NaN of none."""
    ranked = np.sort(values, axis=-1)
    count = np.isfinite(ranked).sum(axis=-1)
    low = np.maximum((count - 1) // 2, 0)[..., np.newaxis]
    high = np.maximum(count // 2, 0)[..., np.newaxis]
    high = np.minimum(high, values.shape[-1] - 1)
    both = np.take_along_axis(ranked, low, -1) + np.take_along_axis(ranked, high, -1)
    return np.asarray(both[..., 0] / 2)


def clipped_mean(values: Floats, scale: Floats) -> tuple[Floats, Ints]:
    """Return the mean of values clipped at CLIP scales from their median, and how many they are."""
    middle = median(values)[:, np.newaxis]
    away = np.clip(values - middle, -CLIP * scale[:, np.newaxis], CLIP * scale[:, np.newaxis])
    count = np.isfinite(values).sum(axis=1)
    total = np.where(np.isfinite(away), away, 0.0).sum(axis=1)
    mean = middle[:, 0] + total / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan), count


def usual(values: Floats, variance: Floats, weekday: Ints, figures: int) -> Usual:
    """Return how figures vary on some nights.

    The spread is that of nights clipped at 2.5 robust standard deviations. It is never taken to be
    less than the rows alone make it, nor than what half of the places have in proportion to that:
    the spread of one place over a few weeks is known too roughly.

    Parameters
    ----------
    values, variance
        On the scale of `series.on_scale`, of nights on one level; NaN where a night does not
        count. Shape (rows, nights).
    weekday
        Of each night, 0 is Monday.
    figures
        How many figures the rows are of: equally many for each, one after another.
    """
    rows = values.shape[0]
    scale = MAD_TO_SIGMA * median(np.abs(values - median(values)[:, np.newaxis]))
    effect, weekly = _effects(values, weekday, scale)
    level = values - effect[:, weekday]
    middle = median(level)[:, np.newaxis]
    scale = MAD_TO_SIGMA * median(np.abs(level - middle))
    centre, count = clipped_mean(level, scale)
    limit = CLIP * scale[:, np.newaxis]
    away = np.clip(level - centre[:, np.newaxis], -limit, limit)
    squares = np.where(np.isfinite(away), away, 0.0) ** 2
    free = count - np.where(weekly, 7, 1)
    own = squares.sum(axis=1) / np.maximum(free, 1) / CLIPPED_VARIANCE
    sampling = median(np.where(np.isfinite(values), variance, np.nan))
    proportion = np.where((sampling > 0) & (free >= WEEKS), own / sampling, np.nan)
    typical = median(proportion.reshape(figures, rows // figures))
    shared = np.repeat(np.nan_to_num(typical, nan=1.0), rows // figures) * sampling
    whole = np.fmax(np.fmax(own, sampling), shared)
    return Usual(effect, whole, np.nan_to_num(sampling), free)


def _effects(values: Floats, weekday: Ints, scale: Floats) -> tuple[Floats, Bools]:
    """Return what each weekday adds, and of which rows that can be told."""
    away = values - median(values)[:, np.newaxis]
    effect = np.zeros((values.shape[0], 7))
    enough = np.ones(values.shape[0], dtype=bool)
    for day in range(7):
        of_day = away[:, weekday == day]
        if of_day.shape[1] == 0:
            continue
        effect[:, day], count = clipped_mean(of_day, scale)
        enough &= (count == 0) | (count >= WEEKS)
    effect = np.where(enough[:, np.newaxis], np.nan_to_num(effect), 0.0)
    return effect, enough
