"""Fields of struct columns as columns with dotted names: `score` of `result` is `result.score`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import polars as pl

from lossreport.logs.names import is_pattern
from lossreport.logs.part import Part


def with_fields(part: Part) -> Part:
    """Return the part with every field of its struct columns, at any depth, as a column.

    A column that is itself called like a field stays what it is. Only the struct columns of the
    fields that are asked for are read. Columns and fields whose name is a pattern of names cannot
    be asked for: the former are said to be left out.
    """
    odd = [name for name in part.schema if is_pattern(name)]
    if odd:
        left_out = (f"column {n} left out, as this name stands for several columns" for n in odd)
        schema = pl.Schema({n: t for n, t in part.schema.items() if n not in odd})
        part = replace(part, schema=schema, read_as=(*part.read_as, *left_out))
    paths: dict[str, tuple[str, ...]] = {}
    types: dict[str, pl.DataType] = {}
    for path, dtype in _fields(part.schema.items()):
        name = ".".join(path)
        if name not in part.schema and name not in paths:
            paths[name], types[name] = path, dtype
    if not paths:
        return part

    def frames(names: Sequence[str]) -> Iterator[pl.LazyFrame]:
        roots = dict.fromkeys(paths[n][0] if n in paths else n for n in names)
        for frame in part.frames(list(roots)):
            yield frame.with_columns(_field(paths[n]).alias(n) for n in names if n in paths)

    return replace(part, schema=pl.Schema({**part.schema, **types}), frames=frames)


def fields_of(dtype: pl.Struct) -> dict[str, pl.DataType]:
    """Return the names and types of a struct's fields."""
    return {f.name: pl.Series([], dtype=f.dtype).dtype for f in dtype.fields}


def _fields(
    columns: Iterable[tuple[str, pl.DataType]], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], pl.DataType]]:
    """Yield the path and type of every field below some columns."""
    for name, dtype in columns:
        if is_pattern(name):
            continue
        path = (*above, name)
        if above:
            yield path, dtype
        if isinstance(dtype, pl.Struct):
            yield from _fields(fields_of(dtype).items(), path)


def _field(path: Sequence[str]) -> pl.Expr:
    expression = pl.col(path[0])
    for name in path[1:]:
        expression = expression.struct.field(name)
    return expression
