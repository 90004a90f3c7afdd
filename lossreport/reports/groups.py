"""The groups of a profile's tables, as sums and histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from lossreport.advice.histogram import ErrorHistogram
from lossreport.advice.level import Bins, about_centre, judged
from lossreport.logs.columns import key_names
from lossreport.profiles.profile import Table
from lossreport.profiles.statistics import HISTOGRAM_SUMS, MOMENTS, REASONS, STATISTICS

Key = tuple[str | None, ...]

MAX_GROUPS = 10_000
"""Of each grouping so many groups, those with the most squared error, are told apart; the others
are one sum, so that all still add up."""


@dataclass(frozen=True)
class RawGroup:
    """What a profile knows of one group."""

    key: Key
    sums: Mapping[str, Any]
    """Its row of moments and counts."""
    histogram: ErrorHistogram | None
    """None if no row is scored or the profile kept none."""
    judged: ErrorHistogram | None
    """The one that tells the errors' shape: `histogram`, or that of the errors less a level."""


@dataclass(frozen=True)
class RawGroups:
    """The groups of a table: those with the most squared error, and the sums of all the rest."""

    groups: tuple[RawGroup, ...]
    """Most squared error first, then most rows, then by name; one for an ungrouped table."""
    others: pl.DataFrame
    """The moments and counts of each group beyond `MAX_GROUPS`."""

    @property
    def rest_groups(self) -> int:
        """How many groups there are beyond `MAX_GROUPS`."""
        return self.others.height

    @cached_property
    def rest(self) -> Mapping[str, Any] | None:
        """The sums of those groups; None if there are none."""
        if self.others.is_empty():
            return None
        *sums, maximum = STATISTICS
        return self.others.select(pl.col(sums).sum(), pl.col(maximum).max()).row(0, named=True)


def groups_of(table: Table, prediction: int, centre: float | None = None) -> RawGroups:
    """Return the groups of a table for one prediction, whose errors may have a centre."""
    keys = key_names(table.by)
    moments = table.moments.filter(pl.col("prediction") == prediction)
    if not keys and moments.is_empty():
        nothing = RawGroup((), dict.fromkeys((*MOMENTS, *REASONS), 0), None, None)
        return RawGroups((nothing,), moments)
    ranked = _ranked(moments, keys)
    kept, rest = ranked.head(MAX_GROUPS), ranked.slice(MAX_GROUPS)
    only = None if rest.is_empty() else kept
    bins = _bins(table.histogram, table.by, prediction, only)
    about = _bins(table.centred, table.by, prediction, only) if centre is not None else {}
    groups = []
    for row in kept.iter_rows(named=True):
        key = tuple(row[k] for k in keys)
        mine = bins.get(key)
        histogram = ErrorHistogram.from_bins(*mine) if mine else None
        if mine and math.isfinite(row["sum_abs_error"]):
            # Errors of one bin have one sign and nearly one size: added up bin by bin and then
            # exactly, they keep the digits of a bias that is far smaller than they are.
            row["sum_error"] = math.fsum(mine[2].tolist())
        shape = histogram
        if histogram and key in about and centre is not None:
            shape = judged(histogram, about_centre(histogram, about[key], centre))
        groups.append(RawGroup(key, row, histogram, shape))
    return RawGroups(tuple(groups), rest)


def _ranked(moments: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    order = ["sum_sq_error", "n", *keys]
    return moments.sort(order, descending=[True, True, *[False] * len(keys)], nulls_last=True)


def beyond(table: Table, prediction: int) -> pl.DataFrame:
    """Return the moments and counts of each group beyond `MAX_GROUPS`."""
    moments = table.moments.filter(pl.col("prediction") == prediction)
    return _ranked(moments, key_names(table.by)).slice(MAX_GROUPS)


def _bins(
    histogram: pl.DataFrame | None,
    by: tuple[str, ...],
    prediction: int,
    only: pl.DataFrame | None,
) -> dict[Key, Bins]:
    """Return the bins of (only these of) a table's groups."""
    if histogram is None:
        return {}
    keys = key_names(by)
    mine = histogram.filter(pl.col("prediction") == prediction)
    if only is not None:
        mine = mine.join(only, on=keys, how="semi", nulls_equal=True, maintain_order="left")
    if mine.is_empty():
        return {}
    # The rows are in order of key and bin.
    sizes = mine.group_by(keys or "prediction", maintain_order=True).len()
    ends = np.cumsum(sizes["len"].to_numpy())[:-1]
    columns = [np.split(mine[c].to_numpy(), ends) for c in ("bin", *HISTOGRAM_SUMS)]
    groups = sizes.select(keys).rows() if keys else [()] * len(sizes)
    return {key: bins for key, *bins in zip(groups, *columns, strict=True)}


def all_others(raw: RawGroups) -> list[dict[str, Any]]:
    """Return, for each group, the moments of all the other groups together.

    Added up from both ends, not subtracted from the whole: when one group holds nearly all of the
    squared error, what a subtraction leaves has lost its digits.
    """
    names = [m for m in MOMENTS if m != "max_abs_error"]
    sums = [g.sums for g in raw.groups] + ([raw.rest] if raw.rest is not None else [])
    each = np.array([[s[m] for m in names] for s in sums], dtype=np.float64)
    each = each.reshape(len(sums), len(names))  # also of no groups
    with np.errstate(all="ignore"):
        before = np.cumsum(each, axis=0)
        after = np.cumsum(each[::-1], axis=0)[::-1]
    zero = np.zeros((1, len(names)))
    others = np.concatenate([zero, before[:-1]]) + np.concatenate([after[1:], zero])
    largest = [*sorted((s["max_abs_error"] for s in sums), reverse=True), 0.0, 0.0]
    return [
        dict(zip(names, row.tolist(), strict=True))
        | {"max_abs_error": largest[1] if g.sums["max_abs_error"] == largest[0] else largest[0]}
        for g, row in zip(raw.groups, others, strict=False)
    ]
