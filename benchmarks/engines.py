"""Reports the benchmark's log by every engine, and compares their JSON figure by figure.

    python -m benchmarks.engines --rows 20000000

Polars, DuckDB, Spark on a cluster of a master and two workers, and Spark Connect, all on this
machine. Prints what each took, and where its JSON differs from that of Polars: floats by more than
1e-9, all else at all.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.compare import GROUPINGS, ROOT, measure
from benchmarks.make_log import log_folder, make_log
from benchmarks.scale import apart
from tests.spark_cluster import cluster, connect_server, environment
from tests.test_spark import differing

SHOWN = 10


def main(
    rows: Annotated[int, typer.Option(help="Rows of the log.")] = 20_000_000,
    logs: Annotated[Path, typer.Option(help="Where to keep the logs.")] = ROOT / "benchmarks/logs",
) -> None:
    """Compare the engines."""
    apart(make_log, logs, rows)
    os.environ.update(environment())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        spark = stack.enter_context(cluster(folder))
        connect = stack.enter_context(connect_server(folder))
        ways = {
            "polars": [],
            "duckdb": ["--engine", "duckdb"],
            "spark": ["--engine", "spark", "--spark-master", spark.url],
            "spark connect": ["--engine", "spark", "--spark-remote", connect],
        }
        files = sorted(map(str, log_folder(logs, rows).iterdir()))
        figures: dict[str, Any] = {}
        print("| engine | wall s | CPU s here | peak GB here |\n|---|--:|--:|--:|")
        for name, words in ways.items():
            out = folder / f"{name}.json"
            by = [word for grouping in GROUPINGS for word in ("--by", grouping)]
            used = measure(
                [sys.executable, "-m", "lossreport", "report", *files, *by, *words, "--quiet",
                 "--title", "x", "--html", str(folder / f"{name}.html"), "--json", str(out)]
            )  # fmt: skip
            print(f"| {name} | {used.wall:.1f} | {used.cpu:.1f} | {used.peak:.2f} |", flush=True)
            figures[name] = json.loads(out.read_text("utf-8"))
    for name, of_engine in figures.items():
        found = list(differing(of_engine, figures["polars"]))
        print(f"\n{name}: {len(found)} differences from Polars")
        print("\n".join(found[:SHOWN]))


if __name__ == "__main__":
    typer.run(main)
