"""Which engine reads a log: Polars, or DuckDB or Spark where the rows are theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from lossreport.errors import UsageError
from lossreport.logs.dialect import TextOptions
from lossreport.logs.queries import MEMORY, open_in_duckdb, open_query
from lossreport.logs.spark_session import open_in_spark

Name = Literal["polars", "duckdb", "spark"]


@dataclass(frozen=True)
class Engine:
    """What reads a log."""

    name: str | None = None
    """None: DuckDB for a query, what a frame is of, Polars for paths."""
    query: str | None = None
    master: str | None = None
    """The address of Spark's master."""
    remote: str | None = None
    """The address of a Spark Connect server."""


def open_with(
    engine: Engine, log: Any, paths: list[str] | None, text: TextOptions, sheet: str | None
) -> Any:
    """Return the log that an engine opens; what was given, if that is for Polars to open.

    Parameters
    ----------
    paths
        Those of the log; None if it is a frame.

    Raises
    ------
    UsageError
        There is no such engine, or it cannot be given what it was.
    UnreadableLogError
        The engine does not answer, or cannot read the log.
    """
    name, query = engine.name, engine.query
    if name not in (None, *get_args(Name)):
        raise UsageError(f"There is no engine {name!r}. Choose: {', '.join(get_args(Name))}.")
    if (engine.master or engine.remote) and name != "spark":
        raise UsageError("--spark-master and --spark-remote are for --engine spark.")
    if query is not None and name not in (None, "duckdb"):
        raise UsageError(f"A query is put to DuckDB, not to {name}.")
    if query is None and name in (None, "polars"):
        return log
    if replace(text, missing=()) != TextOptions() or sheet is not None:
        what = "A query gives" if query is not None else f"The engine {name} gives"
        raise UsageError(f"{what} rows and no text: how files are written tells it nothing.")
    if query is not None:
        if paths is None or len(paths) != 1:
            raise UsageError(
                f"A query is put to one file of DuckDB, or to {MEMORY}: name it as LOG."
            )
        return open_query(paths[0], query)
    if paths is None:
        raise UsageError("A frame is read by what it is a frame of: give no engine.")
    if name == "duckdb":
        return open_in_duckdb(paths)
    return open_in_spark(paths, engine.master, engine.remote)
