"""The report as Markdown, for pull requests and job summaries; short enough for either."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lossreport.checks.finding import Finding, gravest_first
from lossreport.formats import (
    MINUS,
    amount,
    count,
    group_name,
    number,
    percent,
    ratio,
    visible,
)
from lossreport.gates.gate import Judged
from lossreport.gates.wording import counted, unmet
from lossreport.losses import GAUSSIAN_RATIO, LAPLACE_RATIO
from lossreport.nights.changes import Changes
from lossreport.render.short_forms import (
    FIGURES_OF_MODELS,
    MAX_CHANGES,
    changes_told,
    heading_of,
    ledger_told,
    models_table,
    places_told,
    worst_first,
)
from lossreport.reports.comparison import Comparison
from lossreport.reports.figures import Figures
from lossreport.reports.results import Group, Prediction, Report

MARK = "<!-- lossreport"
MAX_GROUPS = 20
MAX_CHECKS = 20
LONGEST = 60_000
"""Bytes: a comment on a pull request may have 65,536 characters, a job summary 1 MiB."""
SIGNS = {"alert": "\u26a0 ", "note": "", "calm": "\u2713 ", "none": ""}


def to_markdown(report: Report) -> str:
    """Return the verdict, the figures, the worst groups and the findings as Markdown.

    At most `LONGEST` bytes: what does not fit is left out at the end, and a line says how much.
    """
    parts = [f"{MARK} {report.version} -->", f"## {_text(report.title)}"]
    parts += _gates(report.gates) if report.gates else []
    if report.private:
        parts.append(_text(report.private.said))
    parts += [] if report.changes is None else _changes(report.changes)
    parts += [] if report.comparison is None else _comparison(report.comparison, report.unit)
    for prediction in report.predictions:
        heading = heading_of(prediction, report)
        parts += [] if heading is None else [f"### {_text(heading)}"]
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
            opened = sum(x.startswith("```") for x in lines[:i]) % 2
            end = ["```"] * opened + ["", f"*Cut here: {count(left, 'more line')}.*", ""]
            return "\n".join([*lines[:i], *end])
    return "\n".join(lines) + "\n"


def _changes(changes: Changes) -> list[str]:
    lines = [f"- {_text(p)}" for p in changes_told(changes, MAX_CHANGES)]
    said = f"**{SIGNS[changes.tone]}{_text(changes.headline)}**"
    return [p for p in (said, "\n".join(lines)) if p]


def _gates(gates: Sequence[Judged]) -> list[str]:
    """Return how many gates failed, and what was found where they were not met."""
    bad = [
        ": ".join(["- " + _text(how), _text(gate), _text(said)]) for how, gate, said in unmet(gates)
    ]
    shown, more = bad[:MAX_CHECKS], len(bad) - MAX_CHECKS
    shown += [f"- {count(more, 'more result')} like these on the page."] if more > 0 else []
    return [p for p in (f"**{_text(counted(gates))}**", "\n".join(shown)) if p]


def _comparison(found: Comparison, unit: str | None) -> list[str]:
    within = f", {_text(unit)}" if unit else ""
    names = [f"{n}{within}" if n in ("MAE", "RMSE", "bias") else n for n in FIGURES_OF_MODELS]
    lines = [f"| model | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    for name, *cells in models_table(found):
        lines.append(f"| {' | '.join((_text(name), *cells))} |")
    points = "\n".join(f"- {_text(point)}" for point in found.points)
    said = f"**{_text(found.headline)}**\n{_text(found.why)}"
    return [p for p in (said, points, "\n".join(lines), _text(found.how)) if p]


def _of(finding: Finding) -> str:
    return f"{_text(finding.predicted)}: " if finding.predicted else ""


def _prediction(prediction: Prediction, unit: str | None) -> list[str]:
    verdict = prediction.verdict
    parts = [f"**{SIGNS[verdict.tone]}{_text(verdict.headline)}**\n{_text(verdict.why)}"]
    if prediction.overall.n:
        parts.append(_with_and_without(prediction, unit))
    if verdict.points:
        parts.append("\n".join(f"- {_text(point)}" for point in verdict.points))
    worst = worst_first(prediction)
    if worst:
        parts.append(_table(prediction.overall, worst[:MAX_GROUPS], unit))
        if len(worst) > MAX_GROUPS:
            parts.append(f"{count(len(worst) - MAX_GROUPS, 'more group')} not shown here.")
    told = places_told(prediction)
    parts += ["\n".join(f"- {_text(sentence)}" for sentence in told)] if told else []
    return [*parts, *_settings(prediction), ledger_told(prediction.rows)]


def _settings(prediction: Prediction) -> list[str]:
    """Return the advised loss's settings in a short form: of each library the first."""
    advised = [s for s in prediction.settings if s.loss == prediction.settings[0].loss]
    first: dict[str, str] = {}
    for setting in advised:
        first.setdefault(setting.library.split(", ")[0], setting.code)
    if not first:
        return []
    code = "\n".join(first.values())
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    lead = "Settings (more on the page); tune the model's size again after changing the loss:"
    return [f"{lead}\n\n{fence}python\n{code}\n{fence}"]


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
