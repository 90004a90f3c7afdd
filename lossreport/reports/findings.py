"""The checks on the data, each with a stable code: passed, an issue, or skipped and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.all import check_data
from lossreport.checks.finding import Example, Finding
from lossreport.checks.view import EXAMPLES, skipped
from lossreport.formats import amount, count, group_name, number, percent
from lossreport.losses import LARGEST
from lossreport.profiles.profile import Profile
from lossreport.reports.figures import surely_biased
from lossreport.reports.issues import MUCH_LEFT_OUT, Severity, issue_or_passed, kept
from lossreport.reports.joined import join_findings
from lossreport.reports.log_findings import log_findings
from lossreport.reports.results import Group, Prediction
from lossreport.reports.where import of_few_rows


def find(
    profile: Profile,
    predictions: Sequence[Prediction],
    as_of: datetime | None = None,
    unit: str | None = None,
) -> tuple[Finding, ...]:
    """Return all findings, in the order of their codes; times after `as_of` are in the future."""
    several = len(predictions) > 1
    found = log_findings(profile, predictions, as_of)
    found += join_findings(profile.joins)
    for i, p in enumerate(predictions):
        name = p.predicted if several else None
        found += [
            _side("LR001", "actual", p, name, _left_out(profile, "actual")),
            _side("LR002", "predicted", p, name, _left_out(profile, f"predicted_{i}")),
            _overflow(p, name, unit),
            _few_rows_make_it(p, name, unit),
            _outlier_driven(p, name),
            _biased(p, name, unit),
            _biased_groups(p, name),
            _spike(p, name),
            _rounded(p, name),
            _small_groups(p, name),
            _grows(p, name),
        ]
    found += check_data(profile, [(p.predicted if several else None, p.rows) for p in predictions])
    return tuple(sorted(found, key=lambda f: f.code))


def _scored(p: Prediction) -> list[tuple[tuple[str, ...], Group]]:
    """Return the groups that have scored rows."""
    return [(g.by, x) for g in p.groupings for x in g.groups if x.figures.n]


def _told_apart(p: Prediction) -> str:
    """Return of how many groups something is said; those beyond the limit are not looked at."""
    rest = sum(g.rest_groups for g in p.groupings)
    number_of = count(len(_scored(p)), "group")
    return f"{number_of} with the most squared error" if rest else number_of


def _left_out(profile: Profile, side: str) -> tuple[Example, ...]:
    number = pl.col(side).is_finite().fill_null(value=False)
    counted = ~number if side == "actual" else ~number & pl.col("actual").is_finite()
    return kept(profile, counted)


def _side(
    code: str, side: str, p: Prediction, name: str | None, at: tuple[Example, ...]
) -> Finding:
    """Report the rows left out because of one side."""
    reasons = [(r, n) for r, n in p.rows.left_out if r.startswith(side)]
    n = sum(c for _, c in reasons)
    issue = None
    if n:
        each = [(r.removeprefix(f"{side}_").replace("_", " "), c) for r, c in reasons]
        what = ", ".join(f"{reason} in {c:,}" for reason, c in each) if each[1:] else each[0][0]
        issue = (
            f"{count(n, 'row')} ({percent(n / p.rows.read)}) left out of every figure: "
            f"the {side} value is {what}."
        )
    severity: Severity = "error" if n > MUCH_LEFT_OUT * max(p.rows.read, 1) else "warning"
    return issue_or_passed(
        code, f"Every {side} value is a number", issue, severity, n, name, p.rows.read, at
    )


def _overflow(p: Prediction, name: str | None, unit: str | None) -> Finding:
    title = "Errors and their squares are within the range of floating-point numbers"
    apart = dict(p.rows.left_out).get("error_infinite", 0)
    top = p.overall.max_abs_error
    issues = []
    if apart:
        issues.append(
            f"{count(apart, 'row')} left out: actual and predicted are finite, but their "
            f"difference exceeds the largest float ({number(LARGEST)})."
        )
    if p.overall.n and p.overall.mse is None:
        issues.append(
            "MSE, RMSE and their ratio are not given: the squares of errors up to "
            f"{amount(top, unit)} leave the range of floats. Give actual and predicted in another "
            "unit."
        )
    if p.overall.n and p.overall.mae is None:
        issues.append(
            "MAE and bias are not given: the sum of the errors exceeds the largest float."
        )
    return issue_or_passed(
        "LR003", title, " ".join(issues) or None, "error", apart or None, name, p.rows.read
    )


def _few_rows_make_it(p: Prediction, name: str | None, unit: str | None) -> Finding:
    title = "No few rows make most of the squared error"
    if p.overall.n < MINIMUM_ROWS:
        return skipped("LR004", title, f"Fewer than {MINIMUM_ROWS} scored rows.", name)
    few = p.concentration
    issue = None
    if few:
        issue = (
            f"{count(few.rows, 'row')} with an error beyond {amount(few.cut, unit)} "
            f"{'makes' if few.rows == 1 else 'make'} {percent(few.share_of_sq_error)} "
            "of the squared error."
        )
    shown = min(EXAMPLES, few.rows) if few else 0
    at = tuple(Example(w.file, w.row) for w in p.worst[:shown])
    n = few.rows if few else None
    return issue_or_passed("LR004", title, issue, "warning", n, name, p.overall.n, at)


def _outlier_driven(p: Prediction, name: str | None) -> Finding:
    title = "No group's error is driven by outliers"
    groups = _scored(p)
    if not groups:
        return skipped("LR005", title, "The log is not grouped; add --by.", name)
    flagged = [(by, x) for by, x in groups if x.flagged]
    others = sum(g.rest_flagged for g in p.groupings)
    issue = None
    if flagged and p.attribution and p.attribution.origins:
        issue = p.flagged
    elif flagged:
        by, worst = max(flagged, key=lambda f: f[1].share_of_sq_error or 0)
        issue = (
            f"{len(flagged):,} of {_told_apart(p)} {'has' if len(flagged) == 1 else 'have'} a "
            "ratio beyond what the number of rows explains"
            f"{': ' if len(flagged) == 1 else ', the one with the most squared error being '}"
            f"{group_name(by, worst.key, 40)}."
        )
    rest = sum(g.rest_groups for g in p.groupings)
    if others:
        told = (
            f"Of the {count(rest, 'group')} not told apart, {others:,} "
            f"{'has' if others == 1 else 'have'} a ratio beyond what the number of rows explains."
        )
        issue = f"{issue} {told}" if issue else told
    n = len(flagged) + others
    return issue_or_passed("LR005", title, issue, "warning", n, name, len(groups) + rest)


def _biased(p: Prediction, name: str | None, unit: str | None) -> Finding:
    title = "The mean error is small beside the MAE"
    bias, mae = p.overall.bias, p.overall.mae
    if p.overall.n < MINIMUM_ROWS or bias is None or not mae:
        return skipped("LR006", title, "Too few rows, or no error at all.", name)
    issue = None
    if surely_biased(p.overall, of_few_rows(p.concentration, p.recommendation.advice.flags)):
        issue = (
            f"The model predicts too {'much' if bias > 0 else 'little'}: mean of predicted less "
            f"actual is {amount(bias, unit, signed=True)}, {percent(abs(bias) / mae)} of the MAE."
        )
    return issue_or_passed("LR006", title, issue, "warning", None, name)


def _biased_groups(p: Prediction, name: str | None) -> Finding:
    title = "No group's mean error is large beside its MAE"
    groups = _scored(p)
    if not groups:
        return skipped("LR035", title, "The log is not grouped; add --by.", name)
    n = sum(x.biased for _, x in groups)
    issue = None
    if p.biased:
        issue = f"{p.biased} {n:,} of {_told_apart(p)} {'has' if n == 1 else 'have'} such a bias."
    return issue_or_passed("LR035", title, issue, "warning", n, name, len(groups))


def _spike(p: Prediction, name: str | None) -> Finding:
    title = "Errors are rarely exactly 0"
    advice = p.recommendation.advice
    if p.overall.n < MINIMUM_ROWS:
        return skipped("LR007", title, f"Fewer than {MINIMUM_ROWS} scored rows.", name)
    n = round(advice.zeros * p.overall.n)
    issue = None
    if "spike_at_zero" in advice.flags:
        issue = (
            f"{count(n, 'error')} ({percent(advice.zeros)}) are exactly 0: a leaked or copied "
            "target, or a target that is mostly 0?"
        )
    return issue_or_passed("LR007", title, issue, "warning", n, name, p.overall.n)


def _rounded(p: Prediction, name: str | None) -> Finding:
    title = "Errors are not coarsely rounded"
    if p.overall.n < MINIMUM_ROWS:
        return skipped("LR008", title, f"Fewer than {MINIMUM_ROWS} scored rows.", name)
    issue = None
    if "rounded" in p.recommendation.advice.flags:
        issue = "Most errors repeat a few values: actual and predicted are rounded."
    return issue_or_passed("LR008", title, issue, "info", None, name)


def _small_groups(p: Prediction, name: str | None) -> Finding:
    title = f"Every group with scored rows has at least {MINIMUM_ROWS}"
    groups = [x for _, x in _scored(p)]
    if not groups:
        return skipped("LR009", title, "The log is not grouped; add --by.", name)
    small = sum(x.too_few_rows for x in groups)
    issue = None
    if small:
        issue = (
            f"{small:,} of {_told_apart(p)} {'has' if small == 1 else 'have'} fewer than "
            f"{MINIMUM_ROWS} scored rows: figures only, no flag and no recommendation."
        )
    return issue_or_passed("LR009", title, issue, "info", small, name, len(groups))


def _grows(p: Prediction, name: str | None) -> Finding:
    title = "The error does not grow with the size of the prediction"
    if p.levels is None:
        why = "Fewer than 50 rows to look at, or probabilities."
        return skipped("LR044", title, why, name)
    if p.levels.levels.factor is None:
        return skipped("LR044", title, p.levels.sentences[0], name)
    issue = p.levels.sentences[0] if p.levels.levels.grows else None
    return issue_or_passed("LR044", title, issue, "info", None, name)
