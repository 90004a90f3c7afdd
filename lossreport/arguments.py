"""What the arguments of the functions stand for: paths, names, groupings, moments, units."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lossreport.errors import UsageError
from lossreport.formats import visible

LONGEST_UNIT = 20


def paths_of(log: Any) -> list[str] | None:
    """Return the paths, or None for a frame."""
    if isinstance(log, str | os.PathLike):
        return [os.fspath(log)]
    if isinstance(log, list | tuple):
        if not log:
            raise UsageError("No log was given.")
        if all(isinstance(p, str | os.PathLike) for p in log):
            return [os.fspath(p) for p in log]
    return None


def names_of(columns: str | Sequence[str]) -> list[str]:
    """Return the columns that a text with commas, or several texts, may stand for."""
    if not isinstance(columns, str):
        return [n for c in columns for n in names_of(c)]
    return list(dict.fromkeys(n for n in (p.strip() for p in columns.split(",")) if n))


def groupings_of(
    by: str | Sequence[str | Sequence[str]] | None,
) -> list[str | tuple[str, ...]] | None:
    """Return the groupings, each a text or a tuple of columns; None if they are to be chosen."""
    if by is None:
        return None
    each = [by] if isinstance(by, str) else by
    return [g if isinstance(g, str) else tuple(g) for g in each]


def moment_of(as_of: str | datetime | None) -> datetime | None:
    """Return a time in UTC; a date means its last moment."""
    if as_of is None:
        return None
    try:
        moment = datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
        if isinstance(as_of, str) and len(as_of.strip()) <= len("2026-11-26"):
            moment += timedelta(days=1, microseconds=-1)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter of the last hours of the year 9999
        raise UsageError(
            f"{as_of!r} is no time: write it like 2026-11-26 or 2026-11-26T18:00."
        ) from None


def unit_of(unit: str | None) -> str | None:
    """Return a unit as it is shown, None if it is blank."""
    shown = visible((unit or "").strip())
    if len(shown) > LONGEST_UNIT:
        raise UsageError(
            f"The unit {visible(shown, 40)!r} has {len(shown):,} characters; at most "
            f"{LONGEST_UNIT} fit after a figure."
        )
    return shown or None
