"""The error by the size of the prediction: figures against pandas, and what is said of known laws."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossreport
from lossreport.advice.levels import by_level
from lossreport.checks.finding import Finding
from lossreport.render.level_chart import by_level as chart_by_level
from lossreport.reports.results import Prediction
from tests.conftest import Ran
from tests.simulated import clean

LAWS = {
    "gaussian": lambda rng, n: rng.normal(size=n),
    "laplace": lambda rng, n: rng.laplace(size=n),
    "t3": lambda rng, n: rng.standard_t(3, n),
}


def simulated(power: float, law: str = "gaussian", n: int = 3000, seed: int = 0) -> pl.DataFrame:
    """Errors of a size in proportion to a power of the prediction."""
    rng = np.random.default_rng(seed)
    predicted = np.exp(rng.normal(3, 1, n))
    actual = predicted - 0.1 * predicted**power * LAWS[law](rng, n)
    return pl.DataFrame({"actual": actual, "predicted": predicted})


def of(frame: pl.DataFrame) -> Prediction:
    return lossreport.report(frame, by="").predictions[0]


def finding(frame: pl.DataFrame) -> Finding:
    (found,) = (f for f in lossreport.report(frame, by="").findings if f.code == "LR044")
    return found


def test_bands_are_those_of_pandas() -> None:
    frame = simulated(1, "t3")
    error = (frame["predicted"] - frame["actual"]).to_numpy()
    levels = by_level(frame["predicted"].to_numpy(), error)
    pandas = pd.DataFrame({"size": frame["predicted"].to_numpy(), "e": error})
    edges = [2 ** (k / 2) for k in range(-20, 41)]
    grouped = pandas.groupby(pd.cut(pandas["size"], edges, right=False), observed=True)["e"]
    assert [b.rows for b in levels.bands] == grouped.size().to_list()
    assert [b.mae for b in levels.bands] == pytest.approx(grouped.agg(lambda e: e.abs().mean()))
    ratio = grouped.agg(lambda e: np.sqrt((e**2).mean()) / e.abs().mean())
    assert [b.ratio for b in levels.bands] == pytest.approx(ratio)
    assert [b.low for b in levels.bands] == pytest.approx(
        [i.left for i in grouped.size().index], rel=2e-3
    )


def test_the_factor_is_one_plus_the_squared_variation_less_what_chance_makes() -> None:
    frame = simulated(1, n=200_000)
    error = (frame["predicted"] - frame["actual"]).to_numpy()
    levels = by_level(frame["predicted"].to_numpy(), error)
    rows = np.array([b.rows for b in levels.judged])
    mae = np.array([b.mae for b in levels.judged])
    mean = np.average(mae, weights=rows)
    variation = np.sqrt(np.average((mae - mean) ** 2, weights=rows)) / mean
    assert levels.factor == pytest.approx(np.sqrt(1 + variation**2), rel=1e-3)
    assert levels.factor < np.sqrt(1 + variation**2)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_the_slope_is_the_power_and_its_interval_holds_it(power: float, law: str) -> None:
    held, grows = 0, 0
    for seed in range(30):
        frame = simulated(power, law, seed=seed)
        error = (frame["predicted"] - frame["actual"]).to_numpy()
        levels = by_level(frame["predicted"].to_numpy(), error)
        assert levels.slope == pytest.approx(power, abs=0.25)
        held += levels.slope_low < power < levels.slope_high
        grows += levels.grows
    assert held >= 27
    assert grows == {0: 0, 0.5: grows, 1: 30}[power]


@pytest.mark.parametrize(
    "law", ["gaussian", "laplace", "t3", "whole", "rounded", "heteroscedastic"]
)
def test_errors_of_one_size_are_not_said_to_grow(law: str) -> None:
    for seed in range(30):
        frame = clean(law, seed, 1000)
        levels = by_level(
            frame["predicted"].to_numpy(), (frame["predicted"] - frame["actual"]).to_numpy()
        )
        assert not levels.grows


def test_what_grows_by_little_is_not_said_to_be_unsure() -> None:
    made = of(simulated(0.1)).levels
    assert not made.levels.grows
    assert made.levels.slope_low > 0
    (sentence,) = made.sentences
    assert sentence.startswith(
        "The error grows with the prediction, but hardly changes RMSE/MAE: the MAE is"
    )
    assert f"the ratio {made.levels.factor:.2f} times as large" in sentence


def test_in_proportion_it_is_said_with_what_to_try_and_a_caution() -> None:
    made = of(simulated(1))
    levels = made.levels.levels
    assert levels.grows
    said = made.levels.sentences
    assert said[0].startswith("The error grows with the prediction: the MAE is ")
    assert f"Twice the prediction, {2**levels.slope:.2f} times the error" in said[0]
    assert f"a factor of {levels.factor:.2f}" in said[1]
    assert "in proportion to the prediction" in said[2]
    assert "the logarithm of the target or a relative loss" in said[2]
    assert made.recommendation.advice.loss in ("L1", "Huber")
    assert "keep L2 or model the logarithm of the target" in said[3]
    assert made.levels.whole
    found = finding(simulated(1))
    assert (found.status, found.severity, found.message) == ("issue", "info", said[0])


@pytest.mark.parametrize(
    ("goal", "cautioned"), [("totals", True), ("unknown", True), ("typical", False)]
)
def test_the_caution_is_for_totals_and_unknown_goals(goal: str, cautioned: bool) -> None:
    made = lossreport.report(simulated(1, "laplace"), by="", goal=goal).predictions[0]
    robust = made.recommendation.advice.loss in ("L1", "Huber")
    assert any("Robust losses" in s for s in made.levels.sentences) is (cautioned and robust)


def test_counts_are_told_from_errors_in_proportion() -> None:
    rng = np.random.default_rng(7)
    predicted = np.exp(rng.normal(4, 1.3, 5000))
    frame = pl.DataFrame({"actual": rng.poisson(predicted).astype(float), "predicted": predicted})
    said = of(frame).levels.sentences[2]
    assert "like the root of the prediction" in said
    assert "Poisson deviance" in said


def test_negative_predictions_are_judged_by_their_size_and_no_logarithm_is_named() -> None:
    frame = simulated(1)
    odd = pl.int_range(pl.len()) % 2 == 1
    mixed = frame.with_columns(
        pl.when(odd).then(-pl.col(c)).otherwise(c).alias(c) for c in ("actual", "predicted")
    )
    made = of(mixed)
    assert made.levels.levels.slope == pytest.approx(of(frame).levels.levels.slope, rel=1e-9)
    assert not any("logarithm" in s or "Poisson" in s for s in made.levels.sentences)
    assert any("a relative loss" in s for s in made.levels.sentences)


@pytest.mark.parametrize("predicted", [7.0, 0.0])
def test_predictions_that_are_all_equal_say_nothing(predicted: float) -> None:
    frame = pl.DataFrame({"actual": np.random.default_rng(0).normal(7, 1, 500)})
    frame = frame.with_columns(predicted=pl.lit(predicted))
    made = of(frame)
    assert made.levels.levels.factor is None
    assert made.levels.bins == ()
    assert "too few or too alike in size" in made.levels.sentences[0]
    assert finding(frame).status == "skipped"
    assert chart_by_level(made, "x") is None


def test_few_rows_are_not_judged() -> None:
    assert of(simulated(1, n=49)).levels is None
    few = of(simulated(1, n=120)).levels
    assert few.levels.factor is None or not few.levels.grows
    assert few.bins == ()


def test_perfect_and_huge_numbers_give_no_nan_and_no_warning() -> None:
    rng = np.random.default_rng(1)
    predicted = np.exp(rng.normal(0, 2, 1000))
    assert by_level(predicted, np.zeros(1000)).factor is None
    half = np.where(predicted > 1, 1.0, 0.0)
    levels = by_level(predicted, half)
    assert levels.slope is None
    assert levels.factor > 1
    huge = by_level(predicted * 1e300, predicted * 1e300)
    assert huge.slope == pytest.approx(1, abs=0.01)
    tiny = by_level(np.full(100, 5e-324), np.full(100, 5e-324))
    assert tiny.bands[0].rows == 100


@given(st.integers(-60, 60), st.integers(0, 5))
def test_the_unit_does_not_matter(octaves: int, seed: int) -> None:
    frame = simulated(1, n=1000, seed=seed)
    predicted = frame["predicted"].to_numpy()
    error = predicted - frame["actual"].to_numpy()
    one, other = (
        by_level(predicted, error),
        by_level(predicted * 2.0**octaves, error * 2.0**octaves),
    )
    assert [b.rows for b in one.bands] == [b.rows for b in other.bands]
    assert other.factor == pytest.approx(one.factor, rel=1e-9)
    assert other.slope == pytest.approx(one.slope, rel=1e-6)


def test_bins_hold_every_row_once_and_their_figures_are_numpys() -> None:
    frame = simulated(1, "t3", n=1234).with_columns(predicted=pl.col("predicted").round(0))
    predicted = frame["predicted"].to_numpy()
    error = predicted - frame["actual"].to_numpy()
    bins = of(frame).levels.bins
    assert sum(b.rows for b in bins) == 1234
    assert all(a.high < b.low for a, b in itertools.pairwise(bins))
    for b in bins:
        mine = error[(predicted >= b.low) & (predicted <= b.high)]
        assert b.rows == len(mine)
        assert (b.p05, b.median, b.p95) == pytest.approx(np.quantile(mine, [0.05, 0.5, 0.95]))
        assert b.mean == pytest.approx(mine.mean())


def test_of_a_large_log_it_is_said_from_how_many_rows_and_probabilities_have_none() -> None:
    large = of(simulated(1, n=45_000)).levels
    assert not large.whole
    assert large.rows < 45_000
    assert large.sentences[-1].startswith(f"This is from {large.rows:,} of the 45,000 scored rows")
    rng = np.random.default_rng(2)
    p = rng.uniform(0, 1, 2000)
    outcome = pl.DataFrame({"actual": (rng.uniform(0, 1, 2000) < p).astype(float), "predicted": p})
    assert of(outcome).levels is None


def test_a_profile_without_kept_rows_has_neither_levels_nor_patterns() -> None:
    profile = replace(lossreport.profile(simulated(1), by=""), evidence=None)
    made = lossreport.report(profile).predictions[0]
    assert made.levels is None
    assert made.patterns == ()


def test_page_json_and_chart_show_it(run: Callable[..., Ran], tmp_path: Path) -> None:
    frame = simulated(1)
    frame.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet")
    made = of(frame).levels
    in_json = ran.json["predictions"][0]["levels"]
    assert in_json["sentences"] == list(made.sentences)
    assert in_json["slope"] == made.levels.slope
    assert len(in_json["bins"]) == len(made.bins) == 20
    assert "Error by prediction size" in ran.html
    assert made.sentences[3] in ran.html
    chart = chart_by_level(of(frame), "x")
    assert chart.title in ran.html
    assert [row[1] for row in chart.table] == [f"{b.rows:,}" for b in made.bins]
    assert "From all rows." in chart.subtitle
