"""What each goal asks for: the loss, what it aims at, its price in rows, what it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from lossreport.advice.advice import Advice
from lossreport.advice.centres import huber_centre
from lossreport.advice.gap import apart_from
from lossreport.advice.histogram import ErrorHistogram
from lossreport.formats import MINUS, amount, percent
from lossreport.reports.figures import Figures

CHEAP = 1.005
"""A loss that needs no more than so many times the rows of the best costs nothing to speak of."""


@dataclass(frozen=True)
class GoalEffect:
    """What follows from one answer to "what must be right?"."""

    goal: Literal["totals", "typical", "large-errors", "costs"]
    asked: bool
    """Whether it is the goal that was given."""
    loss: str
    delta: float | None
    """Huber's, in the target's unit."""
    level: float | None
    """Of the quantile loss, for costs that differ by side."""
    aims_at: str
    """In words."""
    rows_needed: float | None
    """Times the rows of `best` for the same precision; None if not compared or beyond floats."""
    best: str | None
    """The loss that needs the fewest rows here."""
    price: str
    """The same in words."""
    shift: float | None
    """By how much predictions are higher than with L2, in the target's unit; None where mean and
    median do not surely differ."""
    share_of_total: float | None
    """The same as a share of the total of the actual values; None also if that is
    smaller than the errors' total."""
    moves: str
    """The same in words."""


def goal_effects(
    advice: Advice, histogram: ErrorHistogram | None, figures: Figures, unit: str | None = None
) -> tuple[GoalEffect, ...]:
    """Return what each goal asks for; empty where the losses were not compared.

    Large errors unacceptable: L2, with its price in rows, whatever the goal given. Where rows lie
    apart from all others, what is asked for once they are repaired or removed: with them left in,
    the mean that totals need is not the errors' own.
    """
    if not advice.rows_needed or histogram is None:
        return ()
    if advice.broken and advice.repaired:
        apart = apart_from(histogram, histogram.median, advice.broken.cut)
        histogram = histogram.select(~apart)
        bias = float(histogram.n @ histogram.mean) / histogram.rows + histogram.level
        figures = replace(figures, bias=bias)
        advice = replace(advice.repaired, loss=advice.loss, level=advice.level)
    given = advice.level is not None
    asked = None if given else advice.goal
    goals: list[GoalEffect] = []
    for goal, loss in (
        ("totals", advice.for_totals),
        ("typical", advice.for_typical),
        ("large-errors", "L2"),
    ):
        assert loss is not None
        goals.append(_effect(goal, loss, advice, histogram, figures, unit, asked=goal == asked))  # type: ignore[arg-type]
    if given and advice.loss == "quantile":
        goals.append(_effect("costs", "quantile", advice, histogram, figures, unit, asked=True))
    return tuple(goals)


def _effect(
    goal: Literal["totals", "typical", "large-errors", "costs"],
    loss: str,
    advice: Advice,
    histogram: ErrorHistogram,
    figures: Figures,
    unit: str | None,
    *,
    asked: bool,
) -> GoalEffect:
    needed = dict(advice.rows_needed)
    best = min(needed, key=lambda name: needed[name])
    times = needed.get(loss)
    shift = _shift(loss, advice, histogram, figures)
    share = None
    if shift is not None and abs(figures.mean_actual or 0.0) > (figures.mae or 0.0):
        share = shift / abs(figures.mean_actual or 0.0)
    return GoalEffect(
        goal=goal,
        asked=asked,
        loss=loss,
        delta=advice.delta if loss == "Huber" else None,
        level=advice.level if loss == "quantile" else None,
        aims_at=_aim(loss, advice.level),
        rows_needed=times if times is not None and times < 1e300 else None,
        best=None if times is None else best,
        price=_price(loss, times, best),
        shift=shift,
        share_of_total=share,
        moves=_moves(loss, shift, share, unit),
    )


def _aim(loss: str, level: float | None) -> str:
    if loss == "quantile":
        return f"the value that {percent(level)} of what happens stays below"
    return {"L2": "the mean", "L1": "the median", "Huber": "between mean and median"}[loss]


def _price(loss: str, times: float | None, best: str) -> str:
    if times is None:
        return "not compared: the quantile loss aims at another value"
    if loss == best:
        return "none: it needs the fewest rows"
    if times <= CHEAP:
        return f"next to none: it needs hardly more rows than {best}"
    much = "over 100" if times >= 100 else f"{times:.2f}"
    return f"it needs {much} times the rows {best} would need"


def _shift(loss: str, advice: Advice, histogram: ErrorHistogram, figures: Figures) -> float | None:
    """Return by how much predictions trained with the loss lie above those trained with L2.

    Training puts 0 where the loss aims: L2 at the mean of predicted - actual, L1 at its median, the
    quantile loss at level t at its quantile 1 - t.
    """
    if loss == "L2":
        return 0.0
    if figures.bias is None:
        return None
    if loss == "quantile":
        assert advice.level is not None
        return figures.bias - histogram.level - histogram.quantile([1 - advice.level])[0]
    if advice.lopsided is None:
        return None
    if loss == "L1":
        return figures.bias - histogram.level - histogram.median
    assert advice.delta is not None
    return figures.bias - histogram.level - huber_centre(histogram, advice.delta)


def _moves(loss: str, shift: float | None, share: float | None, unit: str | None) -> str:
    if loss == "L2":
        return "nothing: what the others are compared with"
    if shift is None:
        return "nothing that is sure: mean and median of the errors are close"
    if shift == 0:
        return "nothing"
    by = f"every prediction by about {amount(shift, unit, signed=True)}"
    if share is None:
        return by
    sign = "+" if share > 0 else MINUS
    return f"{by}, totals by about {sign}{percent(abs(share))}"
