"""The error over time, in steps that a chart has room for."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from lossreport.advice.drift import Drift, drift_of, weekly_drift
from lossreport.formats import instant
from lossreport.profiles.profile import HOUR, HOURS, Bucket, Profile
from lossreport.profiles.statistics import add_up
from lossreport.reports.figures import figures
from lossreport.reports.results import TimePoint

MAX_TIME_POINTS = 120
FEWEST_WEEKS = 4
"""A log of fewer weeks tells nothing of days of the week."""
THURSDAY = 3
"""1970-01-01 was one."""
WEEKDAYS = (
    "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays",
)  # fmt: skip
DRIFT_SUMS = ("bucket", "n", "sum_error", "sum_sq_error")


def timeline(profile: Profile, prediction: int) -> tuple[str | None, tuple[TimePoint, ...]]:
    """Return the figures over time in at most 120 steps, and what a step is."""
    unit, frame = profile.bucket, _buckets(profile, prediction)
    if unit is None or frame.is_empty():
        return None, ()
    first, last = frame["bucket"].min(), frame["bucket"].max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    step, name = _step(last - first + 1, unit)
    offset = THURSDAY if step % 7 == 0 else 0  # weeks begin on Monday
    rolled = add_up(frame.with_columns((pl.col("bucket") + offset) // step)).sort("bucket")
    return name, tuple(
        TimePoint(
            _start(row["bucket"] * step - offset, unit),
            figures(row, None),
        )
        for row in rolled.iter_rows(named=True)
    )


def drift(profile: Profile, prediction: int) -> Drift | None:
    """Return how the level moves in time or in the week, if it does by enough to come first."""
    unit, frame = profile.bucket, _buckets(profile, prediction).filter(pl.col("n") > 0)
    if unit is None or frame.is_empty():
        return None
    frame = frame.sort("bucket")
    starts = [_start(bucket, unit) for bucket in frame["bucket"]]
    buckets, *sums = (frame[c].cast(pl.Float64).to_numpy() for c in DRIFT_SUMS)
    found = [drift_of(starts, buckets, *sums)]
    day = frame["bucket"].to_numpy() * HOURS[unit] // 24
    if np.ptp(day) >= FEWEST_WEEKS * 7:
        found.append(weekly_drift(WEEKDAYS, (day + THURSDAY) % 7, *sums))
    return max((f for f in found if f), key=lambda f: f.share, default=None)


def _start(bucket: int, unit: Bucket) -> str:
    """Return how the start of a bucket is written."""
    form = {"hour": "%Y-%m-%d %H:%M", "day": "%Y-%m-%d"}[unit]
    return instant(bucket * HOURS[unit] * HOUR, form)


def _buckets(profile: Profile, prediction: int) -> pl.DataFrame:
    """Return the moments of all rows with a time, bucket by bucket."""
    of_it = (pl.col("prediction") == prediction) & pl.col("bucket").is_not_null()
    return profile.timeline.filter(of_it)


def _step(buckets: int, unit: Bucket) -> tuple[int, str]:
    """Return how many buckets make a step of the timeline, and the step's name."""
    if buckets <= MAX_TIME_POINTS + 1:
        return 1, unit
    weeks = math.ceil(buckets / 7 / MAX_TIME_POINTS)
    return 7 * weeks, "week" if weeks == 1 else f"{weeks} weeks"
