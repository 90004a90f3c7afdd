"""The rows that a scan keeps one by one for a while: those left out, and the worst."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import numpy as np
import polars as pl

from lossreport.logs.columns import Columns, key_names
from lossreport.profiles.cells import key_text
from lossreport.profiles.profile import NO_TIME
from lossreport.profiles.statistics import REASONS, left_out
from lossreport.profiles.summing import Marks


def alike(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """Return the frames with those of one schema joined (files of a log may differ in types)."""
    schemas = {str(f.schema): f.schema for f in frames}
    return [pl.concat(f for f in frames if f.schema == schemas[s]) for s in sorted(schemas)]


def counted_by_reason(unscored: pl.DataFrame, columns: Columns, prediction: int) -> pl.DataFrame:
    """Return how many rows are not scored, by all keys, bucket and reason."""
    keys = key_names(columns.keys)
    frame = nw.from_native(unscored.lazy())
    counted: pl.DataFrame = left_out(frame, ["bucket", *keys], prediction).to_native().collect()
    return counted.select(
        pl.lit(prediction, pl.Int64).alias("prediction"),
        pl.col("bucket").replace(NO_TIME, None),
        *(key_text(k, unscored.schema[k]).alias(k) for k in keys),
        *REASONS,
    )


def rows_where(rows: pl.DataFrame, names: Sequence[str], which: Marks) -> pl.DataFrame:
    """Return some rows of a chunk.

    Column by column: what goes through an expression waits its turn behind the reader's work.
    By index: a filter may return a view that keeps the whole chunk in memory.
    """
    at = pl.Series(np.flatnonzero(which).astype(np.uint32))
    return pl.DataFrame([rows[name][at] for name in names])


def as_worst(rows: pl.DataFrame, prediction: int, columns: Columns) -> pl.DataFrame:
    """Return rows in the form of `Profile.worst`."""
    time = pl.col("time") if columns.time is not None else pl.lit(None, pl.Datetime("us"))
    error = pl.col(f"error_{prediction}")
    return rows.select(
        pl.lit(prediction, pl.Int64).alias("prediction"),
        "file",
        "row",
        time.alias("time"),
        (pl.col("id") if columns.ids else pl.lit(None, pl.String)).alias("id"),
        "actual",
        pl.col(f"predicted_{prediction}").alias("predicted"),
        error.alias("error"),
        error.abs().alias("abs_error"),
        *(key_text(k, rows.schema[k]).alias(k) for k in key_names(columns.keys)),
    )
