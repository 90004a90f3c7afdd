"""Where a series broke: the most likely step, or the night from which it slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lossreport.nights.reference import CLIP, Ints
from lossreport.nights.series import Floats

SHORTEST_SLOPE = 10
"""Nights; shorter ones are steps."""


@dataclass(frozen=True)
class Break:
    """A change of level."""

    night: int
    """The first night after a step, or the last before a slope begins."""
    kind: Literal["step", "slope"]
    before: float
    """The level before, ..."""
    now: float
    """... and on the last night."""


def best_break(nights: Ints, values: Floats, scale: float, lean: float = 0.0) -> Break | None:
    """Return the step or slope with the smallest sum of squares; None of fewer than three nights.

    Both have two levels and a night where they break, so their sums of squares compare fairly.
    A single night far off does not decide: residuals count at most CLIP scales. A slope may cost
    `lean` squared scales more and is still preferred.
    """
    count = len(values)
    if count < 3:
        return None
    best: tuple[float, Break] | None = None
    for cut in range(1, count):
        before, now = float(np.median(values[:cut])), float(np.median(values[cut:]))
        if min(cut, count - cut) > 2:
            before, now = float(values[:cut].mean()), float(values[cut:].mean())
        fitted = np.where(np.arange(count) < cut, before, now)
        cost = _cost(values - fitted, scale)
        if best is None or cost < best[0]:
            best = cost, Break(int(nights[cut]), "step", before, now)
    assert best is not None
    for cut in range(count - SHORTEST_SLOPE):
        rise = np.maximum(np.arange(count) - cut, 0.0)
        away = rise - rise.mean()
        slope = float((away * values).sum() / (away**2).sum())
        level = float(values.mean() - slope * rise.mean())
        cost = _cost(values - level - slope * rise, scale) - lean * scale**2
        if cost < best[0]:
            now = level + slope * float(rise[-1])
            best = cost, Break(int(nights[cut]), "slope", level, now)
    return best[1]


def _cost(residuals: Floats, scale: float) -> float:
    """Return the sum of squares, each at most that of CLIP scales (no limit without a scale)."""
    squares = residuals**2
    limit = (CLIP * scale) ** 2
    return float((np.minimum(squares, limit) if limit else squares).sum())
