"""Broken rows are told from heavy tails, as often as statistics promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lossreport.advice.gap import Gap, widest_gap
from tests.simulated_errors import LAWS, histogram_of


def gap_in(errors: np.ndarray) -> Gap | None:
    histogram = histogram_of(errors)
    (median,) = histogram.quantile([0.5])
    return widest_gap(histogram, median, 1.4826 * histogram.spread_about(median))


def found(law: Callable[[np.random.Generator, int], np.ndarray], n: int, logs: int) -> float:
    rng = np.random.default_rng(n)
    return sum(gap_in(law(rng, n)) is not None for _ in range(logs)) / logs


def planted(law: str, rows: int, size: float) -> Callable[[np.random.Generator, int], np.ndarray]:
    def errors(rng: np.random.Generator, n: int) -> np.ndarray:
        made = LAWS[law](rng, n)
        made[:rows] = size * (1 + 0.1 * rng.normal(size=rows))
        return made

    return errors


@pytest.mark.parametrize("law", ["gaussian", "uniform", "laplace", "t3", "lognormal", "cauchy"])
def test_heavy_tails_raise_few_false_alarms(law: str) -> None:
    assert found(LAWS[law], 300, 100) <= 0.06
    assert found(LAWS[law], 1000, 100) <= 0.02


@pytest.mark.parametrize(
    ("law", "rows", "size", "share"),
    [("gaussian", 1, 30, 0.98), ("gaussian", 3, 15, 0.98), ("laplace", 2, 100, 0.9)],
)
def test_rows_far_apart_are_found(law: str, rows: int, size: float, share: float) -> None:
    assert found(planted(law, rows, size), 1000, 50) >= share


def test_what_is_said_of_the_rows_is_true() -> None:
    rng = np.random.default_rng(1)
    errors = np.append(rng.normal(size=2000), [-400.0, -420.0, 500.0])
    gap = gap_in(errors)
    assert gap is not None
    assert gap.rows == 3
    body = np.abs(errors[:-3] - np.median(errors)).max()
    nearest = np.abs(errors[-3:] - np.median(errors)).min()
    assert gap.factor == pytest.approx(nearest / body, rel=0.01)
    assert body < gap.cut < nearest
    total = (errors**2).sum()
    assert gap.share_of_sq_error == pytest.approx((errors[-3:] ** 2).sum() / total, rel=1e-9)
    assert gap.chance < 1e-3


def test_the_unit_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    errors = np.append(rng.normal(size=500), [99.0])
    for unit in (1e-300, 1e-3, 1e5, 1e290):
        gap = gap_in(errors * unit)
        assert gap is not None
        assert gap.rows == 1


@pytest.mark.parametrize("rows", [50, 60, 300])
def test_many_rows_apart_are_a_second_law_not_broken_rows(rows: int) -> None:
    rng = np.random.default_rng(3)
    errors = np.append(rng.normal(size=1000), 100 + rng.normal(size=rows))
    assert gap_in(errors) is None
