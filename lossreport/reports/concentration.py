"""The few rows that make most of the squared error: how many, and where they are."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from lossreport.advice.gap import Gap
from lossreport.advice.histogram import ErrorHistogram
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.reports.figures import WorstShare, figures
from lossreport.reports.groups import RawGroups, all_others
from lossreport.reports.where import Concentration, Place

FEW = 0.01
"""Rows are few if they are at most this share of all, or one row, and ..."""
MOST = 0.5
"""... make most of the squared error if they hold at least this share of it."""
Groupings = Mapping[tuple[str, ...], RawGroups]


def few_rows(
    histogram: ErrorHistogram | None, groupings: Groupings, broken: Gap | None = None
) -> Concentration | None:
    """Return the few rows that make most of the squared error, if there are such rows.

    Of the cuts |error| > c between bins, the one that catches the largest share of squared error
    with the fewest rows: it maximises share * (1 - ln(rows) / ln(all rows)); if there are rows
    apart from all others (`broken`), these. None below 50 rows.
    """
    if histogram is None or histogram.rows < MINIMUM_ROWS or not np.any(histogram.mean):
        return None
    n = histogram.rows
    at_most = max(FEW * n, 1)
    most = max(at_most, broken.rows if broken else 0)
    tail = [(c, *histogram.beyond(c)) for c in _cuts(histogram, most)]
    few = [t for t in tail if 0 < t[1] <= most and t[3] >= MOST]
    apart = [t for t in few if broken and t[1] == broken.rows]
    few = apart or [t for t in few if t[1] <= at_most]
    if not few:
        return None
    cut, rows, absolute, squared = max(few, key=lambda t: t[3] * (1 - math.log(t[1]) / math.log(n)))
    return Concentration(rows, cut, rows / n, absolute, squared, _place(groupings, cut, rows, n))


def _cuts(histogram: ErrorHistogram, most_rows: float) -> list[float]:
    """Return the outer edges of bins that have no more than this many rows beyond them."""
    order = np.argsort(-histogram.edge, kind="stable")
    edges, rows = histogram.edge[order], np.cumsum(histogram.n[order])
    within = edges[rows <= most_rows]
    following = edges[rows > most_rows][:1]
    return sorted({float(e) for e in (*within, *following)}, reverse=True)


def _place(groupings: Groupings, cut: float, rows: int, n: float) -> Place | None:
    """Return the group with most of the large errors, if it has far more than its share."""
    best: tuple[float, Place] | None = None
    for by in sorted(groupings, key=len):
        raw = groupings[by]
        unknown = any(g.histogram is None and g.sums["n"] for g in raw.groups)
        if len(raw.groups) < 2 or unknown:
            continue
        for group, others in zip(raw.groups, all_others(raw), strict=True):
            mine = group.histogram.beyond(cut)[0] if group.histogram else 0
            share = group.sums["n"] / n
            excess = mine / rows - share
            if 2 * mine < rows or mine / rows < 2 * share or (best and excess <= best[0] + 1e-9):
                continue
            best = excess, Place(by, group.key, mine, share, figures(others, None))
    return best[1] if best else None


def lorenz(histogram: ErrorHistogram | None) -> tuple[WorstShare, ...]:
    """Return what the worst rows hold of each loss, from one row to all, about evenly in ln."""
    if histogram is None or not np.any(histogram.mean):
        return ()
    rows = histogram.rows
    shares = np.unique(np.geomspace(1 / rows, 1, 60))
    held = [(float(s), histogram.worst(float(s) * (1 + 1e-12))) for s in shares]
    return tuple(WorstShare(min(s, 1.0), min(h[0], 1.0), min(h[1], 1.0)) for s, h in held if h)
