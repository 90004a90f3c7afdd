"""Converts pandas' frames column by column: PyArrow is not needed, and no type stops the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from lossreport.errors import UsageError, reason

TIME_UNITS = ("ms", "us", "ns")
"""Those of Polars."""


def polars_of(frame: Any) -> pl.DataFrame:
    """Return a pandas frame as Polars'; what pandas takes for missing (NaN, NaT, NA) is null.

    Columns of objects of several types become text, which is then read; and so do types that
    Polars has not, such as periods.

    Raises
    ------
    UsageError
        A column holds text that is no Unicode.
    """
    columns = []
    for name in frame.columns:
        try:
            columns.append(series_of(str(name), frame[name]))
        except UnicodeError as error:
            raise UsageError(
                f"Column {str(name)!r} of the frame cannot be read: {reason(error)}."
            ) from error
    return pl.DataFrame(columns)


def series_of(name: str, column: Any) -> pl.Series:
    """Return one column, as `polars_of`."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufmM":
        return _of_array(name, column.to_numpy())
    if str(dtype) == "category":
        values = series_of(name, column.cat.categories.to_series())
        codes = pl.Series(column.cat.codes.to_numpy())
        return values.gather(codes.replace(-1, None)).alias(name)
    if getattr(dtype, "tz", None) is not None:
        return _zoned(name, column)
    if isinstance(numbers := getattr(dtype, "numpy_dtype", None), np.dtype):
        missing = column.isna().to_numpy()
        made = pl.Series(name, column.fillna(numbers.type(0)).to_numpy(dtype=numbers))
        return made.set(pl.Series(missing), None) if missing.any() else made
    of_arrow = _of_arrow(name, column)
    return _of_objects(name, column) if of_arrow is None else of_arrow


def _of_arrow(name: str, column: Any) -> pl.Series | None:
    """Return a column that PyArrow holds, or None: nothing is copied one by one."""
    if getattr(column.dtype, "storage", None) != "pyarrow" and not hasattr(
        column.dtype, "pyarrow_dtype"
    ):
        return None
    return pl.Series(name, column.array.__arrow_array__())


def _of_array(name: str, values: Any) -> pl.Series:
    if values.dtype.kind == "f" and values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    if values.dtype.kind in "mM" and np.datetime_data(values.dtype)[0] not in TIME_UNITS:
        values = values.astype(f"{values.dtype.kind}8[ms]")
    return pl.Series(name, values, nan_to_null=True)


def _zoned(name: str, column: Any) -> pl.Series:
    """Return times of a zone, which stays where Polars knows it."""
    utc = _of_array(name, column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    made = utc.dt.replace_time_zone("UTC")
    try:
        return made.dt.convert_time_zone(str(column.dtype.tz))
    except pl.exceptions.PolarsError:
        return made


def _of_objects(name: str, column: Any) -> pl.Series:
    missing = column.isna().to_numpy()
    cells = [None if out else v for v, out in zip(column.astype(object), missing, strict=True)]
    if {type(v) for v in cells} - {type(None)} == {int, float}:
        cells = [None if v is None else float(v) for v in cells]
    try:
        made = pl.Series(name, cells)
    except (TypeError, ValueError, OverflowError):
        made = pl.Series(name, dtype=pl.Object)
    if made.dtype != pl.Object:
        return made
    return pl.Series(name, [None if v is None else str(v) for v in cells], pl.String)
