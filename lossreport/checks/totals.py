"""Looks for a row that is no row of the log, but the total of the others."""

from __future__ import annotations

import polars as pl

from lossreport.checks.finding import Finding
from lossreport.checks.view import View, examples, extent, issue, passed, skipped
from lossreport.formats import count, number

FEWEST = 10
"""A row can be the sum of fewer others by chance."""
ROUNDED = 1e-4
"""The total of rounded values differs from the sum by no more than this share of it."""


def totals(view: View) -> Finding:
    """Look for a row whose two values are the sums of those of all other rows."""
    code, title = "LR036", "No row is the total of the others"
    if view.scored <= FEWEST:
        return skipped(code, title, f"No more than {FEWEST} scored rows.", view.name)
    moments = view.profile.timeline.filter(pl.col("prediction") == view.prediction)
    columns = ["file", "row", "actual", "predicted"]
    rows = pl.concat([view.worst.select(columns), view.rows.select(columns)]).unique()
    for side in ("actual", "predicted"):
        total, own = float(moments[f"sum_{side}"].sum()), pl.col(side)
        off = (total - 2 * own).abs()
        rows = rows.filter((off <= ROUNDED * own.abs()) & (own != 0))
    if rows.is_empty():
        return passed(code, title, view.name)
    row = rows.sort("file", "row").head(1)
    actual, predicted = (number(row[side][0]) for side in ("actual", "predicted"))
    message = (
        f"row {row['row'][0]:,} is the total of the other {count(view.scored - 1, 'scored row')}: "
        f"its actual value, {actual}, and its prediction, {predicted}, are their sums."
    )
    todo = "Leave it out of the log: it is in every figure, and makes most of them."
    size = extent(1, view.scored, view.scored, whole=True)
    return issue(code, title, message, todo, "error", view.name, size=size, at=examples(row))
