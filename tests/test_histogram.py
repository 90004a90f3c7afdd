"""The histogram of a log's errors against NumPy on the errors themselves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lossreport.advice.histogram import ErrorHistogram
from lossreport.logs.columns import Columns
from lossreport.logs.frames import open_frame
from lossreport.profiles.of_log import profile_log
from tests import oracle

RNG = np.random.default_rng(11)
N = 20_000
LAWS = {
    "gaussian": RNG.normal(size=N),
    "laplace": RNG.laplace(size=N),
    "t3": RNG.standard_t(3, N),
    "lopsided": RNG.exponential(size=N) - 0.3,
    "biased": RNG.normal(size=N) + 3,
    "zeros": np.where(RNG.random(N) < 0.3, 0, RNG.normal(size=N)),
}
ROUNDED = np.round(3 * RNG.normal(size=N))
# One or two rows, or one value, to a bin: exact.
SMALL = {
    "one": [5.0], "two": [1.0, 3.0], "one bin": [1.0, 1.01], "opposite": [-1.0, 1.0],
    "tiny": [1e-300, -2e-300, 4e-300], "huge": [1e300, -1e300, 1e299], "both": [1e-300, 1e300],
    "even": [-1.0, 0.0, 1.0, 10.0], "zeros": [0.0] * 6 + [-1.0] * 2 + [1.0] * 2,
    "many": RNG.normal(size=41), "rounded": ROUNDED,
}  # fmt: skip
LEVELS = [0.01, 0.12, 0.26, 0.49, 0.51, 0.74, 0.88, 0.99]
law = pytest.mark.parametrize("errors", LAWS.values(), ids=LAWS)
small = pytest.mark.parametrize("errors", [np.array(v) for v in SMALL.values()], ids=SMALL)


def histogram_of(errors) -> ErrorHistogram:
    """Return the histogram that a log with these errors comes to."""
    columns = Columns("y", ("p",))
    frame = pl.DataFrame({"y": np.zeros(len(errors)), "p": np.asarray(errors, dtype=float)})
    profile = profile_log(open_frame(frame), columns, keep_worst=0)
    bins = profile.table(()).histogram
    columns = ("bin", "n", "sum_error", "sum_sq_error")
    return ErrorHistogram.from_bins(*(bins[c].to_numpy() for c in columns))


@small
def test_quantiles_of_small_logs_are_the_true_ones(errors):
    made = histogram_of(errors)
    assert made.rows == len(errors)
    true = np.quantile(errors, LEVELS, method="averaged_inverted_cdf")
    np.testing.assert_allclose(made.quantile(LEVELS), true, rtol=1e-9)
    levels = [0.0, *LEVELS, 0.5, 1.0]
    true = [oracle.quantile(0 * errors, errors, level) for level in levels]
    np.testing.assert_allclose(made.abs_quantile(levels), true, rtol=1e-9)


def test_at_a_step_the_quantile_is_the_middle_of_it():
    errors, levels = [-1.0, 0.0, 1.0, 10.0], [0.25, 0.5, 0.75, 1.0]
    assert histogram_of(errors).quantile(levels) == [-0.5, 0.5, 5.5, 10.0]


@law
def test_quantiles_of_large_logs_are_within_the_width_of_a_bin(errors):
    made = histogram_of(errors)
    true = np.quantile(errors, LEVELS, method="inverted_cdf")
    np.testing.assert_allclose(made.quantile(LEVELS), true, rtol=0.04, atol=0.003)
    true = [oracle.quantile(0 * errors, errors, level) for level in LEVELS]
    np.testing.assert_allclose(made.abs_quantile(LEVELS), true, rtol=0.04)


@law
@pytest.mark.parametrize("centre", [0.0, 0.5, -2.0])
def test_spread_and_moments_about_a_centre(errors, centre):
    made, away = histogram_of(errors), np.abs(errors - centre)
    for level in (0.25, 0.5, 0.9):
        true = np.quantile(away, level)
        assert made.spread_about(centre, level) == pytest.approx(true, rel=0.02, abs=1e-3)
    expected = (away.mean(), np.sqrt(np.mean(away**2)))
    assert made.about(centre) == pytest.approx(expected, rel=1e-4)


@small
def test_spread_of_small_logs_is_a_distance_that_occurs(errors):
    centre = float(np.quantile(errors, 0.5, method="inverted_cdf"))
    got = histogram_of(errors).spread_about(centre)
    away = np.abs(errors - centre)
    low, high = (np.quantile(away, 0.5, method=m) for m in ("inverted_cdf", "higher"))
    assert low * (1 - 1e-9) <= got <= high * (1 + 1e-9)


@small
def test_moments_of_small_logs_are_exact_at_any_size(errors):
    centre, top = float(np.mean(errors)), float(np.max(np.abs(errors)))
    away = np.abs(errors - centre) / top
    expected = (top * away.mean(), top * np.sqrt(np.mean(away**2)))
    assert histogram_of(errors).about(centre) == pytest.approx(expected, rel=1e-7, abs=1e-7 * top)


@pytest.mark.parametrize("errors", [*LAWS.values(), ROUNDED], ids=[*LAWS, "rounded"])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.5, 1.0])
def test_the_worst_rows_hold_their_share_of_each_loss(errors, share):
    expected = oracle.worst_share(0 * errors, errors, share)
    assert histogram_of(errors).worst(share) == pytest.approx(expected, abs=5e-4)


def test_the_worst_share_needs_a_row_and_an_error():
    assert histogram_of([1.0, 2.0]).worst(0.49) is None
    assert histogram_of([1e300, 3e300]).worst(0.5) == pytest.approx((0.75, 0.9))
    assert histogram_of([0.0, 0.0]).worst(1.0) is None


@law
def test_rows_beyond_an_edge_are_counted_exactly(errors):
    made = histogram_of(errors)
    for cut in np.quantile(made.edge, [0.1, 0.5, 0.9], method="lower"):
        far = np.abs(errors) > cut
        rows, absolute, squared = made.beyond(float(cut))
        assert rows == far.sum()
        assert absolute == pytest.approx(np.abs(errors)[far].sum() / np.abs(errors).sum())
        assert squared == pytest.approx((errors[far] ** 2).sum() / (errors**2).sum())


@pytest.mark.parametrize("errors", [*LAWS.values(), ROUNDED], ids=[*LAWS, "rounded"])
@pytest.mark.parametrize("delta", [0.1, 1.0, 3.0, 1e3])
def test_the_huber_loss_is_that_of_the_errors(errors, delta):
    size = np.abs(errors)
    true = np.mean(np.where(size <= delta, size**2 / 2, delta * (size - delta / 2)))
    assert histogram_of(errors).huber(delta) == pytest.approx(true, rel=1e-5)


@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_the_huber_loss_of_errors_of_any_size_is_finite(size):
    assert histogram_of([size]).huber(1.0) == pytest.approx(size if size > 1 else 0.0)
