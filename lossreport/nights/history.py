"""The history of runs: adding one, listing them, loading them again.

Nothing is ever changed in place. A file is written under a name that says what is in it, then what
it replaces is deleted; of several copies of a night the one written last counts (`names.current`).
So runs at the same time need no lock, and one that is killed leaves either what was there or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.nights.months import FOOTER, nights_in, unpacked
from lossreport.nights.names import MONTH, Night, current, hashed, key_of, night_of
from lossreport.nights.places import Place, Stored, place_at
from lossreport.profiles.file import load_profile, save_profile
from lossreport.profiles.profile import Profile

ATTEMPTS = 20
"""So often is begun anew where others write and delete at the same time."""


@dataclass(frozen=True)
class History:
    """Where the profiles of earlier runs are kept."""

    location: str
    """A folder or a URL such as s3://bucket/folder."""


@dataclass(frozen=True)
class Strange:
    """A file in a history that is none of its own, or damaged; it is left alone."""

    name: str
    why: str


@dataclass(frozen=True)
class Survey:
    """All that lies in a history."""

    copies: tuple[Night, ...]
    strange: tuple[Strange, ...]
    """What is no file of a history, and damaged files of months."""

    @property
    def nights(self) -> tuple[Night, ...]:
        """The copies that count: one of each day and key, by day and key."""
        return tuple(current(self.copies))


@dataclass(frozen=True)
class Added:
    """What became of a run that was added."""

    night: Night
    replaced: tuple[Night, ...]
    """Earlier runs of the same day and input, which are deleted now."""
    known: bool
    """Whether the same profile was there already."""


def nights(history: History) -> tuple[Night, ...]:
    """Return the nights of a history, one per day and input, by day and key.

    No profile is read; damaged ones are found when they are loaded.

    Raises
    ------
    UsageError
        The place cannot be looked into.
    """
    return survey(place_at(history.location)).nights


def survey(place: Place) -> Survey:
    """Return what lies in a place; see `nights`."""
    for _ in range(ATTEMPTS):
        try:
            return _survey(place)
        except FileNotFoundError:
            continue  # a month's file was replaced meanwhile
    raise UsageError(f"{place.named('')} changes faster than it can be read: try again later.")


def _survey(place: Place) -> Survey:
    copies: list[Night] = []
    strange: list[Strange] = []
    for file in place.files():
        if file.name.startswith("."):
            continue
        try:
            copies += nights_of(place, file)
        except (ValueError, UnreadableLogError) as error:
            strange.append(Strange(file.name, str(error)))
    return Survey(tuple(copies), tuple(strange))


def nights_of(place: Place, file: Stored) -> list[Night]:
    """Return the nights that a file holds.

    Raises
    ------
    ValueError
        It is no file of a history, or damaged.
    UnreadableLogError
        It cannot be read.
    FileNotFoundError
        It is gone.
    """
    night = night_of(file.name, file.put, file.size)
    if night is not None:
        return [night]
    if MONTH.fullmatch(file.name) is None:
        raise ValueError("it is not named like a file of a history")
    if file.size == 0:
        raise ValueError("it is empty")
    try:
        return nights_in(file.name, place.read(file.name, FOOTER))
    except ValueError:
        if file.size <= FOOTER:
            raise
        return nights_in(file.name, place.read(file.name))


def day_of(profile: Profile, run_date: date | None = None) -> date:
    """Return the day of a run: as given, or of the last time in its log (UTC).

    Raises
    ------
    UsageError
        None is given and the log has no times, or its last one is no day of a calendar.
    """
    if run_date is not None:
        return run_date
    if profile.span is None:
        raise UsageError(
            "The log has no times, and a history keeps each run by its day: give the day with "
            "--run-date YYYY-MM-DD, or the column of the times with --time."
        )
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=profile.span[1])).date()
    except OverflowError as error:
        raise UsageError(
            "The log's last time lies beyond the year 9999: give the run's day with --run-date "
            "YYYY-MM-DD."
        ) from error


def add(history: History, profile: Profile, run_date: date | None = None) -> Added:
    """Write a run's profile into a history.

    The same profile again changes nothing. Another of the same day and input (`names.key_of`)
    replaces the earlier one, which is deleted when the new one is in place.

    Parameters
    ----------
    run_date
        The day of the run; by default that of the last time in its log.

    Raises
    ------
    UsageError
        There is no day, or the history cannot be written: disk full, no permission, no such bucket.
    """
    place = place_at(history.location)
    day, key = day_of(profile, run_date), key_of(profile)
    file = BytesIO()
    save_profile(profile, file)
    content = file.getvalue()
    night = Night(day, key, hashed(content), 0, "", len(content))
    before = _copies(place, night)
    replaced = tuple(c for c in current(before) if c.name != night.name)
    known = not replaced and any(_is_whole(place, c) for c in current(before))
    if not known:
        _write(place, night, content, before)
    for _ in range(ATTEMPTS):
        _delete_older(place, _copies(place, night))
        now = _copies(place, night)
        if now:  # this run's, or one of the same night that was written after it
            return Added(night, replaced, known)
        _write(place, night, content, now)  # deleted as the older copy of the same name
    raise UsageError(
        f"{place.named(night.name)} was deleted each time it was written: something else clears "
        "this history. The run is not in it."
    )


def _copies(place: Place, night: Night) -> list[Night]:
    return [c for c in survey(place).copies if (c.day, c.key) == (night.day, night.key)]


def _is_whole(place: Place, night: Night) -> bool:
    try:
        read_night(place, night)
    except UnreadableLogError:
        return False
    return True


def _write(place: Place, night: Night, content: bytes, before: Sequence[Night]) -> None:
    place.write(night.name, content, after=max((c.put for c in before), default=0))


def _delete_older(place: Place, copies: Sequence[Night]) -> None:
    """Delete the files of copies that no longer count; a month's file keeps what it holds."""
    for last in current(copies):
        for copy in sorted(copies, key=lambda c: c.version):
            if copy.loose and copy.version < last.version:
                remove_if_same(place, copy)


def remove_if_same(place: Place, night: Night) -> None:
    """Delete a night's own file, unless it was written anew since it was seen."""
    now = place.look(night.name)
    if now is not None and now.put == night.put:
        place.remove(night.name)


def load(history: History, night: Night) -> Profile:
    """Read the profile of a night.

    Raises
    ------
    UnreadableLogError
        It is damaged, of another version, or gone.
    """
    place = place_at(history.location)
    return load_profile(place.named(night.name), read_night(place, night))


def load_all(
    history: History, chosen: Iterable[Night]
) -> tuple[list[tuple[Night, Profile]], list[Strange]]:
    """Read the profiles of nights; name, and leave out, those that cannot be read."""
    place = place_at(history.location)
    made: list[tuple[Night, Profile]] = []
    strange: list[Strange] = []
    for night, content in read_each(place, chosen):
        try:
            if isinstance(content, UnreadableLogError):
                raise content
            made.append((night, load_profile(place.named(night.name), content)))
        except UnreadableLogError as error:
            strange.append(Strange(night.name, str(error)))
    return made, strange


def read_night(place: Place, night: Night) -> bytes:
    """Return the bytes of a night's profile, wherever it lies by now; as `load`."""
    ((_, content),) = read_each(place, [night])
    if isinstance(content, UnreadableLogError):
        raise content
    return content


def read_each(
    place: Place, chosen: Iterable[Night]
) -> Iterator[tuple[Night, bytes | UnreadableLogError]]:
    """Yield the bytes of the profiles of nights, or why one cannot be read.

    A file of a month is read once for all of its nights that come one after the other.
    """
    file, held = "", dict[str, bytes]()
    for night in chosen:
        at: Night | None = night
        try:
            while at is not None and at.file != file:
                try:
                    file, held = at.file, _held(place, at)
                except FileNotFoundError:  # replaced, pruned or merged since it was seen
                    found = survey(place).copies
                    at = next((c for c in found if c.name == night.name), None)
            if at is None:
                raise UnreadableLogError(
                    f"{place.named(night.name)} is gone: it was replaced or pruned. Look again "
                    "with `lossreport history list`."
                )
            if hashed(held.get(night.name, b"")) != night.content:
                raise UnreadableLogError(
                    f"{place.named(file)} is damaged: the profile of {night.day} in it is not the "
                    "one that was written. Make it anew from its log, or delete it."
                )
            yield night, held[night.name]
        except UnreadableLogError as error:
            file = ""
            yield night, error


def _held(place: Place, night: Night) -> dict[str, bytes]:
    """Return the profiles in the file of a night, by name."""
    content = place.read(night.file)
    if night.loose:
        return {night.name: content}
    try:
        return unpacked(content)
    except ValueError as error:
        raise UnreadableLogError(
            f"{place.named(night.file)} cannot be read: {error}. Make its nights anew."
        ) from error
