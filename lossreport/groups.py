"""The groups of a profile's tables, as sums and histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lossreport.histogram import ErrorHistogram
from lossreport.profiles import HISTOGRAM_SUMS, MOMENTS, REASONS, Table, key_names

Key = tuple[str | None, ...]


@dataclass(frozen=True)
class RawGroup:
    """What a profile knows of one group."""

    key: Key
    sums: Mapping[str, Any]
    """Its row of moments and counts."""
    histogram: ErrorHistogram | None
    """None if no row is scored or the profile kept none."""


def groups_of(table: Table, prediction: int) -> list[RawGroup]:
    """Return the groups of a table; an ungrouped one always has its one group."""
    keys = key_names(table.by)
    moments = table.moments.filter(pl.col("prediction") == prediction)
    histograms = _histograms(table, prediction)
    if not keys and moments.is_empty():
        return [RawGroup((), dict.fromkeys((*MOMENTS, *REASONS), 0), None)]
    each = ((tuple(row[k] for k in keys), row) for row in moments.iter_rows(named=True))
    return [RawGroup(key, row, histograms.get(key)) for key, row in each]


def _histograms(table: Table, prediction: int) -> dict[Key, ErrorHistogram]:
    """Return the histograms of a table's groups; its rows are in order of key and bin."""
    if table.histogram is None:
        return {}
    keys = key_names(table.by)
    mine = table.histogram.filter(pl.col("prediction") == prediction)
    if mine.is_empty():
        return {}
    sizes = mine.group_by(keys or "prediction", maintain_order=True).len()
    ends = np.cumsum(sizes["len"].to_numpy())[:-1]
    columns = [np.split(mine[c].to_numpy(), ends) for c in ("bin", *HISTOGRAM_SUMS)]
    groups = sizes.select(keys).rows() if keys else [()] * len(sizes)
    return {
        key: ErrorHistogram.from_bins(*arrays)
        for key, *arrays in zip(groups, *columns, strict=True)
    }


def all_others(groups: Sequence[RawGroup]) -> list[dict[str, Any]]:
    """Return, for each group, the moments of all the other groups together.

    Added up from both ends, not subtracted from the whole: when one group holds nearly all of the
    squared error, what a subtraction leaves has lost its digits.
    """
    names = [m for m in MOMENTS if m != "max_abs_error"]
    each = np.array([[g.sums[m] for m in names] for g in groups], dtype=np.float64)
    with np.errstate(all="ignore"):
        before = np.cumsum(each, axis=0)
        after = np.cumsum(each[::-1], axis=0)[::-1]
    zero = np.zeros((1, len(names)))
    others = np.concatenate([zero, before[:-1]]) + np.concatenate([after[1:], zero])
    largest = [*sorted((g.sums["max_abs_error"] for g in groups), reverse=True), 0.0, 0.0]
    return [
        dict(zip(names, row.tolist(), strict=True))
        | {"max_abs_error": largest[1] if g.sums["max_abs_error"] == largest[0] else largest[0]}
        for g, row in zip(groups, others, strict=True)
    ]
