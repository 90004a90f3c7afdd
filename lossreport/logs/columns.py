"""The roles of a log's columns (actual, predicted, time, groups) and how they are found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from lossreport.errors import UsageError, nearest
from lossreport.logs.values import can_be_number, is_text, some_number, time_format

ACTUAL_NAMES = (
    "y_true", "actual", "actuals", "actual_value", "y_actual", "y", "target", "observed",
    "observation", "label", "truth", "true", "true_value", "ground_truth", "outcome",
)  # fmt: skip
PREDICTED_NAMES = (
    "y_pred", "predicted", "prediction", "predictions", "pred", "y_predicted", "predicted_value",
    "forecast", "forecasted", "yhat", "y_hat", "estimate", "estimated", "fitted", "score",
    "model_output", "expected",
)  # fmt: skip
TIME_NAMES = (
    "time", "timestamp", "datetime", "date_time", "ts", "ds", "date", "day", "hour", "week",
    "month", "event_time", "created_at", "predicted_at", "scored_at",
)  # fmt: skip
ACTUAL_WORDS = {"actual", "true", "observed", "target", "truth", "label"}
PREDICTED_WORDS = {"predicted", "prediction", "pred", "forecast", "yhat", "estimate", "estimated"}
TIME_WORDS = {"time", "timestamp", "date", "datetime"}
DERIVED_WORDS = {
    "error", "err", "residual", "resid", "abs", "diff", "loss", "bias", "id", "name", "std",
    "lower", "upper", "lo", "hi", "low", "high", "at", "time", "date", "count",
}  # fmt: skip
"""Words that make a column something computed from, or said about, an actual or a prediction."""

MAX_GROUPS_CHOSEN = 50
MAX_COLUMNS_CHOSEN = 5


@dataclass(frozen=True)
class Columns:
    """Which column plays which role."""

    actual: str
    predicted: tuple[str, ...]
    time: str | None = None
    groupings: tuple[tuple[str, ...], ...] = ()
    time_format: str | None = None
    """How the time column is written when it is text, in strftime's letters."""
    found: tuple[str, ...] = field(default=())
    """The roles that were not given but found: "actual", "predicted", "time", "by"."""
    ids: tuple[str, ...] = ()
    """The columns that together tell one row from every other."""

    @property
    def roles(self) -> tuple[object, ...]:
        """What must be equal for two profiles to merge."""
        return (self.actual, self.predicted, self.time, self.groupings, self.ids)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that any grouping uses, each once, in order of first use."""
        return tuple(dict.fromkeys(c for g in self.groupings for c in g))

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that must be read, each once."""
        time = () if self.time is None else (self.time,)
        return tuple(dict.fromkeys((self.actual, *self.predicted, *time, *self.keys, *self.ids)))


def find_columns(
    sample: pl.DataFrame,
    *,
    actual: str | None = None,
    predicted: Sequence[str] = (),
    by: Sequence[str | tuple[str, ...]] | None = None,
    time: str | None = None,
    ids: str | tuple[str, ...] = (),
) -> Columns:
    """Give each role a column, by what was asked for and, where nothing was, by name.

    Parameters
    ----------
    sample
        The first rows of the log, with all of its columns.
    actual, predicted, time
        Column names as given; None or empty means "find it". `time=""` means none.
    by
        Groupings as given, each a column or several with commas between; None means "choose",
        an empty text means none.
    ids
        The columns that together tell one row from every other: one, or several with commas.

    Raises
    ------
    UsageError
        A name is not a column, or a role has no candidate or several sensible ones.
    """
    known = sample.columns
    found = []
    predicted = [p for p in predicted if p]
    if not actual:
        taken = set(predicted)
        actual = _only(
            "actual", _by_name(sample, ACTUAL_NAMES, ACTUAL_WORDS, taken, _numeric), known
        )
        found.append("actual")
    if not predicted:
        candidates = _by_name(sample, PREDICTED_NAMES, PREDICTED_WORDS, {actual}, _numeric)
        predicted = [_only("predicted", candidates, known)]
        found.append("predicted")
    _check_known((actual, *predicted), known)
    _check_distinct(actual, predicted)
    given_time = time
    if time is None:
        time = _one_time(sample, {actual, *predicted})
        if time is not None:
            found.append("time")
    time = time or None
    fmt = None
    if time is not None:
        _check_known((time,), known)
        fmt = _text_time_format(sample, time, given=given_time is not None)
    if by is None:
        groupings = _few_values(sample, {actual, *predicted, *([time] if time else [])})
        found.append("by")
    else:
        groupings = tuple(dict.fromkeys(g for b in by if (g := split_grouping(b, known))))
        _check_known([c for g in groupings for c in g], known)
    identity = split_grouping(ids, known)
    _check_known(identity, known)
    return Columns(actual, tuple(predicted), time, groupings, fmt, tuple(found), identity)


def split_grouping(text: str | tuple[str, ...], known: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of one grouping: `a,b` is two, unless a column is called `a,b`."""
    if isinstance(text, tuple):
        return tuple(dict.fromkeys(text))
    if text in set(known):
        return (text,)
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def key_names(by: Sequence[str]) -> list[str]:
    """Return the names that a table's frames give to the values of these columns."""
    return [f"key_{i}" for i in range(len(by))]


def _check_known(names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f"There is no column {name!r}. {nearest(name, known)}")


def _check_distinct(actual: str, predicted: Sequence[str]) -> None:
    if actual in predicted:
        raise UsageError(f"Column {actual!r} cannot be both the actual and the predicted value.")
    if len(set(predicted)) < len(predicted):
        raise UsageError("A prediction column was given twice.")


def _words(name: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [w for w in re.split(r"[^a-z0-9]+", spaced.lower()) if w]


def _by_name(
    sample: pl.DataFrame,
    names: Sequence[str],
    words: set[str],
    taken: set[str],
    suits: Callable[[pl.Series], bool],
) -> list[str]:
    """Return the columns whose whole name is a known one or, if none, that contain a known word.

    A column that is called "actual" is the actual value even if none of its texts is a number; of
    several, and by a word alone, only those that suit are candidates.
    """
    free = [c for c in sample.columns if c not in taken]
    exact = [c for c in free if "_".join(_words(c)) in names]
    of_words = [
        c for c in free if words & set(_words(c)) and not (DERIVED_WORDS - words) & set(_words(c))
    ]
    suiting = [[c for c in some if suits(sample[c])] for some in (exact, of_words)]
    return suiting[0] or suiting[1] or exact


def _only(role: str, candidates: Sequence[str], known: Sequence[str]) -> str:
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise UsageError(
            f"More than one column could be the {role} value: {', '.join(candidates)}. "
            f"Choose one with --{role} COLUMN."
        )
    raise UsageError(
        f"No column looks like the {role} value. Name it with --{role} COLUMN. {nearest('', known)}"
    )


def _numeric(series: pl.Series) -> bool:
    """Return whether a column could hold numbers: a type for it, or text of which some is one."""
    if not can_be_number(series.dtype):
        return False
    return not is_text(series.dtype) or some_number(series)


def _is_time(series: pl.Series) -> bool:
    if isinstance(series.dtype, pl.Datetime) or series.dtype == pl.Date:
        return True
    return is_text(series.dtype) and time_format(series.head(1000)) is not None


def _one_time(sample: pl.DataFrame, taken: set[str]) -> str | None:
    named = _by_name(sample, TIME_NAMES, TIME_WORDS, taken, _is_time)
    candidates = [c for c in named if _is_time(sample[c])] or [
        c
        for c in sample.columns
        if c not in taken
        and (c.lower().endswith(("date", "time")) or sample[c].dtype.is_temporal())
        if _is_time(sample[c])
    ]
    if len(candidates) > 1:
        raise UsageError(
            f"More than one column could be the time: {', '.join(candidates)}. "
            "Choose one with --time COLUMN, or none with --time ''."
        )
    return candidates[0] if candidates else None


def _text_time_format(sample: pl.DataFrame, time: str, *, given: bool) -> str | None:
    series = sample[time]
    if not is_text(series.dtype):
        return None
    fmt = time_format(series)
    if fmt is None and given and series.drop_nulls().len():
        raise UsageError(
            f"The texts of column {time!r} are not times in one known format "
            f"(for example {series.drop_nulls()[0]!r}), or day and month cannot be told apart."
        )
    return fmt


def _few_values(sample: pl.DataFrame, taken: set[str]) -> tuple[tuple[str, ...], ...]:
    """Choose columns to group by: text, yes/no or whole numbers with 2 to 50 distinct values."""
    chosen = []
    for name in sample.columns:
        series = sample[name]
        if name in taken or {"error", "residual", "id"} & set(_words(name)):
            continue
        if not (is_text(series.dtype) or series.dtype.is_integer() or series.dtype == pl.Boolean):
            continue
        distinct = series.n_unique()
        if 2 <= distinct <= min(MAX_GROUPS_CHOSEN, max(2, sample.height // 10)):
            chosen.append((name,))
    return tuple(chosen[:MAX_COLUMNS_CHOSEN])
