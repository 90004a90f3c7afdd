"""The profile of a log.

A profile is a few small tables. Their keys are the prediction, the values of some group columns,
the time bucket and the error's size; every other column adds up (or takes the maximum), as
`statistics` defines it. So profiles of disjoint rows merge into that of all rows (see `merging`),
and files, chunks, nights, roll-ups and the overall figures are one operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from lossreport.logs.columns import Columns, key_names
from lossreport.logs.joining import Join
from lossreport.logs.part import Source
from lossreport.profiles.evidence import Evidence
from lossreport.profiles.shared_rows import Common
from lossreport.profiles.statistics import COUNTS, HISTOGRAM_SUMS, STATISTICS, add_up

HOURS = {"hour": 1, "day": 24}
"""The length of a time bucket; buckets are counted from 1970-01-01 00:00 UTC."""
NO_TIME = -(2**62)
"""Stands for a missing time where times and buckets are plain integers."""
HOUR = 3_600_000_000
"""An hour in microseconds."""
MAX_HOURS = 120
"""Logs that span more hours than this are kept by day."""

# Limits that keep a profile small. Each is a limit on the number of groups in the end, so that
# profiles of parts and the profile of the whole come to the same tables.
MAX_CUBE_GROUPS = 10_000
"""Up to here all groupings are kept as one table by all group columns; beyond, each on its own."""
MAX_HISTOGRAM_GROUPS = 20_000
"""A table of more groups has no error histograms: its groups get figures but no advice."""
MAX_TIMED_GROUPS = 1_000
"""A table of more groups is not kept by time."""

WORST_SCHEMA: dict[str, Any] = {
    "prediction": pl.Int64,
    "file": pl.String,
    "row": pl.Int64,
    "time": pl.Datetime("us"),
    "id": pl.String,
    **dict.fromkeys(("actual", "predicted", "error", "abs_error"), pl.Float64),
}

Bucket = Literal["hour", "day"]


@dataclass(frozen=True)
class Table:
    """The statistics of a log by some of its group columns."""

    by: tuple[str, ...]
    moments: pl.DataFrame
    """Keys `prediction`, `bucket` (null if not timed), `key_0`, ... (the values of `by` as text);
    COUNTS, SUMS and `max_abs_error`."""
    histogram: pl.DataFrame | None
    """Keys `prediction`, `key_0`, ..., `bin`; HISTOGRAM_SUMS. None: more groups than it may
    hold."""
    timed: bool
    """Whether the moments are kept by time bucket."""
    centred: pl.DataFrame | None = None
    """As `histogram`, but of the errors other than 0 less their prediction's centre, for those
    predictions that have one (`Profile.centres`); None if none has."""

    def groups(self) -> int:
        """Return how many groups there are."""
        return self.moments.select(key_names(self.by)).n_unique() if self.by else 1

    def rolled_up(self, by: Sequence[str]) -> Table:
        """Return the table by fewer columns; `by` must be among this table's."""
        if tuple(by) == self.by:
            return self
        keys = [
            pl.col(f"key_{self.by.index(column)}").alias(f"key_{i}") for i, column in enumerate(by)
        ]
        moments = add_up(self.moments.select("prediction", "bucket", *keys, *STATISTICS))
        bins = [
            h if h is None else add_up(h.select("prediction", *keys, "bin", *HISTOGRAM_SUMS))
            for h in (self.histogram, self.centred)
        ]
        return Table(tuple(by), moments, bins[0], self.timed, bins[1])

    def bounded(self) -> Table:
        """Return the table without what its number of groups does not allow."""
        groups = self.groups()
        table = self
        if self.timed and groups > MAX_TIMED_GROUPS:
            table = table.timeless()
        if groups > MAX_HISTOGRAM_GROUPS:
            table = replace(table, histogram=None, centred=None)
        return table

    def timeless(self) -> Table:
        """Return the table with its time buckets added up."""
        if not self.timed:
            return self
        return replace(self, moments=add_up(without_time(self.moments)), timed=False)


def without_time(moments: pl.DataFrame) -> pl.DataFrame:
    """Return moments with the bucket set to null."""
    return moments.with_columns(bucket=pl.lit(None, pl.Int64))


def rows_in(moments: pl.DataFrame) -> int:
    """Return how many rows moments are of, scored or not (each prediction is of the same rows)."""
    one = moments.filter(pl.col("prediction") == 0)
    return int(one.select(pl.sum_horizontal(pl.col(COUNTS).sum())).item())


@dataclass(frozen=True)
class Profile:
    """The mergeable statistics of a log; see the module's text."""

    columns: Columns
    sources: tuple[Source, ...]
    tables: tuple[Table, ...]
    """One table by all group columns (the cube) while it is small, else one per grouping and one
    of the whole log."""
    timeline: pl.DataFrame
    """The moments of the whole log by `prediction` and `bucket`."""
    worst: pl.DataFrame
    """The rows with the largest |error| of each prediction, in the order of `worst_first`:
    `prediction`, `file`, `row` (from 1), `time`, `id` (null without ids), `actual`, `predicted`,
    `error`, `abs_error`, and `key_0`, ... for `columns.keys`."""
    worst_kept: int
    span: tuple[int, int] | None
    """First and last time in microseconds since 1970, UTC."""
    evidence: Evidence | None = None
    """For the checks on the data; None in profiles of a version that kept none."""
    joins: tuple[Join, ...] = ()
    """How the rows came together with actuals of other files."""
    centres: tuple[float | None, ...] = ()
    """For each prediction what was taken from its errors for `Table.centred`; None where they
    lie near enough to 0. Empty if none has a centre."""
    common: Common | None = None
    """The rows that every prediction scores; None with one prediction."""
    models: Table | None = None
    """By `columns.compare` and time, without histogram; None where no models are compared."""

    @property
    def bucket(self) -> Bucket | None:
        """The unit of the time buckets."""
        return bucket_for(self.span)

    @property
    def rows(self) -> int:
        """How many rows the statistics are of."""
        return rows_in(self.timeline)

    def centre(self, prediction: int) -> float | None:
        """Return what was taken from a prediction's errors for `Table.centred`, if anything."""
        return self.centres[prediction] if self.centres else None

    def with_worst(self, keep: int) -> Profile:
        """Return the profile with at most so many of its worst rows of each prediction."""
        kept = min(keep, self.worst_kept)
        return replace(self, worst=worst_first(self.worst, kept), worst_kept=kept)

    def table(self, by: Sequence[str]) -> Table:
        """Return the table by exactly these columns, not by time."""
        wide = [t for t in self.tables if set(by) <= set(t.by)]
        smallest = min(wide, key=lambda t: (t.histogram is None, t.moments.height))
        return smallest.timeless().rolled_up(by)


def moments_schema(keys: int) -> dict[str, Any]:
    """Return the columns of moments by so many group columns, with their types."""
    by = {"prediction": pl.Int64, "bucket": pl.Int64, **dict.fromkeys(_keys(keys), pl.String)}
    sums = {s: pl.Int64 if s in COUNTS else pl.Float64 for s in STATISTICS}
    return {**by, **sums}


def histogram_schema(keys: int) -> dict[str, Any]:
    """Return the columns of a histogram by so many group columns, with their types."""
    by = {"prediction": pl.Int64, **dict.fromkeys(_keys(keys), pl.String), "bin": pl.Int64}
    return {**by, **{s: pl.Int64 if s in COUNTS else pl.Float64 for s in HISTOGRAM_SUMS}}


def worst_schema(keys: int) -> dict[str, Any]:
    """Return the columns of `Profile.worst` for so many group columns, with their types."""
    return {**WORST_SCHEMA, **dict.fromkeys(_keys(keys), pl.String)}


def _keys(count: int) -> list[str]:
    return [f"key_{i}" for i in range(count)]


def tables_for(columns: Columns, *, cube: bool) -> list[tuple[str, ...]]:
    """Return by which columns tables are kept: all at once (cube), or grouping by grouping."""
    return [columns.keys] if cube else list(dict.fromkeys((*columns.groupings, ())))


def bucket_for(span: tuple[int, int] | None) -> Bucket | None:
    """Return the time unit for a log that spans these microseconds."""
    if span is None:
        return None
    return "hour" if span[1] // HOUR - span[0] // HOUR <= MAX_HOURS else "day"


def worst_first(frame: pl.DataFrame, keep: int) -> pl.DataFrame:
    """Return the `keep` rows of each prediction with the largest |error|.

    Ties go by file and row, and of files with one name by all that their rows say.
    """
    if not keep:  # the head of no row is a row of nulls
        return frame.clear()
    order = ["prediction", "abs_error", "file", "row"]
    order += [c for c in frame.columns if c not in order]
    ranked = frame.sort(order, descending=[c == "abs_error" for c in order], nulls_last=True)
    return ranked.group_by("prediction", maintain_order=True).head(keep).select(frame.columns)
