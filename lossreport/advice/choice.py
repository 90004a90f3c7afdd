"""Which loss suits the data: L2, Huber or L1, from the histogram of the errors.

Each loss j needs a number of rows proportional to its variance factor V_j, and aims at a centre
c_j of the errors (L2 the mean, L1 the median, Huber between). Which is best is decided in
resamples of the histogram:

    V_L2 = Var(e)    V_L1 = 1 / (4 f(median)^2)    V_Huber = E[psi^2] / P(|e - c| < delta)^2
    score_j = rho V_j + (c_j - c_goal)^2, the second term only if mean and median surely differ
    regret_j = 1 - min_i score_i / score_j: the share of rows that loss j wastes

The mean over the resamples counts like the rows there are. To it is added what is usual: a few
rows' worth of the mean regrets over many laws, and more of those over the laws that fit the
errors (`usual`), the less the worse they fit.

Efficiency of estimators: Huber 1964; f at the median: Hall and Sheather 1988; the choice of a
loss by estimated variance follows Dodge and Jureckova, *Adaptive Regression* (2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from lossreport.advice.advice import LOSSES, Advice, Efficiency, Goal
from lossreport.advice.gap import Gap
from lossreport.advice.histogram import ErrorHistogram, Floats
from lossreport.advice.mixing import Decomposition
from lossreport.advice.resampling import Functionals, Shape, functionals
from lossreport.advice.shape import MINIMUM_ROWS, Judged, shape_of
from lossreport.advice.usual import Usual, regret_of, usual
from lossreport.formats import count

Ints = npt.NDArray[np.int64]

RHO = 0.02
"""Effective parameters per training row; it matters only where mean and median differ."""
K = 1.345
"""delta / s at which Huber is 95 % efficient for Gaussian errors (Huber 1964)."""
OTHER_K = (0.5, 0.75, 1.0, 1.75, 2.25, 3.0, 4.0)
DIAL_K = (0.1, 0.25, 0.5, 0.75, 1.0, 1.345, 1.75, 2.25, 3.0, 4.0, 6.0)
AS_GOOD = 0.05
"""A loss that wastes no more than this share of the rows is as good as the best."""
BETWEEN = 1.03
"""From this factor between groups on, weights come before another loss."""
CLEARLY_WORSE = 0.15
TIE = 0.01


def advise(
    histogram: ErrorHistogram | None, rows: int, goal: Goal = "unknown", *, detail: bool = True
) -> Advice:
    """Recommend a loss for the rows of a histogram; see `advise_all`."""
    (advice,) = advise_all([(histogram, rows)], goal, detail=detail)
    return advice


def advise_all(
    each: Sequence[tuple[ErrorHistogram | None, int]], goal: Goal = "unknown", *, detail: bool
) -> list[Advice]:
    """Recommend a loss for the rows of each of some histograms.

    Parameters
    ----------
    each
        The rows' errors (None if there are none or if they were not kept), and how many rows.
    goal
        What must be right: "totals" (the mean), the "typical" row (the median), or
        "large-errors" must not happen.
    detail
        Also look for a better delta than 1.345 s and judge Huber along the dial; groups do without.

    Returns
    -------
    list of Advice
        `verdict` "not-enough-rows" below 50 rows and "cannot-say" for errors that have no shape
        to judge: all 0, most of one value, or far from 0.
    """
    judged = [
        None if histogram is None or rows < MINIMUM_ROWS else shape_of(histogram)
        for histogram, rows in each
    ]
    shapes = [j.shape for j in judged if j and j.shape]
    repaired = [j.repaired for j in judged if j and j.repaired]
    ks = tuple(sorted({K, *OTHER_K, *DIAL_K})) if detail else (K,)
    both = [*shapes, *repaired]
    picked = _judge(goal, both, functionals(both, ks)) if both else []
    of_all, of_repaired = iter(picked[: len(shapes)]), iter(picked[len(shapes) :])
    advised = []
    for (_, rows), found in zip(each, judged, strict=True):
        if found is None or found.shape is None:
            advised.append(_no_advice(found, rows, goal))
            continue
        advice = replace(next(of_all), rows=rows, flags=found.flags, zeros=found.zeros)
        if found.broken:
            advice = _checked_first(advice, found.broken, next(of_repaired))
        advised.append(advice)
    return advised


def _no_advice(found: Judged | None, rows: int, goal: Goal) -> Advice:
    """Return why there is no advice."""
    if rows < MINIMUM_ROWS:
        too_few = f"{count(rows, 'row')}, and {MINIMUM_ROWS} are needed"
        reason = f"Too few rows to choose a loss: {too_few}."
        return Advice("not-enough-rows", None, goal, rows, reason=reason)
    if found is None:
        reason = "There are too many groups to keep the shape of each one's errors."
        return Advice("cannot-say", None, goal, rows, reason=reason)
    return Advice(
        "cannot-say", None, goal, rows, reason=found.reason, flags=found.flags, zeros=found.zeros
    )


def _checked_first(advice: Advice, broken: Gap, repaired: Advice) -> Advice:
    """Return the advice to check rows that lie apart before anything else."""
    return replace(
        advice,
        verdict="check-rows-first",
        loss=advice.best_guess,
        broken=broken,
        loss_if_repaired=repaired.best_guess,
        delta_if_repaired=repaired.delta,
    )


def with_weights(
    advice: Advice, by: tuple[str, ...], mixing: Decomposition, inside: Advice
) -> Advice:
    """Return the advice to weight rows first, if it is groups of different size that make the tail.

    Parameters
    ----------
    advice
        For the errors as they are.
    by, mixing
        Columns to group by, and the decomposition of the ratio over their groups.
    inside
        For the errors of all groups, each by its own scale (`mixing.stacked`).
    """
    decided = advice.verdict in ("check-rows-first", "quantile") or advice.goal != "unknown"
    if decided or advice.loss in (None, "L2") or advice.best_guess == "L2":
        return advice
    if inside.best_guess != "L2" or mixing.between < BETWEEN:
        return advice
    return replace(advice, verdict="weights", loss="weighted L2", weights_by=by, mixing=mixing)


def with_costs(
    advice: Advice, histogram: ErrorHistogram | None, cost_under: float, cost_over: float
) -> Advice:
    """Return the advice for costs that differ by side: the quantile loss at their level.

    Parameters
    ----------
    cost_under, cost_over
        What a unit of error costs where the prediction is too low, and where it is too high;
        positive. The mean cost is smallest at the quantile cost_under / (cost_under + cost_over)
        of the actual value (Koenker and Bassett 1978).
    """
    level = cost_under / (cost_under + cost_over)
    if histogram is None or advice.rows * min(level, 1 - level) < MINIMUM_ROWS:
        side = "above" if level > 0.5 else "below"
        reason = (
            f"Too few rows for a quantile loss at level {level:.3g}: {MINIMUM_ROWS} must lie "
            f"{side} it, and of {count(advice.rows, 'row')} only about "
            f"{advice.rows * min(level, 1 - level):.0f} do."
        )
        return replace(advice, verdict="not-enough-rows", loss=None, reason=reason, level=level)
    (quantile,) = histogram.quantile([1 - level])  # of predicted - actual
    verdict = advice.verdict if advice.broken else "quantile"
    shift = -(quantile + histogram.level)
    return replace(advice, verdict=verdict, loss="quantile", level=level, shift=shift)


def _judge(goal: Goal, shapes: Sequence[Shape], made: Functionals) -> list[Advice]:
    """Pick a loss by its expected regret over the resamples, for each histogram."""
    main = made.ks.index(K)
    v = np.stack([made.v_l2, made.v_huber[:, :, main], made.v_l1], axis=2)
    centres = np.stack([made.mean, made.c_huber[:, :, main], made.median], axis=2)
    wasted = regret_of(v[:, 1:])
    lopsided, gap = _lopsided(made)
    regrets = {}
    for name, aim in (("totals", made.mean), ("typical", made.median)):
        with np.errstate(over="ignore"):  # a loss may be infinitely bad
            aimed = regret_of((RHO * v + (centres - aim[:, :, np.newaxis]) ** 2)[:, 1:])
        regrets[name] = np.where(lopsided[:, np.newaxis, np.newaxis], aimed, wasted)
    mixed = usual(shapes, ~lopsided)
    picks = {name: _pick(regret, made.rows, mixed) for name, regret in regrets.items()}
    chosen, regret, undecided = _chosen(goal, regrets, picks, wasted, made.rows, mixed)
    hit = np.take_along_axis(regret, chosen[:, np.newaxis, np.newaxis], axis=2)[:, :, 0]
    probability = np.mean(hit <= AS_GOOD, axis=1)
    ruled_out = np.mean(wasted > CLEARLY_WORSE, axis=1) >= 0.95
    needed = v[:, 0] / v[:, 0].min(axis=1, keepdims=True)
    efficiency = _efficiencies(made, ("L2", K, "L1"))
    dial = _efficiencies(made, ("L1", *DIAL_K, "L2")) if len(made.ks) > 1 else None
    advised = []
    for i, rows in enumerate(made.rows):
        sure = _confidence(float(probability[i]), float(rows))
        unclear = sure == "low" and goal == "unknown" and not undecided[i]
        best_guess = LOSSES[chosen[i]]
        # A loss may waste rows and still be the one that aims at what must be right.
        meant = {best_guess, *(LOSSES[pick[i]] for pick in picks.values())}
        if made.v_huber[i, 0].min() * (1 - CLEARLY_WORSE) < v[i, 0].min():
            meant.add("Huber")  # with another delta
        out = tuple(loss for j, loss in enumerate(LOSSES) if ruled_out[i, j] and loss not in meant)
        delta_at = _best_delta(made.ks, made.v_huber[i, 0])
        advised.append(
            Advice(
                verdict="no-clear-winner" if unclear else "depends" if undecided[i] else "clear",
                loss="Huber" if unclear and "Huber" not in out else best_guess,
                best_guess=best_guess,
                goal=goal,
                rows=0,
                confidence=sure,
                probability=float(probability[i]),
                delta=made.ks[delta_at] * float(made.scale[i]),
                delta_quantile=float(made.within[i, delta_at]),
                scale=float(made.scale[i]),
                efficiency=efficiency[i],
                dial=dial[i] if dial else (),
                for_totals=LOSSES[picks["totals"][i]],
                for_typical=LOSSES[picks["typical"][i]],
                ruled_out=out,
                lopsided=float(gap[i]) if lopsided[i] else None,
                rows_needed=tuple(zip(LOSSES, needed[i].tolist(), strict=True)),
            )
        )
    return advised


def _chosen(
    goal: Goal,
    regrets: dict[str, Floats],
    picks: dict[str, Ints],
    wasted: Floats,
    rows: Floats,
    mixed: Usual,
) -> tuple[Ints, Floats, npt.NDArray[np.bool_]]:
    """Return the pick for the goal, the regrets it was made by, and where it depends on the goal.

    Where it does, the compromise: the smallest regret of the worse of both goals.
    """
    nowhere = np.zeros(len(rows), dtype=np.bool_)
    if goal == "large-errors":
        return np.full(len(rows), LOSSES.index("L2")), wasted, nowhere
    if goal != "unknown":
        return picks[goal], regrets[goal], nowhere
    undecided = picks["totals"] != picks["typical"]
    regret = np.maximum(regrets["totals"], regrets["typical"])
    return np.where(undecided, _pick(regret, rows, mixed), picks["totals"]), regret, undecided


def _pick(regret: Floats, rows: Floats, mixed: Usual) -> Ints:
    """Return the loss with the smallest expected regret, mixed with what is usual.

    Ties are L2's.
    """
    n, more = rows[:, np.newaxis], mixed.rows[:, np.newaxis]
    expected = (n * regret.mean(axis=1) + more * mixed.regret) / (n + more)
    best = expected.argmin(axis=1)
    return np.where(expected[:, 0] <= expected.min(axis=1) + TIE, 0, best)


def _lopsided(made: Functionals) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Return where the 99 % interval of mean - median leaves out 0, and (mean - median) / s."""
    gap = made.mean - made.median
    low, high = np.quantile(gap[:, 1:], [0.005, 0.995], axis=1)
    return (low > 0) | (high < 0), gap[:, 0]


def _confidence(probability: float, rows: float) -> Literal["high", "moderate", "low"]:
    """Return how sure the pick is; the limits are those that held in simulations."""
    if rows < 100:
        return "low"
    if rows >= 1000 and probability >= 0.95:
        return "high"
    return "moderate" if probability >= (0.95 if rows < 200 else 0.80) else "low"


def _best_delta(ks: tuple[float, ...], v_huber: Floats) -> int:
    """Return the index of 1.345, or of a k that needs more than 3 % fewer rows."""
    main = ks.index(K)
    others = [i for i, k in enumerate(ks) if k in OTHER_K]
    best = min(others, key=lambda i: float(v_huber[i]), default=main)
    return best if v_huber[best] < 0.97 * v_huber[main] else main


def _efficiencies(
    made: Functionals, which: tuple[str | float, ...]
) -> list[tuple[Efficiency, ...]]:
    """Return the efficiency of L1, L2 and Huber losses (by k) against the best of them."""
    by_name = {"L2": made.v_l2, "L1": made.v_l1}
    factors = np.stack(
        [by_name[w] if isinstance(w, str) else made.v_huber[:, :, made.ks.index(w)] for w in which],
        axis=2,
    )
    value = 1 - regret_of(factors)
    low, high = np.quantile(value[:, 1:], [0.05, 0.95], axis=1)
    return [
        tuple(
            Efficiency(
                loss=w if isinstance(w, str) else "Huber",
                k=None if isinstance(w, str) else w,
                delta=None if isinstance(w, str) else w * float(scale),
                value=float(value[i, 0, j]),
                low=float(low[i, j]),
                high=float(high[i, j]),
            )
            for j, w in enumerate(which)
        )
        for i, scale in enumerate(made.scale)
    ]
