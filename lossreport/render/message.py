"""The report as a short message for a chat."""

from __future__ import annotations

import json

from lossreport.checks.finding import gravest_first
from lossreport.formats import amount, count, ratio, visible
from lossreport.gates.wording import counted, unmet
from lossreport.reports.results import Prediction, Report

MAX_LINES = 10
LONGEST = 3000
APART = "\u200b"
"""A space of no width: behind it nothing is a mention or a link."""


def to_message(report: Report) -> str:
    """Return JSON with the one member "text", which Slack, Mattermost and Teams take.

    Nothing of the log can mention anybody or link anywhere; stars in it may make words bold.
    """
    lines = [report.title]
    if report.gates:
        lines.append(counted(report.gates))
    bad = [": ".join(each) for each in unmet(report.gates)]
    lines += _some(bad, "gate result")
    lines += _some([_figures(p, report) for p in report.predictions], "prediction")
    issues = gravest_first(report.findings, notes=False)
    lines += _some([f"{f.code} {f.message}" for f in issues], "finding")
    text = "\n".join(_safe(x) for x in lines)
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit("\n", 1)[0] + "\n\u2026"
    return json.dumps({"text": text})


def _some(lines: list[str], noun: str) -> list[str]:
    if len(lines) <= MAX_LINES:
        return lines
    return [*lines[:MAX_LINES], f"{count(len(lines) - MAX_LINES, f'more {noun}')}."]


def _figures(prediction: Prediction, report: Report) -> str:
    name = f"{prediction.predicted}: " if len(report.predictions) > 1 else ""
    overall = prediction.overall
    figures = (
        f" MAE {amount(overall.mae, report.unit)}, RMSE {amount(overall.rmse, report.unit)}, "
        f"RMSE/MAE {ratio(overall.ratio)}, {count(overall.n, 'row')} scored."
        if overall.n
        else ""
    )
    return f"{name}{prediction.verdict.headline}{figures}"


def _safe(text: str) -> str:
    shown = visible(text, 400).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in ("://", "www.", "]("):
        shown = shown.replace(mark, f"{mark[:-1]}{APART}{mark[-1]}")
    return shown.replace("@", f"@{APART}")
