"""Builds the report from a profile; the last module that sees a frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any

import numpy as np
import polars as pl

from lossreport.advice import MINIMUM_ROWS, Advice, Goal, advise
from lossreport.figures import figures, outlier_driven
from lossreport.findings import find
from lossreport.histogram import ErrorHistogram
from lossreport.losses import from_sums, squares_fit
from lossreport.profiles import (
    HOURS,
    MOMENTS,
    REASONS,
    RELATIVE_ACCURACY,
    Bucket,
    Profile,
    Table,
    add_up,
    key_names,
)
from lossreport.results import (
    Concentration,
    Group,
    Grouping,
    Ledger,
    Place,
    Prediction,
    Report,
    TimePoint,
    WorstRow,
    WorstShare,
)
from lossreport.version import __version__
from lossreport.wording import recommendation, verdict

MAX_ADVISED_GROUPS = 10_000
"""Of each grouping, the groups with the most squared error that get advice of their own."""
MAX_TIME_POINTS = 120
FEW = 0.01
"""Rows are few if they are at most this share of all, and ..."""
MOST = 0.5
"""... make most of the squared error if they hold at least this share of it."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[str | None, ...]


def build_report(profile: Profile, *, goal: Goal = "unknown", title: str | None = None) -> Report:
    """Return the report of a profile.

    Parameters
    ----------
    goal
        What must be right: totals, the typical row, no large errors, or unknown.
    title
        The heading; by default the name of the log.
    """
    whole = profile.table(())
    predictions = tuple(
        _prediction(profile, whole, i, name, goal)
        for i, name in enumerate(profile.columns.predicted)
    )
    return Report(
        version=__version__,
        title=title or _name_of(profile),
        sources=profile.sources,
        actual=profile.columns.actual,
        predicted=profile.columns.predicted,
        time=profile.columns.time,
        keys=profile.columns.keys,
        found=profile.columns.found,
        rows=predictions[0].rows,
        span=profile.span and (_instant(profile.span[0]), _instant(profile.span[1])),
        predictions=predictions,
        findings=find(profile, predictions),
        notes=_notes(profile),
    )


def _name_of(profile: Profile) -> str:
    names = [PurePath(s.path).name or s.path for s in profile.sources]
    if len(names) == 1:
        return names[0]
    parents = {PurePath(s.path).parent.name for s in profile.sources}
    folder = parents.pop() if len(parents) == 1 else ""
    return f"{folder or 'log'} ({len(names)} files)"


def _instant(microseconds: int) -> str:
    return (EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%d %H:%M")


def _notes(profile: Profile) -> tuple[str, ...]:
    notes = [
        "Counts, sums, MAE, MSE, RMSE, ratio, bias and maximum are of every scored row. Quantiles, "
        "shares of the worst rows, the centred ratio and the advice come from a histogram of every "
        f"scored error with a relative accuracy of {RELATIVE_ACCURACY:.0%}; no row was sampled."
    ]
    notes += [
        f"Grouped by {', '.join(t.by)} there are too many groups ({t.groups():,}) to keep their "
        "histograms: they have exact figures, but no quantiles and no advice."
        for t in profile.tables
        if t.histogram is None
    ]
    return tuple(notes)


def _prediction(profile: Profile, whole: Table, i: int, name: str, goal: Goal) -> Prediction:
    (_, sums, histogram), = _groups_of(whole, i)  # fmt: skip
    ledger = _ledger(sums)
    advice = advise(histogram, ledger.scored, goal)
    overall = figures(sums, histogram, advice.delta)
    advised = recommendation(advice, overall)
    groupings = tuple(
        _grouping(profile.table(by), by, i, sums, goal) for by in profile.columns.groupings
    )
    few = _concentration(profile, i, sums, histogram, advice)
    worst = _worst_rows(profile, i, sums)
    every_group = [g for grouping in groupings for g in grouping.groups]
    flagged = sum(g.flagged for g in every_group)
    step, points = _timeline(profile, i)
    return Prediction(
        predicted=name,
        rows=ledger,
        verdict=verdict(ledger, overall, advised, few, worst, flagged, len(every_group)),
        overall=overall,
        recommendation=advised,
        concentration=few,
        groupings=groupings,
        worst=worst,
        timeline=points,
        time_step=step,
        lorenz=_lorenz(histogram),
    )


def _groups_of(
    table: Table, prediction: int
) -> Iterator[tuple[Key, dict[str, Any], ErrorHistogram | None]]:
    """Yield key, sums and histogram of each group; an ungrouped table always has its one group."""
    keys = key_names(table.by)
    moments = table.moments.filter(pl.col("prediction") == prediction)
    bins: dict[Any, pl.DataFrame] = {}
    if table.histogram is not None:
        mine = table.histogram.filter(pl.col("prediction") == prediction)
        bins = mine.partition_by(keys, as_dict=True) if keys else {(): mine}
    if not keys and moments.is_empty():
        yield (), dict.fromkeys((*MOMENTS, *REASONS), 0), None
    for row in moments.iter_rows(named=True):
        key = tuple(row[k] for k in keys)
        found = bins.get(key)
        yield (
            key,
            row,
            None if found is None or found.is_empty() else ErrorHistogram.from_bins(found),
        )


def _ledger(sums: Mapping[str, Any]) -> Ledger:
    left_out = tuple((r, int(sums[r])) for r in REASONS if sums[r])
    n = int(sums["n"])
    return Ledger(n + sum(c for _, c in left_out), n, left_out)


def _share(part: float, whole: float) -> float | None:
    return part / whole if 0 < whole < math.inf and math.isfinite(part) else None


def _grouping(
    table: Table, by: tuple[str, ...], prediction: int, whole: Mapping[str, Any], goal: Goal
) -> Grouping:
    groups = sorted(_groups_of(table, prediction), key=lambda g: _by_loss(g[1], g[0]))
    each = []
    for rank, (_, sums, histogram) in enumerate(groups):
        shape = histogram if rank < MAX_ADVISED_GROUPS else None
        advice = advise(shape, int(sums["n"]), goal, detail=False)
        own = figures(sums, histogram, advice.delta)
        each.append((own, recommendation(advice, own)))
    flags = outlier_driven([own for own, _ in each], MINIMUM_ROWS)
    rest = _all_others([sums for _, sums, _ in groups])
    return Grouping(
        by,
        tuple(
            Group(
                key=key,
                rows=_ledger(sums),
                figures=own,
                share_of_rows=_share(sums["n"], whole["n"]) or 0.0,
                share_of_abs_error=_share(sums["sum_abs_error"], whole["sum_abs_error"]),
                share_of_sq_error=_share(sums["sum_sq_error"], whole["sum_sq_error"]),
                ratio_without=from_sums(others)["ratio"],
                flagged=flag,
                too_few_rows=sums["n"] < MINIMUM_ROWS,
                recommendation=advised,
            )
            for (key, sums, _), (own, advised), flag, others in zip(
                groups, each, flags, rest, strict=True
            )
        ),
    )


def _by_loss(sums: Mapping[str, Any], key: Key) -> tuple[Any, ...]:
    """Return what sorts groups: most squared error first, then most rows, then by name."""
    squares = sums["sum_sq_error"]
    return (-squares, -sums["n"], tuple((k is None, k or "") for k in key))


def _all_others(groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return, for each group, the moments of all the other groups together.

    Added up from both ends, not subtracted from the whole: when one group holds nearly all of the
    squared error, what a subtraction leaves has lost its digits.
    """
    names = [m for m in MOMENTS if m != "max_abs_error"]
    each = np.array([[g[m] for m in names] for g in groups], dtype=np.float64)
    with np.errstate(all="ignore"):
        before = np.cumsum(each, axis=0)
        after = np.cumsum(each[::-1], axis=0)[::-1]
    zero = np.zeros((1, len(names)))
    others = np.concatenate([zero, before[:-1]]) + np.concatenate([after[1:], zero])
    largest = [*sorted((g["max_abs_error"] for g in groups), reverse=True), 0.0, 0.0]
    return [
        dict(zip(names, row.tolist(), strict=True))
        | {"max_abs_error": largest[1] if g["max_abs_error"] == largest[0] else largest[0]}
        for g, row in zip(groups, others, strict=True)
    ]


def _concentration(
    profile: Profile,
    prediction: int,
    sums: Mapping[str, Any],
    histogram: ErrorHistogram | None,
    advice: Advice,
) -> Concentration | None:
    """Return the few rows that make most of the squared error, if there are such rows.

    Of the cuts |error| > c between bins, the one that catches the largest share of squared error
    with the fewest rows: it maximises share * (1 - ln(rows) / ln(all rows)).
    """
    if histogram is None or advice.verdict == "not-enough-rows":
        return None
    if sums["max_abs_error"] == 0 or not squares_fit(sums):
        return None
    n = float(sums["n"])
    tail = [(c, *histogram.beyond(c)) for c in _cuts(histogram, FEW * n)]
    few = [t for t in tail if 0 < t[1] <= FEW * n and t[3] >= MOST]
    if not few:
        return None
    cut, rows, absolute, squared = max(few, key=lambda t: t[3] * (1 - math.log(t[1]) / math.log(n)))
    place = _place(profile, prediction, cut, rows, n)
    return Concentration(rows, cut, rows / n, absolute, squared, place)


def _cuts(histogram: ErrorHistogram, most_rows: float) -> list[float]:
    """Return the outer edges of bins that have no more than this many rows beyond them."""
    order = np.argsort(-histogram.edge, kind="stable")
    edges, rows = histogram.edge[order], np.cumsum(histogram.n[order])
    within = edges[rows <= most_rows]
    following = edges[rows > most_rows][:1]
    return sorted({float(e) for e in (*within, *following)}, reverse=True)


def _place(profile: Profile, prediction: int, cut: float, rows: int, n: float) -> Place | None:
    """Return the group with most of the large errors, if it has far more than its share."""
    best: tuple[float, Place] | None = None
    for by in sorted(profile.columns.groupings, key=len):
        groups = list(_groups_of(profile.table(by), prediction))
        if len(groups) < 2 or any(h is None and s["n"] for _, s, h in groups):
            continue
        rest = _all_others([s for _, s, _ in groups])
        for (key, sums, histogram), others in zip(groups, rest, strict=True):
            mine = histogram.beyond(cut)[0] if histogram else 0
            share = sums["n"] / n
            excess = mine / rows - share
            if 2 * mine < rows or mine / rows < 2 * share or (best and excess <= best[0] + 1e-9):
                continue
            best = excess, Place(by, key, mine, share, figures(others, None))
    return best[1] if best else None


def _worst_rows(profile: Profile, prediction: int, sums: Mapping[str, Any]) -> tuple[WorstRow, ...]:
    keys = key_names(profile.columns.keys)
    rows = profile.worst.filter(pl.col("prediction") == prediction)
    return tuple(
        WorstRow(
            file=row["file"],
            row=row["row"],
            time=row["time"] and row["time"].strftime("%Y-%m-%d %H:%M:%S"),
            keys=tuple(row[k] for k in keys),
            actual=row["actual"],
            predicted=row["predicted"],
            error=row["error"],
            share_of_sq_error=_share(row["error"] ** 2, sums["sum_sq_error"])
            if squares_fit(sums)
            else None,
        )
        for row in rows.iter_rows(named=True)
    )


def _timeline(profile: Profile, prediction: int) -> tuple[str | None, tuple[TimePoint, ...]]:
    """Return the figures over time in at most 120 steps, and what a step is."""
    unit = profile.bucket
    frame = profile.timeline.filter(
        (pl.col("prediction") == prediction) & pl.col("bucket").is_not_null()
    )
    if unit is None or frame.is_empty():
        return None, ()
    first, last = frame["bucket"].min(), frame["bucket"].max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    step, name = _step(last - first + 1, unit)
    offset = 3 if step % 7 == 0 else 0  # 1970-01-01 was a Thursday: weeks begin on Monday
    rolled = add_up(frame.with_columns((pl.col("bucket") + offset) // step)).sort("bucket")
    start = {"hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d"}[unit]
    return name, tuple(
        TimePoint(
            (EPOCH + timedelta(hours=(row["bucket"] * step - offset) * HOURS[unit])).strftime(
                start
            ),
            figures(row, None),
        )
        for row in rolled.iter_rows(named=True)
    )


def _step(buckets: int, unit: Bucket) -> tuple[int, str]:
    """Return how many buckets make a step of the timeline, and the step's name."""
    if buckets <= MAX_TIME_POINTS + 1:
        return 1, unit
    weeks = math.ceil(buckets / 7 / MAX_TIME_POINTS)
    return 7 * weeks, "week" if weeks == 1 else f"{weeks} weeks"


def _lorenz(histogram: ErrorHistogram | None) -> tuple[WorstShare, ...]:
    """Return what the worst rows hold of each loss, from one row to all, about evenly in ln."""
    if histogram is None or not np.any(histogram.mean):
        return ()
    rows = histogram.rows
    shares = np.unique(np.geomspace(1 / rows, 1, 60))
    held = [(float(s), histogram.worst(float(s) * (1 + 1e-12))) for s in shares]
    return tuple(WorstShare(min(s, 1.0), min(h[0], 1.0), min(h[1], 1.0)) for s, h in held if h)
