"""Checks on actual and predicted together: units, signs, copies, probabilities."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from lossreport.checks.finding import Finding
from lossreport.checks.view import (
    MINIMUM,
    TOO_FEW,
    Floats,
    Marks,
    Severity,
    View,
    equal_beyond_chance,
    examples,
    extent_of,
    issue,
    keys_of,
    passed,
    skipped,
    spread,
    whole_numbers,
)
from lossreport.formats import group_name
from lossreport.profiles.profile import Profile

FACTORS = (
    (10.0, "10, a shifted decimal point"),
    (100.0, "100, as between percent and shares"),
    (1000.0, "1,000, as between units and thousands"),
    (1e6, "1,000,000, as between units and millions"),
    (24.0, "24, as between hours and days"),
    (60.0, "60, as between minutes and hours"),
    (3600.0, "3,600, as between seconds and hours"),
    (86400.0, "86,400, as between seconds and days"),
    (1.609344, "1.609, as between miles and kilometres"),
    (1 / 0.3048, "3.281, as between metres and feet"),
    (2.54, "2.54, as between inches and centimetres"),
    (1 / 0.45359237, "2.205, as between kilograms and pounds"),
)
"""How many times too large a value is when its unit is mistaken."""
APART = 6.0
"""A factor is told from an error when it is so many robust standard deviations of the logarithm
of actual / predicted."""
OTHER_SIGN = "a prediction of the actual value's size but with the other sign"
WIDEST = 0.25
"""The rows of a factor lie within this share of its logarithm."""


def unit_slips(view: View) -> Finding:
    """Look for rows whose actual / predicted gathers at the factor of a mistaken unit."""
    code, title = "LR018", "No rows are off by the factor of a unit"
    usable = (view.actual * view.predicted) > 0
    if usable.sum() < MINIMUM:
        why = "Fewer than 20 rows with actual and predicted of one sign."
        return skipped(code, title, why, view.name)
    logs = np.full(len(usable), np.nan)
    logs[usable] = np.log(view.actual[usable] / view.predicted[usable])
    middle, width = float(np.nanmedian(logs)), spread(logs[usable])
    todo = "Find out which side is in the other unit, convert it, and make the report again."
    if (whole := _factor_of_all(middle, width, int(usable.sum()))) is not None:
        name, ways = whole
        message = f"nearly all actual values are {ways} the predictions by a factor of {name}."
        size = extent_of(view, usable)
        return issue(code, title, message, todo, "error", view.name, size=size,
                     at=examples(view.rows, usable))  # fmt: skip
    best = _gathered(logs - middle, width)
    if best is None:
        return _among_worst(view, code, title, todo, middle, width)
    name, larger, marks = best
    size = extent_of(view, marks)
    small, large = ("predicted", "actual") if larger else ("actual", "predicted")
    message = (
        f"{size.rows('is', 'are')} off by a factor of {name}{_all_in(view, marks)}: there "
        f"{large} is that many times {small}, elsewhere the two agree."
    )
    return issue(code, title, message, todo, "warning", view.name, size=size,
                 at=examples(view.rows, marks))  # fmt: skip


def _among_worst(
    view: View, code: str, title: str, todo: str, middle: float, width: float
) -> Finding:
    """Look at the worst rows: slips too rare for the rows kept are half of them or more."""
    rows = view.worst.filter((pl.col("actual") * pl.col("predicted")) > 0)
    away = np.log((rows["actual"] / rows["predicted"]).to_numpy()) - middle
    for factor, name in FACTORS:
        size = math.log(factor)
        marks = slipped(away, width, size)
        if factor < 10 or size < APART * width or marks.sum() < max(5, 0.5 * view.worst.height):
            continue
        message = (
            f"{int(marks.sum()):,} of the {view.worst.height:,} worst rows are off by a factor of "
            f"{name}, where the others agree."
        )
        return issue(code, title, message, todo, "warning", view.name, at=examples(rows, marks))
    return passed(code, title, view.name)


def slipped(away: Floats, width: float, size: float) -> Marks:
    """Return which rows are off by a factor whose logarithm is `size`, one way or the other.

    `away` is the logarithm of actual / predicted less its median, `width` its robust spread.
    """
    return np.abs(np.abs(away) - size) <= min(max(0.01, 4 * width), WIDEST * size)


def _factor_of_all(middle: float, width: float, rows: int) -> tuple[str, str] | None:
    """Return the factor that the median of actual / predicted is at, and which way."""
    slack = max(0.01, 3 * width / math.sqrt(rows))
    for factor, name in FACTORS:
        if width < 0.25 and slack < 0.1 and abs(abs(middle) - math.log(factor)) < slack:
            return name, "above" if middle > 0 else "below"
    return None


def _gathered(away: Floats, width: float) -> tuple[str, bool, Marks] | None:
    """Return the factor at which most rows gather: more than half way between it and the rest.

    The errors of any one law become rarer the larger they are, so halfway there would be more.
    """
    found = []
    for factor, name in FACTORS:
        size = math.log(factor)
        if size < APART * width:
            continue
        reach = min(max(3 * width, 0.01), WIDEST * size)
        for centre in (size, -size):
            marks = np.abs(away - centre) <= reach
            between = int((np.abs(away - centre / 2) <= reach).sum())
            n = int(marks.sum())
            if n >= 5 and n > 3 * between + 2:
                off = abs(float(np.median(away[marks])) - centre)
                found.append((n, -off, name, centre > 0, marks))
    if not found:
        return None
    most = max(n for n, *_ in found)
    _, _, name, larger, marks = max(
        (f for f in found if f[0] >= 0.8 * most), key=lambda f: (f[1], f[0])
    )
    return name, larger, marks


def _all_in(view: View, marks: Marks) -> str:
    """Return ", all in region = emea" if the marked rows are all of one group."""
    for key in keys_of(view):
        values = view.rows[key]
        of_marked = values.filter(pl.Series(marks)).unique()
        if len(of_marked) == 1 and values.n_unique() > 1:
            column = view.profile.columns.keys[int(key[4:])]
            return f", all in {group_name((column,), (of_marked[0],), 40)}"
    return ""


def sign_flips(view: View) -> Finding:
    """Look for rows whose predicted is the actual value with the other sign."""
    code, title = "LR019", "No predictions have the wrong sign"
    actual, predicted = view.actual, view.predicted
    if len(actual) < MINIMUM:
        return skipped(code, title, TOO_FEW, view.name)
    marks, likewise = turned(actual, predicted, spread(predicted - actual))
    if marks.sum() < 5 or marks.sum() <= 3 * likewise.sum() + 2:
        return passed(code, title, view.name)
    size = extent_of(view, marks)
    message = f"{size.rows('has', 'have')} {OTHER_SIGN}{_all_in(view, marks)}."
    todo = "Look for a side whose sign was turned (debit and credit, import and export)."
    return issue(code, title, message, todo, "warning", view.name, size=size,
                 at=examples(view.rows, marks))  # fmt: skip


def turned(actual: Floats, predicted: Floats, scale: float) -> tuple[Marks, Marks]:
    """Return which predictions are the actual value with the other sign, and which are as far off.

    These are off the other way: as often as the errors' law makes such errors. `scale` is the
    robust spread of the errors.
    """
    largest = float(np.abs(actual).max(initial=0.0))
    large = (np.abs(actual) >= max(5 * scale, 1e-12 * largest)) & (actual != 0)
    near = 3 * scale
    return large & (np.abs(predicted + actual) <= near), large & (
        np.abs(predicted - 3 * actual) <= near
    )


def copies(view: View) -> Finding:
    """Look for predictions that are exactly the actual value."""
    code, title = "LR022", "Predictions are not copies of the actual values"
    actual, predicted = view.actual, view.predicted
    if len(actual) < MINIMUM:
        return skipped(code, title, TOO_FEW, view.name)
    if whole_numbers(actual) and whole_numbers(predicted):
        return skipped(code, title, "Whole numbers on both sides are often equal.", view.name)
    marks = equal_beyond_chance(predicted - actual) & (actual != 0)
    if marks.sum() < 5:
        return passed(code, title, view.name)
    size = extent_of(view, marks)
    severity: Severity = "error" if size.share >= 0.5 else "warning"
    message = f"{size.rows('has', 'have')} a prediction that is the actual value to the last digit."
    todo = (
        "Look for a target that leaked into the model, or for rows in which one side was filled "
        "with the other; without them the errors are larger than shown."
    )
    return issue(code, title, message, todo, severity, view.name, size=size,
                 at=examples(view.rows, marks))  # fmt: skip


def are_probabilities(profile: Profile, prediction: int) -> bool:
    """Return whether actual is 0 or 1 and predicted a probability, in every row looked at.

    Those are the rows kept and the worst rows; that no error exceeds 1 is known of all.
    """
    if profile.evidence is None:
        return False
    moments = profile.timeline.filter((pl.col("prediction") == prediction) & (pl.col("n") > 0))
    if moments.is_empty() or float(moments["max_abs_error"].max()) > 1:  # type: ignore[arg-type]
        return False
    kept = profile.evidence.by_place.rows
    sides = [kept["actual"], kept[f"predicted_{prediction}"]]
    both = pl.DataFrame({"actual": sides[0], "predicted": sides[1]}).filter(
        pl.all_horizontal(pl.all().is_finite()).fill_null(value=False)
    )
    worst = profile.worst.filter(pl.col("prediction") == prediction)
    both = pl.concat([both, worst.select("actual", "predicted")])
    actual, predicted = both["actual"], both["predicted"]
    fractions = ((predicted > 0) & (predicted < 1)).any()
    outcomes = actual.is_in([0.0, 1.0]).all() and actual.n_unique() == 2
    return bool(outcomes and fractions and predicted.is_between(0, 1).all())


def probabilities(view: View) -> Finding:
    """Say so when actual is 0 or 1 and predicted a probability."""
    code, title = "LR025", "The predictions are values, not probabilities of a 0/1 outcome"
    if not are_probabilities(view.profile, view.prediction):
        return passed(code, title, view.name)
    message = (
        "every actual value is 0 or 1 and every prediction lies between: these are probabilities. "
        "L2 is then the Brier score, which the true probability makes smallest; L1 is made "
        "smallest by saying 0 or 1, so it is not recommended."
    )
    todo = "Train and compare by L2 (Brier score) or log loss, and look at the calibration."
    return issue(code, title, message, todo, "info", view.name)
