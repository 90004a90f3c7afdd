"""The arithmetic of the real-data benchmark; its refits need packages that tests do without."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from benchmarks.advice_real import RULES, Measured, by_advice, interval, regrets
from benchmarks.refits import huber

MEASURED = Measured(
    data="d",
    target="t",
    errors=(),
    ratio=1.3,
    advised={"totals": "Huber", "typical": None, "unknown": "weighted L2"},
    efficiency={"L2": 0.5, "Huber": 0.9, "L1": 1.0},
    metric={
        "totals": {"L2": 10.0, "Huber": 11.0, "L1": 12.0},
        "typical": {"L2": 6.0, "Huber": 4.0, "L1": 5.0},
    },
)


def test_hubers_fit_is_the_minimum() -> None:
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(80), rng.normal(size=(80, 2))])
    y = design @ [1.0, 2.0, -3.0] + rng.standard_t(2, 80)

    def loss(at: np.ndarray) -> float:
        size = np.abs(y - design @ at)
        return float(np.where(size < 0.7, size**2 / 2, 0.7 * (size - 0.35)).sum())

    wanted = optimize.minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9}).x
    assert huber(design, y, 0.7) == pytest.approx(wanted, abs=1e-5)


def test_regret_is_against_the_best_of_the_three() -> None:
    each = {name: regrets([MEASURED], rule)[0].tolist() for name, rule in RULES.items()}
    assert each["always L2"] == pytest.approx([0, 0.5])
    assert each["train on your metric"] == pytest.approx([0, 0.25])
    assert each["efficiency only"] == pytest.approx([0.2, 0.25])
    assert each["ratio 1.277, L2 or Huber"] == pytest.approx([0.1, 0])
    assert each["advice, goal given"] == pytest.approx([0.1, 0.5])
    assert by_advice(MEASURED, "unknown") == "L2"


def test_clusters_are_redrawn_whole() -> None:
    difference = np.array([1.0, 1.0, 1.0, -1.0])
    assert interval(difference, ["a", "a", "a", "b"]) == (-1.0, 1.0)
    assert interval(np.full(5, 0.25), list("abcde")) == (0.25, 0.25)
