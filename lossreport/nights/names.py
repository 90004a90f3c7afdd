"""How the files of a history are named, and which of several copies of a night counts.

A night's file is `<day>-<key>-<content>.parquet`: the day of the run, a hash of the columns' roles
and the sources' paths, and a hash of the file's bytes. So the same run has the same name, and a
corrected one differs in the last part only. A file of a whole month is
`<month>-month-<content>.parquet`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from lossreport.profiles.profile import Profile

KEY_LENGTH, CONTENT_LENGTH = 12, 16
NIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})-([0-9a-f]{12})-([0-9a-f]{16})\.parquet")
MONTH = re.compile(r"(\d{4}-\d{2})-month-([0-9a-f]{16})\.parquet")


@dataclass(frozen=True)
class Night:
    """A copy of one run's profile."""

    day: date
    key: str
    """Tells inputs apart: a hash of the columns' roles and the sources' paths."""
    content: str
    """A hash of the profile's bytes."""
    put: int
    """When it was written, in nanoseconds since 1970."""
    file: str
    """The file that holds it: its own, or one of a whole month."""
    size: int
    """Of the profile, in bytes."""

    @property
    def name(self) -> str:
        """The name of its own file."""
        return f"{self.day}-{self.key}-{self.content}.parquet"

    @property
    def loose(self) -> bool:
        """Whether it has a file of its own."""
        return self.file == self.name

    @property
    def version(self) -> tuple[int, str]:
        """What orders the copies of one day and key: the largest counts."""
        return self.put, self.content


def night_of(name: str, put: int, size: int, file: str | None = None) -> Night | None:
    """Return the night that a file's name stands for; None if it is none's."""
    found = NIGHT.fullmatch(name)
    if found is None:
        return None
    try:
        day = date.fromisoformat(found[1])
    except ValueError:
        return None
    return Night(day, found[2], found[3], put, file or name, size)


def current(copies: Iterable[Night]) -> list[Night]:
    """Return one copy of each day and key, the one written last, by day and key.

    The rule needs no more than the copies, in any order and however often: so whatever is left by
    a run that was killed, no night counts twice.
    """
    last: dict[tuple[date, str], Night] = {}
    for night in copies:
        at = night.day, night.key
        if at not in last or _order(night) > _order(last[at]):
            last[at] = night
    return [last[at] for at in sorted(last)]


def _order(night: Night) -> tuple[tuple[int, str], bool, str]:
    return night.version, night.loose, night.file


def hashed(content: bytes) -> str:
    """Return the part of a name that stands for a file's bytes."""
    return hashlib.sha256(content).hexdigest()[:CONTENT_LENGTH]


def key_of(profile: Profile) -> str:
    """Return what tells a profile's input from others: the roles and the sources' paths.

    Paths of files are taken as absolute ones, so that two logs of one name are two inputs.
    """
    paths = sorted(_whole(s.path) for s in profile.sources)
    told = json.dumps([profile.columns.roles, paths])
    return hashlib.sha256(told.encode()).hexdigest()[:KEY_LENGTH]


def _whole(path: str) -> str:
    return path if "://" in path else os.path.abspath(path)  # noqa: PTH100 - links stay links
