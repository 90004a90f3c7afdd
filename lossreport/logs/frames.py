"""Opens frames of other libraries as logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from lossreport.errors import UnreadableLogError, UsageError, reason
from lossreport.logs.fields import with_fields
from lossreport.logs.log import Log
from lossreport.logs.pandas_frames import polars_of
from lossreport.logs.part import CHUNK_ROWS, Part

FRAMES = "Polars, pandas, PyArrow, DuckDB, Ibis or Spark"
HANDED_OUT: dict[nw.Implementation, Callable[[Any, int], Iterator[Any]]] = {
    nw.Implementation.DUCKDB: lambda relation, rows: relation.to_arrow_reader(rows),
    nw.Implementation.IBIS: lambda table, rows: table.to_pyarrow_batches(chunk_size=rows),
}
"""How frames that are not in memory hand out their rows, so many at a time."""


def open_frame(frame: Any, name: str = "frame") -> Log:
    """Open a Polars, pandas, PyArrow, DuckDB or Ibis frame as a log.

    Raises
    ------
    UsageError
        It is not a frame that Narwhals knows.
    """
    try:
        known = nw.from_native(frame)
        known.columns  # noqa: B018 - two columns of one name are noticed here
    except nw.exceptions.DuplicateError as error:
        raise UsageError(f"The frame has two columns of one name: {reason(error)}.") from error
    except TypeError as error:
        raise UsageError(
            f"A {type(frame).__name__} is no log: give paths or a frame of {FRAMES}."
        ) from error
    native = known.to_native()
    rows = None
    if isinstance(known, nw.DataFrame):
        table = _as_polars(known)
        native, rows = table.lazy(), table.height
    if isinstance(native, pl.LazyFrame):
        lazy = native
        schema = lazy.collect_schema()
        part = Part(name, "frame", None, rows, schema, lambda columns: iter([lazy.select(columns)]))
        return Log((with_fields(part),))
    if known.implementation in HANDED_OUT:
        return Log((with_fields(_part_in_batches(known, name)),))
    raise UsageError(f"Frames of {known.implementation} are not read: give one of {FRAMES}.")


def _as_polars(frame: nw.DataFrame[Any]) -> pl.DataFrame:
    known = frame.implementation.is_pandas()
    return polars_of(frame.to_native()) if known else frame.to_polars()


def _part_in_batches(relation: nw.LazyFrame[Any], name: str) -> Part:
    """Return the part for rows that DuckDB or a backend of Ibis hands out in Arrow batches."""
    hand_out = HANDED_OUT[relation.implementation]
    empty = relation.head(0).collect("polars").to_native()
    assert isinstance(empty, pl.DataFrame)

    def frames(columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
        try:
            for batch in hand_out(relation.select(*columns).to_native(), CHUNK_ROWS):
                converted = pl.from_arrow(batch)
                assert isinstance(converted, pl.DataFrame)
                yield converted.lazy()
        except Exception as error:  # of DuckDB, or of whatever backend Ibis has
            raise UnreadableLogError(
                f"{name} cannot be read to its end: {reason(error)}."
            ) from error

    return Part(name, "frame", None, None, empty.schema, frames)
