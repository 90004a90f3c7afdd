"""Slices nobody asked for: the pairs and triples of columns' values that make the squared error.

A slice is worth naming where it holds far more of the large errors than its parents (the slices
with one column less) without it, and these are then unremarkable: so not where a parent is
the culprit, and not where all that it has is its parents' large errors added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lossreport.advice.histogram import ErrorHistogram
from lossreport.formats import count, group_name, percent, ratio
from lossreport.logs.columns import key_names
from lossreport.losses import from_sums
from lossreport.profiles.profile import MAX_CUBE_GROUPS, Profile
from lossreport.profiles.statistics import BIN_OFFSET, LOG_GAMMA
from lossreport.reports.attribution import (
    CHANCE,
    LIFT,
    SHARE,
    chance_of,
    without_group,
)
from lossreport.reports.filters import filters_for
from lossreport.reports.groups import Key, groups_of
from lossreport.reports.where import Origin, Slice, Slices

By = tuple[str, ...]
Counts = npt.NDArray[np.int64]

MOST_SLICES = 5
MAX_TRIPLES = 120
"""So many triples of columns are looked at, those of the heaviest pairs first; all of ten."""
FEWEST, MOST = 4, 0.1
"""Large are the 4, 8, 16, ... largest errors, up to this share of the rows; each is tried."""
DENSER = 3.0
"""A slice has at least so many times as many large errors per row as its parents without it, ..."""
ORDINARY = 2.0
"""... and these at most so many times as many as the rest of the log, ..."""
BODY, WIDER = 0.75, 1.5
"""... and at most so many times as many errors beyond this quantile of the log's |errors|."""
OWN = 0.5
"""A slice's squared error that is not in slices found before, at least."""
BOUND_HIT = (
    f"Of the triples of columns only the {MAX_TRIPLES} whose pairs hold most of the squared error "
    "were looked at for slices."
)
NOT_MADE = (
    "Neither sources of the large errors nor slices were looked for: the log has more than "
    f"{MAX_CUBE_GROUPS:,} combinations of its group columns' values, and is kept grouping by "
    "grouping. Group by fewer columns to have both."
)


@dataclass(frozen=True)
class _Cells:
    """The log by all of its group columns."""

    names: By
    values: tuple[tuple[str | None, ...], ...]
    """Of each column."""
    codes: tuple[Counts, ...]
    """Of each column, the number of each cell's value."""
    sq_error: npt.NDArray[np.float64]
    counts: Counts
    """Of each cell: rows, rows beyond each cut of large errors, rows beyond that of `BODY`."""


@dataclass(frozen=True)
class _Level:
    """The slices by some of the columns."""

    columns: tuple[int, ...]
    group: Counts
    """The slice of each cell."""
    first: Counts
    """A cell of each slice."""
    sq_error: npt.NDArray[np.float64]
    counts: Counts


def find_slices(
    profile: Profile, prediction: int, origins: Sequence[Origin], names: Mapping[str, str]
) -> Slices | None:
    """Return the slices that hold most of the squared error for their rows, at most five.

    Parameters
    ----------
    origins
        The sources found by the groupings asked for: none of them is told again.
    names
        The columns as they are shown.

    Returns
    -------
    Slices or None
        None if there is nothing to combine: fewer than two group columns.
    """
    keys = profile.columns.keys
    if keys and (len(profile.tables) > 1 or profile.tables[0].histogram is None):
        return Slices((), 0, NOT_MADE)
    if len(keys) < 2:
        return None
    found: list[tuple[By, Key]] = []
    left, rest, looked_at, note = list(origins), profile, 0, None
    while len(found) < MOST_SLICES:
        best, looks, all_triples = _best(rest, prediction, profile)
        looked_at = looked_at or looks
        if not all_triples:
            note = BOUND_HIT
        if best is None and not left:
            break
        if best is None:
            source = left.pop(0)
            best = source.by, source.key
        elif not any(_same(best, (o.by, o.key)) for o in origins):
            found.append(best)
        rest = without_group(rest, *best)
    return Slices(
        tuple(_slice(profile, prediction, by, key, names) for by, key in found), looked_at, note
    )


def _same(one: tuple[By, Key], other: tuple[By, Key]) -> bool:
    return set(zip(*one, strict=True)) == set(zip(*other, strict=True))


def _slice(profile: Profile, prediction: int, by: By, key: Key, names: Mapping[str, str]) -> Slice:
    """Return a slice with its figures, all of them of the whole log."""
    log = groups_of(profile.table(()), prediction).groups[0].sums
    inside = next(g for g in groups_of(profile.table(by), prediction).groups if g.key == key).sums
    outside = groups_of(without_group(profile, by, key).table(()), prediction).groups[0].sums
    share = {s: float(inside[s]) / float(log[s]) for s in ("n", "sum_abs_error", "sum_sq_error")}
    within, without = from_sums(inside)["ratio"], from_sums(outside)["ratio"]
    shown = tuple(names[c] for c in by)
    n = int(inside["n"])
    kinds = dict(zip(profile.columns.keys, profile.columns.kinds, strict=False))
    return in_words(Slice(
        by=shown,
        key=key,
        rows=n,
        share_of_rows=share["n"],
        share_of_abs_error=share["sum_abs_error"],
        share_of_sq_error=share["sum_sq_error"],
        ratio=within,
        ratio_without=without,
        sentence="",
        filters=filters_for(by, key, [kinds.get(c, "") for c in by]),
    ))  # fmt: skip


def in_words(found: Slice) -> Slice:
    """Return a slice with its sentence."""
    said = (
        f"{group_name(found.by, found.key, 28)}: {count(found.rows, 'row')} "
        f"({percent(found.share_of_rows)}) {'makes' if found.rows == 1 else 'make'} "
        f"{percent(found.share_of_sq_error)} of the squared error; RMSE/MAE is "
        f"{ratio(found.ratio)} inside and {ratio(found.ratio_without)} without."
    )
    return replace(found, sentence=said)


def _best(
    rest: Profile, prediction: int, whole: Profile
) -> tuple[tuple[By, Key] | None, int, bool]:
    """Return the heaviest slice worth naming, how many there are, and if all were looked at."""
    (log,) = groups_of(rest.table(()), prediction).groups
    if log.histogram is None or not np.any(log.histogram.mean):
        return None, 0, True
    cells = _cells(rest, prediction, log.histogram)
    columns = range(len(cells.names))
    levels = {c: _level(cells, c) for size in (1, 2) for c in combinations(columns, size)}
    heaviest = {c: float(np.max(_weight(level, cells))) for c, level in levels.items()}
    triples = sorted(
        combinations(columns, 3),
        key=lambda t: (-max(heaviest[pair] for pair in combinations(t, 2)), t),
    )
    levels |= {t: _level(cells, t) for t in triples[:MAX_TRIPLES]}
    slices = {k: sum(len(levels[c].sq_error) for c in levels if len(c) == k) for k in (2, 3)}
    looks = {2: slices[2], 3: slices[3] * max(1, len(triples) / MAX_TRIPLES)}
    best: tuple[float, By, Key] | None = None
    for c, level in levels.items():
        weight = _weight(level, cells)
        for i in _candidates(level, cells) if len(c) > 1 else ():
            if best is not None and weight[i] <= best[0] * (1 + 1e-9):
                continue
            if _adds(level, i, levels, cells, CHANCE / looks[len(c)]):
                by, key = _named(level, i, cells)
                if _own(rest, whole, prediction, by, key):
                    best = float(weight[i]), by, key
    found = best and (best[1], best[2])
    return found, sum(slices.values()), len(triples) <= MAX_TRIPLES


def _cells(profile: Profile, prediction: int, log: ErrorHistogram) -> _Cells:
    cube = profile.tables[0].timeless()
    names = key_names(cube.by)
    assert cube.histogram is not None
    cuts = [*_cuts(log), *log.abs_quantile([BODY])]
    # As `ErrorHistogram` has them: an error's bin, counted from 0 in |error|.
    outer = ((pl.col("bin").abs() - BIN_OFFSET) * LOG_GAMMA).exp()
    outer = pl.when(pl.col("bin") == 0).then(0.0).otherwise(outer)
    beyond = [
        pl.col("n").filter(outer > cut * (1 + 1e-9)).sum().alias(f"beyond_{i}")
        for i, cut in enumerate(cuts)
    ]
    of_bins = cube.histogram.filter(pl.col("prediction") == prediction).group_by(names).agg(beyond)
    mine = cube.moments.filter((pl.col("prediction") == prediction) & (pl.col("n") > 0))
    mine = mine.select(*names, "n", "sum_sq_error").join(
        of_bins, on=names, how="left", nulls_equal=True, maintain_order="left"
    )
    numbers = mine.select("n", *(f"beyond_{i}" for i in range(len(cuts)))).to_numpy()
    columns = [mine[name].to_list() for name in names]
    values = [tuple(dict.fromkeys(column)) for column in columns]
    at = [{value: i for i, value in enumerate(each)} for each in values]
    codes = [np.array([a[v] for v in c], np.int64) for a, c in zip(at, columns, strict=True)]
    return _Cells(
        cube.by, tuple(values), tuple(codes), mine["sum_sq_error"].to_numpy(),
        numbers.astype(np.int64),
    )  # fmt: skip


def _cuts(log: ErrorHistogram) -> list[float]:
    """Return |errors| between bins, beyond which the 4, 8, 16, ... largest errors are."""
    order = np.argsort(-log.edge, kind="stable")
    edges, rows = log.edge[order], np.cumsum(log.n[order])
    wanted, cuts = float(FEWEST), []
    while wanted <= MOST * log.rows:
        inner = edges[edges < edges[int(np.searchsorted(rows, wanted))]]
        cuts.append(float(inner[0]) if len(inner) else 0.0)
        wanted *= 2
    return list(dict.fromkeys(cuts))


def _level(cells: _Cells, columns: tuple[int, ...]) -> _Level:
    number = np.zeros(len(cells.sq_error), np.int64)
    for c in columns:
        number = number * len(cells.values[c]) + cells.codes[c]
    _, first, group = np.unique(number, return_index=True, return_inverse=True)
    slices = len(first)
    sq_error = np.bincount(group, cells.sq_error, slices).astype(np.float64)
    # Counts stay below 2^53, so that they are exact as floats.
    added = [np.bincount(group, column, slices) for column in cells.counts.T]
    return _Level(columns, group, first, sq_error, np.stack(added, axis=1).astype(np.int64))


def _shares(level: _Level, cells: _Cells) -> tuple[Any, Any]:
    return level.counts[:, 0] / cells.counts[:, 0].sum(), level.sq_error / cells.sq_error.sum()


def _weight(level: _Level, cells: _Cells) -> npt.NDArray[np.float64]:
    """Return each slice's share of the squared error, times how much that is for its rows."""
    rows, squares = _shares(level, cells)
    return np.asarray(squares * (squares / rows))


def _candidates(level: _Level, cells: _Cells) -> list[int]:
    """Return the slices with much of the squared error and more of it than of the rows."""
    rows, squares = _shares(level, cells)
    return [int(i) for i in np.flatnonzero(squares >= np.maximum(SHARE, LIFT * rows))]


def _adds(
    level: _Level, i: int, levels: Mapping[tuple[int, ...], _Level], cells: _Cells, limit: float
) -> bool:
    """Return whether a slice adds to each of its parents, at one of the cuts."""
    mine, log = level.counts[i], cells.counts.sum(axis=0)
    parents = []
    for columns in combinations(level.columns, len(level.columns) - 1):
        parent = levels[columns]
        parents.append(parent.counts[parent.group[level.first[i]]])
    if not all(_is_wide_enough(mine, p, log) for p in parents):
        return False
    cuts = len(log) - 2
    return any(
        all(_adds_to(mine, p, log, cut, limit / cuts) for p in parents)
        for cut in range(1, 1 + cuts)
    )


def _is_wide_enough(mine: Counts, parent: Counts, log: Counts) -> bool:
    """Return whether a parent has rows beside the slice, with errors as small as elsewhere."""
    rest, others = parent - mine, log - parent
    if not rest[0]:
        return False
    return bool(rest[-1] * others[0] <= WIDER * others[-1] * rest[0] or not others[0])


def _adds_to(mine: Counts, parent: Counts, log: Counts, cut: int, limit: float) -> bool:
    """Return whether a slice has far more large errors than its parent without it."""
    rest, others = parent - mine, log - mine
    if mine[cut] * rest[0] < DENSER * rest[cut] * mine[0]:
        return False
    if chance_of(int(mine[cut]), int(parent[cut]), mine[0] / parent[0]) >= limit:
        return False
    ordinary = rest[cut] * others[0] <= ORDINARY * others[cut] * rest[0]
    by_chance = chance_of(int(rest[cut]), int(others[cut]), rest[0] / others[0]) > CHANCE
    return bool(ordinary or by_chance)


def _named(level: _Level, i: int, cells: _Cells) -> tuple[By, Key]:
    cell = level.first[i]
    return (
        tuple(cells.names[c] for c in level.columns),
        tuple(cells.values[c][cells.codes[c][cell]] for c in level.columns),
    )


def _own(rest: Profile, whole: Profile, prediction: int, by: By, key: Key) -> bool:
    """Return whether most of a slice's squared error is not told already."""

    def held(profile: Profile) -> float:
        groups = groups_of(profile.table(by), prediction).groups
        return next(float(g.sums["sum_sq_error"]) for g in groups if g.key == key)

    return rest is whole or held(rest) >= OWN * held(whole)
