"""The upkeep of a history: the nights of whole months into one file each, and old nights deleted.

Both may be stopped at any moment and begun again: what is new is written before what it stands for
is deleted, and a night that is there twice counts once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from lossreport.errors import UnreadableLogError, UsageError
from lossreport.nights.history import (
    History,
    Strange,
    Survey,
    read_each,
    read_night,
    remove_if_same,
    survey,
)
from lossreport.nights.months import month_name, packed
from lossreport.nights.names import Night
from lossreport.nights.places import Folder, Place, place_at

ABANDONED = 86_400 * 10**9
"""A half-written file is a killed run's if it is so many nanoseconds older than the newest one."""


@dataclass(frozen=True)
class Merged:
    """A month whose nights are in one file now."""

    month: str
    """As 2026-11."""
    file: str
    nights: int
    damaged: tuple[Strange, ...]
    """Nights that could not be read, whose files are left alone."""


@dataclass(frozen=True)
class Pruned:
    """The nights that are deleted, or would be."""

    nights: tuple[Night, ...]
    before: date


def months_to_merge(found: Survey, asked: Collection[str] = ()) -> list[str]:
    """Return the months (2026-11) of more than one file, oldest first.

    Parameters
    ----------
    asked
        Only these; none means all that are over, so that there is a night of a later month.
    """
    files: dict[str, set[str]] = {}
    for copy in found.copies:
        files.setdefault(_month(copy), set()).add(copy.file)
    over = sorted(files)[:-1]
    return [m for m in sorted(files) if len(files[m]) > 1 and m in (asked or over)]


def merge_months(history: History, asked: Collection[str] = ()) -> list[Merged]:
    """Bring the nights of whole months into one file each; no night changes.

    Runs may be added meanwhile: what comes too late for a month's file stays a file of its own.

    Raises
    ------
    UsageError
        A month that was asked for has no nights, or the history cannot be written.
    """
    place = place_at(history.location)
    found = survey(place)
    known = {_month(c) for c in found.copies}
    if unknown := sorted(set(asked) - known):
        raise UsageError(
            f"There are no nights of {', '.join(unknown)} in {history.location}. There are some "
            f"of: {', '.join(sorted(known)) or 'no month'}."
        )
    merged = [_merge(place, month) for month in months_to_merge(found, asked)]
    _clear(place)
    return [m for m in merged if m is not None]


def _merge(place: Place, month: str) -> Merged | None:
    found = survey(place)
    copies = [c for c in found.copies if _month(c) == month]
    held: list[tuple[Night, bytes]] = []
    damaged: list[Strange] = []
    for night, profile in read_each(place, [n for n in found.nights if _month(n) == month]):
        if isinstance(profile, UnreadableLogError):
            damaged.append(Strange(night.name, str(profile)))
        else:
            held.append((night, profile))
    files = {c.file for c in copies}
    if not held:
        return None
    content = packed(held)
    name = month_name(month, content)
    if name not in files:
        place.write(name, content)
    _delete_held(place, copies, [n for n, _ in held], keep=name)
    return Merged(month, name, len(held), tuple(damaged))


def _delete_held(place: Place, copies: Sequence[Night], held: Sequence[Night], keep: str) -> None:
    """Delete the files of which the file `keep` holds every night, as new or newer."""
    version = {(n.day, n.key): n.version for n in held}

    def is_held(copy: Night) -> bool:
        at = version.get((copy.day, copy.key))
        return at is not None and copy.version <= at

    for file in sorted({c.file for c in copies} - {keep}):
        within = [c for c in copies if c.file == file]
        if all(map(is_held, within)):
            if within[0].loose:
                remove_if_same(place, within[0])
            else:
                place.remove(file)


def prune(
    history: History,
    *,
    keep_days: int | None = None,
    before: date | None = None,
    dry_run: bool = False,
) -> Pruned:
    """Delete nights before a day.

    Parameters
    ----------
    keep_days
        Keep the newest night's day and the days before it, so many in all; no clock is looked at.
    before
        Delete the nights before this day.
    dry_run
        Only say what would be deleted.

    Raises
    ------
    UsageError
        Neither or both are given, or the history cannot be written.
    """
    if (keep_days is None) == (before is None):
        raise UsageError("Say what to delete with one of --keep-days N and --before YYYY-MM-DD.")
    if keep_days is not None and keep_days < 1:
        raise UsageError(f"--keep-days is {keep_days}: at least 1 day is kept.")
    place = place_at(history.location)
    found = survey(place)
    if before is None:
        newest = max((n.day for n in found.nights), default=date.min)
        days = min(keep_days or 1, (newest - date.min).days + 1)
        before = newest - timedelta(days=days - 1)
    if not dry_run:
        _delete_before(place, found, before)
        _clear(place)
    return Pruned(tuple(n for n in found.nights if n.day < before), before)


def _delete_before(place: Place, found: Survey, before: date) -> None:
    """Delete the copies before a day; those that do not count first, or they would count again."""
    counting = set(found.nights)
    old = [c for c in found.copies if c.day < before]
    for copy in (c for c in old if c.loose and c not in counting):
        remove_if_same(place, copy)
    for file in dict.fromkeys(c.file for c in old if not c.loose):
        within = [c for c in found.copies if c.file == file]
        kept = [c for c in within if c.day >= before]
        if kept:
            content = packed([(c, read_night(place, c)) for c in kept])
            place.write(month_name(_month(kept[0]), content), content)
        place.remove(file)
    for copy in (c for c in old if c.loose and c in counting):
        remove_if_same(place, copy)


def _clear(place: Place) -> None:
    """Delete what killed runs left half written in a folder."""
    if isinstance(place, Folder):
        files = place.files()
        newest = max((f.put for f in files), default=0)
        for file in files:
            ours = file.name.startswith(".lossreport-") and Path(file.name).suffix == ".part"
            if ours and file.put < newest - ABANDONED:
                place.remove(file.name)


def _month(night: Night) -> str:
    return str(night.day)[:7]
