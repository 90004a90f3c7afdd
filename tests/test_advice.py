"""The recommendation: the table of simulated laws, and honesty at the edges."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.advice.advice import Advice
from lossreport.formats import number
from lossreport.reports.results import Recommendation
from tests import oracle

Law = Callable[[np.random.Generator, int], np.ndarray]


def contaminated(share: float, times: float) -> Law:
    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        return rng.normal(size=n) * np.where(rng.random(n) < share, times, 1)

    return draw


LAWS: dict[str, Law] = {
    "gaussian": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "laplace": lambda rng, n: rng.laplace(size=n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "1% x10": contaminated(0.01, 10),
    "10% x3": contaminated(0.1, 3),
    "cauchy": lambda rng, n: rng.standard_cauchy(n),
    "gaussian, biased": lambda rng, n: rng.normal(3, 1, n),
    "lognormal": lambda rng, n: np.exp(0.5 * rng.normal(size=n)),
    "gaussian, rounded": lambda rng, n: np.round(rng.normal(size=n) * 2) / 2,
    "laplace, rounded": lambda rng, n: np.round(rng.laplace(size=n) * 2) / 2,
}


def advice_on(errors: np.ndarray, goal: str = "unknown") -> Advice:
    frame = pl.DataFrame({"actual": np.zeros(len(errors)), "predicted": errors})
    return lossreport.report(frame, goal=goal).predictions[0].recommendation.advice


# law, rows, loss, at least this share of picks: the table of picks, less sampling error of 10 or 20 logs.
PICKS = [
    ("gaussian", 1_000, "L2", 0.85), ("gaussian", 10_000, "L2", 1.0),
    ("uniform", 1_000, "L2", 1.0), ("uniform", 10_000, "L2", 1.0),
    ("laplace", 1_000, "L1", 0.75), ("laplace", 10_000, "L1", 1.0),
    ("t3", 1_000, "Huber", 1.0), ("t3", 10_000, "Huber", 1.0),
    ("1% x10", 1_000, "Huber", 0.95), ("1% x10", 10_000, "Huber", 1.0),
    ("10% x3", 1_000, "Huber", 0.95), ("10% x3", 10_000, "Huber", 1.0),
    ("cauchy", 10_000, "L1", 0.95), ("gaussian, biased", 10_000, "L2", 1.0),
    ("lognormal", 10_000, "Huber", 1.0), ("gaussian, rounded", 10_000, "L2", 0.95),
    ("laplace, rounded", 10_000, "L1", 0.95),
]  # fmt: skip


@pytest.mark.parametrize(("law", "rows", "loss", "share"), PICKS)
def test_the_picks_of_the_simulation_table_come_out(
    law: str, rows: int, loss: str, share: float
) -> None:
    logs = 20 if rows < 10_000 else 10
    picks = [
        advice_on(LAWS[law](np.random.default_rng([7, i]), rows)).best_guess for i in range(logs)
    ]
    assert mean(p == loss for p in picks) >= share


@pytest.mark.parametrize("law", ["gaussian", "laplace", "t3", "1% x10", "gaussian, biased"])
def test_efficiencies_are_those_of_the_raw_errors(law: str) -> None:
    errors = LAWS[law](np.random.default_rng(1), 20_000)
    wanted = oracle.variance_factors(errors)
    best = min(wanted.values())
    found = {e.loss: e for e in advice_on(errors).efficiency}
    for loss, factor in wanted.items():
        assert found[loss].value == pytest.approx(best / factor, rel=0.03), loss
        assert found[loss].low <= found[loss].value <= found[loss].high, loss


@pytest.mark.parametrize("rows", [3_000, 30_000])
def test_rounding_hides_no_peak(rows: int) -> None:
    errors = LAWS["laplace, rounded"](np.random.default_rng(11), rows)
    spread = np.var(errors) + 0.5**2 / 12
    share = np.mean(errors == 0) / 0.5
    wanted = 4 * share**2 * spread  # V of L2 in units of that of L1
    needed = dict(advice_on(errors).rows_needed)
    assert needed["L2"] / needed["L1"] == pytest.approx(wanted, rel=0.1)


def test_delta_is_in_the_unit_of_the_target() -> None:
    errors = LAWS["1% x10"](np.random.default_rng(2), 5000)
    small, large = advice_on(errors), advice_on(errors * 1024)
    assert small.delta is not None
    assert large.delta == pytest.approx(1024 * small.delta, rel=0.01)
    assert small.delta_quantile == pytest.approx(np.mean(np.abs(errors) < small.delta), abs=0.01)


def test_what_is_ruled_out_is_really_worse() -> None:
    for seed in range(20):
        assert "L2" not in advice_on(LAWS["gaussian"](np.random.default_rng(seed), 300)).ruled_out
        assert "Huber" not in advice_on(LAWS["t3"](np.random.default_rng(seed), 300)).ruled_out
    assert advice_on(LAWS["gaussian"](np.random.default_rng(0), 3000)).ruled_out == ("L1",)


def test_confidence_is_capped_by_the_number_of_rows() -> None:
    for rows, best in ((60, "low"), (150, "moderate"), (900, "moderate")):
        levels = {
            advice_on(LAWS["uniform"](np.random.default_rng(i), rows)).confidence for i in range(10)
        }
        assert levels <= {"low", best}
    assert advice_on(LAWS["gaussian"](np.random.default_rng(0), 5000)).confidence == "high"


def test_lopsided_errors_depend_on_the_goal_and_symmetric_ones_do_not() -> None:
    lopsided = LAWS["lognormal"](np.random.default_rng(3), 20_000)
    advice = advice_on(lopsided)
    assert advice.verdict == "depends"
    assert advice.lopsided is not None
    assert advice.lopsided > 0
    assert advice_on(lopsided, "totals").loss == advice.for_totals == "L2"
    assert advice_on(lopsided, "typical").loss == advice.for_typical
    assert advice_on(LAWS["gaussian"](np.random.default_rng(3), 20_000)).verdict == "clear"
    flagged = [advice_on(LAWS["t3"](np.random.default_rng(s), 1000)).lopsided for s in range(20)]
    assert sum(f is not None for f in flagged) <= 2


@pytest.mark.parametrize("law", ["t3", "laplace", "10% x3"])
def test_for_totals_another_loss_must_save_a_share_of_the_rows_that_grows_with_them(
    law: str,
) -> None:
    drawn = [LAWS[law](np.random.default_rng([8, i]), 1_000) for i in range(10)]
    assert {advice_on(e, "totals").loss for e in drawn} == {"L2"}
    assert {advice_on(e[:220], "totals").loss for e in drawn} == {"L2"}
    if law == "t3":  # the others save L2 less than the 30 % that they must
        assert mean(advice_on(e[:60], "totals").loss != "L2" for e in drawn) >= 0.5
    assert "L2" not in {advice_on(e).best_guess for e in drawn}


def test_for_the_typical_row_l2_must_save_rows_too() -> None:
    errors = LAWS["gaussian"](np.random.default_rng(3), 20_000)
    found = {goal: advice_on(errors, goal).loss for goal in ("totals", "typical", "unknown")}
    assert found == {"totals": "L2", "typical": "Huber", "unknown": "L2"}
    uniform = LAWS["uniform"](np.random.default_rng(3), 5_000)
    advice = advice_on(uniform, "typical")
    assert advice.loss == ("L2" if advice.huber_is_l2 else "Huber")


def test_the_mean_of_rows_that_are_to_be_checked_is_no_goal() -> None:
    errors = LAWS["gaussian"](np.random.default_rng(9), 5_000)
    errors[:10] = -999.0
    advice = advice_on(errors, "totals")
    assert advice.verdict == "check-rows-first"
    assert (advice.loss, advice.repaired.best_guess) == ("Huber", "L2")


@pytest.mark.parametrize("rows", [60, 150, 1_000])
@pytest.mark.parametrize("law", ["t3", "gaussian", "lognormal", "laplace"])
def test_what_a_goal_would_ask_for_is_what_it_asks_for(law: str, rows: int) -> None:
    errors = LAWS[law](np.random.default_rng([10, rows]), rows)
    told = advice_on(errors)
    assert told.for_totals == advice_on(errors, "totals").best_guess
    assert told.for_typical == advice_on(errors, "typical").best_guess


def test_unacceptable_large_errors_mean_l2_with_its_price() -> None:
    report = lossreport.report(
        pl.DataFrame({"actual": 0.0, "predicted": LAWS["t3"](np.random.default_rng(4), 5000)}),
        goal="large-errors",
    )
    advised = report.predictions[0].recommendation
    assert advised.advice.loss == "L2"
    price = dict(advised.advice.rows_needed)["L2"]
    assert price > 1.3
    assert f"{price:.2f} times" in advised.because[0]


@pytest.mark.parametrize("rows", [1, 2, 49])
def test_below_fifty_rows_nothing_is_recommended(rows: int) -> None:
    advice = advice_on(np.random.default_rng(5).normal(size=rows))
    assert (advice.verdict, advice.loss) == ("not-enough-rows", None)
    assert "50 are needed" in (advice.reason or "")


def test_fifty_rows_are_enough_to_say_something() -> None:
    assert advice_on(np.random.default_rng(5).normal(size=50)).loss is not None


@pytest.mark.parametrize(
    ("errors", "says"),
    [
        (np.zeros(100), "leaked"),
        (np.ones(100), "same value"),
        (np.where(np.arange(200) < 180, 0.0, 1.0), "differ from 0"),
    ],
)
def test_errors_without_a_shape_to_judge_get_a_reason(errors: np.ndarray, says: str) -> None:
    advice = advice_on(errors)
    assert (advice.verdict, advice.loss) == ("cannot-say", None)
    assert says in (advice.reason or "")


def test_exact_zeros_are_set_apart_and_named() -> None:
    rng = np.random.default_rng(8)
    errors = np.where(rng.random(20_000) < 0.2, 0.0, rng.normal(size=20_000))
    advice = advice_on(errors)
    assert advice.flags == ("spike_at_zero",)
    assert advice.loss == "L2"
    assert advice.zeros == pytest.approx(np.mean(errors == 0))


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_the_advice_does_not_depend_on_the_unit(scale: float) -> None:
    errors = LAWS["t3"](np.random.default_rng(9), 2000)
    assert advice_on(errors * scale).loss == advice_on(errors).loss == "Huber"


def test_errors_over_all_magnitudes_give_an_answer() -> None:
    exponents = np.random.default_rng(10).uniform(-300, 300, 2000)
    advice = advice_on(10.0**exponents)
    assert advice.verdict in ("clear", "depends", "no-clear-winner", "cannot-say")
    assert all(0 <= e.value <= 1 for e in advice.efficiency)


def _advised(errors: np.ndarray, group: object = None, **options: object) -> Recommendation:
    frame = pl.DataFrame({"actual": np.zeros(len(errors)), "predicted": errors})
    if group is not None:
        frame = frame.with_columns(group=pl.Series(group))
    by = "" if group is None else ["group"]
    return lossreport.report(frame, by=by, **options).predictions[0].recommendation


def _rng() -> np.random.Generator:
    return np.random.default_rng(20261125)


def test_broken_rows_are_to_be_checked_first() -> None:
    rng = _rng()
    errors = np.append(rng.normal(size=4991), rng.normal(-999, 1, 9))
    advised = _advised(errors)
    assert advised.advice.verdict == "check-rows-first"
    assert advised.headline.startswith("Check 9 rows first: they hold ")
    assert advised.advice.broken is not None
    assert advised.advice.broken.rows == 9
    share = (errors[-9:] ** 2).sum() / (errors**2).sum()
    assert advised.advice.broken.share_of_sq_error == pytest.approx(share, rel=1e-6)
    assert (advised.advice.loss, advised.advice.repaired.best_guess) == ("Huber", "L2")
    assert advised.because[0].startswith("Repaired or removed, the errors suit L2")
    one = _advised(np.append(rng.normal(size=500), [300.0]))
    assert one.headline.startswith("Check 1 row first: it holds ")
    assert " and lies " in one.headline


@pytest.mark.parametrize("law", ["laplace", "t3"])
def test_one_loss_with_and_without_broken_rows_is_said_once(law: str) -> None:
    advised = _advised(np.append(LAWS[law](_rng(), 4991), _rng().normal(-9e4, 1, 9)))
    advice = advised.advice
    assert advice.broken is not None
    assert advice.loss == advice.repaired.best_guess == {"laplace": "L1", "t3": "Huber"}[law]
    said = advised.because[0]
    assert said.startswith("Repaired, removed or left in, the errors suit ")
    assert said.count(advice.loss) == 1
    if advice.loss == "Huber":
        deltas = {number(advice.delta), number(advice.repaired.delta)}
        assert all(delta in said for delta in deltas)


def test_groups_of_different_scale_ask_for_weights() -> None:
    rng = _rng()
    scales = np.geomspace(0.3, 3, 10)
    group = np.repeat([f"g{i}" for i in range(10)], 500)
    errors = rng.normal(size=5000) * np.repeat(scales, 500)
    advised = _advised(errors, group=group)
    assert (advised.advice.verdict, advised.advice.loss) == ("weights", "weighted L2")
    assert advised.headline == (
        "Weight rows by 1/variance of their group (group) and keep L2 (squared error)."
    )
    assert advised.advice.mixing is not None
    assert advised.advice.mixing.between == pytest.approx(1.21, abs=0.03)
    assert _advised(errors, group=group, goal="typical").advice.verdict == "clear"
    alike = _advised(rng.normal(size=5000), group=group)
    assert (alike.advice.verdict, alike.advice.loss) == ("clear", "L2")
    heavy = rng.standard_t(3, 5000) * np.repeat(scales, 500)
    assert _advised(heavy, group=group).advice.verdict == "clear"


@pytest.mark.parametrize(("under", "over"), [(3.0, 1.0), (1.0, 9.0), (2.0, 2.0)])
def test_costs_by_side_ask_for_their_quantile(under: float, over: float) -> None:
    rng = _rng()
    errors = rng.normal(0.4, 1, 5000)
    advised = _advised(errors, costs=(under, over))
    assert (advised.advice.verdict, advised.advice.loss) == ("quantile", "quantile")
    assert advised.advice.level == pytest.approx(under / (under + over))
    shift = advised.advice.shift
    assert shift is not None

    def cost(moved: np.ndarray) -> float:
        return float(np.where(moved < 0, -moved * under, moved * over).mean())

    best = min((cost(errors + d), d) for d in np.linspace(-3, 3, 601))[1]
    assert shift == pytest.approx(best, abs=0.06)


def test_a_quantile_far_out_needs_rows_beyond_it() -> None:
    rng = _rng()
    advised = _advised(rng.normal(size=400), costs=(99.0, 1.0))
    assert (advised.advice.verdict, advised.advice.loss) == ("not-enough-rows", None)
    assert "only about 4 do" in advised.headline
    with pytest.raises(lossreport.UsageError, match="two positive numbers"):
        _advised(rng.normal(size=400), costs=(0.0, 1.0))


def test_a_level_that_is_off_is_said() -> None:
    rng = _rng()
    assert "biased" in _advised(rng.normal(1, 1, 500)).advice.flags
    assert "biased" in _advised(rng.normal(-1, 1, 500)).advice.flags
    assert "biased" not in _advised(rng.normal(0.1, 1, 500)).advice.flags
