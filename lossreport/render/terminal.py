"""The report in a few lines of text for the terminal; plain, so that it reads well in job logs."""

from __future__ import annotations

import textwrap
from collections import Counter

import polars as pl

from lossreport.checks.finding import Finding, gravest_first
from lossreport.formats import MINUS, count, group_name, number, percent, ratio, reason, visible
from lossreport.logs.log import Log
from lossreport.losses import GAUSSIAN_RATIO, LAPLACE_RATIO
from lossreport.reports.results import Group, Prediction, Report

WIDTH = 80
WORST_GROUPS = 5
MAX_READ_AS = 3
"""So many ways in which files were read are told."""


def summary(report: Report) -> str:
    """Return the verdict, the figures, the recommendation, the worst groups and the ledger."""
    blocks = []
    for prediction in report.predictions:
        if len(report.predictions) > 1:
            blocks.append(f"== {visible(prediction.predicted, 60)} ==")
        blocks += _prediction(prediction)
    read_as = Counter(s.read_as for s in report.sources if s.read_as)
    blocks += [
        _filled(f"{count(files, 'file')} read as {visible(', '.join(how), 300)}.")
        for how, files in read_as.most_common(MAX_READ_AS)
    ]
    issues = gravest_first(report.findings, notes=False)
    if issues:
        blocks.append("\n".join(_filled(f"{f.code}  {_of(f)}{f.message}", 7) for f in issues))
    return "\n\n".join(blocks)


def _of(finding: Finding) -> str:
    return f"{visible(finding.predicted, 30)}: " if finding.predicted else ""


def _filled(text: str, indent: int = 0) -> str:
    return textwrap.fill(
        text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def _prediction(prediction: Prediction) -> list[str]:
    verdict = prediction.verdict
    first = _filled(f"{verdict.tag}: {verdict.headline}")
    blocks = [f"{first}\n{_filled(verdict.why)}"]
    if prediction.overall.n:
        blocks.append(_figures(prediction))
        if verdict.headline != prediction.recommendation.headline:
            advised = prediction.recommendation
            because = advised.because[0] if advised.because else ""
            blocks.append(_filled(f"{advised.headline} {because}".strip()))
    groups = [(g.by, x) for g in prediction.groupings for x in g.groups]
    if prediction.overall.n and len(groups) > 1:
        blocks.append(_worst_groups(groups))
    blocks += [_filled(flip, 2) for flip in prediction.ranking_flips]
    if prediction.slices:
        blocks += [_filled(f"Slice {s.sentence}", 2) for s in prediction.slices.found]
    rows = prediction.rows
    ledger = f"{count(rows.read, 'row')} read = {rows.scored:,} scored + {rows.missing:,} left out"
    reasons = ", ".join(f"{n:,} {reason(r)}" for r, n in rows.left_out)
    blocks.append(_filled(f"{ledger} ({reasons})" if reasons else ledger))
    return blocks


def _figures(prediction: Prediction) -> str:
    """Return the figures, one a line."""
    all_rows = prediction.overall
    lines = [
        ("L1", number(all_rows.mae), "mean absolute error (MAE)"),
        (
            "L2",
            number(all_rows.mse),
            f"mean squared error (MSE); its root, RMSE, is {number(all_rows.rmse)}",
        ),
        (
            "RMSE/MAE",
            ratio(all_rows.ratio),
            f"Gaussian errors give {GAUSSIAN_RATIO:.2f}, Laplace errors {LAPLACE_RATIO:.2f}",
        ),
        (
            "bias",
            number(all_rows.bias, all_rows.mae, signed=True),
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
                f"L1 {number(without.mae)}, L2 {number(without.mse)}, "
                f"RMSE/MAE {ratio(without.ratio)}",
            )
        )
    wide = max(len(value) for _, value, _ in lines)
    return "\n".join(f"  {name:<8}  {value:>{wide}}  {note}" for name, value, note in lines)


def _worst_groups(groups: list[tuple[tuple[str, ...], Group]]) -> str:
    """Return the groups with the largest ratio of squared error to rows, flagged ones first."""
    with_rows = [(by, x) for by, x in groups if x.figures.n]
    ranked = sorted(with_rows, key=lambda g: (not g[1].flagged, -(g[1].share_of_sq_error or 0)))
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
        for by, x in ranked[:WORST_GROUPS]
    ]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    lines = [
        "  "
        + row[0].ljust(widths[0])
        + "".join("  " + c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))
        for row in table
    ]
    flagged = sum(x.flagged for _, x in groups)
    if flagged:
        lines.append(f"  ! outlier-driven: {flagged:,} of {count(len(with_rows), 'group')}")
    return "\n".join(line.rstrip() for line in lines)


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
