"""Builds what a report says of one prediction column from a profile."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from lossreport.advice.advice import Advice, Goal
from lossreport.advice.choice import advise, advise_all, with_costs, with_weights
from lossreport.advice.histogram import ErrorHistogram
from lossreport.advice.level import centre_for
from lossreport.advice.mixing import Decomposition, decompose, stacked
from lossreport.advice.probabilities import advise_probabilities
from lossreport.advice.settings import settings
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.pairs import are_probabilities
from lossreport.checks.repeats import tokens_of
from lossreport.checks.view import view_of
from lossreport.formats import instant
from lossreport.logs.columns import Columns, key_names
from lossreport.logs.part import FILE_NAME
from lossreport.losses import from_sums, squares_fit
from lossreport.profiles.profile import HOUR, HOURS, Bucket, Profile, Table, add_up
from lossreport.profiles.statistics import REASONS
from lossreport.reports.attribution import By, attribute, without_sources
from lossreport.reports.biased import biased_groups, biased_words
from lossreport.reports.by_level import error_by_level
from lossreport.reports.concentration import few_rows, lorenz
from lossreport.reports.curves import Exceedance, exceedance, quantile_points
from lossreport.reports.figures import figures, outlier_driven
from lossreport.reports.goals import goal_effects
from lossreport.reports.groups import RawGroup, RawGroups, all_others, groups_of
from lossreport.reports.metrics import metrics
from lossreport.reports.patterns import worst_patterns
from lossreport.reports.ranking_flips import ranking_flips
from lossreport.reports.recommending import recommendation
from lossreport.reports.results import Group, Grouping, Ledger, Prediction, TimePoint, WorstRow
from lossreport.reports.seen import seen
from lossreport.reports.slices import find_slices
from lossreport.reports.where import Attribution
from lossreport.reports.wording import flagged_words, verdict

DECOMPOSED = ("n", "sum_abs_error", "sum_sq_error")
MOST = 0.8
"""Groups to weight by must hold so much of the rows where they are large enough to judge."""
MAX_TIME_POINTS = 120
MAX_CURVES = 12
ONCE_MORE = (
    "More may show when the log is read twice: report its files together, not from profiles that "
    "were merged."
)


def build_prediction(
    profile: Profile,
    whole: Table,
    i: int,
    name: str,
    goal: Goal,
    costs: tuple[float, float] | None,
    unit: str | None = None,
) -> Prediction:
    """Return everything about prediction column number `i`; `whole` is the table of all rows."""
    centre = profile.centres[i] if profile.centres else None
    (log,) = groups_of(whole, i, centre).groups
    sums, histogram = log.sums, log.histogram
    ledger = _ledger(sums)
    probabilities = are_probabilities(profile, i)
    advice = _once_more(advise(log.judged, ledger.scored, goal), histogram, centre)
    advice = _of_probabilities(advice) if probabilities else advice
    overall = figures(sums, histogram, advice.delta, log.judged)
    by_column = {by: groups_of(profile.table(by), i, centre) for by in profile.columns.groupings}
    names = {by: tuple(shown_columns(by, profile.columns)) for by in by_column}
    raw = {names[by]: groups for by, groups in by_column.items()}
    groupings = tuple(
        _grouping(by, groups, sums, goal, costs, unit, probabilities=probabilities)
        for by, groups in raw.items()
    )
    attribution, slices, left = None, None, {}
    if squares_fit(sums) and not probabilities:
        made = zip(by_column, groupings, strict=True)
        flagged_in = {by: tuple(g.flagged for g in grouping.groups) for by, grouping in made}
        attribution = attribute(profile, i, by_column, flagged_in, advice.delta)
        keys = profile.columns.keys
        shown = dict(zip(keys, shown_columns(keys, profile.columns), strict=True))
        slices = find_slices(profile, i, attribution.origins if attribution else (), shown)
        origins = attribution.origins if attribution else ()
        left = without_sources(profile, i, by_column, origins)
        attribution = attribution and _named(attribution, names)
        groupings = tuple(_with_roles(g, attribution) for g in groupings)
    if not probabilities:
        advice = _with_weights(advice, raw, groupings)
        advice = with_costs(advice, _of_all(log), *costs) if costs else advice
    advised = recommendation(advice, overall, unit)
    few = (
        few_rows(histogram, raw, advice.broken) if squares_fit(sums) and not probabilities else None
    )
    view = view_of(profile, i, None)
    tokens = [] if view is None else [tokens_of(view, side) for side in ("actual", "predicted")]
    worst = _worst_rows(profile, i, sums)
    every_group = [g for grouping in groupings for g in grouping.groups]
    flagged = flagged_words(every_group, attribution)
    biased = biased_words(groupings)
    flips = ranking_flips(
        raw, {names[by]: g for by, g in left.items()}, attribution.origins if attribution else ()
    )
    step, points = _timeline(profile, i)
    return Prediction(
        predicted=name,
        rows=ledger,
        verdict=verdict(ledger, overall, advised, few, worst, flagged, biased, unit),
        overall=overall,
        recommendation=advised,
        concentration=few,
        attribution=attribution,
        slices=slices,
        biased=biased,
        ranking_flips=flips,
        flagged=flagged,
        groupings=groupings,
        worst=worst,
        patterns=worst_patterns(view, by_column, names),
        levels=error_by_level(view, advice, overall),
        timeline=points,
        time_step=step,
        lorenz=lorenz(histogram),
        metrics=metrics(overall, attribution.without if attribution else None),
        exceedance=_exceedance(raw, attribution, histogram),
        quantiles=quantile_points(log.judged, advice.scale) if log.judged else (),
        tokens=tuple(t for told, _ in tokens for t in told),
        other_tokens=sum(others for _, others in tokens),
        settings=settings(advice, _of_all(log), profile.columns.actual, name),
        goals=goal_effects(advice, _of_all(log), overall),
        seen=seen(view, profile.worst.filter(pl.col("prediction") == i), overall),
    )


def _exceedance(
    raw: Mapping[By, RawGroups], attribution: Attribution | None, whole: ErrorHistogram | None
) -> tuple[Exceedance, ...]:
    """Return the curves of the grouping that the first source is in, else of the smallest one.

    At most 12 of its groups: the sources, then those with the most squared error. Without a source
    and with more groups than that, which would say little of the log, the curve of all rows.
    """
    origins = attribution.origins if attribution else ()
    sources = {(o.by, o.key) for o in origins}
    drawable = [by for by, groups in raw.items() if 2 <= len(groups.groups) <= MAX_CURVES]
    by = origins[0].by if origins else min(drawable, key=lambda b: len(raw[b].groups), default=None)
    if by is None:
        points = exceedance(whole) if whole else ()
        return (Exceedance((), (), False, points),) if points else ()
    groups = sorted(raw[by].groups, key=lambda g: (by, g.key) not in sources)
    curves = (
        Exceedance(by, g.key, (by, g.key) in sources, exceedance(g.histogram))
        for g in groups[:MAX_CURVES]
        if g.histogram
    )
    return tuple(c for c in curves if c.points)


def _named(attribution: Attribution, names: Mapping[By, By]) -> Attribution:
    """Return it with columns called as they are shown."""
    return replace(
        attribution,
        origins=tuple(replace(o, by=names[o.by]) for o in attribution.origins),
        roles={(names[by], key): role for (by, key), role in attribution.roles.items()},
        outside={(names[by], key): f for (by, key), f in attribution.outside.items()},
    )


def _with_roles(grouping: Grouping, attribution: Attribution | None) -> Grouping:
    if attribution is None:
        return grouping
    groups = (
        replace(
            g,
            role=attribution.roles.get((grouping.by, g.key)),
            without_source=attribution.outside.get((grouping.by, g.key)),
        )
        for g in grouping.groups
    )
    return replace(grouping, groups=tuple(groups))


def _once_more(advice: Advice, histogram: ErrorHistogram | None, centre: float | None) -> Advice:
    """Return the advice with what to do where only a second reading would tell the shape."""
    if advice.loss or advice.verdict != "cannot-say" or centre is not None:
        return advice
    if centre_for(histogram) is None:
        return advice
    return replace(advice, reason=f"{advice.reason} {ONCE_MORE}")


def _of_all(group: RawGroup) -> ErrorHistogram | None:
    """Return the histogram that all scored rows are in, about a level if there is one."""
    return group.histogram if group.judged is None or group.judged.apart else group.judged


def _of_probabilities(advice: Advice) -> Advice:
    """Return the advice for probabilities, if there are rows enough for any."""
    if advice.rows < MINIMUM_ROWS:
        return advice
    return advise_probabilities(advice.rows, advice.goal)


def _with_weights(
    advice: Advice, raw: Mapping[tuple[str, ...], RawGroups], groupings: Sequence[Grouping]
) -> Advice:
    """Look at the grouping that the error's size differs most between."""
    found: list[tuple[Decomposition, By]] = []
    for grouping in groupings:
        large = [g for g in raw[grouping.by].groups if g.sums["n"] >= MINIMUM_ROWS]
        # The MAE of small groups differs by chance, and their errors cannot be judged.
        if sum(g.sums["n"] for g in large) >= MOST * advice.rows:
            mixing = decompose(*([g.sums[name] for g in large] for name in DECOMPOSED))
            found += [(mixing, grouping.by)] if mixing else []
    if not found:
        return advice
    mixing, by = max(found, key=lambda part: part[0].between)
    together = stacked([g.judged for g in raw[by].groups])
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
    unit: str | None,
    *,
    probabilities: bool,
) -> Grouping:
    """Return a grouping's groups, with their figures, flags and advice."""
    each = []
    shapes = [(group.judged, int(group.sums["n"])) for group in raw.groups]
    for group, usual in zip(raw.groups, advise_all(shapes, goal, detail=False), strict=True):
        advice = _of_probabilities(usual) if probabilities else usual
        own = figures(group.sums, group.histogram, advice.delta, group.judged)
        costly = (
            with_costs(advice, _of_all(group), *costs) if costs and not probabilities else advice
        )
        each.append((own, recommendation(costly, own, unit)))
    # Of a rare outcome most errors are small and few are near 1: no outliers, but what it is.
    flags = outlier_driven([own for own, _ in each], MINIMUM_ROWS)
    flags = [flag and not probabilities for flag in flags]
    biased = biased_groups(raw.groups, int(whole["n"]))
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
                biased=leans,
            )
            for group, (own, advised), flag, others, leans in zip(
                raw.groups, each, flags, all_others(raw), biased, strict=True
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
    return decompose(*([g.sums[name] for g in raw.groups] for name in DECOMPOSED))


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
            instant((row["bucket"] * step - offset) * HOURS[unit] * HOUR, start),
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


def shown_columns(by: Sequence[str], columns: Columns) -> list[str]:
    """Return group columns as they are shown: the file's name is "file" if nothing else is."""
    name = FILE_NAME if "file" in columns.keys else "file"
    return [name if c == FILE_NAME else c for c in by]
