"""The tables of a report as rows of plain values: for CSV files and for data frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lossreport.reports.figures import WORST_SHARES, Figures
from lossreport.reports.results import Group, Grouping, Ledger, Prediction, Report
from lossreport.reports.table import Column, Table, shown_key
from lossreport.reports.tables_found import comparison, level_bins, levels, patterns, slices

FIGURES: tuple[Column, ...] = (
    ("n", int),
    *(
        (name, float)
        for name in (
            "mae", "mse", "rmse", "ratio", "ratio_low", "ratio_high", "centred_ratio", "bias",
            "median_abs_error", "p90_abs_error", "p95_abs_error", "p99_abs_error",
            "max_abs_error", "huber", "huber_delta", "mean_actual", "mean_predicted",
        )
    ),
)  # fmt: skip
WORST = tuple(
    (f"worst_{100 * share:g}pct_{loss}", float)
    for share in WORST_SHARES
    for loss in ("abs_error", "sq_error")
)


def tables_of(report: Report) -> tuple[Table, ...]:
    """Return every table of a report."""
    return (
        predictions(report),
        groups(report),
        worst_rows(report),
        timeline(report),
        slices(report),
        patterns(report),
        levels(report),
        level_bins(report),
        comparison(report),
        findings(report),
        ledger(report),
        sources(report),
    )


def groups(report: Report) -> Table:
    """Return one row per group of every grouping, with all its figures.

    `grouping` names its columns; `key_X` is its value of column X: "(missing)" where the log has
    none, "(empty text)" where it is empty, None where X is not one of the grouping's columns.
    Groups that are not told apart are one row, without keys, whose `groups` says how many they
    are: so `rows_read` and `n` of a grouping add up to those of the log.
    """
    names = tuple(dict.fromkeys(c for p in report.predictions for g in p.groupings for c in g.by))
    columns = (
        ("predicted", str), ("grouping", str), *((f"key_{name}", str) for name in names),
        ("groups", int), ("rows_read", int), ("rows_left_out", int), *FIGURES, *WORST,
        ("share_of_rows", float), ("share_of_abs_error", float), ("share_of_sq_error", float),
        ("ratio_without", float), ("flagged", bool), ("too_few_rows", bool), ("role", str),
        ("loss", str), ("delta", float), ("confidence", str), ("recommendation", str),
    )  # fmt: skip
    rows = []
    for prediction in report.predictions:
        for grouping in prediction.groupings:
            start = (prediction.predicted, ", ".join(grouping.by))
            rows += [(*start, *_group(grouping, g, names)) for g in grouping.groups]
            rows += [(*start, *rest) for rest in _rest(grouping, names)]
    return Table("groups", columns, tuple(rows))


def _group(grouping: Grouping, group: Group, names: tuple[str, ...]) -> tuple[Any, ...]:
    keys = dict(zip(grouping.by, map(shown_key, group.key), strict=True))
    advice = group.recommendation.advice
    return (
        *(keys.get(name) for name in names), 1, group.rows.read, group.rows.missing,
        *_figures(group.figures), *_worst(group.figures), group.share_of_rows,
        group.share_of_abs_error, group.share_of_sq_error, group.ratio_without, group.flagged,
        group.too_few_rows, group.role, advice.loss, advice.delta, advice.confidence,
        group.recommendation.headline,
    )  # fmt: skip


def _rest(grouping: Grouping, names: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    if grouping.rest_rows is None or grouping.rest_figures is None:
        return
    rows, figures = grouping.rest_rows, grouping.rest_figures
    yield (
        *(None for _ in names), grouping.rest_groups, rows.read, rows.missing,
        *_figures(figures), *_worst(figures), *(None for _ in range(11)),
    )  # fmt: skip


def _figures(figures: Figures) -> tuple[Any, ...]:
    return tuple(getattr(figures, name) for name, _ in FIGURES)


def _worst(figures: Figures) -> tuple[float | None, ...]:
    held = {s.rows: (s.abs_error, s.sq_error) for s in figures.worst_shares}
    return tuple(value for share in WORST_SHARES for value in held.get(share, (None, None)))


def predictions(report: Report) -> Table:
    """Return one row per prediction column, with the figures of the whole log."""
    columns = (
        ("predicted", str), ("rows_read", int), ("rows_left_out", int), *FIGURES, *WORST,
        ("loss", str), ("delta", float), ("confidence", str), ("recommendation", str),
        ("verdict", str),
    )  # fmt: skip
    return Table("predictions", columns, tuple(_prediction(p) for p in report.predictions))


def _prediction(prediction: Prediction) -> tuple[Any, ...]:
    advised = prediction.recommendation
    return (
        prediction.predicted, prediction.rows.read, prediction.rows.missing,
        *_figures(prediction.overall), *_worst(prediction.overall), advised.advice.loss,
        advised.advice.delta, advised.advice.confidence, advised.headline,
        prediction.verdict.headline,
    )  # fmt: skip


def worst_rows(report: Report) -> Table:
    """Return the rows with the largest errors, worst first, by prediction column."""
    columns = (
        ("predicted", str), ("file", str), ("row", int), ("time", str),
        *((f"key_{name}", str) for name in report.keys), ("actual", float),
        ("predicted_value", float), ("error", float), ("share_of_sq_error", float),
    )  # fmt: skip
    rows = tuple(
        (p.predicted, w.file, w.row, w.time, *map(shown_key, w.keys), w.actual, w.predicted,
         w.error, w.share_of_sq_error)
        for p in report.predictions
        for w in p.worst
    )  # fmt: skip
    return Table("worst_rows", columns, rows)


def timeline(report: Report) -> Table:
    """Return the figures of each stretch of time; without time there are no rows."""
    columns = (("predicted", str), ("start", str), ("step", str), *FIGURES)
    rows = tuple(
        (p.predicted, t.start, p.time_step, *_figures(t.figures))
        for p in report.predictions
        for t in p.timeline
    )
    return Table("timeline", columns, rows)


def findings(report: Report) -> Table:
    """Return what every check found or did not find."""
    columns = (
        ("code", str), ("status", str), ("severity", str), ("predicted", str), ("title", str),
        ("message", str), ("count", int), ("share", float), ("todo", str), ("examples", str),
    )  # fmt: skip
    rows = tuple(
        (f.code, f.status, f.severity, f.predicted, f.title, f.message, f.count, f.share, f.todo,
         "; ".join(f"row {x.row} of {x.file}" for x in f.examples) or None)
        for f in report.findings
    )  # fmt: skip
    return Table("findings", columns, rows)


def ledger(report: Report) -> Table:
    """Return the rows read, scored and left out (by reason) of each prediction column."""
    columns = (("predicted", str), ("rows_are", str), ("reason", str), ("rows", int))
    rows = tuple((p.predicted, *line) for p in report.predictions for line in _ledger_lines(p.rows))
    return Table("ledger", columns, rows)


def _ledger_lines(rows: Ledger) -> Iterator[tuple[str, str | None, int]]:
    yield "read", None, rows.read
    yield "scored", None, rows.scored
    for reason, n in rows.left_out:
        yield "left out", reason, n


def sources(report: Report) -> Table:
    """Return the files that were read."""
    columns = (
        ("path", str), ("rows", int), ("bytes", int), ("read_as", str), ("skipped", str)
    )  # fmt: skip
    rows = tuple(
        (s.path, s.rows, s.bytes, ", ".join(s.read_as) or None, s.skipped) for s in report.sources
    )
    return Table("sources", columns, rows)
