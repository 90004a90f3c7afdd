"""Opens Spark DataFrames as logs: their rows stay where Spark has them, classic or Connect."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
"""The columns that say where a row is, and how large its file."""
KNOWN = {FILE: "file_path", ROW: "row_index", BYTES: "file_size"}
PLACE = (FILE, ROW)
MADE = "partition int, made binary"
COMBINED = 8
"""What was made of all partitions is combined into so many things at most; the driver has them."""
CODE = re.compile(r"\[[A-Z_]{4,}(?:\.[A-Z_]+)?\] .*")
"""Where Spark says what went wrong, on whichever line."""
MOST_SCATTERED = 1000
"""Where fewer rows than this follow each other, they are known by partition, not by file."""
AT_ONCE = 32
"""So many of them are combined at a time."""


def is_spark(frame: Any) -> bool:
    """Return whether this is a DataFrame of Spark."""
    kind = type(frame)
    return kind.__module__.startswith("pyspark.sql") and kind.__name__ == "DataFrame"


def open_spark(frame: Any, name: str = "frame", lacking: Mapping[str, str] | None = None) -> Log:
    """Open a DataFrame of Spark as a log.

    Rows of Parquet files are known by file and row; all others, and those that a filter or a
    shuffle has scattered, by partition and row.

    Parameters
    ----------
    lacking
        The columns that not every file has, each with a file that lacks it: Spark would take it
        for missing there.

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
            rows = _polars(chosen.limit(SAMPLE_ROWS).toArrow())
        yield rows.lazy()

    part = with_fields(Part(name, "spark", None, None, schema, first_rows))
    return Log((part,), elsewhere=InSpark(placed or frame, name, placed is not None, lacking or {}))


def _placed(frame: Any) -> Any | None:
    """Return the frame with the places of its rows; None where Spark does not know them."""
    from pyspark.errors import PySparkException

    try:
        found = frame.select("*", *(frame[f"_metadata.{c}"].alias(n) for n, c in KNOWN.items()))
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


def _named(table: Any, columns: Sequence[str]) -> pl.DataFrame:
    rows = _polars(table)
    return rows.rename(dict(zip(rows.columns, columns, strict=True)))


@dataclass(frozen=True)
class InSpark:
    """Rows that Spark has; see `log.Elsewhere`."""

    frame: Any
    name: str
    placed: bool
    """Whether the frame has the columns of `KNOWN`."""
    lacking: Mapping[str, str] = field(default_factory=dict)
    """The columns that not every file has, each with a file that lacks it."""

    def first_rows(self, columns: Sequence[str]) -> Iterator[Part]:
        """Return the first row of every file."""
        if not self.placed:
            return
        with told(self.name):
            rows, names = self._chosen(columns, KNOWN)
            first = rows.where(rows[f"c{names.index(ROW)}"] == 0)
            found = _named(first.toArrow(), names)
        for i in range(found.height):
            yield from _pieces(found.slice(i, 1))

    def run(self, columns: Sequence[str], work: Work, combine: Combine) -> list[bytes]:
        """Have all partitions worked on and the results combined, in one job."""
        with told(self.name):
            rows, names = self._chosen(columns, PLACE)
            worked = partial(_worked, name=self.name, columns=names, work=work)
            made = rows.mapInArrow(worked, MADE)
            # In the partitions' order, so that the same rows give the same bits.
            in_order = made.repartition(COMBINED, "partition").sortWithinPartitions("partition")
            few = in_order.mapInArrow(partial(_combined, combine=combine), MADE).collect()
        return [bytes(row.made) for row in sorted(few, key=lambda row: row.partition)]

    def _chosen(self, columns: Sequence[str], places: Iterable[str]) -> tuple[Any, list[str]]:
        """Return these columns of the frame and of places, and their names; of a field, the whole.

        In the frame they are called c0, c1, ...: Spark takes a dot in some names for a field.
        """
        whole = set(self.frame.columns)
        roots = dict.fromkeys(c if c in whole else c.split(".")[0] for c in columns)
        for column in roots:
            if column in self.lacking:
                raise UnreadableLogError(
                    f"{path_of(self.lacking[column])} has no column {column!r}, which other files "
                    "of the log have."
                )
        names = [*roots, *(places if self.placed else ())]
        chosen = (_column(self.frame, c).alias(f"c{i}") for i, c in enumerate(names))
        return self.frame.select(*chosen), names


def _worked(
    batches: Iterator[Any], *, name: str, columns: Sequence[str], work: Work
) -> Iterator[Any]:
    """Work on one partition, in Spark's worker; an empty one gives nothing."""
    from pyspark import TaskContext

    context = TaskContext.get()
    number = context.partitionId() if context else 0
    parts = _parts(batches, columns, f"{name} (partition {number})")
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


def _parts(batches: Iterator[Any], columns: Sequence[str], name: str) -> Iterator[Part]:
    """Yield rows that follow each other in one file as parts, `CHUNK_ROWS` and more at a time."""
    done = 0
    for rows in _gathered(batches, columns):
        if ROW not in columns or _scattered(rows):
            yield _part(rows.drop(PLACE, strict=False), name, done + 1, None)
            done += rows.height
            continue
        yield from _pieces(rows)


BEGINS = (pl.col(FILE) != pl.col(FILE).shift()) | (pl.col(ROW) != pl.col(ROW).shift() + 1)
"""Where a row does not follow the one before it in one file."""


def _scattered(rows: pl.DataFrame) -> bool:
    """Return whether the rows are those of a filter or of a shuffle, hardly two in a row."""
    return bool(rows.select(BEGINS.sum()).item() > rows.height / MOST_SCATTERED)


def _pieces(rows: pl.DataFrame) -> Iterator[Part]:
    """Yield rows that follow each other in one file, as their places say."""
    starts = [0, *rows.select(BEGINS.fill_null(value=False).arg_true()).to_series().to_list()]
    for start, end in zip(starts, [*starts[1:], rows.height], strict=True):
        piece = rows.slice(start, end - start)
        path = path_of(piece[FILE][0])
        size = piece[BYTES][0] if BYTES in piece.columns else None
        yield _part(piece.drop(KNOWN, strict=False), path, piece[ROW][0] + 1, size)


def _gathered(batches: Iterator[Any], columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows of batches, which are small, together."""
    waiting: list[pl.DataFrame] = []
    for batch in batches:
        if batch.num_rows:
            waiting.append(_named(batch, columns))
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


def path_of(address: str) -> str:
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
        except Exception as error:
            # Some of Java's, Spark has put into no class of its own.
            theirs = isinstance(error, PySparkException | OSError)
            if not theirs and type(error).__module__.split(".")[0] not in ("py4j", "grpc"):
                raise
            raise UnreadableLogError(
                f"Spark could not read {name} to its end: {_cause(error)}."
            ) from error


def _cause(error: BaseException) -> str:
    """Return what a worker's last line says, else the first line of the message."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line.startswith("lossreport.errors.")]
    if said:
        return said[-1].split(": ", 1)[-1].rstrip(".")
    missing = [line for line in lines if line.startswith("ModuleNotFoundError: No module named")]
    if missing:
        return f"{missing[0]}: Spark's workers need lossreport too"
    spoken = (CODE.search(line) for line in lines)
    return next((f[0].rstrip(".") for f in spoken if f), reason(error))
