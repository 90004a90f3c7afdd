"""What chance explains when many things are looked at: corrections for their number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]


def benjamini_hochberg(chances: Floats, level: float) -> Marks:
    """Return which are beyond chance: of those, a share of at most `level` is expected not to be.

    Parameters
    ----------
    chances
        Of each thing by chance alone, shape (things,); NaN where none was looked at. Of none, or
        only such, none is beyond chance.
    level
        From 0 to 1. Benjamini and Hochberg 1995.
    """
    order = np.argsort(chances, kind="stable")[: int(np.isfinite(chances).sum())]
    ranks = np.arange(1, len(order) + 1)
    passed = np.flatnonzero(chances[order] <= level * ranks / max(len(order), 1))
    beyond = np.zeros(len(chances), dtype=np.bool_)
    beyond[order[: passed[-1] + 1 if len(passed) else 0]] = True
    return beyond


def holm(chances: Floats, level: float) -> Marks:
    """Return which are beyond chance: that any of them is not has a chance of at most `level`.

    Parameters as for `benjamini_hochberg`. Holm 1979.
    """
    order = np.argsort(chances, kind="stable")[: int(np.isfinite(chances).sum())]
    passed = chances[order] <= level / np.arange(len(order), 0, -1)
    beyond = np.zeros(len(chances), dtype=np.bool_)
    beyond[order[: len(order) if passed.all() else int(np.argmin(passed))]] = True
    return beyond
