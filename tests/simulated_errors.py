"""Laws of errors to simulate, and histograms as a profile would have them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lossreport.advice.histogram import ErrorHistogram
from lossreport.profiles.statistics import BIN_OFFSET, LOG_GAMMA

Law = Callable[[np.random.Generator, int], np.ndarray]


def contaminated(share: float, factor: float) -> Law:
    return lambda rng, n: rng.normal(size=n) * np.where(rng.random(n) < share, factor, 1.0)


LAWS: dict[str, Law] = {
    "gaussian": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "laplace": lambda rng, n: rng.laplace(size=n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "cauchy": lambda rng, n: rng.standard_cauchy(n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
    "1 % x10": contaminated(0.01, 10),
    "10 % x3": contaminated(0.10, 3),
}


def histogram_of(errors: np.ndarray) -> ErrorHistogram:
    """Bin errors as `statistics.with_errors` does, in NumPy."""
    size = np.abs(np.where(errors == 0, 1, errors))
    rank = np.ceil(np.log(size) / LOG_GAMMA) + BIN_OFFSET
    bins = np.where(errors == 0, 0, np.sign(errors) * rank).astype(np.int64)
    which, at, n = np.unique(bins, return_inverse=True, return_counts=True)
    with np.errstate(over="ignore"):
        squares = np.bincount(at, errors**2)
    return ErrorHistogram.from_bins(which, n, np.bincount(at, errors), squares)


def lopsided(n: int = 2000) -> np.ndarray:
    """Errors, predicted - actual, whose mean, median and Huber's centre lie apart."""
    rng = np.random.default_rng(7)
    body, tail = rng.normal(0, 2, n), -rng.exponential(12, n)
    return np.where(rng.random(n) < 0.15, tail, body)
