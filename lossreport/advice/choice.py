"""Which loss suits the data: L2, Huber or L1, from the histogram of the errors.

Each loss j needs a number of rows proportional to its variance factor V_j, and aims at a centre
c_j of the errors (L2 the mean, L1 the median, Huber between). Which is best is decided in
resamples of the histogram:

    V_L2 = Var(e)    V_L1 = 1 / (4 f(median)^2)    V_Huber = E[psi^2] / P(|e - c| < delta)^2
    score_j = rho V_j + (c_j - c_goal)^2, the second term only if mean and median surely differ
    regret_j = 1 - min_i score_i / score_j: the share of rows that loss j wastes

Efficiency of estimators: Huber 1964; f at the median: Hall and Sheather 1988; the choice of a
loss by estimated variance follows Dodge and Jureckova, *Adaptive Regression* (2000).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lossreport.advice.histogram import LARGEST, ErrorHistogram, Floats
from lossreport.advice.resampling import Functionals, functionals, resample
from lossreport.formats import count

Goal = Literal["totals", "typical", "large-errors", "unknown"]
GOALS: tuple[Goal, ...] = ("totals", "typical", "large-errors", "unknown")

LOSSES = ("L2", "Huber", "L1")
MINIMUM_ROWS = 50
RHO = 0.02
"""Effective parameters per training row; it matters only where mean and median differ."""
K = 1.345
"""delta / s at which Huber is 95 % efficient for Gaussian errors (Huber 1964)."""
OTHER_K = (0.5, 0.75, 1.0, 1.75, 2.25, 3.0, 4.0)
DIAL_K = (0.1, 0.25, 0.5, 0.75, 1.0, 1.345, 1.75, 2.25, 3.0, 4.0, 6.0)
PRIOR = np.array([0.35, 0.08, 0.27])
"""Mean regret of L2, Huber and L1 over simulated laws ..."""
PRIOR_ROWS = 30
"""... which counts like this many rows."""
AS_GOOD = 0.05
"""A loss that wastes no more than this share of the rows is as good as the best."""
CLEARLY_WORSE = 0.15
TIE = 0.01
SPIKE = 0.02
"""From this share of errors that are exactly 0, the shape is judged on the rest."""
WIDE_BINS = 10.0
"""Beyond this many robust sigmas from 0 the histogram's bins are too wide to judge a shape."""


@dataclass(frozen=True)
class Efficiency:
    """How much of the rows one loss makes use of; 1 is the best of the losses compared."""

    loss: str
    delta: float | None
    """For Huber, in the target's unit."""
    k: float | None
    """For Huber, delta in robust standard deviations."""
    value: float
    low: float
    high: float
    """`low` to `high` is the 90 % band over resamples."""


@dataclass(frozen=True)
class Advice:
    """The recommendation for some rows; where `loss` is None, `reason` says why."""

    verdict: Literal[
        "clear", "depends", "no-clear-winner", "not-enough-rows", "cannot-say", "probabilities"
    ]
    loss: str | None
    goal: Goal
    rows: int
    best_guess: str | None = None
    """The loss with the smallest expected regret; without a clear winner `loss` is the cautious
    choice instead."""
    reason: str | None = None
    """Why there is no recommendation."""
    confidence: Literal["high", "moderate", "low"] | None = None
    probability: float | None = None
    """Share of resamples in which the loss wastes at most 5 % of the rows."""
    delta: float | None = None
    """Huber's delta in the target's unit, whether or not Huber is recommended."""
    delta_quantile: float | None = None
    """The share of rows with an error below delta."""
    scale: float | None = None
    """Robust standard deviation of the errors, 1.4826 median |e - median|."""
    efficiency: tuple[Efficiency, ...] = ()
    """L2, Huber and L1."""
    dial: tuple[Efficiency, ...] = ()
    """L1, Huber with rising delta, L2: only where asked for."""
    for_totals: str | None = None
    for_typical: str | None = None
    """The pick if totals, or the typical row, must be right."""
    ruled_out: tuple[str, ...] = ()
    lopsided: float | None = None
    """Mean minus median of the errors in robust standard deviations, where it surely is not 0."""
    rows_needed: tuple[tuple[str, float], ...] = ()
    """Per loss, how many times the rows of the best it needs for the same precision."""
    flags: tuple[str, ...] = ()
    """`spike_at_zero`, `rounded`."""
    zeros: float = 0.0
    """Share of the errors that are exactly 0."""


def advise(
    histogram: ErrorHistogram | None, rows: int, goal: Goal = "unknown", *, detail: bool = True
) -> Advice:
    """Recommend a loss for the rows of a histogram.

    Parameters
    ----------
    histogram
        Their errors; None if there are none or if it was not kept.
    rows
        How many there are.
    goal
        What must be right: "totals" (the mean), the "typical" row (the median), or
        "large-errors" must not happen.
    detail
        Also look for a better delta than 1.345 s and judge Huber along the dial; groups do without.

    Returns
    -------
    Advice
        `verdict` "not-enough-rows" below 50 rows and "cannot-say" for errors that have no shape
        to judge: all 0, most of one value, or far from 0.
    """
    if rows < MINIMUM_ROWS:
        too_few = f"{count(rows, 'row')}, and {MINIMUM_ROWS} are needed"
        reason = f"Too few rows to choose a loss: {too_few}."
        return Advice("not-enough-rows", None, goal, rows, reason=reason)
    if histogram is None:
        reason = "There are too many groups to keep the shape of each one's errors."
        return Advice("cannot-say", None, goal, rows, reason=reason)
    if not np.any(histogram.mean):
        reason = "Every prediction equals the actual value: check whether the target has leaked."
        return Advice("cannot-say", None, goal, rows, reason=reason)
    # Leave room for differences of errors near the largest float.
    unit = 1024.0 if float(np.max(np.abs(histogram.mean))) > LARGEST / 1024 else 1.0
    shape, step, flags = _shape(histogram.in_units_of(unit))
    zeros = float(histogram.n[histogram.mean == 0].sum()) / histogram.rows
    if no_shape := _no_shape(shape):
        return Advice("cannot-say", None, goal, rows, reason=no_shape, flags=flags, zeros=zeros)
    ks = tuple(sorted({K, *OTHER_K, *DIAL_K})) if detail else (K,)
    point = functionals(shape, ks, step)
    drawn = resample(shape, point)
    point, drawn = (replace(f, scale=f.scale * unit) for f in (point, drawn))
    return replace(_judge(goal, rows, point, drawn), flags=flags, zeros=zeros)


def _shape(histogram: ErrorHistogram) -> tuple[ErrorHistogram, float, tuple[str, ...]]:
    """Spread rounded errors over their step, or set exact zeros apart; say which was done."""
    zero = histogram.mean == 0
    repeated = (histogram.low == histogram.high) & (histogram.n > 1) & ~zero
    others = float(histogram.n[~zero].sum())
    values = int(repeated.sum())
    if values > 1 and float(histogram.n[repeated].sum()) > others / 2:
        step = _step(histogram)
        half = np.where(histogram.low == histogram.high, step / 2, 0)
        spread = ErrorHistogram(
            histogram.n,
            histogram.mean,
            np.hypot(histogram.deviation, half / np.sqrt(3)),
            histogram.low - half,
            histogram.high + half,
            histogram.edge,
        )
        return spread, step, ("rounded",)
    if histogram.rows - others >= SPIKE * histogram.rows:
        return histogram.select(~zero), 0.0, ("spike_at_zero",)
    return histogram, 0.0, ()


def _step(histogram: ErrorHistogram) -> float:
    """Return the spacing of rounded errors: the median distance of values near the median."""
    values = histogram.mean[histogram.low == histogram.high]
    if len(values) < 2:
        return 0.0
    (median,) = histogram.quantile([0.5])
    near = np.sort(values[np.argsort(np.abs(values - median))[:11]])
    return float(np.median(np.diff(near)))


def _no_shape(histogram: ErrorHistogram) -> str | None:
    """Return why these errors' shape cannot be judged, or None."""
    if histogram.rows < MINIMUM_ROWS:
        return (
            f"Only {count(round(histogram.rows), 'error')} differ from 0: too few to choose a "
            f"loss, for which {MINIMUM_ROWS} are needed."
        )
    one_value = histogram.n[histogram.low == histogram.high]
    if len(one_value) and float(one_value.max()) > histogram.rows / 2:
        return (
            "More than half of the errors are one and the same value: they have no shape to judge."
        )
    (median,) = histogram.quantile([0.5])
    scale = 1.4826 * histogram.spread_about(median)
    if scale == 0 or abs(median) > WIDE_BINS * scale:
        return (
            "The errors lie far to one side of 0, at many times their own spread: "
            "put the level right first."
        )
    return None


def _judge(goal: Goal, rows: int, point: Functionals, drawn: Functionals) -> Advice:
    """Pick a loss by its expected regret over the resamples."""
    main = point.ks.index(K)
    v = np.stack([drawn.v_l2, drawn.v_huber[:, main], drawn.v_l1], axis=1)
    centres = np.stack([drawn.mean, drawn.c_huber[:, main], drawn.median], axis=1)
    wasted = _regret(v)
    lopsided = _lopsided(point, drawn)
    regrets = {"totals": wasted, "typical": wasted}
    if lopsided is not None:
        for name, aim in (("totals", drawn.mean), ("typical", drawn.median)):
            with np.errstate(over="ignore"):  # a loss may be infinitely bad
                regrets[name] = _regret(RHO * v + (centres - aim[:, np.newaxis]) ** 2)
    picks = {name: _pick(regret, point.rows) for name, regret in regrets.items()}
    undecided = goal == "unknown" and picks["totals"] != picks["typical"]
    if goal == "large-errors":
        chosen, regret = LOSSES.index("L2"), wasted
    elif goal == "unknown":
        regret = np.maximum(regrets["totals"], regrets["typical"])
        chosen = _pick(regret, point.rows) if undecided else picks["totals"]
    else:
        chosen, regret = picks[goal], regrets[goal]
    probability = float(np.mean(regret[:, chosen] <= AS_GOOD))
    confidence = _confidence(probability, point.rows)
    unclear = confidence == "low" and goal == "unknown" and not undecided
    ruled_out = tuple(
        loss for j, loss in enumerate(LOSSES) if np.mean(wasted[:, j] > CLEARLY_WORSE) >= 0.95
    )
    best_guess = LOSSES[chosen]
    cautious = "Huber" if unclear and "Huber" not in ruled_out else best_guess
    delta_at = _best_delta(point)
    factors = np.array([point.v_l2[0], point.v_huber[0, main], point.v_l1[0]])
    return Advice(
        verdict="no-clear-winner" if unclear else "depends" if undecided else "clear",
        loss=cautious,
        best_guess=best_guess,
        goal=goal,
        rows=rows,
        confidence=confidence,
        probability=probability,
        delta=point.ks[delta_at] * point.scale,
        delta_quantile=point.within[delta_at],
        scale=point.scale,
        efficiency=_efficiencies(point, drawn, ("L2", K, "L1")),
        dial=_efficiencies(point, drawn, ("L1", *DIAL_K, "L2")) if len(point.ks) > 1 else (),
        for_totals=LOSSES[picks["totals"]],
        for_typical=LOSSES[picks["typical"]],
        ruled_out=ruled_out,
        lopsided=lopsided,
        rows_needed=tuple(zip(LOSSES, (float(f) for f in factors / factors.min()), strict=True)),
    )


def _regret(score: Floats) -> Floats:
    """Return the share of the rows that each loss wastes against the best of its resample."""
    smallest = score.min(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        return np.where(score > smallest, 1 - smallest / score, 0.0)


def _pick(regret: Floats, rows: float) -> int:
    """Return the loss with the smallest expected regret, mixed with what is usual.

    Ties are L2's.
    """
    expected = (rows * regret.mean(axis=0) + PRIOR_ROWS * PRIOR) / (rows + PRIOR_ROWS)
    best = int(np.argmin(expected))
    return 0 if expected[0] <= expected[best] + TIE else best


def _lopsided(point: Functionals, drawn: Functionals) -> float | None:
    """Return (mean - median) / s if the 99 % interval over the resamples leaves out 0."""
    low, high = np.quantile(drawn.mean - drawn.median, [0.005, 0.995])
    gap = float(point.mean[0] - point.median[0])
    return gap if low > 0 or high < 0 else None


def _confidence(probability: float, rows: float) -> Literal["high", "moderate", "low"]:
    """Return how sure the pick is; the limits are those that held in simulations."""
    if rows < 100:
        return "low"
    if rows >= 1000 and probability >= 0.95:
        return "high"
    return "moderate" if probability >= (0.95 if rows < 200 else 0.80) else "low"


def _best_delta(point: Functionals) -> int:
    """Return the index of 1.345, or of a k that needs more than 3 % fewer rows."""
    main = point.ks.index(K)
    others = [i for i, k in enumerate(point.ks) if k in OTHER_K]
    best = min(others, key=lambda i: float(point.v_huber[0, i]), default=main)
    return best if point.v_huber[0, best] < 0.97 * point.v_huber[0, main] else main


def _efficiencies(
    point: Functionals, drawn: Functionals, which: tuple[str | float, ...]
) -> tuple[Efficiency, ...]:
    """Return the efficiency of L1, L2 and Huber losses (by k) against the best of them."""

    def factors(of: Functionals) -> Floats:
        return np.stack(
            [
                of.v_l2 if w == "L2" else of.v_l1 if w == "L1" else of.v_huber[:, of.ks.index(w)]
                for w in which
            ],
            axis=1,
        )

    value = 1 - _regret(factors(point))[0]
    low, high = np.quantile(1 - _regret(factors(drawn)), [0.05, 0.95], axis=0)
    return tuple(
        Efficiency(
            loss=w if isinstance(w, str) else "Huber",
            k=None if isinstance(w, str) else w,
            delta=None if isinstance(w, str) else w * point.scale,
            value=float(value[j]),
            low=float(low[j]),
            high=float(high[j]),
        )
        for j, w in enumerate(which)
    )
