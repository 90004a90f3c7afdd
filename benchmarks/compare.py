"""Times `lossreport report` beside the query that a person would write by hand.

In one run and in turn: lossreport with three single groupings and their combination and everything
on; (a) DuckDB's and (b) Polars' count, MAE and MSE by the three columns; (c) reading the needed
columns alone. Prints seconds, CPU seconds and peak memory of each whole process, and the ratios to
the DuckDB query pair by pair, as minimum, median and maximum; then the start-up times.

    python -m benchmarks.compare --rows 20000000 --rows 100000000
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.make_log import log_folder

ROOT = Path(__file__).parent.parent
DUCKDB = """
import duckdb, sys
duckdb.sql(f'''select region, model, segment, count(*), avg(abs(predicted - actual)),
  avg((predicted - actual) * (predicted - actual)) from '{sys.argv[1]}/*.parquet'
  where actual is not null and not isnan(predicted) group by all''').fetchall()
"""
POLARS = """
import polars as pl, sys
e = pl.col("predicted") - pl.col("actual")
pl.scan_parquet(f"{sys.argv[1]}/*.parquet").select("region", "model", "segment", e=e).filter(
    pl.col("e").is_finite()
).group_by("region", "model", "segment").agg(
    pl.len(), mae=pl.col("e").abs().mean(), mse=(pl.col("e") ** 2).mean()
).collect(engine="streaming")
"""
READING = """
import polars as pl, sys
pl.scan_parquet(f"{sys.argv[1]}/*.parquet").select(pl.all().count()).collect(engine="streaming")
"""
GROUPINGS = ("region", "model", "segment", "region,model,segment")


@dataclass(frozen=True)
class Usage:
    """What one whole process used."""

    wall: float
    cpu: float
    peak: float
    """Largest resident memory in GB."""


def measure(command: list[str]) -> Usage:
    """Run a command to its end."""
    started = time.perf_counter()
    # Polars, imported here, has set its allocator for itself and all processes below it.
    own = {k: v for k, v in os.environ.items() if k != "_RJEM_MALLOC_CONF"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT, env=own)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"{command} failed with {os.waitstatus_to_exitcode(status)}")
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6)


def commands(log: Path, folder: Path) -> dict[str, list[str]]:
    """Return what is compared."""
    by = [word for grouping in GROUPINGS for word in ("--by", grouping)]
    outputs = ["--html", f"{folder}/r.html", "--json", f"{folder}/r.json"]
    outputs += ["--profile", f"{folder}/p.parquet"]
    report = [sys.executable, "-m", "lossreport", "report", str(log), *by, *outputs]
    queries = {"duckdb by hand": DUCKDB, "polars by hand": POLARS, "reading only": READING}
    hand = {name: [sys.executable, "-c", code, str(log)] for name, code in queries.items()}
    return {"lossreport report": report, **hand}


def spread(values: list[float], digits: int = 2) -> str:
    """Return minimum, median and maximum."""
    middle = statistics.median(values)
    return " / ".join(f"{v:.{digits}f}" for v in (min(values), middle, max(values)))


def compare(log: Path, rows: int, runs: int) -> None:
    """Run everything in turn and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        todo = commands(log, Path(folder))
        for command in todo.values():
            measure(command)
        used: dict[str, list[Usage]] = {name: [] for name in todo}
        for _ in range(runs):
            for name, command in todo.items():
                used[name].append(measure(command))
    print(f"\n{rows:,} rows, {runs} runs, each figure as min / median / max\n")
    print("| | wall s | CPU s | peak GB | wall, times the DuckDB query |")
    print("|---|---|---|---|---|")
    for name, all_used in used.items():
        pairs = zip(all_used, used["duckdb by hand"], strict=True)
        ratios = spread([u.wall / d.wall for u, d in pairs])
        figures = [spread([getattr(u, f) for u in all_used]) for f in ("wall", "cpu", "peak")]
        print(f"| {name} | {' | '.join(figures)} | {ratios} |")


def start_up(runs: int) -> None:
    """Time the command where reading costs nothing."""
    apples = str(ROOT / "example_logs" / "apples.csv")
    with tempfile.TemporaryDirectory() as folder:
        todo = {
            "lossreport --help": ["--help"],
            "lossreport report apples.csv": ["report", apples, "--html", f"{folder}/r.html"],
        }
        print("\n| start-up | wall s | CPU s |\n|---|---|---|")
        for name, words in todo.items():
            used = [measure([sys.executable, "-m", "lossreport", *words]) for _ in range(runs)]
            print(
                f"| {name} | {spread([u.wall for u in used])} | {spread([u.cpu for u in used])} |"
            )


def main(
    rows: Annotated[list[int] | None, typer.Option(help="Rows of the log; repeat.")] = None,
    runs: Annotated[int, typer.Option(help="Counted runs after one to warm up.")] = 5,
    logs: Annotated[Path, typer.Option(help="Where to keep the logs.")] = ROOT / "benchmarks/logs",
) -> None:
    """Compare lossreport with queries written by hand."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for n in rows or [20_000_000, 100_000_000]:
        # Apart, so that the peak of making the log is not inherited by what is measured.
        make = f"from benchmarks.make_log import make_log; make_log({str(logs)!r}, {n})"
        subprocess.run([sys.executable, "-c", make], check=True, cwd=ROOT)
        compare(log_folder(logs, n), n, runs)
    start_up(runs)


if __name__ == "__main__":
    typer.run(main)
