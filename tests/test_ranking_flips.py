"""Where MAE and RMSE disagree about the best group, it is said, and what the source does to it."""

from __future__ import annotations

import numpy as np
import polars as pl

import lossreport

ROWS = 6_000


def a_log(seed: int = 1, share: float = 0.02) -> pl.DataFrame:
    """Return a log of three models: a is best but for huge errors in one region."""
    rng = np.random.default_rng(seed)
    model, region = rng.integers(0, 3, ROWS), rng.integers(0, 4, ROWS)
    errors = rng.normal(size=ROWS) * np.array([1.0, 1.6, 1.9])[model]
    far = (model == 0) & (region == 2) & (rng.random(ROWS) < 4 * share)
    frame = {"model": np.array(list("abc"))[model], "region": region, "actual": np.zeros(ROWS)}
    return pl.DataFrame({**frame, "predicted": np.where(far, 12 * np.sign(errors), errors)})


def flips(log: pl.DataFrame, by: list[str]) -> tuple[str, ...]:
    return lossreport.report(log, by=by, time="").predictions[0].ranking_flips


def test_a_flip_is_told_with_its_figures() -> None:
    log = a_log()
    error = pl.col("predicted")
    figures = log.group_by("model").agg(mae=error.abs().mean(), rmse=(error**2).mean().sqrt())
    of = {m: (mae, rmse) for m, mae, rmse in figures.rows()}
    assert flips(log, ["model"]) == (
        f"Of 3 groups by MAE model = a is best ({of['a'][0]:.2f}, against {of['b'][0]:.2f} of "
        f"model = b), by RMSE model = b ({of['b'][1]:.2f}, against {of['a'][1]:.2f}).",
    )


def test_without_the_source_both_agree() -> None:
    (said,) = flips(a_log(), ["model", "region", "model,region"])[:1]
    assert said.endswith("Without model = a, region = 2, model = a is best by both.")


def test_nothing_is_told_where_both_agree_or_it_may_be_chance() -> None:
    assert flips(a_log(share=0), ["model", "region"]) == ()
    for seed in range(5):
        rng = np.random.default_rng(seed)
        alike = a_log(seed).with_columns(predicted=pl.Series(rng.standard_t(3, ROWS)))
        assert flips(alike, ["model", "region"]) == ()


def test_small_groups_are_not_ranked() -> None:
    log = a_log()
    few = log.head(40).with_columns(model=pl.lit("few"), predicted=pl.lit(0.1))
    assert flips(pl.concat([log, few]), ["model"]) == flips(log, ["model"])


def test_outputs_tell_a_flip() -> None:
    report = lossreport.report(a_log(), by="model", time="")
    (said,) = report.predictions[0].ranking_flips
    assert said in lossreport.render_page(report)
    assert said in lossreport.to_json(report)
