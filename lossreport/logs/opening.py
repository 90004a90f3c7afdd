"""Opens files as logs; only their schemas are read."""

from __future__ import annotations

import glob
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import polars as pl

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.arrow_stream import batches
from lossreport.logs.compression import compression_of, opened
from lossreport.logs.dialect import TextOptions
from lossreport.logs.fields import with_fields
from lossreport.logs.files import THROUGH_PANDAS, format_by_ending, format_of
from lossreport.logs.json_text import open_json
from lossreport.logs.log import Log
from lossreport.logs.object_stores import files_of
from lossreport.logs.pandas_files import open_with_pandas
from lossreport.logs.part import Part, Source
from lossreport.logs.partitions import with_path_columns
from lossreport.logs.patience import in_time, reading
from lossreport.logs.tables import is_table, open_table, refuse_tables
from lossreport.logs.text import open_text

FILES_AT_ONCE = 16
"""So many files of an object store are opened at a time."""


def open_log(
    paths: Sequence[str],
    text: TextOptions | None = None,
    *,
    asked: Collection[str] = (),
    sheet: str | None = None,
) -> Log:
    """Open files, folders, globs and URLs as one log; see `open_files`."""
    return open_files(files_of(paths), text, asked=asked, sheet=sheet)


def open_files(
    files: Sequence[str],
    text: TextOptions | None = None,
    *,
    skip_bad: bool = False,
    asked: Collection[str] = (),
    sheet: str | None = None,
) -> Log:
    """Open files that `find_files` found as one log.

    Parameters
    ----------
    text
        What is known about how text files are written; the rest is found.
    skip_bad
        Leave out, and name, files that cannot be read, instead of raising.
    asked
        Columns that will be needed: looked for in whole files where others are not.
    sheet
        The sheet of workbooks; None means the first.

    Raises
    ------
    UsageError
        A folder is a table that only its own log of changes makes whole.
    UnreadableLogError
        A file is not what its ending says, is empty, damaged or of no known format; with
        `skip_bad`, all of them are.
    """
    text = text or TextOptions()
    parts: list[Part] = []
    skipped: list[Source] = []
    refuse_tables(files)
    for path, opened_part in zip(files, _each(files, text, asked, sheet), strict=True):
        try:
            parts.append(with_path_columns(with_fields(opened_part())))
        except UnreadableLogError as error:
            if not skip_bad:
                raise
            skipped.append(Source(path, 0, _size(path), skipped=str(error)))
    if not parts:
        raise UnreadableLogError(
            f"None of the log's files ({len(skipped):,}) could be read. The first: "
            f"{skipped[0].skipped}"
        )
    return Log(tuple(parts), skip_bad, tuple(skipped), text.missing)


def _each(
    files: Sequence[str], text: TextOptions, asked: Collection[str], sheet: str | None
) -> Iterator[Callable[[], Part]]:
    """Yield what returns each file's part, or raises why there is none.

    To open an object of a store takes several answers of a server: many are asked for at once.
    """

    def part(path: str) -> Part:
        return in_time(path, partial(_open, path, text, asked, sheet))

    if sum("://" in path for path in files) < 2:
        yield from (partial(part, path) for path in files)
        return
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        futures = [pool.submit(part, path) for path in files]
        try:
            yield from (future.result for future in futures)
        finally:
            pool.shutdown(cancel_futures=True)


def _size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except OSError:
        return None


def _open(path: str, text: TextOptions, asked: Collection[str], sheet: str | None) -> Part:
    if is_table(path):
        return open_table(path)
    if "://" in path:
        fmt = format_by_ending(path.split("?")[0]) or "parquet"
        if fmt in THROUGH_PANDAS:
            raise UsageError(
                f"{path}: files of {fmt} cannot be read from a URL; download it first."
            )
        return _scanned(path, fmt, None, text)
    file = Path(path)
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(65_536)
    except OSError as error:
        raise UnreadableLogError(f"{path} cannot be opened: {error.strerror}.") from error
    if not start:
        raise UnreadableLogError(f"{path} is an empty file.")
    if format_by_ending(path) in THROUGH_PANDAS:  # workbooks are archives themselves
        fmt = format_of(path, start)
        if fmt in THROUGH_PANDAS:
            return open_with_pandas(path, fmt, size, sheet)
    kind = compression_of(start)
    if kind is not None:
        with opened(path, kind) as content:
            start = content.read(65_536)
    fmt = format_of(path, start)
    if fmt in ("ndjson", "json"):
        return open_json(path, kind, size, lines=fmt == "ndjson", asked=asked)
    return _scanned(path, fmt, size, text)


def _scanned(path: str, fmt: str, size: int | None, text: TextOptions) -> Part:
    """Return the part for one file; only its schema is read."""
    rows = None
    with reading(path):
        if fmt == "parquet":
            frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
            rows = int(frame.select(pl.len()).collect().item())
        elif fmt == "ipc":
            frame = pl.scan_ipc(path, glob=False, hive_partitioning=False)
        elif fmt == "ipc stream":
            first = next(batches(path))
            return Part(path, fmt, size, rows, first.schema, partial(_stream, path))
        elif fmt in ("ndjson", "json"):
            name = path if "://" in path else glob.escape(path)  # it takes every name for a glob
            looked_at = None if size is not None and size < 2**26 else 100_000
            names = pl.scan_ndjson(name, infer_schema_length=looked_at).collect_schema().names()
            frame = pl.scan_ndjson(name, schema=dict.fromkeys(names, pl.String))
        else:
            return open_text(path, size, text)
        schema = frame.collect_schema()
    return Part(path, fmt, size, rows, schema, lambda columns: iter([frame.select(columns)]))


def _stream(path: str, columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
    return (frame.lazy() for frame in batches(path, columns))
