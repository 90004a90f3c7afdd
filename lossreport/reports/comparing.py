"""Compares the models of a log, on what all of them predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lossreport.advice.shape import MINIMUM_ROWS
from lossreport.formats import visible
from lossreport.losses import squares_fit
from lossreport.profiles.profile import Profile
from lossreport.profiles.shared_rows import COMMON_SUMS, Common
from lossreport.profiles.statistics import PAIR_SUMS
from lossreport.reports.comparing_groups import Found, measure_groups, models_of
from lossreport.reports.comparing_words import (
    LONGEST,
    gap_sentences,
    headline,
    how_words,
    too_few_words,
    units,
    why_words,
    without_words,
)
from lossreport.reports.comparison import Comparison, Model, Paired, Without
from lossreport.reports.differences import Clusters, Loss, Measured, Spread, enough
from lossreport.reports.ranking import first, rankable, ranked
from lossreport.reports.results import Prediction
from lossreport.reports.scored import shown_columns

MOST_SOURCES = 3
_LOSSES: tuple[Loss, ...] = ("L1", "L2")
Place = tuple[tuple[str, ...], tuple[str | None, ...]]


@dataclass(frozen=True)
class Subject:
    """What is compared: the models' names and scored rows, and by which losses."""

    names: tuple[str, ...]
    rows: tuple[int, ...]
    losses: tuple[Loss, ...]
    column: str | None
    more: int = 0


def compare(
    profile: Profile, predictions: Sequence[Prediction], unit: str | None = None
) -> Comparison | None:
    """Return the comparison of a log's models.

    Returns
    -------
    Comparison or None
        None with one model, where no model scores any row, and of profiles of a version that kept
        nothing to compare by.

    Raises
    ------
    UsageError
        The column to compare by names no two models.
    """
    kinds = {p.recommendation.advice.verdict for p in predictions if p.overall.n}
    losses: tuple[Loss, ...] = ("L2",) if "probabilities" in kinds else ("L1", "L2")
    column = profile.columns.compare
    if column is not None and profile.models is not None:
        names, rows, more = models_of(profile)
        (shown,) = shown_columns([column], profile.columns)
        subject = Subject(tuple(names), tuple(rows), losses, shown, more)
        if not any(rows):
            return None
        found = measure_groups(profile, names)
        return _compared(profile, predictions, subject, found, unit)
    if profile.common is None:
        return None
    subject = Subject(
        tuple(p.predicted for p in predictions),
        tuple(p.overall.n for p in predictions),
        losses,
        None,
    )
    if not any(subject.rows):
        return None
    found = _measure_common(profile, profile.common)
    return _compared(profile, predictions, subject, found, unit)


def _compared(
    profile: Profile,
    predictions: Sequence[Prediction],
    subject: Subject,
    found: Found,
    unit: str | None,
) -> Comparison:
    column, measured = subject.column, found.measured
    losses = [x for x in subject.losses if rankable(measured, x)]
    models = ranked(subject.names, subject.rows, measured, losses)
    few = _too_few(found.paired, measured.n)
    without = None if few else _without(profile, predictions, subject)
    best = [first(models, loss) for loss in ("L1", "L2")]
    return in_words(Comparison(
        column=column,
        paired=found.paired,
        n=measured.n,
        lost=found.lost,
        estimated=found.estimated,
        clusters=tuple(c.unit for c in measured.clusters),
        models=models,
        more_models=subject.more,
        agree=None if None in best else best[0] is best[1],
        without=without,
        tag="",
        tone="none",
        headline="",
        why=why_words(found.paired, measured.n, found.lost, models, subject.more,
                      estimated=found.estimated, without_id=found.without_id),
        points=(),
        how=how_words(found.paired, [c.unit for c in measured.clusters], len(models)),
    ), predictions, unit)  # fmt: skip


def _too_few(paired: Paired | None, n: int) -> bool:
    return paired in ("rows", "ids", None) and n < MINIMUM_ROWS


def in_words(found: Comparison, predictions: Sequence[Prediction], unit: str | None) -> Comparison:
    """Return a comparison with the sentences that name models and sources."""
    models, column, without = found.models, found.column, found.without
    if _too_few(found.paired, found.n):
        tag, tone, said = too_few_words(found.paired, found.n, len(models))
        return replace(found, tag=tag, tone=tone, headline=said)
    losses: list[Loss] = [x for x in _LOSSES if first(models, x) is not None]
    compared = units(found.paired, found.n)
    tag, tone, said = headline(models, column, losses, compared, unit)
    points = gap_sentences(models, column, losses, compared, unit)
    if without is not None:
        _, whose = sources_of(predictions, column)
        told = without_words(
            without.models, models, without.sources, column, without.paired, without.n, whose, unit
        )
        without = replace(without, said=told)
        points = [told, *points]
        if tone == "calm" and _moved(models, without.models):
            tone = "note"
    return replace(found, tag=tag, tone=tone, headline=said, points=tuple(points), without=without)


def _moved(models: Sequence[Model], left: Sequence[Model]) -> bool:
    """Return whether another model comes first, by either loss, without the sources."""
    both = [(first(models, loss), first(left, loss)) for loss in _LOSSES]
    return any(a is not None and b is not None and a.name != b.name for a, b in both)


def _measure_common(profile: Profile, common: Common, keep: pl.Expr | None = None) -> Found:
    """Return the losses of all predictions over the rows that each of them scores.

    `keep` says which groups of them; then only rows are looked at, not times or ids.
    """
    k = len(profile.columns.predicted)
    cells = common.cells if keep is None else common.cells.filter(keep)
    sums = np.zeros((k, len(COMMON_SUMS)))
    for i in range(k):
        mine = cells.filter(pl.col("prediction") == i).select(pl.col(COMMON_SUMS).sum())
        sums[i] = [float(v) for v in mine.row(0)]
    n = sums[0, 0]
    pairs = common.pairs if keep is None else common.pairs.filter(keep)
    squares = np.full((2, k, k), np.nan if pairs.is_empty() else 0.0)
    for i, j, *found in pairs.group_by("first", "second").agg(pl.col(PAIR_SUMS).sum()).iter_rows():
        squares[:, i, j] = squares[:, j, i] = found
    fit = all(squares_fit(dict(zip(COMMON_SUMS, row, strict=True))) for row in sums)
    with np.errstate(all="ignore"):
        _, error, absolute, squared, fourth = sums.T
        mae, mse = absolute / n, squared / n if fit else np.full(k, np.inf)
        again = n / (n - 1)
        means: dict[Loss, np.ndarray] = {"L1": mae, "L2": mse}
        variance: dict[Loss, np.ndarray] = {
            "L1": np.maximum(squared / n - mae**2, 0) * again,
            "L2": np.maximum(fourth / n - mse**2, 0) * again,
        }
        between: dict[Loss, np.ndarray] = {
            loss: np.maximum(s / n - (m[:, None] - m[None, :]) ** 2, 0) * again
            for s, (loss, m) in zip(squares, means.items(), strict=True)
        }
        bias = error / n
    spread = None if pairs.is_empty() else Spread(np.full(k, n), variance, between)
    clusters: list[Clusters] = []
    if keep is None:
        unit = profile.bucket
        clusters += [_clusters(unit, common.over_time, k)] if unit else []
        clusters += [] if common.over_ids is None else [_clusters("id", common.over_ids, k)]
    return Found(Measured(int(n), means, bias, spread, enough(clusters)), "rows", common.lost)


def _clusters(unit: str, sums: pl.DataFrame, models: int) -> Clusters:
    """Return the sums bucket by bucket; each prediction has the same buckets, in one order."""
    ordered = sums.sort("prediction", "bucket", nulls_last=True)
    n, absolute, squared = (
        ordered[s].to_numpy().astype(float).reshape(models, -1).T
        for s in ("n", "sum_abs_error", "sum_sq_error")
    )
    return Clusters(unit, n[:, 0], {"L1": absolute, "L2": squared})


def _without(
    profile: Profile, predictions: Sequence[Prediction], subject: Subject
) -> Without | None:
    """Return the comparison outside the sources of the large errors; None if there are none."""
    if len(subject.losses) < 2:
        return None
    columns = dict(
        zip(shown_columns(profile.columns.keys, profile.columns), profile.columns.keys, strict=True)
    )
    places, _ = sources_of(predictions, subject.column)
    cube = profile.tables[0].by
    if not places or len(profile.tables) > 1:
        return None
    inside = [
        pl.all_horizontal(
            pl.col(f"key_{cube.index(columns[column])}").eq_missing(pl.lit(value, pl.String))
            for column, value in zip(by, key, strict=True)
        )
        for by, key in places
    ]
    keep = ~pl.any_horizontal(inside)
    if subject.column is None:
        if profile.common is None or profile.common.by != cube:
            return None
        found = _measure_common(profile, profile.common, keep)
    else:
        found = measure_groups(profile, subject.names, keep)
    losses = [x for x in subject.losses if rankable(found.measured, x)]
    left = ranked(subject.names, subject.rows, found.measured, losses)
    units_alike = [c.unit for c in found.measured.clusters]
    how = how_words(found.paired, units_alike, len(left))
    return Without(tuple(places), found.measured.n, found.paired, left, "", how)


def sources_of(predictions: Sequence[Prediction], column: str | None) -> tuple[list[Place], str]:
    """Return the gravest sources of large errors that are no models, and whose these are."""
    found = [
        (origin, p.predicted)
        for p in predictions
        for origin in (p.attribution.origins if p.attribution else ())
        if column not in origin.by
    ]
    found.sort(key=lambda pair: -pair[0].share_of_sq_error)
    places = list(dict.fromkeys((o.by, o.key) for o, _ in found))[:MOST_SOURCES]
    theirs = list(dict.fromkeys(name for o, name in found if (o.by, o.key) in places))
    if column is not None or len(theirs) != 1:
        return places, "the"
    return places, f"{visible(theirs[0], LONGEST)}'s"
