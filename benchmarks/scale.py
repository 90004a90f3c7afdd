"""Measures how time and memory grow: with rows, with groups, and with Spark's executors.

    python -m benchmarks.scale --plot docs/scale.svg

Prints a table of each, with the exponents of a power law through the larger half of its points
(1 is growth in proportion), and draws them. Rows are those of `make_log`, whose files are repeated;
groups are those of a column with that many values, of 10 million rows. Spark is a master and
workers with one core each on this machine: it needs Java and the extra `spark`.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer

from benchmarks.compare import ROOT, Usage, measure, spread
from benchmarks.make_log import ROWS_PER_FILE, make_log

MILLION = 1_000_000
ROWS = (1, 10, 100, 300)
GROUPS = (10, 1_000, 100_000, 1_000_000)
EXECUTORS = (1, 2, 4)
SPARK_ROWS = 10
GROUPINGS = ("--by", "region", "--by", "model", "--by", "segment", "--by", "region,model,segment")


@dataclass(frozen=True)
class Point:
    """What one size took."""

    size: int
    usages: tuple[Usage, ...]

    @property
    def wall(self) -> float:
        """The median, in seconds."""
        return float(np.median([u.wall for u in self.usages]))

    @property
    def peak(self) -> float:
        """The largest, in GB."""
        return max(u.peak for u in self.usages)


def report(log: Path | Sequence[Path], words: Sequence[str], folder: Path) -> list[str]:
    """Return the command."""
    logs = [log] if isinstance(log, Path) else log
    out = ["--html", str(folder / "r.html"), "--json", str(folder / "r.json"), "--quiet", "--force"]
    return [sys.executable, "-m", "lossreport", "report", *map(str, logs), *words, *out]


def apart(make: Callable[..., None], *given: object) -> None:
    """Have a log made by a process of its own: what is measured would begin with its peak."""
    process = get_context("spawn").Process(target=make, args=given)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{make.__name__} failed with {process.exitcode}")


def _head(file: Path, log: Path, rows: int) -> None:
    pl.scan_parquet(file).head(rows).sink_parquet(log)


def _with_users(file: Path, log: Path, users: int) -> None:
    rows = pl.read_parquet(file)
    drawn = np.random.default_rng(1).integers(0, users, rows.height)
    rows.with_columns(pl.Series("user", drawn).cast(pl.String)).write_parquet(log)


def of_rows(logs: Path, folder: Path, runs: int) -> Iterator[Point]:
    """Time logs of more and more rows: of one file's first rows, then of files once and again."""
    files = sorted((logs / "log-100M").iterdir())
    for millions in ROWS:
        log = folder / f"{millions}M"
        log.mkdir()
        if millions * MILLION < ROWS_PER_FILE:
            apart(_head, files[0], log / "1.parquet", millions * MILLION)
        for i in range(millions * MILLION // ROWS_PER_FILE):
            os.link(files[i % len(files)], log / f"{i:03}.parquet")
        command = report(log, GROUPINGS, folder)
        yield Point(millions * MILLION, tuple(measure(command) for _ in range(runs)))


def of_groups(logs: Path, folder: Path, runs: int) -> Iterator[Point]:
    """Time a grouping of more and more groups."""
    (file,) = (logs / "log-10M").iterdir()
    for groups in GROUPS:
        log = folder / f"{groups}.parquet"
        apart(_with_users, file, log, groups)
        command = report(log, ("--by", "user", "--by", "region"), folder)
        yield Point(groups, tuple(measure(command) for _ in range(runs)))
        log.unlink()


def of_executors(logs: Path, folder: Path, runs: int) -> Iterator[Point]:
    """Time Spark with more and more executors; the driver's memory is told, not theirs."""
    from tests.spark_cluster import cluster, environment

    log = logs / f"log-{SPARK_ROWS}M"
    os.environ.update(environment())
    for executors in EXECUTORS:
        home = folder / f"spark{executors}"
        home.mkdir()
        with cluster(home, executors) as made:
            words = (*GROUPINGS, "--engine", "spark", "--spark-master", made.url)
            command = report(log, words, folder)
            measure(command)
            yield Point(executors, tuple(measure(command) for _ in range(runs)))


def exponent(points: Sequence[Point], figure: str) -> float:
    """Return the exponent of the power law through the larger half of the points."""
    later = points[len(points) // 2 :]
    size, value = ([getattr(p, name) for p in later] for name in ("size", figure))
    return float(np.polyfit(np.log(size), np.log(value), 1)[0])


def told(title: str, unit: str, points: Sequence[Point]) -> None:
    """Print a table."""
    print(f"\n### {title}\n")
    print(f"| {unit} | wall s | CPU s | peak GB |\n|--:|---|---|---|")
    for p in points:
        figures = [spread([getattr(u, f) for u in p.usages]) for f in ("wall", "cpu", "peak")]
        print(f"| {p.size:,} | {' | '.join(figures)} |", flush=True)
    of = {name: exponent(points, name) for name in ("wall", "peak")}
    print(f"\nExponents: time {of['wall']:.2f}, memory {of['peak']:.2f}.")


def short(size: int) -> str:
    """Return a size as people say it."""
    for letter, times in (("M", MILLION), ("k", 1_000)):
        if size >= times:
            return f"{size / times:g}{letter}"
    return str(size)


def draw(each: dict[str, Sequence[Point]], path: Path) -> None:
    """Draw time and memory against size, both in logarithms."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "lossreport", "font.size": 9}):
        figure = Figure(figsize=(4 * len(each), 3), layout="constrained")
        axes = figure.subplots(1, len(each), squeeze=False)[0]
        for ax, (unit, points) in zip(axes, each.items(), strict=True):
            sizes = [p.size for p in points]
            ax.plot(sizes, [p.wall for p in points], "-o", color="#0072b2", label="seconds")
            ax.plot(sizes, [p.peak for p in points], "--D", color="#c44e00", label="peak GB")
            ax.set(xscale="log", yscale="log", xlabel=unit, ylim=(0.2, 60))
            ax.set_xticks(sizes, [short(s) for s in sizes], minor=False)
            ax.minorticks_off()
            ax.set_yticks([0.3, 1, 3, 10, 30], ["0.3", "1", "3", "10", "30"])
            ax.grid(color="#d8dee4")
            ax.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def main(
    runs: Annotated[int, typer.Option(help="Runs of each size.")] = 3,
    logs: Annotated[Path, typer.Option(help="Where to keep the logs.")] = ROOT / "benchmarks/logs",
    plot: Annotated[Path | None, typer.Option(help="The SVG to draw.")] = None,
    spark: Annotated[bool, typer.Option(help="Whether to time Spark as well.")] = True,
) -> None:
    """Measure how time and memory grow."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    ways = {"rows": of_rows, "groups": of_groups, **({"executors": of_executors} if spark else {})}
    for rows in (ROWS_PER_FILE, 100 * MILLION):
        apart(make_log, logs, rows)
    each: dict[str, Sequence[Point]] = {}
    for unit, way in ways.items():
        with tempfile.TemporaryDirectory(dir=logs) as folder:
            each[unit] = list(way(logs, Path(folder), runs))
        told(f"By {unit}", unit, each[unit])
    if plot is not None:
        draw(each, plot)


if __name__ == "__main__":
    typer.run(main)
