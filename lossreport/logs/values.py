"""Log values as numbers: the one place that reads them in text, whatever the engine or format."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from lossreport.errors import UsageError
from lossreport.logs.number_style import PLAIN, NumberStyle
from lossreport.logs.numerals import find_styles

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

TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum)
EXACT_INTEGERS = (pl.Int64, pl.UInt64, pl.Int128)


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
        style.read_odd(odd),
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
