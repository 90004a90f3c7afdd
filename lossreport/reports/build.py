"""Builds the report from a profile; the last module that sees a frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any

import polars as pl

from lossreport.advice.choice import Advice, Goal, advise, advise_all, with_costs, with_weights
from lossreport.advice.mixing import Decomposition, decompose, stacked
from lossreport.advice.probabilities import advise_probabilities
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.pairs import are_probabilities
from lossreport.checks.repeats import tokens_of
from lossreport.checks.view import view_of
from lossreport.formats import visible
from lossreport.logs.columns import Columns, key_names
from lossreport.logs.log import FILE_NAME
from lossreport.logs.times import how_read
from lossreport.losses import from_sums, squares_fit
from lossreport.profiles.evidence import BLOCK
from lossreport.profiles.profile import HOUR, HOURS, Bucket, Profile, Table, add_up
from lossreport.profiles.statistics import REASONS, RELATIVE_ACCURACY
from lossreport.reports.concentration import few_rows, lorenz
from lossreport.reports.figures import figures, outlier_driven
from lossreport.reports.findings import find
from lossreport.reports.groups import MAX_GROUPS, RawGroups, all_others, groups_of
from lossreport.reports.joined import join_notes
from lossreport.reports.reconcile import reconcile
from lossreport.reports.results import (
    Group,
    Grouping,
    Ledger,
    Prediction,
    Report,
    TimePoint,
    WorstRow,
)
from lossreport.reports.wording import recommendation, verdict
from lossreport.version import __version__

MAX_TIME_POINTS = 120
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def build_report(
    profile: Profile,
    *,
    goal: Goal = "unknown",
    costs: tuple[float, float] | None = None,
    title: str | None = None,
) -> Report:
    """Return the report of a profile.

    Parameters
    ----------
    goal
        What must be right: totals, the typical row, no large errors, or unknown.
    costs
        What a unit of error costs where the prediction is too low, and where it is too high.
    title
        The heading; by default the name of the log.

    Raises
    ------
    BrokenFiguresError
        The rows do not add up: a bug.
    """
    whole = profile.table(())
    predictions = tuple(
        _prediction(profile, whole, i, name, goal, costs)
        for i, name in enumerate(profile.columns.predicted)
    )
    reconcile(predictions, profile.rows)
    return Report(
        version=__version__,
        title=title or _name_of(profile),
        sources=profile.sources,
        actual=profile.columns.actual,
        predicted=profile.columns.predicted,
        time=profile.columns.time,
        keys=tuple(_shown(profile.columns.keys, profile.columns)),
        found=profile.columns.found,
        rows=predictions[0].rows,
        span=profile.span and (_instant(profile.span[0]), _instant(profile.span[1])),
        predictions=predictions,
        findings=find(profile, predictions),
        notes=_notes(profile, predictions[0].groupings),
        joins=profile.joins,
    )


def _name_of(profile: Profile) -> str:
    names = [PurePath(s.path).name or s.path for s in profile.sources]
    if len(names) == 1:
        return names[0]
    parents = {PurePath(s.path).parent.name for s in profile.sources}
    folder = parents.pop() if len(parents) == 1 else ""
    return f"{folder or 'log'} ({len(names)} files)"


def _instant(microseconds: int, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return a time as text; beyond the years 1 to 9999 only that it is."""
    try:
        return (EPOCH + timedelta(microseconds=microseconds)).strftime(form)
    except OverflowError:
        return "before year 1" if microseconds < 0 else "after year 9999"


def _shown(by: Sequence[str], columns: Columns) -> list[str]:
    """Return group columns as they are shown: the file's name is "file" if nothing else is."""
    name = FILE_NAME if "file" in columns.keys else "file"
    return [name if c == FILE_NAME else c for c in by]


def _notes(profile: Profile, groupings: tuple[Grouping, ...]) -> tuple[str, ...]:
    cut = [g.by for g in groupings if g.rest_groups]
    notes = [
        "Counts, sums, MAE, MSE, RMSE, ratio, bias and maximum are of every scored row. Quantiles, "
        "shares of the worst rows, the centred ratio and the advice come from a histogram of every "
        f"scored error with a relative accuracy of {RELATIVE_ACCURACY:.0%}; for them no row was "
        "sampled."
    ]
    notes += [
        f"Grouped by {', '.join(t.by)} there are too many groups ({t.groups():,}) to keep their "
        "histograms: they have exact figures, but no quantiles and no advice."
        for t in profile.tables
        if t.histogram is None
    ]
    if profile.evidence is not None and profile.evidence.by_place.level:
        notes.append(
            f"The checks on single rows look at {profile.evidence.by_place.rows.height:,} of the "
            f"{profile.rows:,} rows, in blocks of {BLOCK} spread evenly over the log, and at the "
            "worst rows; those for repeated rows and ids at all rows of some contents and ids. "
            "What they say of the whole log is an estimate."
        )
    notes += [
        f"Of the groups by {', '.join(by)} the {MAX_GROUPS:,} with the most squared error are told "
        "apart, flagged and advised; all others are one sum."
        for by in cut
    ]
    notes += join_notes(profile.joins)
    read = how_read(profile.columns.time_format)
    if read:
        notes.append(f"The times of {visible(profile.columns.time or '', 40)} {read}")
    return tuple(notes)


def _prediction(
    profile: Profile,
    whole: Table,
    i: int,
    name: str,
    goal: Goal,
    costs: tuple[float, float] | None,
) -> Prediction:
    (log,) = groups_of(whole, i).groups
    sums, histogram = log.sums, log.histogram
    ledger = _ledger(sums)
    probabilities = are_probabilities(profile, i)
    advice = advise(histogram, ledger.scored, goal)
    advice = _of_probabilities(advice) if probabilities else advice
    overall = figures(sums, histogram, advice.delta)
    raw = {by: groups_of(profile.table(by), i) for by in profile.columns.groupings}
    raw = {tuple(_shown(by, profile.columns)): groups for by, groups in raw.items()}
    groupings = tuple(
        _grouping(by, groups, sums, goal, costs, probabilities=probabilities)
        for by, groups in raw.items()
    )
    if not probabilities:
        advice = _with_weights(advice, raw, groupings)
        advice = with_costs(advice, histogram, *costs) if costs else advice
    advised = recommendation(advice, overall)
    few = few_rows(histogram, raw) if squares_fit(sums) and not probabilities else None
    view = view_of(profile, i, None)
    tokens = [] if view is None else [tokens_of(view, side) for side in ("actual", "predicted")]
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
        lorenz=lorenz(histogram),
        tokens=tuple(t for told, _ in tokens for t in told),
        other_tokens=sum(others for _, others in tokens),
    )


def _of_probabilities(advice: Advice) -> Advice:
    """Return the advice for probabilities, if there are rows enough for any."""
    if advice.rows < MINIMUM_ROWS:
        return advice
    return advise_probabilities(advice.rows, advice.goal)


def _with_weights(
    advice: Advice, raw: Mapping[tuple[str, ...], RawGroups], groupings: Sequence[Grouping]
) -> Advice:
    """Look at the grouping that the error's size differs most between."""
    parts = [(g.decomposition, g.by) for g in groupings if g.decomposition]
    if not parts:
        return advice
    mixing, by = max(parts, key=lambda part: part[0].between)
    together = stacked([g.histogram for g in raw[by].groups])
    if together is None:
        return advice
    inside = advise(together, round(together.rows), detail=False)
    return with_weights(advice, by, mixing, inside)


def _ledger(sums: Mapping[str, Any]) -> Ledger:
    left_out = tuple((r, int(sums[r])) for r in REASONS if sums[r])
    n = int(sums["n"])
    return Ledger(n + sum(c for _, c in left_out), n, left_out)


def _share(part: float, whole: float) -> float | None:
    return min(1.0, part / whole) if 0 < whole < math.inf and math.isfinite(part) else None


def _grouping(
    by: tuple[str, ...],
    raw: RawGroups,
    whole: Mapping[str, Any],
    goal: Goal,
    costs: tuple[float, float] | None,
    *,
    probabilities: bool,
) -> Grouping:
    """Return a grouping's groups, with their figures, flags and advice."""
    each = []
    shapes = [(group.histogram, int(group.sums["n"])) for group in raw.groups]
    for group, usual in zip(raw.groups, advise_all(shapes, goal, detail=False), strict=True):
        advice = _of_probabilities(usual) if probabilities else usual
        own = figures(group.sums, group.histogram, advice.delta)
        costly = (
            with_costs(advice, group.histogram, *costs) if costs and not probabilities else advice
        )
        each.append((own, recommendation(costly, own)))
    # Of a rare outcome most errors are small and few are near 1: no outliers, but what it is.
    flags = outlier_driven([own for own, _ in each], MINIMUM_ROWS)
    flags = [flag and not probabilities for flag in flags]
    return Grouping(
        by,
        tuple(
            Group(
                key=group.key,
                rows=_ledger(group.sums),
                figures=own,
                share_of_rows=_share(group.sums["n"], whole["n"]) or 0.0,
                share_of_abs_error=_share(group.sums["sum_abs_error"], whole["sum_abs_error"]),
                share_of_sq_error=_share(group.sums["sum_sq_error"], whole["sum_sq_error"]),
                ratio_without=from_sums(others)["ratio"],
                flagged=flag,
                too_few_rows=own.n < MINIMUM_ROWS,
                recommendation=advised,
            )
            for group, (own, advised), flag, others in zip(
                raw.groups, each, flags, all_others(raw), strict=True
            )
        ),
        _decomposition(raw),
        raw.rest_groups,
        None if raw.rest is None else _ledger(raw.rest),
        None if raw.rest is None else figures(raw.rest, None),
    )


def _decomposition(raw: RawGroups) -> Decomposition | None:
    """Return the ratio inside and between the groups; None if not all of them are told apart."""
    if raw.rest is not None:
        return None
    names = ("n", "sum_abs_error", "sum_sq_error")
    return decompose(*([g.sums[name] for g in raw.groups] for name in names))


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
            _instant((row["bucket"] * step - offset) * HOURS[unit] * HOUR, start),
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
