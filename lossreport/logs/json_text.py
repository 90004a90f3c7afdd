"""Opens JSON logs, one record a line or an array of records, block by block and digit by digit."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from lossreport.logs.fields import fields_of
from lossreport.logs.json_arrays import STRING
from lossreport.logs.json_layout import Source, laid_out
from lossreport.logs.part import Part
from lossreport.logs.patience import reading

LOOKED_AT = 1 << 24
"""Columns are looked for in the first 16 MB; those that are asked for, in the whole file."""
EXACT_TO = 2**52
"""Columns of integers beyond are kept as such: their differences would lose digits as floats."""
UNREADABLE = re.compile(
    STRING + rb"|-?(?:NaN|Infinity)"
    rb"|(?<![\d.eE+-])(?:-?\d{20,}(?![\d.eE])|-?\d+(?:\.\d+)?[eE][+-]?\d{3,})",
    re.DOTALL,
)
"""Strings, and numbers that Python and others write but that are no JSON or no float."""
LONG_INTEGER = re.compile(rb"(?<![\d.])\d{20}")


def open_json(
    path: str,
    compression: str | None,
    size: int | None,
    *,
    lines: bool,
    asked: Collection[str] = (),
) -> Part:
    """Return the part for a JSON file; its columns are looked for in its first 16 MB.

    All values are read as text, which keeps what they are ("01", 1 and 1.5 in one column), but for
    columns of integers that a float could not hold. `NaN` and `Infinity` are read, though no JSON.

    Parameters
    ----------
    lines
        Whether it is said to hold one record a line; otherwise its first line tells.
    asked
        Columns to look for in the whole file.

    Raises
    ------
    UnreadableLogError
        It is damaged, or holds no records.
    """
    with reading(path):
        source, read_as = laid_out(path, compression, lines=lines)
        schema = _schema(source, asked)

    def frames(names: Sequence[str]) -> Iterator[pl.LazyFrame]:
        wanted = {n: schema[n] for n in names}
        first = 1
        for block, records in source.blocks():
            rows = _rows(block, records, wanted, first)
            first += rows.height
            yield rows.select(names).lazy()

    return Part(
        path, "json" if source.array else "ndjson", size, None, schema, frames, read_as=read_as
    )


def _schema(source: Source, asked: Collection[str]) -> pl.Schema:
    """Return the columns of a file and the types to read them as."""
    types: dict[str, pl.DataType] = {}
    looked_at = 0
    first = 1
    for block, records in source.blocks():
        lacking = [n.rsplit(".", 1)[-1] for n in asked if not _has(types, n)]
        if looked_at < LOOKED_AT or any(_names_it(block, n) for n in lacking):
            found = _types(block, records, first)
            types = {n: _both(types.get(n), found.get(n)) for n in {**types, **found}}
        elif not lacking:
            break
        looked_at += len(block)
        first += records or block.count(b"\n")
    if not types:
        raise ValueError("it holds no records")
    return pl.Schema(types)


def _names_it(block: bytes, name: str) -> bool:
    return any(json.dumps(name, ensure_ascii=a).encode() in block for a in (True, False))


def _has(types: Mapping[str, pl.DataType], name: str) -> bool:
    """Return whether a name is that of a column or, with dots, of a field of one."""
    if name in types:
        return True
    root, dot, rest = name.partition(".")
    column = types.get(root)
    return bool(dot) and isinstance(column, pl.Struct) and _has(fields_of(column), rest)


def _types(block: bytes, records: int | None, first: int) -> dict[str, pl.DataType]:
    """Return the columns of a block, with the types to read them as."""
    try:
        found = _rows(block, records, None, first)
    except pl.exceptions.SchemaError:  # objects and other values in one column: all as text
        lines = [line for line in block.split(b"\n") if line.strip()]
        return dict.fromkeys((n for line in lines for n in _names(line)), pl.String())
    return {s.name: _as_text(s) for s in found}


def _names(line: bytes) -> list[str]:
    record = json.loads(line)
    return list(record) if isinstance(record, dict) else []


def _as_text(series: pl.Series) -> pl.DataType:
    """Return the type that keeps a column's values as they are written."""
    if isinstance(series.dtype, pl.Struct):
        fields = series.struct.unnest()
        return pl.Struct({s.name: _as_text(s) for s in fields})
    if series.dtype.is_integer():
        low, high = series.min(), series.max()
        if isinstance(low, int) and isinstance(high, int) and max(-low, high) > EXACT_TO:
            return pl.Int128()
    return pl.String()


def _both(one: pl.DataType | None, other: pl.DataType | None) -> pl.DataType:
    """Return the type for a column that is of these types in two blocks."""
    if one is None or other is None or one == other:
        return one or other or pl.String()
    if isinstance(one, pl.Struct) and isinstance(other, pl.Struct):
        left, right = fields_of(one), fields_of(other)
        return pl.Struct({n: _both(left.get(n), right.get(n)) for n in {**left, **right}})
    return pl.String()


def _rows(
    block: bytes, records: int | None, schema: dict[str, pl.DataType] | None, first: int
) -> pl.DataFrame:
    """Return the rows of a block, with these columns; with None, all, as Polars finds them.

    Raises
    ------
    ValueError
        A line is no record of JSON; it is named, counting from `first`.
    """
    if _holds_long_integers(block):
        block = _in_quotes(block)
    try:
        rows = _read(block, schema)
    except pl.exceptions.ComputeError:
        block = _in_quotes(block)
        try:
            rows = _read(block, schema)
        except pl.exceptions.ComputeError as error:
            raise ValueError(_what_is_wrong(block, first, error)) from error
    if records is None and rows.height != block.count(b"\n"):
        records = sum(1 for line in block.split(b"\n") if line.strip())
    if records is not None and rows.height != records:
        raise ValueError(f"{rows.height:,} rows were read of {records:,} records")
    return rows


def _read(block: bytes, schema: dict[str, pl.DataType] | None) -> pl.DataFrame:
    if schema is None:  # of other columns only the names are needed
        found = pl.scan_ndjson(io.BytesIO(block), infer_schema_length=None).collect_schema()
        numbers = {n: t for n, t in found.items() if t.is_integer() or t.is_nested()}
        rows = pl.read_ndjson(io.BytesIO(block), schema=numbers)
        text = [pl.lit("").alias(n) for n in found if n not in numbers]
        return rows.with_columns(text)[found.names()]  # a name may be a pattern of names
    return pl.read_ndjson(io.BytesIO(block), schema=schema)


def _holds_long_integers(block: bytes) -> bool:
    """Return whether a block has integers of 20 digits or more, or text that looks like one.

    Of 20 digits every second one is looked at first, many at once: few places have as many.
    """
    near = np.frombuffer(block, dtype=np.uint8)
    digits = near[::2] - np.uint8(48) < 10
    for step in (1, 2, 4, 2):  # runs of 2, 4, 8 and 10
        digits = digits[:-step] & digits[step:]
    at = 2 * np.flatnonzero(digits)[:, None] + np.arange(19)
    whole = (near[at] - np.uint8(48) < 10).all(axis=1)
    starts = (at[whole, 0] - np.array([[1], [0]])).clip(0).ravel().tolist()
    return any(LONG_INTEGER.match(block, start) for start in starts)


def _in_quotes(block: bytes) -> bytes:
    """Return the block with the numbers that Polars cannot read, or not whole, in quotes."""
    return UNREADABLE.sub(lambda m: m[0] if m[0].startswith(b'"') else b'"' + m[0] + b'"', block)


def _what_is_wrong(block: bytes, first: int, error: Exception) -> str:
    number = first - 1
    for line in block.split(b"\n"):
        if not line.strip():
            continue
        number += 1
        try:
            record = json.loads(line)
        except RecursionError:
            return f"record {number:,} is nested too deeply"
        except ValueError as wrong:
            return f"record {number:,} is no JSON ({wrong})"
        if not isinstance(record, dict):
            return f"record {number:,} is no object but {line[:20].decode('utf-8', 'replace')!r}"
    return str(error)
