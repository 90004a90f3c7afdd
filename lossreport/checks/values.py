"""Checks on the values of one side: bounds, constants, signs, whole numbers."""

from __future__ import annotations

import numpy as np
import polars as pl

from lossreport.checks.finding import Example, Finding
from lossreport.checks.placeholders import PILE, STANDS_OUT, fits_in
from lossreport.checks.view import (
    MINIMUM,
    TOO_FEW,
    Marks,
    Severity,
    View,
    examples,
    extent_of,
    issue,
    keys_of,
    passed,
    plain,
    skipped,
    whole_numbers,
)
from lossreport.formats import count, group_name, number, percent

NEARLY_CONSTANT = 0.01
GROUP_ROWS = 30
"""In a group (or on a day) of so many rows a single predicted value is no chance."""


def clipped(view: View) -> Finding:
    """Look for predictions that are cut off at a bound."""
    code, title = "LR021", "Predictions are not cut off at a bound"
    predicted, actual = view.predicted, view.actual
    if len(predicted) < MINIMUM:
        return skipped(code, title, TOO_FEW, view.name)
    different, counts = np.unique(predicted, return_counts=True)
    if whole_numbers(different):
        return skipped(code, title, "The predictions are whole numbers.", view.name)
    for bound, n, near in (
        (different[-1], counts[-1], counts[-4:-1]),
        (different[0], counts[0], counts[1:4]),
    ):
        beside = int(near.max(initial=0))
        if n < max(5, PILE * len(predicted)) or n <= STANDS_OUT * beside or not beside:
            continue
        if not fits_in(bound, predicted[predicted != bound]):
            continue
        marks = predicted == bound
        top = bound == different[-1]
        beyond = actual > bound if top else actual < bound
        size = extent_of(view, marks)
        severity: Severity = "warning" if beyond.mean() > PILE else "info"
        past = f"{percent(float(beyond.mean()))} of the actual values lie beyond it"
        message = (
            f"the prediction of {size.rows('is', 'is')} exactly {plain(float(bound))}, "
            f"the {'highest' if top else 'lowest'} of all; "
            f"{past if beyond.any() else 'no actual value lies beyond it'}."
        )
        todo = (
            "If the model cuts its output off, ask whether the bound still holds; errors beyond it "
            "are the bound's, not the model's."
        )
        return issue(code, title, message, todo, severity, view.name, size=size,
                     at=examples(view.rows, marks))  # fmt: skip
    return passed(code, title, view.name)


def constant(view: View) -> Finding:
    """Look for a predicted value that does not change: overall, in a group, on a day."""
    code, title = "LR020", "The predictions vary, overall, in each group and on each day"
    predicted, actual = view.predicted, view.actual
    if len(predicted) < MINIMUM:
        return skipped(code, title, TOO_FEW, view.name)
    todo = "Look whether the model got its inputs there, or a default value stood in for it."
    low, high = float(predicted.min()), float(predicted.max())
    if np.ptp(actual) == 0:
        return passed(code, title, view.name, "The actual values do not vary either.")
    if low == high:
        message = f"every prediction is {plain(low)}, while the actual values differ."
        size = extent_of(view, np.ones(len(predicted), dtype=bool))
        return issue(code, title, message, todo, "error", view.name, size=size,
                     at=examples(view.rows))  # fmt: skip
    middle = np.quantile(predicted, [0.05, 0.95]), np.quantile(actual, [0.05, 0.95])
    if np.ptp(middle[0]) < NEARLY_CONSTANT * np.ptp(middle[1]):
        message = (
            f"the predictions hardly vary: 90% lie within {number(float(np.ptp(middle[0])))}, "
            f"90% of the actual values within {number(float(np.ptp(middle[1])))}."
        )
        return issue(code, title, message, todo, name=view.name)
    return _constant_somewhere(view, code, title, todo)


def constant_actual(view: View) -> Finding:
    """Look for an actual value that does not change in the whole log."""
    code, title = "LR034", "The actual values vary"
    actual = view.actual
    if len(actual) < MINIMUM:
        return skipped(code, title, TOO_FEW)
    if np.ptp(actual) > 0:
        return passed(code, title)
    message = f"every actual value is {plain(float(actual[0]))}: there is nothing to predict."
    todo = "Look for the wrong column, or a join that gave every row the same value."
    size = extent_of(view, np.ones(len(actual), dtype=bool))
    return issue(code, title, message, todo, size=size, at=examples(view.rows))


def _constant_somewhere(view: View, code: str, title: str, todo: str) -> Finding:
    """Look at each group and each day."""
    _, counts = np.unique(view.predicted, return_counts=True)
    usual = float(counts.max()) / len(view.predicted)
    groups = [(view.profile.columns.keys[int(k[4:])], pl.col(k)) for k in keys_of(view)]
    if view.profile.columns.time is not None:
        groups.append(("day", pl.col("time").dt.date().cast(pl.String)))
    places, at, looked_at = [], list[Example](), 0
    marks: Marks = np.zeros(view.rows.height, dtype=bool)
    for column, key in groups:
        each = view.rows.with_columns(key.alias("place")).drop_nulls("place")
        found = each.group_by("place").agg(
            n=pl.len(), values=pl.col("predicted").n_unique(), actual=pl.col("actual").n_unique()
        )
        large = found.filter(pl.col("n") >= GROUP_ROWS)
        looked_at += large.height
        same = large.filter((pl.col("values") == 1) & (pl.col("actual") > 1)).sort("place")
        for place, n in same.select("place", "n").iter_rows():
            if large.height * usual ** (n - 1) > 0.001:  # a value so frequent may fill a group
                continue
            places.append(group_name((column,), (place,), 40))
            mine = each.filter(pl.col("place") == place)
            at += examples(mine)
            marks |= view.rows.select(key.eq_missing(pl.lit(place))).to_series().to_numpy()
    if not places:
        return passed(code, title, view.name)
    size = extent_of(view, marks)
    listed = "; ".join(places[:5]) + (
        f" and {count(len(places) - 5, 'more')}" if places[5:] else ""
    )
    message = (
        f"the prediction is one and the same for all rows of {listed} "
        f"({len(places):,} of the {count(looked_at, 'group or day', 'groups and days')} with "
        f"at least {GROUP_ROWS} rows looked at): {size.text}."
    )
    return issue(code, title, message, todo, "warning", view.name, size=size, at=at[:5])


def negative(view: View) -> Finding:
    """Look for negative predictions where no actual value is negative."""
    code, title = "LR032", "No prediction is negative where the actual values never are"
    if len(view.actual) < MINIMUM:
        return skipped(code, title, TOO_FEW, view.name)
    low = min(float(view.actual.min()), *view.worst["actual"].to_list(), 0.0)
    if low < 0:
        return passed(code, title, view.name, "Some actual values are negative.")
    marks = view.predicted < 0
    if not marks.any():
        return passed(code, title, view.name)
    size = extent_of(view, marks)
    message = f"{size.rows('has', 'have')} a negative prediction, but no actual value is negative."
    todo = "If the target cannot be negative, cut the predictions off at 0 or model its logarithm."
    severity: Severity = "warning" if size.share >= 0.01 else "info"
    return issue(code, title, message, todo, severity, view.name, size=size,
                 at=examples(view.rows, marks))  # fmt: skip


def whole(view: View) -> Finding:
    """Compare whole numbers on one side with fractions on the other."""
    code, title = "LR026", "Actual and predicted are both whole numbers, or neither"
    actual, predicted = view.actual, view.predicted
    if len(actual) < MINIMUM:
        return skipped(code, title, TOO_FEW, view.name)
    sides = whole_numbers(actual), whole_numbers(predicted)
    if sides[0] == sides[1] or len(np.unique(actual)) < 3:
        return passed(code, title, view.name)
    if sides[0]:
        message = (
            "all actual values are whole numbers, not all predictions are: no prediction with a "
            "fraction can be exactly right, and L1 cannot go below the rounding."
        )
        todo = (
            "If the actual values are counts, predict their mean and judge by L2 or a count loss "
            "(Poisson deviance); if they were rounded, compare with the values before rounding."
        )
    else:
        message = (
            "all predictions are whole numbers, not all actual values are: the predictions were "
            "rounded, which adds up to 0.5 to each error."
        )
        todo = "Log the predictions before they are rounded."
    return issue(code, title, message, todo, "info", view.name)
