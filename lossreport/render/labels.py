"""Finds places for a chart's labels where they stand on no line, no dot and no other label.

Places are in fractions of the axes, (0, 0) at the lower left, (1, 1) at the upper right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right and top."""
WIDTH, HEIGHT = 330.0, 150.0
"""About the size of a chart's axes, in points."""
LETTER = 0.6
"""The width of a letter, in font sizes."""
GAP = 0.02
STEP = 0.02


def box_at(text: str, at: Point, size: float, side: str = "left") -> Box:
    """Return the box of a text whose lower left (`side` "right": lower right) corner is given."""
    width, height = LETTER * size * len(text) / WIDTH, 1.2 * size / HEIGHT
    left = at[0] - width if side == "right" else at[0]
    return (left, at[1], left + width, at[1] + height)


def outline(box: Box) -> list[Point]:
    """Return the edge of a box as a line that other labels keep off."""
    left, bottom, right, top = box
    return [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]


def is_free(box: Box, dots: Sequence[Point], boxes: Sequence[Box]) -> bool:
    """Say whether a box lies inside the axes, on no dot and on no other box."""
    left, bottom, right, top = box
    return (
        left >= 0
        and right <= 1
        and top <= 1
        and not any(left - GAP < x < right + GAP and bottom - GAP < y < top + GAP for x, y in dots)
        and not any(left < r and a < right and bottom < t and b < top for a, b, r, t in boxes)
    )


def first_free(
    text: str, rows: Sequence[float], dots: Sequence[Point], size: float
) -> Point | None:
    """Return the first place on no dot, row by row and from the left; None if there is none."""
    places = ((STEP * i, y) for y in rows for i in range(1, int(1 / STEP)))
    return next((at for at in places if is_free(box_at(text, at, size), dots, ())), None)


def fraction(value: float, low: float, high: float, *, log: bool = False) -> float:
    """Return where a value lies between the two ends of an axis."""
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


def place_beside(
    text: str, own: Sequence[Point], others: Sequence[Sequence[Point]], size: float
) -> Point:
    """Return the lower left corner of the place for a curve's name that is nearest to the curve.

    It stands clear of all curves, and nearer to its own than to any other; where there is no such
    place, at the one of those nearest to its own that is clearest of the others.

    Parameters
    ----------
    own, others
        The curves' corners in fractions of the axes.
    """
    import numpy as np

    _, _, width, height = box_at(text, (0, 0), size)
    across, up = np.meshgrid(
        np.arange(0.01, 1 - width, STEP), np.arange(0.02, 1 - height, STEP), indexing="ij"
    )
    corners = np.column_stack([across.ravel(), up.ravel()])
    to_own = _distance(corners, (width, height), own)
    to_others = np.min(
        [np.full(len(corners), np.inf), *(_distance(corners, (width, height), o) for o in others)],
        axis=0,
    )
    hidden = np.minimum(to_own, to_others) < GAP
    best = int(
        np.lexsort((to_own - 0.01 * np.minimum(to_others, 1), to_others < to_own, hidden))[0]
    )
    return (float(corners[best, 0]), float(corners[best, 1]))


def _distance(corners: Any, size: Point, curve: Sequence[Point]) -> np.ndarray[Any, Any]:
    """Return how far boxes are from a curve, in heights of the axes."""
    import numpy as np

    points = np.asarray(curve, dtype=float)
    steps = np.abs(np.diff(points, axis=0)).max(axis=1, initial=0) if len(points) > 1 else []
    parts = [
        np.linspace(a, b, max(2, min(50, math.ceil(s / 0.02))))
        for a, b, s in zip(points, points[1:], steps, strict=False)
    ]
    dense = np.concatenate(parts) if parts else points
    centre = corners + np.array(size) / 2
    off = np.abs(dense[None, :, :] - centre[:, None, :]) - np.array(size) / 2
    off = np.maximum(off, 0) * np.array([WIDTH / HEIGHT, 1.0])
    nearest: np.ndarray[Any, Any] = np.sqrt((off**2).sum(axis=2)).min(axis=1)
    return nearest
