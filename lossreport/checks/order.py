"""Checks on rows in the order of time: values and times that repeat from row to row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lossreport.checks.finding import Finding
from lossreport.checks.view import (
    MINIMUM,
    Floats,
    Marks,
    View,
    equal_beyond_chance,
    examples,
    extent,
    issue,
    keys_of,
    passed,
    skipped,
    whole_numbers,
)
from lossreport.formats import count

REGULAR = 0.8
"""From this share of equal steps on, a series is regular."""
NO_TIME = "The log has no time column; name one with --time."


@dataclass(frozen=True)
class Neighbours:
    """Pairs of rows of one group that follow each other in time."""

    before: pl.DataFrame
    after: pl.DataFrame

    @property
    def steps(self) -> Floats:
        """Return the time between them in microseconds."""
        step = self.after["time"].to_physical() - self.before["time"].to_physical()
        return step.to_numpy().astype(np.float64)

    def where(self, marks: Marks) -> Neighbours:
        """Return some of the pairs."""
        some = pl.Series(marks)
        return Neighbours(self.before.filter(some), self.after.filter(some))


def neighbours(view: View) -> Neighbours:
    """Return the pairs among the rows kept; of a large log those within a block of its rows."""
    keys = keys_of(view)
    near = keys if view.whole else ["file", "block", *keys]
    rows = view.rows.drop_nulls("time").sort(*near, "time", "file", "row", maintain_order=True)
    if rows.height < 2:
        return Neighbours(rows.head(0), rows.head(0))
    before, after = rows.head(-1), rows.tail(-1)
    alike = np.ones(before.height, dtype=bool)
    for column in near:
        alike &= before[column].eq_missing(after[column]).to_numpy()
    return Neighbours(before, after).where(alike)


def stale(view: View) -> Finding:
    """Look for actual values that repeat the one before."""
    code, title = "LR023", "Actual values do not repeat the one before"
    pairs = _moving(view)
    if isinstance(pairs, str):
        return skipped(code, title, pairs)
    now, then = pairs.after["actual"].to_numpy(), pairs.before["actual"].to_numpy()
    marks = equal_beyond_chance(now - then) & ~_usual(now)
    if marks.sum() < max(5, 0.5 * _repeats(view)):  # else they come back as often from elsewhere
        return passed(code, title)
    size = extent(int(marks.sum()), len(marks), view.scored, whole=view.whole)
    message = (
        f"{size.rows('repeats', 'repeat')} the actual value of the row before in the same group "
        "to the last digit."
    )
    todo = "Look for a join that carries the last known value forward, or a sensor that hung."
    return issue(code, title, message, todo, size=size, at=examples(pairs.after, marks))


def _repeats(view: View) -> int:
    """Return how many rows have the actual value of another row of their group, near or far."""
    near = keys_of(view) if view.whole else ["file", "block", *keys_of(view)]
    rows = view.rows.filter(pl.Series(~_usual(view.actual)))
    return rows.height - rows.select(*near, "actual").n_unique() if rows.height else 0


def persistence(view: View) -> Finding:
    """Look for predictions that are the actual value before."""
    code, title = "LR024", "Predictions are not the actual value before"
    pairs = _moving(view)
    if isinstance(pairs, str):
        return skipped(code, title, pairs, view.name)
    said, then = pairs.after["predicted"].to_numpy(), pairs.before["actual"].to_numpy()
    moved = pairs.after["actual"].to_numpy() != then
    marks = equal_beyond_chance(said - then) & moved & ~_usual(then)
    if marks.sum() < max(5, 0.05 * len(marks)):
        return passed(code, title, view.name)
    size = extent(int(marks.sum()), len(marks), view.scored, whole=view.whole)
    message = (
        f"{size.rows('is', 'are')} predicted by the actual value of the row before: the model "
        "says that nothing changes, or the columns are a row apart."
    )
    todo = (
        "If a model should have spoken, look whether its fallback did; if it did, compare it with "
        "this persistence forecast."
    )
    return issue(code, title, message, todo, "warning", view.name, size=size,
                 at=examples(pairs.after, marks))  # fmt: skip


def _moving(view: View) -> Neighbours | str:
    """Return the pairs one of which is later and whose values could tell; or why there are none."""
    if view.profile.columns.time is None:
        return NO_TIME
    pairs = neighbours(view)
    pairs = pairs.where(pairs.steps > 0)
    if pairs.after.height < MINIMUM:
        return "Too few rows that follow each other in one group."
    if whole_numbers(pairs.after["actual"].to_numpy()):
        return "Whole numbers often repeat."
    return pairs


def _usual(values: Floats) -> Marks:
    """Return which values are 0 or one that makes a tenth of all: they may well repeat."""
    different, counts = np.unique(values, return_counts=True)
    frequent = different[counts >= 0.1 * len(values)]
    usual: Marks = np.isin(values, frequent) | (values == 0)
    return usual


def repeated_times(view: View) -> Finding:
    """Look for times that are there twice in a regular series."""
    code, title = "LR029", "No time is there twice in a regular series"
    if view.profile.columns.time is None:
        return skipped(code, title, NO_TIME)
    pairs = neighbours(view)
    steps = pairs.steps
    if len(steps) < MINIMUM:
        return skipped(code, title, "Too few rows that follow each other in one group.")
    different, counts = np.unique(steps[steps > 0], return_counts=True)
    if not len(different) or counts.max() < REGULAR * len(steps):
        return skipped(code, title, "The times of a group are not evenly spaced.")
    marks = steps == 0
    if not marks.any():
        return passed(code, title)
    size = extent(int(marks.sum()), len(marks), view.scored, whole=view.whole)
    times = pairs.after.filter(pl.Series(marks))["time"].dt.truncate("1h").unique().sort()
    named = ", ".join(t.strftime("%Y-%m-%d %H:00") for t in times.head(3))
    more = f" and {count(len(times) - 3, 'other hour')}" if len(times) > 3 else ""
    message = (
        f"{size.rows('has', 'have')} the time of another row of the group, in the hours from "
        f"{named}{more}, although the times are evenly spaced."
    )
    todo = (
        "Look for rows written twice, or for local times in which the hour when clocks are put "
        "back is there twice: log times in UTC."
    )
    return issue(code, title, message, todo, size=size, at=examples(pairs.after, marks))
