"""MAE, MSE, RMSE, Huber and ratio: right at the limits, and no row is dropped silently."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from lossreport.errors import UsageError
from lossreport.losses import from_sums, huber, mae, mse, ratio_interval, rmse
from tests import oracle

LARGEST = float(np.finfo(float).max)
CONTAINERS = [
    list,
    tuple,
    np.array,
    pl.Series,
    pd.Series,
    pa.array,
    lambda v: pa.chunked_array([v]),
]
CALLS = [mae, mse, rmse, lambda a, p: huber(a, p, 1.0)]
numbers = st.floats(-1e6, 1e6).map(lambda v: round(v, 6))
pairs = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30)
errors_ = hnp.arrays(float, st.integers(1, 30), elements=st.floats(1e-3, 1e6) | st.just(0.0))


def sums_of(errors):
    size = np.abs(np.asarray(errors, dtype=float))
    return {
        "n": len(size), "sum_error": math.fsum(errors), "sum_abs_error": math.fsum(size),
        "sum_sq_error": math.fsum(size**2), "sum_cube_abs_error": math.fsum(size**3),
        "sum_fourth_error": math.fsum(size**4), "max_abs_error": float(size.max(initial=0.0)),
    }  # fmt: skip


@given(pairs)
def test_figures_equal_those_in_exact_fractions(rows):
    actual, predicted = zip(*rows, strict=True)
    exact = oracle.exact(actual, predicted)
    assert mae(actual, predicted) == pytest.approx(exact["mae"], rel=1e-9)
    assert mse(actual, predicted) == pytest.approx(exact["mse"], rel=1e-9)
    assert rmse(actual, predicted) == pytest.approx(exact["rmse"], rel=1e-9)
    errors = np.subtract(predicted, actual)
    figures = from_sums(sums_of(errors))
    for name in ("mae", "mse", "rmse", "bias", "max_abs_error"):
        assert figures[name] == pytest.approx(exact[name], rel=1e-9, abs=1e-9)
    if exact["mse"]:
        assert figures["ratio"] == pytest.approx(exact["ratio"], rel=1e-9)


@given(errors_, st.floats(0.01, 1e6))
def test_huber_is_the_published_one(errors, delta):
    ours = huber(np.zeros(len(errors)), errors, delta)
    assert ours == pytest.approx(np.mean(special.huber(delta, errors)), rel=1e-12)
    assert huber(errors, 0 * errors, 1e9) == pytest.approx(mse(errors, 0 * errors) / 2)
    tiny = 1e-9
    assert huber(errors, 0 * errors, tiny) / tiny == pytest.approx(
        mae(errors, 0 * errors), abs=1e-9
    )


@given(errors_, st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_losses_scale_and_heed_neither_sign_nor_order(errors, factor, random):
    zero = np.zeros(len(errors))
    mixed = random.sample(list(errors), len(errors))
    for loss, power in ((mae, 1), (rmse, 1), (mse, 2)):
        value = loss(zero, errors)
        assert loss(zero, factor * errors) == pytest.approx(factor**power * value)
        assert loss(zero, -errors) == loss(errors, zero) == value
        assert loss(zero, mixed) == pytest.approx(value, rel=1e-12)
        assert loss(errors, errors) == 0
        assert (value == 0) == (not errors.any())


@given(errors_)
def test_the_ratio_is_between_1_and_the_root_of_n(errors):
    ratio = from_sums(sums_of(errors))["ratio"]
    if errors.any():
        assert 1 <= ratio <= math.sqrt(len(errors)) * (1 + 1e-12)
    else:
        assert ratio is None


@pytest.mark.parametrize("error", [0.1, 9 / 7, 13 / 7, 1e-200, 1e200])
@pytest.mark.parametrize("n", [1, 3, 7, 10])
def test_rmse_is_never_below_mae_even_where_all_errors_are_equal(error, n):
    assert rmse([0] * n, [error] * n) >= mae([0] * n, [error] * n)


@pytest.mark.parametrize("size", [1e300, 1e-300, 5e-324, LARGEST])
def test_mae_and_rmse_hold_where_squares_leave_the_range_of_floats(size):
    for errors in ([size], [size, -size], [0.0, 0.0, 0.0, size]):
        share = sum(map(bool, errors)) / len(errors)
        assert mae(np.zeros(len(errors)), errors) == pytest.approx(share * size, rel=1e-9)
        root = math.sqrt(share) * size
        assert rmse(np.zeros(len(errors)), errors) == pytest.approx(root, rel=1e-9, abs=5e-324)
        sums = {"n": len(errors), "sum_error": 0.0, "sum_abs_error": size, "max_abs_error": size}
        made = from_sums({**sums, "sum_sq_error": math.inf if size > 1 else 0.0})
        assert made["ratio"] is made["rmse"] is made["mse"] is None


@pytest.mark.parametrize("loss", CALLS)
@pytest.mark.parametrize("others", [[], [1.0]])
def test_an_error_beyond_the_largest_float_gives_infinity(loss, others):
    assert loss([-LARGEST, *others], [LARGEST, *others]) == math.inf


@pytest.mark.parametrize(
    ("loss", "error", "mean"),
    [(mae, LARGEST, LARGEST), (mse, 1.3e154, 1.69e308), (CALLS[3], 1.7e308, 1.7e308)],
)
def test_a_mean_within_the_range_of_floats_is_found_though_its_sum_is_not(loss, error, mean):
    assert loss([0, 0], [error, error]) == pytest.approx(mean)


@pytest.mark.parametrize("make", [*CONTAINERS, lambda v: np.array(v, dtype=object)])
def test_every_kind_of_array_gives_the_same_and_refuses_the_same(make):
    assert mae(make([100, 100, 100]), make([90.0, 95.0, 105.0])) == pytest.approx(20 / 3)
    with pytest.raises(UsageError, match=r"y_pred has 1 missing or infinite.*position 2"):
        mae([1, 2, 3], make([1.0, 2.0, None]))
    with pytest.raises(UsageError, match=r"y_true .*no number"):
        mae(make(["1", "2"]), [1, 2])


@pytest.mark.parametrize(
    "values",
    [[1.0, math.nan], [1.0, math.inf], [None, 1.0], pd.Series([1, None], dtype="Int64"), [pd.NA, 1],
     np.ma.array([1.0, 2.0], mask=[False, True]), [10**400, 1], [1, [2]], [1j, 2], [b"1", b"2"],
     [[1, 2]], 5, "12", None, pd.to_datetime(["2024-01-01", "2024-01-02"]), [1], []],
)  # fmt: skip
def test_what_cannot_be_averaged_is_refused_on_either_side(values):
    for loss in CALLS:
        for sides in ((values, [1, 2]), ([1, 2], values)):
            with pytest.raises(UsageError):
                loss(*sides)


def test_no_rows_have_no_figures_and_no_delta_no_loss():
    assert set(from_sums({"n": 0}).values()) == {None}
    with pytest.raises(UsageError, match="no rows"):
        mae([], [])
    for delta in (0, -1, math.nan):
        with pytest.raises(UsageError, match="positive"):
            huber([1], [2], delta)


def test_the_interval_of_the_ratio_is_that_of_the_delta_method():
    errors = np.random.default_rng(5).standard_t(6, 400)
    x, y = errors**2, np.abs(errors)
    ratio = math.sqrt(x.mean()) / y.mean()
    se = np.std(x / x.mean() / 2 - y / y.mean()) / math.sqrt(len(errors))
    expected = (ratio * math.exp(-1.959964 * se), ratio * math.exp(1.959964 * se))
    assert ratio_interval(sums_of(errors)) == pytest.approx(expected, rel=1e-9)


@given(hnp.arrays(float, st.integers(1, 12), elements=st.floats(-1e3, 1e3)))
def test_the_interval_holds_the_ratio_and_stays_within_its_limits(errors):
    sums = sums_of(errors)
    interval, ratio = ratio_interval(sums), from_sums(sums)["ratio"]
    if len(errors) < 2 or ratio is None:
        assert interval is None
    elif interval is not None:
        assert 1 <= interval[0] <= ratio * (1 + 1e-12)
        assert ratio <= interval[1] * (1 + 1e-12) <= math.sqrt(len(errors)) * (1 + 1e-11)
