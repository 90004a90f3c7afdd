"""Nights without the usual rows, and groups that came, went or changed their name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lossreport.nights.series import Floats, Series, figure, on_scale

BACK = 14
"""So many ordinary nights before tell what is usual."""
ALWAYS = 7
"""A group that had rows on each of so many nights before is missed; ..."""
FEWEST_ROWS = 20
"""... if it had at least so many, in the median. Groups with fewer are not told as new either."""
FEWEST_NIGHTS = 3
FEW, MANY = 0.2, 3.0
"""Times the fewest and the most rows of the nights before."""
SETTLED = 3
"""So many nights alike in a row are what is usual from then on."""
ALIKE = 3.0
"""Standard deviations within which rows and MAE of a renamed group agree."""

Odd = Literal["nothing scored", "few rows", "many rows"]


@dataclass(frozen=True)
class OddNight:
    """A night that is not what nights usually are."""

    kind: Odd
    night: int
    usual: float | None
    """Rows; None where it does not matter."""
    rows: float


@dataclass(frozen=True)
class Came:
    """A group that went or came, or one that went as another came."""

    kind: Literal["new", "vanished", "renamed", "back"]
    row: int
    """The place; of renamed groups the one that went."""
    other: int | None
    night: int
    before: float | None
    """Rows of a night before, in the median; None of new groups."""
    now: float


def odd_nights(series: Series, row: int) -> tuple[list[OddNight], list[bool]]:
    """Return the nights that are odd for all rows (a row of `series`), and which are ordinary.

    Each is told once; after three alike in a row they are what is usual.
    """
    read, scored = series.read[row], series.sums["n"][row]
    told, ordinary, usual = list[OddNight](), list[bool](), list[float]()
    last: Odd | None = None
    alike = 0
    for night, rows in enumerate(read):
        kind: Odd | None = None
        some = usual[-BACK:]
        if rows and not scored[night]:
            kind = "nothing scored"
        elif len(some) >= FEWEST_NIGHTS and rows < FEW * min(some):
            kind = "few rows"
        elif len(some) >= FEWEST_NIGHTS and rows > MANY * max(some):
            kind = "many rows"
        alike = alike + 1 if kind == last else 1
        if kind and kind != last:
            told.append(OddNight(kind, night, float(np.median(some)) if some else None, rows))
        if kind != "nothing scored" and (kind is None or alike >= SETTLED):
            usual = usual if kind is None else []
            usual += [float(rows)] if rows else []
            last, kind = None, None
        else:
            last = kind
        ordinary.append(kind is None and rows > 0)
    return told, ordinary


def comings(series: Series, ordinary: Sequence[bool], fewest: int = FEWEST_NIGHTS) -> list[Came]:
    """Return the groups that came and went, each on its night.

    A group has gone if it has no row, but had rows on each of the seven ordinary nights before
    (all of them, if there are fewer, but at least `fewest`) and 20 or more in the median; it is
    new with 20 rows or more where no night before had any.
    """
    read = series.read
    groups = np.array([bool(p.by) for p in series.places])
    found: list[Came] = []
    away = set[int]()
    for night in range(read.shape[1]):
        before = [i for i in range(night) if ordinary[i]]
        if not ordinary[night] or len(before) < fewest:
            continue
        lately = read[:, before[-ALWAYS:]]
        middle = np.median(lately, axis=1)
        gone = groups & (read[:, night] == 0) & (lately > 0).all(axis=1) & (middle >= FEWEST_ROWS)
        fresh = groups & (read[:, night] >= FEWEST_ROWS) & (read[:, :night] == 0).all(axis=1)
        went, came = np.flatnonzero(gone).tolist(), np.flatnonzero(fresh).tolist()
        pairs = _renamed(series, went, came, night, before[-BACK:])
        for a, b in pairs:
            found.append(Came("renamed", a, b, night, float(middle[a]), float(read[b, night])))
        named = {a for a, _ in pairs} | {b for _, b in pairs}
        found += [
            Came("vanished", a, None, night, float(middle[a]), 0.0) for a in went if a not in named
        ]
        found += [
            Came("new", b, None, night, None, float(read[b, night])) for b in came if b not in named
        ]
        back = [r for r in sorted(away) if read[r, night]]
        found += [Came("back", r, None, night, 0.0, float(read[r, night])) for r in back]
        away = (away | set(went)) - set(back)
    return found


def _renamed(
    series: Series, went: Sequence[int], came: Sequence[int], night: int, before: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the pairs of a group that went and one that came which look the same, best first.

    In each pair rows, MAE and RMSE/MAE agree within three standard deviations, those of single
    nights of the group that went and those that the rows give.
    """
    if not went or not came:
        return []
    away = np.zeros((len(went), len(came)))
    for name in ("rows", "mae", "ratio"):
        values, variances = on_scale(name, *figure(series, name))
        old, own = values[np.ix_(went, before)], variances[np.ix_(went, before)]
        new, of_new = values[came, night], variances[came, night]
        spread = np.fmax(_variance(old), np.nanmean(np.nan_to_num(own), axis=1))
        total = (spread * (1 + 1 / len(before)))[:, np.newaxis] + of_new
        with np.errstate(all="ignore"):
            z = np.abs(new - np.nan_to_num(_centre(old))[:, np.newaxis]) / np.sqrt(total)
        away = np.maximum(away, np.nan_to_num(z, nan=np.inf))
    pairs: list[tuple[int, int]] = []
    order = sorted((away[i, j], a, b, a_of(series, a) == a_of(series, b))
                   for i, a in enumerate(went) for j, b in enumerate(came))  # fmt: skip
    for z, a, b, same in order:
        taken = {x for pair in pairs for x in pair}
        if z <= ALIKE and same and not {a, b} & taken:
            pairs.append((a, b))
    return pairs


def a_of(series: Series, row: int) -> tuple[str, tuple[str, ...]]:
    """Return the prediction and grouping of a place."""
    return series.places[row].predicted, series.places[row].by


def _centre(values: Floats) -> Floats:
    there = np.isfinite(values)
    total = np.where(there, values, 0.0).sum(axis=1)
    return np.asarray(np.where(there.any(axis=1), total / np.maximum(there.sum(axis=1), 1), np.nan))


def _variance(values: Floats) -> Floats:
    """Return the variance of each row; 0 of fewer than two values."""
    away = values - _centre(values)[:, np.newaxis]
    free = np.maximum(np.isfinite(values).sum(axis=1) - 1, 1)
    return np.asarray(np.where(np.isfinite(away), away**2, 0.0).sum(axis=1) / free)
