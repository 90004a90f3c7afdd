"""What is said of the rows that each loss needs, and of the losses that can be ruled out."""

from __future__ import annotations

from lossreport.advice.advice import Advice
from lossreport.formats import count, listed, percent

NEARLY_AS_GOOD = 1.1
"""A loss that needs no more than so many times the rows of the best."""


def efficiency_words(advice: Advice) -> str:
    """Return how many rows each loss needs, why another than the best is taken, what is out."""
    needed = dict(advice.rows_needed)
    best = min(needed, key=lambda loss: needed[loss])
    others = [(loss, times) for loss, times in needed.items() if loss != best]
    if advice.goal == "large-errors":
        if best == "L2":
            return "On this log that costs nothing: L2 needs the fewest rows of the three losses."
        return (
            f"On this log that costs {_times(needed['L2'])} the rows that {best} would need "
            "for the same precision."
        )
    (first, first_times), (second, second_times) = others
    if best == "L2" and advice.huber_is_l2:
        sentence = (
            "L2 is steadiest here, and so is Huber, because no error exceeds its delta; for the "
            f"same precision L1 needs {_times(second_times)} as many rows."
        )
    else:
        sentence = f"{best} is steadiest here; for the same precision "
        sentence += _needs((first, first_times), (second, second_times))
    if advice.verdict == "clear" and advice.loss != best:
        if not for_its_aim(advice):
            sentence += f" {advice.loss} is nearly as good, and the safer choice"
            sentence += f" with {count(advice.rows, 'row')}."
        else:
            sentence += f" {advice.loss} is chosen for what it aims at, not for its steadiness."
            if advice.loss == "L2" and needed["L2"] > NEARLY_AS_GOOD:
                sentence += _price_of_aim(advice.rows)
    elif advice.broken and advice.loss in needed and 1 < needed[advice.loss] <= NEARLY_AS_GOOD:
        sentence += f" {advice.loss} is nearly as good."
    if advice.verdict != "no-clear-winner" and (out := ruled_out_words(advice)):
        sentence += f" Without weights, {out}." if advice.verdict == "weights" else f" {out}."
    return sentence


def for_its_aim(advice: Advice) -> bool:
    """Return whether a loss is chosen for what it aims at, though another needs fewer rows.

    Without a goal, only if the other needs far fewer: a loss can also be a little safer.
    """
    if advice.verdict != "clear":
        return False
    times = dict(advice.rows_needed).get(advice.loss or "", 1.0)
    return times > NEARLY_AS_GOOD or (advice.goal in ("totals", "typical") and times > 1)


def _price_of_aim(rows: int) -> str:
    """Return what L2 costs whose errors do not suit it: of its RMSE p / 2n with p parameters."""
    return (
        f" Trained on {rows:,} rows, that costs at most about {percent(10 / (2 * rows))} of the "
        "RMSE for each 10 parameters. But large errors pull L2: see first that they are real."
    )


def ruled_out_words(advice: Advice) -> str:
    """Return which losses can be ruled out; L2 wastes rows, and still is what totals ask for."""
    repaired = advice.repaired.best_guess if advice.repaired else None
    out = tuple(loss for loss in advice.ruled_out if loss != repaired)
    if not out:
        return ""
    if advice.goal != "unknown" or advice.for_totals not in out:
        return f"{listed(out)} can be ruled out"
    others = tuple(loss for loss in out if loss != advice.for_totals)
    if not others:
        return f"{advice.for_totals} can be ruled out unless totals must be right"
    return f"{listed(others)} can be ruled out, and {advice.for_totals} unless totals must be right"


def _needs(*others: tuple[str, float]) -> str:
    """Return how many rows two losses need."""
    alike = [loss for loss, times in others if f"{times:.2f}" == "1.00"]
    if len(alike) == len(others):
        return f"{listed(alike)} need about as many rows."
    told = [f"{loss} {_times(times)}" for loss, times in others if loss not in alike]
    if alike:
        return f"{alike[0]} needs about as many rows, and {told[0]} as many."
    return f"{' and '.join(told).replace(' ', ' needs ', 1)} as many rows."


def _times(factor: float) -> str:
    if factor >= 100:
        return "more than 100 times"
    return f"{factor:.2f} times" if factor < 10 else f"{factor:.0f} times"
