"""Which loss is advised for a prediction's rows: by their errors, their groups and the costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lossreport.advice.advice import Advice, Goal
from lossreport.advice.choice import advise, with_costs, with_weights
from lossreport.advice.drift import Drift
from lossreport.advice.level import LARGE_BIAS, centre_for
from lossreport.advice.mixing import (
    Decomposition,
    between_scales,
    decompose,
    level_share,
    stacked,
)
from lossreport.advice.probabilities import advise_probabilities
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.pairs import Outcome
from lossreport.reports.groups import RawGroup, RawGroups
from lossreport.reports.scored import Scored, of_all

By = tuple[str, ...]
Costs = tuple[float, float]
"""Of a unit of error where the prediction is too low, and where it is too high."""

LEVEL_SUMS = ("n", "sum_error", "sum_sq_error")
DECOMPOSED = ("n", "sum_abs_error", "sum_sq_error")
MOST = 0.8
"""Groups to weight by must hold so much of the rows where they are large enough to judge."""
ONCE_MORE = (
    "More may show when the log is read twice: report its files together, not from profiles that "
    "were merged."
)


def advise_rows(rows: Scored, centre: float | None, goal: Goal) -> Advice:
    """Return the advice for all rows as they are; `centre` is that of a second reading, if any."""
    log = rows.log
    advice = _once_more(advise(log.judged, rows.ledger.scored, goal), log, centre)
    return of_outcome(advice, rows.outcome)


def advise_groups(
    advice: Advice,
    rows: Scored,
    groupings: Sequence[By],
    costs: Costs | None,
    drift: Drift | None = None,
) -> Advice:
    """Return the advice with what groups, time and the costs if they differ by side ask for."""
    if rows.outcome is not None:
        return advice
    large = {by: _large(rows.raw[by], advice.rows) for by in groupings}
    advice = _with_levels(advice, rows.log, large, drift)
    if not (advice.levels_by or advice.drift):
        advice = _with_weights(advice, rows.raw, large)
    return with_costs(advice, of_all(rows.log), *costs) if costs else advice


def of_outcome(advice: Advice, outcome: Outcome | None) -> Advice:
    """Return the advice for an outcome of 0 or 1, if it is one and there are rows enough."""
    if outcome is None or advice.rows < MINIMUM_ROWS:
        return advice
    of_all_kinds = advise_probabilities(advice.rows, advice.goal)
    return of_all_kinds if outcome == "probabilities" else replace(of_all_kinds, flags=(outcome,))


def _once_more(advice: Advice, log: RawGroup, centre: float | None) -> Advice:
    """Return the advice with what to do where only a second reading would tell the shape."""
    if advice.loss or advice.verdict != "cannot-say" or centre is not None:
        return advice
    if centre_for(log.histogram) is None:
        return advice
    return replace(advice, reason=f"{advice.reason} {ONCE_MORE}")


def _with_levels(
    advice: Advice,
    log: RawGroup,
    large: Mapping[By, Sequence[RawGroup]],
    drift: Drift | None,
) -> Advice:
    """Look for a grouping whose groups each have a level of their own that is wrong, or for time.

    The groups' mean errors must make half of the squared error, and a quarter more than the mean
    error of all rows does: that one is told of the whole log.
    """
    if advice.loss is None or advice.broken:
        return advice
    share, by = max(((_level_share(of), by) for by, of in large.items()), default=(0.0, ()))
    if drift is not None and drift.share > share:
        return replace(advice, drift=drift)
    if share < max(LARGE_BIAS, _level_share([log]) + LARGE_BIAS / 2):
        return advice
    return replace(advice, levels_by=by, levels_share=share)


def _level_share(groups: Sequence[RawGroup]) -> float:
    return level_share(*([g.sums[s] for g in groups] for s in LEVEL_SUMS))


def _large(groups: RawGroups, rows: int) -> list[RawGroup]:
    """Return the groups large enough to judge, if they hold most of the rows; else none.

    The MAE of small groups differs by chance.
    """
    large = [g for g in groups.groups if g.sums["n"] >= MINIMUM_ROWS]
    return large if sum(g.sums["n"] for g in large) >= MOST * rows else []


def _with_weights(
    advice: Advice, raw: Mapping[By, RawGroups], large: Mapping[By, Sequence[RawGroup]]
) -> Advice:
    """Look at the grouping that the error's size differs most between."""
    found: list[tuple[Decomposition, By]] = []
    for by, groups in large.items():
        mixing = decompose(*([g.sums[name] for g in groups] for name in DECOMPOSED))
        found += [(mixing, by)] if mixing else []
    if not found:
        return advice
    mixing, by = max(found, key=lambda part: part[0].between)
    judged = [g.judged for g in raw[by].groups]
    together = stacked(judged)
    if together is None:
        return advice
    inside = advise(together, round(together.rows), detail=False)
    return with_weights(advice, by, mixing, inside, between_scales(judged))
