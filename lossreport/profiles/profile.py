"""The profile of a log, and how profiles merge.

A profile is a few small tables. Their keys are the prediction, the values of some group columns,
the time bucket and the error's size; every other column adds up (or takes the maximum), as
`statistics` defines it. So profiles of disjoint rows merge into the profile of all rows, and files,
chunks, nights, roll-ups and the overall figures are one operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from lossreport.errors import UsageError
from lossreport.logs.columns import Columns, key_names
from lossreport.logs.joining import Join
from lossreport.logs.kinds import merged_kinds
from lossreport.logs.part import Source
from lossreport.profiles.common import Common, merged_common
from lossreport.profiles.evidence import Evidence, merged_evidence
from lossreport.profiles.statistics import COUNTS, HISTOGRAM_SUMS, STATISTICS

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


def add_up(frame: pl.DataFrame) -> pl.DataFrame:
    """Merge rows with equal keys: `max_abs_error` by maximum, the other statistics by sum."""
    maxima = [c for c in frame.columns if c == "max_abs_error"]
    sums = [c for c in frame.columns if c in STATISTICS and c not in maxima]
    keys = [c for c in frame.columns if c not in STATISTICS]
    return (
        frame.lazy()
        .group_by(keys)
        .agg(pl.col(sums).sum(), pl.col(maxima).max())
        .select(frame.columns)
        .sort(keys, nulls_last=True)
        .collect(engine="in-memory")  # it adds in the rows' order: the same bits in every run
    )


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


def rebucketed(frame: pl.DataFrame, old: Bucket | None, new: Bucket | None) -> pl.DataFrame:
    """Return moments with their buckets in a coarser unit."""
    if old == new or old is None or new is None:
        return frame
    factor = HOURS[new] // HOURS[old]
    return add_up(frame.with_columns(pl.col("bucket") // factor))


def worst_first(frame: pl.DataFrame, keep: int) -> pl.DataFrame:
    """Return the `keep` rows of each prediction with the largest |error|.

    Ties go by file and row, and of files with one name by all that their rows say.
    """
    order = ["prediction", "abs_error", "file", "row"]
    order += [c for c in frame.columns if c not in order]
    ranked = frame.sort(order, descending=[c == "abs_error" for c in order], nulls_last=True)
    return ranked.group_by("prediction", maintain_order=True).head(keep).select(frame.columns)


def merge(profiles: Sequence[Profile]) -> Profile:
    """Return the profile of the rows of all the given profiles together.

    Raises
    ------
    UsageError
        No profile is given, or they are of different columns.
    """
    _check_alike(profiles)
    columns = profiles[0].columns
    spans = [p.span for p in profiles if p.span is not None]
    span = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None
    bucket = bucket_for(span)
    centres = _common_centres(profiles)
    tables = _merged_tables(profiles, bucket, centres)
    kept = min(p.worst_kept for p in profiles)
    evidence = merged_evidence([p.evidence for p in profiles], compared=columns.compare is not None)
    return Profile(
        columns=replace(columns, kinds=merged_kinds([p.columns.kinds for p in profiles])),
        sources=tuple(s for p in profiles for s in p.sources),
        tables=tuple(t.bounded() for t in tables),
        timeline=add_up(pl.concat([rebucketed(p.timeline, p.bucket, bucket) for p in profiles])),
        worst=worst_first(pl.concat([p.worst for p in profiles]), kept),
        worst_kept=kept,
        span=span,
        evidence=evidence,
        joins=tuple(j for p in profiles for j in p.joins),
        centres=centres,
        common=merged_common(
            [p.common for p in profiles],
            [_times_coarser(p.bucket, bucket) for p in profiles],
            cube=len(tables) == 1,
            ids_alike=evidence is not None and evidence.by_id is not None,
        ),
        models=_merged_models(profiles, bucket),
    )


def _check_alike(profiles: Sequence[Profile]) -> None:
    if not profiles:
        raise UsageError("There is nothing to merge: no profile was given.")
    first = profiles[0]
    for p in profiles:
        if p.columns.roles != first.columns.roles:
            raise UsageError(
                f"The profiles cannot be merged: {_named(first)} {_said(first.columns)}, but "
                f"{_named(p)} {_said(p.columns)}. Make them with the same columns, groupings "
                "and ids."
            )


def _merged_tables(
    profiles: Sequence[Profile], bucket: Bucket | None, centres: tuple[float | None, ...]
) -> list[Table]:
    """Return one table by all group columns if each profile has it and it stays small enough."""
    columns = profiles[0].columns
    cube = all(len(p.tables) == 1 for p in profiles)
    tables = [_merged_table(profiles, by, bucket, centres) for by in tables_for(columns, cube=cube)]
    if cube and tables[0].groups() > MAX_CUBE_GROUPS:
        tables = [tables[0].rolled_up(by) for by in tables_for(columns, cube=False)]
    return tables


def _common_centres(profiles: Sequence[Profile]) -> tuple[float | None, ...]:
    """Return the centre of each prediction where all profiles that scored rows have the same."""
    centres: list[float | None] = []
    for i in range(len(profiles[0].columns.predicted)):
        mine = pl.col("prediction") == i
        scored = [p for p in profiles if p.timeline.filter(mine)["n"].sum()]
        found = {p.centre(i) for p in scored}
        centres.append(found.pop() if len(found) == 1 else None)
    return tuple(centres) if any(c is not None for c in centres) else ()


def _times_coarser(old: Bucket | None, new: Bucket | None) -> int:
    return HOURS[new] // HOURS[old] if old and new else 1


def _merged_models(profiles: Sequence[Profile], bucket: Bucket | None) -> Table | None:
    """Return the table by model; None if a part has none."""
    parts = [(p.models, p.bucket) for p in profiles if p.models is not None]
    if len(parts) < len(profiles):
        return None
    timed = all(table.timed for table, _ in parts)
    moments = [rebucketed(t.moments, own, bucket) for t, own in parts]
    whole = add_up(pl.concat(moments if timed else [without_time(m) for m in moments]))
    return Table(parts[0][0].by, whole, None, timed).bounded()


def _named(profile: Profile) -> str:
    return f"that of {profile.sources[0].path}" if profile.sources else "an empty one"


def _said(columns: Columns) -> str:
    def listed(names: Sequence[str]) -> str:
        return ", ".join(map(repr, names)) or "nothing"

    groupings = "; ".join(map(listed, columns.groupings)) or "nothing"
    compared = f", compares {columns.compare!r}" if columns.compare else ""
    ids = f" and the id {listed(columns.ids)}" if columns.ids else ""
    time = "no time" if columns.time is None else f"the time {columns.time!r}"
    return (
        f"has the actual {columns.actual!r}, the predicted {listed(columns.predicted)}, {time}, "
        f"groups by {groupings}{ids}{compared}"
    )


def _merged_table(
    profiles: Sequence[Profile],
    by: tuple[str, ...],
    bucket: Bucket | None,
    centres: tuple[float | None, ...],
) -> Table:
    parts = []
    for profile in profiles:
        exact = [t for t in profile.tables if t.by == by]
        part = exact[0] if exact else profile.tables[0].rolled_up(by)
        parts.append(replace(part, moments=rebucketed(part.moments, profile.bucket, bucket)))
    timed = all(p.timed for p in parts)
    moments = pl.concat([p.moments if timed else p.timeless().moments for p in parts])
    bins = [p.histogram for p in parts if p.histogram is not None]
    histogram = add_up(pl.concat(bins)) if len(bins) == len(parts) else None
    kept = pl.col("prediction").is_in([i for i, c in enumerate(centres) if c is not None])
    about = [p.centred.filter(kept) for p in parts if p.centred is not None]
    centred = add_up(pl.concat(about)) if about and centres and histogram is not None else None
    return Table(by, add_up(moments), histogram, timed, centred)
