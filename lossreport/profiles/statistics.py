"""THE definition of every statistic of a log.

The definitions are Narwhals expressions over frames with the columns `actual`, `predicted_0`, ...
(numbers), `actual_text`, `predicted_0_text`, ... (true where there was text that is no number) and
whatever the rows are grouped by; they run unchanged on Polars and DuckDB. A log's scan takes
`with_errors` and `left_out` from here as they are, and adds up `powers` in NumPy (`summing`); that
this gives what `aggregations` say is a test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
import numpy.typing as npt
import polars as pl

Number = TypeVar("Number", nw.Expr, npt.NDArray[np.float64])

RELATIVE_ACCURACY = 0.02
LOG_GAMMA = math.log((1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY))
BIN_OFFSET = 20_000
"""Added to ceil(ln|e| / ln gamma), which lies within +-18,700 for any float, to make it
positive."""
UNSCORED = 50_000
"""The bin of rows that are not scored, beyond every bin of a float."""

REASONS = (
    "row_malformed",
    "row_repeated_header",
    "actual_unmatched",
    "actual_ambiguous",
    "actual_missing",
    "actual_not_numeric",
    "actual_nan",
    "actual_infinite",
    "predicted_missing",
    "predicted_not_numeric",
    "predicted_nan",
    "predicted_infinite",
    "error_infinite",
)
"""Why a row is left out, in order: the first that applies counts. `row_malformed` means that a line
of a text file has too few or too many fields or impossible quotes, `row_repeated_header` that it is
the header again; unmatched and ambiguous are rows joined with actuals by a key that has none, or
several that differ; `error_infinite` means that both
values are finite but their difference exceeds the largest float."""
MARKED = ("actual_ambiguous", "actual_unmatched", "row_repeated_header", "row_malformed")
"""Reasons that a column of this name marks; the last goes first."""

SUMS = (
    "n",
    "sum_error",
    "sum_abs_error",
    "sum_sq_error",
    "sum_cube_abs_error",
    "sum_fourth_error",
    "sum_actual",
    "sum_predicted",
)
MOMENTS = (*SUMS, "max_abs_error")
COUNTS = ("n", *REASONS)
STATISTICS = (*COUNTS, *SUMS[1:], "max_abs_error")
HISTOGRAM_SUMS = ("n", "sum_error", "sum_sq_error")
PAIR_SUMS = ("sum_sq_abs_difference", "sum_sq_sq_difference")
"""Of two predictions' |error| and of their error**2: the squares of the difference, row by row."""


def with_errors(
    frame: nw.LazyFrame[Any], predictions: int = 1, *, bins: bool = True
) -> nw.LazyFrame[Any]:
    """Add, for each prediction i, `error_i` = predicted - actual (NaN if none) and `bin_i`.

    Where `difference_i` is given, of numbers with more digits than a float holds, that is the
    error if both sides are numbers; the column is dropped.

    A row is scored where the error is finite; `bin_i` is UNSCORED elsewhere. Without `bins`, it
    is left for others to add.
    """
    each = range(predictions)
    given = {f"difference_{i}" for i in each} & set(frame.collect_schema().names())
    errors = {}
    for i in each:
        actual, predicted = nw.col("actual"), nw.col(f"predicted_{i}")
        error = (predicted - actual).cast(nw.Float64)
        if f"difference_{i}" in given:
            exact = nw.when(~error.is_null()).then(nw.col(f"difference_{i}"))
            error = nw.coalesce(exact, error)
        # Columns without nulls go to NumPy without being copied.
        errors[f"error_{i}"] = error.fill_null(math.nan)
    found = {f"bin_{i}": binned(nw.col(f"error_{i}")) for i in each if bins}
    sides = [nw.col(c).cast(nw.Float64) for c in ("actual", *(f"predicted_{i}" for i in each))]
    made = frame.with_columns(**errors).with_columns(*sides, **found)
    return made.drop(*sorted(given)) if given else made


def binned(error: nw.Expr) -> nw.Expr:
    """Return the bin of finite errors, and UNSCORED for others.

    bin = 0 for error 0, else sign * (ceil(ln|error| / ln gamma) + BIN_OFFSET), with
    gamma = (1 + a) / (1 - a) and a = RELATIVE_ACCURACY (the bins of DDSketch, Masson et al. 2019):
    it orders like the error, and errors of one bin differ by 4 % at most.
    """
    rank = (error.abs().log() / LOG_GAMMA).ceil() + BIN_OFFSET
    signed = nw.when(error < 0).then(-rank).otherwise(rank)
    of_zero = nw.when(error == 0).then(nw.lit(0.0)).otherwise(signed)
    scored = nw.when(error.is_finite()).then(of_zero).otherwise(nw.lit(float(UNSCORED)))
    return scored.cast(nw.Int64)


def powers(error: Number, size: Number) -> dict[str, Number]:
    """Return the numbers made of an error that the statistics add up, by name.

    Parameters
    ----------
    error, size
        The error and its absolute value, both as Narwhals expressions or both as arrays.
    """
    square = error * error
    return {
        "error": error,
        "abs_error": size,
        "sq_error": square,
        "cube_abs_error": size * square,
        "fourth_error": square * square,
    }


def with_numbers(frame: nw.LazyFrame[Any], predictions: int = 1) -> nw.LazyFrame[Any]:
    """Add, for each prediction i, the numbers of a row that the statistics add up."""
    errors = [nw.col(f"error_{i}") for i in range(predictions)]
    numbers = {
        f"{name}_{i}": number
        for i, error in enumerate(errors)
        for name, number in powers(error, error.abs()).items()
    }
    return with_errors(frame, predictions).with_columns(**numbers)


def aggregations(statistics: Sequence[str], prediction: int = 0) -> list[nw.Expr]:
    """Return the expressions that make these statistics of groups of scored rows `with_numbers`.

    Each statistic "sum_x" adds up the number "x", "n" counts the rows, "max_abs_error" is the
    largest. `summing` does the same in NumPy.
    """
    made = {
        "n": nw.len().cast(nw.Int64),
        "max_abs_error": nw.col(f"abs_error_{prediction}").max(),
        **{s: nw.col(column_of(s, prediction)).sum() for s in SUMS if s != "n"},
    }
    return [made[s].alias(s) for s in statistics]


def number_of(statistic: str) -> str:
    """Return the name of the number that a statistic adds up (or takes the maximum of)."""
    return statistic.removeprefix("sum_").removeprefix("max_")


def column_of(statistic: str, prediction: int) -> str:
    """Return the column with the number that a statistic adds up (or takes the maximum of)."""
    number = number_of(statistic)
    return number if number == "actual" else f"{number}_{prediction}"


def left_out(frame: nw.LazyFrame[Any], by: Sequence[str], prediction: int = 0) -> nw.LazyFrame[Any]:
    """Return how many rows are not scored, per value of `by` and one column per reason."""
    rest = frame.filter(nw.col(f"bin_{prediction}") == UNSCORED)
    marked = rest.with_columns(reason=_reason(rest.collect_schema().names(), prediction))
    each = {r: (nw.col("reason") == i).cast(nw.Int64) for i, r in enumerate(REASONS)}
    return (
        marked.with_columns(**each)
        .group_by(*by)
        .agg(*(nw.col(r).sum().cast(nw.Int64).alias(r) for r in REASONS))
    )


def _reason(names: Sequence[str], prediction: int) -> nw.Expr:
    """Return the index in REASONS of the first reason that applies to an unscored row."""
    found = nw.lit(REASONS.index("error_infinite"))
    for side, column in (("predicted", f"predicted_{prediction}"), ("actual", "actual")):
        first = REASONS.index(f"{side}_missing")
        value = nw.col(column)
        found = nw.when(~value.is_finite()).then(nw.lit(first + 3)).otherwise(found)
        found = nw.when(value.is_nan()).then(nw.lit(first + 2)).otherwise(found)
        found = nw.when(value.is_null()).then(nw.lit(first)).otherwise(found)
        if f"{column}_text" in names:
            found = nw.when(nw.col(f"{column}_text")).then(nw.lit(first + 1)).otherwise(found)
    for mark in (m for m in MARKED if m in names):
        found = nw.when(nw.col(mark)).then(nw.lit(REASONS.index(mark))).otherwise(found)
    return found


def add_up(frame: pl.DataFrame) -> pl.DataFrame:
    """Merge rows with equal keys: `max_abs_error` by maximum, the other statistics by sum."""
    maxima = [c for c in frame.columns if c == "max_abs_error"]
    sums = [c for c in frame.columns if c in (*STATISTICS, *PAIR_SUMS) and c not in maxima]
    keys = [c for c in frame.columns if c not in (*sums, *maxima)]
    return (
        frame.lazy()
        .group_by(keys)
        .agg(pl.col(sums).sum(), pl.col(maxima).max())
        .select(frame.columns)
        .sort(keys, nulls_last=True)
        .collect(engine="in-memory")  # it adds in the rows' order: the same bits in every run
    )
