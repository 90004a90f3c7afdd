"""Log values as numbers and times: the one place that reads text, whatever the engine or format."""

from __future__ import annotations

import polars as pl

from lossreport.errors import UsageError

MISSING_TOKENS = (
    "",
    "-",
    "--",
    ".",
    "?",
    "#n/a",
    "<na>",
    "missing",
    "n/a",
    "na",
    "nil",
    "none",
    "null",
    "not available",
)
"""Texts, lower case and stripped, that stand for "no value" in a numeric column."""

TIME_FORMATS = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%Y%m%d",
)
"""Formats of time in text, in strftime's letters as chrono reads them."""

TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum)
EXACT_INTEGERS = (pl.Int64, pl.UInt64, pl.Int128)


def is_text(dtype: pl.DataType) -> bool:
    """Return whether values of this type are text, so that numbers must be read out of them."""
    return isinstance(dtype, TEXT_TYPES)


def can_be_number(dtype: pl.DataType) -> bool:
    """Return whether a column of this type can hold actual or predicted values."""
    return dtype.is_numeric() or is_text(dtype) or dtype in (pl.Boolean, pl.Null)


def number(name: str, dtype: pl.DataType, alias: str, *, exact: bool = False) -> list[pl.Expr]:
    """Return expressions that read one column as numbers.

    Parameters
    ----------
    name, dtype
        The column and its type in the log.
    alias
        The name of the result.
    exact
        Keep 64-bit integers and decimals as they are, because the other side of the subtraction
        is of the same kind and the difference is then exact; otherwise everything becomes Float64.

    Returns
    -------
    list of Expr
        The value (null where there is none) and, for a text column, `<alias>_text`: true where
        the text is neither a number nor one of `MISSING_TOKENS`.

    Raises
    ------
    UsageError
        The type cannot hold numbers (a date, a list, ...).
    """
    if not can_be_number(dtype):
        raise UsageError(f"Column {name!r} holds {dtype}, which is no number.")
    column = pl.col(name)
    if not is_text(dtype):
        if exact:
            wide = column if dtype.is_decimal() else column.cast(pl.Int128)
            return [wide.alias(alias)]
        return [column.cast(pl.Float64).alias(alias)]
    text = column.cast(pl.String).str.strip_chars()
    value = text.cast(pl.Float64, strict=False)
    present = text.is_not_null() & ~text.str.to_lowercase().is_in(MISSING_TOKENS)
    return [value.alias(alias), (present & value.is_null()).alias(f"{alias}_text")]


def exact_difference(left: pl.DataType, right: pl.DataType) -> bool:
    """Return whether two columns are best subtracted in their own type, then made Float64.

    Float64 holds integers only up to 2**53 and no decimal exactly, so the difference of two large
    and nearly equal values would lose its digits if each were made Float64 first.
    """
    integers = left in EXACT_INTEGERS and right in EXACT_INTEGERS
    return integers or (left.is_decimal() and right.is_decimal())


def time_format(sample: pl.Series) -> str | None:
    """Return the one format that reads every text of a sample of times.

    Returns
    -------
    str or None
        None when no format reads them all, when there are no texts, or when both day-first and
        month-first would do: a guess would put half of the rows into the wrong month.
    """
    texts = sample.cast(pl.String).str.strip_chars().drop_nulls()
    texts = texts.filter(texts != "").unique()
    if texts.is_empty():
        return None
    fits = [f for f in TIME_FORMATS if _parses(texts, f)]
    day_first = [f for f in fits if f.startswith("%d/")]
    month_first = [f for f in fits if f.startswith("%m/")]
    if day_first and month_first:
        return None
    return fits[0] if fits else None


def _parses(texts: pl.Series, fmt: str) -> bool:
    """Return whether a format reads all texts, as years of four digits."""
    read = texts.str.to_datetime(fmt, strict=False, time_unit="us")
    if read.null_count():
        return False
    return bool((read.dt.year().abs() >= 1000).all())


def time(name: str, dtype: pl.DataType, fmt: str | None = None) -> pl.Expr:
    """Return an expression that reads one column as UTC times in microseconds (naive Datetime).

    Text is read with `fmt` (null where it does not fit); integers are seconds, milliseconds,
    microseconds or nanoseconds since 1970 by their size.

    Raises
    ------
    UsageError
        The type cannot hold times, or it is text and no format is known.
    """
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return column.cast(pl.Datetime("us"))
    if dtype == pl.Date:
        return column.cast(pl.Datetime("us"))
    if dtype.is_integer():
        return _epoch(column)
    if is_text(dtype) and fmt is not None:
        parsed = (
            column.cast(pl.String)
            .str.strip_chars()
            .str.to_datetime(fmt, strict=False, time_unit="us")
        )
        if fmt.endswith("%#z"):
            parsed = parsed.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return parsed
    raise UsageError(
        f"Column {name!r} ({dtype}) cannot be read as time; leave it out with --time ''."
    )


def _epoch(column: pl.Expr) -> pl.Expr:
    size = column.cast(pl.Float64).abs()
    per_microsecond = (
        pl.when(size < 1e11)
        .then(column.cast(pl.Int64) * 1_000_000)
        .when(size < 1e14)
        .then(column.cast(pl.Int64) * 1_000)
        .when(size < 1e17)
        .then(column.cast(pl.Int64))
        .otherwise(column.cast(pl.Int64) // 1_000)
    )
    return per_microsecond.cast(pl.Datetime("us"))
