"""Where the loss comes from: few rows, groups, and sizes of predictions, as plain data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lossreport.advice.levels import Levels
from lossreport.reports.figures import Figures
from lossreport.reports.filters import Filters


@dataclass(frozen=True)
class Place:
    """The group that most of the large errors are in."""

    by: tuple[str, ...]
    key: tuple[str | None, ...]
    rows: int
    """How many of the large errors."""
    share_of_rows: float
    """The group's share of all scored rows."""
    without: Figures
    """Of all rows outside the group."""


@dataclass(frozen=True)
class Concentration:
    """Few rows that make most of the squared error."""

    rows: int
    cut: float
    """They are the rows with |error| above this."""
    share_of_rows: float
    share_of_abs_error: float
    share_of_sq_error: float
    place: Place | None


def of_few_rows(few: Concentration | None, flags: Collection[str]) -> float:
    """Return the share of the absolute error that few rows make.

    0 where the median error lies off 0 too (the flag `biased`): all rows are off then.
    """
    return 0.0 if few is None or "biased" in flags else few.share_of_abs_error


@dataclass(frozen=True)
class Origin:
    """A group that is a source of the large errors; see `attribution`."""

    by: tuple[str, ...]
    key: tuple[str | None, ...]
    rows: int
    share_of_rows: float
    share_of_abs_error: float
    share_of_sq_error: float
    filters: Filters | None = None
    """What selects its rows in the log; None where that cannot be said for sure."""

    @property
    def weight(self) -> float:
        """Its share of the squared error, times how much that is for its rows."""
        return self.share_of_sq_error**2 / self.share_of_rows if self.share_of_rows else 0.0


@dataclass(frozen=True)
class Attribution:
    """Where the large errors come from."""

    origins: tuple[Origin, ...]
    """The sources, each found without the rows of those before it."""
    roles: Mapping[tuple[tuple[str, ...], tuple[str | None, ...]], str]
    """By columns and key: "source", "part of the source" (all rows are in it), "affected" (not
    flagged without the sources), "heavy tail" (flagged even so); others have no role."""
    without: Figures | None
    """The figures of all rows outside the sources; None if there are no sources."""
    outside: Mapping[tuple[tuple[str, ...], tuple[str | None, ...]], Figures] = field(
        default_factory=dict
    )
    """By columns and key: the figures of each group's rows outside the sources."""
    share_of_sq_error: float = 0.0
    """Of all sources together, no row counted twice."""

    def count(self, role: str) -> int:
        """Return how many groups have a role."""
        return sum(r == role for r in self.roles.values())


Kind = Literal["value", "factor", "sign", "shift", "id", "group", "file", "hour", "day"]
Verb = Literal["have", "are"]


@dataclass(frozen=True)
class Pattern:
    """What many of the worst rows have in common, and few other rows have."""

    kind: Kind
    verb: Verb
    what: str
    """What they have or are: "actual = 0", "in region = emea"."""
    positions: tuple[int, ...]
    """Which of the worst rows fit, counted from 0."""
    of: int
    """How many worst rows there are."""
    elsewhere: int
    """How many other rows fit, ..."""
    others: int
    """... of so many that were looked at."""
    sentence: str

    @property
    def rows(self) -> int:
        """How many of the worst rows fit."""
        return len(self.positions)


@dataclass(frozen=True)
class LevelBin:
    """The errors of about equally many rows with predictions of about one size."""

    low: float
    """The smallest prediction, ..."""
    high: float
    """... the largest ..."""
    middle: float
    """... and the median one."""
    rows: int
    p05: float
    """Of predicted - actual: 5 % of the errors are below."""
    median: float
    mean: float
    p95: float


@dataclass(frozen=True)
class ByLevel:
    """The error by the size of the prediction, from the rows kept for the checks."""

    levels: Levels
    bins: tuple[LevelBin, ...]
    """From the smallest prediction on; empty for fewer than 200 rows or one prediction."""
    rows: int
    """How many scored rows were looked at."""
    whole: bool
    """Whether they are all there are."""
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Slice:
    """A combination of two or three columns' values that holds far more error than its parts."""

    by: tuple[str, ...]
    key: tuple[str | None, ...]
    rows: int
    share_of_rows: float
    share_of_abs_error: float
    share_of_sq_error: float
    ratio: float | None
    """RMSE/MAE of its rows, ..."""
    ratio_without: float | None
    """... and of all others."""
    sentence: str
    filters: Filters | None
    """What selects its rows in the log; None where that cannot be said for sure."""


@dataclass(frozen=True)
class Slices:
    """What the search for slices that nobody asked for has found."""

    found: tuple[Slice, ...]
    """In the order in which they were found, each without the rows of those before it."""
    looked_at: int
    """How many combinations of values were looked at; 0: the search was not made."""
    note: str | None
    """Why it was not made, or what was left out of it."""
