"""Which loss suits predicted probabilities of a 0/1 outcome: one that is proper.

A loss is proper if the true probability makes its mean smallest (Gneiting and Raftery, *Strictly
Proper Scoring Rules, Prediction, and Estimation*, 2007). L2 is: it is the score of Brier (1950).
L1 is not: for an outcome of probability p < 1/2 its mean is smallest at 0. Nor is Huber with a
delta below 1.
"""

from __future__ import annotations

from lossreport.advice.advice import Advice, Goal


def advise_probabilities(rows: int, goal: Goal) -> Advice:
    """Return the advice for probabilities, which no goal changes."""
    return Advice("probabilities", "L2", goal, rows, best_guess="L2", ruled_out=("L1",))
