"""Log values as numbers: the one place that reads them in text, whatever the engine or format."""

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
    truth = {"true": 1.0, "false": 0.0}  # as Boolean columns are read
    as_truth = text.str.to_lowercase().replace_strict(truth, default=None, return_dtype=pl.Float64)
    value = pl.coalesce(text.cast(pl.Float64, strict=False), as_truth)
    present = text.is_not_null() & ~text.str.to_lowercase().is_in(MISSING_TOKENS)
    return [value.alias(alias), (present & value.is_null()).alias(f"{alias}_text")]


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
