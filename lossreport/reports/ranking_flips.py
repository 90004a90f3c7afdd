"""Where MAE and RMSE disagree about which group is best, and what they say without the sources."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.formats import amount, count, group_name, listed
from lossreport.losses import from_sums
from lossreport.reports.groups import RawGroup, RawGroups
from lossreport.reports.where import Origin

By = tuple[str, ...]

FEWEST, MOST = 2, 20
"""Groupings of so many groups are ranked."""
SURE = 3.0
"""In standard errors: which of so many groups is best is then no matter of chance."""
LONGEST = 28


def ranking_flips(
    groupings: Mapping[By, RawGroups],
    without: Mapping[By, RawGroups],
    origins: Sequence[Origin],
    unit: str | None = None,
) -> tuple[str, ...]:
    """Return a sentence for each grouping whose best group by MAE is not the best by RMSE.

    Both differences must be surer than three standard errors.

    Parameters
    ----------
    groupings
        The groups by each set of columns; only those with 50 scored rows or more are ranked.
    without, origins
        The same without the rows of the sources, and the sources; empty if there are none.
    """
    told = []
    for by, raw in groupings.items():
        ranked = _ranked(raw)
        if not ranked:
            continue
        first, other = _best(ranked, "mae"), _best(ranked, "rmse")
        if first is other or not (_surely(first, other, "mae") and _surely(other, first, "rmse")):
            continue
        a, b = from_sums(first.sums), from_sums(other.sums)
        told.append(
            f"Of {count(len(ranked), 'group')} by MAE {_name(by, first)} is best "
            f"({amount(a['mae'], unit)}, against {amount(b['mae'], unit, a['mae'])} of "
            f"{_name(by, other)}), by RMSE {_name(by, other)} ({amount(b['rmse'], unit)}, against "
            f"{amount(a['rmse'], unit, b['rmse'])}).{_said_without(by, without.get(by), origins)}"
        )
    return tuple(told)


def _said_without(by: By, raw: RawGroups | None, origins: Sequence[Origin]) -> str:
    """Return which group is best without the sources, with a blank before it."""
    ranked = _ranked(raw) if raw else []
    if not ranked or not origins:
        return ""
    sources = listed([group_name(o.by, o.key, LONGEST) for o in origins])
    first, other = _best(ranked, "mae"), _best(ranked, "rmse")
    if first is other:
        return f" Without {sources}, {_name(by, first)} is best by both."
    return f" Without {sources}, {_name(by, first)} is best by MAE, {_name(by, other)} by RMSE."


def _name(by: By, group: RawGroup) -> str:
    return group_name(by, group.key, LONGEST)


def _ranked(raw: RawGroups) -> list[RawGroup]:
    """Return the groups with rows enough to rank, if there are neither too few nor too many."""
    large = [g for g in raw.groups if g.sums["n"] >= MINIMUM_ROWS]
    known = all(from_sums(g.sums)["rmse"] is not None for g in large)
    return large if known and raw.rest is None and FEWEST <= len(large) <= MOST else []


def _best(groups: Sequence[RawGroup], figure: str) -> RawGroup:
    return min(groups, key=lambda g: from_sums(g.sums)[figure] or 0.0)


def _surely(better: RawGroup, worse: RawGroup, figure: str) -> bool:
    """Return whether a figure differs by more than three standard errors of the difference."""
    difference = (from_sums(worse.sums)[figure] or 0) - (from_sums(better.sums)[figure] or 0)
    error = math.sqrt(_variance(better.sums, figure) + _variance(worse.sums, figure))
    return math.isfinite(error) and difference > SURE * error


def _variance(sums: Mapping[str, Any], figure: str) -> float:
    """Return the variance of a group's MAE or, by the delta method, of its RMSE."""
    n = sums["n"]
    mse = sums["sum_sq_error"] / n
    if figure == "mae":
        return float(max(mse - (sums["sum_abs_error"] / n) ** 2, 0.0) / n)
    fourth = sums["sum_fourth_error"] / n
    if not mse:
        return 0.0
    with_range = math.isfinite(fourth) and math.isfinite(mse * mse)
    return float(max(fourth / mse - mse, 0.0) / (4 * n)) if with_range else math.inf
