"""What is advised for some rows: the loss, how sure that is, and the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lossreport.advice.drift import Drift
from lossreport.advice.gap import Gap
from lossreport.advice.mixing import Decomposition

Goal = Literal["totals", "typical", "large-errors", "unknown"]
GOALS: tuple[Goal, ...] = ("totals", "typical", "large-errors", "unknown")
LOSSES = ("L2", "Huber", "L1")
WHOLE = 1 - 1e-9
"""A share of the rows beyond this is all of them."""


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
        "clear", "depends", "no-clear-winner", "check-rows-first", "weights", "quantile",
        "not-enough-rows", "cannot-say", "probabilities",
    ]  # fmt: skip
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
    """Share of resamples in which the loss wastes at most 5 % of the rows, beside those that it
    may waste because it aims at the goal that was given."""
    delta: float | None = None
    """Huber's delta in the target's unit, whether or not Huber is recommended."""
    delta_quantile: float | None = None
    """The share of rows whose error is within delta of Huber's centre."""
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
    """`spike_at_zero`, `rounded`, `biased`; of an actual value that is 0 or 1, where predictions
    are no probabilities: `labels` or `scores`."""
    zeros: float = 0.0
    """Share of the errors that are exactly 0."""
    broken: Gap | None = None
    """Rows that lie apart from all others, to be checked first; `loss` is with them left in."""
    repaired: Advice | None = None
    """The advice for the other rows."""
    level: float | None = None
    """Of the quantile loss, where costs are given: cost_under / (cost_under + cost_over) ..."""
    shift: float | None = None
    """... and by how much it would move the predictions, in the target's unit."""
    weights_by: tuple[str, ...] = ()
    """The columns whose groups are of so different error size that weights come first."""
    mixing: Decomposition | None = None
    """Of the ratio over the groups of `weights_by`."""
    levels_by: tuple[str, ...] = ()
    """The columns whose groups' own mean errors make most of the squared error: they come first."""
    levels_share: float | None = None
    """How much of it they make."""
    drift: Drift | None = None
    """How the mean error moves in time, where that makes most of the squared error."""

    @property
    def huber_is_l2(self) -> bool:
        """Whether no error exceeds Huber's delta."""
        return self.delta_quantile is not None and self.delta_quantile >= WHOLE
