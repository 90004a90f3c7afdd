"""The roles of a log's columns (actual, predicted, time, groups) and how they are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from lossreport.errors import UsageError, nearest
from lossreport.logs.names import words_of
from lossreport.logs.time_role import one_time, text_time_format
from lossreport.logs.value_roles import actual_and_predicted
from lossreport.logs.values import is_text

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
    compare: str | None = None
    """The group column that says which model a row is of."""
    kinds: tuple[str, ...] = ()
    """What kind of values each of `keys` has (`kinds.kinds_of`); empty where it is not known."""

    @property
    def roles(self) -> tuple[object, ...]:
        """What must be equal for two profiles to merge."""
        return (
            self.actual,
            self.predicted,
            self.time,
            self.groupings,
            self.ids,
            self.compare,
        )

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
    time_format: str | None = None,
    ids: str | tuple[str, ...] = (),
    compare: str | None = None,
    in_paths: Mapping[str, pl.Series] | None = None,
    more: Callable[[str], Iterable[pl.Series]] = lambda _: (),
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
    time_format
        How the times are written when they are text; None means "find it".
    ids
        The columns that together tell one row from every other: one, or several with commas.
    compare
        The column that says which model a row is of; it becomes a grouping, and is no part of ids.
    in_paths
        The columns that stand in the paths of the log's files, with a value per file.
    more
        Gives more of a column's texts, where those of the sample leave day and month open.

    Raises
    ------
    UsageError
        A name is not a column, or a role has no candidate or several sensible ones.
    """
    in_paths = in_paths or {}
    columns = {**sample.to_dict(), **in_paths}
    known = list(columns)
    predicted = [p for p in predicted if p]
    found = ([] if actual else ["actual"]) + ([] if predicted else ["predicted"])
    actual, predicted = actual_and_predicted(columns, actual, predicted)
    _check_known((actual, *predicted), known)
    _check_distinct(actual, predicted)
    given_time = time
    if time is None:
        time = one_time(columns, {actual, *predicted, *in_paths}) or one_time(
            in_paths, {actual, *predicted}
        )
        if time is not None:
            found.append("time")
    time = time or None
    if time is not None:
        _check_known((time,), known)
        time_format = text_time_format(columns[time], time_format, more, given=bool(given_time))
        if time_format is None and is_text(columns[time].dtype) and not given_time:
            time = None
            found.remove("time")
    elif time_format is not None:
        raise UsageError("There is no column for --time-format; name it with --time COLUMN.")
    if by is None:
        groupings = _few_values(columns, in_paths, {actual, *predicted, *([time] if time else [])})
        found.append("by")
    else:
        groupings = tuple(dict.fromkeys(g for b in by if (g := split_grouping(b, known))))
        _check_known([c for g in groupings for c in g], known)
    identity = split_grouping(ids, known)
    _check_known(identity, known)
    if compare:
        _check_known((compare,), known)
        _check_compared(compare, actual, predicted, time)
        groupings = tuple(dict.fromkeys((*groupings, (compare,))))
        identity = tuple(c for c in identity if c != compare)
    return Columns(
        actual,
        tuple(predicted),
        time,
        groupings,
        time_format,
        tuple(found),
        identity,
        compare or None,
    )


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


def _check_compared(compare: str, actual: str, predicted: Sequence[str], time: str | None) -> None:
    if compare in (actual, *predicted, time):
        raise UsageError(
            f"Column {compare!r} cannot also say which model a row is of: --compare takes a column "
            "of model names."
        )
    if len(predicted) > 1:
        raise UsageError(
            "--compare is for a log with one prediction column and a column of model names; "
            f"predictions in columns of their own ({', '.join(predicted)}) are compared without it."
        )


def _few_values(
    columns: Mapping[str, pl.Series], in_paths: Mapping[str, pl.Series], taken: set[str]
) -> tuple[tuple[str, ...], ...]:
    """Choose columns to group by: text, yes/no or whole numbers with 2 to 50 distinct values."""
    chosen = []
    for name, series in columns.items():
        if name in taken or {"error", "residual", "id"} & set(words_of(name)):
            continue
        if not (is_text(series.dtype) or series.dtype.is_integer() or series.dtype == pl.Boolean):
            continue
        distinct = series.n_unique()
        share = series.len() if name in in_paths else max(2, series.len() // 10)
        if 2 <= distinct <= min(MAX_GROUPS_CHOSEN, share):
            chosen.append((name,))
    return tuple(chosen[:MAX_COLUMNS_CHOSEN])
