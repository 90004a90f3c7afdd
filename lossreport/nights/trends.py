"""The nights of the places that a reader looks at first: MAE and where it was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np

from lossreport.nights.changes import Place, Trend, TrendPoint
from lossreport.nights.following import Followed
from lossreport.nights.series import Series, figure

MAX_TRENDS = 20
MAX_POINTS = 120
"""The last so many nights are shown."""


def trends_of(
    series: Series,
    days: Sequence[date],
    followed: Followed,
    changed: Sequence[Place],
    differs: Sequence[Place],
) -> tuple[Trend, ...]:
    """Return the trends of all rows, of places that changed, then of those with most rows.

    Parameters
    ----------
    changed, differs
        Places with an event, and those that differ from the baseline for sure.
    """
    whole = [p for p in series.places if not p.by]
    order = dict.fromkeys((*whole, *changed, *differs, *series.places))
    position = {place: row for row, place in enumerate(series.places)}
    mae = figure(series, "mae")[0]
    # What is followed may begin later, with the pinned night.
    missing = len(days) - followed.low.shape[1]
    pad = np.full((len(series.places), missing), np.nan)
    low, high = (np.concatenate([pad, x], axis=1) for x in (followed.low, followed.high))
    return tuple(
        Trend(
            place,
            tuple(
                TrendPoint(
                    days[i].isoformat(),
                    int(series.sums["n"][row, i]),
                    _number(mae[row, i]),
                    _number(low[row, i]),
                    _number(high[row, i]),
                )
                for i in range(max(0, len(days) - MAX_POINTS), len(days))
            ),
            place in changed,
        )
        for place in list(order)[:MAX_TRENDS]
        for row in [position[place]]
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
