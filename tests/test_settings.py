"""The code to paste is run, and what it fits is the loss it says."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble
import sklearn.linear_model
import xgboost
from scipy.optimize import minimize_scalar

from lossreport.advice.advice import Advice
from lossreport.advice.centres import clipped_deviation, huber_centre
from lossreport.advice.choice import advise, with_costs
from lossreport.advice.settings import Setting, settings
from tests.simulated_errors import LAWS, histogram_of, lopsided

ROWS = 2000
LEVEL = 0.9
NAMES = {**vars(sklearn.linear_model), **vars(sklearn.ensemble), **vars(lightgbm), **vars(xgboost)}
BOOSTED = {"n_estimators": 200, "learning_rate": 0.3}
# What a fit needs to come to rest; the loss is left as the code has it.
PATIENCE: dict[str, dict[str, Any]] = {
    "HuberRegressor": {"alpha": 0, "max_iter": 1000},
    "SGDRegressor": {"alpha": 0, "max_iter": 300, "tol": None, "eta0": 0.3, "learning_rate": "invscaling", "power_t": 0.6, "random_state": 0},
    "GradientBoostingRegressor": {**BOOSTED, "max_depth": 1},
    "HistGradientBoostingRegressor": {"max_iter": 200, "learning_rate": 0.3},
    "LGBMRegressor": {**BOOSTED, "verbose": -1},
    "XGBRegressor": {**BOOSTED, "reg_lambda": 0},
}  # fmt: skip


@cache
def typical(errors: bytes) -> Advice:
    of = np.frombuffer(errors)
    return advise(histogram_of(of), len(of), "typical")


def advice_for(loss: str, errors: np.ndarray) -> Advice:
    histogram, advice = histogram_of(errors), typical(errors.tobytes())
    if loss == "quantile":
        return with_costs(advice, histogram, LEVEL, 1 - LEVEL)
    made = {**vars(advice), "verdict": "clear", "loss": loss}
    return Advice(**made)


def shown(loss: str, errors: np.ndarray) -> tuple[Setting, ...]:
    return settings(advice_for(loss, errors), histogram_of(errors), "y", "p")


def fitted(setting: Setting, features: np.ndarray, target: np.ndarray) -> Any:
    *first, last = setting.code.split("\n", 1) if "start =" in setting.code else [setting.code]
    names = {**NAMES, "np": np, "y": target}
    exec("\n".join(first), names)
    model = eval(last, names)
    if isinstance(model, sklearn.linear_model.HuberRegressor):
        model.set_params(tol=1e-8)
    model.set_params(**PATIENCE.get(type(model).__name__, {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # feature names, threads
        return model.fit(features, target)


def centre_of(loss: str, library: str, delta: float, y: np.ndarray) -> float:
    """The constant that makes the mean loss smallest, by brute force."""
    exact = {"L2": np.mean(y), "L1": np.median(y), "quantile": np.quantile(y, LEVEL)}
    if loss in exact:
        return float(exact[loss])

    def mean_loss(c: float) -> float:
        size = abs(y - c) / delta
        if library == "XGBoost":
            return float(np.sqrt(1 + size**2).mean())
        return float(np.where(size < 1, size**2 / 2, size - 0.5).mean())

    bounds = (y.min(), y.max())
    found = minimize_scalar(mean_loss, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return float(found.x)


CASES = [
    (loss, s.library)
    for loss in ("L1", "L2", "Huber", "quantile")
    for s in shown(loss, lopsided(ROWS))
    if s.library.startswith(("scikit-learn", "LightGBM", "XGBoost"))
]


@pytest.mark.parametrize(("loss", "library"), CASES)
def test_the_code_fits_the_loss_it_says(loss: str, library: str) -> None:
    errors = lopsided(ROWS)
    (setting,) = (s for s in shown(loss, errors) if s.library == library)
    group = np.arange(ROWS) % 2
    features = group[:, np.newaxis].astype(float)
    target = 1000 - errors + 40 * group  # what a model of one number per group has to learn
    if "SGD" in library:
        target = target - 1000  # stochastic steps do not come so far
    model = fitted(setting, features, target)
    aim = loss
    if "HistGradient" in library and loss == "Huber":
        assert setting.note
        assert setting.note.startswith("No Huber there")
        aim = "L1" if "absolute" in setting.code else "L2"
    delta = advice_for(loss, errors).delta
    assert delta
    for g in (0, 1):
        expected = centre_of(aim, library, delta, target[group == g])
        apart = abs(expected - target[group == g].mean())
        assert aim == "L2" or apart > 0.3, "any loss would do"
        got = float(model.predict(np.array([[float(g)]]))[0])
        assert abs(got - expected) < (0.15 if aim == "L2" else 0.25 * apart)


@pytest.mark.parametrize("law", ["gaussian", "laplace", "t3", "1 % x10", "10 % x3", "cauchy"])
def test_huber_regressor_gets_the_delta_that_was_advised(law: str) -> None:
    errors = 3 * LAWS[law](np.random.default_rng(5), ROWS)
    advice = advice_for("Huber", errors)
    (setting,) = (s for s in shown("Huber", errors) if "HuberRegressor" in s.library)
    model = fitted(setting, np.zeros((ROWS, 1)), errors)
    assert model.epsilon * model.scale_ == pytest.approx(advice.delta, rel=0.01)
    assert model.intercept_ == pytest.approx(huber_centre(histogram_of(errors), advice.delta), abs=0.01 * advice.delta)  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("delta", [0.3, 1.0, 4.0])
def test_centres_and_clipped_deviations_are_those_of_the_rows(law: str, delta: float) -> None:
    errors = LAWS[law](np.random.default_rng(11), 2001)
    low, high = errors.min() - 1, errors.max() + 1
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(errors - middle, -delta, delta).sum() > 0 else (low, middle)  # fmt: skip
    histogram = histogram_of(errors)
    assert huber_centre(histogram, delta) == pytest.approx(low, abs=2e-3 * delta)
    exact = np.sqrt(np.minimum((errors - low) ** 2, delta**2).mean())
    assert clipped_deviation(histogram, delta) == pytest.approx(exact, rel=2e-3)


def test_the_weights_are_one_over_the_variance_of_each_group() -> None:
    rng = np.random.default_rng(3)
    by = ("the 'site'", "m\u202eodel")
    log = pd.DataFrame({by[0]: rng.choice(["a", "b", None], 900), by[1]: rng.integers(0, 2, 900)})
    log["y"], log["p"] = rng.normal(size=900), rng.normal(size=900)
    advice = Advice("weights", "weighted L2", "unknown", 900, weights_by=by)
    told = settings(advice, histogram_of(rng.normal(size=900)), "y", "p")
    assert "\u202e" not in told[0].code
    train = log[list(by)].sample(frac=1, random_state=0)
    names: dict[str, Any] = {"log": log, "train": train}
    exec(told[0].code, names)
    for at in train.index[:50]:
        same = pd.Series(True, index=log.index)
        for c in by:
            same &= log[c].eq(train.loc[at, c]) | (log[c].isna() & pd.isna(train.loc[at, c]))
        error = (log["p"] - log["y"])[same]
        assert names["weight"][at] == pytest.approx(1 / np.var(error, ddof=1))
    features, y = rng.normal(size=(900, 2)), rng.normal(size=900)
    for setting in told[1:]:
        if not setting.library.startswith(("scikit-learn", "LightGBM", "XGBoost")):
            continue
        model = eval(setting.code, {**NAMES, "X": features, "y": y, "weight": names["weight"].to_numpy()})  # fmt: skip
        assert np.all(np.isfinite(model.predict(features)))


def test_nothing_is_pasted_where_nothing_is_advised() -> None:
    few = advise(histogram_of(np.arange(1.0, 20.0)), 19)
    assert settings(few, histogram_of(np.arange(1.0, 20.0)), "y", "p") == ()


def test_where_it_depends_every_loss_named_is_there() -> None:
    errors = -np.random.default_rng(1).lognormal(size=4000)
    advice = advise(histogram_of(errors), 4000)
    assert advice.verdict == "depends"
    made = settings(advice, histogram_of(errors), "y", "p")
    assert {s.loss for s in made} == {advice.loss, advice.for_totals, advice.for_typical}
    assert made[0].loss == advice.loss
