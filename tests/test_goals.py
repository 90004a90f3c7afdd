"""What each goal asks for, against the rows themselves."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.formats import MINUS
from lossreport.reports.goals import GoalEffect
from lossreport.reports.results import Prediction
from tests.simulated_errors import lopsided


def prediction_of(errors: np.ndarray, level: float = 200.0, **options: object) -> Prediction:
    actual = level + np.random.default_rng(99).normal(0, 20, len(errors))
    frame = pl.DataFrame({"actual": actual, "predicted": actual + errors})
    return lossreport.report(frame, by="", **options).predictions[0]


def by_goal(found: Prediction) -> dict[str, GoalEffect]:
    return {g.goal: g for g in found.goals}


def test_training_with_l1_moves_predictions_as_refitting_a_constant_would() -> None:
    # Small errors often, large ones in a third of the rows: the typical row asks for another loss.
    rng = np.random.default_rng(3)
    errors = np.where(rng.random(6000) < 0.3, -rng.exponential(30, 6000), rng.laplace(0, 1, 6000))
    found = prediction_of(errors)
    typical = by_goal(found)["typical"]
    assert typical.loss != "L2"
    target = 200 - errors  # what is left to learn: actual - predicted + 200
    if typical.loss == "L1":
        aim = np.median(target)
    else:
        delta = typical.delta
        assert delta
        aim = np.median(target)
        for _ in range(500):
            aim += np.clip(target - aim, -delta, delta).mean() / np.mean(abs(target - aim) < delta)
    assert typical.shift == pytest.approx(aim - target.mean(), rel=0.02)
    assert typical.shift < -1
    total = found.overall.mean_actual
    assert total
    assert typical.share_of_total == pytest.approx(typical.shift / total)
    assert f"totals by about {MINUS}" in typical.moves
    assert by_goal(found)["totals"].loss == "L2"


@pytest.mark.parametrize("goal", ["unknown", "totals", "typical", "large-errors"])
def test_large_errors_unacceptable_means_l2_with_its_price_whatever_the_goal(goal: str) -> None:
    found = prediction_of(np.random.default_rng(5).standard_t(3, 4000), goal=goal)
    large = by_goal(found)["large-errors"]
    needed = dict(found.recommendation.advice.rows_needed)
    assert large.loss == "L2"
    assert large.rows_needed == needed["L2"] > 1.2
    assert large.price == f"it needs {needed['L2']:.2f} times the rows Huber would need"
    assert large.shift == 0
    asked = [g.goal for g in found.goals if g.asked]
    assert asked == ([] if goal == "unknown" else [goal])


def test_costs_add_the_quantile_and_say_where_it_lies_against_the_mean() -> None:
    errors = lopsided()
    found = prediction_of(errors, costs=(9.0, 1.0))
    cost = by_goal(found)["costs"]
    assert (cost.loss, cost.asked) == ("quantile", True)
    assert cost.level == pytest.approx(0.9)
    assert cost.rows_needed is None
    target = -errors
    assert cost.shift == pytest.approx(np.quantile(target, 0.9) - target.mean(), rel=0.02)
    assert "90" in cost.aims_at


def test_where_mean_and_median_do_not_surely_differ_nothing_is_said_to_move() -> None:
    goals = by_goal(prediction_of(np.random.default_rng(8).laplace(size=5000)))
    assert goals["typical"].loss == "L1"
    assert goals["typical"].shift is None
    assert goals["typical"].moves.startswith("nothing that is sure")


def test_of_totals_near_zero_no_share_is_told() -> None:
    found = prediction_of(10 * lopsided(), level=0.0)
    typical = by_goal(found)["typical"]
    assert typical.shift
    assert typical.share_of_total is None
    assert "totals" not in typical.moves


def test_without_a_comparison_of_losses_there_are_no_goals() -> None:
    assert prediction_of(np.arange(1.0, 20.0)).goals == ()
    rng = np.random.default_rng(2)
    chance = rng.random(2000)
    frame = pl.DataFrame({"actual": (rng.random(2000) < chance) * 1, "predicted": chance})
    assert lossreport.report(frame, by="").predictions[0].goals == ()


def test_where_rows_lie_apart_goals_are_told_for_the_log_without_them() -> None:
    errors = np.random.default_rng(5).laplace(0, 3, 8000)
    frame = pl.DataFrame({"actual": 100.0, "predicted": 100 + errors})
    clean = lossreport.report(frame, by="").predictions[0]
    broken = frame.with_columns(pl.col("predicted") + 900 * (pl.int_range(pl.len()) < 40))
    left_in = lossreport.report(broken, by="").predictions[0]
    assert left_in.recommendation.advice.broken is not None
    of = [{g.goal: g for g in p.goals} for p in (clean, left_in)]
    assert of[1]["totals"].loss == "L2"
    assert of[1]["totals"].rows_needed == pytest.approx(of[0]["totals"].rows_needed, rel=0.05)
    assert of[1]["typical"].loss == of[0]["typical"].loss == "L1"
    page = lossreport.render_page(lossreport.report(broken, by=""))
    assert "This is once the rows to check are repaired or removed." in page
