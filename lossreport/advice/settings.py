"""How each library is told to use a loss: code to paste, with delta in the unit it wants.

Names, defaults and units are those of scikit-learn 1.9, LightGBM 4.7, XGBoost 3.2, CatBoost 1.2,
PyTorch 2.14 and Keras 3.15, each of which was fitted with this code; `tests/test_settings.py` fits
the first three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossreport.advice.advice import Advice
from lossreport.advice.centres import clipped_deviation
from lossreport.advice.histogram import ErrorHistogram

DIGITS = 4
"""Numbers in the code have so many significant digits."""


@dataclass(frozen=True)
class Setting:
    """One library's setting for a loss."""

    loss: str
    """"L1", "L2", "Huber", "quantile" or "weighted L2"."""
    library: str
    """With the class it is for: "scikit-learn, HuberRegressor"."""
    code: str
    """Lines of Python."""
    note: str | None = None
    """The trap in it: a default, a unit, or that the loss is not there."""


@dataclass(frozen=True)
class Huber:
    """What the libraries want to know of Huber's delta."""

    delta: str
    """In the target's unit, as code."""
    epsilon: str
    """delta / the scale that HuberRegressor will fit."""
    quantile: str
    """The share of errors below delta."""
    instead: str
    """Of L1 and L2, the one that needs fewer rows here."""


def settings(
    advice: Advice, histogram: ErrorHistogram | None, actual: str, predicted: str
) -> tuple[Setting, ...]:
    """Return the settings for the advised loss, and for those that the goal would choose.

    Parameters
    ----------
    histogram
        Of the same errors; without it there is no advice.
    actual, predicted
        The log's columns, for the variance of each group.

    Returns
    -------
    tuple of Setting
        Loss by loss, the advised one first; empty where no loss is advised.
    """
    if advice.loss is None or histogram is None:
        return ()
    if advice.loss == "quantile" and advice.level is not None:
        return tuple(_quantile(_digits(advice.level)))
    if advice.loss == "weighted L2":
        return tuple(_weighted(advice.weights_by, actual, predicted))
    losses = [advice.loss]
    if advice.verdict == "depends":
        losses += [loss for loss in (advice.for_totals, advice.for_typical) if loss]
    made: list[Setting] = []
    for loss in dict.fromkeys(losses):
        if loss == "Huber":
            of = _huber_of(advice, histogram)
            made += [*_huber_in_scikit_learn(of), *_huber_elsewhere(of.delta)]
        else:
            made += {"L1": _l1, "L2": _l2}[loss]()
    return tuple(made)


def _digits(value: float) -> str:
    """Return a positive number as code, without an exponent where it reads well so."""
    text = f"{value:.{DIGITS}g}"
    plain = 1e-6 <= value < 1e12
    return np.format_float_positional(float(text), trim="0") if plain else repr(float(text))


def _huber_of(advice: Advice, histogram: ErrorHistogram) -> Huber:
    assert advice.delta is not None
    assert advice.delta_quantile is not None
    needed = dict(advice.rows_needed)
    return Huber(
        _digits(advice.delta),
        _digits(max(1.0, advice.delta / clipped_deviation(histogram, advice.delta))),
        _digits(min(0.999, advice.delta_quantile)),
        "L1" if needed["L1"] < needed["L2"] else "L2",
    )


def _each(loss: str, codes: Sequence[tuple[str, str] | tuple[str, str, str]]) -> list[Setting]:
    return [Setting(loss, *code) for code in codes]


def _huber_in_scikit_learn(of: Huber) -> list[Setting]:
    histogram_loss = {"L1": "absolute_error", "L2": "squared_error"}[of.instead]
    return _each(
        "Huber",
        [
            (
                "scikit-learn, HuberRegressor",
                f"HuberRegressor(epsilon={of.epsilon})",
                f"epsilon is delta divided by a scale that it fits itself; {of.epsilon} makes "
                f"delta {of.delta} on errors like these. The default is 1.35.",
            ),
            (
                "scikit-learn, SGDRegressor",
                f'SGDRegressor(loss="huber", epsilon={of.delta})',
                "epsilon is delta in the target's unit. The default, 0.1, is close to L1 unless "
                "errors are that small.",
            ),
            (
                "scikit-learn, GradientBoostingRegressor",
                f'GradientBoostingRegressor(loss="huber", alpha={of.quantile})',
                "alpha is the share of errors below delta, not delta; it is looked at anew for "
                "each tree. The default is 0.9.",
            ),
            (
                "scikit-learn, HistGradientBoostingRegressor",
                f'HistGradientBoostingRegressor(loss="{histogram_loss}")',
                f"No Huber there: use another library of this list, or {of.instead}, which of L1 "
                "and L2 needs fewer rows here.",
            ),
        ],
    )


def _huber_elsewhere(delta: str) -> list[Setting]:
    return _each(
        "Huber",
        [
            (
                "LightGBM",
                f'LGBMRegressor(objective="huber", alpha={delta})',
                "alpha is delta in the target's unit. The default is 0.9.",
            ),
            (
                "XGBoost",
                "start = float(np.median(y))  # y: what you train on\n"
                'XGBRegressor(objective="reg:pseudohubererror", base_score=start,\n'
                f"             huber_slope={delta}, max_delta_step={delta})",
                "A smooth variant of Huber: huber_slope is delta in the target's unit, by default "
                "1. Without base_score and max_delta_step, version 3.2 starts far off and its "
                "steps grow without limit where errors are much larger than delta.",
            ),
            (
                "CatBoost",
                f'CatBoostRegressor(loss_function="Huber:delta={delta}")',
                "delta is in the target's unit and has no default.",
            ),
            (
                "PyTorch",
                f"loss = torch.nn.HuberLoss(delta={delta})",
                "delta is in the unit that the network predicts: if you scale the target, divide "
                "delta by the same number. The default is 1.",
            ),
            (
                "Keras",
                f"model.compile(loss=keras.losses.Huber(delta={delta}))",
                'As for PyTorch. loss="huber" takes the default, 1.',
            ),
        ],
    )


def _l1() -> list[Setting]:
    return _each(
        "L1",
        [
            (
                "scikit-learn, QuantileRegressor",
                "QuantileRegressor(quantile=0.5, alpha=0)",
                "The default alpha, 1, pulls every coefficient towards 0.",
            ),
            (
                "scikit-learn, SGDRegressor",
                'SGDRegressor(loss="epsilon_insensitive", epsilon=0)',
                "The default epsilon, 0.1, ignores errors below it.",
            ),
            (
                "scikit-learn, GradientBoostingRegressor",
                'GradientBoostingRegressor(loss="absolute_error")',
            ),
            (
                "scikit-learn, HistGradientBoostingRegressor",
                'HistGradientBoostingRegressor(loss="absolute_error")',
            ),
            ("LightGBM", 'LGBMRegressor(objective="regression_l1")'),
            ("XGBoost", 'XGBRegressor(objective="reg:absoluteerror")'),
            ("CatBoost", 'CatBoostRegressor(loss_function="MAE")'),
            ("PyTorch", "loss = torch.nn.L1Loss()"),
            ("Keras", 'model.compile(loss="mean_absolute_error")'),
        ],
    )


def _l2() -> list[Setting]:
    return _each(
        "L2",
        [
            ("scikit-learn, LinearRegression", "LinearRegression()"),
            ("scikit-learn, SGDRegressor", 'SGDRegressor(loss="squared_error")'),
            (
                "scikit-learn, GradientBoostingRegressor",
                'GradientBoostingRegressor(loss="squared_error")',
            ),
            (
                "scikit-learn, HistGradientBoostingRegressor",
                'HistGradientBoostingRegressor(loss="squared_error")',
            ),
            ("LightGBM", 'LGBMRegressor(objective="regression")'),
            ("XGBoost", 'XGBRegressor(objective="reg:squarederror")'),
            ("CatBoost", 'CatBoostRegressor(loss_function="RMSE")'),
            ("PyTorch", "loss = torch.nn.MSELoss()"),
            ("Keras", 'model.compile(loss="mean_squared_error")'),
        ],
    )


def _quantile(level: str) -> list[Setting]:
    by_hand = "It has no quantile loss: this is one."
    return _each(
        "quantile",
        [
            (
                "scikit-learn, QuantileRegressor",
                f"QuantileRegressor(quantile={level}, alpha=0)",
                "The default alpha, 1, pulls every coefficient towards 0.",
            ),
            (
                "scikit-learn, GradientBoostingRegressor",
                f'GradientBoostingRegressor(loss="quantile", alpha={level})',
                "alpha is the level. The default is 0.9.",
            ),
            (
                "scikit-learn, HistGradientBoostingRegressor",
                f'HistGradientBoostingRegressor(loss="quantile", quantile={level})',
            ),
            (
                "LightGBM",
                f'LGBMRegressor(objective="quantile", alpha={level})',
                "alpha is the level. The default is 0.9.",
            ),
            (
                "XGBoost",
                f'XGBRegressor(objective="reg:quantileerror", quantile_alpha={level})',
            ),
            (
                "CatBoost",
                f'CatBoostRegressor(loss_function="Quantile:alpha={level}")',
                "alpha is the level. The default is 0.5, which is L1.",
            ),
            (
                "PyTorch",
                "def loss(predicted, actual):\n"
                "    low = actual - predicted\n"
                f"    return torch.maximum({level} * low, ({level} - 1) * low).mean()",
                by_hand,
            ),
            (
                "Keras",
                "def loss(actual, predicted):\n"
                "    low = actual - predicted\n"
                f"    size = keras.ops.maximum({level} * low, ({level} - 1) * low)\n"
                "    return keras.ops.mean(size)\n"
                "\n"
                "model.compile(loss=loss)",
                by_hand,
            ),
        ],
    )


def _weighted(by: tuple[str, ...], actual: str, predicted: str) -> list[Setting]:
    """Return the weights of each group, and how a library takes them."""
    weights = (
        f"by = {list(by)!r}\n"
        f"error = log[{predicted!r}] - log[{actual!r}]\n"
        "variance = error.groupby([log[c] for c in by], dropna=False).var()\n"
        'weight = 1 / train.join(variance.rename("variance"), on=by)["variance"]'
    )
    fit = "fit(X, y, sample_weight=weight)"
    return _each(
        "weighted L2",
        [
            (
                "The weights, with pandas",
                weights,
                "log is this log and train the training rows, both as pandas frames. A group that "
                "is new in train, or has fewer than two rows here, has no weight: give it that of "
                "a group like it.",
            ),
            ("scikit-learn, LinearRegression", f"LinearRegression().{fit}"),
            (
                "scikit-learn, HistGradientBoostingRegressor",
                f"HistGradientBoostingRegressor().{fit}",
            ),
            ("LightGBM", f"LGBMRegressor().{fit}"),
            ("XGBoost", f"XGBRegressor().{fit}"),
            ("CatBoost", f"CatBoostRegressor().{fit}"),
            ("PyTorch", "loss = (weight * (predicted - actual) ** 2).mean()"),
            ("Keras", "model.fit(X, y, sample_weight=weight)"),
        ],
    )
