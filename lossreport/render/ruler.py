"""Where the log's ratio lies between 1 and what is far beyond it: a line with marks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lossreport.formats import ratio
from lossreport.losses import GAUSSIAN_RATIO, HUBER_BEATS_L2, LAPLACE_RATIO
from lossreport.reports.results import Prediction

SHORTEST = 3.0
"""The line goes at least to this ratio."""
TICKS = (2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
APART = 11.0
"""Two labels below the line stand at least so many per cent of its length apart."""


@dataclass(frozen=True)
class Mark:
    """A place on the line."""

    at: float
    """In per cent of its length."""
    label: str
    anchor: str
    """On which side of the place its label ends: "start", "middle" or "end"."""
    more: str = ""
    """What follows the label: whose ratio it is. Where there is no room, the page leaves it out."""


@dataclass(frozen=True)
class Ruler:
    """The line, its ticks and what is marked on it."""

    ordinary: float
    """Up to here, in per cent, L2 needs the fewest rows."""
    ticks: tuple[Mark, ...]
    log: Mark
    without: Mark | None
    """The ratio without the sources."""
    description: str


def ruler(prediction: Prediction, without: float | None, name: str) -> Ruler | None:
    """Return the line for a prediction's ratio; None where there is none.

    Parameters
    ----------
    without, name
        The ratio without the source of large errors, if there is one, and the source's name.
    """
    value = prediction.overall.ratio
    if value is None or prediction.overall.n < 2:
        return None
    end = max(SHORTEST, 1.12 * value, 1.12 * (without or 1))

    def at(where: float) -> float:
        return 100 * math.log(max(where, 1.0)) / math.log(end)

    apart = None
    if without is not None:
        side = "start" if without > value else "end"
        where = at(without)
        apart = Mark(where, ratio(without), _kept_in(where, side), f"without {name}")
    side = "middle" if without is None else "end" if without > value else "start"
    log = Mark(at(value), f"this log {ratio(value)}", _kept_in(at(value), side))
    said = f"RMSE divided by MAE is {ratio(value)} on a scale from 1 to {ratio(end)}"
    also = f"; without {name} it is {ratio(without)}" if without is not None else ""
    gaussian = f"; Gaussian errors give {ratio(GAUSSIAN_RATIO)}."
    ticks = _ticks(end, at)
    return Ruler(at(HUBER_BEATS_L2), ticks, log, apart, said + also + gaussian)


def _kept_in(at: float, side: str) -> str:
    """Return the side on which a label stays inside the line's ends."""
    return "start" if at < 18 else "end" if at > 82 else side


def _ticks(end: float, at: object) -> tuple[Mark, ...]:
    assert callable(at)
    wanted: Iterable[tuple[float, str, str]] = (
        (GAUSSIAN_RATIO, "1.25", "Gaussian"),
        (1.0, "1", ""),
        (LAPLACE_RATIO, "1.41", "Laplace"),
        *((t, f"{t:g}", "") for t in TICKS if t < end),
    )
    taken: list[Mark] = []
    for value, label, more in wanted:
        place = at(value)
        if all(abs(place - t.at) >= APART for t in taken) or label == "1":
            taken.append(Mark(place, label, "start" if place < 4 else "middle", more))
    return tuple(sorted(taken, key=lambda m: m.at))
