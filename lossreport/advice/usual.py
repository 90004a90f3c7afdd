"""What each loss usually wastes: over many laws, and over those that fit the errors."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lossreport.advice import families
from lossreport.advice.histogram import Floats
from lossreport.advice.shape import Shape

PRIOR = np.array([0.35, 0.08, 0.27])
"""Mean regret of L2, Huber and L1 over simulated laws ..."""
PRIOR_ROWS = 15
"""... which counts like this many rows."""
FAMILY_ROWS = 50
"""The regrets over laws that fit the errors count like this many rows at most ..."""
MISFIT_POWER = 4
"""... and like fewer by this power of the laws' misfit."""
FEW_ROWS = 5000
"""From here on the laws would make up less than 1 %, which is a tie, and are not fitted."""


class Usual(NamedTuple):
    """The regrets that are usual, and how many rows they count like."""

    regret: Floats
    """Shape (histograms, 3)."""
    rows: Floats
    """Shape (histograms,)."""


def usual(shapes: Sequence[Shape], judged_by_laws: npt.NDArray[np.bool_]) -> Usual:
    """Return what is usual over many laws, and where they may be judged by them, over these."""
    rows = np.full(len(shapes), float(PRIOR_ROWS))
    total = np.tile(PRIOR_ROWS * PRIOR, (len(shapes), 1))
    few = np.array([shape.histogram.rows < FEW_ROWS for shape in shapes])
    which = np.flatnonzero(few & judged_by_laws)
    if len(which):
        fitted = families.fit([shapes[i] for i in which.tolist()])
        worth = FAMILY_ROWS / np.maximum(fitted.misfit, 1) ** MISFIT_POWER
        total[which] += worth[:, np.newaxis] * (
            fitted.weights @ regret_of(families.variance_factors())
        )
        rows[which] += worth
    return Usual(total / rows[:, np.newaxis], rows)


def regret_of(score: Floats) -> Floats:
    """Return the share of the rows that each loss (last axis) wastes against the best of them."""
    # Losses are few: one by one is many times faster than along so short an axis.
    smallest = functools.reduce(np.minimum, np.moveaxis(score, -1, 0))[..., np.newaxis]
    with np.errstate(all="ignore"):
        return np.where(score > smallest, 1 - smallest / score, 0.0)
