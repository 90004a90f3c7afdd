"""Log values as times: the formats of time in text, epoch numbers, and typed times, all to UTC."""

from __future__ import annotations

import math

import polars as pl

from lossreport.errors import UsageError, reason
from lossreport.logs.values import MISSING_TOKENS, is_text

TIME_FORMATS = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m-%d-%Y %H:%M",
    "%d-%m-%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M:%S%.f",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%Y%m%d",
    "%Y%m%dT%H%M%S",
)
"""Formats of time in text, in strftime's letters as chrono reads them."""
BETWEEN = (" - ", " \u2013 ", " \u2014 ", " to ", "/")
"""What stands between the start and the end of an interval in text."""
REST = "*"
"""Ends a format whose texts go on after the time: "%Y-%m-%d - *" reads intervals' starts."""
EPOCH = "epoch"
"""Stands in place of a format for numbers of seconds, milliseconds, ... since 1970 in text."""

LONGEST = 200
"""No time is written with more bytes; not to try every format on a text of megabytes."""
FIRST_TIME, LAST_TIME = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999 in microseconds since 1970; times beyond are taken as missing."""
SMALLEST_FLOAT_EPOCH = 1e8
"""Fractional numbers below (1973 in seconds) are taken for something else than times since 1970,
such as days since some other year."""


def time_format(sample: pl.Series) -> str | None:
    """Return the one format that reads every text of a sample of times.

    Returns
    -------
    str or None
        None when no format reads them all, when there are no texts, or when both day-first and
        month-first would do: a guess would put half of the rows into the wrong month.
    """
    fits = time_formats(sample)
    return None if day_or_month_first(fits) or not fits else fits[0]


def time_formats(sample: pl.Series) -> list[str]:
    """Return the formats that read every text of a sample; of intervals, their starts."""
    texts = _texts(sample).unique()
    if texts.is_empty() or (texts.str.len_bytes() > LONGEST).any():
        return []
    fits = [f for f in TIME_FORMATS if reads(texts, f)]
    if fits:
        return fits
    for between in BETWEEN:
        if (texts.str.count_matches(between, literal=True) == 1).all():
            ends = texts.str.split(between)
            starts = [f for f in TIME_FORMATS if reads(ends.list.first(), f)]
            both = [f for f in starts if reads(ends.list.last(), f)]
            if both or starts:
                return [f + between + REST for f in both or starts]
    return []


def day_or_month_first(formats: list[str]) -> bool:
    """Return whether formats that all fit disagree on which of two numbers is the month."""
    return any(f.startswith("%d") for f in formats) and any(f.startswith("%m") for f in formats)


def epoch_in_text(sample: pl.Series) -> str | None:
    """Return `EPOCH` if every text is as long as a number since 1970 in the years 2001 to 2286.

    None if one is not, or there is none.
    """
    texts = _texts(sample)
    whole = texts.str.contains(r"^(?:\d{10}(?:\.\d+)?|\d{13}|\d{16}|\d{19})$")
    return EPOCH if texts.len() and whole.all() else None


def check_format(fmt: str, sample: pl.Series) -> None:
    """Check a format that was given.

    Raises
    ------
    UsageError
        It is no format, or reads none of the texts of the sample.
    """
    texts = _texts(sample)
    try:
        read = pl.select(_in_text(pl.lit(texts), fmt)).to_series()
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise UsageError(f"{fmt!r} is no format of time: {reason(error)}.") from error
    if texts.len() and read.is_null().all():
        raise UsageError(
            f"The time format {fmt!r} reads none of the texts of the column, which are like "
            f"{texts[0]!r}. It is written like '%d.%m.%Y %H:%M' (see the README)."
        )


def reads(texts: pl.Series, fmt: str) -> bool:
    """Return whether a format reads all texts, as years of four digits."""
    present = _texts(texts)
    read = pl.select(_in_text(pl.lit(present), fmt)).to_series()
    if read.null_count():
        return False
    return bool((read.dt.year().abs() >= 1000).all())


def _texts(sample: pl.Series) -> pl.Series:
    """Return the texts that stand for a value, without blanks around them."""
    texts = sample.cast(pl.String).str.strip_chars().drop_nulls()
    return texts.filter(~texts.str.to_lowercase().is_in((*MISSING_TOKENS, "nat")))


def unlike_times(sample: pl.Series) -> str | None:
    """Return a text that the format that reads most texts does not read, if there is one."""
    texts = _texts(sample).head(1000)
    read = [pl.select(_in_text(pl.lit(texts), f)).to_series() for f in TIME_FORMATS]
    best = min(read, key=lambda times: times.null_count())
    odd = texts.filter(best.is_null())
    return None if odd.is_empty() else str(odd[0])


def _in_text(column: pl.Expr, fmt: str) -> pl.Expr:
    """Return the times (naive, UTC) that a format reads in stripped texts; null where none."""
    if fmt == EPOCH:
        return _epoch(column.cast(pl.Float64, strict=False), column.cast(pl.Int64, strict=False))
    if fmt.endswith(REST):
        fmt, between = _start_of(fmt)
        column = column.str.splitn(between, 2).struct[0].str.strip_chars()
    read = column.str.to_datetime(fmt, strict=False, time_unit="us")
    if fmt.endswith(("%#z", "%z", "%:z")):
        read = read.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return read


def _start_of(fmt: str) -> tuple[str, str]:
    """Return the format of an interval's start, and what ends it."""
    for between in BETWEEN:
        if fmt.endswith(between + REST):
            return fmt.removesuffix(between + REST), between
    known = ", ".join(map(repr, BETWEEN))
    raise ValueError(f"before its {REST!r} there must be one of {known}")


def how_read(fmt: str | None) -> str | None:
    """Return how times in text were read, where that is not plain; else None."""
    if fmt == EPOCH:
        return "are numbers since 1970, in the unit that their size tells."
    if fmt and fmt.endswith(REST):
        return "are intervals: each row counts at the start of its interval."
    return None


def time(name: str, dtype: pl.DataType, fmt: str | None = None) -> pl.Expr:
    """Return an expression that reads one column as UTC times in microseconds (naive Datetime).

    Text is read with `fmt` (null where it does not fit); numbers are seconds, milliseconds,
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
    if dtype.is_integer() or dtype == pl.Decimal:
        whole = column.cast(pl.Int64, strict=False)
        return _epoch(whole.cast(pl.Float64), whole)
    if dtype.is_float():
        number = column.cast(pl.Float64)
        return _epoch(pl.when(number.abs() >= SMALLEST_FLOAT_EPOCH).then(number), None)
    if is_text(dtype) and fmt is not None:
        return _in_text(column.cast(pl.String).str.strip_chars(), fmt)
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


def _epoch(number: pl.Expr, whole: pl.Expr | None) -> pl.Expr:
    """Return numbers since 1970 as times, in the unit of their size.

    `whole` are the same numbers as integers, null where they are none: these keep all digits.
    """
    size = number.abs()
    units = ((1e11, 1_000_000.0), (1e14, 1_000.0), (1e17, 1.0), (math.inf, 0.001))
    read = []
    for limit, each in units:
        parts = (number * each).round()
        scaled = pl.when(parts.abs() < 2.0**62).then(parts).cast(pl.Int64, strict=False)
        fraction = _microseconds(scaled, 1.0)
        exact = [] if whole is None else [_microseconds(whole, each)]
        read.append(pl.when(size < limit).then(pl.coalesce(*exact, fraction)))
    return pl.coalesce(read)
