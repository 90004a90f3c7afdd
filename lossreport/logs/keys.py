"""Keys of two logs made alike, so that equal ones match and none matches by mistake."""

from __future__ import annotations

import polars as pl

from lossreport.errors import UsageError
from lossreport.logs.times import day_or_month_first, time, time_formats
from lossreport.logs.values import is_text

WHOLE = r"^-?(?:0|[1-9]\d*)$"
"""A whole number as text, written as numbers are: "1", but not "01", "+1" or "1.0"."""
ACCEPTED = {
    "text": ("text",),
    "integer": ("integer", "float", "text"),
    "float": ("float", "integer"),
    "boolean": ("boolean",),
    "time": ("time", "text"),
    "zoned time": ("zoned time", "text"),
}
"""Which kinds of columns can be read as which form of a key."""


def kind_of(dtype: pl.DataType) -> str:
    """Return the kind of a key's type, a key of `ACCEPTED` or the type's own name."""
    if is_text(dtype):
        return "text"
    if dtype.is_integer():
        return "integer"
    if dtype.is_float():
        return "float"
    if dtype == pl.Boolean:
        return "boolean"
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return "zoned time"
    return "time" if dtype == pl.Date or isinstance(dtype, pl.Datetime) else str(dtype)


def common_form(name: str, one: pl.DataType, other: pl.DataType) -> str:
    """Return the form in which a key's two columns are compared.

    Raises
    ------
    UsageError
        Columns of such types are never equal, or not for sure.
    """
    kinds = {kind_of(one), kind_of(other)}
    if kinds == {"float"}:
        return "float"
    for form in ("integer", "time", "zoned time", "boolean", "text"):
        if form in kinds and kinds <= set(ACCEPTED[form]):
            return form
    raise UsageError(
        f"The key {name!r} is {one} in the predictions and {other} in the actuals: these cannot be "
        "matched for sure. Write both as one type."
    )


def key(name: str, sample: pl.Series, form: str, path: str) -> pl.Expr:
    """Return an expression for a key's values in a form; null where a value has none.

    Parameters
    ----------
    sample
        The column's values, or the first of them.
    path
        The file that they are of, for messages.

    Raises
    ------
    UsageError
        The column's type is not accepted, or its texts are not plainly of the form ("01" for 1).
    """
    dtype, column = sample.dtype, pl.col(name)
    kind = kind_of(dtype)
    if kind not in ACCEPTED[form]:
        raise UsageError(
            f"The key {name!r} is {dtype} in {path} and elsewhere a {form}: write it as one type."
        )
    if form in ("time", "zoned time"):
        if isinstance(dtype, pl.Datetime) and dtype.time_unit == "ns":
            return column.to_physical().cast(pl.Int128)
        fmt = _time_format(name, sample, form, path) if kind == "text" else None
        return time(name, dtype, fmt).to_physical().cast(pl.Int128) * 1000  # nanoseconds as well
    if form == "integer" and kind == "text":
        _check_whole(name, sample, path)
        text = column.cast(pl.String)
        return pl.when(text.str.contains(WHOLE)).then(text.cast(pl.Int128, strict=False))
    if form == "integer":
        whole = column.cast(pl.Int128, strict=False)
        return pl.when(whole == column).then(whole) if kind == "float" else whole
    if form == "float":
        number = column.cast(pl.Float64)
        return pl.when(number.is_not_nan()).then(number)
    return column.cast(pl.String) if form == "text" else column


def _check_whole(name: str, sample: pl.Series, path: str) -> None:
    """Refuse texts that are whole numbers, but not written as numbers are."""
    texts = sample.cast(pl.String).drop_nulls()
    odd = texts.filter(
        ~texts.str.contains(WHOLE) & texts.str.strip_chars().str.contains(r"^[+-]?\d+(?:\.0*)?$")
    )
    if odd.len():
        raise UsageError(
            f"The key {name!r} is text such as {odd[0]!r} in {path} and whole numbers in the other "
            "file: whether they are the same key cannot be told. Write both alike."
        )


def _time_format(name: str, sample: pl.Series, form: str, path: str) -> str | None:
    formats = time_formats(sample)
    formats = [f for f in formats if f.endswith("%#z") == (form == "zoned time")]
    if not formats and sample.drop_nulls().is_empty():
        return "%Y-%m-%d"  # nothing to read
    if not formats or day_or_month_first(formats):
        raise UsageError(
            f"The key {name!r} is text such as {sample.drop_nulls()[0]!r} in {path}, which cannot "
            f"be read as a {form} for sure, as it is in the other file. Write both alike."
        )
    return formats[0]
