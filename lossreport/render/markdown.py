"""The report as Markdown, for pull requests and job summaries; short enough for either."""

from __future__ import annotations

import re

from lossreport.checks.finding import Finding, gravest_first
from lossreport.formats import count, group_name, number, percent, ratio, reason, visible
from lossreport.reports.figures import Figures
from lossreport.reports.results import Group, Prediction, Report

MARK = "<!-- lossreport"
MAX_GROUPS = 20


def to_markdown(report: Report) -> str:
    """Return the verdict, the figures, the worst groups and the findings as Markdown."""
    parts = [f"{MARK} {report.version} -->", f"## {_text(report.title)}"]
    for prediction in report.predictions:
        if len(report.predictions) > 1:
            parts.append(f"### {_text(prediction.predicted)}")
        parts += _prediction(prediction)
    issues = gravest_first(report.findings, notes=False)
    if issues:
        parts.append("\n".join(f"- {f.code} {_of(f)}{_text(f.message)}" for f in issues))
    return "\n\n".join(parts) + "\n"


def _of(finding: Finding) -> str:
    return f"{_text(finding.predicted)}: " if finding.predicted else ""


def _prediction(prediction: Prediction) -> list[str]:
    verdict, rows = prediction.verdict, prediction.rows
    parts = [f"**{_text(verdict.headline)}**\n{_text(verdict.why)}"]
    if verdict.points:
        parts.append("\n".join(f"- {_text(point)}" for point in verdict.points))
    if prediction.overall.n:
        groups = [(g.by, x) for g in prediction.groupings for x in g.groups if x.figures.n]
        worst = sorted(groups, key=lambda g: (not g[1].flagged, -(g[1].share_of_sq_error or 0)))
        parts.append(_table(prediction.overall, worst[:MAX_GROUPS]))
        if len(worst) > MAX_GROUPS:
            parts.append(f"{len(worst) - MAX_GROUPS:,} more groups are on the page.")
    if prediction.ranking_flips:
        parts.append("\n".join(f"- {_text(flip)}" for flip in prediction.ranking_flips))
    if prediction.slices and prediction.slices.found:
        parts.append("\n".join(f"- Slice {_text(s.sentence)}" for s in prediction.slices.found))
    ledger = f"{count(rows.read, 'row')} read = {rows.scored:,} scored + {rows.missing:,} left out"
    reasons = ", ".join(f"{n:,} {reason(r)}" for r, n in rows.left_out)
    return [*parts, f"{ledger} ({reasons})" if reasons else ledger]


def _table(overall: Figures, worst: list[tuple[tuple[str, ...], Group]]) -> str:
    lines = [
        "| | rows | L1 (MAE) | RMSE | RMSE/MAE | bias | share of L2 |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines.append(_line("all rows", overall, "100%", overall.mae))
    for by, group in worst:
        name = group_name(by, group.key, 40) + (" (outlier-driven)" if group.flagged else "")
        lines.append(_line(name, group.figures, percent(group.share_of_sq_error), overall.mae))
    return "\n".join(lines)


def _line(name: str, figures: Figures, share: str, scale: float | None) -> str:
    cells = (
        _text(name),
        f"{figures.n:,}",
        number(figures.mae, scale),
        number(figures.rmse, scale),
        ratio(figures.ratio),
        number(figures.bias, scale, signed=True),
        share,
    )
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Return text on one line in which nothing is Markdown, HTML or a mention."""
    escaped = re.sub(r"([\\`*_{}\[\]#!|~$])", r"\\\1", visible(text))
    return (
        escaped.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("@", "&#64;")
    )
