"""Tonight against a baseline and against all earlier nights: everything that is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import get_args

from lossreport.errors import UsageError
from lossreport.nights.baseline import Baseline, resolve
from lossreport.nights.changes import Changes, Event, Kind, PlaceChange, Tone
from lossreport.nights.differences import place_changes
from lossreport.nights.events import (
    History,
    events_against,
    events_of,
    ordinary_nights,
    still_holding,
)
from lossreport.nights.following import Followed
from lossreport.nights.series import Series, series_of
from lossreport.nights.trends import trends_of
from lossreport.nights.words import HOW_ALARMED, HOW_DIFFERENT, differences_told, headline
from lossreport.profiles.profile import Profile

MAX_NIGHTS = 400
"""Nights further back are not looked at."""
MAX_SHOWN = 200
"""Of places so many are told with their differences."""
ORDER: tuple[str, ...] = get_args(Kind)
GRAVE = ("nothing scored", "few rows", "many rows", "shift", "creep", "vanished")


def changes_of(
    nights: Sequence[tuple[date, Profile]],
    tonight: Profile,
    baseline: str | Profile = "last",
    unit: str | None = None,
) -> Changes:
    """Return what changed.

    Parameters
    ----------
    nights
        Day and profile of each night, oldest first, tonight last; empty where there is no history.
    tonight
        The profile that the report is of: that of the last night, if there are nights.
    baseline
        A profile, "last", "median:N" or "pinned:DAY".
    unit
        Of actual and predicted.

    Raises
    ------
    UsageError
        The baseline is none, the nights are not in order, or of another actual column.
    """
    nights = nights[-MAX_NIGHTS:]
    days = [day for day, _ in nights]
    if any(a >= b for a, b in pairwise(days)):
        raise UsageError(
            "The nights are not in order: the oldest goes first, tonight last, one of each day."
        )
    own = [p for _, p in nights[:-1]]
    other = [baseline] if isinstance(baseline, Profile) else []
    whole = series_of([*other, *own, tonight])
    history = whole.only(range(len(other), len(other) + len(own) + 1))
    ordinary = ordinary_nights(history)
    found = resolve(baseline, days, ordinary)
    against = None if found is None else whole.only([0]) if other else history.only(found.nights)
    if nights:
        happened = History(history, tuple(days), tuple(ordinary), found.first if found else 0)
        events, followed = events_of(happened, unit)
    else:
        events, followed = events_against(whole), None
    compared: tuple[PlaceChange, ...] = ()
    if against is not None:
        earlier = history.only([i for i in range(len(own)) if ordinary[i]])
        compared = place_changes(history.places, history.only([len(own)]), against, earlier)
    return _told(history, days, found, events, followed, compared, unit)


def _told(
    history: Series, days: Sequence[date], found: Baseline | None, events: Sequence[Event],
    followed: Followed | None, compared: Sequence[PlaceChange], unit: str | None,
) -> Changes:  # fmt: skip
    """Return what is told of tonight: its own events, those that still hold, and differences."""
    day = days[-1].isoformat() if days else None
    alarms = tuple(sorted((e for e in events if e.found == day), key=lambda e: ORDER.index(e.kind)))
    standing = still_holding(events, day)
    sure = [p for p in compared if any(d.sure for d in p.differences)]
    several = len({p.predicted for p in history.places}) > 1
    said = found.said if found else None
    told = differences_told(compared)
    opening, points = headline(alarms, told, said, len(days), unit, several)
    tag, tone = _tone(alarms, said, differs=bool(told))
    ranked = sorted(compared, key=lambda p: (bool(p.place.by), p not in sure))
    return Changes(
        baseline=said or "no earlier night",
        tonight=day,
        nights=len(days),
        tag=tag,
        tone=tone,
        headline=opening,
        points=points,
        alarms=alarms,
        standing=standing,
        places=tuple(ranked[:MAX_SHOWN]),
        more_places=history.more + max(0, len(ranked) - MAX_SHOWN),
        trends=() if followed is None else trends_of(
            history, days, followed, [e.place for e in (*alarms, *standing)],
            [p.place for p in sure],
        ),
        how=f"{HOW_DIFFERENT} {HOW_ALARMED}" if days else HOW_DIFFERENT,
    )  # fmt: skip


def _tone(alarms: Sequence[Event], said: str | None, *, differs: bool) -> tuple[str, Tone]:
    if any(e.kind in GRAVE for e in alarms):
        return "Changed", "alert"
    if alarms:
        return ("Changed", "alert") if differs else ("Something is new", "note")
    if said is None:
        return "First night", "none"
    if differs:
        return "Differs from the baseline", "note"
    return "As before", "calm"
