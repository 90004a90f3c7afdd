"""Finds, opens and checks logs, and hands out their rows chunk by chunk."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import narwhals as nw
import polars as pl

from lossreport.columns import Columns
from lossreport.errors import LossReportError, UnreadableLogError, UsageError
from lossreport.profiles import NO_TIME, Source, key_names, with_numbers
from lossreport.values import exact_difference, is_text, number, reads, time, time_format

CHUNK_ROWS = 100_000
"""As many as Polars reads at a time: so chunks need no copying together, and fit the cache."""
SAMPLE_ROWS = 10_000
ENDINGS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".arrow": "ipc",
    ".ipc": "ipc",
    ".feather": "ipc",
    ".arrows": "ipc stream",
}
COMPRESSIONS = (".gz", ".zst")
SCHEMES = ("s3", "gs", "gcs", "az", "abfs", "abfss", "https", "http", "hf", "file")
SEPARATORS = (",", ";", "\t", "|")


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

    def head(self, rows: int = SAMPLE_ROWS) -> pl.DataFrame:
        """Return the first rows with all columns."""
        with reading(self.path):
            first = next(self.frames(self.schema.names()), None)
            return self.schema.to_frame() if first is None else first.head(rows).collect()


@dataclass(frozen=True)
class Chunk:
    """Some rows of one part, in its order."""

    file: str
    first_row: int
    """The number of the first of them, counting from 1."""
    rows: pl.DataFrame
    """`actual`, `predicted_0`, ..., their `_text` marks; `key_0`, ... for the columns to group by,
    and `hash` of them all; if there is a time, `time` (UTC), `microsecond` and `hour` (both
    since 1970; a missing hour is NO_TIME); and what `profiles.with_numbers` adds."""


@dataclass(frozen=True)
class Log:
    """Rows, opened but not yet read."""

    parts: tuple[Part, ...]

    def sample(self) -> pl.DataFrame:
        """Return the first rows of the first part that has any, with all columns."""
        for part in self.parts:
            head = part.head()
            if head.height:
                return head
        names = ", ".join(p.path for p in self.parts[:3]) + (", ..." if self.parts[3:] else "")
        raise UsageError(f"{names}: no rows. Check what wrote the log, or give another one.")

    def chunks(self, columns: Columns, sources: list[Source]) -> Iterator[Chunk]:
        """Yield the rows, with the numbers that the statistics add up.

        `sources` receives one entry per part once its last row has been yielded.

        Raises
        ------
        UnreadableLogError
            A part lacks a column, cannot be read, or yields another number of rows than it says.
        """
        for part in self.parts:
            read = 0
            for rows in _rows_of_part(part, columns):
                yield Chunk(part.path, read + 1, rows)
                read += rows.height
            if part.rows is not None and read != part.rows:
                raise UnreadableLogError(
                    f"{part.path} says that it holds {part.rows:,} rows, but {read:,} "
                    "could be read."
                )
            sources.append(Source(part.path, read, part.bytes))


def _rows_of_part(part: Part, columns: Columns) -> Iterator[pl.DataFrame]:
    lacking = [c for c in columns.needed if c not in part.schema]
    if lacking:
        raise UnreadableLogError(
            f"{part.path} has no column {', '.join(map(repr, lacking))}, which the other files of "
            f"the log have. Its columns are: {', '.join(part.schema.names())}."
        )
    read = _row_expressions(part, columns)
    with reading(part.path):
        for frame in part.frames(columns.needed):
            rows = with_numbers(nw.from_native(frame.select(read)), len(columns.predicted))
            yield from rows.to_native().collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True)


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
    if hashes:
        expressions.append(reduce(add, hashes).alias("hash"))
    if columns.time is not None:
        fmt = _time_format(part, columns)
        if is_text(schema[columns.time]) and fmt is None:
            return expressions
        when = time(columns.time, schema[columns.time], fmt)
        microsecond = when.to_physical().alias("microsecond")
        hour = (microsecond // 3_600_000_000).fill_null(NO_TIME)
        expressions += [when.alias("time"), microsecond, hour.alias("hour")]
    return expressions


def _time_format(part: Part, columns: Columns) -> str | None:
    """Return how this part writes its times: as the first one does, or in its own way."""
    if columns.time is None or not is_text(part.schema[columns.time]):
        return None
    texts = part.head()[columns.time]
    if columns.time_format and reads(texts, columns.time_format):
        return columns.time_format
    return time_format(texts) or columns.time_format


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


def open_log(paths: Sequence[str]) -> Log:
    """Open files, folders, globs and URLs as one log.

    Raises
    ------
    UsageError
        A path does not exist, a folder or glob has no logs, or the ending is not known.
    UnreadableLogError
        A file is not what its ending says, is empty or is damaged.
    """
    return Log(tuple(_open(f) for f in find_files(paths)))


def find_files(paths: Sequence[str]) -> list[str]:
    """Return the files that paths, folders, globs and URLs stand for, each once.

    Raises
    ------
    UsageError
        A path does not exist, or a folder or glob has no logs.
    """
    found: dict[str, str] = {}
    for path in paths:
        for file in _files(path):
            same = file if "://" in file else str(Path(file).resolve())
            found.setdefault(same, file)
    return list(found.values())


def _files(path: str) -> list[str]:
    if "://" in path:
        scheme = path.split("://")[0]
        if scheme not in SCHEMES:
            known = ", ".join(f"{s}://" for s in SCHEMES)
            raise UsageError(f"{path} is no URL that can be read: {known} are.")
        return [path]
    if not path.strip():
        raise UsageError("A log's path is empty.")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise UsageError(f"The name of {path!r} is not UTF-8: rename the file.") from None
    here = Path(path)
    if here.is_dir():
        found = sorted(str(f) for f in here.rglob("*") if _is_log_file(f, here))
        if not found:
            raise UsageError(f"There are no logs in the folder {path}: looked for {_endings()}.")
        return found
    if here.exists():
        return [path]
    if glob.has_magic(path):
        found = sorted(f for f in glob.glob(path, recursive=True) if Path(f).is_file())  # noqa: PTH207 - the pattern may be absolute
        if found:
            return found
        raise UsageError(f"No file matches {path}.")
    near = (
        [f for f in here.parent.iterdir() if _is_log_file(f, here.parent)]
        if here.parent.is_dir()
        else []
    )
    hint = (
        f" In {here.parent} there are: {', '.join(sorted(f.name for f in near)[:10])}."
        if near
        else ""
    )
    raise UsageError(f"There is no file {path}.{hint}")


def _is_log_file(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    return not hidden and _format_by_ending(file.name) is not None and file.is_file()


def _format_by_ending(name: str) -> str | None:
    path = Path(name.lower())
    ending = Path(path.stem).suffix if path.suffix in COMPRESSIONS else path.suffix
    return ENDINGS.get(ending)


def _endings() -> str:
    return ", ".join(ENDINGS) + " (text also with .gz or .zst)"


def _open(path: str) -> Part:
    if "://" in path:
        fmt = _format_by_ending(path.split("?")[0]) or "parquet"
        return _scanned(path, fmt, None)
    file = Path(path)
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            start = opened.read(65_536)
    except OSError as error:
        raise UnreadableLogError(f"{path} cannot be opened: {error.strerror}.") from error
    if not start:
        raise UnreadableLogError(f"{path} is an empty file.")
    return _scanned(path, _format(path, start), size)


def _format(path: str, start: bytes) -> str:
    """Return the format by content, where content tells, else by ending."""
    by_ending = _format_by_ending(path)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"ARROW1"):
        return "ipc"
    if start.startswith(b"\xff\xff\xff\xff"):
        return "ipc stream"
    if by_ending in ("parquet", "ipc"):
        raise UnreadableLogError(
            f"{path} ends like a {by_ending} file but does not begin like one."
        )
    if by_ending is not None:
        return by_ending
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        return "ndjson"
    if b"\x00" not in start and not text.startswith(b"["):
        return "csv"
    raise UsageError(f"{path} is of no format that can be read: {_endings()}.")


def _scanned(path: str, fmt: str, size: int | None) -> Part:
    """Return the part for one file; only its schema is read."""
    rows = None
    with reading(path):
        if fmt == "parquet":
            frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
            rows = int(frame.select(pl.len()).collect().item())
        elif fmt == "ipc":
            frame = pl.scan_ipc(path, glob=False, hive_partitioning=False)
        elif fmt == "ipc stream":
            frame = pl.read_ipc_stream(path).lazy()
        elif fmt == "ndjson":
            name = path if "://" in path else glob.escape(path)  # it takes every name for a glob
            looked_at = None if size is not None and size < 2**26 else 100_000
            names = pl.scan_ndjson(name, infer_schema_length=looked_at).collect_schema().names()
            frame = pl.scan_ndjson(name, schema=dict.fromkeys(names, pl.String))
        else:
            frame = pl.scan_csv(path, infer_schema=False, separator=_separator(path), glob=False)
        schema = frame.collect_schema()
    return Part(path, fmt, size, rows, schema, lambda columns: iter([frame.select(columns)]))


def _separator(path: str) -> str:
    """Return the separator that occurs most often in the header, outside of quotes."""
    if Path(path.lower().removesuffix(".gz").removesuffix(".zst")).suffix == ".tsv":
        return "\t"
    whole_lines = pl.scan_csv(
        path, has_header=False, separator="\x1f", quote_char=None, infer_schema=False,
        encoding="utf8-lossy", glob=False, truncate_ragged_lines=True,
    )  # fmt: skip
    first = whole_lines.head(1).collect()
    header = "" if first.is_empty() else first.item(0, 0) or ""
    return max(SEPARATORS, key=re.sub(r'"[^"]*"', "", header).count)
