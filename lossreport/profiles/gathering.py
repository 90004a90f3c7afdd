"""Gathers a log's evidence chunk by chunk, at the cost of a few operations per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lossreport.logs.columns import Columns, key_names
from lossreport.logs.part import Chunk
from lossreport.profiles import compiling
from lossreport.profiles.cells import key_text
from lossreport.profiles.evidence import (
    BLOCK,
    MOST_BY_CONTENT,
    MOST_BY_PLACE,
    TOKEN_SCHEMA,
    Draws,
    Evidence,
    Sample,
    counted_tokens,
    draws_of_blocks,
    in_order,
    kept,
    least_kept,
    level_for,
    most_by_id,
    sample_schema,
)
from lossreport.profiles.loops import Ints

MULTIPLIER = 0xD6E8FEB86659FD93
LONGEST_TOKEN = 60
WAITING_FRAMES = 64
WAITING_TOKENS = 20_000


class Gathering:
    """The evidence of the chunks so far."""

    def __init__(self, columns: Columns) -> None:
        predicted = [f"predicted_{i}" for i in range(len(columns.predicted))]
        self.sides = ["actual", *predicted]
        self.keys = key_names(columns.keys)
        self.by_place = Growing(MOST_BY_PLACE, self.sides, self.keys)
        self.by_content = Growing(MOST_BY_CONTENT, self.sides, self.keys)
        most = most_by_id(compared=columns.compare is not None)
        self.by_id = Growing(most, self.sides, self.keys, ["id"]) if columns.ids else None
        self.tokens = [pl.DataFrame(schema=TOKEN_SCHEMA)]
        self.waiting_tokens = 0

    def add(self, chunk: Chunk) -> None:
        """Add a chunk."""
        if not chunk.rows.height:
            return
        self._add_by_place(chunk)
        self._add_by_content(chunk)
        if self.by_id is not None:
            self._add_by_id(self.by_id, chunk)
        self._add_tokens(chunk)

    def _add_by_place(self, chunk: Chunk) -> None:
        before, rows = chunk.first_row - 1, chunk.rows.height
        first, last = before // BLOCK, (before + rows - 1) // BLOCK
        draws = draws_of_blocks(chunk.file, chunk.opening, first, last)
        blocks = np.flatnonzero(kept(draws, self.by_place.level))
        starts = (blocks + first) * BLOCK - before
        at = (starts[:, np.newaxis] + np.arange(BLOCK)).reshape(-1)
        draws = np.repeat(draws[blocks], BLOCK)
        inside = (at >= 0) & (at < rows)
        self.by_place.add(chunk, at[inside], draws[inside])

    def _add_by_content(self, chunk: Chunk) -> None:
        """Draw by the error alone: equal rows have equal errors, and it is the cheapest to mix."""
        errors = chunk.rows["error_0"].to_numpy()
        bits = errors.view(np.uint64)
        loops = compiling.loops()
        if loops is not None:
            at = loops.drawn(errors, MULTIPLIER, least_kept(self.by_content.level))
        else:
            at = np.flatnonzero(kept(bits * np.uint64(MULTIPLIER), self.by_content.level))
            at = at[np.isfinite(errors[at])]
        self.by_content.add(chunk, at, bits[at] * np.uint64(MULTIPLIER))

    def _add_by_id(self, ids: Growing, chunk: Chunk) -> None:
        draws = chunk.rows["id_hash"].to_numpy()
        at = np.flatnonzero(kept(draws, ids.level))
        present = chunk.rows["id"].is_not_null().to_numpy()
        at = at[present[at]]
        ids.add(chunk, at, draws[at])

    def _add_tokens(self, chunk: Chunk) -> None:
        """Count the texts of a side that are no numbers; empty fields are none."""
        for side in self.sides:
            texts = f"text_{side}"
            if texts not in chunk.rows.columns or not chunk.rows[side].null_count():
                continue
            at = np.flatnonzero(chunk.rows[side].is_null().to_numpy())
            token = chunk.rows[texts][at.astype(np.uint32)].str.strip_chars()
            found = pl.DataFrame(
                {"token": token.str.slice(0, LONGEST_TOKEN), "row": at + chunk.first_row}
            ).filter(pl.col("token") != "")
            counted = found.group_by("token").agg(
                n=pl.len().cast(pl.Int64), row=pl.col("row").min()
            )
            if not counted.height:
                continue
            named = counted.with_columns(side=pl.lit(side), file=pl.lit(chunk.file))
            self.tokens.append(named.select(TOKEN_SCHEMA.keys()).cast(pl.Schema(TOKEN_SCHEMA)))
            self.waiting_tokens += counted.height
            if self.waiting_tokens > WAITING_TOKENS:
                self.tokens = [counted_tokens(pl.concat(self.tokens))]
                self.waiting_tokens = self.tokens[0].height

    def evidence(self) -> Evidence:
        """Return the evidence so far."""
        return Evidence(
            by_place=self.by_place.sample(),
            by_content=self.by_content.sample(),
            by_id=None if self.by_id is None else self.by_id.sample(),
            tokens=counted_tokens(pl.concat(self.tokens)),
            hashed_by=f"Polars {pl.__version__}",
        )


@dataclass(frozen=True)
class Waiting:
    """Rows of one chunk, as they are in it."""

    file: str
    row: Ints
    draw: Draws
    columns: list[pl.Series]


def _formed(waiting: Sequence[Waiting], keys: Sequence[str], schema: pl.Schema) -> pl.DataFrame:
    """Return rows of one set of types in the form of a sample."""
    rows = pl.concat([pl.DataFrame(w.columns) for w in waiting])
    files = np.repeat(np.arange(len(waiting)), [len(w.row) for w in waiting])
    missing = [] if "time" in rows.columns else [pl.lit(None).alias("time")]
    return (
        rows.with_columns(
            pl.Series("file", [w.file for w in waiting])[files],
            pl.Series("row", np.concatenate([w.row for w in waiting])),
            pl.Series("draw", np.concatenate([w.draw for w in waiting])),
            *(key_text(k, rows.schema[k]).alias(k) for k in keys),
            *missing,
        )
        .select(schema.names())
        .cast(schema)
    )


class Growing:
    """A sample that rows are added to."""

    def __init__(
        self, most: int, numbers: Sequence[str], keys: Sequence[str], texts: Sequence[str] = ()
    ) -> None:
        self.most = most
        self.level = 0
        self._numbers, self._keys, self._texts = list(numbers), list(keys), list(texts)
        self._height = 0
        self._waiting: list[Waiting] = []
        self._rows = pl.DataFrame(schema=sample_schema(numbers, [*keys, *texts]))

    def add(self, chunk: Chunk, at: Ints, draws: Draws) -> None:
        """Add these rows of a chunk, whose draws are all kept at the present level."""
        if self._height + len(at) > self.most:
            self._gather()
            before = self._rows["draw"].to_numpy()
            self.level = level_for(np.concatenate([before, draws]), self.most, self.level)
            self._rows = self._rows.filter(pl.Series(kept(before, self.level)))
            stay = kept(draws, self.level)
            at, draws = at[stay], draws[stay]
            self._height = self._rows.height
        if not len(at):
            return
        index = pl.Series(at.astype(np.uint32))
        names = ("time", *self._numbers, *self._keys, *self._texts)
        present = set(chunk.rows.columns)
        columns = [chunk.rows[c][index] for c in names if c in present]
        self._waiting.append(Waiting(chunk.file, at + chunk.first_row, draws, columns))
        self._height += len(at)
        if len(self._waiting) > WAITING_FRAMES:
            self._gather()

    def _gather(self) -> None:
        """Bring the rows that wait into the sample's form (files of a log may differ in types)."""
        waiting, self._waiting = self._waiting, []
        by_types: dict[str, list[Waiting]] = {}
        for each in waiting:
            by_types.setdefault(str([c.dtype for c in each.columns]), []).append(each)
        formed = [_formed(some, self._keys, self._rows.schema) for some in by_types.values()]
        self._rows = pl.concat([self._rows, *formed])

    def sample(self) -> Sample:
        """Return the sample."""
        self._gather()
        return Sample(in_order(self._rows), self.level)
