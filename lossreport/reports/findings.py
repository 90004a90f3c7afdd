"""The checks on the data, each with a stable code: passed, an issue, or skipped and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.all import check_data
from lossreport.checks.finding import Example, Finding
from lossreport.checks.view import EXAMPLES, examples, passed, skipped
from lossreport.formats import EPOCH, count, group_name, instant, number, percent, visible
from lossreport.logs.columns import key_names
from lossreport.losses import LARGEST
from lossreport.profiles.profile import HOUR, HOURS, Profile, rows_in
from lossreport.reports.figures import surely_biased
from lossreport.reports.joined import join_findings
from lossreport.reports.results import Group, Prediction

Severity = Literal["error", "warning", "info"]
MUCH_LEFT_OUT = 0.05
"""From this share of the rows on, leaving rows out is an error, not a warning."""
MAX_NAMED = 3
"""So many skipped files are named in a sentence; the rest with the sources."""
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


def find(
    profile: Profile, predictions: Sequence[Prediction], as_of: datetime | None = None
) -> tuple[Finding, ...]:
    """Return all findings, in the order of their codes; times after `as_of` are in the future."""
    several = len(predictions) > 1
    found = [_times(profile), _group_values(profile), _files(profile), *_lines(predictions)]
    found.append(_future(profile, as_of))
    found += join_findings(profile.joins)
    for i, p in enumerate(predictions):
        name = p.predicted if several else None
        found += [
            _side("LR001", "actual", p, name, _left_out(profile, "actual")),
            _side("LR002", "predicted", p, name, _left_out(profile, f"predicted_{i}")),
            _overflow(p, name),
            _few_rows_make_it(p, name),
            _outlier_driven(p, name),
            _biased(p, name),
            _biased_groups(p, name),
            _spike(p, name),
            _rounded(p, name),
            _small_groups(p, name),
            _grows(p, name),
        ]
    found += check_data(profile, [(p.predicted if several else None, p.rows) for p in predictions])
    return tuple(sorted(found, key=lambda f: f.code))


def _finding(
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


def _scored(p: Prediction) -> list[tuple[tuple[str, ...], Group]]:
    """Return the groups that have scored rows."""
    return [(g.by, x) for g in p.groupings for x in g.groups if x.figures.n]


def _told_apart(p: Prediction) -> str:
    """Return of how many groups something is said; those beyond the limit are not looked at."""
    rest = sum(g.rest_groups for g in p.groupings)
    number_of = count(len(_scored(p)), "group")
    return f"{number_of} with the most squared error" if rest else number_of


def _kept(profile: Profile, where: pl.Expr) -> tuple[Example, ...]:
    """Return some of the rows kept for which this is so."""
    if profile.evidence is None:
        return ()
    return examples(profile.evidence.by_place.rows.filter(where))


def _left_out(profile: Profile, side: str) -> tuple[Example, ...]:
    number = pl.col(side).is_finite().fill_null(value=False)
    counted = ~number if side == "actual" else ~number & pl.col("actual").is_finite()
    return _kept(profile, counted)


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
    return _finding(
        code, f"Every {side} value is a number", issue, severity, n, name, p.rows.read, at
    )


def _overflow(p: Prediction, name: str | None) -> Finding:
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
            f"MSE, RMSE and their ratio are not given: the squares of errors up to {number(top)} "
            "leave the range of floats. Give actual and predicted in another unit."
        )
    if p.overall.n and p.overall.mae is None:
        issues.append(
            "MAE and bias are not given: the sum of the errors exceeds the largest float."
        )
    return _finding(
        "LR003", title, " ".join(issues) or None, "error", apart or None, name, p.rows.read
    )


def _few_rows_make_it(p: Prediction, name: str | None) -> Finding:
    title = "No few rows make most of the squared error"
    if p.overall.n < MINIMUM_ROWS:
        return skipped("LR004", title, f"Fewer than {MINIMUM_ROWS} scored rows.", name)
    few = p.concentration
    issue = None
    if few:
        issue = (
            f"{count(few.rows, 'row')} with an error beyond {number(few.cut)} "
            f"{'makes' if few.rows == 1 else 'make'} {percent(few.share_of_sq_error)} "
            "of the squared error."
        )
    shown = min(EXAMPLES, few.rows) if few else 0
    at = tuple(Example(w.file, w.row) for w in p.worst[:shown])
    n = few.rows if few else None
    return _finding("LR004", title, issue, "warning", n, name, p.overall.n, at)


def _outlier_driven(p: Prediction, name: str | None) -> Finding:
    title = "No group's error is driven by outliers"
    groups = _scored(p)
    if not groups:
        return skipped("LR005", title, "The log is not grouped; add --by.", name)
    flagged = [(by, x) for by, x in groups if x.flagged]
    issue = None
    if flagged and p.attribution and p.attribution.origins:
        issue = p.flagged
    elif flagged:
        by, worst = max(flagged, key=lambda f: f[1].share_of_sq_error or 0)
        issue = (
            f"{len(flagged):,} of {_told_apart(p)} {'has' if len(flagged) == 1 else 'have'} a "
            "ratio beyond what the number of rows explains, with the most squared error in "
            f"{group_name(by, worst.key, 40)}."
        )
    return _finding("LR005", title, issue, "warning", len(flagged), name, len(groups))


def _biased(p: Prediction, name: str | None) -> Finding:
    title = "The mean error is small beside the MAE"
    bias, mae = p.overall.bias, p.overall.mae
    if p.overall.n < MINIMUM_ROWS or bias is None or not mae:
        return skipped("LR006", title, "Too few rows, or no error at all.", name)
    issue = None
    if surely_biased(p.overall):
        issue = (
            f"The model predicts too {'much' if bias > 0 else 'little'}: mean of predicted less "
            f"actual is {number(bias, signed=True)}, {percent(abs(bias) / mae)} of the MAE."
        )
    return _finding("LR006", title, issue, "warning", None, name)


def _biased_groups(p: Prediction, name: str | None) -> Finding:
    title = "No group's mean error is large beside its MAE"
    groups = _scored(p)
    if not groups:
        return skipped("LR035", title, "The log is not grouped; add --by.", name)
    n = sum(x.biased for _, x in groups)
    issue = None
    if p.biased:
        issue = f"{p.biased} {n:,} of {_told_apart(p)} {'has' if n == 1 else 'have'} such a bias."
    return _finding("LR035", title, issue, "warning", n, name, len(groups))


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
    return _finding("LR007", title, issue, "warning", n, name, p.overall.n)


def _rounded(p: Prediction, name: str | None) -> Finding:
    title = "Errors are not coarsely rounded"
    if p.overall.n < MINIMUM_ROWS:
        return skipped("LR008", title, f"Fewer than {MINIMUM_ROWS} scored rows.", name)
    issue = None
    if "rounded" in p.recommendation.advice.flags:
        issue = "Most errors repeat a few values: actual and predicted are rounded."
    return _finding("LR008", title, issue, "info", None, name)


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
    return _finding("LR009", title, issue, "info", small, name, len(groups))


def _grows(p: Prediction, name: str | None) -> Finding:
    title = "The error does not grow with the size of the prediction"
    if p.levels is None:
        why = "Fewer than 50 rows to look at, or probabilities."
        return skipped("LR044", title, why, name)
    if p.levels.levels.factor is None:
        return skipped("LR044", title, p.levels.sentences[0], name)
    issue = p.levels.sentences[0] if p.levels.levels.grows else None
    return _finding("LR044", title, issue, "info", None, name)


def _times(profile: Profile) -> Finding:
    title = "Every row has a readable time"
    if profile.columns.time is None:
        return skipped("LR010", title, "No column is the time for sure; name one with --time.")
    n = rows_in(profile.timeline.filter(pl.col("bucket").is_null()))
    issue = None
    if n:
        issue = (
            f"{count(n, 'row')} ({percent(n / profile.rows)}) without: in the figures, "
            "but not in those over time."
        )
    at = _kept(profile, pl.col("time").is_null())
    return _finding("LR010", title, issue, "warning", n, None, profile.rows, at)


def _future(profile: Profile, as_of: datetime | None) -> Finding:
    """Report times in the future; counted by whole days or hours, so that it may be more rows."""
    title = "No time lies in the future"
    unit = profile.bucket
    if profile.columns.time is None or profile.span is None or unit is None:
        return skipped("LR033", title, "The log has no times.")
    if as_of is None:
        return skipped("LR033", title, "No report looks at the clock unasked; give --as-of.")
    since = round((as_of - EPOCH) / timedelta(microseconds=1))
    if profile.span[1] <= since:
        return passed("LR033", title)
    whole = pl.col("bucket") > since // (HOURS[unit] * HOUR)
    n = max(1, rows_in(profile.timeline.filter(whole)))
    exact = (since + 1) % (HOURS[unit] * HOUR) == 0  # the time given is the end of a day or hour
    issue = (
        f"{count(n, 'row')}{'' if exact else ' or more'} ({percent(n / profile.rows)}) with a time "
        f"after {as_of:%Y-%m-%d %H:%M} UTC; the last is {instant(profile.span[1])}."
    )
    later = pl.col("time") > as_of.replace(tzinfo=None)
    at = _kept(profile, later)
    return _finding("LR033", title, issue, "warning", n, None, profile.rows, at)


def _group_values(profile: Profile) -> Finding:
    title = "Every row has its group values"
    keys = profile.columns.keys
    if not keys:
        return skipped("LR011", title, "The log is not grouped; add --by.")
    missing = {}
    for column in keys:
        table = next(t for t in profile.tables if column in t.by)
        key = key_names(table.by)[table.by.index(column)]
        n = rows_in(table.moments.filter(pl.col(key).is_null()))
        if n:
            missing[column] = n
    issue = None
    if missing:
        listed = ", ".join(
            f"{count(n, 'row')} without {visible(column, 40)}" for column, n in missing.items()
        )
        issue = f"{listed}: kept as a group called (missing)."
    at = _kept(profile, pl.any_horizontal(pl.col(key_names(keys)).is_null()))
    return _finding("LR011", title, issue, "info", sum(missing.values()), None, profile.rows, at)


def _files(profile: Profile) -> Finding:
    title = "Every file could be read to its end"
    left = [s for s in profile.sources if s.skipped]
    issue = None
    if left:
        reasons = [(s.skipped or "").split(". If it is")[0].rstrip(".") for s in left]
        named = "; ".join(visible(r, 300) for r in reasons[:MAX_NAMED])
        more = f"; and {len(left) - MAX_NAMED:,} more" if left[MAX_NAMED:] else ""
        issue = (
            f"{len(left):,} of {count(len(profile.sources), 'file')} skipped, none of "
            f"{'its' if len(left) == 1 else 'their'} rows in any figure: {named}{more}."
        )
    return _finding("LR040", title, issue, "error", len(left), None, len(profile.sources))


def _lines(predictions: Sequence[Prediction]) -> list[Finding]:
    """Report lines of text files that are no rows; they are none for every prediction."""
    title = "Every line of a text file is a row with all its fields"
    rows = predictions[0].rows
    of = dict(rows.left_out)
    malformed, headers = of.get("row_malformed", 0), of.get("row_repeated_header", 0)
    parts = []
    if malformed:
        parts.append(
            f"{count(malformed, 'line')} ({percent(malformed / rows.read)}) with too few or too "
            "many fields or with a broken quote, left out of every figure."
        )
    if headers:
        again = (
            "The header stands again" if headers == 1 else f"{headers:,} times the header stands"
        )
        parts.append(f"{again} among the rows, as when files are put together.")
    n = malformed + headers
    severity: Severity = "error" if malformed > MUCH_LEFT_OUT * max(rows.read, 1) else "warning"
    severity = severity if malformed else "info"
    return [_finding("LR043", title, " ".join(parts) or None, severity, n, None, rows.read)]
