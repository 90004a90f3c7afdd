"""The groups that a report does not tell apart, with their sums' figures, as one CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lossreport.logs.columns import key_names
from lossreport.losses import from_sums
from lossreport.profiles.profile import Profile
from lossreport.profiles.statistics import REASONS
from lossreport.render.csv_files import MARK, defused
from lossreport.reports.groups import beyond
from lossreport.reports.scored import shown_columns
from lossreport.reports.table import shown_key
from lossreport.version import __version__

FIGURES = ("mae", "mse", "rmse", "ratio", "bias", "max_abs_error")


def write_more_groups(profile: Profile | None, path: Path) -> None:
    """Write the groups that are one sum in `groups.csv`, most squared error first.

    Row by row: there may be millions. Without a profile there is only the header.
    """
    keys = shown_columns(profile.columns.keys, profile.columns) if profile else ()
    header = ("predicted", "grouping", *(f"key_{k}" for k in keys), "rows_read", "rows_left_out")
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([MARK, *map(defused, (*header, "n", *FIGURES))])
        for row in _rows(profile) if profile else ():
            writer.writerow([__version__, *row])


def _rows(profile: Profile) -> Iterator[tuple[Any, ...]]:
    for i, predicted in enumerate(profile.columns.predicted):
        for by in profile.columns.groupings:
            start = (defused(predicted), defused(", ".join(shown_columns(by, profile.columns))))
            others = beyond(profile.table(by), i)
            names = key_names(by)
            for sums in others.iter_rows(named=True):
                own = dict(zip(by, (defused(shown_key(sums[k])) for k in names), strict=True))
                left_out = sum(sums[r] for r in REASONS)
                figures = from_sums(sums)
                yield (
                    *start, *(own.get(k) for k in profile.columns.keys), sums["n"] + left_out,
                    left_out, sums["n"], *(_shown(figures[f]) for f in FIGURES),
                )  # fmt: skip


def _shown(value: float | None) -> str:
    return "" if value is None else repr(value)
