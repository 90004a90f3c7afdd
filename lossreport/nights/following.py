"""Goes through the nights once and says what happened on each; the history alone decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from lossreport.nights.breaks import Break
from lossreport.nights.changes import Figure, Place
from lossreport.nights.gathering import Moved, gather
from lossreport.nights.levels import (
    BLOCKS,
    CUT,
    LEAN,
    QUIET_AFTER,
    Hit,
    State,
    begin,
    beyond_chance,
    broken_at,
    crept,
    goes_on,
    look,
    move,
    shifted,
    usual_before,
)
from lossreport.nights.reference import Bools, Usual
from lossreport.nights.series import (
    FEWEST_ROWS,
    FIGURES,
    IN_PROPORTION,
    LEAST,
    OF_ERRORS,
    Floats,
    Series,
    figure,
    on_scale,
)


@dataclass(frozen=True)
class Told:
    """A change of a figure, on the night that it was found."""

    kind: Literal["shift", "creep", "bad night"]
    place: Place
    figure: Figure
    found: int
    """The position of the night, ..."""
    since: int
    """... and of the first that it holds for."""
    before: float
    now: float
    also: tuple[Place, ...]


@dataclass(frozen=True)
class Followed:
    """What happened, and what was expected of every night."""

    told: tuple[Told, ...]
    """In the order of nights."""
    low: Floats
    """Between `low` and `high` MAE is expected, three standard deviations; shape (places,
    nights), NaN where too few nights tell."""
    high: Floats


def follow(series: Series, days: Sequence[date], ordinary: Sequence[bool]) -> Followed:
    """Return what happened on each night; what is said of a night takes nothing from later ones.

    Parameters
    ----------
    days
        Of the nights: weekdays that differ are taken into account.
    ordinary
        Nights that are not, such as those without rows, say nothing of any figure.
    """
    state, least = _begin(series, days, np.array(ordinary, dtype=bool))
    count = len(series.places)
    low, high = (np.full((count, len(days)), np.nan) for _ in range(2))
    told: list[Told] = []
    for night in range(1, len(days)):
        known = usual_before(state, night)
        one = look(state, night, 1, known, np.inf)
        mae = slice(0, count)
        low[:, night] = np.exp(one.level[mae] - 3 * one.sigma[mae])
        high[:, night] = np.exp(one.level[mae] + 3 * one.sigma[mae])
        if ordinary[night]:
            told += _of_night(state, series, night, known, least)
    return Followed(tuple(told), low, high)


def _begin(series: Series, days: Sequence[date], ordinary: Bools) -> tuple[State, Floats]:
    """Return the first state and the smallest change that is told of each row."""
    enough = series.sums["n"] >= FEWEST_ROWS
    some = series.read >= FEWEST_ROWS
    values, variances, least = [], [], []
    mae = figure(series, "mae")[0]
    for name in FIGURES:
        value, variance = on_scale(name, *figure(series, name))
        there = (enough if name in OF_ERRORS else some) & ordinary
        values.append(np.where(there & np.isfinite(variance), value, np.nan))
        variances.append(variance)
        unit = np.ones(len(series.places))
        if name == "bias":
            with np.errstate(all="ignore"):
                unit = np.nan_to_num(np.nansum(mae, axis=1) / np.isfinite(mae).sum(axis=1))
        least.append(LEAST[name] * unit)
    proportional = np.repeat([f in IN_PROPORTION for f in FIGURES], len(series.places))
    weekday = np.array([d.weekday() for d in days])
    state = begin(
        np.concatenate(values), np.concatenate(variances), weekday, len(FIGURES), proportional
    )
    return state, np.concatenate(least)


def _of_night(state: State, series: Series, night: int, known: Usual, least: Floats) -> list[Told]:
    """Return what happened on a night: shifts first, then creeping, then what was off."""
    places, moved_rows = series.places, set[int]()
    told: list[Told] = []
    several = look(state, night, min(BLOCKS[2], night), known, CUT).z
    for kind in ("shift", "creep"):
        hits = (shifted if kind == "shift" else crept)(state, night, known, least)
        hits = [h for h in hits if h.row not in moved_rows]
        for moved in gather(hits, several, places):
            row = moved.lead.row
            at = broken_at(state, night, row, known, LEAN if kind == "creep" else 0.0)
            if at is None:
                continue
            if goes_on(state, night, row, at, least[row]):
                state.quiet_until[list(moved.rows)] = night + QUIET_AFTER
            else:
                told.append(_told(moved, at, series, night))
            move(state, night, moved.rows, at, known)
            moved_rows |= set(moved.rows)
    one = look(state, night, 1, known, np.inf)
    alone = [h for h in beyond_chance(one.z, one.moved, least) if h.row not in moved_rows]
    for moved in gather(alone, one.z, places):
        told.append(_bad_night(moved, one.level, state, series, night))
        off = [r for r in moved.rows if abs(one.z[r]) > 2]
        state.good[off, night] = False
    return told


def _told(moved: Moved, at: Break, series: Series, night: int) -> Told:
    name, place = _of_row(moved.lead, series)
    before, now = (_natural(name, x) for x in (at.before, at.now))
    kind: Literal["shift", "creep"] = "shift" if at.kind == "step" else "creep"
    return Told(kind, place, name, night, at.night, before, now, moved.also)


def _bad_night(moved: Moved, level: Floats, state: State, series: Series, night: int) -> Told:
    name, place = _of_row(moved.lead, series)
    row = moved.lead.row
    usually = _natural(name, float(level[row]))
    now = _natural(name, float(state.values[row, night]))
    return Told("bad night", place, name, night, night, usually, now, moved.also)


def _of_row(lead: Hit, series: Series) -> tuple[Figure, Place]:
    count = len(series.places)
    return FIGURES[lead.row // count], series.places[lead.row % count]


def _natural(name: Figure, value: float) -> float:
    return float(np.exp(value)) if name in IN_PROPORTION else value
