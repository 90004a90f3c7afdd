"""Adds up the statistics of a table chunk by chunk, group values and times as plain numbers.

What is added up is defined in `statistics`; this module only adds, in the order of the rows, in
NumPy or by the compiled loops of `compiling`. (Polars' streaming group-by is as fast as NumPy, but
adds in an order that changes from run to run, and so does the last digit of its sums.)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lossreport.profiles import compiling
from lossreport.profiles.cells import NOBODY, Cells
from lossreport.profiles.loops import Floats, Ints
from lossreport.profiles.profile import NO_TIME
from lossreport.profiles.statistics import (
    HISTOGRAM_SUMS,
    MOMENTS,
    UNSCORED,
    number_of,
    powers,
)

Marks = npt.NDArray[np.bool_]
Columns = dict[str, npt.NDArray[Any]]
"""Arrays of equal length by the statistic that they are added up to."""

DENSE_CELLS = 8_000_000
"""A grid of more fields than this is not laid out: only those that occur are kept."""
WIDEST = 200_000
"""Numbers that are further apart than this are not looked up in an array."""
COMPACT_AT_ROWS = 2_000_000
"""Parts are added up when they have this many rows together."""


class Sums:
    """Sums of some statistics by two numbers: the cell, and its time bucket or error bin."""

    def __init__(self, statistics: Sequence[str]) -> None:
        self.statistics = list(statistics)
        self._subs: dict[int, int] = {}
        self._low = 0
        self._codes = np.zeros(0, dtype=np.int64)
        # All sums of a field lie together in memory: they are looked up there at once.
        self._grid: Floats = np.zeros((0, 0, len(self.statistics)))
        self._parts: list[Columns] = []

    def add(self, cell: Ints, sub: Ints | int, columns: Columns) -> None:
        """Add rows, given by arrays of equal length: their two numbers, and what to add up.

        `sub` may be one number for all of them.
        """
        if not len(cell):
            return
        code = self._code(sub) if isinstance(sub, int) else self._codes_of(sub)
        if not self._fits(int(cell.max()) + 1):
            self._add_part(cell, sub, columns)
            return
        at = code * self._grid.shape[1] + cell
        fields = self._grid.reshape(-1, len(self.statistics))
        sums = {s: fields[:, j] for j, s in enumerate(self.statistics)}
        with np.errstate(all="ignore"):  # what is not scored may be infinite: nobody looks
            # Counts among floats are exact up to 2**53; NumPy takes long to cast each 1.
            _add_at(sums, at, {**columns, "n": columns["n"].astype(np.float64)})

    def add_numbers(self, cell: Ints, sub: Ints | int, numbers: Numbers) -> None:
        """Add the rows that a prediction scores: the MOMENTS or the HISTOGRAM_SUMS of them."""
        loops = compiling.loops()
        done = 0 if loops is None else self._add_looping(loops, cell, sub, numbers)
        if done == len(cell):
            return
        rest = slice(done, None)
        if not numbers.all_scored:
            cell = np.where(numbers.scored, cell, NOBODY)
        columns = {s: numbers.by_statistic[s] for s in self.statistics}
        columns = {s: v if s == "n" else v[rest] for s, v in columns.items()}
        self.add(cell[rest], sub if isinstance(sub, int) else sub[rest], columns)

    def _add_looping(
        self, loops: compiling.Loops, cell: Ints, sub: Ints | int, numbers: Numbers
    ) -> int:
        """Add rows by the compiled loops; return how many, from the first, they could add."""
        add = loops.moments if self.statistics == list(MOMENTS) else loops.histogram
        done, stopped = 0, -1
        while True:
            codes, low, subs = self._codes, self._low, sub
            if isinstance(subs, int):
                codes, low, subs = np.array([self._code(subs)]), subs, np.array([subs])
            elif done:
                subs = subs[done:]
            sides = (a[done:] for a in (numbers.error, numbers.actual, numbers.predicted))
            done += add(self._grid, codes, low, subs, cell[done:], *sides)
            # It stops at a row without a field, mostly an error beyond all before: it gets one.
            if done in (stopped, len(cell)):
                return done
            stopped = done
            if not isinstance(sub, int):
                self._codes_of(sub[done : done + 1])
            if not self._fits(int(cell[done]) + 1):
                return done

    def _codes_of(self, sub: Ints) -> Ints:
        """Return the line of the grid for each second number."""
        first, last = int(sub.min()), int(sub.max())
        if first == NO_TIME:
            present = sub > NO_TIME
            codes = np.full(len(sub), self._code(NO_TIME))
            if present.any():
                codes[present] = self._codes_of(sub[present])
            return codes
        if len(self._codes):
            first, last = min(first, self._low), max(last, self._low + len(self._codes) - 1)
        if last - first > WIDEST:
            distinct, codes = np.unique(sub, return_inverse=True)
            return np.array([self._code(v) for v in distinct.tolist()], dtype=np.int64)[codes]
        if last - first >= len(self._codes):
            self._low, self._codes = first, np.full(last - first + 1, -1, dtype=np.int64)
            for value, code in self._subs.items():
                if first <= value <= last:
                    self._codes[value - first] = code
        at = sub - self._low
        codes = self._codes.take(at)
        if codes.min() < 0:
            for value in sorted(set(at[codes < 0].tolist())):
                self._codes[value] = self._code(value + self._low)
            codes = self._codes.take(at)
        return codes

    def _code(self, sub: int) -> int:
        return self._subs.setdefault(sub, len(self._subs))

    def _fits(self, cells: int) -> bool:
        """Make room in the grid; if it would become too large, move to parts and return False."""
        height, width, _ = self._grid.shape
        if len(self._subs) <= height and cells <= width:
            return True
        height = height if len(self._subs) <= height else 2 * len(self._subs)
        width = width if cells <= width else 2 * cells
        if height * width > DENSE_CELLS:
            self._leave_grid()
            return False
        larger = np.zeros((height, width, len(self.statistics)))
        larger[: self._grid.shape[0], : self._grid.shape[1]] = self._grid
        self._grid = larger
        return True

    def _leave_grid(self) -> None:
        """Make a part of what is in the grid."""
        if self._grid.size:
            self._parts.append(self._used())
            self._grid = self._grid[:0, :0].copy()

    def _used(self) -> Columns:
        """Return the fields of the grid that rows fell into."""
        code, cell = np.nonzero(self._grid[:, :, self.statistics.index("n")])
        subs = np.array(list(self._subs), dtype=np.int64)
        fields = self._grid[code, cell]
        sums = {s: fields[:, j].astype(_dtype(s)) for j, s in enumerate(self.statistics)}
        return {"cell": cell, "sub": subs[code], **sums}

    def _add_part(self, cell: Ints, sub: Ints | int, columns: Columns) -> None:
        """Keep the sums of these rows as a part of their own."""
        import pandas as pd  # it takes as long to import as reading a million rows

        codes, distinct = pd.factorize(np.broadcast_to(sub, cell.shape))
        key, occurring = pd.factorize(cell * len(distinct) + codes)
        sums = {s: np.zeros(len(occurring), dtype=_dtype(s)) for s in self.statistics}
        with np.errstate(all="ignore"):
            _add_at(sums, key, columns)
        of_cell, of_sub = np.divmod(np.asarray(occurring), len(distinct))
        self._parts.append({"cell": of_cell, "sub": distinct[of_sub], **sums})
        if len(self._parts) > 1 and sum(len(p["n"]) for p in self._parts) > COMPACT_AT_ROWS:
            self._compact()

    def _compact(self) -> None:
        """Add up the parts into one."""
        parts, self._parts = self._parts, []
        whole = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        self._add_part(whole.pop("cell"), whole.pop("sub"), whole)

    def divide(self, factor: int) -> None:
        """Make the second number coarser by a whole factor (missing stays missing)."""
        parts = [*self._parts, self._used()]
        parts = [p for p in parts if len(p["n"])]
        for part in parts:
            part["sub"] = coarser(part["sub"], factor)
        self.__init__(self.statistics)  # type: ignore[misc]
        for part in parts:
            self.add(part.pop("cell"), part.pop("sub"), part)

    def frame(self) -> pl.DataFrame:
        """Return `cell`, `sub` and the sums of the scored rows, each pair of the two once."""
        self._leave_grid()
        if len(self._parts) > 1:
            self._compact()
        used = self._parts[0] if self._parts else self._used()
        return pl.DataFrame(used).filter(pl.col("cell") != NOBODY)


def coarser(buckets: Ints, factor: int) -> Ints:
    """Return time buckets in a unit that is a whole factor longer; missing stays missing."""
    return np.where(buckets == NO_TIME, NO_TIME, buckets // factor)


class Numbers:
    """What is added up of the rows of a chunk for one prediction."""

    def __init__(self, rows: pl.DataFrame, prediction: int) -> None:
        self.error: Floats = rows[f"error_{prediction}"].to_numpy()
        """NaN or infinite where a row is not scored."""
        self.actual: Floats = rows["summed_actual"].to_numpy()
        self.predicted: Floats = rows[f"summed_predicted_{prediction}"].to_numpy()
        bins = f"bin_{prediction}"
        loops = None if bins in rows.columns else compiling.loops()
        if loops is not None:
            self.bins, unscored, self.largest = loops.bins(self.error)
            self.all_scored = unscored == 0
            return
        self.bins = rows[bins].to_numpy()
        self.all_scored = bool(self.scored.all())
        sizes = self.sizes if self.all_scored else self.sizes[self.scored]
        self.largest = float(sizes.max(initial=0))
        """The largest |error| of the scored rows; 0 if there is none."""

    @cached_property
    def scored(self) -> Marks:
        """Which rows are scored."""
        scored: Marks = self.bins != UNSCORED
        return scored

    @cached_property
    def sizes(self) -> Floats:
        """The absolute errors."""
        return np.abs(self.error)

    @cached_property
    def by_statistic(self) -> Columns:
        """The number of each row that a statistic adds up; one 1 for all of them for "n"."""
        with np.errstate(all="ignore"):  # squares may be beyond all floats
            made = powers(self.error, self.sizes)
        made |= {"actual": self.actual, "predicted": self.predicted}
        summed = {s: made[number_of(s)] for s in MOMENTS if s != "n"}
        return {**summed, "n": np.ones(1, dtype=np.int64)}


class TableSums:
    """Moments (by time bucket) and histograms of every prediction by one set of group columns."""

    def __init__(self, by: Sequence[str], keys: Sequence[str], predictions: int) -> None:
        self.by = tuple(by)
        self.cells = Cells(keys)
        self.moments = [Sums(MOMENTS) for _ in range(predictions)]
        self.histograms: list[Sums] | None = [Sums(HISTOGRAM_SUMS) for _ in range(predictions)]
        self.timed = True

    def add(self, rows: pl.DataFrame, buckets: Ints | int, numbers: Sequence[Numbers]) -> Ints:
        """Add the rows of a chunk: their time bucket(s), and their numbers by each prediction.

        Returns the number of each row's combination of group values.
        """
        cells = self.cells.of(rows)
        if not self.timed:
            buckets = NO_TIME
        for i, mine in enumerate(numbers):
            self.moments[i].add_numbers(cells, buckets, mine)
            if self.histograms is not None:
                self.histograms[i].add_numbers(cells, mine.bins, mine)
        return cells

    def moments_frame(self) -> pl.DataFrame:
        """Return the moments with the keys of a `Table`."""
        parts = [self._keyed(i, s.frame(), "bucket") for i, s in enumerate(self.moments)]
        return pl.concat(parts).with_columns(pl.col("bucket").replace(NO_TIME, None))

    def histogram_frame(self) -> pl.DataFrame | None:
        """Return the histograms with the keys of a `Table`."""
        if self.histograms is None:
            return None
        return pl.concat(self._keyed(i, s.frame(), "bin") for i, s in enumerate(self.histograms))

    def _keyed(self, prediction: int, frame: pl.DataFrame, sub: str) -> pl.DataFrame:
        return frame.select(
            pl.lit(prediction, pl.Int64).alias("prediction"),
            *self.cells.texts(frame["cell"]),
            pl.col("sub").alias(sub),
            pl.exclude("cell", "sub"),
        )


def _dtype(statistic: str) -> type[np.int64] | type[np.float64]:
    return np.int64 if statistic == "n" else np.float64


def _add_at(sums: Columns, key: Ints, columns: Columns) -> None:
    """Add (or take the maximum of) each row's values at its key, in the order of the rows."""
    for statistic, total in sums.items():
        combine = np.maximum if statistic.startswith("max_") else np.add
        combine.at(total, key, columns[statistic])
