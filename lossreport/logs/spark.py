"""Opens Spark DataFrames as logs: their rows stay where Spark has them, classic or Connect."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl

from lossreport.errors import LossReportError, UnreadableLogError, UsageError, reason
from lossreport.logs.fields import with_fields
from lossreport.logs.log import Combine, Log, Work
from lossreport.logs.part import CHUNK_ROWS, SAMPLE_ROWS, Part

FILE, ROW, BYTES = "lossreport file", "lossreport row", "lossreport bytes"
"""The columns that say where a row is."""
PLACE = {FILE: "file_path", ROW: "row_index", BYTES: "file_size"}
MADE = "partition int, made binary"
COMBINED = 8
"""What was made of all partitions is combined into so many things at most; the driver has them."""
AT_ONCE = 32
"""So many of them are combined at a time."""


def is_spark(frame: Any) -> bool:
    """Return whether this is a DataFrame of Spark."""
    kind = type(frame)
    return kind.__module__.startswith("pyspark.sql") and kind.__name__ == "DataFrame"


def open_spark(frame: Any, name: str = "frame") -> Log:
    """Open a DataFrame of Spark as a log.

    Rows of Parquet files are known by file and row; all others by partition and row.

    Raises
    ------
    UsageError, UnreadableLogError
        What Spark says when it is asked for the first rows.
    """
    with told(name):
        placed = _placed(frame)
        schema = _polars(frame.limit(0).toArrow()).schema

    def first_rows(columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
        with told(name):
            chosen = frame.select(*(_column(frame, c) for c in columns))
            yield _polars(chosen.limit(SAMPLE_ROWS).toArrow()).lazy()

    part = with_fields(Part(name, "spark", None, None, schema, first_rows))
    return Log((part,), elsewhere=partial(_run, placed or frame, name, placed is not None))


def _placed(frame: Any) -> Any | None:
    """Return the frame with the places of its rows; None where Spark does not know them."""
    from pyspark.errors import PySparkException

    try:
        found = frame.select("*", *(frame[f"_metadata.{c}"].alias(n) for n, c in PLACE.items()))
        found.schema  # noqa: B018 - a remote session looks at it only now
    except PySparkException:
        return None
    return found


def _column(frame: Any, name: str) -> Any:
    return frame["`" + name.replace("`", "``") + "`"]


def _polars(table: Any) -> pl.DataFrame:
    made = pl.from_arrow(table)
    assert isinstance(made, pl.DataFrame)
    return made


def _run(
    frame: Any, name: str, placed: bool, columns: Sequence[str], work: Work, combine: Combine
) -> list[bytes]:
    """Have all partitions worked on and the results combined, in one job; see `log.Elsewhere`."""
    whole = set(frame.columns)
    roots = dict.fromkeys(c if c in whole else c.split(".")[0] for c in columns)
    wanted = [*roots, *(PLACE if placed else ())]
    with told(name):
        rows = frame.select(*(_column(frame, c) for c in wanted))
        made = rows.mapInArrow(partial(_worked, name=name, placed=placed, work=work), MADE)
        # In the partitions' order, so that the same rows give the same bits.
        sorted_out = made.repartition(COMBINED, "partition").sortWithinPartitions("partition")
        few = sorted_out.mapInArrow(partial(_combined, combine=combine), MADE).collect()
    return [bytes(row.made) for row in sorted(few, key=lambda row: row.partition)]


def _worked(batches: Iterator[Any], *, name: str, placed: bool, work: Work) -> Iterator[Any]:
    """Work on one partition, in Spark's worker; an empty one gives nothing."""
    from pyspark import TaskContext

    context = TaskContext.get()
    number = context.partitionId() if context else 0
    parts = _parts(batches, f"{name} (partition {number})", placed=placed)
    first = next(parts, None)
    if first is not None:
        yield _batch(number, work(chain([first], parts)))


def _combined(batches: Iterator[Any], *, combine: Combine) -> Iterator[Any]:
    """Combine what was made of some partitions, a few at a time, in Spark's worker."""
    waiting: list[bytes] = []
    number: int | None = None
    for batch in batches:
        for partition, made in zip(*(batch.column(i).to_pylist() for i in (0, 1)), strict=True):
            number = partition if number is None else number
            waiting.append(made)
            if len(waiting) == AT_ONCE:
                waiting = [combine(waiting)]
    if number is not None:
        yield _batch(number, combine(waiting))


def _batch(number: int, made: bytes) -> Any:
    import pyarrow as pa

    schema = pa.schema([("partition", pa.int32()), ("made", pa.binary())])
    return pa.RecordBatch.from_pydict({"partition": [number], "made": [made]}, schema)


def _parts(batches: Iterator[Any], name: str, *, placed: bool) -> Iterator[Part]:
    """Yield rows that follow each other in one file as parts, `CHUNK_ROWS` and more at a time."""
    done = 0
    for rows in _gathered(batches):
        if not placed:
            yield _part(rows, name, done + 1, None)
            done += rows.height
            continue
        file, row = pl.col(FILE), pl.col(ROW)
        begins = (file != file.shift()) | (row != row.shift() + 1)
        starts = [0, *rows.select(begins.fill_null(value=False).arg_true()).to_series().to_list()]
        for start, end in zip(starts, [*starts[1:], rows.height], strict=True):
            run = rows.slice(start, end - start)
            path = _path_of(run[FILE][0])
            yield _part(run.drop(PLACE), path, run[ROW][0] + 1, run[BYTES][0])


def _gathered(batches: Iterator[Any]) -> Iterator[pl.DataFrame]:
    """Yield the rows of batches, which are small, together."""
    waiting: list[pl.DataFrame] = []
    for batch in batches:
        if batch.num_rows:
            waiting.append(_polars(batch))
        if sum(w.height for w in waiting) >= CHUNK_ROWS:
            yield pl.concat(waiting)
            waiting = []
    if waiting:
        yield pl.concat(waiting)


def _part(rows: pl.DataFrame, path: str, first_row: int, size: int | None) -> Part:
    def frames(columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
        yield rows.lazy().select(columns)

    return with_fields(
        Part(path, "spark", size, rows.height, rows.schema, frames, first_row=first_row)
    )


def _path_of(address: str) -> str:
    """Return a file's address as users write it: that of a local file is its path."""
    return unquote(urlsplit(address).path if address.startswith("file:") else address)


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn what Spark raises into an error that says which log it is about."""
    from pyspark.errors import AnalysisException, PySparkException

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support", FutureWarning)
        try:
            yield
        except LossReportError:
            raise
        except AnalysisException as error:
            raise UsageError(f"Spark cannot read {name}: {reason(error)}.") from error
        except (PySparkException, OSError) as error:
            raise UnreadableLogError(
                f"Spark could not read {name} to its end: {_cause(error)}."
            ) from error
        except Exception as error:  # Java's, which Spark has put into no class of its own
            if type(error).__module__.split(".")[0] not in ("py4j", "grpc"):
                raise
            raise UnreadableLogError(f"Spark broke off at {name}: {_cause(error)}.") from error


def _cause(error: BaseException) -> str:
    """Return what a worker's last line says, else the first line of the message."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line.startswith("lossreport.errors.")]
    if said:
        return said[-1].split(": ", 1)[-1].rstrip(".")
    if any(line.startswith("ModuleNotFoundError: No module named") for line in lines):
        missing = next(line for line in lines if line.startswith("ModuleNotFoundError"))
        return f"{missing}: Spark's workers need lossreport too"
    return reason(error)
