"""The report: every figure and sentence that any output shows, as frozen plain data.

`build.build_report` makes it; the page, the JSON and the terminal are rendered from it alone, so
they cannot disagree. Figures that do not exist are None, never NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from lossreport.advice.advice import Advice
from lossreport.advice.mixing import Decomposition
from lossreport.advice.settings import Setting
from lossreport.checks.finding import Finding, Token
from lossreport.gates.gate import Judged
from lossreport.logs.joining import Join
from lossreport.logs.part import Source
from lossreport.nights.changes import Changes
from lossreport.reports.comparison import Comparison
from lossreport.reports.curves import Exceedance, QuantilePoint
from lossreport.reports.figures import Figures, WorstShare
from lossreport.reports.goals import GoalEffect
from lossreport.reports.metrics import Metric
from lossreport.reports.seen import Seen
from lossreport.reports.where import Attribution, ByLevel, Concentration, Pattern, Slices

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
    """Outlier-driven: the centred ratio is above 1.277, and beyond what the rows explain."""
    too_few_rows: bool
    """Below 50 rows nothing is flagged or recommended."""
    recommendation: Recommendation
    role: str | None = None
    """In the attribution of the large errors, if it has one: see `Attribution.roles`."""
    without_source: Figures | None = None
    """Of its rows outside the sources of the large errors; None if there are none, or no source."""

    biased: bool = False
    """Its mean error is a large share of its MAE for sure, and not the log's: see `biased`."""

    @property
    def lift(self) -> float | None:
        """Its share of the squared error divided by its share of the rows."""
        if self.share_of_sq_error is None or not self.share_of_rows:
            return None
        return self.share_of_sq_error / self.share_of_rows


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
    rest_flagged: int = 0
    """How many of them are flagged; all groups count for the correction."""


@dataclass(frozen=True)
class Recommendation:
    """Which loss to train with, in words."""

    advice: Advice
    headline: str
    because: tuple[str, ...]


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
    slices: Slices | None
    """None where there was nothing to look for: fewer than two group columns, probabilities."""
    biased: str | None
    """Which group is biased most, and how many others are, in a sentence; None if none is."""
    ranking_flips: tuple[str, ...]
    """Groupings in which MAE and RMSE surely disagree about the best group, a sentence each."""
    flagged: str | None
    """How many groups are outlier-driven, and why, in a sentence; None if none is."""
    groupings: tuple[Grouping, ...]
    worst: tuple[WorstRow, ...]
    patterns: tuple[Pattern, ...]
    """What the worst rows have in common, what most of them have first; at most three."""
    levels: ByLevel | None
    """The error by the size of the prediction; None of probabilities and where no rows are kept."""
    timeline: tuple[TimePoint, ...]
    time_step: str | None
    """"hour", "day", "week", ... of the timeline."""
    lorenz: tuple[WorstShare, ...]
    """The shares held by the worst rows, from the worst row to all of them."""
    exceedance: tuple[Exceedance, ...] = ()
    """Of the groups of one grouping, the source first; of the whole log if it is not grouped."""
    quantiles: tuple[QuantilePoint, ...] = ()
    """Of the errors, beside those of a Gaussian."""
    metrics: tuple[Metric, ...] = ()
    """What each way to sum up the errors says, with and without the sources."""
    tokens: tuple[Token, ...] = ()
    """Of each side the ten most frequent texts that are no numbers."""
    other_tokens: int = 0
    """How many rows have others; at most so many where a token's count is "at least"."""
    settings: tuple[Setting, ...] = ()
    """Code to paste for the advised loss, library by library."""
    goals: tuple[GoalEffect, ...] = ()
    """What each goal would ask for."""
    seen: Seen | None = None
    """How L1 and L2 see some rows; None where there is no error to see."""


@dataclass(frozen=True)
class Privacy:
    """What a report that is to be passed on does not tell."""

    min_group: int
    """Groups with fewer scored rows are not told apart."""
    said: str
    """That in a sentence."""


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
    gates: tuple[Judged, ...] = ()
    """What was found of each gate: see `gates.judging.judge`."""
    joins: tuple[Join, ...] = ()
    """How the predictions came together with actuals of other files."""
    comparison: Comparison | None = None
    """Of several models; None with one."""
    unit: str | None = None
    """Of actual and predicted, on one line without control characters; None if not given."""
    private: Privacy | None = None
    """What was hidden of it; None if nothing was."""
    changes: Changes | None = None
    """What changed since earlier nights or a baseline; None without either."""

    @property
    def groups(self) -> Any:
        """A `Table`, one row per group of every grouping: see `.to_polars()`, `.to_pandas()`."""
        return _above("reports.tables").groups(self)

    @property
    def worst_rows(self) -> Any:
        """A `Table` of the rows with the largest errors: see `.to_polars()`, `.to_pandas()`."""
        return _above("reports.tables").worst_rows(self)

    def _repr_html_(self) -> str:
        return str(_above("render.notebook").to_notebook(self))


def _above(module: str) -> Any:
    """Return a module that shows reports, when asked for: a report itself needs none."""
    return import_module(f"lossreport.{module}")
