"""Where the loss comes from: few rows, and groups, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    share_of_sq_error: float = 0.0
    """Of all sources together, no row counted twice."""

    def count(self, role: str) -> int:
        """Return how many groups have a role."""
        return sum(r == role for r in self.roles.values())


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
