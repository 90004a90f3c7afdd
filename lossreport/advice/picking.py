"""Picks L2, Huber or L1 by what each wastes in resamples of the errors, and says how surely.

Each loss j needs a number of rows proportional to its variance factor V_j, and aims at a centre
c_j of the errors (L2 the mean, L1 the median, Huber between):

    score_j = rho V_j + (c_j - c_goal)^2, the second term only if mean and median surely differ
    regret_j = 1 - min_i score_i / score_j: the share of rows that loss j wastes

The mean over the resamples counts like the rows there are. To it is added what is usual: a few
rows' worth of the mean regrets over many laws, and more of those over the laws that fit the
errors (`usual`), the less the worse they fit.

A loss that does not aim at a given goal must save more than n / 200 of the n rows that are judged,
so from 200 on none does. What a loss loses by its variance shrinks with more rows (for L2 it is
about p / 2n of the RMSE, with p parameters); what it loses by aiming beside the goal stays, and
where the errors' law changes with the features, the errors alone do not show it. Measured on
hundreds of regressions: benchmarks/README.md, "R's data sets".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lossreport.advice.advice import LOSSES, Goal
from lossreport.advice.histogram import Floats
from lossreport.advice.resampling import Functionals
from lossreport.advice.shape import Shape
from lossreport.advice.usual import Usual, regret_of, usual

Ints = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

RHO = 0.02
"""Effective parameters per training row; it matters only where mean and median differ."""
AIM_ROWS = 200
"""A loss that does not aim at a goal must save more than (rows judged / so many) of the rows."""
ASTRAY: dict[Goal, tuple[str, ...]] = {"totals": ("Huber", "L1"), "typical": ("L2",)}
"""The losses that do not aim at a goal; Huber's centre lies between mean and median."""
AS_GOOD = 0.05
"""A loss that wastes no more than this share of the rows is as good as the best."""
CLEARLY_WORSE = 0.15
TIE = 0.01


@dataclass(frozen=True)
class Picked:
    """What is picked for each of some histograms; losses are numbers into LOSSES.

    Arrays are of shape (histograms,).
    """

    loss: Ints
    """For the goal that was given."""
    for_totals: Ints
    for_typical: Ints
    depends: Marks
    """Where no goal was given, and what the errors suit depends on it."""
    probability: Floats
    """The share of resamples in which `loss` is as good as the best."""
    ruled_out: Marks
    """Which losses surely waste rows and suit the errors for no goal, shape (histograms, 3)."""
    lopsided: Marks
    """Where mean and median surely differ ..."""
    gap: Floats
    """... and mean less median in units of s."""


@dataclass(frozen=True)
class _OfGoal:
    """The losses as one goal judges them."""

    regret: Floats
    """In each resample, by what the errors show; shape (histograms, resamples, 3)."""
    astray: Floats
    """What share of the rows each must save beside, shape (histograms, 3)."""
    suits: Ints
    """The loss that the errors suit ..."""
    picked: Ints
    """... and the one to be taken."""


def pick(
    goal: Goal, shapes: Sequence[Shape], made: Functionals, main: int, broken: Marks
) -> Picked:
    """Pick a loss by its expected regret over the resamples, for each histogram.

    Parameters
    ----------
    goal
        What must be right.
    made
        The functionals of the shapes.
    main
        Which of its deltas is Huber's.
    broken
        Where rows lie apart from all others: their mean is nobody's goal. Shape (histograms,).
    """
    v, centres = factors(made, main), _centres(made, main)
    wasted = regret_of(v[:, 1:])
    lopsided, gap = _lopsided(made)
    mixed = usual(shapes, ~lopsided)

    def of(asked: Goal, aim: Floats) -> _OfGoal:
        aimed = _regret(v, centres, aim)
        regret = np.where(lopsided[:, np.newaxis, np.newaxis], aimed, wasted)
        expected = _expected(regret, made.rows, mixed)
        astray = _astray(asked, made.rows, broken)
        return _OfGoal(regret, astray, _smallest(expected), _smallest(expected + astray))

    totals, typical = of("totals", made.mean), of("typical", made.median)
    if goal == "unknown":
        # Where the goals differ, the compromise: the smallest regret of the worse of both.
        regret = np.maximum(totals.regret, typical.regret)
        depends = totals.suits != typical.suits
        compromise = _smallest(_expected(regret, made.rows, mixed))
        loss = np.where(depends, compromise, totals.suits)
    else:
        depends = np.zeros(len(made.rows), dtype=np.bool_)
        loss, regret = _for_goal(goal, totals, typical, wasted)
    hit = np.take_along_axis(regret, loss[:, np.newaxis, np.newaxis], axis=2)[:, :, 0]
    # A loss may waste rows and still be the one that aims at what must be right.
    meant = np.stack([loss, totals.suits, typical.suits], axis=1)[:, :, np.newaxis]
    out = np.mean(wasted > CLEARLY_WORSE, axis=1) >= 0.95
    return Picked(
        loss=loss,
        for_totals=totals.picked,
        for_typical=typical.picked,
        depends=depends,
        probability=np.mean(hit <= AS_GOOD, axis=1),
        ruled_out=out & (meant != np.arange(len(LOSSES))).all(axis=1),
        lopsided=lopsided,
        gap=gap,
    )


def _for_goal(goal: Goal, totals: _OfGoal, typical: _OfGoal, wasted: Floats) -> tuple[Ints, Floats]:
    """Return the pick for a given goal, and the regrets that tell how sure it is."""
    if goal == "large-errors":
        return np.full(len(wasted), LOSSES.index("L2")), wasted
    given = totals if goal == "totals" else typical
    regret = given.regret + given.astray[:, np.newaxis]
    return given.picked, regret - regret.min(axis=2, keepdims=True)


def factors(made: Functionals, main: int) -> Floats:
    """Return V of each loss, shape (histograms, 1 + resamples, 3)."""
    return np.stack([made.v_l2, made.v_huber[:, :, main], made.v_l1], axis=2)


def _centres(made: Functionals, main: int) -> Floats:
    return np.stack([made.mean, made.c_huber[:, :, main], made.median], axis=2)


def _regret(v: Floats, centres: Floats, aim: Floats) -> Floats:
    """Return the regrets in each resample if `aim` must be right."""
    with np.errstate(over="ignore"):  # a loss may be infinitely bad
        return regret_of((RHO * v + (centres - aim[:, :, np.newaxis]) ** 2)[:, 1:])


def _lopsided(made: Functionals) -> tuple[Marks, Floats]:
    """Return where the 99 % interval of mean - median leaves out 0, and (mean - median) / s."""
    gap = made.mean - made.median
    low, high = np.quantile(gap[:, 1:], [0.005, 0.995], axis=1)
    return (low > 0) | (high < 0), gap[:, 0]


def _expected(regret: Floats, rows: Floats, mixed: Usual) -> Floats:
    """Return the expected regrets, mixed with what is usual; shape (histograms, 3)."""
    n, more = rows[:, np.newaxis], mixed.rows[:, np.newaxis]
    return np.asarray((n * regret.mean(axis=1) + more * mixed.regret) / (n + more))


def _smallest(expected: Floats) -> Ints:
    """Return the loss with the smallest expected regret; ties are L2's."""
    best = expected.argmin(axis=1)
    return np.where(expected[:, 0] <= expected.min(axis=1) + TIE, 0, best)


def _astray(goal: Goal, rows: Floats, broken: Marks) -> Floats:
    """Return the share of the rows that each loss must save to be taken for a goal."""
    share: Floats = np.where(broken, 0.0, rows / AIM_ROWS)
    of_loss = np.array([loss in ASTRAY[goal] for loss in LOSSES], dtype=np.float64)
    return share[:, np.newaxis] * of_loss


def confidence(probability: float, rows: float) -> Literal["high", "moderate", "low"]:
    """Return how sure a pick is; the limits are those that held in simulations."""
    if rows < 100:
        return "low"
    if rows >= 1000 and probability >= 0.95:
        return "high"
    return "moderate" if probability >= (0.95 if rows < 200 else 0.80) else "low"
