"""Renders a report as one self-contained HTML page: what the templates show of it, drawn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from lossreport import formats
from lossreport.advice.settings import Setting
from lossreport.checks.finding import gravest_first
from lossreport.gates.gate import gravest_gates
from lossreport.gates.wording import counted, unmet
from lossreport.render import charts, loss_charts, source_charts
from lossreport.render.level_chart import by_level
from lossreport.render.penalties import penalties
from lossreport.render.ruler import ruler
from lossreport.render.sparklines import MAX_NIGHTS, rows_of
from lossreport.render.summaries import summary_text
from lossreport.render.templating import fill
from lossreport.reports.figures import Figures
from lossreport.reports.recommending import loss_name
from lossreport.reports.results import Group, Prediction, Report
from lossreport.reports.summary import summary

MAX_GROUPS_SHOWN = 200
MAX_NOTABLE = 8
MAX_LEFT_OUT_SHOWN = 10
MAX_UNMET_SHOWN = 5
MAX_CHECKS_SHOWN = 20
"""Of each gate, the gravest."""


def render_page(report: Report, templates: Path | None = None) -> str:
    """Return the page as HTML text: the same report gives the same bytes.

    Parameters
    ----------
    templates
        A folder with templates, style or script of one's own; see `templating.fill`.
    """
    return fill(
        {
            "report": report,
            "summary": summary_text(summary(report)),
            "sections": [_section(p, i, report.unit) for i, p in enumerate(report.predictions)],
            "issues": gravest_first(report.findings),
            "trend_rows": rows_of(report.changes) if report.changes else [],
            "trend_nights": MAX_NIGHTS,
            "checks": [f for f in report.findings if f.status != "issue"],
            "gates": gravest_gates(report.gates),
            "unmet": unmet(report.gates),
            "gates_said": counted(report.gates),
            "most_unmet": MAX_UNMET_SHOWN,
            "most_checks": MAX_CHECKS_SHOWN,
        },
        templates,
    )


def _section(prediction: Prediction, index: int, unit: str | None) -> dict[str, Any]:
    """Return what the templates show of one prediction beside its figures."""
    prefix = f"p{index}"
    flagged = sum(x.flagged for g in prediction.groupings for x in g.groups)
    left_out = [(g.by, x) for g in prediction.groupings for x in g.groups if x.rows.missing]
    most_first = sorted(left_out, key=lambda group: -group[1].rows.missing)
    probabilities = prediction.recommendation.advice.verdict == "probabilities"
    drawn = {
        "worst_rows": charts.worst_rows(prediction, f"{prefix}-worst"),
        # The ratio of errors of probabilities says how rare the outcome is, nothing of outliers.
        "ratio_by_group": None
        if probabilities
        else charts.ratio_by_group(prediction, f"{prefix}-ratio"),
        "dial": loss_charts.dial(prediction, f"{prefix}-dial", unit),
        "by_level": by_level(prediction, f"{prefix}-level", unit),
        "over_time": charts.over_time(prediction, f"{prefix}-time", unit),
        "sources": source_charts.with_and_without(prediction, f"{prefix}-sources"),
        "exceedance": source_charts.exceedance(prediction, f"{prefix}-exceedance", unit),
        "loss_map": loss_charts.loss_map(prediction, f"{prefix}-map"),
        "inside_between": None
        if probabilities
        else loss_charts.inside_between(prediction, f"{prefix}-between"),
        "quantiles": loss_charts.quantiles(prediction, f"{prefix}-quantiles"),
        "penalties": penalties(prediction.seen, f"{prefix}-penalties", unit),
    }
    source, notable = _source(prediction), _notable(prediction)
    return {
        "prefix": prefix,
        "prediction": prediction,
        "source": source,
        "probabilities": probabilities,
        "ruler": None
        if probabilities
        else ruler(
            prediction, source.without.ratio if source else None, source.name if source else ""
        ),
        "notable": notable[:MAX_NOTABLE],
        "with_finding": len(notable),
        "charts": drawn,
        "groups": _groups_shown(prediction),
        "paste": _paste(prediction, unit),
        "flagged": flagged,
        "left_out": most_first[:MAX_LEFT_OUT_SHOWN],
        "with_left_out": len(left_out),
        "tables": sum(len(g.groups) + g.rest_groups for g in prediction.groupings),
        "scored": sum(x.figures.n > 0 for g in prediction.groupings for x in g.groups)
        + sum(g.rest_groups for g in prediction.groupings),
        "rest": sum(g.rest_groups for g in prediction.groupings),
    }


@dataclass(frozen=True)
class Source:
    """What the page sets beside the figures of all rows: those without the large errors' source."""

    name: str
    without: Figures


def _source(prediction: Prediction) -> Source | None:
    """Return the sources by name, else the place of the few rows that make the squared error."""
    attribution, few = prediction.attribution, prediction.concentration
    if attribution and attribution.origins and attribution.without:
        names = [", ".join(formats.key_value(k, 13) for k in o.key) for o in attribution.origins]
        return Source(" and ".join(names), attribution.without)
    if few and few.place:
        name = ", ".join(formats.key_value(k, 13) for k in few.place.key)
        return Source(name, few.place.without)
    return None


def _notable(prediction: Prediction) -> list[tuple[tuple[str, ...], Group]]:
    """Return the groups with a finding, sources first, then those with the most squared error."""
    order = ("source", "heavy tail", None, "part of the source", "affected")
    found = [
        (g.by, x) for g in prediction.groupings for x in g.groups if x.flagged or x.role or x.biased
    ]
    return sorted(
        found,
        key=lambda f: (order.index(f[1].role), not f[1].biased, -(f[1].share_of_sq_error or 0)),
    )


def _paste(prediction: Prediction, unit: str | None) -> list[dict[str, Any]]:
    """Return the settings loss by loss, and of each loss library by library."""
    advice = prediction.recommendation.advice
    each = []
    for loss, of_loss in groupby(prediction.settings, key=lambda s: s.loss):
        name = loss_name(loss, advice.delta, unit)
        if loss == "quantile":
            name = f"The quantile loss at level {advice.level:.3g}"
        elif loss == "weighted L2":
            name = "L2 (squared error) with weights"
        libraries = [(library, list(s)) for library, s in groupby(of_loss, key=_library)]
        each.append({"name": name, "libraries": libraries})
    return each


def _library(setting: Setting) -> str:
    return setting.library.split(", ")[0]


def _groups_shown(prediction: Prediction) -> list[tuple[tuple[str, ...], Group]]:
    """Return the groups that the page has room for: an even share of each grouping's worst.

    Those with the most squared error come first.
    """
    if not prediction.groupings:
        return []
    left = MAX_GROUPS_SHOWN
    shown: list[tuple[tuple[str, ...], Group]] = []
    by_size = sorted(prediction.groupings, key=lambda g: len(g.groups))
    taken = {}
    for position, grouping in enumerate(by_size):
        taken[grouping.by] = min(len(grouping.groups), left // (len(by_size) - position))
        left -= taken[grouping.by]
    for grouping in prediction.groupings:
        shown += [(grouping.by, x) for x in grouping.groups[: taken[grouping.by]]]
    return sorted(shown, key=lambda group: -(group[1].share_of_sq_error or 0))
