"""From a log to its profile and its report, in Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from lossreport.advice.choice import GOALS, Goal
from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.columns import find_columns
from lossreport.logs.files import find_files
from lossreport.logs.frames import open_frame
from lossreport.logs.log import Log
from lossreport.logs.opening import open_log
from lossreport.profiles.file import is_profile, load_profile
from lossreport.profiles.profile import Profile, merge
from lossreport.profiles.scan import profile_log
from lossreport.reports.build import build_report
from lossreport.reports.results import Report

Progress = Callable[[int], None]
WORST_ROWS = 20


def profile(
    log: Any,
    *,
    actual: str | None = None,
    predicted: str | Sequence[str] = (),
    by: str | Sequence[str | Sequence[str]] | None = None,
    time: str | None = None,
    time_format: str | None = None,
    worst: int = WORST_ROWS,
    opened: Callable[[Log], Progress] | None = None,
) -> Profile:
    """Read a log once and return its mergeable statistics.

    Parameters
    ----------
    log
        A path (file, folder, glob or URL), several, or a Polars, pandas, PyArrow or DuckDB frame.
        Paths of profiles that lossreport saved are merged.
    actual, predicted
        The columns with what happened and what the model said; found by name if not given.
    by
        Groupings: each a column, several as "a,b", or a tuple of columns. None chooses columns
        with few distinct values, "" or () groups by nothing.
    time
        The column that says when; found by name if not given, "" for none.
    time_format
        How its texts are written, in strftime's letters ("%d.%m.%Y %H:%M"); "epoch" for numbers
        since 1970; "%d.%m.%Y %H:%M - *" for the start of intervals. Found if not given.
    worst
        How many of the worst rows to keep.
    opened
        Called once with the opened log; what it returns is called with the rows of each chunk.

    Raises
    ------
    UsageError
        Something in the arguments is wrong: no such file, no such column, no or several
        candidates for a role.
    UnreadableLogError
        A log exists but cannot be read to its end.
    """
    if worst < 0:
        raise UsageError(f"The number of worst rows is {worst}; it cannot be negative.")
    paths = _paths(log)
    if paths is not None:
        paths = find_files(paths)
    if paths and (saved := [p for p in paths if is_profile(p)]):
        if len(saved) < len(paths):
            raise UsageError("Logs and profiles cannot be given together: profile the logs first.")
        if actual or predicted or by is not None or time is not None:
            raise UsageError("The columns of a profile are fixed; they cannot be given again.")
        try:
            return merge([load_profile(p) for p in saved])
        except ValueError as error:
            raise UsageError(f"The profiles cannot be merged: {error}.") from error
    source = open_log(paths) if paths is not None else open_frame(log)
    columns = find_columns(
        source.sample(),
        actual=actual,
        predicted=[predicted] if isinstance(predicted, str) else list(predicted),
        by=_groupings(by),
        time=time,
        time_format=time_format,
        in_paths=source.in_paths(),
        more=source.texts,
    )
    progress = opened(source) if opened else lambda _: None
    made = profile_log(source, columns, keep_worst=worst, progress=progress)
    read = sum(s.rows for s in made.sources)
    if made.rows != read:
        raise UnreadableLogError(
            f"{read:,} rows were read but {made.rows:,} counted: this is a bug in lossreport, and "
            "its figures cannot be trusted. Please report it."
        )
    return made


def report(
    log: Any,
    *,
    goal: Goal = "unknown",
    title: str | None = None,
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
    title
        The heading; by default the name of the log.
    **options
        What else `profile` takes: `actual`, `predicted`, `by`, `time`, `worst`.

    Raises
    ------
    UsageError, UnreadableLogError
        As `profile`.
    """
    if goal not in GOALS:
        raise UsageError(f"There is no goal {goal!r}. Choose one of: {', '.join(GOALS)}.")
    made = log if isinstance(log, Profile) else profile(log, **options)
    return build_report(made, goal=goal, title=title)


def _paths(log: Any) -> list[str] | None:
    """Return the paths, or None for a frame."""
    if isinstance(log, str | os.PathLike):
        return [os.fspath(log)]
    if isinstance(log, list | tuple):
        if not log:
            raise UsageError("No log was given.")
        if all(isinstance(p, str | os.PathLike) for p in log):
            return [os.fspath(p) for p in log]
    return None


def _groupings(
    by: str | Sequence[str | Sequence[str]] | None,
) -> list[str | tuple[str, ...]] | None:
    if by is None:
        return None
    each = [by] if isinstance(by, str) else by
    return [g if isinstance(g, str) else tuple(g) for g in each]
