"""How the profiles of disjoint rows merge into the profile of all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from lossreport.errors import UsageError
from lossreport.logs.columns import Columns
from lossreport.logs.kinds import merged_kinds
from lossreport.profiles.evidence import merged_evidence
from lossreport.profiles.profile import (
    HOURS,
    MAX_CUBE_GROUPS,
    Bucket,
    Profile,
    Table,
    bucket_for,
    tables_for,
    without_time,
    worst_first,
)
from lossreport.profiles.shared_rows import merged_common
from lossreport.profiles.statistics import add_up


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


def rebucketed(frame: pl.DataFrame, old: Bucket | None, new: Bucket | None) -> pl.DataFrame:
    """Return moments with their buckets in a coarser unit."""
    if old == new or old is None or new is None:
        return frame
    factor = HOURS[new] // HOURS[old]
    return add_up(frame.with_columns(pl.col("bucket") // factor))
