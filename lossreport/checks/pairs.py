"""Checks on actual and predicted together: signs, copies, probabilities."""

from __future__ import annotations

from typing import Literal

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
    all_in,
    equal_beyond_chance,
    examples,
    extent_of,
    frequent,
    issue,
    passed,
    skipped,
    spread,
    whole_numbers,
)
from lossreport.profiles.profile import Profile

Outcome = Literal["probabilities", "labels", "scores"]
ROUNDING = 1e-6
"""Errors of most rows below this share of the actual values' spread are no model's: R^2 would be
1 - 1e-12. Single precision rounds about so much."""
OTHER_SIGN = "a prediction of the actual value's size but with the other sign"


def sign_flips(view: View) -> Finding:
    """Look for rows whose predicted is the actual value with the other sign."""
    code, title = "LR019", "No predictions have the wrong sign"
    actual, predicted = view.actual, view.predicted
    if len(actual) < MINIMUM:
        return skipped(code, title, TOO_FEW, view.name)
    marks, likewise = turned(actual, predicted, _scale_of_either(actual, predicted))
    if marks.sum() < 5 or marks.sum() <= 3 * likewise.sum() + 2:
        return passed(code, title, view.name)
    size = extent_of(view, marks)
    message = f"{size.rows('has', 'have')} {OTHER_SIGN}{all_in(view, marks)}."
    todo = "Look for a side whose sign was turned (debit and credit, import and export)."
    return issue(code, title, message, todo, "warning", view.name, size=size,
                 at=examples(view.rows, marks))  # fmt: skip


def _scale_of_either(actual: Floats, predicted: Floats) -> float:
    """Return the robust spread of the errors; of those of the nearer sign, if that is far less.

    Where the sign of many rows is turned, their errors are as large as the values.
    """
    other, error = predicted + actual, predicted - actual
    nearer = spread(np.where(np.abs(other) < np.abs(error), other, error))
    return nearer if nearer < spread(actual) / 5 else spread(error)


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
    if np.isin(actual, (0, 1)).all():
        return skipped(code, title, "A prediction of 0 or 1 is often exactly right.", view.name)
    clipped = frequent(actual) & frequent(predicted)
    marks = equal_beyond_chance(predicted - actual) & (actual != 0) & ~clipped
    how = "to the last digit"
    off = np.abs(predicted - actual)
    size = np.minimum(spread(actual), np.abs(actual))
    nearly = marks | ((off > 0) & (off <= ROUNDING * size))
    if marks.mean() < 0.5 <= nearly.mean():
        marks, how = nearly, "but for rounding"
    if marks.sum() < 5:
        return passed(code, title, view.name)
    extent = extent_of(view, marks)
    severity: Severity = "error" if extent.share >= 0.5 else "warning"
    message = f"{extent.rows('has', 'have')} a prediction that is the actual value {how}."
    todo = (
        "Look for a target that leaked into the model, or for rows in which one side was filled "
        "with the other"
    )
    todo += "." if marks.all() else "; without them the errors are larger than shown."
    return issue(code, title, message, todo, severity, view.name, size=extent,
                 at=examples(view.rows, marks))  # fmt: skip


def outcome_of(profile: Profile, prediction: int) -> Outcome | None:
    """Return what is predicted of an actual value that is 0 or 1; None if it takes other values.

    "probabilities", "labels" of 0 or 1 too, or "scores" that go beyond, such as percentages. Looked
    at are the rows kept and the worst rows; that no error exceeds 1 is known of all.
    """
    if profile.evidence is None:
        return None
    moments = profile.timeline.filter((pl.col("prediction") == prediction) & (pl.col("n") > 0))
    if moments.is_empty():
        return None
    kept = profile.evidence.by_place.rows
    sides = [kept["actual"], kept[f"predicted_{prediction}"]]
    both = pl.DataFrame({"actual": sides[0], "predicted": sides[1]}).filter(
        pl.all_horizontal(pl.all().is_finite()).fill_null(value=False)
    )
    worst = profile.worst.filter(pl.col("prediction") == prediction)
    both = pl.concat([both, worst.select("actual", "predicted")])
    actual, predicted = both["actual"], both["predicted"]
    if not actual.is_in([0.0, 1.0]).all() or actual.n_unique() != 2:
        return None
    within = float(moments["max_abs_error"].max()) <= 1  # type: ignore[arg-type]
    if not within or not predicted.is_between(0, 1).all():
        return "scores"
    return "labels" if predicted.is_in([0.0, 1.0]).all() else "probabilities"


def probabilities(view: View) -> Finding:
    """Say so when actual is 0 or 1 and predicted a probability."""
    code, title = "LR025", "The predictions are values, not probabilities of a 0/1 outcome"
    if outcome_of(view.profile, view.prediction) != "probabilities":
        return passed(code, title, view.name)
    message = (
        "every actual value is 0 or 1 and every prediction lies between: these are probabilities. "
        "L2 is then the Brier score, which the true probability makes smallest; L1 is made "
        "smallest by saying 0 or 1, so it is not recommended."
    )
    todo = "Train and compare by L2 (Brier score) or log loss, and look at the calibration."
    return issue(code, title, message, todo, "info", view.name)
