"""The report in a few lines of text for the terminal; plain, so that it reads well in job logs."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

import polars as pl

from lossreport.checks.finding import Finding, gravest_first
from lossreport.formats import (
    MINUS,
    amount,
    count,
    group_name,
    number,
    percent,
    ratio,
    squared,
    visible,
)
from lossreport.gates.wording import counted
from lossreport.logs.log import Log
from lossreport.losses import GAUSSIAN_RATIO, LAPLACE_RATIO
from lossreport.nights.changes import Changes
from lossreport.render.short_forms import (
    FIGURES_OF_MODELS,
    changes_told,
    heading_of,
    ledger_told,
    models_table,
    opening,
    places_told,
    worst_first,
)
from lossreport.reports.comparison import Comparison
from lossreport.reports.results import Group, Prediction, Report

WIDTH = 80
WORST_GROUPS = 5
MAX_POINTS = 5
"""Of each kind of change so many are told."""
MAX_READ_AS = 3
"""So many ways in which files were read are told."""


def summary(report: Report) -> str:
    """Return the verdict, the figures, the recommendation, the worst groups and the ledger."""
    blocks = [_filled(report.private.said)] if report.private else []
    blocks += [_filled(counted(report.gates))] if report.gates else []
    blocks += [] if report.changes is None else _changes(report.changes)
    blocks += [] if report.comparison is None else _comparison(report.comparison, report.unit)
    for prediction in report.predictions:
        heading = heading_of(prediction, report)
        blocks += [] if heading is None else [f"== {visible(heading, 60)} =="]
        blocks += _prediction(prediction, report.unit)
    read_as = Counter(s.read_as for s in report.sources if s.read_as)
    blocks += [
        _filled(f"{count(files, 'file')} read as {visible(', '.join(how), 300)}.")
        for how, files in read_as.most_common(MAX_READ_AS)
    ]
    issues = gravest_first(report.findings, notes=False)
    if issues:
        blocks.append("\n".join(_filled(f"{f.code}  {_of(f)}{f.message}", 7) for f in issues))
    return "\n\n".join(b for b in blocks if b)


def _changes(changes: Changes) -> list[str]:
    """Return what changed: tonight's alarms, then what still holds."""
    points = changes_told(changes, MAX_POINTS)
    return [
        _filled(f"{changes.tag}: {changes.headline}"),
        "\n".join(_filled(f"- {point}", 2) for point in points),
    ]


def _comparison(found: Comparison, unit: str | None) -> list[str]:
    """Return which model errs least, and the figures of each."""
    table = [("models", *FIGURES_OF_MODELS), *models_table(found)]
    said = [f"{found.tag}: {found.headline}", found.why]
    return [
        "\n".join(_filled(s) for s in said),
        _aligned(table) + (f"\n  MAE, RMSE and bias in {unit}" if unit else ""),
        "\n".join(_filled(f"- {point}", 2) for point in found.points),
        _filled(found.how),
    ]


def _aligned(table: Sequence[tuple[str, ...]]) -> str:
    """Return rows of cells as lines, the first column left, the others right."""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = [
        "  "
        + row[0].ljust(widths[0])
        + "".join("  " + c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))
        for row in table
    ]
    return "\n".join(line.rstrip() for line in lines)


def _of(finding: Finding) -> str:
    return f"{visible(finding.predicted, 30)}: " if finding.predicted else ""


def _filled(text: str, indent: int = 0) -> str:
    return textwrap.fill(
        text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def _prediction(prediction: Prediction, unit: str | None) -> list[str]:
    verdict = prediction.verdict
    first = _filled(opening(verdict))
    blocks = [f"{first}\n{_filled(verdict.why)}"]
    if prediction.overall.n:
        blocks.append(_figures(prediction, unit))
        if not prediction.recommendation.headline.startswith(verdict.headline):
            advised = prediction.recommendation
            because = advised.because[0] if advised.because else ""
            blocks.append(_filled(f"{advised.headline} {because}".strip()))
    groups = worst_first(prediction)
    if len(groups) > 1:
        blocks.append(_worst_groups(groups, unit))
    blocks.append("\n".join(_filled(f"- {told}", 2) for told in places_told(prediction)))
    return [*blocks, _filled(ledger_told(prediction.rows))]


def _figures(prediction: Prediction, unit: str | None) -> str:
    """Return the figures, one a line."""
    all_rows = prediction.overall
    lines = [
        ("L1", amount(all_rows.mae, unit), "mean absolute error (MAE)"),
        (
            "L2",
            amount(all_rows.mse, squared(unit)),
            f"mean squared error (MSE); its root, RMSE, is {amount(all_rows.rmse, unit)}",
        ),
        (
            "RMSE/MAE",
            ratio(all_rows.ratio),
            f"Gaussian errors give {GAUSSIAN_RATIO:.2f}, Laplace errors {LAPLACE_RATIO:.2f}",
        ),
        (
            "bias",
            amount(all_rows.bias, unit, all_rows.mae, signed=True),
            f"mean of predicted {MINUS} actual",
        ),
    ]
    few = prediction.concentration
    if few and few.place:
        without, name = few.place.without, group_name(few.place.by, few.place.key, 20)
        lines.append(
            (
                "without",
                name,
                f"L1 {amount(without.mae, unit)}, L2 {amount(without.mse, squared(unit))}, "
                f"RMSE/MAE {ratio(without.ratio)}",
            )
        )
    wide = max(len(value) for _, value, _ in lines)
    return "\n".join(f"  {name:<8}  {value:>{wide}}  {note}" for name, value, note in lines)


def _worst_groups(groups: list[tuple[tuple[str, ...], Group]], unit: str | None) -> str:
    """Return the table of the first groups."""
    header = ("worst groups", "rows", "L1", "RMSE", "RMSE/MAE", "share of L2")
    table = [header] + [
        (
            group_name(by, x.key, 24),
            f"{x.figures.n:,}",
            number(x.figures.mae),
            number(x.figures.rmse),
            ratio(x.figures.ratio) + (" !" if x.flagged else "  "),
            percent(x.share_of_sq_error),
        )
        for by, x in groups[:WORST_GROUPS]
    ]
    flagged = sum(x.flagged for _, x in groups)
    lines = [_aligned(table)]
    if unit:
        lines.append(f"  L1 and RMSE in {unit}")
    if flagged:
        lines.append(
            f"  ! outlier-driven (judged around its median error): {flagged:,} of "
            f"{count(len(groups), 'group')}"
        )
    return "\n".join(lines)


def _type(dtype: pl.DataType) -> str:
    """Return a type's name; a struct's fields have lines of their own."""
    return "Struct" if isinstance(dtype, pl.Struct) else visible(str(dtype), 60)


def inspection(log: Log, roles: dict[str, str], problem: str | None) -> str:
    """Return what a log holds: its parts, its columns and the role each would be given."""
    lines = []
    for part in log.parts[:20]:
        known = "rows not known before reading" if part.rows is None else count(part.rows, "row")
        size = "" if part.bytes is None else f", {part.bytes:,} bytes"
        lines.append(f"{visible(part.path)}: {part.format}, {known}{size}")
        read_as = tuple(dict.fromkeys((*part.read_as, *part.notes)))
        if read_as:
            lines.append(_filled(f"  read as {visible(', '.join(read_as))}", 4))
    if len(log.parts) > 20:
        lines.append(f"and {len(log.parts) - 20:,} more")
    schema = log.parts[0].schema
    wide = max((len(visible(name, 40)) for name in schema), default=0)
    lines.append("")
    for name, dtype in schema.items():
        lines.append(
            f"  {visible(name, 40):<{wide}}  {_type(dtype):<12}  {roles.get(name, '')}".rstrip()
        )
    if problem:
        lines += ["", _filled(problem)]
    return "\n".join(lines)
