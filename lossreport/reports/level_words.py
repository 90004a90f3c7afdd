"""What is said of a wrong level: of all rows, of groups, or one that moves in time."""

from __future__ import annotations

from lossreport.advice.advice import Advice
from lossreport.advice.drift import Drift
from lossreport.advice.level import LARGE_BIAS, WIDE_BINS
from lossreport.formats import amount, names, percent, times
from lossreport.reports.figures import Figures


def level_first(advice: Advice, figures: Figures, unit: str | None = None) -> str | None:
    """Return that the level must be put right, if it makes so much that no loss comes before it.

    MSE = bias^2 + variance: a bias that makes most of it is what to mend first, and so is one so
    many robust spreads wide that all errors look alike.
    """
    if advice.verdict == "quantile":  # which puts it where the costs ask for
        return None
    if advice.levels_by:
        assert advice.levels_share is not None
        return (
            f"Put the level of each group ({names(advice.levels_by)}) right first: the groups' "
            f"own mean errors make {percent(advice.levels_share)} of the squared error."
        )
    if advice.drift:
        return (
            "Put the level right first: the mean error moves "
            f"{moves(advice.drift, unit)}, which makes {percent(advice.drift.share)} of the "
            "squared error."
        )
    off, typical, mse = figures.bias, figures.median_abs_error, figures.mse
    if not _is_off_level(advice, figures) or advice.broken:
        return None
    if off is None or typical is None or not advice.scale:
        return None
    if min(abs(off), typical) / advice.scale > WIDE_BINS:
        makes = f"{times(abs(off) / advice.scale)} times the robust spread of the errors"
    elif mse and off**2 / mse >= LARGE_BIAS:
        makes = f"which makes {percent(off**2 / mse)} of the squared error"
    else:
        return None
    return (
        f"Put the level right first: the mean error is {amount(off, unit, signed=True)}, {makes}."
    )


def moves(drift: Drift, unit: str | None) -> str:
    """Return how the mean error moves: "in time, from -10.0 before 2026-07-02 to +9.9 ..."."""
    scale = max(abs(drift.first), abs(drift.last))
    first, last = (amount(v, unit, scale, signed=True) for v in (drift.first, drift.last))
    low, high = drift.places or ("", "")
    return {
        "step": f"in time, from {first} before {drift.at} to {last} from then on",
        "trend": f"in time, from {first} at the beginning to {last} at the end",
        "wave": f"in time, between {first} and {last}",
        "weekday": f"with the day of the week, from {first} on {low} to {last} on {high}",
    }[drift.kind]


def _is_off_level(advice: Advice, figures: Figures) -> bool:
    return "biased" in advice.flags and not figures.bias_is_rounding


def level_words(advice: Advice, figures: Figures, unit: str | None) -> list[str]:
    """Return that the level is wrong, where it is, by less than would come before all else."""
    if not _is_off_level(advice, figures):
        return []
    return [
        f"The mean error is {amount(figures.bias, unit, signed=True)} and the median lies on the "
        "same side of 0, both by more than a quarter of the robust standard deviation "
        f"({amount(advice.scale, unit)}): put the level right before you change the loss."
    ]
