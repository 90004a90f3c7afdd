"""Makes the benchmark's log: a folder of Parquet files of 10 million rows each, seeded.

Columns region (5 values), model (3), segment (40), time (90 days, in order, as logs are written),
actual and predicted; one row of 2,000 is a gross outlier, 0.3 % cannot be scored.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

ROWS_PER_FILE = 10_000_000
REGIONS = ("amer", "apac", "east", "emea", "west")
MODELS = ("gbm-v3", "gbm-v4", "linear")
DAYS = 90


def log_folder(folder: str | Path, rows: int) -> Path:
    """Return where the log of so many rows is kept."""
    return Path(folder) / f"log-{rows // 1_000_000}M"


def make_log(folder: str | Path, rows: int) -> None:
    """Write the log of so many rows unless it is there."""
    log = log_folder(folder, rows)
    log.mkdir(parents=True, exist_ok=True)
    files = rows // ROWS_PER_FILE
    for i in range(files):
        path = log / f"part-{i:03d}.parquet"
        if not path.exists():
            _file(i, files).write_parquet(path.with_suffix(".part"), row_group_size=1_000_000)
            path.with_suffix(".part").rename(path)


def _file(i: int, files: int) -> pl.DataFrame:
    rng = np.random.default_rng([20260901, i])
    n = ROWS_PER_FILE
    region = rng.integers(0, len(REGIONS), n)
    stretch = DAYS * 86_400_000_000 // files
    time = np.sort(rng.integers(i * stretch, (i + 1) * stretch, n))
    actual = np.exp(rng.normal(4, 0.5, n))
    error = rng.normal(0, 1, n) * (1 + 0.3 * region)
    error *= np.where(rng.random(n) < 0.0005, 60, 1)
    predicted = actual + error
    predicted[rng.random(n) < 0.002] = np.nan
    start = pl.lit("2026-09-01").str.to_datetime(time_unit="us")
    segment = np.minimum(rng.geometric(0.06, n) - 1, 39)
    frame = pl.DataFrame(
        {"time": time, "actual": actual, "predicted": predicted, "row": np.arange(n)}
    )
    return frame.select(
        time=start + pl.col("time").cast(pl.Duration("us")),
        region=pl.Series(REGIONS).gather(region),
        model=pl.Series(MODELS).gather(rng.choice(3, n, p=[0.5, 0.3, 0.2])),
        segment=pl.Series([f"seg_{s:02d}" for s in range(40)]).gather(segment),
        actual=pl.when(pl.col("row") % 997 != 0).then("actual"),
        predicted="predicted",
    )
