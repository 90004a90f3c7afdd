"""The figures: formula, unit, range and source of each, for arrays and for sums of a profile."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from lossreport.errors import UsageError

GAUSSIAN_RATIO = math.sqrt(math.pi / 2)
"""RMSE/MAE of Gaussian errors, 1.2533: the inverse of Geary's statistic (Geary 1935)."""
LAPLACE_RATIO = math.sqrt(2)
"""RMSE/MAE of Laplace errors, 1.4142."""
HUBER_BEATS_L2 = 1.277
"""RMSE/MAE from which Huber(1.345) needs fewer rows than L2, nearly whatever the errors' law."""
SE_LOG_RATIO = 0.266
"""Standard error of ln(RMSE/MAE) of n Gaussian errors, times sqrt(n) (delta method)."""
SMALLEST_SQUARE = 1e-290
LARGEST = float(np.finfo(np.float64).max)


def _finite(values: Any, name: str) -> npt.NDArray[np.float64]:
    series = nw.from_native(values, series_only=True, pass_through=True)
    array = np.asarray(series.to_numpy() if isinstance(series, nw.Series) else values)
    if array.ndim != 1:
        raise UsageError(f"{name} has {array.ndim} dimensions; it must have one.")
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{name} holds values that are no numbers: {error}.") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name} holds {array.dtype}, which is no number.")
    array = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise UsageError(
            f"{name} has {len(bad)} missing or infinite value(s), the first at position {bad[0]}."
        )
    return array


def _errors(y_true: Any, y_pred: Any) -> npt.NDArray[np.float64]:
    actual, predicted = _finite(y_true, "y_true"), _finite(y_pred, "y_pred")
    if len(actual) != len(predicted):
        raise UsageError(f"y_true has {len(actual)} values but y_pred has {len(predicted)}.")
    if not len(actual):
        raise UsageError("y_true and y_pred are empty: a mean over no rows does not exist.")
    with np.errstate(over="ignore"):
        return np.asarray(predicted - actual)


def mae(y_true: Any, y_pred: Any) -> float:
    """Mean absolute error, or L1: mean |y_pred - y_true|.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        Numbers in the target's unit: a list, a NumPy array, or a Polars, pandas or PyArrow series.

    Returns
    -------
    float
        In the target's unit, from 0. One row gives its |error|; inf if an error exceeds the
        largest float.

    Raises
    ------
    UsageError
        (a ValueError) for unequal lengths, no rows, and values that are missing, infinite or no
        numbers: no row is dropped silently.

    Examples
    --------
    >>> mae([100, 100, 100], [90, 95, 105])
    6.666666666666667
    """
    size = np.abs(_errors(y_true, y_pred))
    top = float(size.max())
    return float(np.mean(size)) if top < LARGEST / len(size) else top * float(np.mean(size / top))


def mse(y_true: Any, y_pred: Any) -> float:
    """Mean squared error, or L2: mean (y_pred - y_true)**2.

    In the target's unit squared, from 0; inf where the square exceeds the largest float. Takes
    and raises what `mae` does.

    Examples
    --------
    >>> mse([100, 100, 100], [90, 95, 105])
    50.0
    """
    with np.errstate(over="ignore", under="ignore"):
        return float(np.mean(_errors(y_true, y_pred) ** 2))


def rmse(y_true: Any, y_pred: Any) -> float:
    """Root of the mean squared error; in the target's unit, never below `mae`.

    Right for errors whose squares exceed the range of floats. Takes and raises what `mae` does.

    Examples
    --------
    >>> rmse([100, 100, 100], [90, 95, 105])
    7.0710678118654755
    """
    errors = _errors(y_true, y_pred)
    top = float(np.max(np.abs(errors)))
    if top == 0 or 1e-140 < top < 1e140:
        return math.sqrt(float(np.mean(errors**2)))
    with np.errstate(under="ignore", invalid="ignore"):
        return top * math.sqrt(float(np.mean((errors / top) ** 2))) if top < math.inf else top


def huber(y_true: Any, y_pred: Any, delta: float) -> float:
    """Mean Huber loss: e**2 / 2 where |e| <= delta, delta (|e| - delta / 2) beyond (Huber 1964).

    Half of `mse` for large delta, delta times `mae` for small; in the target's unit squared, from
    0. Takes and raises what `mae` does, and UsageError for a delta that is not positive.

    Examples
    --------
    >>> huber([100, 100, 100], [90, 95, 105], delta=5)
    20.833333333333332
    """
    if not delta > 0:
        raise UsageError(f"delta is {delta}; it must be positive.")
    size = np.abs(_errors(y_true, y_pred))
    near = np.minimum(size, delta)
    with np.errstate(over="ignore"):
        return float(np.mean(near * (size - near / 2)))


def from_sums(sums: Mapping[str, float]) -> dict[str, float | None]:
    """Return the figures of a profile's row of sums.

    Parameters
    ----------
    sums
        `n`, `sum_error`, `sum_abs_error`, `sum_sq_error`, `max_abs_error`, ...
        (`profiles.MOMENTS`).

    Returns
    -------
    dict
        `mae`, `mse`, `rmse`, `ratio`, `bias` (mean of predicted - actual) and `max_abs_error`. All
        None without rows; `mse`, `rmse` and `ratio` None where squares leave the range of floats;
        `ratio` None where all errors are 0.
    """
    n = sums["n"]
    names = ("mae", "mse", "rmse", "ratio", "bias", "max_abs_error")
    if not n:
        return dict.fromkeys(names)
    total = sums["sum_abs_error"]
    figures: dict[str, float | None] = dict.fromkeys(names)
    figures["max_abs_error"] = sums["max_abs_error"]
    if math.isfinite(total):
        figures["mae"] = total / n
        figures["bias"] = sums["sum_error"] / n
    if squares_fit(sums):
        figures["mse"] = sums["sum_sq_error"] / n
        figures["rmse"] = math.sqrt(sums["sum_sq_error"] / n)
        if total > 0:
            # Cauchy-Schwarz; the last digit of equal errors may say otherwise.
            figures["ratio"] = max(1.0, math.sqrt(sums["sum_sq_error"] / n) / (total / n))
    return figures


def squares_fit(sums: Mapping[str, float]) -> bool:
    """Return whether the squared errors are within the range of floats (or all errors are 0)."""
    squares = sums["sum_sq_error"]
    return sums["sum_abs_error"] == 0 or SMALLEST_SQUARE < squares < math.inf


def ratio_interval(sums: Mapping[str, float], z: float = 1.959964) -> tuple[float, float] | None:
    """Return the interval of RMSE/MAE at z standard errors (default 95 %), by the delta method.

    With x = e**2 and y = |e|: Var ln(RMSE/MAE) = (Var x / 4 mean(x)**2 + Var y / mean(y)**2
    - Cov(x, y) / (mean(x) mean(y))) / n. It covers too seldom in small heavy-tailed groups: there
    the ratio itself is a lower bound. Within 1 and sqrt(n), which no ratio leaves. None below two
    rows, without a ratio, or where fourth powers leave the range of floats.
    """
    n = sums["n"]
    figures = from_sums(sums)
    ratio, mae_, mse_ = figures["ratio"], figures["mae"], figures["mse"]
    fourth = sums["sum_fourth_error"]
    if n < 2 or ratio is None or mae_ is None or mse_ is None or not 0 < fourth < math.inf:
        return None
    if mse_**2 == 0:
        return None
    squares = fourth / n / mse_**2 - 1
    sizes = ratio**2 - 1
    both = sums["sum_cube_abs_error"] / n / (mse_ * mae_) - 1
    se = math.sqrt(max(0.0, squares / 4 + sizes - both) / n)
    return max(1.0, ratio * math.exp(-z * se)), min(math.sqrt(n), ratio * math.exp(z * se))
