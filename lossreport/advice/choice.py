"""Which loss suits the data: L2, Huber or L1, from the histogram of the errors.

    V_L2 = Var(e)    V_L1 = 1 / (4 f(median)^2)    V_Huber = E[psi^2] / P(|e - c| < delta)^2

are proportional to the rows that each needs; `picking` decides by them, in resamples of the
histogram, and by what the losses aim at.

Efficiency of estimators: Huber 1964; f at the median: Hall and Sheather 1988; the choice of a
loss by estimated variance follows Dodge and Jureckova, *Adaptive Regression* (2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from lossreport.advice.advice import LOSSES, WHOLE, Advice, Efficiency, Goal
from lossreport.advice.gap import Gap
from lossreport.advice.histogram import ErrorHistogram, Floats
from lossreport.advice.mixing import Decomposition
from lossreport.advice.picking import CLEARLY_WORSE, Marks, confidence, factors, pick
from lossreport.advice.resampling import Functionals, functionals
from lossreport.advice.shape import MINIMUM_ROWS, Judged, Shape, shape_of
from lossreport.advice.usual import regret_of
from lossreport.formats import count
from lossreport.losses import HUBER_K

K = HUBER_K
OTHER_K = (0.5, 0.75, 1.0, 1.75, 2.25, 3.0, 4.0)
DIAL_K = (0.1, 0.25, 0.5, 0.75, 1.0, K, 1.75, 2.25, 3.0, 4.0, 6.0)
BETWEEN = 1.03
"""From this factor between groups on, weights come before another loss."""


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
    broken = [j.broken is not None for j in judged if j and j.shape] + [False] * len(repaired)
    picked = _judge(goal, both, functionals(both, ks), np.array(broken)) if both else []
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
        repaired=repaired,
    )


def with_weights(
    advice: Advice, by: tuple[str, ...], mixing: Decomposition, inside: Advice, scales: float
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
    scales
        How far these scales differ (`mixing.between_scales`): where the groups' MAE differs by
        their mean errors or a few rows, weights are no remedy.
    """
    decided = advice.verdict in ("check-rows-first", "quantile") or advice.goal != "unknown"
    if decided or advice.loss in (None, "L2") or advice.best_guess == "L2":
        return advice
    if inside.best_guess != "L2" or min(mixing.between, scales) < BETWEEN:
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


def _judge(goal: Goal, shapes: Sequence[Shape], made: Functionals, broken: Marks) -> list[Advice]:
    """Return the advice for each histogram; its number of rows is for the caller to say."""
    main = made.ks.index(K)
    picked = pick(goal, shapes, made, main, broken)
    v = factors(made, main)[:, 0]
    efficiency = _efficiencies(made, ("L2", K, "L1"))
    dial = _efficiencies(made, ("L1", *DIAL_K, "L2")) if len(made.ks) > 1 else None
    advised = []
    for i, rows in enumerate(made.rows):
        sure = confidence(float(picked.probability[i]), float(rows))
        delta_at = _best_delta(made.ks, made.v_huber[i, 0], made.within[i])
        is_l2 = bool(made.within[i, delta_at] >= WHOLE)
        names = (LOSSES[0], LOSSES[0 if is_l2 else 1], LOSSES[2])
        best_guess = names[picked.loss[i]]
        v_huber = v[i, 0] if is_l2 else made.v_huber[i, 0, delta_at]
        needed = np.array([v[i, 0], v_huber, v[i, 2]])
        needed /= needed.min()
        unclear = sure == "low" and goal == "unknown" and not picked.depends[i]
        out = {loss for loss, is_out in zip(LOSSES, picked.ruled_out[i], strict=True) if is_out}
        if made.v_huber[i, 0].min() * (1 - CLEARLY_WORSE) < v[i].min():
            out.discard("Huber")  # with another delta it is none the worse
        advised.append(
            Advice(
                verdict=_verdict(unclear=unclear, depends=bool(picked.depends[i])),
                loss=names[1] if unclear and names[1] not in out else best_guess,
                best_guess=best_guess,
                goal=goal,
                rows=0,
                confidence=sure,
                probability=float(picked.probability[i]),
                delta=made.ks[delta_at] * float(made.scale[i]),
                delta_quantile=float(made.within[i, delta_at]),
                scale=float(made.scale[i]),
                efficiency=efficiency[i],
                dial=dial[i] if dial else (),
                for_totals=names[picked.for_totals[i]],
                for_typical=names[picked.for_typical[i]],
                ruled_out=tuple(loss for loss in LOSSES if loss in out),
                lopsided=float(picked.gap[i]) if picked.lopsided[i] else None,
                rows_needed=tuple(zip(LOSSES, needed.tolist(), strict=True)),
            )
        )
    return advised


def _verdict(*, unclear: bool, depends: bool) -> Literal["no-clear-winner", "depends", "clear"]:
    if unclear:
        return "no-clear-winner"
    return "depends" if depends else "clear"


def _best_delta(ks: tuple[float, ...], v_huber: Floats, within: Floats) -> int:
    """Return the index of 1.345, or of a k that needs more than 3 % fewer rows.

    A delta that no error exceeds is none.
    """
    main = ks.index(K)
    others = [i for i, k in enumerate(ks) if k in OTHER_K and within[i] < WHOLE]
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
