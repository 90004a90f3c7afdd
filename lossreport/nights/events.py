"""Everything that happened on the nights of a history, each told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from lossreport.formats import key_value
from lossreport.nights.changes import Event, Place
from lossreport.nights.following import Followed, Told, follow
from lossreport.nights.membership import Came, comings, odd_nights
from lossreport.nights.series import OF_ERRORS, Series
from lossreport.nights.words import LONGEST, coming_words, moved_words, odd_words, place_name

MAX_STANDING = 50


@dataclass(frozen=True)
class History:
    """The nights, tonight last."""

    series: Series
    days: tuple[date, ...]
    ordinary: tuple[bool, ...]
    first: int
    """The night from which figures are followed: the pinned one, else the earliest."""


def ordinary_nights(series: Series) -> list[bool]:
    """Return the nights that are ordinary for all predictions."""
    whole = [row for row, place in enumerate(series.places) if not place.by]
    return [all(x) for x in zip(*(odd_nights(series, row)[1] for row in whole), strict=True)]


def events_of(history: History, unit: str | None) -> tuple[tuple[Event, ...], Followed]:
    """Return all events, in the order of the nights they were found on; and what was expected."""
    series, first = history.series, history.first
    several = len({p.predicted for p in series.places}) > 1
    nights = range(first, len(history.days))
    followed = follow(series.only(nights), history.days[first:], history.ordinary[first:])
    shifted = [replace(t, found=t.found + first, since=t.since + first) for t in followed.told]
    events = [(t.found, _moved(t, history.days, unit, several)) for t in shifted]
    days = [d.isoformat() for d in history.days]
    for row, place in enumerate(series.places):
        if not place.by:
            # Rows are the same in every prediction; only what is scored differs.
            once = place.predicted == series.places[0].predicted
            events += [
                (odd.night, Event(
                    odd.kind, place, None, days[odd.night], days[odd.night], odd.usual, odd.rows,
                    (), None, odd_words(odd.kind, odd.rows, odd.usual, _of(place, several)),
                ))
                for odd in odd_nights(series, row)[0]
                if once or odd.kind == "nothing scored"
            ]  # fmt: skip
    for came in comings(series, history.ordinary):
        events.append((came.night, _came(came, series, days[came.night], several)))
    return tuple(e for _, e in sorted(events, key=lambda e: e[0])), followed


def events_against(series: Series) -> tuple[Event, ...]:
    """Return the groups that came and went between two profiles, without days."""
    several = len({p.predicted for p in series.places}) > 1
    return tuple(_came(c, series, None, several) for c in comings(series, [True, True], 1))


def still_holding(events: Sequence[Event], tonight: str | None) -> tuple[Event, ...]:
    """Return what was found on earlier nights and still holds, newest first."""
    last: dict[tuple[Place, str], Event] = {}
    for event in events:
        if event.kind == "back":
            last.pop((event.place, "rows"), None)
        elif event.kind in ("vanished", "renamed"):
            last[event.place, "rows"] = event
        elif event.kind in ("shift", "creep"):
            last[event.place, "errors" if event.figure in OF_ERRORS else f"{event.figure}"] = event
    held = [e for e in events if e in last.values() and e.found != tonight]
    return tuple(held[::-1][:MAX_STANDING])


def _of(place: Place, several: bool) -> str:
    return f" ({key_value(place.predicted, LONGEST)})" if several else ""


def _moved(told: Told, days: Sequence[date], unit: str | None, several: bool) -> Event:
    found, since = days[told.found].isoformat(), days[told.since].isoformat()
    values = (told.before, told.now)
    sentence = moved_words(
        told.kind, place_name(told.place, several), told.figure, since, values, told.also, unit
    )
    return Event(
        told.kind, told.place, told.figure, found, since, *values, told.also, None, sentence
    )


def _came(came: Came, series: Series, day: str | None, several: bool) -> Event:
    place = series.places[came.row]
    other = None if came.other is None else series.places[came.other]
    rows = (came.before, came.now)
    sentence = coming_words(
        came.kind, place_name(place, several), rows, place_name(other) if other else ""
    )
    return Event(
        came.kind, place, None, day, day, *rows, (), None if other is None else other.key, sentence
    )
