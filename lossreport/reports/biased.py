"""Which groups predict too much or too little for sure, beyond what the whole log does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.chances import holm
from lossreport.formats import amount, count, group_name, percent
from lossreport.losses import squares_fit
from lossreport.reports.figures import BIASED, SURELY
from lossreport.reports.groups import RawGroup
from lossreport.reports.results import Group, Grouping

LEAST_ROWS = 0.01
"""A group with fewer of the rows is not looked at."""
MANY = 50
"""Beyond so many groups looked at, the chance is corrected for their number (Holm 1979)."""
CHANCE = 0.01
LEANS = 2.0
"""A group leans to a side if its mean error is so many standard errors from 0."""
COMMON = 0.75
"""What groups with so much of the rows do to the same side is the whole log's."""
LONGEST = 28


def biased_groups(groups: Sequence[RawGroup], rows: int) -> list[bool]:
    """Return which groups are biased.

    A group's mean error must exceed a quarter of its MAE and four standard errors, and its median
    error must lie on the same side and exceed a quarter of the median |error|: a few huge errors
    make a mean that is no bias. Where groups with three quarters of the rows lean to one side, that
    is said once, of the log; the means must then lie as far from what is common to them.

    Parameters
    ----------
    groups
        The groups of one grouping.
    rows
        How many rows are scored; groups below 50 rows, or 1 % of these, are never biased.
    """
    large = [
        i
        for i, g in enumerate(groups)
        if g.sums["n"] >= max(MINIMUM_ROWS, LEAST_ROWS * rows) and squares_fit(g.sums)
    ]
    found = _beyond(groups, large, 0.0)
    means = {i: groups[i].sums["sum_error"] / groups[i].sums["n"] for i in large}
    for side in (-1, 1):
        same = [i for i in large if means[i] * side > LEANS * _error_of_mean(groups[i])]
        if sum(groups[i].sums["n"] for i in same) >= COMMON * rows:
            middle = _middle([(means[i], groups[i].sums["n"]) for i in large])
            found &= _beyond(groups, large, middle)
    return [i in found for i in range(len(groups))]


def _beyond(groups: Sequence[RawGroup], large: Sequence[int], level: float) -> set[int]:
    """Return which of the large groups' mean errors are surely far from a level."""
    chances = np.ones(len(large))
    for at, i in enumerate(large):
        n, mae = groups[i].sums["n"], groups[i].sums["sum_abs_error"] / groups[i].sums["n"]
        bias = groups[i].sums["sum_error"] / n
        if abs(bias - level) <= BIASED * mae or not _leans(groups[i], bias):
            continue
        error = _error_of_mean(groups[i])
        z = abs(bias - level) / error if error else math.inf
        if z > SURELY:
            chances[at] = math.erfc(z / math.sqrt(2))
    beyond = holm(chances, CHANCE) if len(large) > MANY else chances < 1
    return {large[at] for at in np.flatnonzero(beyond).tolist()}


def _error_of_mean(group: RawGroup) -> float:
    n, mean = group.sums["n"], group.sums["sum_error"] / group.sums["n"]
    return math.sqrt(max(group.sums["sum_sq_error"] / n - mean**2, 0.0) / n)


def _middle(means: Sequence[tuple[float, int]]) -> float:
    """Return the median of the groups' mean errors, each counting as often as it has rows."""
    ranked = sorted(means)
    half, seen = sum(n for _, n in ranked) / 2, 0
    for mean, n in ranked:
        seen += n
        if seen >= half:
            return mean
    return 0.0


def _leans(group: RawGroup, bias: float) -> bool:
    """Return whether the median error is on the mean's side, and no small one."""
    if group.histogram is None:
        return False
    median = group.histogram.median
    (typical,) = group.histogram.abs_quantile([0.5])
    return median * bias > 0 and abs(median) > BIASED * typical


def biased_words(groupings: Sequence[Grouping], unit: str | None = None) -> str | None:
    """Return which group is biased most, by the error it adds up to, and how many others are."""
    found = [(g.by, x) for g in groupings for x in g.groups if x.biased]
    if not found:
        return None
    by, worst = max(found, key=lambda f: abs(f[1].figures.bias or 0) * f[1].figures.n)
    said = f"{group_name(by, worst.key, LONGEST)} predicts too {_how_much(worst, unit)}"
    more = len(found) - 1
    if more:
        verb = "is" if more == 1 else "are"
        said += f"; {count(more, 'more group')} {verb} biased for sure"
    return f"{said}."


def _how_much(group: Group, unit: str | None) -> str:
    bias, mae = group.figures.bias, group.figures.mae
    assert bias is not None
    assert mae
    side = "high" if bias > 0 else "low"
    share = percent(min(1.0, abs(bias) / mae))
    return f"{side} by {amount(abs(bias), unit, mae)}, {share} of its MAE"
