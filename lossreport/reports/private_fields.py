"""Which fields a private report keeps as they are; all others are made again or left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from lossreport.advice.advice import Advice, Efficiency
from lossreport.advice.drift import Drift
from lossreport.advice.gap import Gap as BrokenRows
from lossreport.advice.levels import Band, Levels
from lossreport.advice.mixing import Decomposition
from lossreport.advice.settings import Setting
from lossreport.checks.finding import Example, Finding, Token
from lossreport.gates.gate import Check, Gate, Judged
from lossreport.logs.joining import Join
from lossreport.logs.part import Source
from lossreport.nights import changes
from lossreport.nights.changes import (
    Changes,
    Difference,
    Event,
    PlaceChange,
    Trend,
    TrendPoint,
)
from lossreport.reports.comparison import Comparison, Gap, Model, Without
from lossreport.reports.curves import Exceedance, QuantilePoint
from lossreport.reports.figures import Figures, WorstShare
from lossreport.reports.filters import Filters
from lossreport.reports.goals import GoalEffect
from lossreport.reports.metrics import Metric
from lossreport.reports.results import (
    Group,
    Grouping,
    Ledger,
    Prediction,
    Privacy,
    Recommendation,
    Report,
    TimePoint,
    Verdict,
    WorstRow,
)
from lossreport.reports.seen import Seen, SeenRow
from lossreport.reports.where import (
    Attribution,
    ByLevel,
    Concentration,
    LevelBin,
    Origin,
    Pattern,
    Place,
    Slice,
    Slices,
)

Part = TypeVar("Part")

# Of each type: what is kept, and what is made again or left out.
FIELDS: Mapping[type, tuple[str, str]] = {
    Report: (
        "version actual predicted time keys found rows unit",
        "title sources span predictions findings notes joins comparison private gates changes",
    ),
    Prediction: (
        "predicted rows recommendation time_step settings goals",
        "verdict overall concentration attribution slices biased ranking_flips flagged groupings "
        "worst patterns levels timeline lorenz exceedance quantiles metrics tokens other_tokens "
        "seen",
    ),
    Grouping: ("by decomposition", "groups rest_groups rest_rows rest_figures rest_flagged"),
    Group: (
        "rows share_of_rows share_of_abs_error share_of_sq_error ratio_without flagged "
        "too_few_rows recommendation biased",
        "key figures role without_source",
    ),
    Figures: (
        "n mae mse rmse ratio ratio_low ratio_high centred_ratio bias median_abs_error huber "
        "huber_delta log_cosh mean_actual mean_predicted",
        "p90_abs_error p95_abs_error p99_abs_error max_abs_error worst_shares",
    ),
    Attribution: ("share_of_sq_error", "origins roles without outside"),
    Origin: ("by rows share_of_rows share_of_abs_error share_of_sq_error", "key filters"),
    Concentration: ("rows cut share_of_rows share_of_abs_error share_of_sq_error", "place"),
    Place: ("by rows share_of_rows", "key without"),
    Slices: ("looked_at note", "found"),
    Slice: (
        "by rows share_of_rows share_of_abs_error share_of_sq_error ratio ratio_without",
        "key sentence filters",
    ),
    ByLevel: ("rows whole", "levels bins sentences"),
    Levels: ("factor slope slope_low slope_high", "bands"),
    TimePoint: ("start", "figures"),
    Exceedance: ("by", "key source points"),
    Comparison: (
        "column paired n lost estimated clusters more_models agree why how",
        "models without tag tone headline points",
    ),
    Model: ("rows mae rmse ratio bias rank_l1 rank_l2 mae_gap rmse_gap", "name"),
    Without: ("n paired how", "sources models said"),
    Finding: ("code status severity title count predicted share", "message examples todo"),
    Source: ("rows bytes", "path read_as skipped"),
    Join: (
        "on rows without_key repeated ambiguous unmatched repeated_predictions",
        "actuals example",
    ),
    # Figures of all rows or of groups that are told, and words that quote nothing of the log:
    # kept whole, or left out whole.
    Ledger: ("read scored left_out", ""),
    WorstShare: ("rows abs_error sq_error", ""),
    QuantilePoint: ("gaussian error", ""),
    Metric: ("name all_rows without", ""),
    Decomposition: ("ratio inside between", ""),
    Band: ("low high rows mae ratio", ""),
    Recommendation: ("advice headline because", ""),
    Advice: (
        "verdict loss goal rows best_guess reason confidence probability delta delta_quantile "
        "scale efficiency dial for_totals for_typical ruled_out lopsided rows_needed flags zeros "
        "broken repaired level shift weights_by mixing "
        "levels_by levels_share drift",
        "",
    ),
    Drift: ("share kind first last at places", ""),
    Efficiency: ("loss delta k value low high", ""),
    BrokenRows: ("rows cut factor share_of_sq_error chance", ""),
    Setting: ("loss library code note", ""),
    GoalEffect: (
        "goal asked loss delta level aims_at rows_needed best price shift share_of_total moves",
        "",
    ),
    Gap: ("value low high", ""),
    Verdict: ("", "tag tone headline why points"),
    Privacy: ("", "min_group said"),
}
LEFT_OUT = (
    WorstRow, Pattern, Seen, SeenRow, LevelBin, Token, Example, Filters,
    Judged, Gate, Check,
    Changes, PlaceChange, Difference, changes.Place, Event, Trend, TrendPoint,
)  # fmt: skip
"""Nothing of these types is kept; gates are judged on the private report afterwards."""


def only(part: Part, /, **anew: Any) -> Part:
    """Return a part of a report with what is kept of it, and what is made again.

    A field that is neither has its default: what nobody thought of is left out, not told.
    """
    kept, other = (names.split() for names in FIELDS[type(part)])
    assert set(anew) <= set(other), sorted(set(anew) - set(other))
    return type(part)(**{name: getattr(part, name) for name in kept}, **anew)
