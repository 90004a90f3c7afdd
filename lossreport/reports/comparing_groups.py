"""Measures models that a group column names, on the same ids or times where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lossreport.errors import UsageError
from lossreport.formats import key_value, visible
from lossreport.losses import squares_fit
from lossreport.profiles.profile import HOUR, HOURS, Profile, rows_in
from lossreport.reports.comparison import Paired
from lossreport.reports.differences import Clusters, Floats, Loss, Measured, Spread, enough

MOST_MODELS = 20
"""Of more models those with the most rows are compared."""
FEWEST_IDS = 50
"""So many ids that all models score, or half of them, are enough to compare on them."""
SUMS = ("n", "sum_abs_error", "sum_sq_error", "sum_error", "sum_fourth_error")


@dataclass(frozen=True)
class Found:
    """Models measured, and on what."""

    measured: Measured
    paired: Paired | None
    lost: int
    estimated: bool = False
    without_id: int = 0
    """How many scored rows have no id, where ids are compared and all are known."""


def models_of(profile: Profile) -> tuple[list[str], list[int], int]:
    """Return the models with the most scored rows, their rows, and how many more there are.

    Those without scored rows are among them only if there are no two others.

    Raises
    ------
    UsageError
        The column names no two models.
    """
    assert profile.models is not None
    named = profile.models.moments.filter(pl.col("key_0").is_not_null())
    if rows_in(profile.models.moments) and named["key_0"].n_unique() < 2:
        one = named["key_0"].unique().to_list()
        only = f"one model only, {key_value(one[0], 40)}" if one else "no model"
        raise UsageError(
            f"Column {visible(profile.columns.compare or '', 60)!r} names {only}: there is nothing "
            "to compare. Name the column that says the model with --compare."
        )
    rows = named.group_by("key_0").agg(pl.col("n").sum())
    scored = rows.filter(pl.col("n") > 0)
    rows = scored if scored.height > 1 else rows
    most = rows.sort("n", "key_0", descending=[True, False])
    kept = most.head(MOST_MODELS)
    return kept["key_0"].to_list(), kept["n"].to_list(), most.height - kept.height


def measure_groups(profile: Profile, models: Sequence[str], keep: pl.Expr | None = None) -> Found:
    """Return the losses of these models by id if they share ids, else by time, else by their rows.

    `keep` says which groups of rows to look at, by the keys of all group columns; None: all.
    """
    by_id = _by_ids(profile, models, keep)
    if by_id is not None:
        return by_id
    assert profile.models is not None
    table = profile.models
    if keep is not None:
        cube = profile.tables[0]
        rest = pl.col(f"key_{cube.by.index(profile.columns.compare or '')}").alias("key_0")
        moments = cube.moments.filter(keep).select("bucket", rest, *SUMS)
    else:
        moments = table.moments.select("bucket", "key_0", *SUMS)
    moments = moments.filter(pl.col("key_0").is_in(list(models)), pl.col("n") > 0)
    return _by_time(profile, models, moments) or _by_rows(models, moments)


def _by_ids(profile: Profile, models: Sequence[str], keep: pl.Expr | None) -> Found | None:
    """Return the losses over the ids that all models score, each with its mean where it repeats."""
    sample = profile.evidence and profile.evidence.by_id
    if not sample:
        return None
    key = f"key_{profile.columns.keys.index(profile.columns.compare or '')}"
    error = pl.col("predicted_0") - pl.col("actual")
    rows = sample.rows if keep is None else sample.rows.filter(keep)
    scored = rows.filter(pl.col(key).is_in(list(models)), error.is_finite().fill_null(value=False))
    each = (
        scored.group_by("id", key)
        .agg(error.abs().mean().alias("L1"), (error**2).mean().alias("L2"), error.mean().alias("e"),
             pl.col("time").min())
        .sort("id", key)
    )  # fmt: skip
    ids, row = np.unique(each["id"].to_numpy(), return_inverse=True)
    number = {name: i for i, name in enumerate(models)}
    column = np.array([number[m] for m in each[key].to_list()], dtype=np.int64)
    grids = {}
    for name in ("L1", "L2", "e"):
        grid = np.full((len(ids), len(models)), np.nan)
        grid[row, column] = each[name].to_numpy()
        grids[name] = grid
    common = ~np.isnan(grids["L1"]).any(axis=1)
    n = int(common.sum())
    if n < 2 or (n < FEWEST_IDS and 2 * n < len(ids)):
        return None
    times = each.group_by("id").agg(pl.col("time").min()).sort("id")["time"]
    measured = _of_units({k: g[common] for k, g in grids.items()}, times.filter(pl.Series(common)),
                         profile)  # fmt: skip
    known = keep is None and sample.level == 0
    assert profile.models is not None
    all_rows = profile.models.moments.filter(pl.col("key_0").is_in(list(models)))["n"].sum()
    without_id = int(all_rows) - scored.height if known else 0
    lost = (len(ids) - n) * sample.factor
    return Found(measured, "ids", lost, sample.level > 0, without_id)


def _of_units(grids: dict[str, Floats], times: pl.Series, profile: Profile) -> Measured:
    """Return the losses over units that all models score, shape (units, models) each."""
    n, models = grids["L1"].shape
    losses: dict[Loss, Floats] = {"L1": grids["L1"], "L2": grids["L2"]}
    with np.errstate(all="ignore"):
        between: dict[Loss, Floats] = {
            loss: np.array(
                [[np.var(g[:, i] - g[:, j], ddof=1) for j in range(models)] for i in range(models)]
            )
            for loss, g in losses.items()
        }
        spread = Spread(
            rows=np.full(models, float(n)),
            variance={loss: g.var(axis=0, ddof=1) for loss, g in losses.items()},
            of_difference=between,
        )
        mean: dict[Loss, Floats] = {loss: g.mean(axis=0) for loss, g in losses.items()}
        clusters: tuple[Clusters, ...] = ()
        unit = profile.bucket
        if unit is not None and times.null_count() < n:
            moment = times.to_physical().fill_null(-(2**62)).to_numpy() // (HOURS[unit] * HOUR)
            _, at = np.unique(moment, return_inverse=True)
            sums: dict[Loss, Floats] = {loss: np.zeros((at.max() + 1, models)) for loss in losses}
            for loss, g in losses.items():
                np.add.at(sums[loss], at, g)
            clusters = enough([Clusters(unit, np.bincount(at).astype(float), sums)])
    return Measured(n, mean, grids["e"].mean(axis=0), spread, clusters)


def _by_time(profile: Profile, models: Sequence[str], moments: pl.DataFrame) -> Found | None:
    """Return the losses over the times in which all models have rows, each with one weight for all.

    A time weighs as much as all models together have rows in it.
    """
    unit = profile.bucket
    if unit is None:
        return None
    timed = moments.filter(pl.col("bucket").is_not_null())
    sums = timed.group_by("bucket", "key_0").agg(pl.col(SUMS).sum())
    full = sums.filter(pl.len().over("bucket") == len(models)).sort("bucket", "key_0")
    if full.is_empty():
        return None
    in_order = sorted(models)
    place = [in_order.index(m) for m in models]
    n, absolute, squared, error = (
        full[s].to_numpy().astype(float).reshape(-1, len(models))[:, place] for s in SUMS[:4]
    )
    weight = n.sum(axis=1)
    with np.errstate(all="ignore"):
        share = weight[:, np.newaxis] / n
        losses: dict[Loss, Floats] = {"L1": absolute * share, "L2": squared * share}
        mean: dict[Loss, Floats] = {
            loss: s.sum(axis=0) / weight.sum() for loss, s in losses.items()
        }
        bias = (error * share).sum(axis=0) / weight.sum()
    clusters = enough([Clusters(unit, weight, losses)])
    if not clusters:
        return None
    measured = Measured(len(weight), mean, bias, None, clusters)
    paired: Paired = "hours" if unit == "hour" else "days"
    return Found(measured, paired, int(moments["n"].sum()) - int(n.sum()))


def _by_rows(models: Sequence[str], moments: pl.DataFrame) -> Found:
    """Return the losses of each model over its own rows."""
    sums = moments.group_by("key_0").agg(pl.col(SUMS).sum())
    order = pl.DataFrame({"key_0": list(models)})
    row = order.join(sums, on="key_0", how="left", maintain_order="left")
    n, absolute, squared, error, fourth = (
        row[s].fill_null(0).to_numpy().astype(float) for s in SUMS
    )
    fit = all(squares_fit(r) for r in row.fill_null(0).iter_rows(named=True))
    with np.errstate(all="ignore"):
        mae, mse = absolute / n, squared / n if fit else np.full(len(n), np.inf)
        again = n / (n - 1)
        variance: dict[Loss, Floats] = {
            "L1": np.maximum(squared / n - mae**2, 0) * again,
            "L2": np.maximum(fourth / n - mse**2, 0) * again,
        }
        spread = Spread(n, variance, None)
        measured = Measured(int(n.min()), {"L1": mae, "L2": mse}, error / n, spread, ())
    return Found(measured, None, 0)
