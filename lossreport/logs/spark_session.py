"""Starts Spark, or reaches one that runs, and opens paths and tables there."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote, urlsplit

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.log import Log
from lossreport.logs.part import CHUNK_ROWS
from lossreport.logs.spark import open_spark, told

PATIENCE = 10.0
"""Seconds to wait for an answer at the address of a Spark."""
PORTS = {"spark": 7077, "sc": 15002}
MOST_LOOKED_AT = 1_000
"""Of no more files than this it is looked up which columns each has: some 30 ms of each."""
AT_ONCE = 8
KINDS = ("table", "delta", "iceberg", "orc", "parquet")
"""What can stand before a log's name and a colon; a path alone is Parquet."""


def open_in_spark(
    paths: Sequence[str], master: str | None = None, remote: str | None = None
) -> Log:
    """Open paths or tables in Spark as one log.

    Parameters
    ----------
    paths
        Files, folders and globs of Parquet as Spark's workers see them; or "table:db.name",
        "delta:PATH", "iceberg:NAME", "orc:PATH".
    master
        The address of Spark's master ("spark://host:7077", "local[*]"); by default what Spark is
        set up for, else this machine.
    remote
        The address of a Spark Connect server ("sc://host:15002"), instead of a master.

    Raises
    ------
    UsageError
        Spark is not installed, the paths are of several kinds, or there is no such path or table.
    UnreadableLogError
        No Spark answers at the address.
    """
    kinds = {_kind_of(path) for path in paths}
    if len(kinds) > 1 or (kinds != {"parquet"} and len(paths) > 1):
        raise UsageError("Spark reads paths of Parquet, or one table, at a time: name only these.")
    (kind,) = kinds
    named = [p.removeprefix(f"{kind}:") for p in paths]
    session = _session(master, remote)
    name = ", ".join(paths[:3]) + (", ..." if paths[3:] else "")
    with told(name):
        if kind == "table":
            frame = session.table(*named)
        elif kind == "parquet":
            frame = session.read.option("mergeSchema", "true").parquet(*named)
            return open_spark(frame, name, _lacking(session, frame.inputFiles()))
        else:
            frame = session.read.format(kind).load(*named)
    return open_spark(frame, name)


def _lacking(session: Any, files: Sequence[str]) -> dict[str, str]:
    """Return the columns that not every file has, each with the first file that lacks it."""
    if not 1 < len(files) <= MOST_LOOKED_AT:
        return {}
    files = sorted(files)
    # They come as addresses, and are read as patterns.
    paths = [re.sub(r"([\\*?{}\[\]])", r"\\\1", unquote(file)) for file in files]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        columns = list(threads.map(lambda path: session.read.parquet(path).columns, paths))
    # Spark takes names that differ in case only for one.
    folded = [{c.lower() for c in own} for own in columns]
    every = dict.fromkeys(c for own in columns for c in own)
    lacked = {
        c: [f for f, own in zip(files, folded, strict=True) if c.lower() not in own] for c in every
    }
    return {c: by[0] for c, by in lacked.items() if by}


def _kind_of(path: str) -> str:
    kind = path.split(":", 1)[0]
    if kind in KINDS and ":" in path:
        return kind
    if path.lower().endswith((".csv", ".tsv", ".json", ".ndjson", ".jsonl", ".gz", ".arrow")):
        raise UsageError(
            f"{path} is no Parquet: text files are read without --engine spark, or after Spark has "
            "made a table of them."
        )
    return "parquet"


def _session(master: str | None, remote: str | None) -> Any:
    """Return the session of a Spark that runs, or start one."""
    if master and remote:
        raise UsageError("Give --spark-master or --spark-remote, not both.")
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError("--engine spark needs pip install 'lossreport[spark]'.") from error
    address = remote or master
    if address and "://" in address:
        _reach(address)
    builder = SparkSession.builder.appName("lossreport")
    with told(address or "Spark"):
        if remote:
            return builder.remote(remote).getOrCreate()
        if master is None or master.startswith("local"):
            # Spark's workers here need what this Python has; it would start any python3.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            # Each task has a core; Polars would take them all for each.
            "spark.executorEnv.POLARS_MAX_THREADS": "1",
            # A fifth less time than with Spark's 10,000.
            "spark.sql.execution.arrow.maxRecordsPerBatch": str(CHUNK_ROWS),
        }
        for key, value in settings.items():
            builder = builder.config(key, value)
        return (builder.master(master) if master else builder).getOrCreate()


def _reach(address: str) -> None:
    """Refuse an address where nobody answers: Spark itself would try for minutes."""
    scheme, rest = address.split("://", 1)
    if scheme not in PORTS:
        return
    failed: list[str] = []
    for host in rest.split("/")[0].split(";")[0].split(","):
        at = urlsplit(f"//{host}")
        try:
            port = at.port or PORTS[scheme]
        except ValueError as error:
            raise UsageError(f"{address} is no address of Spark: {error}.") from error
        try:
            with socket.create_connection((at.hostname or "", port), timeout=PATIENCE):
                return
        except OSError as error:
            failed.append(f"{host}: {error.strerror or error}")
    raise UnreadableLogError(f"No Spark answers at {address} ({'; '.join(failed)}).")
