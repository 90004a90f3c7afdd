"""The figures once more, written independently: exact fractions and plain NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np


def exact(actual: Sequence[float], predicted: Sequence[float]) -> dict[str, float]:
    """MAE, MSE, RMSE, ratio and bias of finite numbers, in exact arithmetic."""
    errors = [Fraction(p) - Fraction(a) for a, p in zip(actual, predicted, strict=True)]
    n = len(errors)
    mae = sum(map(abs, errors), Fraction(0)) / n
    mse = sum((e * e for e in errors), Fraction(0)) / n
    rmse = _root(mse)
    return {
        "n": n,
        "mae": float(mae),
        "mse": float(mse),
        "rmse": rmse,
        "ratio": rmse / float(mae) if mae else math.nan,
        "bias": float(sum(errors, Fraction(0)) / n),
        "max_abs_error": float(max(map(abs, errors))),
    }


def _root(value: Fraction) -> float:
    scale = 2**200
    return float(Fraction(math.isqrt(int(value * scale * scale)), scale))


def quantile(actual: np.ndarray, predicted: np.ndarray, level: float) -> float:
    return float(np.quantile(np.abs(predicted - actual), level))


def centred_ratio(actual: np.ndarray, predicted: np.ndarray) -> float:
    away = (predicted - actual) - np.median(predicted - actual)
    return float(np.sqrt(np.mean(away**2)) / np.mean(np.abs(away)))


def worst_share(actual: np.ndarray, predicted: np.ndarray, share: float) -> tuple[float, float]:
    size = np.sort(np.abs(predicted - actual))[::-1]
    rows = share * len(size)
    weight = np.clip(rows - np.arange(len(size)), 0, 1)
    return (
        float((weight * size).sum() / size.sum()),
        float((weight * size**2).sum() / (size**2).sum()),
    )


def variance_factors(errors: np.ndarray, k: float = 1.345) -> dict[str, float]:
    """V of L2, Huber and L1 from raw errors, in units of the robust scale."""
    median = np.median(errors)
    scale = 1.4826 * np.median(np.abs(errors - median))
    delta = k * scale
    centre = median
    for _ in range(200):
        centre += np.mean(np.clip(errors - centre, -delta, delta))
    psi = np.clip(errors - centre, -delta, delta)
    inside = np.mean(np.abs(errors - centre) < delta)
    n = len(errors)
    h = n ** (-1 / 3) * 1.959964 ** (2 / 3) * (1.5 / (2 * np.pi)) ** (1 / 3)
    low, high = np.quantile(errors, [0.5 - h, 0.5 + h])
    density = 2 * h / (high - low)
    return {
        "L2": float(np.var(errors) / scale**2),
        "Huber": float(np.mean(psi**2) / inside**2 / scale**2),
        "L1": float(1 / (4 * density**2) / scale**2),
    }
