"""The error by the size of the prediction: figures, bins and sentences."""

from __future__ import annotations

import numpy as np

from lossreport.advice.advice import Advice
from lossreport.advice.levels import GROWS, Band, Floats, Levels, by_level
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.view import View
from lossreport.formats import amount, count, number, ratio
from lossreport.reports.figures import Figures
from lossreport.reports.where import ByLevel, LevelBin

FEWEST_ROWS = 200
"""Of fewer rows no chart is drawn."""
NEARLY_ALL = 0.99
ROWS_IN_A_BIN, MOST_BINS = 40, 20


def error_by_level(
    view: View | None, advice: Advice, overall: Figures, unit: str | None = None
) -> ByLevel | None:
    """Return the error by the size of the prediction.

    Returns
    -------
    ByLevel or None
        None without rows to look at, and of probabilities, whose errors depend on them by nature.
    """
    if view is None or advice.verdict == "probabilities" or len(view.rows) < MINIMUM_ROWS:
        return None
    error = view.predicted - view.actual
    levels = by_level(view.predicted, error)
    kinds = _kinds(view.actual, view.predicted)
    said = (opening(levels, unit), *_sentences(levels, advice, overall, kinds))
    if not view.whole:
        said += (
            f"This is from {len(error):,} of the {count(view.scored, 'scored row')}, in blocks "
            "spread evenly over the log.",
        )
    return ByLevel(levels, _bins(view.predicted, error), len(error), view.whole, said)


def _kinds(actual: Floats, predicted: Floats) -> frozenset[str]:
    """Return whether nearly all values are "positive", and whether they are "counts" or like them.

    Nearly, because a few rows may hold a placeholder.
    """
    positive = np.mean((actual > 0) & (predicted > 0)) >= NEARLY_ALL
    counts = np.mean((actual >= 0) & (predicted > 0)) >= NEARLY_ALL
    named = (("positive", positive), ("counts", counts))
    return frozenset(kind for kind, holds in named if holds)


def _bins(predicted: Floats, error: Floats) -> tuple[LevelBin, ...]:
    """Return bins of about equally many rows; rows of one prediction are all in one bin."""
    if len(predicted) < FEWEST_ROWS or np.ptp(predicted) == 0:
        return ()
    wanted = min(MOST_BINS, len(predicted) // ROWS_IN_A_BIN)
    inner = np.quantile(predicted, np.arange(1, wanted) / wanted, method="inverted_cdf")
    at = np.searchsorted(np.unique(inner), predicted, side="left")
    return tuple(_bin(predicted[at == i], error[at == i]) for i in np.unique(at).tolist())


def _bin(predicted: Floats, error: Floats) -> LevelBin:
    low, middle, high = np.quantile(predicted, [0, 0.5, 1], method="inverted_cdf").tolist()
    p05, median, p95 = np.quantile(error, [0.05, 0.5, 0.95]).tolist()
    largest = float(np.max(np.abs(error))) or 1.0
    mean = float(np.mean(error / largest)) * largest
    return LevelBin(low, high, middle, len(error), p05, median, mean, p95)


def _sentences(
    levels: Levels, advice: Advice, overall: Figures, kinds: frozenset[str]
) -> tuple[str, ...]:
    """Return what the growth does to the ratio, what to try, and what to beware of."""
    if not levels.grows:
        return ()
    return *_shares(levels, overall), _to_try(levels, kinds), *_caution(advice, kinds)


def opening(levels: Levels, unit: str | None = None) -> str:
    """Return whether the error grows with the prediction, in a sentence."""
    if levels.factor is None:
        bands = count(len(levels.judged), "half-octave")
        return (
            f"The predictions are too few or too alike in size to tell whether the error grows "
            f"with them: {bands} of |predicted| {'has' if len(levels.judged) == 1 else 'have'} "
            f"{MINIMUM_ROWS} rows."
        )
    first, last = levels.judged[0], levels.judged[-1]
    if not levels.grows and (levels.slope_low or 0) > 0:
        return (
            f"The error grows with the prediction, but hardly changes RMSE/MAE: the MAE is "
            f"{_mae(first, unit)}, and {_mae(last, unit)}. That makes the ratio "
            f"{levels.factor:.2f} times as large; below {GROWS:.2f} it is of no weight."
        )
    if not levels.grows:
        return (
            f"The error does not clearly grow with the size of the prediction: the MAE is "
            f"{_mae(first, unit)}, and {_mae(last, unit)}."
        )
    return grown(levels, unit)


def grown(levels: Levels, unit: str | None = None) -> str:
    """Return that the error grows, by how much, and how sure that is."""
    first, last = levels.judged[0], levels.judged[-1]
    low, high = (2 ** (s or 0) for s in (levels.slope_low, levels.slope_high))
    return (
        f"The error grows with the prediction: the MAE is {_mae(first, unit)}, and "
        f"{_mae(last, unit)}. Twice the prediction, {levels.doubled:.2f} times the error "
        f"(99% interval {low:.2f} to {high:.2f})."
    )


def _mae(band: Band, unit: str | None) -> str:
    high = amount(band.high, unit)
    return f"{amount(band.mae, unit)} where |predicted| is {number(band.low)} to {high}"


def _shares(levels: Levels, overall: Figures) -> tuple[str, ...]:
    if overall.ratio is None:
        return ()
    return (
        f"Of RMSE/MAE, which is {ratio(overall.ratio)}, a factor of {ratio(levels.factor)} is the "
        "difference between predictions of different size.",
    )


def _to_try(levels: Levels, kinds: frozenset[str]) -> str:
    """Return which changes of the loss the slope speaks for."""
    low, high = levels.slope_low or 0, levels.slope_high or 0
    positive = "positive" in kinds
    ways = ["weights of 1/variance by the size of the prediction"]
    if low <= 1 <= high:
        ways += ["the logarithm of the target"] if positive else []
        ways += ["a relative loss"]
        like = "in proportion to the prediction"
        like += ", so that errors of its logarithm are about even" if positive else ""
    elif low <= 0.5 <= high:
        ways += ["Poisson deviance"] if "counts" in kinds else []
        like = "like the root of the prediction, as that of counts does"
    else:
        side = "faster than" if low > 1 else "more slowly than in proportion to"
        ways += ["the logarithm of the target"] if positive else []
        like = f"{side} the prediction"
    listed = ways[0] if len(ways) == 1 else f"{', '.join(ways[:-1])} or {ways[-1]}"
    return (
        f"It grows {like}. Worth a trial beside the loss recommended: {listed}. This is a "
        "diagnosis: the recommendation does not depend on it."
    )


def _caution(advice: Advice, kinds: frozenset[str]) -> tuple[str, ...]:
    """Return the caution where rows of large predictions may be what matters."""
    if advice.goal not in ("totals", "unknown") or advice.loss not in ("L1", "Huber"):
        return ()
    model = " or model the logarithm of the target" if "positive" in kinds else ""
    return (
        "Robust losses (L1, Huber) follow the rows with small predictions, because these have the "
        f"small errors. If the large ones matter, as in totals, keep L2{model}.",
    )
