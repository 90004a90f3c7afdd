"""Which column is the time, and how its texts are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from lossreport.errors import UsageError
from lossreport.logs.names import TIME_NAMES, TIME_WORDS, by_name
from lossreport.logs.times import (
    check_format,
    day_or_month_first,
    epoch_in_text,
    reads,
    time_formats,
    unlike_times,
)
from lossreport.logs.values import is_text


def _is_time(series: pl.Series) -> bool:
    if isinstance(series.dtype, pl.Datetime) or series.dtype == pl.Date:
        return True
    return is_text(series.dtype) and bool(time_formats(series.head(1000)))


def _open(series: pl.Series) -> bool:
    return day_or_month_first(time_formats(series.head(1000)))


def one_time(columns: Mapping[str, pl.Series], taken: set[str]) -> str | None:
    """Return the column that says when, by name and content; None if there is none.

    Raises
    ------
    UsageError
        Several columns would do.
    """
    named = by_name(columns, TIME_NAMES, TIME_WORDS, taken, _is_time)
    candidates = [c for c in named if _is_time(columns[c])] or [
        c
        for c in columns
        if c not in taken
        and (c.lower().endswith(("date", "time")) or columns[c].dtype.is_temporal())
        if _is_time(columns[c])
    ]
    if len(candidates) > 1:  # one that can be read goes before those that may be day or month first
        sure = [
            c for c in candidates if not day_or_month_first(time_formats(columns[c].head(1000)))
        ]
        candidates = sure or candidates
    if len(candidates) > 1:
        raise UsageError(
            f"More than one column could be the time: {', '.join(candidates)}. "
            "Choose one with --time COLUMN, or none with --time ''."
        )
    return candidates[0] if candidates else None


def text_time_format(
    series: pl.Series,
    asked: str | None,
    more: Callable[[str], Iterable[pl.Series]],
    *,
    given: bool,
) -> str | None:
    """Return the format of a column's times; None if it is no text or, unless `given`, not sure.

    Parameters
    ----------
    asked
        The format that was asked for.
    more
        Gives more texts of a column, to tell day and month apart.
    given
        Whether the column was asked for, so that it must be read.

    Raises
    ------
    UsageError
        The column was asked for and no format is sure, or what was asked for does not fit.
    """
    if not is_text(series.dtype):
        if asked is not None:
            raise UsageError(
                f"--time-format is for text, but column {series.name!r} holds {series.dtype}."
            )
        return None
    if asked is not None:
        check_format(asked, series)
        return asked
    formats = time_formats(series)
    if day_or_month_first(formats):
        formats = _decided(formats, more(series.name))
    if len(formats) and not day_or_month_first(formats):
        return formats[0]
    fmt = epoch_in_text(series) if given and not formats else None
    if fmt is None and given and series.drop_nulls().len():
        example = f"(for example {unlike_times(series) or series.drop_nulls()[0]!r})"
        hint = "Say how they are written with --time-format, for example --time-format '%d/%m/%Y'."
        if formats:
            raise UsageError(
                f"In the times of column {series.name!r} {example}, day and month cannot be told "
                f"apart. {hint}"
            )
        raise UsageError(
            f"The texts of column {series.name!r} are not times in one known format {example}. "
            f"{hint}"
        )
    return fmt


def _decided(formats: list[str], more: Iterable[pl.Series]) -> list[str]:
    """Return the formats that also read more of a column, until day and month are told apart."""
    for texts in more:
        left = [f for f in formats if reads(texts, f)]
        if not left:  # neither order reads them all: the column is not in one format
            return formats
        formats = left
        if not day_or_month_first(formats):
            break
    return formats
