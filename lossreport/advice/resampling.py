"""Variance factors and centres of the losses, from histograms and from resamples of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from lossreport.advice.bins import Bins, bandwidth, huber_centres, huber_psi, share_within
from lossreport.advice.histogram import LARGEST, Floats
from lossreport.advice.shape import Shape

RESAMPLES = 200
SEED = 20260901
POISSON_BELOW = 30
"""Counts up to here are redrawn from Poisson's law, larger ones from a Gaussian of equal
variance."""
BLOCK_BINS = 8_192
"""So many bins are resampled at once: their weights take 13 MB."""
THREADS = 4
"""So many blocks are evaluated at once, for each holds its weights in memory."""
POOL, FEW_POOL = 2048, 256
"""So many Gaussian and (for each mean) Poisson numbers are drawn once; bins beyond use them
again."""


@dataclass(frozen=True)
class Functionals:
    """Variance factors V and centres of the losses, in units of the robust scale s.

    Arrays are of shape (histograms, 1 + resamples): first the data themselves, then resamples.
    """

    rows: Floats
    """How many errors each histogram has; as `scale`, `step` of shape (histograms,)."""
    scale: Floats
    """Robust standard deviation s = 1.4826 median |e - median| of the data, in the target's
    unit."""
    step: Floats
    """Spacing of rounded errors in units of s; 0 if they are not rounded."""
    ks: tuple[float, ...]
    """Each Huber loss's delta."""
    within: Floats
    """Share of the rows whose error is within each delta of Huber's centre; shape (histograms,
    len(ks))."""
    mean: Floats
    median: Floats
    c_huber: Floats
    """Shape (histograms, 1 + resamples, len(ks)), as `v_huber`."""
    v_l2: Floats
    v_l1: Floats
    v_huber: Floats


def functionals(shapes: Sequence[Shape], ks: Sequence[float]) -> Functionals:
    """Return the functionals of histograms, and of 200 Poisson resamples of their counts.

    Scale and deltas stay those of the data. The same histogram gives the same resamples,
    whichever others it is taken with.
    """
    if not shapes:
        raise ValueError("no histogram is given")
    by_size = sorted(range(len(shapes)), key=lambda i: len(shapes[i].histogram.n))
    at_once = max(1, BLOCK_BINS // len(shapes[by_size[-1]].histogram.n))
    blocks = [
        [shapes[i] for i in by_size[at : at + at_once]] for at in range(0, len(shapes), at_once)
    ]
    _pools()  # made once, not by each thread
    with ThreadPoolExecutor(
        min(THREADS, os.cpu_count() or 1)
    ) as threads:  # arithmetic on arrays leaves others run
        parts = list(threads.map(partial(_evaluate, ks=tuple(ks)), blocks))
    order = np.argsort(by_size)
    joined = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])[order]
        for f in fields(Functionals)
        if f.name != "ks"
    }
    return Functionals(ks=tuple(ks), **joined)


@cache
def _pools() -> tuple[Floats, npt.NDArray[np.int8]]:
    """Return standard Gaussian numbers, and Poisson numbers for each mean up to the limit."""
    rng = np.random.default_rng(SEED)
    gaussian = rng.standard_normal((POOL, RESAMPLES))
    means = np.arange(POISSON_BELOW + 1)[:, np.newaxis, np.newaxis]
    poisson = rng.poisson(np.broadcast_to(means, (POISSON_BELOW + 1, FEW_POOL, RESAMPLES)))
    return gaussian, poisson.astype(np.int8)


def _weights(counts: Floats) -> Floats:
    """Return the counts and 200 redrawn ones, shape (histograms, bins, 1 + resamples)."""
    gaussian, poisson = _pools()
    drawn = np.empty((*counts.shape, 1 + RESAMPLES))
    drawn[:, :, 0] = counts
    column = np.arange(counts.shape[1])
    np.multiply(gaussian[column % POOL], np.sqrt(counts)[:, :, np.newaxis], out=drawn[:, :, 1:])
    drawn[:, :, 1:] += counts[:, :, np.newaxis]
    few = np.nonzero((counts > 0) & (counts <= POISSON_BELOW))
    # Spread atoms have whole counts too: a bin's rows are never divided.
    drawn[few[0], few[1], 1:] = poisson[np.round(counts[few]).astype(np.int64), few[1] % FEW_POOL]
    return np.maximum(drawn, 0, out=drawn)


def _evaluate(shapes: Sequence[Shape], ks: tuple[float, ...]) -> Functionals:
    """Return the functionals of a block: all but the median are linear in the bins' weights."""
    bins = Bins.of(shapes)
    scale = np.array([s.scale for s in shapes])
    step = np.array([s.step for s in shapes]) / scale
    start = np.array([s.median for s in shapes]) / scale
    centres = [huber_centres(bins, k, start) for k in ks]
    # About the data's own mean, so that a large bias costs no digits.
    origin = (bins.n / bins.rows[:, np.newaxis] * bins.mean).sum(axis=1)
    away = np.where(bins.n > 0, bins.mean - origin[:, np.newaxis], 0)
    h = _reach(bins, step, start)
    window, below = _window(bins, h)
    weights = _weights(bins.n)
    with np.errstate(over="ignore", invalid="ignore"):
        # A square, or a sum, may be beyond all floats: then L2 is infinitely bad.
        square = np.minimum(away**2 + bins.deviation**2, LARGEST)
        linear = [np.ones_like(away), below, away, square]
        for centre, k in zip(centres, ks, strict=True):
            linear += [*huber_psi(bins, centre, k)]
        total, before, first, second, *psis = np.moveaxis(np.stack(linear, axis=1) @ weights, 1, 0)
        total = np.where(total > 0, total, 1)
        first, second = np.clip([first / total, second / total], -LARGEST, LARGEST)
        v_l2 = np.where(second < LARGEST, second - first**2, np.inf)
        mean = np.clip(origin[:, np.newaxis] + first, -LARGEST / 4, LARGEST / 4)
    v_huber, c_huber = np.empty((2, *total.shape, len(ks)))
    for j, centre in enumerate(centres):
        psi, psi2, part, inside = np.stack(psis[4 * j : 4 * j + 4]) / total
        inside = np.maximum(inside, 1e-12)
        move = psi / inside  # one Newton step from the data's centre
        c_huber[:, :, j] = centre[:, np.newaxis] + move
        moved = psi2 - 2 * move * part + move**2 * inside
        v_huber[:, :, j] = np.maximum(moved, 0) / inside**2
    lower, median, upper = _quantiles(bins, weights, window, before, total, h[:, np.newaxis])
    density = 2 * h[:, np.newaxis] / np.maximum(upper - lower, 1e-12)
    unit = np.array([s.unit for s in shapes])
    return Functionals(
        rows=bins.rows,
        # No delta, which is at most 6 times the scale, may exceed all floats.
        scale=np.minimum(scale, LARGEST / 8 / unit) * unit,
        step=step,
        ks=ks,
        within=np.stack([share_within(bins, *at) for at in zip(centres, ks, strict=True)], axis=1),
        mean=mean,
        median=median,
        c_huber=c_huber,
        v_l2=v_l2,
        v_l1=1 / (4 * density**2),
        v_huber=v_huber,
    )


def _reach(bins: Bins, step: Floats, median: Floats) -> Floats:
    """Return the share of the rows on each side of the median that its density is taken from.

    At least those within half a step, where the errors are rounded: between two rounded values
    there is nothing to see.
    """
    centre, half = median[:, np.newaxis], step[:, np.newaxis] / 2
    width = bins.high - bins.low
    inside = np.minimum(bins.high, centre + half) - np.maximum(bins.low, centre - half)
    part = np.divide(np.maximum(inside, 0), width, out=np.zeros_like(width), where=width > 0)
    share: Floats = (bins.n * part).sum(axis=1) / bins.rows
    return np.minimum(np.maximum(bandwidth(bins.rows), share / 2), 0.45)


def _window(bins: Bins, h: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Return which bins the median and its neighbourhood can be in, and 1 for those below them."""
    reach = (h + 4 / np.sqrt(bins.rows))[:, np.newaxis]  # eight standard errors
    share = bins.n / bins.rows[:, np.newaxis]
    after = np.cumsum(bins.n, axis=1) / bins.rows[:, np.newaxis]
    window = (after >= 0.5 - reach) & (after - share <= 0.5 + reach) & (bins.n > 0)
    return window, (after < 0.5 - reach).astype(np.float64)


def _quantiles(
    bins: Bins,
    weights: Floats,
    window: npt.NDArray[np.bool_],
    before: Floats,
    total: Floats,
    h: Floats,
) -> list[Floats]:
    """Return the errors at 1/2 - h, 1/2 and 1/2 + h of each resample's weight."""
    # The windows, which are runs of bins, as lines of one length.
    length, first = window.sum(axis=1), window.argmax(axis=1)
    low, high = np.zeros((2, len(length), length.max()))
    each = np.zeros((*low.shape, weights.shape[2]))
    for i, (start, size) in enumerate(zip(first.tolist(), length.tolist(), strict=True)):
        run = slice(start, start + size)
        low[i, :size], high[i, :size] = bins.low[i, run], bins.high[i, run]
        each[i, :size] = weights[i, run]
    after = np.cumsum(each, axis=1)
    after += before[:, np.newaxis, :]
    found = []
    for level in (0.5 - h, 0.5, 0.5 + h):
        rank = level * total
        bin_ = np.minimum((after < rank[:, np.newaxis, :]).sum(axis=1), length[:, np.newaxis] - 1)
        weight = np.take_along_axis(each, bin_[:, np.newaxis, :], axis=1)[:, 0]
        start = np.take_along_axis(after, bin_[:, np.newaxis, :], axis=1)[:, 0] - weight
        part = np.clip((rank - start) / np.where(weight > 0, weight, 1), 0, 1)
        near, far = (np.take_along_axis(v, bin_, axis=1) for v in (low, high))
        found.append(near + part * (far - near))
    return found
