"""What a user would pick instead: rules of thumb and a likelihood, each from the raw errors."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Floats = npt.NDArray[np.float64]
Rule = Callable[[Floats], str]

DEGREES = np.array([1, 1.5, 2, 3, 4, 5, 7, 10, 20, 50])[:, np.newaxis]
"""The degrees of freedom that a t distribution is fitted with."""


def _ratio(errors: Floats) -> float:
    return math.sqrt(float(np.mean(errors**2))) / float(np.mean(np.abs(errors)))


def _kurtosis(errors: Floats) -> float:
    away = errors - errors.mean()
    return float(np.mean(away**4) / np.mean(away**2) ** 2)


def _by(value: float, *limits: float) -> str:
    """Return L2 up to the first limit, L1 beyond the last, Huber between."""
    return "L2" if value <= limits[0] else "L1" if value > limits[-1] else "Huber"


def _centred(errors: Floats) -> str:
    return "Huber" if _ratio(errors - np.median(errors)) > 1.277 else "L2"


def _student(errors: Floats) -> float:
    """Return the largest log likelihood of a t distribution, by expectation and maximisation."""
    centre = np.full(DEGREES.shape, np.median(errors))
    least = 1e-6 * float(np.mean(errors**2)) if np.any(errors) else 1.0
    square = np.full(DEGREES.shape, max(float(np.mean(np.abs(errors))) ** 2, least))
    for _ in range(40):
        away = (errors - centre) ** 2
        weight = (DEGREES + 1) / (DEGREES + away / square)
        centre = (weight * errors).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
        away = (errors - centre) ** 2
        square = np.maximum((weight * away).mean(axis=1, keepdims=True), least)
    half = (DEGREES + 1) / 2
    constant = gammaln(half) - gammaln(DEGREES / 2) - np.log(DEGREES * np.pi * square) / 2
    tail = half * np.log1p((errors - centre) ** 2 / square / DEGREES).mean(axis=1, keepdims=True)
    return len(errors) * float(np.max(constant - tail))


def _aic(errors: Floats) -> str:
    """Return L2, L1 or Huber for Gaussian, Laplace or t errors, by Akaike's criterion."""
    n = len(errors)
    gauss = -n / 2 * (math.log(2 * math.pi * float(np.var(errors))) + 1)
    laplace = -n * (math.log(2 * float(np.mean(np.abs(errors - np.median(errors))))) + 1)
    fits = {
        "L2": 2 * 2 - 2 * gauss,
        "L1": 2 * 2 - 2 * laplace,
        "Huber": 2 * 3 - 2 * _student(errors),
    }
    return min(fits, key=lambda loss: fits[loss])


RULES: dict[str, Rule] = {
    "always L2": lambda _: "L2",
    "always L1": lambda _: "L1",
    "always Huber": lambda _: "Huber",
    "ratio 1.3155 L2/L1": lambda e: _by(_ratio(e), 1.3155),
    "ratio 1.277/1.414 L2/Huber/L1": lambda e: _by(_ratio(e), 1.277, 1.414),
    "centred ratio 1.277 L2/Huber": _centred,
    "kurtosis 3.8 L2/L1": lambda e: _by(_kurtosis(e), 3.8),
    "kurtosis 4/5.5 L2/Huber/L1": lambda e: _by(_kurtosis(e), 4, 5.5),
    "AIC Gauss/Laplace/t": _aic,
}
