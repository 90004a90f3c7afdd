"""Log values as numbers and times: the one place that reads text, whatever the engine or format."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import polars as pl

from lossreport.errors import UsageError
from lossreport.logs.numerals import MINUS, PLAIN, NumberStyle, find_styles

MISSING_TOKENS = (
    "",
    "-",
    "--",
    ".",
    "?",
    "#n/a",
    "<na>",
    "empty",
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
FIRST_TIME, LAST_TIME = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999 in microseconds since 1970; times beyond are taken as missing."""
EXACT_INTEGERS = (pl.Int64, pl.UInt64)


def is_text(dtype: pl.DataType) -> bool:
    """Return whether values of this type are text, so that numbers must be read out of them."""
    return isinstance(dtype, TEXT_TYPES)


def can_be_number(dtype: pl.DataType) -> bool:
    """Return whether a column of this type can hold actual or predicted values."""
    return dtype.is_numeric() or is_text(dtype) or dtype in (pl.Boolean, pl.Null)


def number(
    name: str,
    dtype: pl.DataType,
    alias: str,
    *,
    exact: bool = False,
    style: NumberStyle = PLAIN,
    missing: Sequence[str] = (),
    hoist: Callable[[pl.Expr, str], pl.Expr] = lambda expression, _: expression,
) -> list[pl.Expr]:
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
    style
        How a text column writes its numbers.
    missing
        Texts, lower case, that stand for no value, beside `MISSING_TOKENS`; one that is
        a number stands for it in every type and writing.
    hoist
        Given an expression that is used more than once and a name, returns what stands for it: a
        column, if it was computed before, or the expression itself.

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
    no_values = [float(t) for t in missing if _is_number(t)]
    if not is_text(dtype):
        if no_values:
            column = pl.when(~column.cast(pl.Float64).is_in(no_values)).then(column)
        if exact:
            wide = column if dtype.is_decimal() else column.cast(pl.Int128)
            return [wide.alias(alias)]
        return [column.cast(pl.Float64).alias(alias)]
    text = column.cast(pl.String).str.strip_chars()
    text = hoist(text, f"{alias}_stripped")
    value = hoist(style.read(text), f"{alias}_value")
    odd = hoist(pl.when(value.is_null()).then(text), f"{alias}_odd")  # few: they cost nothing
    lower = hoist(odd.str.to_lowercase(), f"{alias}_lower")
    value = pl.coalesce(
        value,
        style.read(odd.str.replace(MINUS, "-", literal=True)),
        pl.when(lower == "true").then(1.0).when(lower == "false").then(0.0),  # as Booleans are
    )
    value = hoist(value, f"{alias}_read")
    present = lower.is_not_null() & ~lower.is_in([*MISSING_TOKENS, *missing])
    mark = (present & value.is_null()).alias(f"{alias}_text")
    if no_values:
        value = pl.when(~value.is_in(no_values)).then(value)
    return [value.alias(alias), mark]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def some_number(texts: pl.Series) -> bool:
    """Return whether a text is a number, in the style of the texts, or all stand for no value."""
    sample = pl.DataFrame({"v": texts.cast(pl.String)})
    style = find_styles(sample, MISSING_TOKENS).get("v", PLAIN)
    value, odd = sample.select(number("v", pl.String(), "n", style=style))
    return value.count() > 0 or not odd.any()


def exact_difference(left: pl.DataType, right: pl.DataType) -> bool:
    """Return whether two columns are best subtracted in their own type, then made Float64.

    Float64 holds integers only up to 2**53 and no decimal exactly, so the difference of two large
    and nearly equal values would lose its digits if each were made Float64 first.
    """
    if isinstance(left, pl.Decimal) and isinstance(right, pl.Decimal):
        whole = max(d.precision - d.scale for d in (left, right))
        fits = whole + max(left.scale, right.scale) <= 38
        return left.scale == right.scale or fits
    return left in EXACT_INTEGERS and right in EXACT_INTEGERS


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
    fits = [f for f in TIME_FORMATS if reads(texts, f)]
    day_first = [f for f in fits if f.startswith("%d/")]
    month_first = [f for f in fits if f.startswith("%m/")]
    if day_first and month_first:
        return None
    return fits[0] if fits else None


def reads(texts: pl.Series, fmt: str) -> bool:
    """Return whether a format reads all texts, as years of four digits."""
    present = texts.cast(pl.String).str.strip_chars().drop_nulls()
    present = present.filter(present != "")
    read = present.str.to_datetime(fmt, strict=False, time_unit="us")
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
    if isinstance(dtype, pl.Datetime):  # its physical value is UTC, with or without a zone
        return _microseconds(
            column.to_physical(), {"ms": 1000.0, "us": 1.0, "ns": 0.001}[dtype.time_unit]
        )
    if dtype == pl.Date:
        return _microseconds(column.to_physical(), 86_400_000_000.0)
    if dtype.is_integer():
        return _epoch(column.cast(pl.Int64, strict=False))
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


def _microseconds(count: pl.Expr, each: float) -> pl.Expr:
    """Return counts of a unit of so many microseconds as times; null beyond years 1 to 9999."""
    whole = count.cast(pl.Int64)
    known = whole.is_between(math.ceil(FIRST_TIME / each), math.floor(LAST_TIME / each))
    safe = pl.when(known).then(whole)
    scaled = safe * round(each) if each >= 1 else safe // round(1 / each)
    return scaled.cast(pl.Datetime("us"))


def _epoch(column: pl.Expr) -> pl.Expr:
    size = column.cast(pl.Float64).abs()
    units = ((1e11, 1_000_000.0), (1e14, 1_000.0), (1e17, 1.0), (math.inf, 0.001))
    return pl.coalesce(
        pl.when(size < limit).then(_microseconds(column, each)) for limit, each in units
    )
