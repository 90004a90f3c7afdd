"""Opens frames of other libraries as logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from lossreport.errors import UnreadableLogError, UsageError, reason
from lossreport.logs.fields import with_fields
from lossreport.logs.log import Log
from lossreport.logs.part import CHUNK_ROWS, Part


def open_frame(frame: Any, name: str = "frame") -> Log:
    """Open a Polars, pandas, PyArrow or DuckDB frame as a log.

    Raises
    ------
    UsageError
        It is not a frame that Narwhals knows.
    """
    try:
        known = nw.from_native(frame)
        known.columns  # noqa: B018 - two columns of one name are noticed here
    except nw.exceptions.DuplicateError as error:
        raise UsageError(f"The frame has two columns of one name: {error}.") from error
    except TypeError as error:
        raise UsageError(
            f"A {type(frame).__name__} is no log: give paths or a Polars, pandas, PyArrow or "
            "DuckDB frame."
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
    return Log((with_fields(_duckdb_part(known, name)),))


def _as_polars(frame: nw.DataFrame[Any]) -> pl.DataFrame:
    """Convert a frame; pandas' columns of mixed objects become text, which is then read."""
    try:
        return frame.to_polars()
    except (TypeError, ValueError, OverflowError):
        native = frame.to_native()
        types = dict(getattr(native, "dtypes", {}))
        mixed = [c for c in types if str(types[c]) == "object"]
        if not mixed:
            raise
        text = {c: native[c].map(str, na_action="ignore").astype("string") for c in mixed}
        converted: pl.DataFrame = nw.from_native(native.assign(**text), eager_only=True).to_polars()
        return converted


def _duckdb_part(relation: nw.LazyFrame[Any], name: str) -> Part:
    """Return the part for a DuckDB relation, which hands out Arrow batches."""
    empty = pl.from_arrow(relation.to_native().limit(0).to_arrow_table())
    assert isinstance(empty, pl.DataFrame)

    def frames(columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
        import duckdb

        try:
            for batch in relation.select(*columns).to_native().to_arrow_reader(CHUNK_ROWS):
                converted = pl.from_arrow(batch)
                assert isinstance(converted, pl.DataFrame)
                yield converted.lazy()
        except duckdb.Error as error:
            raise UnreadableLogError(
                f"{name} cannot be read to its end: {reason(error)}."
            ) from error

    return Part(name, "frame", None, None, empty.schema, frames)
