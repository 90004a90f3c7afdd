"""The report: every figure and sentence that any output shows, as frozen plain data.

`build.build_report` makes it; the page, the JSON and the terminal are rendered from it alone, so
they cannot disagree. Figures that do not exist are None, never NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lossreport.advice.choice import Advice
from lossreport.advice.mixing import Decomposition
from lossreport.logs.joining import Join
from lossreport.logs.part import Source

SCHEMA = "lossreport/report/1"


@dataclass(frozen=True)
class Ledger:
    """Rows read = rows scored + rows left out."""

    read: int
    scored: int
    left_out: tuple[tuple[str, int], ...]
    """By reason (`statistics.REASONS`), only those that occurred."""

    @property
    def missing(self) -> int:
        """How many rows were left out."""
        return self.read - self.scored


@dataclass(frozen=True)
class WorstShare:
    """What the worst rows hold of each loss."""

    rows: float
    """Share of the scored rows, worst first."""
    abs_error: float
    sq_error: float


@dataclass(frozen=True)
class Figures:
    """The error of some rows, in the target's unit; see `losses` for the formulas."""

    n: int
    mae: float | None = None
    mse: float | None = None
    rmse: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    """95 % interval of the ratio."""
    ratio_high: float | None = None
    centred_ratio: float | None = None
    """The ratio of errors less their median: bias does not hide a tail from it."""
    bias: float | None = None
    """Mean of predicted - actual: positive means the model says too much."""
    median_abs_error: float | None = None
    p90_abs_error: float | None = None
    p95_abs_error: float | None = None
    p99_abs_error: float | None = None
    max_abs_error: float | None = None
    huber: float | None = None
    """Mean Huber loss at `huber_delta`."""
    huber_delta: float | None = None
    mean_actual: float | None = None
    mean_predicted: float | None = None
    worst_shares: tuple[WorstShare, ...] = ()
    """Of the worst 0.1 %, 1 % and 5 % of the rows; without those that are less than one row."""


@dataclass(frozen=True)
class Group:
    """One combination of a grouping's values."""

    key: tuple[str | None, ...]
    """None where the value is missing in the log."""
    rows: Ledger
    figures: Figures
    share_of_rows: float
    """Of the scored rows."""
    share_of_abs_error: float | None
    share_of_sq_error: float | None
    ratio_without: float | None
    """The ratio of all other rows."""
    flagged: bool
    """Outlier-driven: the ratio is above 1.277 and beyond what the number of rows explains."""
    too_few_rows: bool
    """Below 50 rows nothing is flagged or recommended."""
    recommendation: Recommendation
    role: str | None = None
    """In the attribution of the large errors, if it has one: see `Attribution.roles`."""


@dataclass(frozen=True)
class Grouping:
    """The groups of one set of columns, those with the most squared error first."""

    by: tuple[str, ...]
    groups: tuple[Group, ...]
    decomposition: Decomposition | None = None
    """The log's ratio as inside the groups times between them."""
    rest_groups: int = 0
    """How many more groups there are, ..."""
    rest_rows: Ledger | None = None
    """... their rows ..."""
    rest_figures: Figures | None = None
    """... and their figures, all together; None if there are no more."""


@dataclass(frozen=True)
class Recommendation:
    """Which loss to train with, in words."""

    advice: Advice
    headline: str
    because: tuple[str, ...]


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
class Verdict:
    """What the page opens with."""

    tag: str
    tone: Literal["alert", "note", "calm", "none"]
    headline: str
    why: str
    points: tuple[str, ...]


@dataclass(frozen=True)
class WorstRow:
    """One of the rows with the largest |error|."""

    file: str
    row: int
    """Counted from 1 in its file (in CSV without the header)."""
    time: str | None
    keys: tuple[str | None, ...]
    actual: float
    predicted: float
    error: float
    share_of_sq_error: float | None


@dataclass(frozen=True)
class TimePoint:
    """The error of one stretch of time."""

    start: str
    figures: Figures


@dataclass(frozen=True)
class Prediction:
    """Everything about one prediction column."""

    predicted: str
    rows: Ledger
    verdict: Verdict
    overall: Figures
    recommendation: Recommendation
    concentration: Concentration | None
    attribution: Attribution | None
    """None where sources were not looked for: no groups, too many, or probabilities."""
    flagged: str | None
    """How many groups are outlier-driven, and why, in a sentence; None if none is."""
    groupings: tuple[Grouping, ...]
    worst: tuple[WorstRow, ...]
    timeline: tuple[TimePoint, ...]
    time_step: str | None
    """"hour", "day", "week", ... of the timeline."""
    lorenz: tuple[WorstShare, ...]
    """The shares held by the worst rows, from the worst row to all of them."""
    tokens: tuple[Token, ...] = ()
    """Of each side the ten most frequent texts that are no numbers."""
    other_tokens: int = 0
    """How many rows have others; at most so many where a token's count is "at least"."""


@dataclass(frozen=True)
class Example:
    """A row, by its place."""

    file: str
    row: int
    """Counted from 1 in its file (in CSV without the header)."""


@dataclass(frozen=True)
class Token:
    """A text that stands where a number should be."""

    side: Literal["actual", "predicted"]
    token: str
    count: int
    first: Example
    """The first row that has it."""
    at_least: bool = False
    """Whether more rows may have it: not all texts of its side could be told apart."""


@dataclass(frozen=True)
class Finding:
    """Something the data shows, or that was looked for and not found."""

    code: str
    status: Literal["issue", "passed", "skipped"]
    severity: Literal["error", "warning", "info"]
    title: str
    message: str
    count: int | None = None
    predicted: str | None = None
    """The prediction column it is about, when there are several."""
    share: float | None = None
    """What `count` is of all there are (rows, days, files)."""
    examples: tuple[Example, ...] = ()
    """Some of the rows."""
    todo: str | None = None
    """What to do about it."""


def gravest_first(findings: Iterable[Finding], *, notes: bool = True) -> list[Finding]:
    """Return the issues: errors, then warnings, then (if asked for) what is only noted."""
    grave = ["error", "warning", "info"]
    issues = [f for f in findings if f.status == "issue" and (notes or f.severity != "info")]
    return sorted(issues, key=lambda f: (grave.index(f.severity), f.code))


@dataclass(frozen=True)
class Report:
    """The whole report."""

    version: str
    title: str
    sources: tuple[Source, ...]
    actual: str
    predicted: tuple[str, ...]
    time: str | None
    keys: tuple[str, ...]
    """The columns to group by; `WorstRow.keys` is in their order."""
    found: tuple[str, ...]
    """The roles whose columns were found by name, not given."""
    rows: Ledger
    """Of the first prediction."""
    span: tuple[str, str] | None
    """First and last time, UTC."""
    predictions: tuple[Prediction, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    """How figures that are not exact were made, and how the log was read."""
    joins: tuple[Join, ...] = ()
    """How the predictions came together with actuals of other files."""
