"""How L1 and L2 see some rows of the log, for readers who meet the two for the first time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lossreport.checks.view import View
from lossreport.formats import amount, count
from lossreport.reports.figures import Figures

LEVELS = (0.5, 0.9, 0.99)
"""Beside the largest error, rows with errors near these quantiles of |error| are shown."""
FEW = 5
"""Of a log of no more rows all are shown."""
MANY_TIMES = 1e6
ALIKE = 1.05
"""Errors that differ by less than this factor are about as large."""


@dataclass(frozen=True)
class SeenRow:
    """One row of the log, and what it adds to each loss."""

    size: str
    """Of its error, in words: "median", "90% are smaller", "largest"."""
    file: str
    row: int
    actual: float
    predicted: float
    error: float
    """predicted - actual; the next two are what it adds to L1 and to L2."""
    absolute: float
    squared: float
    share_of_abs_error: float
    """Of the whole log's."""
    share_of_sq_error: float


@dataclass(frozen=True)
class Seen:
    """A few rows from the smallest error to the largest, and what they show."""

    rows: tuple[SeenRow, ...]
    median: float
    """|error|, in the target's unit, that half of the rows stay below ..."""
    p99: float
    """... and 99 % of them."""
    largest: float
    sentence: str


def seen(
    view: View | None, worst: pl.DataFrame, figures: Figures, unit: str | None = None
) -> Seen | None:
    """Return how L1 and L2 see the largest error and a few usual ones.

    Parameters
    ----------
    view
        The rows that were kept of the log; without them only the largest error is a row.
    worst
        The rows with the largest |error|, largest first; empty if none were to be listed, and then
        no row of the log is shown here either.
    figures
        Of all scored rows.

    Returns
    -------
    Seen or None
        None where there is no error to see, or its square is beyond the range of floats.
    """
    p50, p99, top = figures.median_abs_error, figures.p99_abs_error, figures.max_abs_error
    if not figures.mae or not figures.mse or p50 is None or p99 is None or not top:
        return None
    shown = [] if worst.is_empty() else [("largest", worst.row(0, named=True))]
    if shown and view is not None and view.rows.height == figures.n <= FEW:
        shown = _all_of(view.rows)
    elif shown and view is not None:
        shown = [*_usual(view.rows, worst, figures), *shown]
    rows = tuple(_seen_row(size, row, figures) for size, row in shown)
    return Seen(rows, p50, p99, top, _sentence(figures, p50, top, unit))


def _all_of(rows: pl.DataFrame) -> list[tuple[str, dict[str, object]]]:
    """Return every row of a small log, the smallest error first."""
    size = (pl.col("predicted") - pl.col("actual")).abs()
    ranked = rows.sort(size, maintain_order=True).rows(named=True)
    n = len(ranked)
    words = ["smallest", *(f"{rank} of {n} by size" for rank in range(2, n)), "largest"]
    return list(zip(words[-n:], ranked, strict=True))


def _usual(
    rows: pl.DataFrame, worst: pl.DataFrame, figures: Figures
) -> list[tuple[str, dict[str, object]]]:
    """Return the first rows whose |error| is nearest to the quantiles, none of them twice."""
    size = (rows["predicted"] - rows["actual"]).abs().to_numpy()
    levels = (figures.median_abs_error, figures.p90_abs_error, figures.p99_abs_error)
    taken = {(worst["file"][0], worst["row"][0])}
    found = []
    for level, at in zip(LEVELS, levels, strict=True):
        if at is None or not len(size):
            continue
        row = rows.row(int(np.argmin(np.abs(size - at))), named=True)
        if (row["file"], row["row"]) in taken:
            continue
        taken.add((row["file"], row["row"]))
        words = "median" if level == LEVELS[0] else f"{level:.0%} are smaller"
        found.append((words, row))
    return found


def _seen_row(size: str, row: dict[str, object], figures: Figures) -> SeenRow:
    actual, predicted = row["actual"], row["predicted"]
    assert isinstance(actual, float)
    assert isinstance(predicted, float)
    assert figures.mae
    assert figures.mse
    error = row.get("error", predicted - actual)
    assert isinstance(error, float)
    return SeenRow(
        size=size,
        file=str(row["file"]),
        row=int(str(row["row"])),
        actual=actual,
        predicted=predicted,
        error=error,
        absolute=abs(error),
        squared=error * error,
        share_of_abs_error=min(1.0, abs(error) / figures.mae / figures.n),
        share_of_sq_error=min(1.0, error * error / figures.mse / figures.n),
    )


def _sentence(figures: Figures, median: float, largest: float, unit: str | None) -> str:
    if figures.n == 1:
        size = amount(largest, unit)
        return f"The log has one row, with an error of {size}: it is all of both losses."
    if median == 0:
        return (
            f"At least half of the {count(figures.n, 'row')} have no error; the largest error is "
            f"{amount(largest, unit)}."
        )
    times = largest / median
    if times < ALIKE:
        return (
            "The largest error is about as large as the median one: in both losses it counts about "
            "as much as a usual row."
        )
    return (
        f"The largest error is {times_words(times)} times the median one: in L1 it counts "
        f"{times_words(times)} times as much, in L2 {times_words(times * times)} times."
    )


def times_words(factor: float) -> str:
    """Return how many times something is in words; beyond a million only that it is."""
    if factor >= MANY_TIMES:
        return "over a million"
    return f"{factor:.2g}" if factor < 10 else f"{float(f'{factor:.3g}'):,.0f}"
