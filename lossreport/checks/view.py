"""What a check looks at, and how it says what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from lossreport.checks.finding import Example, Finding
from lossreport.formats import MINUS, count, group_name, percent
from lossreport.losses import MAD_TO_SIGMA
from lossreport.profiles.evidence import BLOCK, Evidence
from lossreport.profiles.profile import Profile

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
Severity = Literal["error", "warning", "info"]

MINIMUM = 20
"""Of fewer rows nothing is said that needs many."""
FREQUENT = 0.01
"""A value is frequent if so large a share of its side has it."""
EXAMPLES = 5
TOO_FEW = f"Fewer than {MINIMUM} scored rows to look at."


@dataclass(frozen=True)
class View:
    """A log as the checks see it, for one of its predictions."""

    profile: Profile
    prediction: int
    name: str | None
    """The prediction's column, if the log has several."""
    evidence: Evidence
    every: pl.DataFrame
    """The rows kept, scored or not: `file`, `row`, `block`, `time`, `actual`, `predicted` and
    `key_0`, ..., in order of file and row."""
    rows: pl.DataFrame
    """Those of them that are scored."""
    worst: pl.DataFrame
    """The rows with the largest |error|."""
    scored: int
    """How many rows of the log are scored."""

    @property
    def actual(self) -> Floats:
        """The actual values of the scored rows kept."""
        return self.rows["actual"].to_numpy()

    @property
    def predicted(self) -> Floats:
        """Their predicted values."""
        return self.rows["predicted"].to_numpy()

    @property
    def whole(self) -> bool:
        """Whether all rows of the log are here."""
        return self.evidence.by_place.level == 0


def view_of(profile: Profile, prediction: int, name: str | None) -> View | None:
    """Return the view of one prediction; None of a profile without evidence."""
    if profile.evidence is None:
        return None
    every = profile.evidence.by_place.rows.rename({f"predicted_{prediction}": "predicted"})
    every = every.with_columns(block=(pl.col("row") - 1) // BLOCK)
    difference = pl.col("predicted") - pl.col("actual")
    moments = profile.timeline.filter(pl.col("prediction") == prediction)
    return View(
        profile=profile,
        prediction=prediction,
        name=name,
        evidence=profile.evidence,
        every=every,
        rows=every.filter(difference.is_finite().fill_null(value=False)),
        worst=profile.worst.filter(pl.col("prediction") == prediction),
        scored=int(moments["n"].sum()),
    )


@dataclass(frozen=True)
class Extent:
    """How much of a log something concerns."""

    count: int
    share: float
    text: str
    """"12 rows (0.4%)"; of a log not kept whole "about 1,200 rows (0.4%; 24 of the 6,000 looked
    at)"."""
    one: bool
    """Whether it is a single row."""

    def rows(self, one: str, many: str) -> str:
        """Return the extent with a verb in the right number: "1 row (0.1%) has"."""
        return f"{self.text} {one if self.one else many}"


def extent(found: int, looked_at: int, total: int, *, whole: bool, at_least: int = 0) -> Extent:
    """Return the extent of what was found in some of the rows of a log.

    `at_least`: so many rows of the whole log are known to have it.
    """
    share = found / looked_at if looked_at else 0.0
    if whole:
        return Extent(found, share, f"{count(found, 'row')} ({percent(share)})", found == 1)
    n = max(found, at_least, round(share * total))
    text = (
        f"about {count(max(at_least, _two_digits(n)), 'row')} ({percent(share)}; {found:,} of the "
        f"{looked_at:,} looked at)"
    )
    return Extent(n, share, text, n == 1)


def _two_digits(n: int) -> int:
    """Return an estimate without digits that it does not have."""
    unit = int(10 ** max(0, len(str(n)) - 2))
    return round(n / unit) * unit


def extent_of(view: View, marks: Marks) -> Extent:
    """Return the extent of the marked ones of the scored rows kept."""
    return extent(int(marks.sum()), len(marks), view.scored, whole=view.whole)


def examples(rows: pl.DataFrame, marks: Marks | None = None) -> tuple[Example, ...]:
    """Return the places of the first (marked) rows."""
    some = rows if marks is None else rows.filter(pl.Series(marks))
    places = some.select("file", "row").head(EXAMPLES)
    return tuple(Example(file, row) for file, row in places.iter_rows())


def passed(code: str, title: str, name: str | None = None, message: str = "") -> Finding:
    """Return that nothing was found."""
    return Finding(code, "passed", "info", title, message or "Nothing found.", 0, name, 0.0)


def skipped(code: str, title: str, why: str, name: str | None = None) -> Finding:
    """Return that nothing was looked at, and why."""
    return Finding(code, "skipped", "info", title, why, None, name)


def issue(
    code: str,
    title: str,
    message: str,
    todo: str,
    severity: Severity = "warning",
    name: str | None = None,
    *,
    size: Extent | None = None,
    at: Sequence[Example] = (),
) -> Finding:
    """Return something found: what, how much of the log, where, and what to do."""
    said = message[0].upper() + message[1:]
    n, share = (size.count, size.share) if size else (None, None)
    return Finding(code, "issue", severity, title, said, n, name, share, tuple(at), todo)


def plain(value: float) -> str:
    """Return a value of the log with all of its digits."""
    return f"{value:.12g}".replace("-", MINUS)


def whole_numbers(values: Floats) -> bool:
    """Return whether all values are whole."""
    return bool(np.all(values == np.rint(values)))


def finite(rows: pl.DataFrame, side: str) -> pl.DataFrame:
    """Return the rows with a number on this side."""
    return rows.filter(pl.col(side).is_finite().fill_null(value=False))


def spread(values: Floats) -> float:
    """Return the robust standard deviation, 1.4826 median |value - median|."""
    if not len(values):
        return 0.0
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))


def frequent(values: Floats) -> Marks:
    """Return which values are frequent, as those that a side is clipped to: 1 % of them, 5."""
    _, which, times = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(times[which] >= max(5, FREQUENT * len(values)))


def equal_beyond_chance(differences: Floats) -> Marks:
    """Return which differences are exactly 0, if there are too many of them for chance.

    Rounded values are equal by chance as often as they are one step apart; of exact zeros there
    must be more than three times as many.
    """
    zero = differences == 0
    others = np.abs(differences[~zero])
    near = int((others <= 1.5 * others.min()).sum()) if len(others) else 0
    enough = max(5, 0.01 * len(differences), 3 * near)
    return zero if int(zero.sum()) >= enough else np.zeros(len(zero), dtype=bool)


def keys_of(view: View) -> list[str]:
    """Return the columns of the rows kept that hold their group values."""
    return [c for c in view.rows.columns if c.startswith("key_")]


def all_in(view: View, marks: Marks) -> str:
    """Return ", all in region = emea" if the marked rows are all of one group."""
    for key in keys_of(view):
        values = view.rows[key]
        of_marked = values.filter(pl.Series(marks)).unique()
        if len(of_marked) == 1 and values.n_unique() > 1:
            column = view.profile.columns.keys[int(key[4:])]
            return f", all in {group_name((column,), (of_marked[0],), 40)}"
    return ""
