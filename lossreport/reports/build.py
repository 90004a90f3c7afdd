"""Builds the report from a profile; the last module that sees a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import PurePath

from lossreport.advice.advice import Goal
from lossreport.checks.finding import Finding, gravest_first
from lossreport.errors import UsageError
from lossreport.formats import instant, number, visible
from lossreport.logs.times import how_read
from lossreport.nights.changes import Changes
from lossreport.nights.tonight import changes_of
from lossreport.profiles.evidence import BLOCK
from lossreport.profiles.profile import Profile
from lossreport.profiles.statistics import RELATIVE_ACCURACY
from lossreport.reports.comparing import compare
from lossreport.reports.findings import find
from lossreport.reports.groups import MAX_GROUPS
from lossreport.reports.joined import join_notes
from lossreport.reports.patterns import of_these
from lossreport.reports.prediction import build_prediction
from lossreport.reports.reconcile import reconcile
from lossreport.reports.results import Grouping, Prediction, Report
from lossreport.reports.scored import shown_columns
from lossreport.reports.wording import with_faults
from lossreport.version import __version__

FAULTS = ("LR016", "LR017", "LR018", "LR019")
"""Placeholders, units and signs: what is wrong in the data before any loss is chosen."""
MOSTLY_COPIES = ("LR022", "error")
SAID_BY = {"value": ("LR016", "LR017"), "factor": ("LR018",), "sign": ("LR019",)}
"""The faults that say what a pattern of the worst rows says."""


def build_report(
    profile: Profile,
    *,
    goal: Goal = "unknown",
    costs: tuple[float, float] | None = None,
    as_of: datetime | None = None,
    title: str | None = None,
    unit: str | None = None,
    nights: Sequence[tuple[date, Profile]] = (),
    baseline: str | Profile | None = None,
) -> Report:
    """Return the report of a profile.

    Parameters
    ----------
    goal
        What must be right: totals, the typical row, no large errors, or unknown.
    costs
        What a unit of error costs where the prediction is too low, and where it is too high.
    as_of
        Times after this one lie in the future; None: it is not looked at. With a time zone.
    title
        The heading; by default the name of the log.
    unit
        Of actual and predicted: stands after figures.
    nights
        Day and profile of the nights up to this one, oldest first; the last is of this profile.
    baseline
        What to compare with: a profile, "last" (the default with nights), "median:N" or
        "pinned:DAY".

    Raises
    ------
    BrokenFiguresError
        The rows do not add up: a bug.
    UsageError
        The column to compare by names no two models; there is no such baseline; the last of the
        nights is not of this profile.
    """
    predictions = _predictions(profile, goal, costs, unit)
    findings = find(profile, predictions, as_of, unit)
    predictions = tuple(with_faults_of(p, findings) for p in predictions)
    return Report(
        version=__version__,
        title=title or _name_of(profile),
        sources=profile.sources,
        actual=profile.columns.actual,
        predicted=profile.columns.predicted,
        time=profile.columns.time,
        keys=tuple(shown_columns(profile.columns.keys, profile.columns)),
        found=profile.columns.found,
        rows=predictions[0].rows,
        span=profile.span and (instant(profile.span[0]), instant(profile.span[1])),
        predictions=predictions,
        findings=findings,
        notes=_notes(profile, predictions[0].groupings),
        joins=profile.joins,
        comparison=compare(profile, predictions, unit),
        unit=unit,
        changes=_changes(profile, nights, baseline, unit),
    )


def _predictions(
    profile: Profile, goal: Goal, costs: tuple[float, float] | None, unit: str | None
) -> tuple[Prediction, ...]:
    """Return what is known of each prediction column; its rows add up to those of the log."""
    whole = profile.table(())
    predictions = tuple(
        build_prediction(profile, whole, i, goal, costs, unit)
        for i in range(len(profile.columns.predicted))
    )
    reconcile(predictions, profile.rows)
    return predictions


def _changes(
    profile: Profile,
    nights: Sequence[tuple[date, Profile]],
    baseline: str | Profile | None,
    unit: str | None,
) -> Changes | None:
    if not nights and baseline is None:
        return None
    if nights:
        last = nights[-1][1]
        if (last.columns.roles, last.rows) != (profile.columns.roles, profile.rows):
            raise UsageError(
                f"The last of the nights, {nights[-1][0]}, is not of this log: it has "
                f"{last.rows:,} rows and this log {profile.rows:,}, or other columns."
            )
    return changes_of(nights, profile, baseline or "last", unit)


def with_faults_of(prediction: Prediction, findings: Sequence[Finding]) -> Prediction:
    """Return a prediction whose verdict tells the faults of its data."""
    faults = [
        f
        for f in gravest_first(findings, notes=False)
        if (f.code in FAULTS or (f.code, f.severity) == MOSTLY_COPIES)
        and f.predicted in (None, prediction.predicted)
    ]
    verdict = prediction.verdict
    told = {f.code for f in faults}
    few, broken = prediction.concentration, prediction.recommendation.advice.broken
    placed = few is not None and few.place is not None  # then the group is named already
    unsaid = [
        p
        for p in prediction.patterns
        if not told & set(SAID_BY.get(p.kind, ())) and not (placed and p.kind == "group")
    ]
    apart = few.rows if few else broken.rows if broken else None
    if apart and verdict.tone == "alert" and (said := of_these(unsaid, apart)):
        verdict = replace(verdict, why=f"{verdict.why} {said}")
    return replace(prediction, verdict=with_faults(verdict, faults))


def _name_of(profile: Profile) -> str:
    names = [PurePath(s.path).name or s.path for s in profile.sources]
    if len(names) == 1:
        return names[0]
    parents = {PurePath(s.path).parent.name for s in profile.sources}
    folder = parents.pop() if len(parents) == 1 else ""
    return f"{folder or 'log'} ({len(names)} files)"


def _notes(profile: Profile, groupings: tuple[Grouping, ...]) -> tuple[str, ...]:
    cut = [g.by for g in groupings if g.rest_groups]
    notes = [
        "Counts, sums, MAE, MSE, RMSE, ratio, bias and maximum are of every scored row. Quantiles, "
        "shares of the worst rows, the centred ratio and the advice come from a histogram of every "
        f"scored error with a relative accuracy of {RELATIVE_ACCURACY:.0%}; for them no row was "
        "sampled."
    ]
    notes += [
        f"Grouped by {visible(', '.join(t.by), 80)} there are too many groups ({t.groups():,}) to "
        "keep their histograms: they have exact figures, but no quantiles and no advice."
        for t in profile.tables
        if t.histogram is None
    ]
    notes += [
        f"The errors of {visible(name, 40)} lie many times their own spread from 0. So the log was "
        "read twice: the advice and the centred ratio, of all rows and of groups near them, come "
        f"from a histogram of every error less {number(centre)}; all other figures are of the "
        "errors as they are."
        for name, centre in zip(profile.columns.predicted, profile.centres, strict=False)
        if centre is not None
    ]
    if profile.evidence is not None and profile.evidence.by_place.level:
        notes.append(
            f"The checks on single rows look at {profile.evidence.by_place.rows.height:,} of the "
            f"{profile.rows:,} rows, in blocks of {BLOCK} spread evenly over the log, and at the "
            "worst rows; those for repeated rows and ids at all rows of some contents and ids. "
            "What they say of the whole log is an estimate."
        )
    notes += [
        f"Of the groups by {visible(', '.join(by), 80)} the {MAX_GROUPS:,} with the most squared "
        "error are told apart, flagged and advised; all others are one sum."
        for by in cut
    ]
    notes += join_notes(profile.joins)
    read = how_read(profile.columns.time_format)
    if read:
        notes.append(f"The times of {visible(profile.columns.time or '', 40)} {read}")
    return tuple(notes)
