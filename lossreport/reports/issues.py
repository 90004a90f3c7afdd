"""How a finding of the report is put: its severity, its share, some rows, and what to do."""

from __future__ import annotations

from typing import Literal

import polars as pl

from lossreport.checks.finding import Example, Finding
from lossreport.checks.view import examples, passed
from lossreport.profiles.profile import Profile

Severity = Literal["error", "warning", "info"]
MUCH_LEFT_OUT = 0.05
"""From this share of the rows on, leaving rows out is an error, not a warning."""
TODO = {
    "LR001": "Find out why it is missing: the figures are silent about these rows.",
    "LR002": "Find out why the model gave no number: the figures are silent about these rows.",
    "LR003": "Give actual and predicted in a larger unit, and look at the largest values.",
    "LR004": "Look at the worst rows before trusting MSE and RMSE, and judge by MAE meanwhile.",
    "LR005": "Look at the worst rows of these groups, and judge them by MAE.",
    "LR006": "Put the level right first: subtract the mean error, or train for the mean (L2).",
    "LR007": "Look at rows whose error is 0: is their prediction the model's?",
    "LR008": "Log both sides with more digits, if they had them.",
    "LR009": "Gather more rows or group more coarsely.",
    "LR010": "Write a time into each row, in one format.",
    "LR011": "Write the value into each row, if it is known.",
    "LR033": "Look for a wrong time zone, or day and month taken for each other.",
    "LR043": "Look at these lines: a separator inside an unquoted value, or a line cut off?",
    "LR044": "Try weights by size or a relative loss; see the error by prediction size.",
    "LR035": "Look at what these groups have in common, or give their column to the model.",
    "LR040": "Make these files anew, and the report again.",
}
"""What to do about each finding."""


def issue_or_passed(
    code: str,
    title: str,
    issue: str | None,
    severity: Severity,
    n: int | None,
    name: str | None,
    of: float | None = None,
    at: tuple[Example, ...] = (),
) -> Finding:
    """Return an issue if there is something to say, else that the check passed.

    `n` is how many of `of` it concerns, `at` some of them.
    """
    if issue is None:
        return passed(code, title, name)
    share = None if n is None or not of else min(1.0, n / of)
    return Finding(code, "issue", severity, title, issue, n, name, share, at, TODO[code])


def kept(profile: Profile, where: pl.Expr) -> tuple[Example, ...]:
    """Return some of the rows kept for which this is so."""
    if profile.evidence is None:
        return ()
    return examples(profile.evidence.by_place.rows.filter(where))
