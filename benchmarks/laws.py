"""The 33 laws of errors that the advice is measured on, and what is true of each.

A law's errors are a mixture of parts that SciPy knows. Its truth is computed by quadrature from the
parts' distribution functions, with nothing of lossreport: how many rows each loss needs
(variance factor V), and the ratio RMSE/MAE.

    V_L2 = Var(e)    V_L1 = 1 / (4 f(median)^2)    V_Huber = E[psi^2] / P(|e - c| < delta)^2

with delta = 1.345 * 1.4826 median |e - median|, psi(e - c) = clip(e - c, -delta, delta) and c where
its mean is 0. A rounded law is judged by its errors before rounding, one with exact zeros
without them, and a law with faulty rows with these left in.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import optimize, stats

Floats = npt.NDArray[np.float64]

LOSSES = ("L2", "Huber", "L1")
K = 1.345
LEVEL, SPREAD = 50.0, 10.0
"""Mean and standard deviation of the actual values."""
GRID = 400_001
SCALES = np.geomspace(0.3, 3, 10)


@dataclass(frozen=True)
class Law:
    """One law of errors."""

    name: str
    parts: tuple[tuple[float, Any], ...]
    """Shares, which add up to 1, and frozen distributions of SciPy."""
    step: float = 0.0
    """The errors are rounded to this."""
    zeros: float = 0.0
    """Share of the errors that are exactly 0, beside the parts."""
    fault: bool = False
    """The last part is rows that are broken, not errors of the model."""
    groups: int = 0
    """The parts are so many groups, told by a column, and weights are an answer."""


@dataclass(frozen=True)
class Truth:
    """What holds for a law, computed by quadrature."""

    factors: tuple[float, float, float]
    """V of L2, Huber and L1; infinity where there is no variance."""
    ratio: float
    """RMSE/MAE of the errors as they are; infinity where there is no variance."""

    @property
    def regrets(self) -> dict[str, float]:
        """Share of the rows that each loss wastes against the best of the three."""
        best = min(self.factors)
        return {name: 1 - best / v for name, v in zip(LOSSES, self.factors, strict=True)} | {
            "weighted L2": 0.0
        }


def _normals(*parts: tuple[float, float, float]) -> tuple[tuple[float, Any], ...]:
    """Return Gaussian parts from their shares, means and standard deviations."""
    return tuple((share, stats.norm(mean, sd)) for share, mean, sd in parts)


def _contaminated(share: float, times: float) -> Law:
    return Law(f"{100 * share:g} % x{times:g}", _normals((1 - share, 0, 1), (share, 0, times)))


def _heteroscedastic() -> Law:
    """Return Gaussian errors of scale exp(0.7 z), z Gaussian: a mixture over z (Gauss-Hermite)."""
    at, weight = np.polynomial.hermite_e.hermegauss(40)
    share = weight / weight.sum()
    return Law(
        "scale exp(0.7 z)",
        _normals(
            *((w, 0, math.exp(0.7 * z)) for z, w in zip(at.tolist(), share.tolist(), strict=True))
        ),
    )


def _one(name: str, of: Any, **more: Any) -> Law:
    return Law(name, ((1.0, of),), **more)


GAUSSIAN = stats.norm()
LAWS: tuple[Law, ...] = (
    _one("Gaussian", GAUSSIAN),
    _one("Gaussian + bias 3", stats.norm(3, 1)),
    _one("uniform", stats.uniform(-1, 2)),
    Law("two humps at -2 and 2", _normals((0.5, -2, 1), (0.5, 2, 1))),
    _one("Laplace", stats.laplace()),
    _one("t4", stats.t(4)),
    _one("t3", stats.t(3)),
    _one("t2", stats.t(2)),
    _one("Cauchy", stats.cauchy()),
    _one("gen. normal 1.41", stats.gennorm(1.41)),
    _one("gen. normal 0.7", stats.gennorm(0.7)),
    _contaminated(0.001, 10),
    *(_contaminated(share, times) for share in (0.01, 0.05, 0.1) for times in (3, 5, 10)),
    _one("lognormal 0.5", stats.lognorm(0.5)),
    _one("lognormal 1", stats.lognorm(1.0)),
    _one("exponential", stats.expon()),
    _one("Gaussian rounded to 0.5", GAUSSIAN, step=0.5),
    _one("Gaussian rounded to 1", GAUSSIAN, step=1.0),
    _one("Laplace rounded to 0.5", stats.laplace(), step=0.5),
    _one("Gaussian + 20 % zeros", GAUSSIAN, zeros=0.2),
    _one("Laplace + 60 % zeros", stats.laplace(), zeros=0.6),
    Law("10 groups, scales 0.3 to 3", _normals(*((0.1, 0, s) for s in SCALES)), groups=10),
    _heteroscedastic(),
    Law("0.2 % at -999", _normals((0.998, 0, 1), (0.002, -999 - LEVEL, SPREAD)), fault=True),
    Law("0.5 % x1000", _normals((0.995, 0, 1), (0.005, 999 * LEVEL, 999 * SPREAD)), fault=True),
)


def _mean(law: Law) -> float:
    return sum(w * float(p.mean()) for w, p in law.parts)


def _variance(law: Law) -> float:
    """Return the variance; infinity where there is none."""
    if not all(math.isfinite(p.var()) for _, p in law.parts):
        return math.inf
    centre = _mean(law)
    return sum(w * float(p.var() + (p.mean() - centre) ** 2) for w, p in law.parts)


def _below(law: Law, error: Floats) -> Floats:
    """Return the distribution function."""
    total: Floats = np.zeros_like(error)
    for w, p in law.parts:
        total = total + w * p.cdf(error)
    return total


def _root(function: Any, low: float, high: float) -> float:
    return float(optimize.brentq(function, low, high, xtol=1e-13, rtol=1e-13))


def _integral(values: Floats, over: Floats) -> float:
    return float(np.trapezoid(values, over))


def _huber(law: Law, delta: float, start: float) -> float:
    """Return V of Huber: E clip(e - c)^j from the distribution function, by parts."""
    grid = np.linspace(-delta, delta, GRID)

    def psi(centre: float) -> float:
        return delta - _integral(_below(law, centre + grid[:: GRID // 4000]), grid[:: GRID // 4000])

    centre = _root(psi, start - 3 * delta, start + 3 * delta)
    below = _below(law, centre + grid)
    square = delta**2 - _integral(2 * grid * below, grid)
    return (square - (delta - _integral(below, grid)) ** 2) / float(below[-1] - below[0]) ** 2


def _ratio(law: Law) -> float:
    """Return RMSE/MAE of the errors as they are in the log: rounded, and with exact zeros."""
    variance = _variance(law)
    if not math.isfinite(variance):
        return math.inf
    if law.step:
        value = law.step * np.arange(-400.0, 401.0)
        chance = _below(law, value + law.step / 2) - _below(law, value - law.step / 2)
        return math.sqrt(float(chance @ value**2)) / float(chance @ np.abs(value))
    at = (np.arange(GRID) + 0.5) / GRID
    mean_abs = sum(w * float(np.mean(np.abs(p.ppf(at)))) for w, p in law.parts)
    return math.sqrt(variance + _mean(law) ** 2) / mean_abs / math.sqrt(1 - law.zeros)


@functools.cache
def truth(law: Law) -> Truth:
    """Return what is true of a law."""
    one = np.array([0.0])

    def below(error: float) -> float:
        return float(_below(law, one + error)[0])

    median = _root(lambda e: below(e) - 0.5, -100, 100)
    mad = _root(lambda d: below(median + d) - below(median - d) - 0.5, 1e-9, 1e3)
    density = sum(w * float(p.pdf(median)) for w, p in law.parts)
    huber = _huber(law, K * 1.4826 * mad, median)
    return Truth((_variance(law), huber, 1 / (4 * density**2)), _ratio(law))


def errors_of(
    law: Law, rng: np.random.Generator, rows: int
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Draw errors, and the part that each is of."""
    shares = np.array([w for w, _ in law.parts])
    part = rng.choice(len(shares), rows, p=shares / shares.sum())
    errors = np.empty(rows)
    for i, (_, of) in enumerate(law.parts):
        mine = part == i
        errors[mine] = of.rvs(int(mine.sum()), random_state=rng) if mine.any() else 0
    if law.step:
        errors = np.round(errors / law.step) * law.step
    if law.zeros:
        errors[rng.random(rows) < law.zeros] = 0.0
    return errors, part


def log_of(law: Law, rng: np.random.Generator, rows: int) -> pl.DataFrame:
    """Draw a log: actual values of about 50, predictions that are off by errors of the law."""
    errors, part = errors_of(law, rng, rows)
    actual = rng.normal(LEVEL, SPREAD, rows)
    if law.step:
        actual = np.round(actual / law.step) * law.step
    frame = pl.DataFrame({"actual": actual, "predicted": actual + errors})
    return frame.with_columns(group=pl.Series(part).cast(pl.String)) if law.groups else frame
