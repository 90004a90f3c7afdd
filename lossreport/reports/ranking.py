"""Ranks models by MAE and by RMSE, and tells which of them the rows tell apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossreport.reports.comparison import Model
from lossreport.reports.differences import Loss, Measured, gap


def ranked(
    names: Sequence[str | None], rows: Sequence[int], measured: Measured, losses: Sequence[Loss]
) -> tuple[Model, ...]:
    """Return the models with their figures, ranks by these losses, and gaps to the first.

    Those that come first by the first loss come first; ties have one rank, in the order given.
    """
    mae, mse = measured.mean["L1"], measured.mean["L2"]
    models = [
        Model(
            name=name,
            rows=n,
            mae=_finite(mae[i]),
            rmse=_finite(math.sqrt(mse[i]) if mse[i] >= 0 else math.nan),
            ratio=_ratio(float(mae[i]), float(mse[i])),
            bias=_finite(measured.bias[i]),
            rank_l1=None,
            rank_l2=None,
            mae_gap=None,
            rmse_gap=None,
        )
        for i, (name, n) in enumerate(zip(names, rows, strict=True))
    ]
    order = np.arange(len(models))
    for loss in [x for x in ("L2", "L1") if x in losses and rankable(measured, x)]:
        order = np.argsort(measured.mean[loss], kind="stable")
        best = int(order[0])
        in_order = measured.mean[loss][order]
        ranks = 1 + np.searchsorted(in_order, in_order)  # equal ones share the better
        for rank, i in zip(ranks.tolist(), order.tolist(), strict=True):
            above = None if i == best else gap(measured, loss, i, best)
            if loss == "L1":
                models[i] = replace(models[i], rank_l1=rank, mae_gap=above)
            else:
                models[i] = replace(models[i], rank_l2=rank, rmse_gap=above)
    return tuple(models[i] for i in order.tolist())


def rankable(measured: Measured, loss: Loss) -> bool:
    """Return whether there is anything to rank by, within the range of floats."""
    return measured.n > 0 and bool(np.isfinite(measured.mean[loss]).all())


def first(models: Sequence[Model], loss: Loss) -> Model | None:
    """Return the model with the smallest loss; None where they are not ranked by it.

    Of several, the one that the other loss has before the rest.
    """
    rank = {"L1": "rank_l1", "L2": "rank_l2"}[loss]
    found = [m for m in models if getattr(m, rank) == 1]
    return min(found, key=lambda m: (m.rank_l1 or 1) + (m.rank_l2 or 1), default=None)


def not_beaten(models: Sequence[Model], loss: Loss) -> tuple[Model, ...]:
    """Return the first model, and those that it is not surely ahead of."""
    gaps = [(m, m.mae_gap if loss == "L1" else m.rmse_gap) for m in models]
    return tuple(m for m, above in gaps if above is None or not above.sure)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _ratio(mae: float, mse: float) -> float | None:
    fits = 0 < mae < math.inf and 0 < mse < math.inf
    return max(1.0, math.sqrt(mse) / mae) if fits else None
