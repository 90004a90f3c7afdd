"""Checks for rows that are there twice: equal rows, equal ids, texts that are no numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl

from lossreport.checks.finding import Example, Finding, Token
from lossreport.checks.view import (
    EXAMPLES,
    Severity,
    View,
    examples,
    extent,
    frequent,
    issue,
    keys_of,
    passed,
    skipped,
    spread,
)
from lossreport.formats import visible

Side = Literal["actual", "predicted"]

MUCH = 0.05
"""From this share of the rows on, repeated rows are an error, not a warning."""
TOLD = 1e-4
"""Estimates of a smaller share than this are not told from chance."""
FEW_PAIRS = 5
"""Values of which fewer are the smallest step apart are not rounded ones."""
TOLD_APART = 2.0**53
"""Different whole numbers from here on can be one float."""
TOP_TOKENS = 10


def duplicate_rows(view: View) -> Finding:
    """Look for rows that agree in every column read."""
    code, title = "LR014", "No row is there twice"
    sample = view.evidence.by_content
    rows = sample.rows
    if rows.is_empty():
        why = "No rows scored." if not view.scored else "The errors repeat too much to sample them."
        return skipped(code, title, why)
    content = [c for c in rows.columns if c not in ("draw", "file", "row")]
    ranked = rows.with_columns(copy=pl.int_range(pl.len()).over(content))
    again = ranked.filter(pl.col("copy") > 0)
    sides = [c for c in content if c == "actual" or c.startswith("predicted_")]
    alike = again.select(pl.any_horizontal(pl.col(sides).abs() >= TOLD_APART)).to_series()
    again = again.filter(~alike)
    if alike.any() and again.is_empty():
        why = "Whole numbers of 2**53 and more cannot be told apart; name an id with --id."
        return skipped(code, title, why)
    frequent = _frequent_on_all_sides(again, rows, sides)
    if frequent.any() and frequent.mean() > 0.5:  # type: ignore[operator]
        why = "Values are so frequent that rows are equal by chance; name an id with --id."
        return skipped(code, title, why)
    again = again.filter(~frequent)
    scored = int(view.profile.timeline.filter(pl.col("prediction") == 0)["n"].sum())
    size = extent(again.height, rows.height, scored, whole=sample.level == 0)
    chance = _equal_by_chance(view)
    if again.is_empty() or (sample.level and size.share < TOLD):
        return passed(code, title)
    if size.count <= 3 * chance:
        why = "Values repeat so much that rows are equal by chance; name an id with --id."
        return skipped(code, title, why)
    columns = view.profile.columns
    named = ", ".join(visible(c, 30) for c in columns.needed if c not in columns.ids)
    message = (
        f"{size.rows('repeats', 'repeat')} another row in every column read ({named}); "
        f"by chance {'none' if chance < 0.5 else f'about {chance:,.0f}'} would."
    )
    todo = (
        "Look for files read twice or writes that were retried. Repeated rows count double in "
        "every figure; remove them, or name what tells rows apart with --id."
    )
    severity: Severity = "error" if size.share > MUCH else "warning"
    return issue(code, title, message, todo, severity, size=size, at=examples(again))


def _frequent_on_all_sides(again: pl.DataFrame, rows: pl.DataFrame, sides: list[str]) -> pl.Series:
    """Return which rows have a frequent value on every side, and no time: clipped ones, say.

    Of such rows many are equal by chance, however different the others are.
    """
    if rows["time"].null_count() < rows.height:
        return pl.repeat(False, again.height, eager=True)
    values = {s: rows[s].filter(frequent(rows[s].to_numpy())).unique() for s in sides}
    each = [pl.col(s).is_in(v.implode()) for s, v in values.items()]
    return again.select(pl.all_horizontal(each)).to_series()


def _equal_by_chance(view: View) -> float:
    """Return how many equal pairs chance makes of values that are rounded or few.

    Rounded values: as many pairs agree in all as agree in all but one side and are one step apart
    there, one way. Few values: pairs that agree in all but the prediction, times the chance that
    two predictions agree, which is larger for rows of one actual value by how much closer their
    predictions are. And predictions that follow from the actual values: see `_follow`.
    """
    rows = view.rows
    content = [*keys_of(view), "time", "actual", "predicted"]
    different = rows.unique(content, maintain_order=True)
    m = different.height
    if m < 2:
        return 0.0
    stepped = max(_one_step_apart(rows, content, side) for side in ("actual", "predicted"))
    but_one = _pairs(different, content[:-1])
    same = _pairs(different, ["predicted"]) / (m * (m - 1) / 2)
    scale = spread(view.predicted - view.actual)
    closer = 1 + (float(np.std(view.predicted)) / scale if scale else 0.0)
    few = (but_one + (0 if view.whole else 1)) * min(1.0, same * closer)
    near = _one_step_apart(rows, content[:-1], "actual")
    followed = near * _follow(different, content) if near else 0.0
    return max(stepped, few, followed) * (view.scored / rows.height) ** 2


def _follow(different: pl.DataFrame, content: list[str]) -> float:
    """Return the chance that rows of one actual value, alike in all else, agree in the prediction.

    It cannot be counted among rows that are alike, because some may be there twice. So it is the
    share of the most frequent difference between predictions of actual values one step apart, or
    the share of equal predictions among equal actual values of other groups or times.
    """
    others = content[:-2]
    actuals, predictions = (different[c].unique().sort().diff() for c in ("actual", "predicted"))
    if len(actuals) < 2 or len(predictions) < 2:
        return 0.0
    step, unit = float(actuals.min()), float(predictions.min())  # type: ignore[arg-type]
    one = different.unique(content[:-1], keep="first", maintain_order=True).sort(content[:-1])
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift(-1)) for c in others)
    by_unit = ((pl.col("predicted").shift(-1) - pl.col("predicted")) / unit).round()
    n = (
        one.select(*others, by_unit.alias("d"), a=pl.col("actual").shift(-1) - pl.col("actual"))
        .with_columns(one.select(same.alias("same")).to_series())
        .filter("same", pl.col("a") <= 1.5 * step)["d"]
        .value_counts()["count"]
    )
    if n.sum() < FEW_PAIRS:
        return 0.0
    # One pair of these has the most frequent difference anyway.
    most = (int(n.max()) - 1) / (int(n.sum()) - 1)  # type: ignore[arg-type]
    equal = _pairs(different, ["actual"]) - _pairs(different, content[:-1])
    both = _pairs(different, ["actual", "predicted"])
    return max(most, both / equal if equal else 0.0)


def _one_step_apart(rows: pl.DataFrame, content: list[str], side: str) -> float:
    """Return how many pairs agree in all but one side, where one is the smallest step larger."""
    others = [c for c in content if c != side]
    values = rows[side].unique().sort()
    if len(values) < 2:
        return 0.0
    step = float(values.diff().min())  # type: ignore[arg-type]
    each = rows.group_by(content).len("n").sort(*others, side)
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(f"{c}_after")) for c in others)
    near = (pl.col(f"{side}_after") - pl.col(side)) <= 1.5 * step
    after = each.shift(-1).rename({c: f"{c}_after" for c in each.columns})
    both = pl.concat([each, after], how="horizontal")
    n = (
        both.filter(same & near)
        .select(pl.col("n").cast(pl.Float64) * pl.col("n_after"))
        .to_series()
    )
    return float(n.sum())


def _pairs(rows: pl.DataFrame, by: list[str]) -> float:
    """Return how many pairs of rows agree in these columns."""
    n = rows.group_by(by).len()["len"].to_numpy().astype(np.float64)
    return float((n * (n - 1) / 2).sum())


def duplicate_ids(view: View) -> Finding:
    """Look for ids that several rows have."""
    code, title = "LR015", "No id is there twice"
    columns = view.profile.columns
    if not columns.ids:
        return skipped(code, title, "No id is known; name its columns with --id.")
    sample = view.evidence.by_id
    if sample is None:
        why = (
            "The profiles were made with different versions of Polars, which draw ids differently."
        )
        return skipped(code, title, why)
    # Where models are compared, each has a row of an id.
    model = [] if columns.compare is None else [f"key_{columns.keys.index(columns.compare)}"]
    again = sample.rows.with_columns(copy=pl.int_range(pl.len()).over("id", *model)).filter(
        pl.col("copy") > 0
    )
    if again.is_empty():
        return passed(code, title)
    size = extent(again.height, sample.rows.height, view.profile.rows, whole=sample.level == 0)
    of_model = " of its model" if model else ""
    first = visible(again["id"][0], 40)
    ids = again["id"].n_unique()
    message = (
        f"{size.rows('has', 'have')} an id ({', '.join(visible(c, 30) for c in columns.ids)}) that "
        f"an earlier row{of_model} has, {f'for example {first}' if ids > 1 else f'namely {first}'}."
    )
    todo = (
        "Look for files read twice, retried writes or a join that multiplied rows. If a row is "
        "told apart by more columns (a model, a horizon), name them all with --id."
    )
    severity: Severity = "error" if size.share > MUCH else "warning"
    return issue(code, title, message, todo, severity, size=size, at=examples(again))


def tokens_of(view: View, side: Side) -> tuple[tuple[Token, ...], int]:
    """Return a side's most frequent texts that are no numbers, and how many rows have others."""
    column = side if side == "actual" else f"predicted_{view.prediction}"
    mine = view.evidence.tokens.filter(pl.col("side") == column)
    told = mine.drop_nulls("token").head(TOP_TOKENS)
    rows = told.select("token", "n", "file", "row").iter_rows()
    # A text that was rare in one part may have been put with the others there.
    least = mine["token"].null_count() > 0
    tokens = tuple(Token(side, token, n, Example(file, row), least) for token, n, file, row in rows)
    return tokens, int(mine["n"].sum()) - sum(t.count for t in tokens)


def tokens(view: View, side: Side, not_numeric: int) -> Finding:
    """List the texts of a side that are no numbers.

    `not_numeric` is how many rows were left out for a text that is no known word for "missing".
    """
    code = {"actual": "LR012", "predicted": "LR013"}[side]
    title = f"No {side} value is a text that is no number"
    name = view.name if side == "predicted" else None
    found, others = tokens_of(view, side)
    n = sum(t.count for t in found) + others
    if not n:
        return passed(code, title, name)
    least, most = ("at least ", "at most ") if any(t.at_least for t in found) else ("", "")
    listed = ", ".join(f"“{visible(t.token, 24)}” in {least}{t.count:,}" for t in found[:EXAMPLES])
    rest = n - sum(t.count for t in found[:EXAMPLES])
    total = view.profile.rows
    size = extent(n, total, total, whole=True)
    message = (
        f"{size.rows('has', 'have')} no number as {side} value: {listed}"
        f"{f', others in {most}{rest:,}' if rest else ''}."
    )
    todo = "These rows are left out. If a text means something else than “no value”, put it right."
    severity: Severity = "warning" if not_numeric else "info"
    at = [t.first for t in found[:EXAMPLES]]
    return issue(code, title, message, todo, severity, name, size=size, at=at)
