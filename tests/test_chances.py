"""Corrections for many looks, against SciPy and by the rule's own words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from lossreport.chances import benjamini_hochberg, holm

CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array)


@given(CHANCES, st.sampled_from([0.01, 0.05, 0.5]))
def test_benjamini_hochberg_is_scipys(chances, level):
    adjusted = false_discovery_control(chances)
    clear = np.abs(adjusted - level) > 1e-12
    assert np.array_equal(benjamini_hochberg(chances, level)[clear], (adjusted <= level)[clear])


@given(CHANCES, st.sampled_from([0.01, 0.05, 0.5]))
def test_holm_goes_down_from_the_smallest_until_one_fails(chances, level):
    beyond, left = set(), len(chances)
    for i in sorted(range(len(chances)), key=lambda i: chances[i]):
        if chances[i] > level / left:
            break
        beyond.add(i)
        left -= 1
    assert set(np.flatnonzero(holm(chances, level))) == beyond


def test_holm_steps_down():
    assert holm(np.array([0.00001, 0.00015, 0.009, *[1.0] * 57]), 0.01).nonzero()[0].tolist() == [
        0,
        1,
    ]
    assert not holm(np.array([0.001, *[1.0] * 59]), 0.01).any()


@pytest.mark.parametrize("rule", [benjamini_hochberg, holm])
def test_what_was_not_looked_at_counts_for_nothing(rule):
    some = np.array([1e-9, 0.02, 0.9])
    gaps = np.array([np.nan, 1e-9, np.nan, 0.02, 0.9, np.nan])
    assert rule(gaps, 0.05).tolist() == [False, *rule(some, 0.05)[:1], False,
                                         *rule(some, 0.05)[1:], False]  # fmt: skip
    assert not rule(np.full(3, np.nan), 0.05).any()
    assert rule(np.zeros(0), 0.05).tolist() == []
