"""The laws that are fitted to few rows: their figures, and that they help where it is hard."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lossreport.advice import families
from lossreport.advice.choice import advise
from lossreport.advice.shape import Shape, shape_of
from lossreport.advice.usual import FAMILY_ROWS, PRIOR, PRIOR_ROWS, usual
from tests.simulated_errors import LAWS, Law, contaminated, histogram_of

# In the order of the grid: Student's t, powers, contaminated Gaussians, humps.
CAUCHY, T5, LAPLACE, GAUSSIAN = 0, 6, 13, 17
TEN_PERCENT_TIMES_THREE = 23 + 3 * families.SHARES.index(0.1)


def shape(errors: np.ndarray) -> Shape:
    found = shape_of(histogram_of(errors)).shape
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("at", "v_l2", "v_l1", "scale"),
    [
        (GAUSSIAN, 0.5, np.pi / 4, stats.norm.ppf(0.75) * np.sqrt(0.5)),
        (LAPLACE, 2.0, 1.0, np.log(2)),
        (T5, 5 / 3, 1 / (4 * stats.t(5).pdf(0) ** 2), stats.t(5).ppf(0.75)),
        (TEN_PERCENT_TIMES_THREE, 1.8, np.pi / 2 / (0.9 + 0.1 / 3) ** 2, None),
    ],
)
def test_variance_factors_are_the_textbook_ones(
    at: int, v_l2: float, v_l1: float, scale: float | None
) -> None:
    found = families.variance_factors()[at]
    assert found[0] / found[2] == pytest.approx(v_l2 / v_l1, rel=0.01)
    if scale is not None:
        assert found[0] == pytest.approx(v_l2 / (1.4826 * scale) ** 2, rel=0.01)


def test_hubers_factor_is_that_of_an_integral() -> None:
    s = 1.4826 * np.log(2)
    clipped = stats.laplace.expect(lambda e: np.clip(e, -1.345 * s, 1.345 * s) ** 2)
    inside = 1 - np.exp(-1.345 * s)
    wanted = clipped / inside**2 / s**2
    assert families.variance_factors()[LAPLACE, 1] == pytest.approx(wanted, rel=0.01)
    assert families.variance_factors()[CAUCHY, 0] > 1000  # has no variance


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_a_law_of_the_grid_is_found_again_in_any_unit(scale: float) -> None:
    for at, law in ((LAPLACE, stats.laplace), (CAUCHY, stats.cauchy)):
        # Quantiles instead of draws: no chance is in it.
        errors = law.ppf((np.arange(2000) + 0.5) / 2000) * scale
        fitted = families.fit([shape(errors)])
        assert fitted.weights.shape == (1, len(families.variance_factors()))
        assert fitted.weights.sum() == pytest.approx(1)
        assert fitted.weights[0].argmax() == at
        assert fitted.misfit[0] < 1


def test_the_likelihood_is_that_of_the_density() -> None:
    errors = np.random.default_rng(1).laplace(size=400)
    errors -= np.median(errors)
    own = shape(errors)
    size = np.abs(errors)
    steps = np.exp(families.CELL * np.arange(-families.SHIFTS, families.SHIFTS + 1))

    def marginal(law: stats.rv_continuous, s: float) -> float:
        each = [law.logpdf(size, scale=own.scale / s / m).sum() for m in steps]
        return float(np.logaddexp.reduce(each))

    wanted = marginal(stats.laplace, 1.4826 * np.log(2)) - marginal(
        stats.norm, 1.4826 * stats.norm.ppf(0.75)
    )
    weights = families.fit([own]).weights[0]
    # Laplace is one of 9 laws that suit L1, the Gaussian one of 12 that suit L2.
    found = np.log(weights[LAPLACE] / weights[GAUSSIAN]) - np.log(12 / 9)
    assert found == pytest.approx(wanted, abs=1)  # cells of 4 %


def test_errors_that_no_law_fits_are_noticed() -> None:
    rng = np.random.default_rng(2)
    assert families.fit([shape(rng.normal(size=1000))]).misfit[0] < 2
    assert families.fit([shape(rng.exponential(size=1000))]).misfit[0] > 4
    three = rng.normal(0, 0.05, 1000) + rng.choice([-1, 0, 1], 1000)
    assert families.fit([shape(three)]).misfit[0] > 4


@pytest.mark.parametrize(
    ("law", "wanted", "share"),
    [
        (LAWS["laplace"], {"L1"}, 0.3),
        (lambda rng, n: rng.normal(size=n) * np.exp(rng.normal(size=n)), {"L1"}, 0.75),
        (LAWS["cauchy"], {"L1"}, 0.6),
        (LAWS["gaussian"], {"L2"}, 0.5),
        (contaminated(0.2, 2), {"Huber"}, 0.7),
    ],
)
def test_a_hundred_rows_are_told_what_their_law_suits(
    law: Law, wanted: set[str], share: float
) -> None:
    picks = [
        advise(histogram_of(law(np.random.default_rng([3, i]), 100)), 100, detail=False).best_guess
        for i in range(40)
    ]
    assert np.mean([p in wanted for p in picks]) >= share


def test_laws_count_less_the_worse_they_fit_and_not_at_all_for_many_rows() -> None:
    rng = np.random.default_rng(4)
    laplace = stats.laplace.ppf((np.arange(400) + 0.5) / 400)
    shapes = [shape(e) for e in (laplace, rng.exponential(size=400), rng.laplace(size=6000))]
    found = usual(shapes, np.array([True, True, True]))
    assert found.rows[0] == pytest.approx(PRIOR_ROWS + FAMILY_ROWS)
    assert PRIOR_ROWS < found.rows[1] < PRIOR_ROWS + 1
    assert found.rows[2] == PRIOR_ROWS
    assert found.regret[0].argmin() == 2  # L1's
    assert found.regret[2] == pytest.approx(PRIOR)
    assert usual(shapes[:1], np.array([False])).rows[0] == PRIOR_ROWS
