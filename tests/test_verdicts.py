"""What the page opens with is true and the most useful thing to say."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.formats import percent
from lossreport.render.report_json import to_json
from lossreport.reports.results import Prediction, Report

SCHEMA = json.loads((Path(lossreport.__file__).parent / "report.schema.json").read_text("utf-8"))


def report_of(errors: np.ndarray, **options: object) -> Report:
    rng = np.random.default_rng(99)
    actual = rng.normal(100, 20, len(errors))
    frame = pl.DataFrame({"actual": actual, "predicted": actual + errors})
    return lossreport.report(frame, **{"by": "", **options})


def only(report: Report) -> Prediction:
    (prediction,) = report.predictions
    return prediction


def rng(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_group_in_the_wrong_unit_is_the_first_thing_said() -> None:
    actual = rng().normal(100, 20, 2000)
    region = np.tile(["a", "b", "c", "d"], 500)
    predicted = actual + rng().normal(0, 3, 2000)
    frame = pl.DataFrame(
        {"region": region, "actual": actual,
         "predicted": np.where(region == "c", predicted * 1000, predicted)}
    )  # fmt: skip
    verdict = only(lossreport.report(frame, by="region")).verdict
    assert verdict.tag == "Check the data first"
    assert "factor of 1,000" in verdict.headline
    assert "region = c" in verdict.headline
    assert verdict.tone == "alert"


@pytest.mark.parametrize("rows", [55, 72, 99, 500])
def test_one_row_apart_is_never_a_broad_tail(rows: int) -> None:
    errors = rng().normal(size=rows)
    errors[0] = 200.0
    verdict = only(report_of(errors)).verdict
    assert verdict.tone == "alert"
    assert "1 row" in verdict.headline
    assert "more frequent than in a bell curve" not in verdict.why
    assert not any("mean error" in p for p in verdict.points), "the bias is one row's doing"


@pytest.mark.parametrize("bad", [9, 10, 11, 19])
def test_all_rows_that_lie_apart_are_counted(bad: int) -> None:
    errors = rng().normal(size=1000)
    errors[:bad] = 300 + rng().normal(size=bad)
    found = only(report_of(errors))
    assert found.concentration is not None
    assert found.concentration.rows == bad
    assert found.verdict.headline.startswith(f"{bad} rows of 1,000")


def test_where_few_rows_move_mae_too_it_is_not_recommended() -> None:
    errors = rng().normal(size=2000)
    errors[:30] = -1100
    found = only(report_of(errors))
    assert "Judge this log by MAE" not in found.verdict.why
    rest = np.abs(errors[30:]).mean()
    assert f"MAE would be {rest:.3f}, not" in found.verdict.why


def test_mae_is_not_recommended_where_large_errors_must_not_happen() -> None:
    errors = rng().normal(size=5000)
    errors[:20] = 40
    why = only(report_of(errors, goal="large-errors")).verdict.why
    assert "MAE hides them" in why
    assert "Judge this log by MAE" not in why


def test_squares_beyond_all_floats_are_no_green_light() -> None:
    errors = rng().normal(size=100)
    errors[0] = 1e200
    verdict = only(report_of(errors)).verdict
    assert verdict.tone == "alert"


def test_bias_is_said_only_if_it_is_no_chance() -> None:
    def codes(errors: np.ndarray) -> dict[str, str]:
        return {f.code: f.status for f in report_of(errors).findings}

    one = rng().normal(size=72)
    one[0] = 200.0
    assert codes(one)["LR006"] == "passed"
    assert codes(rng().normal(0.6, 1, 500))["LR006"] == "issue"


def test_a_loss_that_a_goal_picks_is_not_ruled_out() -> None:
    generator = rng()
    rate = np.exp(generator.normal(-1.5, 1, 5000))
    frame = pl.DataFrame({"actual": generator.poisson(rate).astype(float), "predicted": rate})
    for goal in ("unknown", "totals", "typical"):
        advised = only(lossreport.report(frame, by="", goal=goal)).recommendation
        picked = {advised.advice.loss, advised.advice.for_totals, advised.advice.for_typical}
        assert not picked & set(advised.advice.ruled_out)
        assert "nearly as good" not in " ".join(advised.because) or goal == "typical"


def test_a_loss_that_is_ruled_out_can_be_what_totals_ask_for() -> None:
    errors = rng().standard_t(3, 5000)
    advised = {
        goal: only(report_of(errors, goal=goal)).recommendation
        for goal in ("unknown", "totals", "typical")
    }
    headline = "Train with L2 (squared error), because totals must be right."
    assert advised["totals"].headline == headline
    said = {goal: " ".join(of.because) for goal, of in advised.items()}
    assert "L2 can be ruled out unless totals must be right." in said["unknown"]
    assert "L2 can be ruled out." in said["typical"]
    assert "ruled out" not in said["totals"]
    assert (
        "L2 is chosen for what it aims at, not for its steadiness. Trained on 5,000 rows, that "
        "costs at most about 0.10% of the RMSE for each 10 parameters. But large errors pull L2: see "
        "first that they are real." in said["totals"]
    )
    assert (
        "Confidence: high (no other loss saved over 5% of the rows, beyond what its aim may cost, in "
        "100% of 200 resamples" in said["totals"]
    )


def test_rows_to_check_do_not_hide_what_a_goal_asks_for() -> None:
    errors = rng().standard_t(3, 5000)
    errors[:3] = 1e6
    totals = " ".join(only(report_of(errors, goal="totals")).recommendation.because)
    assert "Repaired or removed, train with L2 (squared error); left in, " in totals
    assert "L2 can be ruled out" not in totals
    unknown = " ".join(only(report_of(errors)).recommendation.because)
    assert "the errors suit Huber" in unknown


def test_weights_are_for_l2_which_only_without_them_is_ruled_out() -> None:
    group = rng().integers(0, 3, 6000)
    errors = rng().normal(size=6000) * np.array([1, 5, 20])[group]
    frame = pl.DataFrame({"actual": 0.0, "predicted": errors, "g": group.astype(str)})
    advised = only(lossreport.report(frame, by="g")).recommendation
    assert advised.advice.verdict == "weights"
    assert "Without weights, L2 can be ruled out" in " ".join(advised.because)


def test_costs_beside_broken_rows_name_the_quantile() -> None:
    errors = rng().normal(size=2000)
    errors[:5] = 5000
    advised = only(report_of(errors, costs=(3.0, 1.0))).recommendation
    assert advised.headline.startswith("Check 5 rows first")
    assert advised.because[0] == (
        "Repaired, removed or left in, train with the quantile loss at level 0.75, because "
        "predicting too low costs 3 times as much as too high."
    )


def test_a_fine_grouping_does_not_hide_groups_of_different_scale() -> None:
    scales = np.repeat(np.geomspace(0.3, 3, 10), 1000)
    errors = rng().normal(size=10_000) * scales
    frame = pl.DataFrame(
        {"region": np.repeat([f"r{i}" for i in range(10)], 1000),
         "customer": [f"c{i // 4}" for i in range(10_000)],
         "actual": np.zeros(10_000), "predicted": errors}
    )  # fmt: skip
    for by in (["region"], ["region", "customer"]):
        advice = only(lossreport.report(frame, by=by)).recommendation.advice
        assert (advice.verdict, advice.weights_by) == ("weights", ("region",))


def test_an_actual_value_that_never_changes_is_a_finding() -> None:
    frame = pl.DataFrame({"actual": [5.0] * 200, "predicted": rng().normal(5, 1, 200)})
    found = {f.code: f for f in lossreport.report(frame, by="").findings}
    assert found["LR034"].status == "issue"
    assert found["LR034"].message.startswith("Every actual value is 5")
    assert {f.code: f for f in report_of(rng().normal(size=100)).findings}[
        "LR034"
    ].status == "passed"


def by_region(bias: dict[str, float], n: int = 1000) -> pl.DataFrame:
    errors = rng().normal(0, 3, n * len(bias)) + np.repeat(list(bias.values()), n)
    return pl.DataFrame(
        {"region": np.repeat(list(bias), n), "actual": 100.0, "predicted": 100 + errors}
    )


@pytest.mark.parametrize(
    "bias", [{"a": 0, "b": 0, "c": 0, "e": 20}, {"a": -20, "b": -10, "c": 0, "d": 10, "e": 20}]
)
def test_groups_of_one_scale_and_different_levels_want_no_weights(bias: dict[str, float]) -> None:
    frame = by_region(bias)
    found = only(lossreport.report(frame, by="region"))
    advice = found.recommendation.advice
    assert (advice.verdict == "weights", advice.levels_by) == (False, ("region",))
    error = frame["predicted"] - frame["actual"]
    means = frame.select((pl.col("predicted") - pl.col("actual")).mean().over("region")).to_series()
    share = (means.to_numpy() ** 2).mean() / (error.to_numpy() ** 2).mean()
    assert advice.levels_share == pytest.approx(share, rel=0.01)
    assert found.verdict.headline == (
        "Put the level of each group (region) right first: the groups' own mean errors make "
        f"{percent(advice.levels_share)} of the squared error."
    )
    even = only(lossreport.report(by_region(dict.fromkeys("abc", 20.0)), by="region"))
    assert even.recommendation.advice.levels_by == ()
    assert even.verdict.headline.startswith("Put the level right first: the mean error is +")


def test_which_model_a_row_is_of_is_nothing_to_weight_rows_by() -> None:
    frames = [
        pl.DataFrame({"id": range(2000), "model": name, "actual": 0.0,
                      "predicted": rng().normal(0, scale, 2000)})
        for name, scale in (("a", 3), ("b", 2.9), ("c", 9))
    ]  # fmt: skip
    report = lossreport.report(pl.concat(frames), compare="model", id="id")
    assert only(report).recommendation.advice.weights_by == ()
    by = lossreport.report(pl.concat(frames), by="model")
    assert only(by).recommendation.advice.weights_by == ("model",)


def test_one_group_with_errors_far_beyond_all_others_is_drawn() -> None:
    frame = by_region({"a": 0, "b": 0})
    frame = frame.with_columns(
        predicted=pl.when(pl.col("region") == "b").then(1000 * pl.col("predicted"))
        .otherwise("predicted")
    )  # fmt: skip
    page = lossreport.render_page(lossreport.report(frame, by="region"))
    assert "Rows with a larger one" in page


@pytest.mark.parametrize("n", [60, 100, 300])
def test_chance_alone_seldom_makes_a_heavy_tail(n: int) -> None:
    tags = [only(report_of(rng(i).normal(size=n))).verdict.tag for i in range(60)]
    assert tags.count("Heavy tail") <= 6


@pytest.mark.parametrize(
    "errors",
    [
        np.tile([-1.0, 1.0], 1000),
        np.round(np.random.default_rng(3).normal(0, 1.2, 5000)),
        np.where(np.arange(4000) % 9 < 4, 0, np.random.default_rng(4).normal(size=4000)),
    ],
)
def test_two_values_rounding_and_zeros_are_no_heavy_tail(errors: np.ndarray) -> None:
    frame = pl.DataFrame({"actual": np.full(len(errors), 50.0), "predicted": 50 + errors})
    found = only(lossreport.report(frame, by=""))
    assert found.recommendation.advice.loss == "L2"
    assert found.verdict.tag == "No outlier problem"
    assert "more frequent than in a bell curve" not in found.verdict.why


@pytest.mark.parametrize("n", [50, 60, 80])
def test_one_row_that_makes_the_squared_error_is_always_told(n: int) -> None:
    errors = np.append(rng(n).normal(0, 3, n - 1), 300.0)
    assert only(report_of(errors)).verdict.headline.startswith(f"1 row of {n} (")


def test_the_share_within_delta_is_that_of_a_model_whose_level_is_right() -> None:
    errors = 20 + 3 * rng().standard_t(3, 5000)
    advice = only(report_of(errors)).recommendation.advice
    within = np.mean(np.abs(errors - np.median(errors)) <= advice.delta)
    assert advice.delta_quantile == pytest.approx(within, abs=0.02)


def test_rows_needed_are_those_of_the_delta_that_is_told() -> None:
    errors = rng(51).normal(0, 3, 51)
    advice = only(report_of(errors)).recommendation.advice
    assert advice.delta is not None
    assert advice.delta < np.abs(errors).max(), "beyond all errors Huber would be L2"
    errors = rng().gamma(0.3, 10, 5000) - 3
    found = only(report_of(errors))
    advice, dial = found.recommendation.advice, found.recommendation.advice.dial
    (at,) = (e for e in dial if e.delta == pytest.approx(advice.delta))
    (l2,) = (e for e in dial if e.loss == "L2")
    needed = dict(advice.rows_needed)
    assert needed["L2"] / needed["Huber"] == pytest.approx(at.value / l2.value, rel=1e-6)


def test_costs_that_are_equal_ask_for_half_of_l1() -> None:
    told = only(report_of(rng().normal(5, 3, 1000), costs=(1.0, 1.0))).recommendation
    assert told.headline.startswith(
        "Train with the quantile loss at level 0.5, which is half of L1"
    )
    assert "ruled out" not in " ".join(told.because)
    assert "level right" not in " ".join((told.headline, *told.because))


def test_where_totals_must_be_right_a_log_is_not_judged_by_mae() -> None:
    errors = rng().normal(size=5000)
    errors[:5] = 60
    for goal, told in (("unknown", True), ("totals", False)):
        assert ("Judge this log by MAE" in only(report_of(errors, goal=goal)).verdict.why) is told


def test_a_bias_that_few_rows_make_is_not_the_model_s() -> None:
    errors = rng().normal(0, 3, 5000)
    errors[:50] += 9000
    report = report_of(errors)
    assert {f.code: f.status for f in report.findings}["LR006"] == "passed"
    assert not [p for p in only(report).verdict.points if "predicts too much" in p]
    moved = report_of(errors + 5)
    assert {f.code: f.status for f in moved.findings}["LR006"] == "issue"


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        ("probabilities", "These are probabilities: train with L2"),
        ("labels", "These are labels of 0 or 1: L1 and L2 are both the share of wrong rows."),
        ("scores", "The actual value is 0 or 1: train with L2 (squared error), not L1."),
        ("percent", "The actual value is 0 or 1: train with L2 (squared error), not L1."),
    ],
)
def test_an_outcome_of_0_or_1_never_asks_for_l1(kind: str, headline: str) -> None:
    chance = rng().beta(2, 5, 4000)
    actual = (rng(8).random(4000) < chance).astype(float)
    predicted = {
        "probabilities": chance, "labels": (chance > 0.5).astype(float),
        "scores": chance + rng(9).normal(0, 0.3, 4000), "percent": 100 * chance,
    }[kind]  # fmt: skip
    frame = pl.DataFrame({"actual": actual, "predicted": predicted, "g": np.tile(["a", "b"], 2000)})
    report = lossreport.report(frame, by="g")
    found = only(report)
    assert found.verdict.headline.startswith(headline)
    assert found.verdict.tag.lower() == kind.replace("percent", "scores")
    each = [found.recommendation, *(g.recommendation for g in found.groupings[0].groups)]
    for told in each:
        assert (told.advice.verdict, told.advice.loss) == ("probabilities", "L2")
        assert told.headline.startswith(headline)
    assert not any(g.flagged for g in found.groupings[0].groups)
    jsonschema.validate(json.loads(to_json(report)), SCHEMA)


def test_one_error_in_all_rows_is_a_level_to_put_right() -> None:
    frame = pl.DataFrame({"actual": [float(i) for i in range(100)]})
    found = only(lossreport.report(frame.with_columns(predicted=pl.col("actual") + 2), by=""))
    assert (found.verdict.tag, found.verdict.tone) == ("Wrong level", "alert")
    assert found.verdict.headline.startswith("All errors are one and the same value: subtract it")
    assert any("mean error (predicted \u2212 actual) is +2.00" in p for p in found.verdict.points)


def test_hostile_column_names_stay_text_in_the_advice() -> None:
    name = "\x1b[31mgrp<b>"
    scales = np.repeat(np.geomspace(0.3, 3, 10), 500)
    frame = pl.DataFrame(
        {name: np.repeat([f"r{i}" for i in range(10)], 500),
         "actual": np.zeros(5000), "predicted": rng().normal(size=5000) * scales}
    )  # fmt: skip
    report = lossreport.report(frame, by=[(name,)])
    assert only(report).recommendation.advice.weights_by == (name,)
    page = lossreport.render_page(report)
    assert "\x1b" not in page
    assert "grp<b>" not in page


def test_shares_of_two_sources_are_shares_of_the_log() -> None:
    generator = rng()
    region = generator.choice(list("abcdefgh"), 20_000)
    errors = generator.normal(size=20_000)
    for source, size in (("a", 400.0), ("b", 90.0)):
        far = (region == source) & (generator.random(20_000) < 0.02)
        errors[far] *= size
    frame = pl.DataFrame({"region": region, "actual": np.zeros(20_000), "predicted": errors})
    found = only(lossreport.report(frame, by="region")).attribution
    assert found is not None
    assert [o.key for o in found.origins] == [("a",), ("b",)]
    total = (errors**2).sum()
    for origin in found.origins:
        mine = (errors[region == origin.key[0]] ** 2).sum()
        assert origin.share_of_sq_error == pytest.approx(mine / total, rel=1e-9)
        assert origin.share_of_rows == pytest.approx((region == origin.key[0]).mean(), rel=1e-9)
    both = (errors[np.isin(region, ["a", "b"])] ** 2).sum()
    assert found.share_of_sq_error == pytest.approx(both / total, rel=1e-9)


@pytest.mark.parametrize("rows", [60, 200, 2_000])
def test_a_huber_whose_delta_no_error_exceeds_is_called_l2(rows: int) -> None:
    errors = 400 * np.sin(np.linspace(0.1, 20 * np.pi + 0.1, rows, endpoint=False))  # a wave
    frame = pl.DataFrame({"actual": np.zeros(rows), "predicted": errors})
    (told,) = lossreport.report(frame).predictions
    advice = told.recommendation.advice
    assert advice.delta is not None
    assert advice.delta > np.abs(errors).max()
    assert advice.loss == advice.best_guess == advice.for_totals == "L2"
    assert dict(advice.rows_needed)["Huber"] == dict(advice.rows_needed)["L2"] == 1
    said = " ".join((told.recommendation.headline, *told.recommendation.because))
    assert "with delta" not in said
    assert "L2 is steadiest here, and so is Huber, because no error exceeds its delta" in said


def hourly(level: np.ndarray, noise: np.ndarray) -> pl.DataFrame:
    times = [datetime(2026, 1, 1) + timedelta(hours=i) for i in range(len(level))]
    return pl.DataFrame({"time": times, "actual": 100.0, "predicted": 100 + level + noise})


HOURS = np.arange(4_800)


@pytest.mark.parametrize(
    ("kind", "level", "moves"),
    [("step", np.where(HOURS < 3_600, -4, 12), "from \u22124.0 before 2026-05-31 to +12.0 from then on"),
     ("trend", HOURS / 200, "from +0.1 at the beginning to +23.9 at the end"),
     ("wave", 10 * np.sin(HOURS / 4_800 * 2 * np.pi), "between \u22129.53 and +9.53")],
)  # fmt: skip
def test_a_level_that_moves_in_time_comes_first(kind: str, level: np.ndarray, moves: str) -> None:
    noise = np.resize([-3.0, 3], 4_800)  # of mean 0 in every period
    found = only(lossreport.report(hourly(level, noise), by=""))
    drift = found.recommendation.advice.drift
    assert drift is not None
    assert (drift.kind, found.verdict.tag) == (kind, "Wrong level")
    periods = (level + noise).reshape(12, -1).mean(axis=1)
    share = (periods**2).mean() / ((level + noise) ** 2).mean()
    assert drift.share == pytest.approx(share, rel=0.01)
    assert found.verdict.headline == (
        f"Put the level right first: the mean error moves in time, {moves}, which makes "
        f"{percent(drift.share)} of the squared error."
    )
    assert "As the errors are: " in found.recommendation.headline


def test_a_level_that_moves_with_the_day_of_the_week_comes_first() -> None:
    level = 15.0 * (HOURS // 24 % 7 == 2)  # 2026-01-03 is a Saturday
    found = only(lossreport.report(hourly(level, np.resize([-1.0, 1], 4_800)), by=""))
    drift = found.recommendation.advice.drift
    assert drift is not None
    assert (drift.kind, drift.places) == ("weekday", ("Mondays", "Saturdays"))
    share = (level**2).mean() / ((level**2).mean() + 1)
    assert drift.share == pytest.approx(share, rel=0.02)
    assert found.verdict.headline == (
        "Put the level right first: the mean error moves with the day of the week, from 0.0 on "
        f"Mondays to +15.0 on Saturdays, which makes {percent(drift.share)} of the squared error."
    )
    three_weeks = hourly(level, np.resize([-1.0, 1], 4_800)).head(21 * 24)
    assert only(lossreport.report(three_weeks, by="")).recommendation.advice.drift is None


def test_what_is_no_drift_is_not_called_one() -> None:
    made = rng()
    slow = np.zeros(4_800)
    for i in range(1, 4_800):  # errors that hold for days
        slow[i] = 0.97 * slow[i - 1] + made.normal()
    spike = made.normal(size=4_800)
    spike[2_000] = 300
    level = np.where(HOURS < 2_400, 9.5, 10.5)
    for errors in (made.normal(size=4_800), made.standard_t(2, 4_800), slow, spike, 10 + slow,
                   level + made.normal(size=4_800)):  # fmt: skip
        found = only(lossreport.report(hourly(errors, np.zeros(4_800)), by=""))
        assert found.recommendation.advice.drift is None
    few = hourly(np.where(np.arange(399) < 200, -10, 10), made.normal(size=399))
    assert only(lossreport.report(few, by="")).recommendation.advice.drift is None
    without = hourly(np.where(HOURS < 2_400, -10, 10), made.normal(size=4_800)).drop("time")
    assert only(lossreport.report(without, by="")).recommendation.advice.drift is None


def test_what_makes_more_of_the_squared_error_is_told_groups_or_time() -> None:
    frame = hourly(np.where(HOURS < 2_400, -10, 10), rng().normal(size=4_800))
    regions = frame.with_columns(region=pl.Series(np.resize(["a", "b"], 4_800)))
    own = pl.when(pl.col("region") == "a").then(pl.col("predicted") + 40).otherwise("predicted")
    by_time = only(lossreport.report(regions, by="region")).recommendation.advice
    assert (by_time.levels_by, by_time.drift is None) == ((), False)
    by_region = only(lossreport.report(regions.with_columns(predicted=own), by="region"))
    assert by_region.recommendation.advice.levels_by == ("region",)
