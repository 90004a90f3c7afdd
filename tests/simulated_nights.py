"""Simulated nights of 40 groups: the sums of each, and whole profiles where they are wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from lossreport.nights.changes import Place
from lossreport.nights.series import SUMS, Series

GROUPS = 40
NIGHTS = 120
FIRST = date(2026, 8, 3)
LAWS = ("Gaussian", "Laplace", "t3")
AT = 60
"""The night on which something happens."""
GROUP = 12
"""The group in which it does."""


@dataclass(frozen=True)
class Simulated:
    """The sums of all groups and the whole on every night."""

    series: Series
    days: tuple[date, ...]


def errors(law: str, rng: np.random.Generator, rows: int) -> np.ndarray:
    """Return errors of mean 0 with mean size 1."""
    if law == "Gaussian":
        return rng.normal(size=rows) / np.sqrt(2 / np.pi)
    if law == "Laplace":
        return rng.laplace(size=rows)
    return rng.standard_t(3, size=rows) / 1.10266


def sizes(scenario: str, nights: int, groups: int) -> np.ndarray:
    """Return what each group's errors are multiplied by on each night, shape (groups, nights)."""
    factor = np.ones((groups, nights))
    if scenario == "bad night":
        factor[GROUP, AT] = 2.0
    elif scenario == "shift":
        factor[GROUP, AT:] = 4.0 / 3.1
    elif scenario == "creep":
        factor[GROUP] = 1.003 ** np.arange(nights)
    return factor


def simulated(
    scenario: str, law: str, seed: int, *, season: float = 0.15, nightly: float = 0.02,
    own: float = 0.0, nights: int = NIGHTS, groups: int = GROUPS, mean_rows: int = 800,
) -> Simulated:  # fmt: skip
    """Return the nights of a scenario.

    Groups have 400 to 1,600 rows a night (Poisson about a mean of their own), errors of a size of
    their own, a weekly pattern in size, a common factor from night to night, and a factor of each
    group's own whose spread is between 0 and `own`.
    """
    rng = np.random.default_rng([seed, LAWS.index(law)])
    factor = sizes(scenario, nights, groups)
    mean = mean_rows * np.exp(rng.uniform(-0.7, 0.7, groups))
    unrest = rng.uniform(0, own, groups)
    level = 3.1 * np.exp(0.3 * rng.normal(size=groups))
    days = tuple(FIRST + timedelta(n) for n in range(nights))
    week = 1 + season * np.sin(2 * np.pi * np.arange(7) / 7)
    sums = np.zeros((len(SUMS), groups + 1, nights))
    for night, day in enumerate(days):
        common = np.exp(nightly * rng.normal()) * week[day.weekday()]
        for g in range(groups):
            rows = rng.poisson(mean[g] * (1 + 0.1 * (day.weekday() < 5)))
            if scenario == "few rows" and night == AT:
                rows = rng.binomial(rows, 0.01)
            if scenario == "vanished" and g == GROUP and night >= AT:
                rows = 0
            size = level[g] * common * factor[g, night] * np.exp(unrest[g] * rng.normal())
            e = errors(law, rng, rows) * size
            left = rng.binomial(rows, 0.01)
            if scenario == "nothing scored" and night == AT:
                e, left = e[:0], rows
            sums[:, 1 + g, night] = sums_of(e, left)
    sums[:, 0] = sums[:, 1:].sum(axis=1)
    places = (Place("p", (), ()), *(Place("p", ("store",), (str(g),)) for g in range(groups)))
    return Simulated(Series(places, dict(zip(SUMS, sums, strict=True)), 0), days)


def sums_of(e: np.ndarray, left: int) -> list[float]:
    size = np.abs(e)
    each = (len(e), e.sum(), size.sum(), (e**2).sum(), (size**3).sum(), (e**4).sum(), left)
    return [float(x) for x in each]


def until(made: Simulated, night: int) -> Simulated:
    """Return the first nights."""
    return replace(made, series=made.series.only(range(night)), days=made.days[:night])
