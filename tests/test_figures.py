"""Figures of a group, which groups are flagged, and the constants that decide it."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from lossreport.losses import GAUSSIAN_RATIO, HUBER_BEATS_L2, LAPLACE_RATIO, SE_LOG_RATIO
from lossreport.reports.figures import Figures, figures, funnel, outlier_driven
from tests import oracle
from tests.test_histogram import histogram_of
from tests.test_losses import sums_of


def figures_of(errors, **more) -> Figures:
    sums = {**sums_of(errors), "sum_actual": 0.0, "sum_predicted": math.fsum(errors)}
    return figures(sums, histogram_of(errors), **more)


@pytest.mark.parametrize("law", ["normal", "laplace", "exponential"])
def test_figures_are_those_of_the_errors(law):
    errors = getattr(np.random.default_rng(3), law)(size=5001)
    zero, got = 0 * errors, figures_of(errors, delta=1.0)
    exact = oracle.exact(zero, errors)
    for name in ("n", "mae", "mse", "rmse", "ratio", "bias", "max_abs_error"):
        assert getattr(got, name) == pytest.approx(exact[name], rel=1e-9)
    assert got.centred_ratio == pytest.approx(oracle.centred_ratio(zero, errors), rel=1e-3)
    for name, level in (("median", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        true = oracle.quantile(zero, errors, level)
        assert getattr(got, f"{name}_abs_error") == pytest.approx(true, rel=0.04)
    for held in got.worst_shares:
        true = oracle.worst_share(zero, errors, held.rows)
        assert (held.abs_error, held.sq_error) == pytest.approx(true, abs=5e-4)
    assert got.mean_predicted == pytest.approx(np.mean(errors))


def test_what_does_not_exist_is_none():
    assert figures({"n": 0}, None) == Figures(0)
    zero = figures_of([0.0, 0.0])
    assert zero.mae == zero.rmse == zero.median_abs_error == 0
    assert zero.ratio is zero.centred_ratio is zero.ratio_low is None
    assert zero.worst_shares == ()
    one = figures_of([2.0])
    assert (one.ratio, one.ratio_low, one.max_abs_error) == (1.0, None, 2.0)


@pytest.mark.parametrize("errors", [[1e300], [1e300, 2e300, -1e300], [1e-300, 3e-300]])
def test_figures_beyond_the_range_of_squares_are_none_and_no_quantile_leaves_the_errors(errors):
    with np.errstate(over="ignore"):
        got = figures_of(errors, delta=1.0)
    assert got.mse is got.rmse is got.ratio is got.centred_ratio is got.huber is None
    assert got.mae == pytest.approx(np.mean(np.abs(np.array(errors) / 4)) * 4)
    assert got.median_abs_error == pytest.approx(np.median(np.abs(errors)))
    for field in fields(got):
        value = getattr(got, field.name)
        assert not isinstance(value, float) or math.isfinite(value)


def test_bias_does_not_hide_a_tail_from_the_centred_ratio():
    errors = np.random.default_rng(7).standard_t(2.5, 5000)
    plain, biased = figures_of(errors), figures_of(errors + 10)
    assert plain.centred_ratio == pytest.approx(plain.ratio, rel=0.01)
    assert biased.ratio < 1.1
    assert biased.centred_ratio == pytest.approx(plain.centred_ratio, rel=0.01)
    assert outlier_driven([plain, biased], 50) == [True, True]


groups = st.lists(
    st.tuples(st.integers(0, 5000), st.floats(1, 3) | st.none() | st.floats(1.25, 1.32)),
    max_size=25,
)


@given(groups)
def test_flagged_groups_are_those_of_benjamini_and_hochberg_above_the_threshold(made):
    tested = [i for i, (n, ratio) in enumerate(made) if n >= 50 and ratio is not None]
    z = [
        math.log(made[i][1] / math.sqrt(math.pi / 2)) * math.sqrt(made[i][0]) / 0.266
        for i in tested
    ]
    adjusted = []
    if tested:
        n = np.array([made[i][0] for i in tested])
        # Of skewness 3 / sqrt(n), a shifted gamma law: by Wilson and Hilferty its cube root is
        # Gaussian.
        shape = 4 * n / 9
        gamma = np.maximum(shape + np.sqrt(shape) * (np.array(z) - 1.25 / np.sqrt(n)), 0)
        root = stats.norm(1 - 1 / (9 * shape), np.sqrt(1 / (9 * shape)))
        adjusted = stats.false_discovery_control(root.sf(np.cbrt(gamma / shape)))
    if any(abs(p - 0.05) < 1e-12 for p in adjusted):
        return
    chosen = {i for i, p in zip(tested, adjusted, strict=True) if p <= 0.05 and made[i][1] > 1.277}
    flagged = outlier_driven([Figures(n, centred_ratio=r) for n, r in made], 50)
    assert {i for i, flag in enumerate(flagged) if flag} == chosen


@pytest.mark.parametrize(
    ("groups", "rows", "logs"), [(1, 50, 2000), (1000, 50, 40), (1000, 200, 20)]
)
def test_clean_gaussian_groups_are_flagged_in_five_of_a_hundred_logs(groups, rows, logs):
    rng = np.random.default_rng(12)
    flagged = 0
    for _ in range(logs):
        errors = rng.normal(size=(groups, rows))
        errors -= np.median(errors, axis=1, keepdims=True)
        ratios = np.sqrt((errors**2).mean(axis=1)) / np.abs(errors).mean(axis=1)
        flagged += any(outlier_driven([Figures(rows, centred_ratio=r) for r in ratios], 50))
    assert stats.binomtest(flagged, logs, 0.05, alternative="greater").pvalue > 0.01


def test_groups_below_the_minimum_are_not_tested_so_they_do_not_dilute_the_others():
    heavy, few = Figures(400, centred_ratio=1.3), Figures(49, centred_ratio=3.0)
    assert outlier_driven([heavy, *[few] * 50], 50) == [True, *[False] * 50]
    assert outlier_driven([], 50) == []


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_funnel_is_the_log_normal_range_around_the_gaussian_ratio(level):
    law = stats.lognorm(s=0.266 / math.sqrt(250), scale=math.sqrt(math.pi / 2))
    assert funnel(250, level) == pytest.approx(law.interval(level), rel=1e-9)


def test_the_constants_are_the_published_ones():
    assert pytest.approx(1.253314, abs=1e-6) == GAUSSIAN_RATIO
    assert pytest.approx(1.414214, abs=1e-6) == LAPLACE_RATIO
    # Delta method: Var(e^2)/4 + Var|e|/E^2 - Cov = 1/2 + (pi/2 - 1) - 1.
    assert pytest.approx(math.sqrt(math.pi / 2 - 1.5), abs=1e-3) == SE_LOG_RATIO


@pytest.mark.parametrize(("family", "limits"), [(stats.t, (3, 60)), (stats.gennorm, (1.2, 2))])
def test_huber_and_l2_need_equal_rows_at_the_threshold(family, limits):
    def gain(shape):
        errors = family(shape)
        delta = 1.345 * 1.4826 * errors.ppf(0.75)
        near = 2 * integrate.quad(lambda x: x**2 * errors.pdf(x), 0, delta)[0]
        inside = 1 - 2 * errors.sf(delta)
        return (near + 2 * delta**2 * errors.sf(delta)) / inside**2 / errors.var() - 1

    errors = family(optimize.brentq(gain, *limits))
    mean_abs = 2 * integrate.quad(lambda x: x * errors.pdf(x), 0, np.inf)[0]
    assert errors.std() / mean_abs == pytest.approx(HUBER_BEATS_L2, abs=0.005)
