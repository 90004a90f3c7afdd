"""The error over time, in steps that a chart has room for."""

from __future__ import annotations

import math

import polars as pl

from lossreport.formats import instant
from lossreport.profiles.profile import HOUR, HOURS, Bucket, Profile
from lossreport.profiles.statistics import add_up
from lossreport.reports.figures import figures
from lossreport.reports.results import TimePoint

MAX_TIME_POINTS = 120


def timeline(profile: Profile, prediction: int) -> tuple[str | None, tuple[TimePoint, ...]]:
    """Return the figures over time in at most 120 steps, and what a step is."""
    unit = profile.bucket
    frame = profile.timeline.filter(
        (pl.col("prediction") == prediction) & pl.col("bucket").is_not_null()
    )
    if unit is None or frame.is_empty():
        return None, ()
    first, last = frame["bucket"].min(), frame["bucket"].max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    step, name = _step(last - first + 1, unit)
    offset = 3 if step % 7 == 0 else 0  # 1970-01-01 was a Thursday: weeks begin on Monday
    rolled = add_up(frame.with_columns((pl.col("bucket") + offset) // step)).sort("bucket")
    start = {"hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d"}[unit]
    return name, tuple(
        TimePoint(
            instant((row["bucket"] * step - offset) * HOURS[unit] * HOUR, start),
            figures(row, None),
        )
        for row in rolled.iter_rows(named=True)
    )


def _step(buckets: int, unit: Bucket) -> tuple[int, str]:
    """Return how many buckets make a step of the timeline, and the step's name."""
    if buckets <= MAX_TIME_POINTS + 1:
        return 1, unit
    weeks = math.ceil(buckets / 7 / MAX_TIME_POINTS)
    return 7 * weeks, "week" if weeks == 1 else f"{weeks} weeks"
