"""What tonight is compared with: a profile, the last night, the median of some, a pinned one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from lossreport.errors import UsageError
from lossreport.formats import count, listed, visible
from lossreport.profiles.profile import Profile

FORMS = (
    "last, median:N (such as median:14), pinned:NAME (a night's day, or its name in the table "
    "[pins] of the configuration) or the file of a profile"
)
FEWEST = 2


@dataclass(frozen=True)
class Baseline:
    """A baseline that was found."""

    said: str
    """In words, after "than" or "from"."""
    nights: tuple[int, ...] = ()
    """The positions of the nights it is made of; their median counts."""
    first: int = 0
    """From this night on nights are followed: the pinned one, else the earliest."""
    profile: Profile | None = None
    """The profile, where it is none of the nights."""


def is_named(baseline: str) -> bool:
    """Return whether a text names nights, and is not the file of a profile."""
    return baseline == "last" or baseline.startswith(("median:", "pinned:"))


def resolve(
    baseline: str | Profile, days: Sequence[date], ordinary: Sequence[bool]
) -> Baseline | None:
    """Return the baseline; None where no earlier night can be one yet.

    Parameters
    ----------
    baseline
        A profile; or "last", "median:N" or "pinned:DAY".
    days, ordinary
        Of the nights, tonight last. Nights that are not ordinary (nothing scored, few rows) are
        passed over, unless pinned.

    Raises
    ------
    UsageError
        The text is none of these, or there is no such night.
    """
    if isinstance(baseline, Profile):
        return Baseline(_named(baseline), profile=baseline)
    if not is_named(baseline):
        raise UsageError(f"{baseline!r} is no baseline. Give {FORMS}.")
    if not days:
        raise UsageError(
            f"The baseline {baseline!r} is one of earlier nights, but there are none: give a "
            "history of nights, or the file of a profile as the baseline."
        )
    if baseline.startswith("pinned:"):
        return _pinned(baseline.removeprefix("pinned:"), days)
    earlier = [i for i in range(len(days) - 1) if ordinary[i]]
    if not earlier:
        return None
    if baseline == "last":
        return Baseline(f"the night of {days[earlier[-1]]}", (earlier[-1],))
    found = re.fullmatch(r"median:([0-9]{1,4})", baseline)
    if found is None or int(found[1]) < FEWEST:
        raise UsageError(f"{baseline!r} is no baseline: a median is of {FEWEST} nights or more.")
    some = earlier[-int(found[1]) :]
    said = f"the median of {count(len(some), 'night')} up to {days[some[-1]]}"
    return Baseline(said, tuple(some))


def _pinned(name: str, days: Sequence[date]) -> Baseline:
    at = [i for i, day in enumerate(days[:-1]) if day.isoformat() == name]
    if not at:
        earlier = [d.isoformat() for d in days[:-1]]
        there = listed(earlier[-5:]) if earlier else "none"
        known = "" if _is_day(name) else ", and the configuration has no such name in [pins]"
        raise UsageError(f"No earlier night is of {name!r}{known}; the last ones are of: {there}.")
    return Baseline(f"the pinned night of {name}", (at[-1],), at[-1])


def _is_day(name: str) -> bool:
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return True


def _named(profile: Profile) -> str:
    if not profile.sources:
        return "the baseline"
    more = len(profile.sources) - 1
    of = visible(profile.sources[0].path, 60)
    return f"the baseline, {of}" + (f" and {count(more, 'more file')}" if more else "")
