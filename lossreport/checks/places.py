"""Checks on where rows are: their times, days, files and the names of their groups."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from lossreport.checks.finding import Example, Finding
from lossreport.checks.view import (
    Extent,
    Floats,
    View,
    examples,
    extent,
    issue,
    passed,
    skipped,
)
from lossreport.formats import EPOCH, count, key_value, percent, visible
from lossreport.logs.columns import key_names
from lossreport.losses import MAD_TO_SIGMA
from lossreport.profiles.profile import HOURS, Profile
from lossreport.profiles.statistics import COUNTS

FIRST_YEAR, LAST_YEAR = 1900, 2100
THIN = 0.25
"""A day with less than this share of the usual rows is thin."""
USUAL_ROWS = 20
"""Days (hours, files) that usually have fewer rows than this say nothing."""
FEW = 0.2
"""If more than this share of the days would be told, they vary too much to say."""
NO_TIME = "The log has no time column; name one with --time."
INVISIBLE = ("Cc", "Cf", "Zl", "Zp", "Zs")
MAX_LISTED = 5
MAX_NAMES = 20_000
"""Columns of more different values are no names to compare."""


def _rows_by_bucket(profile: Profile) -> dict[int, int]:
    """Return how many rows each time bucket has."""
    timed = profile.timeline.filter((pl.col("prediction") == 0) & pl.col("bucket").is_not_null())
    each = timed.select("bucket", n=pl.sum_horizontal(COUNTS)).sort("bucket")
    return dict(each.iter_rows())


def _named(bucket: int, unit: str) -> str:
    start = EPOCH + timedelta(hours=bucket * HOURS[unit])
    return start.strftime("%Y-%m-%d %H:00" if unit == "hour" else "%Y-%m-%d")


def _bounds(unit: str) -> tuple[int, int]:
    """Return the first and last bucket of possible years."""
    ends = (datetime(y, 1, 1, tzinfo=UTC) for y in (FIRST_YEAR, LAST_YEAR + 1))
    first, end = (int((e - EPOCH) / timedelta(hours=HOURS[unit])) for e in ends)
    return first, end - 1


def impossible_times(view: View) -> Finding:
    """Look for times before 1900, after 2100, or piled up at 1970-01-01."""
    code, title = "LR027", "No time is impossible"
    unit = view.profile.bucket
    if view.profile.columns.time is None or unit is None:
        return skipped(code, title, NO_TIME)
    rows = _rows_by_bucket(view.profile)
    first, last = _bounds(unit)
    outside = {b: n for b, n in rows.items() if not first <= b <= last}
    later = [b for b in rows if b > 365 * 24 // HOURS[unit]]
    epoch = rows.get(0, 0) if later and not any(-400 <= b < 0 for b in rows) else 0
    total = view.profile.rows
    n = sum(outside.values()) + epoch
    if not n:
        return passed(code, title)
    size = extent(n, total, total, whole=True)
    parts = []
    if epoch:
        parts.append(f"{count(epoch, 'row')} on 1970-01-01, where a missing time ends up")
    if outside:
        years = sorted({_named(b, unit)[:4] for b in outside})
        listed = ", ".join(years[:MAX_LISTED]) + (", ..." if years[MAX_LISTED:] else "")
        rest = count(sum(outside.values()), "row")
        parts.append(f"{rest} in years before {FIRST_YEAR} or after {LAST_YEAR} ({listed})")
    message = f"{size.rows('has', 'have')} a time that cannot be right: {' and '.join(parts)}."
    todo = "Look for missing times written as 0, or seconds read as milliseconds (or the reverse)."
    year = pl.col("time").dt.year()
    odd = ~year.is_between(FIRST_YEAR, LAST_YEAR)
    if epoch:
        odd |= pl.col("time").dt.date() == EPOCH.date()
    return issue(code, title, message, todo, size=size, at=examples(view.every.filter(odd)))


def uneven_days(view: View) -> Finding:
    """Look for days (or hours) without rows, or with far fewer than usual."""
    code, title = "LR028", "No day or hour has far fewer rows than usual"
    unit = view.profile.bucket
    if view.profile.columns.time is None or unit is None:
        return skipped(code, title, NO_TIME)
    first, last = _bounds(unit)
    rows = {b: n for b, n in _rows_by_bucket(view.profile).items() if first <= b <= last and b}
    if len(rows) < 6:
        return skipped(code, title, f"Fewer than 6 {unit}s.")
    span = max(rows) - min(rows) + 1
    if span > 40 * len(rows):
        return skipped(code, title, f"The {unit}s are too far apart to say what is usual.")
    buckets = np.arange(min(rows), max(rows) + 1)
    n = np.array([rows.get(int(b), 0) for b in buckets], dtype=np.float64)
    usual = _usual_rows(n, 7 if unit == "day" else 24)
    chance = _chance_spread(n, usual)
    # Few rows a day tell something if there are always as many.
    enough = (usual >= USUAL_ROWS) | ((usual > 0) & (chance < 0.1 * usual))
    if not enough.any():
        return skipped(code, title, f"There are too few rows in a {unit} to say what is usual.")
    thin = enough & (n < THIN * usual) & (n < usual - 6 * chance)
    thin[[0, -1]] = False  # the log may begin or end in the middle of a day
    if not thin.any():
        return passed(code, title)
    if thin.mean() > FEW:
        return skipped(code, title, f"The number of rows varies too much from {unit} to {unit}.")
    empty = int((n[thin] == 0).sum())
    worst = [_named(int(b), unit) for b in buckets[thin][:MAX_LISTED]]
    rest = int(thin.sum()) - len(worst)
    few = "no rows" if empty == thin.sum() else f"less than {percent(THIN)} of the usual rows"
    what = (
        f"{count(int(thin.sum()), unit)} of {len(buckets):,} "
        f"{'has' if thin.sum() == 1 else 'have'} {few}"
        + (f" ({empty:,} of them none)" if 0 < empty < thin.sum() else "")
    )
    message = f"{what}: {', '.join(worst)}{f' and {rest:,} more' if rest else ''}."
    todo = "Look for files that did not arrive or a job that stopped; figures over time miss them."
    size = Extent(int(thin.sum()), float(thin.mean()), what, int(thin.sum()) == 1)
    return issue(code, title, message, todo, size=size)


def _chance_spread(n: Floats, usual: Floats) -> Floats:
    """Return how much the number of rows varies by chance: as Poisson's, or less if it is regular.

    Of a series with one row each hour, a day with half of the rows is no chance.
    """
    spread = MAD_TO_SIGMA * float(np.median(np.abs(n - usual)))
    return np.minimum(np.sqrt(usual), np.maximum(spread, usual / 12))


def _usual_rows(n: Floats, cycle: int) -> Floats:
    """Return the usual number of rows: the median, of the same weekday (hour) if it is known."""
    if len(n) < 4 * cycle:
        return np.full(len(n), np.median(n[n > 0]))
    position = np.arange(len(n)) % cycle
    each = np.array([np.median(n[position == p]) for p in range(cycle)])
    return each[position]


def thin_files(view: View) -> Finding:
    """Look for files with far fewer rows than the others."""
    code, title = "LR030", "No file has far fewer rows than the others"
    sources = [s for s in view.profile.sources if not s.skipped]
    if len(sources) < 6:
        return skipped(code, title, "Fewer than 6 files.")
    n = np.array([s.rows for s in sources], dtype=np.float64)
    usual = float(np.median(n))
    thin = n < THIN * usual
    if usual < USUAL_ROWS or thin.mean() > FEW:
        return skipped(code, title, "The files' numbers of rows vary too much, or are small.")
    if not thin.any():
        return passed(code, title)
    which = [s for s, t in zip(sources, thin, strict=True) if t]
    named = ", ".join(f"{visible(s.path, 60)} ({s.rows:,})" for s in which[:MAX_LISTED])
    rest = len(which) - MAX_LISTED
    message = (
        f"{count(len(which), 'file')} of {len(sources):,} {'has' if len(which) == 1 else 'have'} "
        f"less than {percent(THIN)} of the usual {usual:,.0f} rows: "
        f"{named}{f' and {rest:,} more' if rest > 0 else ''}."
    )
    todo = "Look whether they were written to their end."
    size = Extent(len(which), float(thin.mean()), named, len(which) == 1)
    return issue(code, title, message, todo, size=size)


def lookalike_groups(view: View) -> Finding:
    """Look for group values that differ only in case, blanks or invisible characters."""
    code, title = "LR031", "No two group values look alike"
    columns = view.profile.columns
    if not columns.keys:
        return skipped(code, title, "The log is not grouped; add --by.")
    pairs, odd, at = [], 0, list[Example]()
    for column in columns.keys:
        table = next(t for t in view.profile.tables if column in t.by)
        key = key_names(table.by)[table.by.index(column)]
        rows = _rows_by_name(table.moments, key)
        alike: dict[str, list[str]] = {}
        for value in rows if len(rows) <= MAX_NAMES else ():
            alike.setdefault(_bare(value), []).append(value)
        for values in alike.values():
            if len(values) > 1:
                usual = max(values, key=lambda v: rows[v])
                others = [v for v in values if v != usual]
                odd += sum(rows[v] for v in others)
                shown = " and ".join(f"“{_shown(v)}” ({rows[v]:,})" for v in (usual, *others[:2]))
                pairs.append(f"{visible(column, 30)} {shown}")
                kept = view.every.filter(pl.col(f"key_{columns.keys.index(column)}").is_in(others))
                at += examples(kept)
    if not pairs:
        return passed(code, title)
    total = view.profile.rows
    size = extent(odd, total, total, whole=True)
    more = f"; and {count(len(pairs) - 3, 'more pair')}" if len(pairs) > 3 else ""
    message = (
        f"{size.rows('is', 'are')} in a group whose name differs from that of another only in "
        f"case, blanks or invisible characters: {'; '.join(pairs[:3])}{more}."
    )
    todo = "If they are one group, write its name in one way: its figures are split now."
    return issue(code, title, message, todo, size=size, at=at[:5])


def _rows_by_name(moments: pl.DataFrame, key: str) -> dict[str, int]:
    """Return how many rows each value of a group column has."""
    one = moments.filter((pl.col("prediction") == 0) & pl.col(key).is_not_null())
    each = one.group_by(key).agg(n=pl.sum_horizontal(pl.col(COUNTS).sum())).sort(key)
    return dict(each.iter_rows())


def _bare(value: str) -> str:
    """Return what a name is without case, blanks and invisible characters."""
    seen = (c for c in unicodedata.normalize("NFKC", value) if not _invisible(c))
    return "".join(seen).casefold()


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in INVISIBLE


def _shown(value: str) -> str:
    """Return a name with blanks at its ends, and joiners, made visible."""
    shown = key_value(value, 40)
    marked = "".join(
        f"\\u{ord(c):04x}" if _invisible(c) and c not in " \\" and ord(c) > 127 else c
        for c in shown
    )
    left, right = len(marked) - len(marked.lstrip(" ")), len(marked) - len(marked.rstrip(" "))
    return "␣" * left + marked.strip(" ") + "␣" * (right if marked.strip(" ") else 0)
