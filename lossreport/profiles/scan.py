"""Adds up the chunks of a log: what is known of its rows so far, in flat memory."""

from __future__ import annotations

import numpy as np
import polars as pl

from lossreport.logs.columns import Columns, key_names
from lossreport.logs.part import Chunk
from lossreport.profiles.gathering import Gathering
from lossreport.profiles.kept_rows import alike, as_worst, counted_by_reason, rows_where
from lossreport.profiles.loops import Ints
from lossreport.profiles.profile import (
    HOUR,
    HOURS,
    MAX_CUBE_GROUPS,
    MAX_HISTOGRAM_GROUPS,
    MAX_TIMED_GROUPS,
    NO_TIME,
    WORST_SCHEMA,
    Profile,
    Table,
    bucket_for,
    tables_for,
    without_time,
    worst_first,
)
from lossreport.profiles.shared_rows_sums import CommonSums
from lossreport.profiles.statistics import (
    REASONS,
    STATISTICS,
    UNSCORED,
    add_up,
)
from lossreport.profiles.summing import Marks, Numbers, TableSums, coarser

LEFT_OUT_ROWS = 200_000
"""Unscored rows are counted by reason when this many have come together."""
WORST_ROWS = 10_000
"""Candidates for the worst rows are sorted out when more than this have come together."""


class Scan:
    """What has been added up of a log so far."""

    def __init__(self, columns: Columns, keep_worst: int, like: Profile | None = None) -> None:
        self.columns = columns
        self.keep_worst = keep_worst
        self.span: tuple[int, int] | None = None
        self.tables = [self._table(by) for by in tables_for(columns, cube=True)]
        if like is not None:
            self.tables = [self._table(t.by) for t in like.tables]
            for sums, table in zip(self.tables, like.tables, strict=True):
                sums.timed = table.timed
                sums.histograms = sums.histograms if table.histogram is not None else None
        self.whole = self._table(())
        self.whole.histograms = None
        self.models = [self._table((c,)) for c in (columns.compare,) if c is not None]
        for by_model in self.models:
            by_model.histograms = None
            by_model.timed = like is None or (like.models is not None and like.models.timed)
        predictions = len(columns.predicted)
        keys = dict.fromkeys(key_names(columns.keys), pl.String)
        index = {"prediction": pl.Int64, "bucket": pl.Int64}
        counts = dict.fromkeys(REASONS, pl.Int64)
        self.ledger = [pl.DataFrame(schema={**index, **keys, **counts})]
        self.unscored: list[list[pl.DataFrame]] = [[] for _ in range(predictions)]
        self.candidates: list[list[pl.DataFrame]] = [[] for _ in range(predictions)]
        self.waiting_unscored, self.waiting_candidates = [0] * predictions, [0] * predictions
        self.worst = [pl.DataFrame(schema={**WORST_SCHEMA, **keys}) for _ in range(predictions)]
        self.worst_sizes = [np.zeros(0)] * predictions
        self.worst_floor = [0.0] * predictions
        self.evidence = Gathering(columns)
        cube = self.tables[0].by if len(self.tables) == 1 else ()
        self.common = CommonSums(cube, columns) if predictions > 1 else None

    def _table(self, by: tuple[str, ...]) -> TableSums:
        keys = [f"key_{self.columns.keys.index(c)}" for c in by]
        return TableSums(by, keys, len(self.columns.predicted))

    def add(self, chunk: Chunk) -> None:
        """Add a chunk."""
        rows = chunk.rows
        buckets = self._buckets(rows)
        numbers = [Numbers(rows, i) for i in range(len(self.columns.predicted))]
        apart = [] if any(t.timed for t in self.tables) else [self.whole]
        cells = [t.add(rows, buckets, numbers) for t in (*self.tables, *apart, *self.models)]
        if self.common is not None:
            self.common.add(cells[0], buckets, rows, numbers)
        for i, mine in enumerate(numbers):
            if not mine.all_scored:
                self._note_left_out(i, rows, buckets, ~mine.scored)
            self._note_worst(i, chunk, mine)
        self.evidence.add(chunk)

    def _note_left_out(self, i: int, rows: pl.DataFrame, buckets: Ints | int, which: Marks) -> None:
        """Keep what is needed to count the unscored rows by reason; count when they are many."""
        used = ("actual", f"predicted_{i}", "key_", "row_")
        names = [c for c in rows.columns if c.startswith(used)]
        found = rows_where(rows, names, which)
        if not found.height:
            return
        bucket = np.full(found.height, buckets) if isinstance(buckets, int) else buckets[which]
        waiting = self.unscored[i]
        bins = np.full(found.height, UNSCORED)
        found.insert_column(0, pl.Series("bucket", bucket))
        waiting.append(found.insert_column(1, pl.Series(f"bin_{i}", bins)))
        self.waiting_unscored[i] += found.height
        if waiting[0].schema != found.schema or self.waiting_unscored[i] > LEFT_OUT_ROWS:
            self._count_left_out(i)

    def _count_left_out(self, i: int) -> None:
        waiting, self.unscored[i], self.waiting_unscored[i] = self.unscored[i], [], 0
        self.ledger += [counted_by_reason(f, self.columns, i) for f in alike(waiting)]
        self.ledger = [add_up(pl.concat(self.ledger))]

    def _note_worst(self, i: int, chunk: Chunk, numbers: Numbers) -> None:
        """Keep the rows of the chunk that are among the worst of prediction `i` so far."""
        if not self.keep_worst or numbers.largest < self.worst_floor[i]:
            return
        sizes = numbers.sizes
        candidates = sizes >= self.worst_floor[i]
        if not numbers.all_scored:
            candidates &= numbers.scored
        if not candidates.any():
            return
        largest = np.sort(np.append(self.worst_sizes[i], sizes[candidates]))[-self.keep_worst :]
        self.worst_sizes[i] = largest
        if len(largest) == self.keep_worst:
            self.worst_floor[i] = largest[0]
            candidates &= sizes >= largest[0]
            if not candidates.any():
                return
        rest = ("hash", "bin_", "summed_", "microsecond", "text_", "id")
        names = [c for c in chunk.rows.columns if c == "id" or not c.startswith(rest)]
        found = rows_where(chunk.rows, names, candidates)
        found.insert_column(0, pl.Series("file", [chunk.file] * found.height))
        found.insert_column(1, pl.Series("row", np.flatnonzero(candidates) + chunk.first_row))
        waiting = self.candidates[i]
        waiting.append(found)
        self.waiting_candidates[i] += found.height
        if waiting[0].schema != found.schema or self.waiting_candidates[i] > WORST_ROWS:
            self._sort_out_worst(i)

    def _sort_out_worst(self, i: int) -> None:
        waiting, self.candidates[i], self.waiting_candidates[i] = self.candidates[i], [], 0
        found = [as_worst(f, i, self.columns) for f in alike(waiting)]
        self.worst[i] = worst_first(pl.concat([self.worst[i], *found]), self.keep_worst)

    def _buckets(self, rows: pl.DataFrame) -> Ints | int:
        """Return each row's time bucket in the unit that the span so far asks for.

        One number if it is the same for all of them, as in a log that is written in order.
        """
        if "microsecond" not in rows.columns:
            return NO_TIME
        times = rows["microsecond"].to_numpy()
        known = times if times.min() > NO_TIME else times[times > NO_TIME]
        if not len(known):
            return NO_TIME
        ends = [int(known.min()), int(known.max())]
        before = bucket_for(self.span)
        self.span = (min(ends[0], *(self.span or ends)), max(ends[1], *(self.span or ends)))
        unit = bucket_for(self.span)
        assert unit is not None
        if before is not None and unit != before:
            self._coarsen(HOURS[unit] // HOURS[before])
        length = HOURS[unit] * HOUR
        first, last = ends[0] // length, ends[1] // length
        if first == last and known is times:
            return first
        return coarser(times, length)

    def _coarsen(self, factor: int) -> None:
        """Go over to longer time buckets."""
        for table in (*self.tables, self.whole, *self.models):
            for sums in table.moments if table.timed else ():
                sums.divide(factor)
        if self.common is not None:
            self.common.divide(factor)
        for i in range(len(self.columns.predicted)):
            self._count_left_out(i)
        self.ledger = [f.with_columns(pl.col("bucket") // factor) for f in self.ledger]

    def outgrown(self) -> bool:
        """Return whether a table has more groups than its kind may have."""
        cube = len(self.tables) == 1 and len(self.columns.groupings) > 0
        return any(
            (cube and len(t.cells) > MAX_CUBE_GROUPS)
            or (t.timed and len(t.cells) > MAX_TIMED_GROUPS)
            or (t.histograms is not None and len(t.cells) > MAX_HISTOGRAM_GROUPS)
            for t in (*self.tables, *self.models)
        )

    def profile(self) -> Profile:
        """Return the profile of the chunks so far; `merge` brings its tables within bounds."""
        for i in range(len(self.columns.predicted)):
            self._count_left_out(i)
            self._sort_out_worst(i)
        ledger = self.ledger[0]
        tables = tuple(_finished(t, ledger, self.columns) for t in self.tables)
        timed = [t for t in tables if t.timed] or [_finished(self.whole, ledger, self.columns)]
        return Profile(
            columns=self.columns,
            sources=(),
            tables=tables,
            timeline=timed[0].rolled_up(()).moments,
            worst=pl.concat(self.worst),
            worst_kept=self.keep_worst,
            span=self.span,
            evidence=self.evidence.evidence(),
            common=None if self.common is None else self.common.common(self.tables[0].cells),
            models=_finished(self.models[0], ledger, self.columns) if self.models else None,
        )


def _finished(sums: TableSums, ledger: pl.DataFrame, columns: Columns) -> Table:
    """Return the table of what has been summed, with the unscored rows counted in."""
    names = key_names(sums.by)
    kept = [f"key_{columns.keys.index(c)}" for c in sums.by]
    keys = [pl.col(c).alias(name) for c, name in zip(kept, names, strict=True)]
    counted = ledger.select("prediction", "bucket", *keys, *REASONS)
    both = pl.concat([sums.moments_frame(), counted], how="diagonal").select(
        "prediction", "bucket", *names, *(pl.col(s).fill_null(0) for s in STATISTICS)
    )
    histogram = sums.histogram_frame()
    if histogram is not None:
        histogram = add_up(histogram.select("prediction", *names, pl.exclude("prediction", *names)))
    return Table(sums.by, add_up(both if sums.timed else without_time(both)), histogram, sums.timed)
