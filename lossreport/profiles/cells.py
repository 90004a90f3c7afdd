"""Numbers for combinations of group values, and the values as text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from lossreport.logs.columns import key_names
from lossreport.profiles import compiling
from lossreport.profiles.loops import SLOT_BITS, Hashes, Ints

NOBODY = 0
"""The cell of rows that are not scored; its sums are never looked at."""


def key_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return an expression for the values of a group column as text; NaN is missing, like null."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):  # alike in every unit of time, so that files may differ
        zone = "" if dtype.time_zone is None else "%:z"
        return column.dt.to_string(f"%Y-%m-%d %H:%M:%S%.f{zone}")
    if not dtype.is_float():
        return column.cast(pl.String)
    whole = column.cast(pl.Int64, strict=False)
    text = pl.when(whole == column).then(whole.cast(pl.String)).otherwise(column.cast(pl.String))
    return pl.when(column.is_nan()).then(None).otherwise(text)


class Cells:
    """Gives each combination of group values a number, from 1 in order of appearance."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = list(keys)
        self._numbers: dict[int, int] = {}
        self._hash_in = np.zeros(2**SLOT_BITS, dtype=np.uint64)
        self._cell_in = np.zeros(2**SLOT_BITS, dtype=np.int64)
        self._texts: list[pl.DataFrame] = []

    def __len__(self) -> int:
        return len(self._numbers) if self.keys else 1

    def of(self, rows: pl.DataFrame) -> Ints:
        """Return the number of each row's combination, noting those not seen before.

        Combinations are told apart by a 64-bit hash: two of a million are taken for one with a
        chance of 3 in 100 million.
        """
        if not self.keys:
            return np.ones(rows.height, dtype=np.int64)
        if self.keys == [c for c in rows.columns if c.startswith("key_")]:
            mixed = rows["hash"].to_numpy()
        else:
            mixed = np.zeros(rows.height, dtype=np.uint64)
            for i, key in enumerate(self.keys):  # unsigned integers wrap around
                mixed += rows[key].hash(seed=i).to_numpy() * np.uint64(2 * i + 1)
        cells, missed = self._in_slots(mixed)
        if missed:
            at = np.flatnonzero(cells == 0)
            cells[at] = self._looked_up(mixed[at], rows, at)
        return cells

    def _in_slots(self, mixed: Hashes) -> tuple[Ints, int]:
        """Return the number of each combination that was the first to come to its slot.

        The others, and the new ones, have 0 and take the longer way; second: how many they are.
        """
        loops = compiling.loops()
        if loops is not None:
            return loops.cells(mixed, self._hash_in, self._cell_in)
        slot = (mixed >> np.uint64(64 - SLOT_BITS)).view(np.int64)
        cells = self._cell_in.take(slot)
        cells[self._hash_in.take(slot) != mixed] = 0
        return cells, len(cells) - int(np.count_nonzero(cells))

    def _looked_up(self, mixed: Hashes, rows: pl.DataFrame, at: Ints) -> Ints:
        """Return the numbers of the combinations with these hashes, in these rows."""
        distinct, codes = np.unique(mixed, return_inverse=True)
        hashes = distinct.tolist()
        unknown = [i for i, h in enumerate(hashes) if h not in self._numbers]
        if unknown:
            first = np.zeros(len(distinct), dtype=np.int64)
            first[codes[::-1]] = at[::-1]
            self._texts.append(
                rows.select(self.keys)[first[unknown]].select(
                    key_text(k, rows.schema[k]).alias(name)
                    for k, name in zip(self.keys, key_names(self.keys), strict=True)
                )
            )
        for i in unknown:
            cell = len(self._numbers) + 1
            self._numbers[hashes[i]] = cell
            slot = hashes[i] >> (64 - SLOT_BITS)
            if not self._cell_in[slot]:
                self._hash_in[slot], self._cell_in[slot] = hashes[i], cell
        return np.array([self._numbers[h] for h in hashes], dtype=np.int64)[codes]

    def texts(self, cells: pl.Series) -> list[pl.Series]:
        """Return the group values, as text, of these combinations."""
        if not self._texts:
            return [pl.Series(k, [], pl.String) for k in key_names(self.keys)]
        return pl.concat(self._texts).select(pl.all().gather(cells - 1)).get_columns()
