"""The report as plain text in 72 columns, for the body of an e-mail."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from lossreport.checks.finding import Finding, gravest_first
from lossreport.formats import amount, count, group_name, percent, ratio, visible
from lossreport.gates.gate import Judged
from lossreport.gates.wording import counted, unmet
from lossreport.render.short_forms import (
    FIGURES_OF_MODELS,
    MAX_CHANGES,
    changes_told,
    heading_of,
    ledger_told,
    models_table,
    opening,
    places_told,
    worst_first,
)
from lossreport.reports.comparison import Comparison
from lossreport.reports.figures import Figures
from lossreport.reports.results import Group, Prediction, Report

WIDTH = 72
WORST_GROUPS = 10
MAX_CHECKS = 10
SHORTEST_NAME = 8
PLAIN = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u2026": "...", "\u00b2": "^2", "\u00f7": "/", "\u2019": "'"}
)
"""Our own signs, for readers of mail that show ASCII only; the log's texts stay as they are."""


def to_text(report: Report) -> str:
    """Return the verdict, the figures, the worst groups, the findings and the ledger.

    Where models are compared, the comparison comes first.

    No line is wider than 72 columns (wide characters take two), and none begins with what mail
    programs act on: a dot, a tilde, "From ".
    """
    blocks = [_filled(f"[lossreport] {visible(report.title, 200)}")]
    if report.gates:
        blocks += [_filled(text, 2) for text in _gates(report.gates)]
    if report.private:
        blocks.append(_filled(report.private.said))
    if report.changes:
        blocks.append(_filled(f"{report.changes.tag}: {report.changes.headline}"))
        points = changes_told(report.changes, MAX_CHANGES)
        blocks += ["\n".join(_filled(f"* {s}", 2) for s in points)] if points else []
    blocks += [] if report.comparison is None else _comparison(report.comparison, report.unit)
    for prediction in report.predictions:
        heading = heading_of(prediction, report)
        blocks += [] if heading is None else [_filled(f"== {visible(heading, 60)} ==")]
        blocks += _prediction(prediction, report.unit)
    issues = gravest_first(report.findings, notes=False)
    if issues:
        blocks.append("\n".join(_filled(f"{f.code}  {_of(f)}{f.message}", 7) for f in issues))
    blocks.append(_filled(f"Made by lossreport {report.version}."))
    lines = "\n\n".join(blocks).split("\n")
    return "".join(f"{_safe(line)}\n" for line in lines)


def _gates(gates: Sequence[Judged]) -> list[str]:
    """Return how many gates failed, and what was found of the gravest."""
    bad = ["* " + ": ".join(each) for each in unmet(gates)]
    more = [f"* {count(len(bad) - MAX_CHECKS, 'more result')}"] if bad[MAX_CHECKS:] else []
    return [counted(gates), *bad[:MAX_CHECKS], *more]


def _comparison(found: Comparison, unit: str | None) -> list[str]:
    """Return which model errs least, and the figures of each."""
    told = [_filled(f"{found.tag}: {found.headline}"), _filled(found.why)]
    table = _table([("model", *FIGURES_OF_MODELS), *models_table(found)])
    notes = [_filled(f"MAE, RMSE and bias in {unit}.")] if unit else []
    points = ["\n".join(_filled(f"* {point}", 2) for point in found.points)]
    return [*told, "\n".join([table, *notes]), *points, _filled(found.how)]


def _of(finding: Finding) -> str:
    return f"{visible(finding.predicted, 30)}: " if finding.predicted else ""


def _prediction(prediction: Prediction, unit: str | None) -> list[str]:
    verdict, points = prediction.verdict, (*prediction.verdict.points, *places_told(prediction))
    blocks = [_filled(opening(verdict)), _filled(verdict.why)]
    if points:
        blocks.append("\n".join(_filled(f"* {point}", 2) for point in points))
    if prediction.overall.n:
        blocks.append(_figures(prediction, unit))
    groups = worst_first(prediction)
    if len(groups) > 1:
        blocks.append(_worst_groups(groups, unit))
    return [*blocks, _filled(ledger_told(prediction.rows))]


def _figures(prediction: Prediction, unit: str | None) -> str:
    few, scale = prediction.concentration, prediction.overall.mae
    columns = [("all rows", prediction.overall)]
    if few and few.place:
        without = group_name(few.place.by, few.place.key, 12)
        columns.append((f"without {_cut(without, 24)}", few.place.without))

    def of(figures: Figures) -> tuple[str, ...]:
        return (
            ratio(figures.ratio),
            amount(figures.rmse, unit, scale),
            amount(figures.mae, unit, scale),
            amount(figures.bias, unit, scale, signed=True),
        )

    each = [(name, *of(figures)) for name, figures in columns]
    names = ("", "RMSE / MAE", "RMSE", "MAE", "bias")
    return _table([tuple(row) for row in zip(names, *each, strict=True)])


def _worst_groups(groups: list[tuple[tuple[str, ...], Group]], unit: str | None) -> str:
    """Return the outlier-driven groups and those with the most squared error."""
    shown = groups[:WORST_GROUPS]
    rows = [("group", "rows", "MAE", "RMSE/MAE", "of L2")]
    rows += [
        (
            _cut(group_name(by, x.key, 24), 28),
            f"{x.figures.n:,}",
            amount(x.figures.mae, None),
            ratio(x.figures.ratio) + (" !" if x.flagged else "  "),
            percent(x.share_of_sq_error),
        )
        for by, x in shown
    ]
    notes = [f"MAE in {unit}."] if unit else []
    if any(x.flagged for _, x in shown):
        notes.append(
            "! is outlier-driven: around its median error, beyond what the number of rows explains."
        )
    if len(shown) < len(groups):
        notes.append(f"{count(len(groups) - len(shown), 'more group')} not shown here.")
    return "\n".join([_table(rows), *(_filled(note, 0) for note in notes)])


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows in columns, the first to the left and the others to the right.

    The first is cut to what the others leave of the line.
    """
    figures = [tuple(cell.translate(PLAIN) for cell in row[1:]) for row in rows]
    widths = [max(map(columns_of, cells)) for cells in zip(*figures, strict=True)]
    left = WIDTH - 1 - sum(2 + width for width in (0, *widths))
    names = [_cut(row[0], max(left, SHORTEST_NAME)) for row in rows]
    plain = [(name, *cells) for name, cells in zip(names, figures, strict=True)]
    widths = [max(map(columns_of, names)), *widths]
    return "\n".join(
        (
            f"  {row[0]}{' ' * (widths[0] - columns_of(row[0]))}"
            + "".join(
                f"  {' ' * (width - columns_of(cell))}{cell}"
                for cell, width in zip(row[1:], widths[1:], strict=True)
            )
        ).rstrip()
        for row in plain
    )


def columns_of(text: str) -> int:
    """Return how many columns text takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _cut(text: str, width: int) -> str:
    """Return text in at most so many columns."""
    text = text.translate(PLAIN)
    if columns_of(text) <= width:
        return text
    while columns_of(text) > width - 3:
        text = text[:-1]
    return f"{text}..."


def _filled(text: str, indent: int = 0) -> str:
    """Return text in lines of 72 columns; words that are longer are broken."""
    lines, line = list[str](), ""
    for word in text.translate(PLAIN).split(" "):
        joined = f"{line} {word}" if line.strip() else line + word
        if columns_of(joined) <= WIDTH - 1:
            line = joined
            continue
        if line.strip():
            lines.append(line)
        line = " " * indent + word
        while columns_of(line) > WIDTH - 1:
            n = next(i for i in range(len(line), 0, -1) if columns_of(line[:i]) <= WIDTH - 1)
            lines.append(line[:n])
            line = " " * indent + line[n:]
    return "\n".join([*lines, line])


def _safe(line: str) -> str:
    """Return a line that no mail program takes for a command or a header; one column is free."""
    return f" {line}" if line.startswith((".", "~", "From ")) else line
