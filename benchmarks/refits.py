"""Fits linear models and boosted trees with L2, Huber and L1, and measures them on other folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Kind = Literal["linear", "trees, count tuned", "trees, 60"]
KINDS: tuple[Kind, ...] = ("linear", "trees, count tuned", "trees, 60")

FOLDS = 5
REPEATS = {"linear": 8, "trees, count tuned": 3, "trees, 60": 3}
ROWS_OF_TREES = 500
TREES, MOST_TREES = 60, 120


class Delta(NamedTuple):
    """Huber's delta in the target's unit, and as a share of rows with smaller errors."""

    value: float
    quantile: float


class Predicted(NamedTuple):
    """Out-of-fold predictions for the mean and for the median; trees are tuned apart for each."""

    totals: Floats
    typical: Floats


def out_of_fold(
    kind: Kind, loss: str, delta: Delta | None, x: Floats, y: Floats, repeat: int
) -> Predicted:
    """Return each row's predictions by a model that was fitted without its fold."""
    totals, typical = np.empty((2, len(y)))
    for train, test in _folds(len(y), repeat):
        made = _fit_predict(kind, loss, delta, x[train], y[train], x[test])
        totals[test], typical[test] = made
    return Predicted(totals, typical)


def _folds(rows: int, repeat: int) -> Iterator[tuple[Ints, Ints]]:
    order = np.random.default_rng([rows, repeat]).permutation(rows)
    for fold in range(FOLDS):
        yield np.sort(np.delete(order, np.s_[fold::FOLDS])), np.sort(order[fold::FOLDS])


def _fit_predict(
    kind: Kind, loss: str, delta: Delta | None, x: Floats, y: Floats, new: Floats
) -> tuple[Floats, Floats]:
    if kind == "linear":
        predicted = _linear(loss, delta, x, y, new)
        return predicted, predicted
    if kind == "trees, 60":
        predicted = _trees(loss, delta, TREES).fit(x, y).predict(new)
        return predicted, predicted
    held = np.random.default_rng(len(y)).permutation(len(y)) < len(y) // 5
    model = _trees(loss, delta, MOST_TREES).fit(x[~held], y[~held])
    away = np.stack(list(model.staged_predict(x[held]))) - y[held]
    by_count = np.stack(list(model.staged_predict(new)))
    return by_count[(away**2).mean(axis=1).argmin()], by_count[np.abs(away).mean(axis=1).argmin()]


def _trees(loss: str, delta: Delta | None, trees: int):  # type: ignore[no-untyped-def]
    """Return scikit-learn's boosted trees, whose Huber takes delta as a quantile."""
    named = {"L2": "squared_error", "Huber": "huber", "L1": "absolute_error"}
    return import_module("sklearn.ensemble").GradientBoostingRegressor(
        loss=named[loss],
        n_estimators=trees,
        alpha=min(max(delta.quantile, 0.05), 0.99) if delta else 0.9,
        random_state=0,
    )


def _linear(loss: str, delta: Delta | None, x: Floats, y: Floats, new: Floats) -> Floats:
    """Return a linear model's predictions; nothing is shrunk."""
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread == 0] = 1
    x, new = (x - centre) / spread, (new - centre) / spread
    design = np.column_stack([np.ones(len(x)), x])
    fits: dict[str, Callable[[], Floats]] = {
        "L2": lambda: squared(design, y),
        "Huber": lambda: huber(design, y, delta.value if delta else 1.0),
        "L1": lambda: _absolute(x, y),
    }
    found: Floats = np.column_stack([np.ones(len(new)), new]) @ fits[loss]()
    return found


def squared(design: Floats, y: Floats) -> Floats:
    """Return the coefficients that make the mean squared error smallest."""
    return np.asarray(np.linalg.lstsq(design, y)[0], dtype=np.float64)


def huber(design: Floats, y: Floats, delta: float) -> Floats:
    """Return the coefficients that make the mean Huber loss smallest, by reweighting."""
    found = squared(design, y)
    for _ in range(500):
        size = np.abs(y - design @ found)
        root = np.sqrt(np.minimum(1.0, delta / np.maximum(size, 1e-300)))
        moved = squared(design * root[:, np.newaxis], y * root)
        done = np.abs(design @ (moved - found)).max() < 1e-7 * delta
        found = moved
        if done:
            break
    return found


def _absolute(x: Floats, y: Floats) -> Floats:
    """Return the coefficients that make the mean absolute error smallest (a linear programme)."""
    scale = float(np.std(y)) or 1.0
    model = import_module("sklearn.linear_model").QuantileRegressor(alpha=0.0, solver="highs")
    model.fit(x, y / scale)
    return np.append(model.intercept_, model.coef_) * scale
