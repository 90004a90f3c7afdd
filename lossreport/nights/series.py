"""The figures of every place (all rows, each group) on every night, and how sure each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from lossreport.errors import UsageError
from lossreport.logs.columns import key_names
from lossreport.nights.changes import Figure, Place
from lossreport.profiles.profile import Profile, without_time
from lossreport.profiles.statistics import MOMENTS, REASONS, STATISTICS, add_up

Floats = npt.NDArray[np.float64]

FIGURES: tuple[Figure, ...] = ("mae", "rmse", "ratio", "bias", "left_out_share", "rows")
OF_ERRORS: tuple[Figure, ...] = FIGURES[:4]
IN_PROPORTION: tuple[Figure, ...] = ("mae", "rmse", "ratio", "rows")
"""Figures whose changes are told and tested in proportion, by their logarithm."""
FAMILIES = (tuple(range(len(OF_ERRORS))), (4,), (5,))
"""Figures that move together, by their position: of the errors, the left-out share, the rows."""
LEAST: Mapping[Figure, float] = {
    "mae": 0.05, "rmse": 0.05, "ratio": 0.05, "bias": 0.1, "left_out_share": 0.005, "rows": 0.3,
}  # fmt: skip
"""Smaller changes are never told: in proportion, bias in MAEs, the left-out share as it is."""
MAX_PLACES = 500
"""Of each grouping and prediction so many groups, those with the most rows, are followed."""
FEWEST_ROWS = 30
"""Nights with fewer scored rows say nothing of a group's errors."""
LEFT_OUT = "left_out"
SUMS = (*MOMENTS[:6], LEFT_OUT)


@dataclass(frozen=True)
class Series:
    """Sums by place and night."""

    places: tuple[Place, ...]
    sums: Mapping[str, Floats]
    """Each of SUMS, shape (places, nights); 0 where a place has no rows."""
    more: int
    """How many groups are not followed."""

    @property
    def read(self) -> Floats:
        """Rows read, shape (places, nights)."""
        return np.asarray(self.sums["n"] + self.sums[LEFT_OUT])

    def only(self, nights: Sequence[int]) -> Series:
        """Return some of the nights."""
        return replace(self, sums={k: v[:, list(nights)] for k, v in self.sums.items()})


def series_of(profiles: Sequence[Profile]) -> Series:
    """Return the sums of each place of the last profile's predictions and groupings.

    Groupings and predictions that an earlier profile lacks are without rows there.

    Raises
    ------
    UsageError
        A profile is of another actual column.
    """
    last = profiles[-1].columns
    for other in profiles:
        if other.columns.actual != last.actual:
            raise UsageError(
                f"The nights cannot be compared: the actual is {last.actual!r} tonight and "
                f"{other.columns.actual!r} in an earlier one."
            )
    found: dict[Place, dict[int, tuple[float, ...]]] = {}
    for predicted in last.predicted:
        found[Place(predicted, (), ())] = {}
    for night, profile in enumerate(profiles):
        for by in ((), *last.groupings):
            for place, sums in _places(profile, by, last.predicted):
                found.setdefault(place, {})[night] = sums
    kept = _most_rows(found)
    made = np.zeros((len(SUMS), len(kept), len(profiles)))
    for row, place in enumerate(kept):
        for night, values in found[place].items():
            made[:, row, night] = values
    return Series(tuple(kept), dict(zip(SUMS, made, strict=True)), len(found) - len(kept))


def _places(
    profile: Profile, by: tuple[str, ...], wanted: Sequence[str]
) -> list[tuple[Place, tuple[float, ...]]]:
    """Return the sums of a profile's groups by some columns."""
    tables = [t for t in profile.tables if set(by) <= set(t.by)]
    if not tables:
        return []
    table = min(tables, key=lambda t: t.moments.height)
    keys = [pl.col(f"key_{table.by.index(c)}").alias(f"key_{i}") for i, c in enumerate(by)]
    moments = add_up(without_time(table.moments).select("prediction", "bucket", *keys, *STATISTICS))
    left_out = pl.sum_horizontal(pl.col(REASONS)).alias(LEFT_OUT)
    names = key_names(by)
    rows = moments.select("prediction", *names, *SUMS[:-1], left_out).rows()
    predicted, first = profile.columns.predicted, 1 + len(names)
    return [
        (Place(predicted[row[0]], by, row[1:first]), tuple(map(float, row[first:])))
        for row in rows
        if predicted[row[0]] in wanted
    ]


def _most_rows(found: Mapping[Place, Mapping[int, tuple[float, ...]]]) -> list[Place]:
    """Return the places to follow: all rows, then the largest groups of each grouping."""
    rows = {p: sum(s[0] + s[-1] for s in nights.values()) for p, nights in found.items()}
    order = sorted(found, key=lambda p: (-rows[p], [(k is None, k or "") for k in p.key]))
    taken: dict[tuple[str, tuple[str, ...]], int] = {}
    kept = []
    for place in order:
        of = (place.predicted, place.by)
        taken[of] = taken.get(of, 0) + 1
        if taken[of] <= MAX_PLACES:
            kept.append(place)
    return sorted(kept, key=lambda p: (p.by, p.predicted))  # stable: most rows first within


def figure(series: Series, name: Figure) -> tuple[Floats, Floats]:
    """Return a figure and the variance that its number of rows gives it, by place and night.

    By the delta method from the moments: Var MAE = (mean e**2 - MAE**2) / (n - 1), and so on; of
    the left-out share that of a binomial share with one row more on either side, of rows that of a
    Poisson count. NaN where there is no such figure, or from fewer than two rows no variance.
    """
    s = series.sums
    with np.errstate(all="ignore"):
        n = np.where(s["n"] > 0, s["n"], np.nan)
        mae, mse, bias = s["sum_abs_error"] / n, s["sum_sq_error"] / n, s["sum_error"] / n
        fourth, cube = s["sum_fourth_error"] / n, s["sum_cube_abs_error"] / n
        of_mae, of_mse = np.maximum(mse - mae**2, 0.0), np.maximum(fourth - mse**2, 0.0)
        free = np.where(n > 1, n - 1, np.nan)
        if name == "mae":
            value, variance = mae, of_mae / free
        elif name == "rmse":
            value, variance = np.sqrt(mse), of_mse / free / (4 * mse)
        elif name == "ratio":
            value = np.sqrt(mse) / mae
            both = (cube - mse * mae) / (mse * mae)
            of_log = of_mse / (4 * mse**2) + of_mae / mae**2 - both
            variance = np.maximum(of_log, 0.0) / free * value**2
        elif name == "bias":
            value, variance = bias, np.maximum(mse - bias**2, 0.0) / free
        else:
            read = np.where(series.read > 0, series.read, np.nan)
            share = (s[LEFT_OUT] + 1) / (read + 2)
            value, variance = s[LEFT_OUT] / read, share * (1 - share) / read
            if name == "rows":
                value, variance = series.read, np.maximum(series.read, 1.0)
    return _finite(value), _finite(variance)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def on_scale(name: Figure, value: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return a figure on the scale its changes are tested on: logarithms of IN_PROPORTION."""
    if name not in IN_PROPORTION:
        return value, variance
    with np.errstate(all="ignore"):
        return _finite(np.log(value)), _finite(variance / value**2)
