"""Follows figures night by night: nights that are off, shifts of level, slow creeping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossreport.chances import holm
from lossreport.nights.breaks import Break, best_break
from lossreport.nights.reference import WINDOW, Bools, Ints, Usual, clipped_mean, usual
from lossreport.nights.series import Floats

BLOCKS = (2, 3, 5, 8)
"""A shift is looked for in so many of the last nights together."""
LONGEST = max(BLOCKS)
CUT = 5.0
"""In a shift no night counts as more standard deviations than this."""
SECOND = 2.0
"""So far off at least one more night of a shift must be, on the same side: one alone is none."""
FEWEST = 7
"""Nights, beside tonight, that tell how much a figure varies."""
STRETCH = 14
"""Creeping is the mean of so many nights against that of the first as many: whole weeks."""
QUIET_AFTER = 70
"""Nights after creeping was told or seen to go on in which it is not told again."""
SMALL_STEPS = 3.0
"""A step of less than so many of the smallest changes told is part of creeping the same way."""
LEAN = 6.0
"""What two weeks tell against two others is a slope, unless a step fits better by so much."""
CHANCE = 0.0005
"""Of a false alarm of one kind on one night, over all places and figures (Holm 1979)."""
MEAN_VARIANCE = 1.1
"""Of a clipped mean of n nights, times n, in variances of a night."""


@dataclass(frozen=True)
class Hit:
    """A row that is beyond chance."""

    row: int
    z: float
    """In standard deviations of a Gaussian."""
    moved: float


@dataclass(frozen=True)
class Look:
    """What one night, or a few together, say of each row."""

    level: Floats
    """That the night was expected at, weekday included."""
    sigma: Floats
    """Of one night and of what the level is known by."""
    z: Floats
    """NaN where there is nothing to go by."""
    moved: Floats


@dataclass
class State:
    """What is known while the nights are gone through."""

    values: Floats
    """On the tested scale, earlier nights moved to the level of today; shape (rows, nights)."""
    variance: Floats
    good: Bools
    """Nights that tell what is usual."""
    start: Ints
    """The first night of each row's present level."""
    quiet_until: Ints
    """Up to which night creeping is known of, and not told again, ..."""
    heading: Floats
    """... and whether it goes up (1) or down (-1)."""
    weekday: Ints
    figures: int
    in_proportion: Bools
    """Rows on a scale of logarithms."""


def begin(
    values: Floats, variance: Floats, weekday: Ints, figures: int, in_proportion: Bools
) -> State:
    """Return the state before the first night."""
    rows = values.shape[0]
    return State(
        values.copy(), variance, np.isfinite(values), np.zeros(rows, np.int64),
        np.full(rows, -1), np.zeros(rows), weekday, figures, in_proportion,
    )  # fmt: skip


def usual_before(state: State, night: int) -> Usual:
    """Return how figures vary, from the nights before; the last few only while nights are few."""
    end = night - min(LONGEST - 1, night // 4)
    span = slice(max(0, end - WINDOW), end)
    values = np.where(state.good[:, span], state.values[:, span], np.nan)
    return usual(values, state.variance[:, span], state.weekday[span], state.figures)


def look(state: State, night: int, block: int, known: Usual, cut: float) -> Look:
    """Return how far the last nights (a block) are from the level before them.

    A night's variance is that of `known`, or more if its own rows say so: one huge error then
    makes its night's figure large and unsure at once. The sum of the nights' deviations, each in
    its standard deviations and at most `cut`, is Gaussian with the variance
    m + m**2 * 1.1 / nights of the level; Student's t where few nights tell the spread, with twice
    their degrees of freedom because other places tell it too (`usual`).
    """
    end = night - block + 1
    span = slice(max(0, end - WINDOW), end)
    before = np.arange(span.start, span.stop)
    ours = state.good[:, span] & (before >= state.start[:, np.newaxis])
    settled = state.values[:, span] - known.effect[:, state.weekday[span]]
    level, nights = clipped_mean(np.where(ours, settled, np.nan), np.sqrt(known.variance))
    some = slice(end, night + 1)
    away = state.values[:, some] - known.effect[:, state.weekday[some]] - level[:, np.newaxis]
    own = state.variance[:, some] * np.where(
        state.in_proportion[:, np.newaxis], np.exp(2 * np.clip(away, 0, 50)), 1.0
    )
    between = np.maximum(known.variance - known.sampling, 0.0)[:, np.newaxis]
    sigma = np.sqrt(np.fmax(known.variance[:, np.newaxis], between + own))
    with np.errstate(all="ignore"):
        each = np.clip(away / sigma, -cut, cut)
        there = np.isfinite(each)
        m = there.sum(axis=1)
        wide = m + m**2 * MEAN_VARIANCE / np.maximum(nights, 1)
        t = np.where(there, each, 0.0).sum(axis=1) / np.sqrt(wide)
        moved = np.where(there, away, 0.0).sum(axis=1) / m
    told = there[:, -1] & (m >= min(block, 2)) & (nights >= 2) & (known.nights >= FEWEST - 1)
    if block > 1:
        second = np.sort(np.where(there, each * np.sign(t)[:, np.newaxis], -np.inf), axis=1)[:, -2]
        t = np.where(second >= SECOND, t, 0.0)
    z = np.where(told, gaussian(t, np.maximum(2 * known.nights, 1)), np.nan)
    expected = level + known.effect[:, state.weekday[night]]
    spread = np.sqrt(known.variance * (1 + MEAN_VARIANCE / np.maximum(nights, 1)))
    return Look(expected, np.where(told, spread, np.nan), z, moved)


def gaussian(t: Floats, freedom: Ints) -> Floats:
    """Return the Gaussian deviation that is as rare as a Student's t (Wallace 1959)."""
    root = np.sqrt(freedom * np.log1p(t**2 / freedom))
    return np.asarray(np.sign(t) * root * (8 * freedom + 1) / (8 * freedom + 3))


def beyond_chance(z: Floats, moved: Floats, least: Floats) -> list[Hit]:
    """Return the rows beyond chance, by Holm's rule over all rows told, that moved enough."""
    told = np.where(np.isfinite(z), np.abs(z), np.nan)
    chances = np.array([math.erfc(x / math.sqrt(2)) for x in told])  # of NaN, NaN
    beyond = holm(chances, CHANCE) & (np.abs(moved) >= least)
    ranked = np.argsort(-told, kind="stable")  # far out, chances are 0 and tell nothing apart
    return [Hit(int(row), float(z[row]), float(moved[row])) for row in ranked if beyond[row]]


def shifted(state: State, night: int, known: Usual, least: Floats) -> list[Hit]:
    """Return the rows whose level seems to have moved in the last nights.

    The largest deviation of any block, in whose place the chance of all blocks counts.
    """
    looks = [look(state, night, b, known, CUT) for b in BLOCKS if b <= night]
    if not looks:
        return []
    z = np.stack([np.nan_to_num(x.z) for x in looks])
    best = np.argmax(np.abs(z), axis=0)
    rows = np.arange(z.shape[1])
    told = np.isfinite(looks[0].z)
    chosen = np.where(told, _of_several(z[best, rows], len(looks)), np.nan)
    return beyond_chance(chosen, np.stack([x.moved for x in looks])[best, rows], least)


def _of_several(z: Floats, several: int) -> Floats:
    """Return a deviation that is as rare as the largest of several, from above."""
    # The Gaussian tail falls like exp(-z**2 / 2): a chance times k is z**2 less 2 ln k.
    return np.asarray(np.sign(z) * np.sqrt(np.maximum(z**2 - 2 * math.log(several), 0.0)))


def crept(state: State, night: int, known: Usual, least: Floats) -> list[Hit]:
    """Return the rows whose last two weeks are away from the first two of their level."""
    rows = state.values.shape[0]
    if night + 1 < 2 * STRETCH:
        return []
    first = state.start[:, np.newaxis] + np.arange(STRETCH)
    first = np.minimum(first, night)
    last = np.broadcast_to(np.arange(night - STRETCH + 1, night + 1), (rows, STRETCH))
    old, new = (_settled(state, known, nights) for nights in (first, last))
    scale = np.sqrt(known.variance)
    (a, n), (b, m) = clipped_mean(old, scale), clipped_mean(new, scale)
    free = np.maximum(n + m - 2, 1)
    squares = _squares(old, a, scale) + _squares(new, b, scale)
    variance = np.fmax(squares / free, known.sampling)
    with np.errstate(all="ignore"):
        t = (b - a) / np.sqrt(MEAN_VARIANCE * variance * (1 / n + 1 / m))
    told = (night - state.start + 1 >= 2 * STRETCH) & (np.minimum(n, m) >= STRETCH - 4)
    return beyond_chance(np.where(told, gaussian(t, free), np.nan), b - a, least)


def _squares(values: Floats, centre: Floats, scale: Floats) -> Floats:
    """Return the sum of squared distances, each at most three scales."""
    away = np.abs(values - centre[:, np.newaxis])
    return np.asarray(np.nansum(np.minimum(away, 3 * scale[:, np.newaxis]) ** 2, axis=1))


def _settled(state: State, known: Usual, nights: Ints) -> Floats:
    """Return each row's values on nights of its own, without weekly pattern."""
    values = np.take_along_axis(state.values, nights, 1)
    good = np.take_along_axis(state.good, nights, 1)
    effect = np.take_along_axis(known.effect, state.weekday[nights], 1)
    return np.where(good, values - effect, np.nan)


def broken_at(state: State, night: int, row: int, known: Usual, lean: float = 0.0) -> Break | None:
    """Return where and how a row's level changed: the most likely step or slope."""
    first = max(int(state.start[row]), night - 2 * WINDOW)
    nights = np.arange(first, night + 1)
    there = np.isfinite(state.values[row, first : night + 1])
    values = state.values[row, nights] - known.effect[row, state.weekday[nights]]
    return best_break(nights[there], values[there], math.sqrt(known.variance[row]), lean)


def goes_on(state: State, night: int, row: int, at: Break, least: float) -> bool:
    """Return whether a change is creeping that is known of already."""
    if state.quiet_until[row] < night or state.heading[row] * (at.now - at.before) <= 0:
        return False
    return at.kind == "slope" or abs(at.now - at.before) < SMALL_STEPS * least


def move(state: State, night: int, rows: Sequence[int], at: Break, known: Usual) -> None:
    """Begin a new level: earlier nights are moved to it, so that they still tell the spread."""
    for row in rows:
        start = int(state.start[row])
        begins = max(at.night, night - STRETCH + 1) if at.kind == "slope" else at.night
        if begins <= start:
            continue
        settled = state.values[row] - known.effect[row, state.weekday]
        new = settled[begins : night + 1]
        since = max(start, at.night) if at.night < begins else start
        gone = np.zeros(begins)
        if at.kind == "slope":
            steepness = _slope(settled[since : night + 1])
            gone = np.maximum(np.arange(begins) - since, 0) * steepness
            state.quiet_until[row] = night + QUIET_AFTER
            state.heading[row] = math.copysign(1.0, at.now - at.before)
        old = _middle(settled[since:begins] - gone[since:])
        state.values[row, :begins] += _middle(new) - old - gone
        state.good[row, begins : night + 1] = np.isfinite(new)
        state.start[row] = begins


def _middle(values: Floats) -> float:
    some = values[np.isfinite(values)]
    return float(np.median(some)) if len(some) else 0.0


def _slope(values: Floats) -> float:
    """Return the least-squares slope by night; 0 of fewer than two."""
    nights = np.flatnonzero(np.isfinite(values))
    if len(nights) < 2:
        return 0.0
    away = nights - nights.mean()
    return float((away * values[nights]).sum() / (away**2).sum())
