"""What changed since earlier nights, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Figure = Literal["mae", "rmse", "ratio", "bias", "left_out_share", "rows"]
Tone = Literal["alert", "note", "calm", "none"]
Kind = Literal[
    "nothing scored",
    "few rows",
    "many rows",
    "shift",
    "creep",
    "vanished",
    "renamed",
    "back",
    "new",
    "bad night",
]
"""In the order in which they are told."""
LEVEL = 0.95
"""That a difference lies within its interval."""


@dataclass(frozen=True)
class Place:
    """All rows of a prediction (`by` is empty) or one of its groups."""

    predicted: str
    by: tuple[str, ...]
    key: tuple[str | None, ...]


@dataclass(frozen=True)
class Difference:
    """One figure tonight and in the baseline, in the figure's own unit."""

    figure: Figure
    before: float | None
    """None where the baseline has none."""
    now: float | None
    change: float | None
    low: float | None
    """Ends of the interval of `change` at LEVEL; None where nothing tells how it varies."""
    high: float | None
    sure: bool
    """Whether it is beyond chance, corrected for all places and figures."""

    @property
    def share(self) -> float | None:
        """The change in proportion to the baseline; None where that is 0 or there is none."""
        if self.change is None or not self.before:
            return None
        return self.change / abs(self.before)


@dataclass(frozen=True)
class PlaceChange:
    """The figures of one place against the baseline."""

    place: Place
    differences: tuple[Difference, ...]
    """Of every `Figure`, in its order."""

    def of(self, figure: Figure) -> Difference:
        """Return the difference of a figure."""
        return next(d for d in self.differences if d.figure == figure)


@dataclass(frozen=True)
class Event:
    """Something that happened on a night; told on the night that it was found."""

    kind: Kind
    place: Place
    figure: Figure | None
    """None of events that are no change of a figure."""
    found: str | None
    """The night it was found on, and ..."""
    since: str | None
    """... the first it holds for; "2026-11-25", None without days."""
    before: float | None
    now: float | None
    also: tuple[Place, ...]
    """Other places that moved with it."""
    renamed_to: tuple[str | None, ...] | None
    """The group that came the night this one went, with like rows and figures."""
    sentence: str


@dataclass(frozen=True)
class TrendPoint:
    """MAE of a place on one night."""

    day: str
    n: int
    """Scored rows."""
    mae: float | None
    low: float | None
    """The band in which a night's MAE is expected, from the nights before it; None where these
    are too few."""
    high: float | None


@dataclass(frozen=True)
class Trend:
    """The nights of one place."""

    place: Place
    points: tuple[TrendPoint, ...]
    changed: bool
    """Whether one of the events is of this place."""


@dataclass(frozen=True)
class Changes:
    """Tonight against a baseline, and what earlier nights say of it."""

    baseline: str
    """What tonight is compared with, in words."""
    tonight: str | None
    """Its day; None without nights."""
    nights: int
    """How many nights are looked at, tonight among them; 0 without."""
    tag: str
    tone: Tone
    headline: str
    points: tuple[str, ...]
    alarms: tuple[Event, ...]
    """What was found tonight; gravest first."""
    standing: tuple[Event, ...]
    """Shifts, creeps and vanished groups found on earlier nights that still hold, newest first."""
    places: tuple[PlaceChange, ...]
    """All rows first, then groups with a sure difference, then those with most rows."""
    more_places: int
    """How many more groups there are."""
    trends: tuple[Trend, ...]
    """At most 20; all rows first, then those that changed, then those with most rows."""
    how: str
    """What intervals and alarms are made of."""
