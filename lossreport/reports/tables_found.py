"""The tables of what a report has found: slices, patterns, levels, and models compared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from lossreport.reports.comparison import Comparison, Gap, Model
from lossreport.reports.results import Report
from lossreport.reports.table import Table, shown_key


def slices(report: Report) -> Table:
    """Return the slices that hold most of the squared error, in the order they were found.

    `slice` names its columns; `key_X` is its value of column X, None where X is not one of them.
    """
    found = [(p.predicted, s) for p in report.predictions if p.slices for s in p.slices.found]
    names = tuple(dict.fromkeys(c for _, s in found for c in s.by))
    columns = (
        ("predicted", str), ("slice", str), *((f"key_{name}", str) for name in names), ("n", int),
        ("share_of_rows", float), ("share_of_abs_error", float), ("share_of_sq_error", float),
        ("ratio", float), ("ratio_without", float), ("sentence", str),
    )  # fmt: skip
    rows = []
    for predicted, one in found:
        keys = dict(zip(one.by, map(shown_key, one.key), strict=True))
        rows.append(
            (predicted, ", ".join(one.by), *(keys.get(name) for name in names), one.rows,
             one.share_of_rows, one.share_of_abs_error, one.share_of_sq_error, one.ratio,
             one.ratio_without, one.sentence)
        )  # fmt: skip
    return Table("slices", columns, tuple(rows))


def patterns(report: Report) -> Table:
    """Return what the worst rows have in common: how many fit, and how many other rows do."""
    columns = (
        ("predicted", str), ("kind", str), ("what", str), ("worst_rows", int),
        ("of_worst_rows", int), ("other_rows", int), ("of_other_rows", int), ("sentence", str),
    )  # fmt: skip
    rows = tuple(
        (p.predicted, x.kind, x.what, x.rows, x.of, x.elsewhere, x.others, x.sentence)
        for p in report.predictions
        for x in p.patterns
    )
    return Table("patterns", columns, rows)


def levels(report: Report) -> Table:
    """Return the error by half-octaves of |predicted|, from `low` to below `high`.

    `high` is None of a band that ends beyond the largest float.
    """
    columns = (
        ("predicted", str), ("low", float), ("high", float), ("n", int), ("mae", float),
        ("ratio", float),
    )  # fmt: skip
    rows = tuple(
        (p.predicted, b.low, b.high if b.high < math.inf else None, b.rows, b.mae, b.ratio)
        for p in report.predictions
        if p.levels
        for b in p.levels.levels.bands
    )
    return Table("levels", columns, rows)


def level_bins(report: Report) -> Table:
    """Return the errors by bins of about equally many predictions, from `low` to `high`."""
    columns = (
        ("predicted", str), ("low", float), ("high", float), ("middle", float), ("n", int),
        ("p05_error", float), ("median_error", float), ("mean_error", float), ("p95_error", float),
    )  # fmt: skip
    rows = tuple(
        (p.predicted, b.low, b.high, b.middle, b.rows, b.p05, b.median, b.mean, b.p95)
        for p in report.predictions
        if p.levels
        for b in p.levels.bins
    )
    return Table("level_bins", columns, rows)


def comparison(report: Report) -> Table:
    """Return the models that are compared, over all that is compared and without the sources.

    `n` counts what is compared (`compared`: "rows", "ids", "hours" or "days"; None where each
    model has its own rows). `mae_above` is how far a model is above the first by MAE.
    """
    gap = ("above", "above_low", "above_high")
    columns = (
        ("model", str), ("sources", str), ("compared", str), ("n", int), ("rows", int),
        ("mae", float), ("rmse", float), ("ratio", float), ("bias", float), ("rank_mae", int),
        ("rank_rmse", int), *((f"mae_{x}", float) for x in gap),
        *((f"rmse_{x}", float) for x in gap),
    )  # fmt: skip
    found = report.comparison
    return Table("comparison", columns, tuple(_models(found)) if found else ())


def _models(found: Comparison) -> Iterator[tuple[Any, ...]]:
    for model in found.models:
        yield _model(found.column, model, "with them", found.paired, found.n)
    if found.without:
        for model in found.without.models:
            yield _model(found.column, model, "without them", found.without.paired, found.without.n)


def _model(
    column: str | None, model: Model, sources: str, paired: str | None, n: int
) -> tuple[Any, ...]:
    name = model.name if column is None else shown_key(model.name)
    return (
        name, sources, paired, n, model.rows, model.mae, model.rmse, model.ratio, model.bias,
        model.rank_l1, model.rank_l2, *_gap(model.mae_gap), *_gap(model.rmse_gap),
    )  # fmt: skip


def _gap(above: Gap | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if above is None else (above.value, above.low, above.high)
