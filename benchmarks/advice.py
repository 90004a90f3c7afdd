"""Is the advice right? Simulated logs with a known answer, judged with lossreport as users run it.

Every log is written to a file, read by `lossreport.report`, and its pick is compared with what is
true of the law that the errors were drawn from: how many rows each loss needs. Beside it: what a
user would pick by a rule of thumb, and whether what lossreport says of itself (confidence, ruled
out, alarms, flags, intervals) holds.

    python -m benchmarks.advice            # about 10 minutes of one core
    python -m benchmarks.advice --quick    # about a minute
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

# One core, whatever the machine has; Polars looks at it when it is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import typer

from benchmarks import tables
from benchmarks.judged import Judged, simulated
from benchmarks.planted import CALIBRATIONS

SEED = 20261126
LOGS = {100: 60, 300: 60, 1_000: 40, 10_000: 15}
"""Rows of a log, and how many logs of each law."""
QUICK = {100: 4, 300: 4, 1_000: 4, 10_000: 2}
TABLES = {
    "Near-optimal share / mean regret": tables.rules_table,
    "Picks L2/Huber/L1, mean regret, special verdicts": tables.picks_table,
    "Confidence: share near-optimal (logs)": tables.confidence_table,
    "Ruled out, although ... (statements)": tables.ruled_out_table,
    "Rows said to lie apart in logs without a fault": tables.alarms_table,
    "95 % interval of RMSE/MAE: share that holds the true ratio": tables.coverage_table,
}


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Few logs of each law.")] = False,
    only: Annotated[str, typer.Option(help="One part: laws or planted.")] = "",
    seed: Annotated[int, typer.Option(help="Of all random numbers.")] = SEED,
) -> None:
    """Print the tables as Markdown."""
    start, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as name:
        if only != "planted":
            _laws(seed, QUICK if quick else LOGS, Path(name))
        if only != "laws":
            for title, calibrated in CALIBRATIONS.items():
                print(title, file=sys.stderr)
                _show(title, calibrated(seed, quick, Path(name)))
    used = time.process_time() - cpu
    print(f"{used:.0f} CPU s, {time.perf_counter() - start:.0f} s in all.")


def _laws(seed: int, logs: dict[int, int], folder: Path) -> None:
    print(f"Seed {seed}; logs of each law by rows: {logs}\n")
    judged: list[Judged] = []
    for one in simulated(seed, logs, folder):
        if not judged or one.law != judged[-1].law:
            print(one.rows, one.law.name, file=sys.stderr)
        judged.append(one)
    for title, made in TABLES.items():
        _show(title, made(judged))
    print(f'Wrong with "high", by rows: {tables.surely_wrong(judged)}\n', flush=True)


def _show(title: str, made: str) -> None:
    print(f"### {title}\n\n{made}\n", flush=True)


if __name__ == "__main__":
    typer.run(main)
