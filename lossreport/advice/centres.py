"""What a loss aims at: the constant that makes its mean smallest, from the histogram of errors."""

from __future__ import annotations

import math

import numpy as np

from lossreport.advice.histogram import ErrorHistogram

STEPS = 100


def huber_centre(histogram: ErrorHistogram, delta: float) -> float:
    """Return the c with mean clip(e - c, -delta, delta) = 0 (Huber 1964).

    Parameters
    ----------
    delta
        Positive, in the target's unit. A bin that -delta or delta cuts counts with its mean, which
        moves the centre by less than 0.1 % of delta where the errors are not far from 0.
    """
    centre = histogram.median
    share = histogram.n / histogram.rows
    for _ in range(STEPS):
        away = _in_deltas(histogram, centre, delta)
        inside = float(share[np.abs(away) < 1].sum())
        if inside == 0:
            break
        move = float((share * np.clip(away, -1, 1)).sum()) / inside
        centre += delta * max(-1.0, min(1.0, move))
        if abs(move) < 1e-9:
            break
    return centre


def clipped_deviation(histogram: ErrorHistogram, delta: float) -> float:
    """Return the root of mean min((e - c)**2, delta**2) about Huber's centre c.

    In the target's unit, from 0 to delta. It is the scale that scikit-learn's HuberRegressor fits
    with `epsilon` = delta / scale: the derivative of its objective, mean sigma + sigma H(e / sigma)
    with H(z) = z**2 up to epsilon and then 2 epsilon |z| - epsilon**2, is 0 where the mean of
    min((e / sigma)**2, epsilon**2) is 1 (Owen 2007, *A robust hybrid of lasso and ridge
    regression*).
    """
    away = _in_deltas(histogram, huber_centre(histogram, delta), delta)
    with np.errstate(over="ignore"):
        squares = np.minimum(away**2 + (histogram.deviation / delta) ** 2, 1)
    return delta * math.sqrt(float((histogram.n * squares).sum() / histogram.rows))


def _in_deltas(histogram: ErrorHistogram, centre: float, delta: float) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.asarray((histogram.mean - centre) / delta)
