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
MAD_TO_SIGMA = 1.4826
"""The standard deviation of Gaussian errors, times their median |e - median| (1 / 0.6745)."""
HUBER_K = 1.345
"""delta / sigma at which Huber is 95 % efficient for Gaussian errors (Huber 1964)."""
HUBER_BEATS_L2 = 1.277
"""RMSE/MAE from which Huber(1.345) needs fewer rows than L2, nearly whatever the errors' law."""
SE_LOG_RATIO = 0.266
"""Standard error of ln(RMSE/MAE) of n Gaussian errors, times sqrt(n) (delta method)."""
SMALLEST_SQUARE = 1e-290
LARGEST = float(np.finfo(np.float64).max)


def _finite(values: Any, name: str) -> npt.NDArray[np.float64]:
    """Return values as an array of finite floats, or say what is wrong with them."""
    series = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        values = series.to_numpy()
    try:
        array = np.asarray(np.ma.filled(values, np.nan))
        if array.ndim != 1:
            raise UsageError(f"{name} has {array.ndim} dimensions; it must have one.")
        if array.dtype.kind == "O" and any(isinstance(v, str | bytes) for v in array):
            raise UsageError(f"{name} holds text, which is no number.")
        if array.dtype.kind not in "biufO":
            raise UsageError(f"{name} holds {array.dtype}, which is no number.")
        array = array.astype(np.float64)
    except UsageError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} holds values that are no numbers: {error}.") from error
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


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Return the mean of numbers from 0, right even where their sum exceeds the largest float."""
    top = float(values.max())
    if top == math.inf or top < LARGEST / len(values):
        return float(np.mean(values))
    return top * float(np.mean(values / top))


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
    return _mean(np.abs(_errors(y_true, y_pred)))


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
        return _mean(_errors(y_true, y_pred) ** 2)


def rmse(y_true: Any, y_pred: Any) -> float:
    """Root of the mean squared error; in the target's unit, never below `mae`.

    Right for errors whose squares exceed the range of floats. Takes and raises what `mae` does.

    Examples
    --------
    >>> rmse([100, 100, 100], [90, 95, 105])
    7.0710678118654755
    """
    size = np.abs(_errors(y_true, y_pred))
    top = float(size.max())
    if top in (0, math.inf):
        return top
    with np.errstate(under="ignore"):
        root = top * math.sqrt(float(np.mean((size / top) ** 2)))
    return max(root, _mean(size))  # equal errors may differ in the last digit


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
        return _mean(near * (size - near / 2)) if size.max() < math.inf else math.inf


def from_sums(sums: Mapping[str, float]) -> dict[str, float | None]:
    """Return the figures of a profile's row of sums.

    Parameters
    ----------
    sums
        `n`, `sum_error`, `sum_abs_error`, `sum_sq_error`, `max_abs_error`, ...
        (`statistics.MOMENTS`).

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
    if not 0 < mse_ * mse_ < math.inf:
        return None
    squares = fourth / n / (mse_ * mse_) - 1
    sizes = ratio**2 - 1
    both = sums["sum_cube_abs_error"] / n / (mse_ * mae_) - 1
    se = math.sqrt(max(0.0, squares / 4 + sizes - both) / n)
    return max(1.0, ratio * math.exp(-z * se)), min(math.sqrt(n), ratio * math.exp(z * se))
