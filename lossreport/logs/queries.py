"""Opens the rows of a query as a log: DuckDB answers it, from its own file or from elsewhere."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from lossreport.errors import UnreadableLogError, UsageError, reason
from lossreport.logs.files import find_files, format_by_ending
from lossreport.logs.frames import open_frame
from lossreport.logs.log import Log
from lossreport.logs.part import Part
from lossreport.logs.partitions import with_path_columns

MEMORY = ":memory:"
"""Stands for no file: the query says itself where its rows come from."""
READERS = {"parquet": "read_parquet", "csv": "read_csv", "ndjson": "read_json", "json": "read_json"}
"""How DuckDB reads the file of a format."""
HASHED = 8
"""So many characters of its hash name a query."""


def open_in_duckdb(paths: Sequence[str]) -> Log:
    """Open files as one log that DuckDB reads: its own rules say what texts and numbers are.

    One after the other, so that each row has its file and its number there.

    Raises
    ------
    UsageError
        DuckDB is not installed, or the files are of several formats or of one that it does not
        read.
    UnreadableLogError
        A file is not what its ending says.
    """
    files = find_files(paths)
    formats = {str(format_by_ending(f)) for f in files}
    if len(formats) > 1 or not formats <= set(READERS):
        listed = ", ".join(sorted(formats))
        raise UsageError(
            f"DuckDB reads files of one format, {', '.join(READERS)}, not {listed}. What is in a "
            "file of DuckDB is asked for by --query 'from TABLE'."
        )
    (fmt,) = formats
    connection = _duckdb().connect()  # one for all files: each has threads of its own
    return Log(tuple(_part_of_file(connection, file, fmt) for file in files))


def _part_of_file(connection: Any, file: str, fmt: str) -> Part:
    duckdb = _duckdb()
    here = "://" not in file
    quoted = (glob.escape(file) if here else file).replace("'", "''")
    try:
        rows = connection.cursor().sql(
            f"from {READERS[fmt]}('{quoted}', hive_partitioning = false)"
        )
    except duckdb.Error as error:
        raise UnreadableLogError(f"{file} cannot be read by DuckDB: {reason(error)}.") from error
    (part,) = open_frame(rows, file).parts
    size = Path(file).stat().st_size if here else None
    return with_path_columns(replace(part, format=fmt, bytes=size))


def _duckdb() -> Any:
    try:
        return import_module("duckdb")
    except ImportError as error:
        raise UsageError("DuckDB needs pip install 'lossreport[duckdb]'.") from error


def open_query(database: str, query: str) -> Log:
    """Open the rows of a query as a log.

    They are handed out as they come, only with the columns that are needed; the query is put once
    for the first rows and once for all. DuckDB opens its file only for reading.

    Parameters
    ----------
    database
        A file of DuckDB, or `MEMORY`.
    query
        SQL as DuckDB has it. Of several statements, the last one gives the rows.

    Raises
    ------
    UsageError
        DuckDB is not installed, there is no such file, or the query is wrong or gives no rows.
    UnreadableLogError
        The file is none of DuckDB's, or used by a program that writes to it.
    """
    duckdb = _duckdb()
    if database != MEMORY and not Path(database).is_file():
        raise UsageError(f"There is no file {database}; {MEMORY} stands for none.")
    try:
        connection = duckdb.connect(database, read_only=database != MEMORY)
    except duckdb.Error as error:
        raise UnreadableLogError(
            f"{database} cannot be opened by DuckDB: {reason(error)}."
        ) from error
    try:
        rows = connection.sql(query)
    except duckdb.Error as error:
        raise UsageError(f"DuckDB does not take the query: {reason(error)}.") from error
    if rows is None:
        raise UsageError("The query gives no rows: it must end with a select.")
    # Statements before the last may hold passwords, such as those that attach other databases.
    last = duckdb.extract_statements(query)[-1].query
    # Queries to one file are inputs of their own.
    name = f"query {hashlib.sha256(query.encode()).hexdigest()[:HASHED]}"
    log = open_frame(rows, name if database == MEMORY else f"{database} ({name})")
    said = (f"the rows of the query {' '.join(last.split()).rstrip(' ;')}",)
    return replace(log, parts=tuple(replace(p, format="query", read_as=said) for p in log.parts))
