"""Clean simulated logs of several laws: nothing is wrong with them."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl

LAWS = (
    "gaussian", "laplace", "t3", "lognormal", "counts", "rounded", "heteroscedastic", "rare", "whole",
)  # fmt: skip
ROWS = 3000
GROUPS = ("north", "south", "east", "west")


def clean(law: str, seed: int, rows: int = ROWS) -> pl.DataFrame:
    """A log of hours, four groups in turn, whose predictions are right but for errors of a law."""
    rng = np.random.default_rng([seed, LAWS.index(law)])
    group = np.arange(rows) % len(GROUPS)
    hour = np.arange(rows) // len(GROUPS)
    level = 50 + 10 * group + 8 * np.sin(hour * 2 * np.pi / 24) + rng.normal(0, 6, rows)
    if law == "lognormal":
        truth = np.exp(rng.normal(3, 1, rows))
        predicted, actual = truth, truth * np.exp(rng.normal(0, 0.3, rows))
    elif law == "counts":
        truth = np.exp(rng.normal(1.5, 0.7, rows))
        predicted, actual = truth, rng.poisson(truth).astype(float)
    elif law == "rare":
        truth = np.exp(rng.normal(-1.5, 1, rows))
        predicted, actual = truth.round(2), rng.poisson(truth).astype(float)
    elif law == "heteroscedastic":
        predicted = level
        actual = level + rng.normal(size=rows) * np.exp(0.7 * rng.normal(size=rows))
    else:
        errors = {
            "gaussian": lambda: rng.normal(0, 4, rows),
            "laplace": lambda: rng.laplace(0, 3, rows),
            "t3": lambda: 3 * rng.standard_t(3, rows),
            "rounded": lambda: rng.normal(0, 4, rows),
            "whole": lambda: rng.normal(0, 4, rows),
        }[law]()
        predicted, actual = level, level + errors
    if law == "rounded":
        predicted, actual = predicted.round(1), actual.round(1)
    if law == "whole":
        predicted, actual = predicted.round(), actual.round()
    start = datetime(2026, 1, 1)
    return pl.DataFrame(
        {
            "actual": actual,
            "predicted": predicted,
            "site": [GROUPS[g] for g in group],
            "time": [start + timedelta(hours=int(h)) for h in hour],
        }
    )
