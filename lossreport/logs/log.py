"""A log: rows, opened but not yet read, and how they are handed out chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Protocol

import polars as pl

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.columns import Columns, key_names
from lossreport.logs.digits import Side, beyond_floats, differences, pieces
from lossreport.logs.numerals import PLAIN, NumberStyle
from lossreport.logs.patience import Ahead, ahead, in_time, reading
from lossreport.logs.records import ROW_MARKS
from lossreport.logs.times import epoch_in_text, reads, time, time_format
from lossreport.logs.values import exact_difference, is_text, number

CHUNK_ROWS = 100_000
"""As many as Polars reads at a time: so chunks need no copying together, and fit the cache."""
NEARLY_READ = 500_000
"""The next file is begun when this many rows are left."""
SAMPLE_ROWS = 10_000
LONG_DIGITS_IN = 1_000
"""Rows of each block in which long numbers of any kind are looked for; large ones in all."""
LOOKED_AT_ROWS = 2_000_000
"""So many rows of a column are read to find out what its first rows do not tell."""
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


class Matches(Protocol):
    """Counts the actuals that rows were joined with, file by file."""

    def begin(self) -> None:
        """Begin a file; what was counted of one that did not end is forgotten."""

    def add(self, which: pl.Series) -> None:
        """Count the actuals (`MATCH`) of some rows."""

    def end(self) -> None:
        """Keep what was counted of the file."""


@dataclass(frozen=True)
class Log:
    """Rows, opened but not yet read."""

    parts: tuple[Part, ...]
    skip_bad: bool = False
    """Whether a file that cannot be read is left out, and named, instead of ending it all."""
    skipped: tuple[Source, ...] = ()
    """The files that could not be opened."""
    missing: tuple[str, ...] = ()
    """Texts that stand for no value, beside the known ones."""
    matches: Matches | None = None
    """Counts the actuals that the rows were joined with; None if nothing was."""

    @property
    def name(self) -> str:
        """The first paths."""
        return ", ".join(p.path for p in self.parts[:3]) + (", ..." if self.parts[3:] else "")

    def sample(self) -> pl.DataFrame:
        """Return the first rows of the first part that has any, with all columns."""
        heads = []
        for part in self.parts:
            try:
                heads.append(part.head())
            except UnreadableLogError:
                if not self.skip_bad:
                    raise
                continue
            if heads[-1].height:
                return self._without_missing(heads[-1])
        if not heads:
            raise UnreadableLogError("None of the files of the log could be read.")
        return self._without_missing(heads[0])

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

    def _without_missing(self, head: pl.DataFrame) -> pl.DataFrame:
        """Return rows with null for the texts that were said to stand for no value."""
        if self.matches is not None:
            head = head.drop(MATCH, AMBIGUOUS)
        if not self.missing:
            return head
        text = pl.col(pl.String)
        lower = text.str.strip_chars().str.to_lowercase()
        return head.with_columns(pl.when(~lower.is_in(self.missing)).then(text).name.keep())

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
        joined = self.matches is not None

        def begin(part: Part) -> Ahead[pl.DataFrame]:
            rows = _rows_of_part(part, columns, prepare, self.missing, joined=joined)
            return ahead(part.path, rows)

        begun: list[Ahead[pl.DataFrame]] = []
        try:
            for i, part in enumerate(self.parts):
                if not begun:
                    begun.append(begin(part))
                following = self.parts[i + 1 : i + 2]
                read = 0
                for chunk in self._chunks_of(part, begun[0]):
                    yield chunk
                    read += chunk.rows.height
                    # Opening a file takes time: the next one is begun before this one ends.
                    near = (part.rows or math.inf) - read <= NEARLY_READ
                    if following and near and not begun[1:]:
                        begun.append(begin(following[0]))
                begun.pop(0)
                read_as = tuple(dict.fromkeys((*part.read_as, *part.notes)))
                sources.append(Source(part.path, read, part.bytes, read_as))
        finally:
            for reader in begun:
                reader.close()

    def _chunks_of(self, part: Part, frames: Iterable[pl.DataFrame]) -> Iterator[Chunk]:
        read, opening = 0, ""
        if self.matches is not None:
            self.matches.begin()
        for rows in frames:
            if self.matches is not None:
                self.matches.add(rows[MATCH])
            if not read and rows.height:
                opening = _first_row(rows)
            yield Chunk(part.path, read + 1, rows, opening)
            read += rows.height
        if part.rows not in (None, read):
            raise UnreadableLogError(
                f"{part.path} says that it holds {part.rows:,} rows, but {read:,} could be read."
            )
        if self.matches is not None:
            self.matches.end()


def _first_row(rows: pl.DataFrame) -> str:
    """Return what the first row says, the same whatever the types of the file."""
    numbers = [c for c in rows.columns if c == "actual" or c.startswith("predicted_")]
    numbers = [c for c in numbers if not c.endswith("_text")]
    said = [None if (v := rows[c][0]) is None else float(v) for c in numbers]
    others = [str(rows[c][0]) for c in ("time", "id") if c in rows.columns]
    return repr((said, others))


def _rows_of_part(
    part: Part, columns: Columns, prepare: Prepare, missing: Sequence[str], *, joined: bool
) -> Iterator[pl.DataFrame]:
    lacking = [c for c in columns.needed if c not in part.schema]
    if lacking:
        raise UnreadableLogError(
            f"{part.path} has no column {', '.join(map(repr, lacking))}, which the other files of "
            f"the log have. Its columns are: {_listed(part.schema.names())}."
        )
    steps: list[pl.Expr] = []

    def hoist(expression: pl.Expr, name: str) -> pl.Expr:
        """Have it computed once, before the others: Polars does not see that they share it."""
        steps.append(expression.alias(f"\x00{name}"))
        return pl.col(f"\x00{name}")

    read = _row_expressions(part, columns, missing, hoist, joined=joined)

    def made(frame: pl.LazyFrame, exact: Mapping[str, pl.Expr]) -> Iterator[pl.DataFrame]:
        own = set(frame.collect_schema().names()) - set(part.schema)
        marks = [pl.col(m).alias(r) for m, r in ROW_MARKS.items() if m in own]
        more = [e.alias(n) for n, e in exact.items()]
        rows = prepare(reduce(pl.LazyFrame.with_columns, steps, frame).select(*read, *more, *marks))
        return rows.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True)

    with reading(part.path):
        frames = part.frames([*columns.needed, *([MATCH, AMBIGUOUS] if joined else [])])
        sides = [_side(part, n) for n in (columns.actual, *columns.predicted)]
        if not any(is_text(s.dtype) for s in sides):
            for frame in frames:
                yield from made(frame, {})
            return
        blocks = part.format in ("csv", "json", "ndjson") and "://" not in part.path
        in_memory = blocks and not joined  # a join would be made twice
        for whole in frames:
            for frame in (whole,) if in_memory else pieces(whole):
                yield from _with_all_digits(frame, sides, made)


def _with_all_digits(
    frame: pl.LazyFrame,
    sides: Sequence[Side],
    made: Callable[[pl.LazyFrame, Mapping[str, pl.Expr]], Iterator[pl.DataFrame]],
) -> Iterator[pl.DataFrame]:
    """Yield rows of text, with exact differences from where on numbers have many digits."""
    actual, *predicted = sides
    exact = differences(frame, actual, predicted, LONG_DIGITS_IN)
    done = 0
    for rows in made(frame, exact):
        if not exact and beyond_floats(rows, len(predicted)):
            rest = frame.slice(done)
            exact = differences(rest, actual, predicted)
            if exact:
                yield from made(rest, exact)
                return
        yield rows
        done += rows.height


def _side(part: Part, name: str) -> Side:
    return Side(name, part.schema[name], part.numbers.get(name, PLAIN))


def _listed(names: Sequence[str]) -> str:
    names = [n for n in names if n != FILE_NAME]
    rest = f" and {len(names) - 40} more" if len(names) > 40 else ""
    return ", ".join(names[:40]) + rest


def _row_expressions(
    part: Part,
    columns: Columns,
    missing: Sequence[str],
    hoist: Callable[[pl.Expr, str], pl.Expr],
    *,
    joined: bool,
) -> list[pl.Expr]:
    schema = part.schema
    expressions: list[pl.Expr] = []
    hashes: list[pl.Expr] = []
    actual = schema[columns.actual]
    exact = all(exact_difference(actual, schema[p]) for p in columns.predicted)
    sides = {columns.actual: "actual"}
    sides |= {name: f"predicted_{i}" for i, name in enumerate(columns.predicted)}
    for name, alias in sides.items():
        style = part.numbers.get(name, PLAIN)
        dtype = schema[name]
        expressions += number(
            name, dtype, alias, exact=exact, style=style, missing=missing, hoist=hoist
        )
        expressions += _text_of(name, dtype, alias)
    for key, name in zip(key_names(columns.keys), columns.keys, strict=True):
        dtype = schema[name]
        if dtype.is_nested() or dtype in (pl.Object, pl.Binary, pl.Duration):
            raise UsageError(f"Column {name!r} holds {dtype}, which cannot be grouped by.")
        value = pl.col(name).cast(pl.String) if is_text(dtype) else pl.col(name)
        expressions.append(value.alias(key))
        hashes.append(value.hash(seed=len(hashes)) * pl.lit(2 * len(hashes) + 1, pl.UInt64))
    if joined:
        unmatched = pl.col(MATCH).is_null().alias("actual_unmatched")
        expressions += [pl.col(MATCH), unmatched, pl.col(AMBIGUOUS).alias("actual_ambiguous")]
    if hashes:
        expressions.append(reduce(add, hashes).alias("hash"))
    expressions += _id(schema, columns.ids)
    if columns.time is not None:
        fmt = _time_format(part, columns)
        unknown = is_text(schema[columns.time]) and fmt is None
        when = pl.lit(None, pl.Datetime("us"))
        when = when if unknown else time(columns.time, schema[columns.time], fmt)
        expressions.append(when.alias("time"))
    return expressions


def _text_of(name: str, dtype: pl.DataType, alias: str) -> list[pl.Expr]:
    """Return `text_<alias>`, what a column of text says, for the rows in which that is no number.

    Whole, because to keep the column costs nothing, and to look for those rows would.
    """
    return [pl.col(name).cast(pl.String).alias(f"text_{alias}")] if is_text(dtype) else []


def _id(schema: pl.Schema, ids: tuple[str, ...]) -> list[pl.Expr]:
    """Return `id`, the text of all id columns (null if one is missing), and `id_hash`."""
    if not ids:
        return []
    for name in ids:
        if schema[name].is_nested() or schema[name] in (pl.Object, pl.Binary, pl.Duration):
            raise UsageError(f"Column {name!r} holds {schema[name]}, which cannot be an id.")
    text = pl.concat_str([pl.col(c).cast(pl.String) for c in ids], separator=", ")
    return [text.alias("id"), text.hash().alias("id_hash")]


def _time_format(part: Part, columns: Columns) -> str | None:
    """Return how this part writes its times: as the first one does, or in its own way."""
    if columns.time is None or not is_text(part.schema[columns.time]):
        return None
    texts = part.head(columns=[columns.time])[columns.time]
    if columns.time_format and reads(texts, columns.time_format):
        return columns.time_format
    return time_format(texts) or columns.time_format or epoch_in_text(texts)
