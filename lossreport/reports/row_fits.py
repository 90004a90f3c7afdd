"""What the worst rows may have in common in themselves: values, factors, signs, sides.

Each function returns what it found, with how many of the worst and of the other rows fit, and how
many patterns it looked at; `patterns` judges them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from lossreport.checks.pairs import OTHER_SIGN, turned
from lossreport.checks.placeholders import CODES, FEW_VALUES, fits_in, near
from lossreport.checks.units import APART, FACTORS, Ratios, log_ratio, slipped
from lossreport.checks.view import (
    MINIMUM,
    Floats,
    Marks,
    View,
    plain,
    spread,
)
from lossreport.reports.where import Kind, Verb

FEWEST = 3
"""Fewer rows are no pattern, ..."""
FEWEST_EQUAL = 4
"""... and of a value that is no known placeholder, or of turned signs, so many must have it."""
STANDS_OUT = 3
"""A value or a factor has more than so many times the rows of those beside it."""

SAME_SIGN = 0.99
"""Where so many rows have both sides of one sign, errors are also judged as shares of the value."""


@dataclass(frozen=True)
class Fit:
    """How many rows have something in common."""

    kind: Kind
    verb: Verb
    what: str
    fits: Marks
    """Of each worst row."""
    elsewhere: int
    others: int
    sampled: bool = False
    """Whether `others` are not all other rows."""


@dataclass(frozen=True)
class Rows:
    """The worst rows and others to compare them with."""

    view: View
    worst: pl.DataFrame
    rest: pl.DataFrame
    """The other scored rows kept."""

    def fit(self, kind: Kind, verb: Verb, what: str, fits: Marks, elsewhere: Marks) -> Fit:
        """Return how many of both fit."""
        sampled = not self.view.whole
        return Fit(kind, verb, what, fits, int(elsewhere.sum()), len(elsewhere), sampled)


Looked = tuple[list[Fit], int]
"""What was found, and how many patterns were looked at."""


def equal_values(rows: Rows, side: str, unit: str | None = None) -> Looked:
    """Look for a value that repeats: a placeholder, a default, one that was cut off."""
    mine, rest = rows.worst[side].to_numpy(), rows.rest[side].to_numpy()
    different, counts = np.unique(mine, return_counts=True)
    usual = rest[~np.isin(rest, list(CODES))]
    kinds = len(np.unique(usual))
    if kinds < FEW_VALUES:
        return [], len(different)
    # Rounded values have as many neighbours in the log as there are rows for each row kept.
    weight = 1 if kinds > 0.9 * len(usual) else rows.view.evidence.by_place.factor
    found = []
    for value, n in zip(different.tolist(), counts.tolist(), strict=True):
        known = value in CODES and not fits_in(value, usual)
        others = np.concatenate([usual[usual != value], mine[mine != value]])
        if n < (FEWEST if known else FEWEST_EQUAL):
            continue
        if known or not near(value, others) or n > STANDS_OUT * _beside(value, mine, rest, weight):
            what = f"{side} = {plain(value)} {unit or ''}".rstrip()
            found.append(rows.fit("value", "have", what, mine == value, rest == value))
    return found, len(different)


def _beside(value: float, mine: Floats, rest: Floats, weight: int) -> int:
    """Return how many rows have the next lower or the next higher value."""
    every = np.concatenate([mine, rest])
    lower = every[every < value].max(initial=-np.inf)
    higher = every[every > value].min(initial=np.inf)
    beside = 0
    for next_to in (lower, higher):
        n = int((mine == next_to).sum()) + weight * int((rest == next_to).sum())
        beside = max(beside, n)
    return beside


def unit_factors(rows: Rows) -> Looked:
    """Look for rows whose actual / predicted lies at a unit's factor, closely and not around it."""
    looked = len(FACTORS)
    kept = Ratios.of(rows.view.rows)
    if kept is None:
        return [], looked
    width = kept.width
    mine, rest = (log_ratio(of) - kept.middle for of in (rows.worst, rows.rest))
    found = []
    for factor, name in FACTORS:
        size = math.log(factor)
        marks = slipped(mine, width, size)
        least = FEWEST if factor >= 10 else max(FEWEST, 0.5 * len(mine))
        if size < APART * width or marks.sum() < least:
            continue
        reach = max(0.01, min(2 * width, 0.1 * size))
        at, lower, higher = (
            int((np.abs(np.abs(mine) - centre) <= reach).sum())
            for centre in (size, size - 2 * reach, size + 2 * reach)
        )
        astray = int((~marks & (np.abs(mine) > size / 2)).sum())
        if at > STANDS_OUT * max(lower, higher) and marks.sum() > 2 * astray:
            what = f"off by a factor of {name}"
            found.append(rows.fit("factor", "are", what, marks, slipped(rest, width, size)))
    # Rows off by 24 are not told again as being off by 10: the closest factor has most of them.
    return sorted(found, key=lambda f: -int(f.fits.sum()))[:1], looked


def turned_signs(rows: Rows) -> Looked:
    """Look for predictions that are the actual value with the other sign."""
    if rows.rest.height < MINIMUM:
        return [], 1
    scale, width = _scale(rows), _relative_width(rows)
    marks, likewise, around = _turned(rows.worst, scale, width)
    elsewhere, _, _ = _turned(rows.rest, scale, width)
    # Errors of a smooth law lie around the turned value as often as at it.
    if marks.sum() <= max(FEWEST_EQUAL - 1, STANDS_OUT * likewise.sum(), 2 * around.sum()):
        return [], 1
    return [rows.fit("sign", "have", OTHER_SIGN, marks, elsewhere)], 1


def _relative_width(rows: Rows) -> float:
    """Return the robust spread of ln(actual / predicted); 0 where signs differ in usual rows."""
    logs = log_ratio(rows.rest)
    same = np.isfinite(logs)
    return spread(logs[same]) if same.mean() >= SAME_SIGN else 0.0


def _turned(frame: pl.DataFrame, scale: float, width: float) -> tuple[Marks, Marks, Marks]:
    """Return which rows have a turned sign, which are as far off, and which are near to it.

    Within what errors are usual: in the target's unit, or as a share of the value.
    """
    actual, predicted = frame["actual"].to_numpy(), frame["predicted"].to_numpy()
    marks, likewise = turned(actual, predicted, scale)
    large = np.abs(actual) >= 5 * scale
    opposite = large & (np.sign(actual) * np.sign(predicted) < 0)
    away = np.abs(np.log(np.abs(actual)) - np.log(np.abs(predicted)))
    marks = marks | (opposite & (away <= 3 * width))
    around = large & (np.abs(predicted + actual) <= 9 * scale)
    if width:
        around |= opposite
    return marks, likewise, around & ~marks


def _scale(rows: Rows) -> float:
    """Return the robust spread of the errors."""
    return spread((rows.view.rows["predicted"] - rows.view.rows["actual"]).to_numpy())


def shifted(rows: Rows) -> Looked:
    """Look for predictions that fit the actual value of the row before or after in the file.

    Sides exchanged within a row are not looked for: they turn the error's sign, not its size.
    Only in a log kept whole: in others the rows beside a worst row are not known.
    """
    if not rows.view.whole or rows.rest.height < MINIMUM:
        return [], 2
    near_enough = 2 * _scale(rows)
    order = rows.view.every.select("file", "row", "actual").unique(["file", "row"], keep="none")
    found = []
    for step, name in ((1, "before"), (-1, "after")):
        beside = order.select("file", pl.col("row") + step, beside="actual")
        marks = []
        for some in (rows.worst, rows.rest):
            joined = some.join(beside, on=["file", "row"], how="left", maintain_order="left")
            away = (joined["predicted"] - joined["beside"]).abs() <= near_enough
            marks.append(away.fill_null(value=False).to_numpy())
        what = f"a prediction that fits the actual value of the row {name}"
        found.append(rows.fit("shift", "have", what, *marks))
    return found, 2
