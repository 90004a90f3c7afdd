"""The report as Markdown, for pull requests and job summaries; short enough for either."""

from __future__ import annotations

import re

from lossreport.checks.finding import Finding, gravest_first
from lossreport.formats import (
    MINUS,
    amount,
    count,
    group_name,
    number,
    percent,
    ratio,
    reason,
    visible,
)
from lossreport.losses import GAUSSIAN_RATIO, LAPLACE_RATIO
from lossreport.reports.figures import Figures
from lossreport.reports.results import Group, Prediction, Report

MARK = "<!-- lossreport"
MAX_GROUPS = 20
LONGEST = 60_000
"""Bytes: a comment on a pull request may have 65,536 characters, a job summary 1 MiB."""
SIGNS = {"alert": "\u26a0 ", "note": "", "calm": "\u2713 ", "none": ""}


def to_markdown(report: Report) -> str:
    """Return the verdict, the figures, the worst groups and the findings as Markdown.

    At most `LONGEST` bytes: what does not fit is left out at the end, and a line says how much.
    """
    parts = [f"{MARK} {report.version} -->", f"## {_text(report.title)}"]
    if report.private:
        parts.append(_text(report.private.said))
    for prediction in report.predictions:
        if len(report.predictions) > 1:
            parts.append(f"### {_text(prediction.predicted)}")
        parts += _prediction(prediction, report.unit)
    issues = gravest_first(report.findings, notes=False)
    if issues:
        parts.append("\n".join(f"- {f.code} {_of(f)}{_text(f.message)}" for f in issues))
    return _cut("\n\n".join(parts).split("\n"))


def _cut(lines: list[str]) -> str:
    """Return as many of the lines as fit, and how many do not."""
    size = 0
    for i, line in enumerate(lines):
        size += len(line.encode("utf-8", errors="backslashreplace")) + 1
        if size > LONGEST:
            left = sum(1 for x in lines[i:] if x)
            return "\n".join([*lines[:i], "", f"*Cut here: {count(left, 'more line')}.*", ""])
    return "\n".join(lines) + "\n"


def _of(finding: Finding) -> str:
    return f"{_text(finding.predicted)}: " if finding.predicted else ""


def _prediction(prediction: Prediction, unit: str | None) -> list[str]:
    verdict, rows = prediction.verdict, prediction.rows
    parts = [f"**{SIGNS[verdict.tone]}{_text(verdict.headline)}**\n{_text(verdict.why)}"]
    if prediction.overall.n:
        parts.append(_with_and_without(prediction, unit))
    if verdict.points:
        parts.append("\n".join(f"- {_text(point)}" for point in verdict.points))
    groups = [(g.by, x) for g in prediction.groupings for x in g.groups if x.figures.n]
    if prediction.overall.n and groups:
        worst = sorted(groups, key=lambda g: (not g[1].flagged, -(g[1].share_of_sq_error or 0)))
        parts.append(_table(prediction.overall, worst[:MAX_GROUPS], unit))
        if len(worst) > MAX_GROUPS:
            parts.append(f"{count(len(worst) - MAX_GROUPS, 'more group')} not shown here.")
    ledger = f"{count(rows.read, 'row')} read = {rows.scored:,} scored + {rows.missing:,} left out"
    reasons = ", ".join(f"{n:,} {reason(r)}" for r, n in rows.left_out)
    return [*parts, f"{ledger} ({reasons})" if reasons else ledger]


def _with_and_without(prediction: Prediction, unit: str | None) -> str:
    """Return the figures of all rows, beside them those without the group of the large errors."""
    few, scale = prediction.concentration, prediction.overall.mae
    each = [("all rows", prediction.overall)]
    if few and few.place:
        each.append((f"without {group_name(few.place.by, few.place.key, 28)}", few.place.without))
    normal = f"Gaussian {GAUSSIAN_RATIO:.2f}, Laplace {LAPLACE_RATIO:.2f}"
    error = f"predicted {MINUS} actual"
    rows = (
        ("RMSE ÷ MAE", [ratio(f.ratio) for _, f in each], normal),
        ("RMSE", [amount(f.rmse, unit, scale) for _, f in each], "root of L2"),
        ("MAE", [amount(f.mae, unit, scale) for _, f in each], "L1"),
        ("bias", [amount(f.bias, unit, scale, signed=True) for _, f in each], error),
    )
    lines = [
        f"| | {' | '.join(_text(name) for name, _ in each)} | |",
        f"|---|{'--:|' * len(each)}---|",
    ]
    lines += [
        f"| {name} | {' | '.join(_text(v) for v in values)} | {note} |"
        for name, values, note in rows
    ]
    return "\n".join(lines)


def _table(overall: Figures, worst: list[tuple[tuple[str, ...], Group]], unit: str | None) -> str:
    within = f", {_text(unit)}" if unit else ""
    lines = [
        f"| | rows | L1 (MAE){within} | RMSE{within} | RMSE/MAE | bias{within} | share of L2 |",
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
    """Return text on one line in which nothing is Markdown, HTML, a link or a mention."""
    escaped = re.sub(r"([\\`*_{}\[\]#!|~$])", r"\\\1", visible(text).strip())
    # At the start of a line these make a list, a heading or a rule.
    escaped = re.sub(r"^(\d*)([-+=:.)])(?!\d)", r"\1\\\2", escaped)
    return (
        escaped.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("@", "&#64;")
        .replace("://", ":&#47;&#47;")
        .replace("www.", "www&#46;")
    )
