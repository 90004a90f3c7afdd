"""What the worst rows may have in common in where they are: an id, a file, a time, a group.

As `row_fits`; the other rows are counted in the whole log, not in the rows kept.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from lossreport.checks.view import Marks
from lossreport.formats import group_name, instant, visible
from lossreport.profiles.profile import HOUR, HOURS
from lossreport.reports.groups import RawGroups
from lossreport.reports.row_fits import FEWEST, Fit, Looked, Rows
from lossreport.reports.where import Kind

By = tuple[str, ...]

LONGEST = 28
"""Group values, files and ids are cut to this many characters."""


def one_id(rows: Rows) -> Looked:
    """Look for one id; its other rows are counted where they were kept.

    Of each id all rows were kept or none; an id that was not is taken to be as frequent as the
    most frequent one that was.
    """
    sample = rows.view.evidence.by_id
    if sample is None or rows.worst["id"].null_count() == rows.worst.height:
        return [], 0
    counts = dict(sample.rows["id"].value_counts().iter_rows())
    most = max(counts.values(), default=1)
    total = rows.view.profile.rows
    looked = len(counts) << sample.level
    named = ", ".join(visible(c, LONGEST) for c in rows.view.profile.columns.ids)
    found = []
    for value, n in _repeated(rows.worst["id"]):
        marks = rows.worst["id"].eq_missing(value).to_numpy()
        elsewhere = max(0, counts.get(value, most) - n)
        what = f"the id ({named}) {visible(value, 2 * LONGEST)}"
        others = total - rows.worst.height
        found.append(Fit("id", "have", what, marks, min(elsewhere, others), others))
    return found, looked


def _repeated(values: pl.Series) -> list[tuple[Any, int]]:
    """Return the values that enough of the worst rows have, with how often."""
    counts = values.drop_nulls().value_counts().sort(pl.all())
    return [(value, n) for value, n in counts.iter_rows() if n >= FEWEST]


def _among(kind: Kind, what: str, marks: Marks, members: int, total: int) -> Fit:
    """Return how many worst rows are in a part of the log that has so many rows of the total."""
    mine = int(marks.sum())
    others = max(0, total - len(marks))
    return Fit(kind, "are", what, marks, min(others, max(0, members - mine)), others)


def one_file(rows: Rows) -> Looked:
    """Look for one of several files."""
    sizes: dict[str, int] = {}
    for source in rows.view.profile.sources:
        sizes[source.path] = sizes.get(source.path, 0) + source.rows
    if len(sizes) < 2:
        return [], 0
    found = []
    for path, _ in _repeated(rows.worst["file"]):
        if path in sizes:
            marks = (rows.worst["file"] == path).to_numpy()
            what = f"in {visible(path, 2 * LONGEST)}"
            found.append(_among("file", what, marks, sizes[path], sum(sizes.values())))
    return found, len(sizes)


def one_time(rows: Rows) -> Looked:
    """Look for one hour; in a log that is kept by day, for one day."""
    unit = rows.view.profile.bucket
    moments = rows.view.profile.timeline.filter(pl.col("prediction") == rows.view.prediction)
    if unit is None:
        return [], 0
    timed = moments.drop_nulls("bucket")
    sizes = dict(timed.group_by("bucket").agg(pl.col("n").sum()).iter_rows())
    length = HOURS[unit] * HOUR
    buckets = rows.worst["time"].to_physical() // length
    found = []
    for bucket, _ in _repeated(buckets):
        marks = buckets.eq_missing(bucket).to_numpy()
        start = instant(bucket * length, "%Y-%m-%d %H:00" if unit == "hour" else "%Y-%m-%d")
        what = f"of the {unit} {start}"
        found.append(_among(unit, what, marks, sizes.get(bucket, 0), int(moments["n"].sum())))
    return found, len(sizes)


def one_group(rows: Rows, by: By, names: By, raw: RawGroups) -> Looked:
    """Look for one group of a grouping by the columns `by`, which are shown as `names`."""
    sizes = {g.key: int(g.sums["n"]) for g in raw.groups}
    total = sum(sizes.values()) + (0 if raw.rest is None else int(raw.rest["n"]))
    if len(sizes) < 2:
        return [], 0
    keys = rows.view.profile.columns.keys
    mine = list(rows.worst.select(f"key_{keys.index(c)}" for c in by).iter_rows())
    found = []
    for key, n in Counter(mine).items():
        if n >= FEWEST and key in sizes:
            marks = np.array([k == key for k in mine], dtype=bool)
            what = f"in {group_name(names, key, LONGEST)}"
            found.append(_among("group", what, marks, sizes[key], total))
    return found, len(sizes) + raw.rest_groups
