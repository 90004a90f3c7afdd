"""A part of a log: one file or frame, its rows as they are read, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from lossreport.logs.number_style import NumberStyle
from lossreport.logs.patience import in_time, reading
from lossreport.logs.records import ROW_MARKS

CHUNK_ROWS = 100_000
"""As many as Polars reads at a time: so chunks need no copying together, and fit the cache."""
SAMPLE_ROWS = 10_000
FILE_NAME = "@file"
"""The column that holds the name of each row's file, without folder and endings."""
MATCH, AMBIGUOUS = "\x00joined match", "\x00joined ambiguous"
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
    """Gives the rows, with these columns at least, in order: as one lazy frame or as several."""
    numbers: Mapping[str, NumberStyle] = field(default_factory=dict)
    """How the text columns write their numbers, where that is not the plain way."""
    read_as: tuple[str, ...] = ()
    """What was assumed about how the file is written, where that is not the plain case."""
    notes: list[str] = field(default_factory=list)
    """What was assumed besides while the rows were read; filled by reading them."""
    constants: Mapping[str, str | None] = field(default_factory=dict)
    """The columns that stand in the path, with their value."""
    first_row: int = 1
    """The number of its first row in the file."""

    def head(self, rows: int = SAMPLE_ROWS, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the first rows with these columns, or all."""

        def read() -> pl.DataFrame:
            with reading(self.path):
                first = next(self.frames(columns or self.schema.names()), None)
                if first is None:
                    return self.schema.to_frame().select(columns or pl.all())
                head = first.head(rows).collect()
                for mark in (set(ROW_MARKS) & set(head.columns)) - set(self.schema):
                    head = head.filter(~pl.col(mark)).drop(mark)
                return head

        return in_time(self.path, read)


@dataclass(frozen=True)
class Source:
    """One file (or frame) of the log."""

    path: str
    rows: int
    """How many were read."""
    bytes: int | None
    read_as: tuple[str, ...] = ()
    """What was assumed about how the file is written, where that is not the plain case."""
    skipped: str | None = None
    """Why none of its rows are in the figures; None: all of them are, or in the ledger."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of one part, in its order."""

    file: str
    first_row: int
    """The number of the first of them, counting from 1."""
    rows: pl.DataFrame
    """`actual`, `predicted_0`, ..., their `_text` marks; `text_actual`, ... for columns of text;
    `key_0`, ... for the columns to group by, and `hash` of them all; `id` and `id_hash`; `time`
    (UTC) if there is one; what was prepared; and, if some rows are none, marks named like the
    reasons for which they are left out (`ROW_MARKS`)."""
    opening: str = ""
    """What the first row of its part says: tells files of one name apart."""
