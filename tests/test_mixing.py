"""The ratio's decomposition is exact, and groups of different scale are told from heavy tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossreport.advice.choice import advise
from lossreport.advice.mixing import decompose, stacked
from tests.simulated_errors import LAWS, histogram_of

errors = st.lists(st.floats(-1e6, 1e6).filter(lambda e: e == 0 or abs(e) > 1e-6), max_size=8)


@given(st.lists(errors, min_size=2, max_size=6))
def test_the_ratio_is_inside_times_between(groups: list[list[float]]) -> None:
    arrays = [np.array(g) for g in groups]
    made = decompose(
        [len(a) for a in arrays],
        [float(np.abs(a).sum()) for a in arrays],
        [float((a**2).sum()) for a in arrays],
    )
    whole = np.concatenate(arrays)
    if sum(len(a) > 0 for a in arrays) < 2 or not np.any(whole):
        assert made is None
        return
    assert made is not None
    ratio = math.sqrt(np.mean(whole**2)) / np.mean(np.abs(whole))
    assert made.ratio == pytest.approx(ratio, rel=1e-9)
    assert made.inside * made.between == pytest.approx(ratio, rel=1e-9)
    mae = np.concatenate([np.full(len(a), np.abs(a).mean() if len(a) else 0) for a in arrays])
    assert made.between == pytest.approx(math.sqrt(1 + mae.var() / mae.mean() ** 2), rel=1e-9)


def test_equal_groups_have_nothing_between_them() -> None:
    made = decompose([10, 20], [5.0, 10.0], [4.0, 8.0])
    assert made is not None
    assert made.between == pytest.approx(1)
    assert decompose([10], [5.0], [4.0]) is None
    assert decompose([10, 10], [0.0, 0.0], [0.0, 0.0]) is None
    assert decompose([10, 10], [1e308, 1e308], [math.inf, 1.0]) is None


SCALES = np.geomspace(0.3, 3, 10)


@pytest.mark.parametrize(("law", "inside"), [("gaussian", "L2"), ("t3", "Huber")])
def test_inside_the_groups_the_law_shows(law: str, inside: str) -> None:
    rng = np.random.default_rng(4)
    groups = [LAWS[law](rng, 400) * scale for scale in SCALES]
    pooled = histogram_of(np.concatenate(groups))
    together = stacked([histogram_of(g) for g in groups])
    assert together is not None
    assert together.rows == pooled.rows
    assert advise(pooled, 4000).best_guess != "L2"
    assert advise(together, 4000).best_guess == inside


def test_small_groups_and_those_without_spread_are_left_out() -> None:
    rng = np.random.default_rng(5)
    good = histogram_of(rng.normal(size=400))
    assert stacked([None, histogram_of(np.ones(100)), histogram_of(rng.normal(size=49))]) is None
    together = stacked([good, histogram_of(rng.normal(size=49))])
    assert together is not None
    assert together.rows == 400
