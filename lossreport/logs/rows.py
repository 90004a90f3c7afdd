"""The rows of a part as every log has them: numbers, group values, times, by their roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from operator import add

import polars as pl

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.columns import Columns, key_names
from lossreport.logs.digits import Side, beyond_floats, differences, pieces
from lossreport.logs.number_style import PLAIN
from lossreport.logs.part import AMBIGUOUS, CHUNK_ROWS, FILE_NAME, MATCH, Part, Prepare
from lossreport.logs.patience import reading
from lossreport.logs.records import ROW_MARKS
from lossreport.logs.times import epoch_in_text, reads, time, time_format
from lossreport.logs.values import exact_difference, is_text, number

LONG_DIGITS_IN = 1_000
"""Rows of each block in which long numbers of any kind are looked for; large ones in all."""


def rows_of_part(
    part: Part, columns: Columns, prepare: Prepare, missing: Sequence[str], *, joined: bool
) -> Iterator[pl.DataFrame]:
    """Yield the rows of a part with the columns of a `Chunk`, as `prepare` completes them.

    Raises
    ------
    UnreadableLogError
        The part lacks a column or cannot be read.
    UsageError
        A column cannot play its role.
    """
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
