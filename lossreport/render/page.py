"""Renders a report as one self-contained HTML page; the only module that imports Jinja2."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lossreport import formats
from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.checks.finding import Example, gravest_first
from lossreport.losses import GAUSSIAN_RATIO, HUBER_BEATS_L2, LAPLACE_RATIO
from lossreport.render import charts
from lossreport.reports.recommending import loss_name
from lossreport.reports.results import Group, Prediction, Report
from lossreport.reports.where import Origin, Slice

MAX_GROUPS_SHOWN = 200
MAX_LEFT_OUT_SHOWN = 20


def render_page(report: Report) -> str:
    """Return the page as HTML text: the same report gives the same bytes."""
    environment = _environment()
    css = _template_text("report.css")
    script = _template_text("report.js")
    return environment.get_template("report.html").render(
        report=report,
        sections=[_section(p, i) for i, p in enumerate(report.predictions)],
        issues=gravest_first(report.findings),
        checks=[f for f in report.findings if f.status != "issue"],
        css=Markup(css),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        css_hash=_hash(css),
        script_hash=_hash(script),
    )


def _section(prediction: Prediction, index: int) -> dict[str, Any]:
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
        "dial": charts.dial(prediction, f"{prefix}-dial"),
        "over_time": charts.over_time(prediction, f"{prefix}-time"),
    }
    return {
        "prefix": prefix,
        "prediction": prediction,
        "charts": drawn,
        "groups": _groups_shown(prediction),
        "flagged": flagged,
        "left_out": most_first[:MAX_LEFT_OUT_SHOWN],
        "with_left_out": len(left_out),
        "tables": sum(len(g.groups) + g.rest_groups for g in prediction.groupings),
        "scored": sum(x.figures.n > 0 for g in prediction.groupings for x in g.groups)
        + sum(g.rest_groups for g in prediction.groupings),
        "rest": sum(g.rest_groups for g in prediction.groupings),
    }


def _groups_shown(prediction: Prediction) -> list[tuple[tuple[str, ...], Group]]:
    """Return the groups that the page has room for: an even share of each grouping's worst."""
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
    return shown


@cache
def _templates() -> Path:
    """Return the folder of templates: in the installed package, or beside it in a clone."""
    package = Path(__file__).parent.parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def _template_text(name: str) -> str:
    return (_templates() / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_templates()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": formats.count,
        "cut": partial(formats.visible, longest=28),
        "group_name": _group_name,
        "key": formats.key_value,
        "loss_name": loss_name,
        "number": formats.number,
        "percent": formats.percent,
        "places": _places,
        "ratio": formats.ratio,
        "signed": partial(formats.number, signed=True),
        "svg": _svg,
        "visible": formats.visible,
        "reason": formats.reason,
    }
    environment.globals |= {
        "gaussian": GAUSSIAN_RATIO,
        "laplace": LAPLACE_RATIO,
        "huber_beats_l2": HUBER_BEATS_L2,
        "minimum_rows": MINIMUM_ROWS,
    }
    return environment


def _svg(chart: charts.Chart) -> Markup:
    return Markup(chart.svg)  # noqa: S704 - svg.clean has escaped all text in it


def _places(rows: Sequence[Example], files: int) -> str:
    """Return rows in words; the file is not said if there is but one."""
    text = formats.places((x.file if files > 1 else "", x.row) for x in rows)
    return text[0].upper() + text[1:]


def _group_name(
    group: tuple[tuple[str, ...], Group | Slice | Origin], longest: int | None = None
) -> str:
    by, member = group
    return formats.group_name(by, member.key, longest)
