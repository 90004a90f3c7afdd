"""The checks on the log as a whole: its times, group values, files and lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from lossreport.checks.finding import Finding
from lossreport.checks.view import passed, skipped
from lossreport.formats import EPOCH, count, instant, percent, visible
from lossreport.logs.columns import key_names
from lossreport.profiles.profile import HOUR, HOURS, Profile, rows_in
from lossreport.reports.issues import MUCH_LEFT_OUT, Severity, issue_or_passed, kept
from lossreport.reports.results import Prediction

MAX_NAMED = 3
"""So many skipped files are named in a sentence; the rest with the sources."""


def log_findings(
    profile: Profile, predictions: Sequence[Prediction], as_of: datetime | None
) -> list[Finding]:
    """Return the findings on the log; times after `as_of` are in the future."""
    return [
        _times(profile),
        _group_values(profile),
        _files(profile),
        _lines(predictions),
        _future(profile, as_of),
    ]


def _times(profile: Profile) -> Finding:
    title = "Every row has a readable time"
    if profile.columns.time is None:
        return skipped("LR010", title, "No column is the time for sure; name one with --time.")
    n = rows_in(profile.timeline.filter(pl.col("bucket").is_null()))
    issue = None
    if n:
        issue = (
            f"{count(n, 'row')} ({percent(n / profile.rows)}) without a readable time: in the "
            "figures, but not in those over time."
        )
    at = kept(profile, pl.col("time").is_null())
    return issue_or_passed("LR010", title, issue, "warning", n, None, profile.rows, at)


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
    at = kept(profile, later)
    return issue_or_passed("LR033", title, issue, "warning", n, None, profile.rows, at)


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
    at = kept(profile, pl.any_horizontal(pl.col(key_names(keys)).is_null()))
    return issue_or_passed(
        "LR011", title, issue, "info", sum(missing.values()), None, profile.rows, at
    )


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
    return issue_or_passed("LR040", title, issue, "error", len(left), None, len(profile.sources))


def _lines(predictions: Sequence[Prediction]) -> Finding:
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
    return issue_or_passed("LR043", title, " ".join(parts) or None, severity, n, None, rows.read)
