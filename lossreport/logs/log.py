"""A log: rows, opened but not yet read, and how they are handed out chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import add

import polars as pl

from lossreport.errors import LossReportError, UnreadableLogError, UsageError
from lossreport.logs.columns import Columns, key_names
from lossreport.logs.times import epoch_in_text, reads, time, time_format
from lossreport.logs.values import exact_difference, is_text, number

CHUNK_ROWS = 100_000
"""As many as Polars reads at a time: so chunks need no copying together, and fit the cache."""
SAMPLE_ROWS = 10_000
LOOKED_AT_ROWS = 2_000_000
"""So many rows of a column are read to find out what its first rows do not tell."""
FILE_NAME = "@file"
"""The column that holds the name of each row's file, without folder and endings."""
MATCH, AMBIGUOUS = "@match", "@ambiguous"
"""In rows joined with actuals: the number of the actual (null: there is none), and whether the
actuals differ for one key."""


Prepare = Callable[[pl.LazyFrame], pl.LazyFrame]
"""What adds columns to rows that have the columns of a `Chunk`."""


@dataclass(frozen=True)
class Part:
    """One file or frame of a log."""

    path: str
    format: str
    bytes: int | None
    rows: int | None
    """How many rows the file says it holds; None where only reading tells."""
    schema: pl.Schema
    frames: Callable[[Sequence[str]], Iterator[pl.LazyFrame]]
    """Gives the rows, with these columns, in order: as one lazy frame or as several."""
    constants: Mapping[str, str | None] = field(default_factory=dict)
    """The columns that stand in the path, with their value."""
    notes: tuple[str, ...] = ()
    """What was assumed on opening it, such as which of its sheets is the log."""

    def head(self, rows: int = SAMPLE_ROWS) -> pl.DataFrame:
        """Return the first rows with all columns."""
        with reading(self.path):
            first = next(self.frames(self.schema.names()), None)
            return self.schema.to_frame() if first is None else first.head(rows).collect()


@dataclass(frozen=True)
class Source:
    """One file (or frame) of the log."""

    path: str
    rows: int
    bytes: int | None
    notes: tuple[str, ...] = ()
    """What was assumed on opening it."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of one part, in its order."""

    file: str
    first_row: int
    """The number of the first of them, counting from 1."""
    rows: pl.DataFrame
    """`actual`, `predicted_0`, ..., their `_text` marks; `key_0`, ... for the columns to group by,
    and `hash` of them all; `time` (UTC) if there is one; and what was prepared."""


@dataclass(frozen=True)
class Log:
    """Rows, opened but not yet read."""

    parts: tuple[Part, ...]
    matched: Callable[[pl.Series], None] | None = None
    """Told which actuals the rows of a chunk were joined with (`MATCH`); None if nothing was."""

    def sample(self) -> pl.DataFrame:
        """Return the first rows of the first part that has any, with all columns."""
        for part in self.parts:
            head = part.head()
            if head.height:
                return head.drop(MATCH, AMBIGUOUS, strict=False)
        names = ", ".join(p.path for p in self.parts[:3]) + (", ..." if self.parts[3:] else "")
        raise UsageError(f"{names}: no rows. Check what wrote the log, or give another one.")

    def in_paths(self) -> dict[str, pl.Series]:
        """Return the columns that stand in the path of every file, with a value per file."""
        first, *others = (p.constants for p in self.parts)
        names = [n for n in first if n != FILE_NAME and all(n in o for o in others)]
        return {n: pl.Series(n, [c[n] for c in (first, *others)], pl.String) for n in names}

    def texts(self, name: str) -> Iterator[pl.Series]:
        """Yield the texts of a column, chunk by chunk, of the first `LOOKED_AT_ROWS` rows."""
        left = LOOKED_AT_ROWS
        for part in self.parts:
            if name not in part.schema:
                continue
            with reading(part.path):
                for frame in part.frames([name]):
                    for rows in frame.collect_batches(chunk_size=CHUNK_ROWS):
                        yield rows[name].cast(pl.String).head(left)
                        left -= rows.height
                        if left <= 0:
                            return

    def chunks(
        self,
        columns: Columns,
        sources: list[Source],
        prepare: Prepare,
    ) -> Iterator[Chunk]:
        """Yield the rows, as `prepare` completes them.

        `sources` receives one entry per part once its last row has been yielded.

        Raises
        ------
        UnreadableLogError
            A part lacks a column, cannot be read, or yields another number of rows than it says.
        """
        for part in self.parts:
            read = 0
            for rows in _rows_of_part(part, columns, prepare):
                if self.matched is not None:
                    self.matched(rows[MATCH])
                yield Chunk(part.path, read + 1, rows)
                read += rows.height
            if part.rows is not None and read != part.rows:
                raise UnreadableLogError(
                    f"{part.path} says that it holds {part.rows:,} rows, but {read:,} "
                    "could be read."
                )
            sources.append(Source(part.path, read, part.bytes, part.notes))


def _rows_of_part(part: Part, columns: Columns, prepare: Prepare) -> Iterator[pl.DataFrame]:
    lacking = [c for c in columns.needed if c not in part.schema]
    if lacking:
        raise UnreadableLogError(
            f"{part.path} has no column {', '.join(map(repr, lacking))}, which the other files of "
            f"the log have. Its columns are: {_listed(part.schema.names())}."
        )
    read = _row_expressions(part, columns)
    with reading(part.path):
        joined = [MATCH, AMBIGUOUS] if MATCH in part.schema else []
        for frame in part.frames([*columns.needed, *joined]):
            rows = prepare(frame.select(read))
            yield from rows.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True)


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - 40} more" if len(names) > 40 else ""
    return ", ".join(names[:40]) + rest


def _row_expressions(part: Part, columns: Columns) -> list[pl.Expr]:
    schema = part.schema
    expressions: list[pl.Expr] = []
    hashes: list[pl.Expr] = []
    actual = schema[columns.actual]
    exact = all(exact_difference(actual, schema[p]) for p in columns.predicted)
    expressions += number(columns.actual, actual, "actual", exact=exact)
    for i, name in enumerate(columns.predicted):
        expressions += number(name, schema[name], f"predicted_{i}", exact=exact)
    for key, name in zip(key_names(columns.keys), columns.keys, strict=True):
        dtype = schema[name]
        if dtype.is_nested() or dtype in (pl.Object, pl.Binary, pl.Duration):
            raise UsageError(f"Column {name!r} holds {dtype}, which cannot be grouped by.")
        value = pl.col(name).cast(pl.String) if is_text(dtype) else pl.col(name)
        expressions.append(value.alias(key))
        hashes.append(value.hash(seed=len(hashes)) * pl.lit(2 * len(hashes) + 1, pl.UInt64))
    if MATCH in schema:
        unmatched = pl.col(MATCH).is_null().alias("actual_unmatched")
        expressions += [pl.col(MATCH), unmatched, pl.col(AMBIGUOUS).alias("actual_ambiguous")]
    if hashes:
        expressions.append(reduce(add, hashes).alias("hash"))
    if columns.time is not None:
        fmt = _time_format(part, columns)
        if is_text(schema[columns.time]) and fmt is None:
            return expressions
        expressions.append(time(columns.time, schema[columns.time], fmt).alias("time"))
    return expressions


def _time_format(part: Part, columns: Columns) -> str | None:
    """Return how this part writes its times: as the first one does, or in its own way."""
    if columns.time is None or not is_text(part.schema[columns.time]):
        return None
    texts = part.head()[columns.time]
    if columns.time_format and reads(texts, columns.time_format):
        return columns.time_format
    return time_format(texts) or columns.time_format or epoch_in_text(texts)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn what a reader raises into an UnreadableLogError that names the file."""
    try:
        yield
    except LossReportError:
        raise
    except FileNotFoundError as error:
        raise UnreadableLogError(f"{path} vanished while it was read.") from error
    except (pl.exceptions.PolarsError, OSError, UnicodeError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise UnreadableLogError(
            f"{path} cannot be read: {reason}. If it is being written, wait; if it is damaged, "
            "make it anew or leave it out."
        ) from error
