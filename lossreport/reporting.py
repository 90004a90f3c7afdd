"""From a log or a profile to its report, in Python."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from lossreport.advice.advice import GOALS, Goal
from lossreport.arguments import moment_of, unit_of
from lossreport.errors import UsageError
from lossreport.nights.baseline import is_named
from lossreport.profiles.file import load_profile
from lossreport.profiles.profile import Profile
from lossreport.profiling import profile
from lossreport.reports.build import build_report
from lossreport.reports.private import MIN_GROUP, made_private
from lossreport.reports.results import Report


def report(
    log: Any,
    *,
    goal: Goal = "unknown",
    costs: tuple[float, float] | None = None,
    as_of: str | datetime | None = None,
    title: str | None = None,
    unit: str | None = None,
    private: bool = False,
    min_group: int = MIN_GROUP,
    nights: Sequence[tuple[date, Profile]] = (),
    baseline: str | os.PathLike[str] | Profile | None = None,
    **options: Any,
) -> Report:
    """Read a log and return its report.

    Parameters
    ----------
    log
        What `profile` takes, or a `Profile`.
    goal
        What must be right: "totals", the "typical" row, "large-errors" must not happen, or
        "unknown".
    costs
        What a unit of error costs where the prediction is too low, and where it is too high: asks
        for the quantile loss at the level that makes the mean cost smallest.
    as_of
        Times after this one lie in the future and are a finding: a time in UTC, or ISO 8601 text
        (a date means its end). The clock is never looked at.
    title
        The heading; by default the name of the log.
    unit
        Of actual and predicted, such as "EUR": stands after figures; at most 20 characters.
    private
        Whether to leave out single rows, replace names of groups and files by hashes, and hide
        groups with fewer than `min_group` scored rows: see `reports.private`.
    min_group
        At least 2.
    nights
        Day and profile of the nights up to this one, oldest first; the last is of this log.
    baseline
        What to compare with: a profile or the file of one, "last" (the default with nights),
        "median:N" of the last N nights, or "pinned:DAY".
    **options
        What else `profile` takes: `actual`, `predicted`, `by`, `time`, `time_format`, `id`,
        `compare`, `sheet`, `actuals`, `on`, `worst`, `on_bad_file`, `query`, `engine`,
        `spark_master`, `spark_remote`, and how text files are written.

    Raises
    ------
    UsageError, UnreadableLogError
        As `profile`.
    """
    if private and min_group < 2:
        raise UsageError(f"Groups of {min_group} rows hide no row: --min-group must be at least 2.")
    if goal not in GOALS:
        raise UsageError(f"There is no goal {goal!r}. Choose one of: {', '.join(GOALS)}.")
    if costs is not None and not (len(costs) == 2 and all(0 < c < math.inf for c in costs)):
        raise UsageError(f"Costs are two positive numbers, too low and too high, not {costs}.")
    made = log if isinstance(log, Profile) else profile(log, **options)
    if isinstance(baseline, str | os.PathLike) and not is_named(os.fspath(baseline)):
        baseline = load_profile(os.fspath(baseline))
    built = build_report(
        made, goal=goal, costs=costs, as_of=moment_of(as_of), title=title, unit=unit_of(unit),
        nights=nights, baseline=baseline,  # type: ignore[arg-type]
    )  # fmt: skip
    return made_private(built, min_group, title) if private else built
