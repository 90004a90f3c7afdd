"""What a profile knows of one prediction's rows: their sums, histograms and groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lossreport.advice.histogram import ErrorHistogram
from lossreport.checks.pairs import Outcome, outcome_of
from lossreport.logs.columns import Columns
from lossreport.logs.part import FILE_NAME
from lossreport.losses import squares_fit
from lossreport.profiles.profile import Profile, Table
from lossreport.profiles.statistics import REASONS
from lossreport.reports.groups import RawGroup, RawGroups, groups_of
from lossreport.reports.results import Ledger

By = tuple[str, ...]


@dataclass(frozen=True)
class Scored:
    """One prediction's rows, all together and group by group."""

    log: RawGroup
    """All rows."""
    ledger: Ledger
    by_column: Mapping[By, RawGroups]
    """The groups by each set of columns, as the log calls these ..."""
    raw: Mapping[By, RawGroups]
    """... and as they are shown."""
    names: Mapping[By, By]
    """What each set of columns is shown as."""
    outcome: Outcome | None
    """What is predicted of an outcome of 0 or 1; None of other values."""

    @property
    def tail_tells(self) -> bool:
        """Whether large errors are worth locating: those of 0/1 outcomes tell of rare ones."""
        return squares_fit(self.log.sums) and self.outcome is None


def scored(profile: Profile, whole: Table, i: int) -> Scored:
    """Return the rows of prediction column number `i`; `whole` is the table of all rows."""
    centre = profile.centre(i)
    (log,) = groups_of(whole, i, centre).groups
    by_column = {by: groups_of(profile.table(by), i, centre) for by in profile.columns.groupings}
    names = {by: tuple(shown_columns(by, profile.columns)) for by in by_column}
    return Scored(
        log=log,
        ledger=ledger_of(log.sums),
        by_column=by_column,
        raw={names[by]: groups for by, groups in by_column.items()},
        names=names,
        outcome=outcome_of(profile, i),
    )


def ledger_of(sums: Mapping[str, Any]) -> Ledger:
    """Return the rows read, scored and left out of a group's sums."""
    left_out = tuple((r, int(sums[r])) for r in REASONS if sums[r])
    n = int(sums["n"])
    return Ledger(n + sum(c for _, c in left_out), n, left_out)


def of_all(group: RawGroup) -> ErrorHistogram | None:
    """Return the histogram that all scored rows are in, about a level if there is one."""
    return group.histogram if group.judged is None or group.judged.apart else group.judged


def share_of(part: float, whole: float) -> float | None:
    """Return a part as a share from 0 to 1; None if there is no whole or it is no number."""
    return min(1.0, part / whole) if 0 < whole < math.inf and math.isfinite(part) else None


def shown_columns(by: Sequence[str], columns: Columns) -> list[str]:
    """Return group columns as they are shown: the file's name is "file" if nothing else is."""
    name = FILE_NAME if "file" in columns.keys else "file"
    return [name if c == FILE_NAME else c for c in by]
