"""Errors far from 0: whether they must be judged about a centre, about which, and from which bins.

A bin is 4 % of |error| wide. Where the errors lie at many times their spread from 0, all of them
share a few bins, which then say nothing of their shape: the log has to be read once more, for the
histogram of error - centre. The centre is one number for the whole log, so that its tables still
add up; it is a round one, so that logs of the same model have the same where they can.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from lossreport.advice.histogram import LARGEST, ErrorHistogram, Floats
from lossreport.profiles.profile import Profile
from lossreport.profiles.statistics import BIN_OFFSET, HISTOGRAM_SUMS, LOG_GAMMA

Bins = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats, Floats]
"""As `ErrorHistogram.from_bins` takes them: number, count, sum and sum of squares of each."""

LARGE_BIAS = 0.5
"""Of the squared error: mean errors that make so much of it come before any loss."""
WIDE_BINS = 10.0
"""Beyond this many robust sigmas from 0 the histogram's bins are too wide to judge a shape."""
FEWEST = 50
"""No shape is judged of fewer errors."""
SPIKE = 0.02
"""From this share of errors that are exactly 0, the shape is judged on the rest."""
ROUNDED_TO = 4.0
"""The centre has no digits below this many robust sigmas."""


def is_too_far(median: float, scale: float) -> bool:
    """Return whether the bins are too wide for errors of this median and robust scale."""
    return abs(median) > WIDE_BINS * scale


def centre_for(histogram: ErrorHistogram | None) -> float | None:
    """Return the centre about which errors must be judged; None if that is 0.

    The median rounded to a power of ten of at most 4 robust standard deviations, of the errors
    that are not 0. None below 50 of these. Errors that are all of one value seem to have no spread,
    as do those that differ by less than the bins can tell: they have a centre too, unless many
    others are exactly 0, as where both sides are classes.
    """
    if histogram is None:
        return None
    others = histogram.select(histogram.mean != 0)
    if others.rows < FEWEST:
        return None
    unit = 1024.0 if float(np.max(np.abs(others.mean))) > LARGEST / 1024 else 1.0
    others = others.in_units_of(unit)
    median, scale = others.median, others.robust_scale
    spike = others.rows <= (1 - SPIKE) * histogram.rows
    if not is_too_far(median, scale) or (scale == 0 and spike):
        return None
    step = ROUNDED_TO * scale
    if step > 0 and (digits := -math.floor(math.log10(step))) < 300:
        median = round(median, digits)
    return median * unit if math.isfinite(median * unit) else None


def centres_for(profile: Profile) -> tuple[float | None, ...]:
    """Return the centre of each prediction's errors of the whole log, as `centre_for`."""
    bins = profile.table(()).histogram
    if bins is None:
        return ()
    each = [bins.filter(pl.col("prediction") == i) for i in range(len(profile.columns.predicted))]
    return tuple(None if f.is_empty() else centre_for(_histogram(f)) for f in each)


def _histogram(bins: pl.DataFrame) -> ErrorHistogram:
    number, *sums = (bins[c].to_numpy() for c in ("bin", *HISTOGRAM_SUMS))
    return ErrorHistogram.from_bins(number, *sums)


def about_centre(histogram: ErrorHistogram, bins: Bins, centre: float) -> ErrorHistogram:
    """Return the histogram of errors less a centre, which is its `level`.

    Parameters
    ----------
    histogram
        Of the same errors as they are.
    bins
        Of those that are not 0, less the centre. A few zeros are added to them; many are left
        `apart`, because nothing can be judged of a second heap.
    """
    zeros = float(histogram.n[histogram.mean == 0].sum())
    if zeros >= SPIKE * histogram.rows:
        made = ErrorHistogram.from_bins(*bins)
        return replace(made, level=centre, apart=zeros)
    return replace(ErrorHistogram.from_bins(*_with_zeros(bins, zeros, centre)), level=centre)


def _with_zeros(bins: Bins, zeros: float, centre: float) -> Bins:
    if not zeros:
        return bins
    rank = math.ceil(math.log(abs(centre)) / LOG_GAMMA) + BIN_OFFSET
    zero = np.array([-rank if centre > 0 else rank])
    with np.errstate(over="ignore"):
        more = [zeros, -zeros * centre, zeros * np.square(centre)]
    number, at = np.unique(np.append(bins[0], zero), return_inverse=True)
    count, total, square = (
        np.bincount(at, np.append(v, m)).astype(np.float64)
        for v, m in zip(bins[1:], more, strict=True)
    )
    return number, np.round(count).astype(np.int64), total, square


def judged(histogram: ErrorHistogram, centred: ErrorHistogram) -> ErrorHistogram:
    """Return the histogram that tells the shape of some errors.

    That of the errors as they are, unless they lie far from 0 and near the centre.
    """
    if centre_for(histogram) is None:
        return histogram
    return histogram if is_too_far(centred.median, centred.robust_scale) else centred
