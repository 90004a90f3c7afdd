"""Makes deliveries.parquet: a synthetic log in which one region carries gross outliers.

100,000 predicted and actual delivery times in minutes. About 1 % of region apac has a predicted
time that is wrong by a factor of ten; region west is predicted too low; some values are missing.
The same seed gives the same rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

ROWS = 100_000
SEED = 20260901


def make() -> pl.DataFrame:
    """Return the log, in order of time."""
    rng = np.random.default_rng(SEED)
    region = rng.choice(
        ["north", "south", "east", "west", "apac"], ROWS, p=[0.28, 0.24, 0.2, 0.16, 0.12]
    )
    model = rng.choice(["gbm-v3", "gbm-v4", "linear"], ROWS, p=[0.5, 0.3, 0.2])
    depot = np.minimum(rng.geometric(0.07, ROWS) - 1, 39)
    start = np.datetime64("2026-09-01T00:00", "ms")
    time = start + np.sort(rng.integers(0, 90 * 24 * 60, ROWS)) * np.timedelta64(60_000, "ms")
    actual = np.exp(rng.normal(3.4, 0.4, ROWS))
    error = rng.normal(0, 2.2, ROWS) * np.where(model == "linear", 1.15, 1.0)
    predicted = actual + error - np.where(region == "west", 1.5, 0.0)
    wrong = (region == "apac") & (rng.random(ROWS) < 0.01)
    predicted = np.where(wrong, predicted * rng.choice([0.1, 10.0], ROWS, p=[0.2, 0.8]), predicted)
    missing = pl.Series(rng.random(ROWS))
    return pl.DataFrame(
        {
            "time": time,
            "region": region,
            "model": model,
            "depot": [f"depot-{d:02d}" for d in depot],
            "actual_minutes": actual.round(2),
            "predicted_minutes": predicted.round(2),
        }
    ).with_columns(
        region=pl.when(missing > 0.001).then("region"),
        actual_minutes=pl.when((missing < 0.4) | (missing > 0.403)).then("actual_minutes"),
        predicted_minutes=pl.when((missing < 0.7) | (missing > 0.705)).then("predicted_minutes"),
    )


if __name__ == "__main__":
    path = Path(__file__).with_name("deliveries.parquet")
    make().write_parquet(path, compression="zstd", compression_level=19)
    print(f"Wrote {path.name}, {path.stat().st_size:,} bytes")
