"""Adds up, chunk by chunk, the rows that every prediction scores."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl

from lossreport.logs.columns import Columns as LogColumns
from lossreport.logs.columns import key_names
from lossreport.profiles.cells import NOBODY, Cells
from lossreport.profiles.loops import Ints
from lossreport.profiles.profile import NO_TIME
from lossreport.profiles.shared_rows import (
    COMMON_SUMS,
    ID_BUCKETS,
    MOST_PAIRED,
    Common,
    common_schema,
)
from lossreport.profiles.statistics import PAIR_SUMS, add_up
from lossreport.profiles.summing import Columns, Marks, Numbers, Sums


class CommonSums:
    """The sums so far of the rows that every prediction scores."""

    def __init__(self, by: Sequence[str], columns: LogColumns) -> None:
        self.by = tuple(by)
        self.predictions = predictions = len(columns.predicted)
        numbers = range(predictions)
        paired = combinations(numbers, 2) if predictions <= MOST_PAIRED else ()
        self._pairs = list(paired)
        names = [f"{s} {i}" for i in numbers for s in COMMON_SUMS if s != "n"]
        squares = [f"{s} {i} {j}" for i, j in self._pairs for s in PAIR_SUMS]
        self._cells = Sums(["n", *names, *squares])
        self._over_time = Sums(["n", *names])
        self._over_ids = Sums(["n", *names]) if columns.ids else None
        self._lost = 0

    def add(
        self,
        cells: Ints,
        buckets: Ints | int,
        rows: pl.DataFrame,
        numbers: Sequence[Numbers],
    ) -> None:
        """Add the rows of a chunk, with their cells, their time bucket(s) and their numbers."""
        common = np.logical_and.reduce([n.scored for n in numbers])
        some = np.logical_or.reduce([n.scored for n in numbers])
        self._lost += int(some.sum() - common.sum())
        columns: Columns = {"n": numbers[0].by_statistic["n"]}
        for i, mine in enumerate(numbers):
            columns |= {f"{s} {i}": mine.by_statistic[s] for s in COMMON_SUMS if s != "n"}
        squares: Columns = {}
        with np.errstate(all="ignore"):  # squares may be beyond all floats, or of nobody
            for i, j in self._pairs:
                one, other = numbers[i].by_statistic, numbers[j].by_statistic
                for name, of in zip(PAIR_SUMS, ("sum_abs_error", "sum_sq_error"), strict=True):
                    squares[f"{name} {i} {j}"] = (one[of] - other[of]) ** 2
        cells = cells if self.by else np.ones(len(common), dtype=np.int64)
        self._cells.add(np.where(common, cells, NOBODY), NO_TIME, {**columns, **squares})
        self._add_over_time(common, buckets, columns)
        if self._over_ids is not None:
            bucket = (rows["id_hash"].to_numpy() % np.uint64(ID_BUCKETS)).astype(np.int64)
            self._over_ids.add(common.astype(np.int64), bucket, columns)

    def _add_over_time(self, common: Marks, buckets: Ints | int, columns: Columns) -> None:
        if not isinstance(buckets, int):
            self._over_time.add(common.astype(np.int64), buckets, columns)
            return
        n = int(common.sum())
        if not n:
            return
        whole = n == len(common)
        with np.errstate(all="ignore"):
            sums = {
                s: np.array([(v if whole else v[common]).sum()])
                for s, v in columns.items()
                if s != "n"
            }
        self._over_time.add(np.ones(1, dtype=np.int64), buckets, {"n": np.array([n]), **sums})

    def divide(self, factor: int) -> None:
        """Go over to longer time buckets."""
        self._over_time.divide(factor)

    def common(self, cells: Cells) -> Common:
        """Return the sums; `cells` gave the rows' combinations of group values their numbers."""
        found = self._cells.frame()
        keys = cells.texts(found["cell"]) if self.by else []
        empty = [pl.Series(k, [], pl.String) for k in key_names(self.by)]
        keys = keys if found.height else empty
        pairs = [
            found.select(
                pl.lit(i, pl.Int64).alias("first"),
                pl.lit(j, pl.Int64).alias("second"),
                *keys,
                *(pl.col(f"{s} {i} {j}").alias(s) for s in PAIR_SUMS),
            )
            for i, j in self._pairs
        ]
        none = pl.DataFrame(schema=common_schema("common pairs", len(self.by)))
        over_ids = self._over_ids
        return Common(
            by=self.by,
            cells=add_up(self._by_prediction(found, keys)),
            pairs=add_up(pl.concat([none, *pairs])),
            over_time=add_up(self._bucketed(self._over_time)),
            over_ids=None if over_ids is None else add_up(self._bucketed(over_ids)),
            lost=self._lost,
        )

    def _bucketed(self, sums: Sums) -> pl.DataFrame:
        found = sums.frame()
        bucket = found.select(pl.col("sub").replace(NO_TIME, None).alias("bucket"))
        return self._by_prediction(found, bucket.get_columns())

    def _by_prediction(self, found: pl.DataFrame, keys: Sequence[pl.Series]) -> pl.DataFrame:
        each = [
            found.select(
                pl.lit(i, pl.Int64).alias("prediction"),
                *keys,
                "n",
                *(pl.col(f"{s} {i}").alias(s) for s in COMMON_SUMS if s != "n"),
            )
            for i in range(self.predictions)
        ]
        return pl.concat(each)
