"""What `--history` does: keeps the profile of a run among those of earlier ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lossreport.commands.console import in_bytes
from lossreport.errors import UsageError


def day_given(run_date: str | None, history: str | None) -> date | None:
    """Return the day of `--run-date`."""
    if run_date is None:
        return None
    if history is None:
        raise UsageError("--run-date is for --history: give that as well.")
    return day(run_date, "--run-date")


def day(text: str, option: str) -> date:
    """Return a day given as text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} is {text!r}, no day: write it like 2026-11-26.") from None


def check_history(history: str, logs: Sequence[str], *, elsewhere: bool) -> None:
    """Raise UsageError if a run of these logs cannot be kept there; before they are read.

    With `elsewhere`, another engine finds them: they can be tables, and are no profiles.
    """
    from lossreport.logs.object_stores import files_of
    from lossreport.nights.places import Folder, place_at
    from lossreport.nights.saved import saved_among
    from lossreport.writing import check_folder

    place = place_at(history)
    files = [] if elsewhere else files_of(logs)
    if isinstance(place, Folder):
        within = [f for f in files if "://" not in f and _is_below(Path(f), place.path)]
    else:
        within = [f for f in files if f.startswith(history.rstrip("/") + "/")]
    if saved_among(within):
        raise UsageError(
            f"The log is in the history {history} itself: its nights would count twice there. "
            "Leave --history out to make a page of earlier nights."
        )
    if isinstance(place, Folder):
        check_folder(place.path, [log for log in logs if "://" not in log])
        if place.path.exists() and not os.access(place.path, os.W_OK | os.X_OK):
            raise UsageError(
                f"The history {history} is not writable: the run cannot be kept there."
            )


def _is_below(file: Path, folder: Path) -> bool:
    return folder.resolve() in file.resolve().parents


def nights_until(
    history: str, made: Any, run_date: date | None
) -> tuple[list[tuple[date, Any]], list[str]]:
    """Return day and profile of the earlier nights of such a log, and this one; and what is odd.

    At most the last `MAX_NIGHTS`. Of a day with a run of the same input that run is the night,
    else all of its runs together; profiles with other columns are of another log.
    """
    from lossreport.nights.history import History, day_of, load_all, nights
    from lossreport.nights.names import key_of
    from lossreport.nights.tonight import MAX_NIGHTS
    from lossreport.profiles.merging import merge

    today, input_ = day_of(made, run_date), key_of(made)
    kept = nights(History(history))
    days = sorted({n.day for n in kept if n.day < today})[-MAX_NIGHTS:]
    own = {n.day for n in kept if n.key == input_}
    chosen = [n for n in kept if n.day in days and (n.key == input_ or n.day not in own)]
    read, strange = load_all(History(history), chosen)
    of_day: dict[date, list[Any]] = {}
    for night, profile in read:
        if profile.columns.roles == made.columns.roles:
            of_day.setdefault(night.day, []).append(profile)
    earlier = [(d, merge(of_day[d])) for d in days if d in of_day]
    return [*earlier, (today, made)], [f"{x.name} is left out: {x.why}" for x in strange]


def remember(history: str, made: Any, run_date: date | None) -> str:
    """Keep a profile in a history, and return what to say of it."""
    from lossreport.nights.history import History, add
    from lossreport.nights.places import place_at

    added = add(History(history), made, run_date)
    path = place_at(history).named(added.night.name)
    if added.known:
        return f"Already in the history: {path}"
    old = f", in place of {added.replaced[0].name}" if added.replaced else ""
    return f"Kept {path} ({in_bytes(added.night.size)}{old})"
