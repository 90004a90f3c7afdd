"""Builds what a report says of one prediction column from a profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lossreport.advice.advice import Goal
from lossreport.advice.settings import settings
from lossreport.checks.repeats import tokens_of
from lossreport.checks.view import view_of
from lossreport.logs.columns import key_names
from lossreport.losses import squares_fit
from lossreport.profiles.profile import Profile, Table
from lossreport.reports.advising import Costs, advise_groups, advise_rows
from lossreport.reports.biased import biased_words
from lossreport.reports.by_level import error_by_level
from lossreport.reports.concentration import lorenz
from lossreport.reports.curves import quantile_points
from lossreport.reports.figures import Figures, figures
from lossreport.reports.goals import goal_effects
from lossreport.reports.groupings import grouping_of
from lossreport.reports.located import Located, locate
from lossreport.reports.metrics import metrics
from lossreport.reports.over_time import drift, timeline
from lossreport.reports.patterns import worst_patterns
from lossreport.reports.recommending import recommendation
from lossreport.reports.results import Prediction, Recommendation, WorstRow
from lossreport.reports.scored import Scored, of_all, scored, share_of
from lossreport.reports.seen import seen
from lossreport.reports.wording import flagged_words, verdict


def build_prediction(
    profile: Profile,
    whole: Table,
    i: int,
    goal: Goal,
    costs: Costs | None,
    unit: str | None = None,
) -> Prediction:
    """Return everything about prediction column number `i`; `whole` is the table of all rows."""
    rows = scored(profile, whole, i)
    advice = advise_rows(rows, profile.centre(i), goal)
    overall = figures(rows.log.sums, rows.log.histogram, advice.delta, rows.log.judged)
    groupings = [
        grouping_of(by, groups, rows.log.sums, goal, costs, unit, outcome=rows.outcome)
        for by, groups in rows.raw.items()
    ]
    found = locate(profile, i, rows, groupings, advice, unit)
    # Which model a row is of is no property of a row that a model could be trained with.
    own = [g.by for g in groupings if profile.columns.compare not in g.by]
    advice = advise_groups(advice, rows, own, costs, drift(profile, i))
    advised = recommendation(advice, overall, unit)
    return _told(profile, i, rows, overall, found, advised, unit)


def _told(
    profile: Profile,
    i: int,
    rows: Scored,
    overall: Figures,
    found: Located,
    advised: Recommendation,
    unit: str | None,
) -> Prediction:
    """Return the prediction: what is known of it, and all that can be said of that."""
    name, log, advice = profile.columns.predicted[i], rows.log, advised.advice
    attribution, groupings = found.attribution, found.groupings
    view = view_of(profile, i, None)
    tokens = [] if view is None else [tokens_of(view, side) for side in ("actual", "predicted")]
    worst = _worst_rows(profile, i, log.sums)
    flagged = flagged_words([g for x in groupings for g in x.groups], attribution)
    biased = biased_words(groupings, unit)
    opening = verdict(
        rows.ledger, overall, advised, found.concentration, worst, flagged, biased, unit
    )
    step, points = timeline(profile, i)
    return Prediction(
        predicted=name,
        rows=rows.ledger,
        verdict=opening,
        overall=overall,
        recommendation=advised,
        concentration=found.concentration,
        attribution=attribution,
        slices=found.slices,
        biased=biased,
        ranking_flips=found.ranking_flips,
        flagged=flagged,
        groupings=groupings,
        worst=worst,
        patterns=worst_patterns(view, rows.by_column, rows.names, unit),
        levels=error_by_level(view, advice, overall, unit),
        timeline=points,
        time_step=step,
        lorenz=lorenz(log.histogram),
        metrics=metrics(overall, attribution.without if attribution else None),
        exceedance=found.exceedance,
        quantiles=quantile_points(log.judged, advice.scale) if log.judged else (),
        tokens=tuple(t for told, _ in tokens for t in told),
        other_tokens=sum(others for _, others in tokens),
        settings=settings(advice, of_all(log), profile.columns.actual, name),
        goals=goal_effects(advice, of_all(log), overall, unit),
        seen=seen(view, profile.worst.filter(pl.col("prediction") == i), overall, unit),
    )


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
            share_of_sq_error=share_of(row["error"] ** 2, sums["sum_sq_error"])
            if squares_fit(sums)
            else None,
        )
        for row in rows.iter_rows(named=True)
    )
