"""Models compared: figures, differences and their intervals against direct computation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy import stats

import lossreport
from lossreport.logs import frames
from lossreport.profiles import evidence, merging, profile, scan, shared_rows
from lossreport.render.markdown import to_markdown
from lossreport.render.terminal import summary
from lossreport.reports.comparing import _measure_common
from lossreport.reports.comparison import Comparison, Gap, Model
from lossreport.reports.differences import gap, student
from tests.conftest import Ran

N = 3000
START = datetime(2026, 1, 1)


def wide(seed: int = 1, n: int = N, models: Sequence[str] = ("a", "b", "c")) -> pl.DataFrame:
    """Models with an error in common, days that differ, and predictions missing in one of them."""
    rng = np.random.default_rng(seed)
    actual = 50 + 10 * rng.normal(size=n)
    day = np.arange(n) * 40 // n
    level = np.exp(0.4 * rng.normal(size=40))[day]
    shared = rng.normal(size=n)
    columns = {
        m: actual + level * (1 + 0.1 * i) * (shared + rng.laplace(size=n)) + 0.1 * i
        for i, m in enumerate(models)
    }
    columns["b"] = np.where(rng.random(n) < 0.1, np.nan, columns["b"])
    time = pl.Series(day * 86_400_000_000 + np.arange(n) % 1000).cast(pl.Datetime("us"))
    return pl.DataFrame({"actual": actual, **columns}).with_columns(
        t=time + (START - datetime(1970, 1, 1)),
        g=pl.Series(rng.choice(["x", "y", "z"], n)),
        unit=pl.Series(np.arange(n)),
    )


def long(frame: pl.DataFrame, models: Sequence[str] = ("a", "b", "c")) -> pl.DataFrame:
    rest = ["actual", "t", "g", "unit"]
    return pl.concat(
        frame.select(*rest, pl.col(m).alias("predicted"), model=pl.lit(m)) for m in models
    )


def compared(frame: object, **options: Any) -> Comparison:
    found = lossreport.report(frame, **options).comparison
    assert found is not None
    return found


def by_name(found: Comparison) -> dict[str | None, Model]:
    return {m.name: m for m in found.models}


def scored_by_all(frame: pl.DataFrame, models: Sequence[str] = ("a", "b", "c")) -> pd.DataFrame:
    errors = frame.to_pandas()
    for m in models:
        errors[m] = errors[m] - errors["actual"]
    return errors.dropna(subset=list(models))


def direct_gap(z: np.ndarray, weight: np.ndarray | None, pairs: int, df: float) -> float:
    """Half of the interval, from the influence of each unit (already divided by what counts)."""
    n = len(z)
    away = z - z.mean() if weight is None else z
    variance = n / (n - 1) * (away**2).sum()
    return float(stats.t.ppf(1 - 0.025 / pairs, df) * math.sqrt(variance))


def assert_gap(found: Gap | None, value: float, half: float) -> None:
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.value == pytest.approx(value, rel=1e-9)
    assert found.value - found.low == pytest.approx(half, rel=2e-4)
    assert found.high - found.value == pytest.approx(half, rel=2e-4)


def influence(errors: np.ndarray, loss: str) -> np.ndarray:
    """How much each row moves a model's MAE or RMSE, times n."""
    if loss == "L1":
        return np.abs(errors)
    return errors**2 / (2 * math.sqrt(np.mean(errors**2)))


def figure(errors: np.ndarray, loss: str) -> float:
    return float(np.mean(np.abs(errors)) if loss == "L1" else np.sqrt(np.mean(errors**2)))


def test_figures_are_those_of_the_rows_that_all_scored() -> None:
    frame = wide()
    found = compared(frame, predicted=["a", "b", "c"], by="g", time="")
    errors = scored_by_all(frame)
    lost = N - len(errors)
    assert (found.paired, found.n, found.lost) == ("rows", len(errors), lost)
    for name, model in by_name(found).items():
        e = errors[name].to_numpy()
        assert model.mae == pytest.approx(np.mean(np.abs(e)), rel=1e-9)
        assert model.rmse == pytest.approx(np.sqrt(np.mean(e**2)), rel=1e-9)
        assert model.ratio == pytest.approx(model.rmse / model.mae, rel=1e-12)
        assert model.bias == pytest.approx(np.mean(e), rel=1e-9)
        assert model.rows == (len(errors) if name == "b" else N)
    ranks = [(m.rank_l1, m.name) for m in found.models]
    order = sorted("abc", key=lambda m: np.mean(np.abs(errors[m])))
    assert ranks == list(enumerate(order, start=1))
    assert f"{lost:,} rows that only some of them scored are left out" in found.why


@pytest.mark.parametrize("loss", ["L1", "L2"])
def test_intervals_of_independent_rows_are_those_of_the_paired_differences(loss: str) -> None:
    frame = wide()
    found = by_name(compared(frame, predicted=["a", "b", "c"], by="g", time=""))
    errors = scored_by_all(frame)
    n = len(errors)
    for name in "bc":
        one, best = errors[name].to_numpy(), errors["a"].to_numpy()
        z = (influence(one, loss) - influence(best, loss)) / n
        above = found[name].mae_gap if loss == "L1" else found[name].rmse_gap
        assert_gap(above, figure(one, loss) - figure(best, loss), direct_gap(z, None, 3, n - 1))


def clustered(
    errors: pd.DataFrame, one: str, best: str, loss: str, cluster: pd.Series, pairs: int
) -> float:
    """Half of the interval with the residuals of each cluster added up before they are squared."""
    x, y = (influence(errors[m].to_numpy(), loss) for m in (one, best))
    residual = pd.Series((x - x.mean()) - (y - y.mean()), index=errors.index)
    z = residual.groupby(cluster).sum().to_numpy() / len(errors)
    size = cluster.value_counts().to_numpy()
    df = size.sum() ** 2 / (size**2).sum() - 1
    return direct_gap(z, np.ones(len(z)), pairs, df)


@pytest.mark.parametrize("loss", ["L1", "L2"])
def test_intervals_with_a_time_are_cluster_robust(loss: str) -> None:
    frame = wide()
    found = compared(frame, predicted=["a", "b"], by="g", time="t")
    assert found.clusters == ("day",)
    errors = scored_by_all(frame, "ab")
    one, best = (errors[m].to_numpy() for m in "ba")
    half = clustered(errors, "b", "a", loss, errors["t"].dt.floor("D"), 1)
    z = (influence(one, loss) - influence(best, loss)) / len(errors)
    half = max(half, direct_gap(z, None, 1, len(errors) - 1))
    model = by_name(found)["b"]
    above = model.mae_gap if loss == "L1" else model.rmse_gap
    assert_gap(above, figure(one, loss) - figure(best, loss), half)


def test_rows_of_one_id_are_taken_together() -> None:
    rng = np.random.default_rng(2)
    customer = rng.integers(0, 150, N)
    size = np.exp(rng.normal(size=(2, 150)))[:, customer]
    frame = pl.DataFrame(
        {
            "actual": 0.0,
            "a": size[0] * rng.normal(size=N),
            "b": size[1] * rng.normal(size=N),
            "who": customer,
        }
    )
    plain = compared(frame, predicted=["a", "b"], by="").models[1].mae_gap
    found = compared(frame, predicted=["a", "b"], by="", id="who")
    assert found.clusters == ("id",)
    errors = frame.to_pandas()
    bucket = pd.Series((frame["who"].cast(pl.String).hash().to_numpy() % 256).astype(int))
    second, best = found.models[1].name, found.models[0].name
    half = clustered(errors, second, best, "L1", bucket, 1)
    above = found.models[1].mae_gap
    assert_gap(above, figure(errors[second], "L1") - figure(errors[best], "L1"), half)
    assert plain is not None
    assert above is not None
    assert plain.low > above.low


def test_of_few_days_no_variance_is_estimated() -> None:
    frame = wide().filter(pl.col("t") < datetime(2026, 1, 8))
    assert compared(frame, predicted=["a", "b"], by="", time="t").clusters == ()


@pytest.mark.parametrize("time", ["", "t"])
def test_models_in_rows_are_compared_id_by_id(time: str) -> None:
    frame = wide()
    inside = compared(frame, predicted=["a", "b", "c"], by="g", time=time)
    found = compared(long(frame), compare="model", by="g", time=time, id="unit")
    assert (found.paired, found.n, found.lost, found.estimated) == (
        "ids",
        inside.n,
        inside.lost,
        False,
    )
    assert found.column == "model"
    for a, b in zip(inside.models, found.models, strict=True):
        assert (a.name, a.rank_l1, a.rank_l2, a.rows) == (b.name, b.rank_l1, b.rank_l2, b.rows)
        assert (a.mae, a.rmse, a.bias) == pytest.approx((b.mae, b.rmse, b.bias), rel=1e-9)
        for x, y in ((a.mae_gap, b.mae_gap), (a.rmse_gap, b.rmse_gap)):
            if x is not None:
                assert y is not None
                assert (x.low, x.high) == pytest.approx((y.low, y.high), rel=1e-6)
    # The model's column is no part of what rows of several models share.
    assert found == compared(long(frame), compare="model", by="g", time=time, id="unit,model")


def test_an_id_that_repeats_counts_with_its_mean() -> None:
    rng = np.random.default_rng(3)
    frame = pl.DataFrame(
        {
            "actual": 0.0, "predicted": rng.normal(size=N), "who": rng.integers(0, 200, N),
            "model": rng.choice(["a", "b"], N),
        }
    )  # fmt: skip
    found = compared(frame, compare="model", by="", id="who")
    size = frame.to_pandas().assign(size=lambda d: d["predicted"].abs())
    table = size.pivot_table(index="who", columns="model", values="size", aggfunc="mean").dropna()
    assert found.n == len(table)
    for name, model in by_name(found).items():
        assert model.mae == pytest.approx(table[name].mean(), rel=1e-9)
    d = (table["a"] - table["b"]).to_numpy()
    half = direct_gap(d / len(d), None, 1, len(d) - 1)
    assert_gap(found.models[1].mae_gap, abs(d.mean()), half)


def test_without_ids_models_are_compared_day_by_day() -> None:
    frame = long(wide()).filter(~((pl.col("model") == "c") & (pl.col("t") < datetime(2026, 1, 6))))
    found = compared(frame, compare="model", by="g", time="t")
    assert found.paired == "days"
    rows = frame.to_pandas().dropna()
    rows["size"] = (rows["predicted"] - rows["actual"]).abs()
    rows["day"] = rows["t"].dt.floor("D")
    mean = rows.pivot_table(index="day", columns="model", values="size", aggfunc="mean").dropna()
    weight = rows[rows["day"].isin(mean.index)].groupby("day").size()
    assert (
        (found.n, found.lost)
        == (len(mean), len(rows) - weight.sum())
        == (35, len(rows) - weight.sum())
    )
    share = weight / weight.sum()
    figures = (mean.mul(share, axis=0)).sum()
    for name, model in by_name(found).items():
        assert model.mae == pytest.approx(figures[name], rel=1e-9)
    last, best = found.models[-1].name, found.models[0].name
    d = mean[last] - mean[best]
    z = (share * (d - (share * d).sum())).to_numpy()
    df = weight.sum() ** 2 / (weight**2).sum() - 1
    half = direct_gap(z, np.ones(len(z)), 3, df)
    assert_gap(found.models[-1].mae_gap, figures[last] - figures[best], half)


def test_without_id_and_time_each_model_has_rows_of_its_own() -> None:
    frame = long(wide(), "ab")
    found = compared(frame, compare="model", by="", time="")
    assert (found.paired, found.lost) == (None, 0)
    assert "neither ids (--id) nor times (--time)" in found.why
    errors = {
        m: (rows["predicted"] - rows["actual"]).drop_nans().to_numpy()
        for (m,), rows in frame.group_by("model")
    }
    second, best = (errors[found.models[i].name] for i in (1, 0))
    for loss, above in (("L1", found.models[1].mae_gap), ("L2", found.models[1].rmse_gap)):
        se = math.sqrt(sum(np.var(influence(e, loss), ddof=1) / len(e) for e in (second, best)))
        half = stats.t.ppf(0.975, min(len(second), len(best)) - 1) * se
        assert_gap(above, figure(second, loss) - figure(best, loss), half)


def test_a_sample_of_ids_says_so_and_covers_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = long(wide(4), "ab")
    whole = compared(frame, compare="model", by="", time="", id="unit")
    monkeypatch.setattr(evidence, "MOST_BY_ID_COMPARED", 1500)
    found = compared(frame, compare="model", by="", time="", id="unit")
    assert found.estimated
    assert 200 < found.n < 800
    assert "a sample, evenly drawn" in found.why
    exact, estimate = whole.models[1].mae_gap, found.models[1].mae_gap
    assert exact is not None
    assert estimate is not None
    assert estimate.low < exact.value < estimate.high
    assert abs(found.lost - whole.lost) < 0.5 * whole.lost


@settings(max_examples=10)
@given(st.lists(st.integers(0, 400), max_size=3), st.randoms(use_true_random=False))
def test_merged_parts_are_compared_as_the_whole(cuts: list[int], order: Any) -> None:
    frame = wide(5, 400)
    ends = [0, *sorted(cuts), 400]
    pieces = [frame[a:b] for a, b in pairwise(ends) if b > a]
    order.shuffle(pieces)
    options = {"predicted": ["a", "b", "c"], "by": "g", "time": "t", "id": "unit"}
    whole = lossreport.profile(frame, **options).common
    merged = lossreport.merge([lossreport.profile(p, **options) for p in pieces]).common
    assert whole is not None
    assert merged is not None
    assert (merged.by, merged.lost) == (whole.by, whole.lost)
    for name in ("cells", "pairs", "over_time", "over_ids"):
        assert_frame_equal(getattr(merged, name), getattr(whole, name), rel_tol=1e-9)


def near(one: Comparison, other: Comparison) -> None:
    assert (one.headline, one.why, one.points) == (other.headline, other.why, other.points)
    for a, b in zip(one.models, other.models, strict=True):
        assert (a.mae, a.rmse, a.bias) == pytest.approx((b.mae, b.rmse, b.bias), rel=1e-9)


def test_files_and_saved_profiles_are_compared_as_the_whole(tmp_path: Path) -> None:
    frame = wide()
    tables = {
        "wide": (frame, {"predicted": ["a", "b", "c"]}),
        "long": (long(frame), {"compare": "model"}),
        "by_id": (long(frame).sort("unit"), {"compare": "model", "id": "unit"}),
    }
    for name, (table, given_options) in tables.items():
        options = {"by": "g", "time": "t", **given_options}
        folder = tmp_path / name
        folder.mkdir()
        size = table.height // 3 + 1
        for i in range(3):
            table[i * size : (i + 1) * size].write_csv(folder / f"part{i}.csv")
        whole = compared(table, **options)
        near(compared(folder, **options), whole)
        saved = []
        for path in sorted(folder.glob("*.csv")):
            saved.append(f"{path}.profile.parquet")
            lossreport.save_profile(lossreport.profile(path, **options), Path(saved[-1]))
        near(compared(saved), whole)


def test_a_profile_saved_before_models_were_compared_has_no_comparison(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    lossreport.save_profile(lossreport.profile(wide(), predicted=["a", "b"], by="g"), path)
    about = json.loads(pl.read_parquet_metadata(path)["lossreport_profile"])
    for key in ("common", "models_timed"):
        about.pop(key)
    del about["columns"]["compare"]
    about["frames"] = {k: v for k, v in about["frames"].items() if not k.startswith("common ")}
    rows = pl.read_parquet(path).filter(~pl.col("part").str.starts_with("common "))
    rows.write_parquet(path, metadata={"lossreport_profile": json.dumps(about)})
    old = lossreport.load_profile(str(path))
    assert old.common is None
    report = lossreport.report(old)
    assert report.comparison is None
    assert len(report.predictions) == 2
    assert (
        lossreport.merge([old, lossreport.profile(wide(), predicted=["a", "b"], by="g")]).common
        is None
    )


def test_too_many_groups_leave_the_sums_of_all_common_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = wide().with_columns(h=pl.col("unit") % 50)
    options = {"predicted": ["a", "b"], "by": ["g", "h"], "time": "t"}
    whole = lossreport.profile(frame, **options).common
    for module in (merging, scan):
        monkeypatch.setattr(module, "MAX_CUBE_GROUPS", 100)
    cut = lossreport.profile(frame, **options).common
    assert whole is not None
    assert cut is not None
    assert (whole.by, cut.by) == (("g", "h"), ())
    assert_frame_equal(whole.whole().cells, cut.cells, rel_tol=1e-12)
    assert_frame_equal(whole.whole().pairs, cut.pairs, rel_tol=1e-12)


@pytest.mark.parametrize("size", [97, 100_000])
def test_the_sums_do_not_depend_on_chunks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"predicted": ["a", "b", "c"], "by": "g", "time": "t", "id": "unit"}
    whole = lossreport.profile(wide(), **options)
    monkeypatch.setattr(frames, "CHUNK_ROWS", size)
    cut = lossreport.profile(wide(), **options)
    assert whole.common is not None
    assert cut.common is not None
    for name in ("cells", "pairs", "over_time", "over_ids"):
        assert_frame_equal(getattr(cut.common, name), getattr(whole.common, name), rel_tol=1e-9)
    assert cut.common.over_time["bucket"].n_unique() == 40  # hours at first, days in the end


def test_very_many_models_are_not_kept_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = long(wide()).with_columns(model=(pl.col("unit") % 30).cast(pl.String))
    options = {"compare": "model", "by": "g", "time": "t"}
    timed = lossreport.profile(frame, **options)
    for module in (profile, scan):
        monkeypatch.setattr(module, "MAX_TIMED_GROUPS", 10)
    monkeypatch.setattr(frames, "CHUNK_ROWS", 500)
    made = lossreport.profile(frame, **options)
    assert timed.models is not None
    assert made.models is not None
    assert (timed.models.timed, made.models.timed) == (True, False)
    one, other = timed.models.timeless().moments, made.models.moments
    assert_frame_equal(one, other, rel_tol=1e-9)
    assert compared(made).paired is None


def test_rows_without_an_id_are_counted() -> None:
    frame = long(wide(), "ac").with_columns(unit=pl.when(pl.col("unit") >= 7).then("unit"))
    found = compared(frame, compare="model", by="", time="", id="unit")
    assert (found.n, found.lost) == (N - 7, 0)
    assert "14 rows without an id are left out as well." in found.why


def test_a_log_without_rows_has_groups_of_none_and_no_comparison() -> None:
    report = lossreport.report(long(wide()).head(0), compare="model", by="g", time="")
    assert report.comparison is None
    assert all(not g.groups for g in report.predictions[0].groupings)


def test_one_prediction_costs_nothing() -> None:
    made = lossreport.profile(wide(), predicted="a", by="g")
    assert made.common is None
    assert made.models is None
    assert lossreport.report(made).comparison is None


def test_pairs_of_very_many_predictions_are_not_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from lossreport.profiles import shared_rows_sums

    monkeypatch.setattr(shared_rows_sums, "MOST_PAIRED", 2)
    found = compared(wide(), predicted=["a", "b", "c"], by="", time="")
    assert found.models[0].mae_gap is None
    assert all(m.mae_gap and m.mae_gap.low is None for m in found.models[1:])
    assert found.tag == "No intervals"
    assert found.headline.endswith("how sure that is, the rows do not say.")
    assert shared_rows.MOST_PAIRED == 20


def planted(seed: int = 6) -> pl.DataFrame:
    """Model `good` is better everywhere but for 1 % of the rows of one region."""
    rng = np.random.default_rng(seed)
    n = 20_000
    region = rng.choice(["emea", "apac", "west", "north"], n)
    broken = (region == "apac") & (rng.random(n) < 0.02)
    return pl.DataFrame(
        {
            "actual": 0.0,
            "good": rng.normal(size=n) * np.where(broken, 60, 1),
            "poor": 1.5 * rng.normal(size=n),
            "region": region,
            "unit": np.arange(n),
        }
    )


def test_one_source_that_makes_l2_prefer_the_wrong_model_is_named() -> None:
    frame = planted()
    each = long(frame.with_columns(t=None, g="region"), ["good", "poor"])
    for found in (
        compared(frame, predicted=["good", "poor"], by="region"),
        compared(each, compare="model", by="g", time="", id="unit"),
    ):
        assert found.tag == "L1 and L2 disagree"
        assert found.tone == "alert"
        assert not found.agree
        assert found.headline.startswith(
            "L1 and L2 name different models: good has the smallest MAE"
        )
        assert found.without is not None
        ((_, key),) = found.without.sources
        assert key == ("apac",)
        left = frame.filter(pl.col("region") != "apac")
        first = found.without.models[0]
        assert (first.name, first.rank_l1, first.rank_l2) == ("good", 1, 1)
        assert first.mae == pytest.approx(left["good"].abs().mean(), rel=1e-9)
        assert found.without.n == left.height
        assert "L1 and L2 agree: good comes first" in found.points[0]


def test_a_winner_that_only_a_source_makes_is_no_calm_verdict() -> None:
    rng = np.random.default_rng(13)
    frame = planted().with_columns(poor=pl.Series(1.1 * rng.normal(size=20_000)))
    frame = frame.with_columns(
        good=pl.when(pl.col("good").abs() > 6).then(9 * pl.col("good")).otherwise("good")
    )
    found = compared(frame, predicted=["good", "poor"], by="region")
    assert found.headline.startswith("poor has the smallest error by both losses")
    assert found.without is not None
    assert found.without.models[0].name == "good"
    assert (found.tag, found.tone) == ("L1 and L2 agree", "note")
    assert "Without it, good comes first by both" in found.points[0]
    assert found.points[0].startswith("region = apac is the source of good's largest errors.")


def test_equal_models_and_models_within_chance_are_ties() -> None:
    rng = np.random.default_rng(7)
    frame = pl.DataFrame({"actual": 0.0, "a": rng.normal(size=500)}).with_columns(
        b=pl.col("a"), c=-pl.col("a")
    )
    same = compared(frame, predicted=["a", "b", "c"], by="")
    assert same.tag == "No difference"
    assert same.points[0] == "b's MAE is the same as a's."
    close = compared(frame.with_columns(b=rng.normal(size=500)), predicted=["a", "b"], by="")
    assert close.headline.startswith("500 rows show no difference between ")
    assert "no difference that 500 rows show" in close.points[0]


def test_a_clear_winner_is_said_with_its_figures() -> None:
    rng = np.random.default_rng(8)
    frame = pl.DataFrame({"actual": 0.0, "a": rng.normal(size=900), "b": 2 * rng.normal(size=900)})
    found = compared(frame, predicted=["b", "a"], by="")
    assert (found.tag, found.tone, found.agree) == ("L1 and L2 agree", "calm", True)
    model = found.models[0]
    assert found.headline == (
        f"a has the smallest error by both losses, L1 and L2: MAE {model.mae:.3f}, "
        f"RMSE {model.rmse:.3f}."
    )


@pytest.mark.parametrize("n", [0, 1, 2, 12, 49])
def test_of_too_few_common_rows_nothing_is_said(n: int) -> None:
    rng = np.random.default_rng(9)
    row, values = np.arange(200), rng.normal(size=200)
    a = np.where(row < 100 + n, values, np.nan)
    b = np.where(row >= 100, values, np.nan)
    found = compared(pl.DataFrame({"actual": 0.0, "a": a, "b": b}), predicted=["a", "b"], by="")
    assert (found.n, found.lost, found.points) == (n, 200 - n, ())
    if n:
        assert found.tag == "Too few rows"
        assert ("(1 row " if n == 1 else f"({n} rows ") in found.headline
    else:
        assert found.tag == "Not comparable"
        assert all(m.mae is None and m.rank_l1 is None for m in found.models)


def test_beyond_the_range_of_floats_only_mae_ranks() -> None:
    rng = np.random.default_rng(10)
    frame = pl.DataFrame(
        {"actual": 0.0, "a": rng.normal(size=99), "b": 1e200 * rng.normal(size=99)}
    )
    found = compared(frame, predicted=["a", "b"], by="")
    assert [m.rank_l1 for m in found.models] == [1, 2]
    assert [m.rank_l2 for m in found.models] == [None, None]
    assert found.agree is None
    assert "MAE" in found.headline


@pytest.mark.parametrize("size", [1e-90, 1e-150, 1e-200, 1e100, 1e160])
def test_no_lead_is_sure_where_squares_lose_their_digits(size: float) -> None:
    rng = np.random.default_rng(14)
    frame = pl.DataFrame(
        {"actual": 0.0, "a": size * rng.normal(size=400), "b": size * rng.normal(size=400)}
    )
    found = compared(frame, predicted=["a", "b"], by="")
    last = found.models[1]
    assert last.mae_gap is not None
    assert not last.mae_gap.sure
    assert last.rmse_gap is None or not last.rmse_gap.sure
    assert found.tag == "No intervals" if last.rmse_gap is not None else found.agree is None


@pytest.mark.parametrize("wide_log", [True, False])
def test_a_model_without_scored_rows_cannot_be_compared(wide_log: bool) -> None:
    rng = np.random.default_rng(15)
    frame = pl.DataFrame({"actual": 0.0, "a": rng.normal(size=90), "b": [math.nan] * 90})
    each = frame.with_columns(t=None, g=None, unit=None)
    found = (
        compared(frame, predicted=["a", "b"], by="")
        if wide_log
        else compared(long(each, "ab"), compare="model", by="", time="")
    )
    assert found.tag == "Not comparable"
    assert "cannot be compared: there is no row " in found.headline
    both_empty = frame.with_columns(a=pl.lit(math.nan))
    assert lossreport.report(both_empty, predicted=["a", "b"], by="").comparison is None


def test_probabilities_are_compared_by_l2_alone() -> None:
    rng = np.random.default_rng(11)
    p = rng.random(2000)
    frame = pl.DataFrame(
        {"actual": (rng.random(2000) < p).astype(float), "a": p, "b": (p > 0.5) * 0.9 + 0.05}
    )
    found = compared(frame, predicted=["a", "b"], by="")
    assert all(m.rank_l1 is None for m in found.models)
    assert found.headline.startswith("a has the smallest RMSE")
    assert found.agree is None


def test_the_column_is_found_or_refused_in_words(run: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    long(wide()).with_columns(other=pl.lit("only")).write_parquet(path)
    cases = {
        ("--compare", "modle"): "There is no column 'modle'. Did you mean model?",
        ("--compare", "other"): "names one model only, only: there is nothing to compare",
        ("--compare", "actual"): "cannot also say which model a row is of",
        ("--compare", "model", "--predicted", "predicted", "--predicted", "unit"): (
            "are compared without it"
        ),
    }
    for words, said in cases.items():
        ran = run(path, *words)
        assert ran.code == 2
        assert said in ran.err
    assert run(path, "--compare", "model").json["comparison"]["column"] == "model"


def test_of_many_models_those_with_the_most_rows_are_compared() -> None:
    rng = np.random.default_rng(12)
    sizes = {f"m{i:02d}": 200 - i for i in range(24)}
    frame = pl.concat(
        pl.DataFrame({"actual": 0.0, "predicted": rng.normal(size=n), "model": m})
        for m, n in sizes.items()
    ).vstack(pl.DataFrame({"actual": [0.0], "predicted": [1.0], "model": [None]}, schema_overrides={"model": pl.String}))  # fmt: skip
    found = compared(frame, compare="model", by="")
    assert {m.name for m in found.models} == {f"m{i:02d}" for i in range(20)}
    assert found.more_models == 4
    assert "Of 24 models the 20 with the most rows are compared." in found.why
    assert "all 190 pairs" in found.how


def test_ids_are_repeated_only_within_a_model() -> None:
    frame = long(wide(), "ab")
    again = pl.concat([frame, frame[:3]])
    for log, status in ((frame, "passed"), (again, "issue")):
        findings = lossreport.report(log, compare="model", by="", id="unit").findings
        (found,) = (f for f in findings if f.code == "LR015")
        assert found.status == status
    assert found.count == 3
    assert "an earlier row of its model has" in found.message


HOSTILE = "<img src=x onerror=alert(1)>|`{{7*7}}`\x1b[31m\u202e"


def test_names_are_shown_and_not_run(run: Callable[..., Ran], tmp_path: Path) -> None:
    frame = wide().rename({"a": HOSTILE})
    each = long(wide()).with_columns(pl.col("model").replace("a", HOSTILE))
    reports = [
        lossreport.report(frame, predicted=[HOSTILE, "b"], by="g"),
        lossreport.report(each, compare="model", by="g", id="unit"),
    ]
    for report in reports:
        page, told = lossreport.render_page(report), summary(report)
        markdown = to_markdown(report)
        assert "<img src=x" not in page + markdown
        assert "49" not in report.comparison.headline
        assert "\x1b" not in page + told + markdown
        assert "\u202e" not in page + told + markdown


def test_every_output_tells_the_comparison(run: Callable[..., Ran], tmp_path: Path) -> None:
    import jsonschema

    wide().write_parquet(tmp_path / "wide.parquet")
    long(wide()).write_parquet(tmp_path / "long.parquet")
    schema = json.loads(
        (Path(lossreport.__file__).parent / "report.schema.json").read_text("utf-8")
    )
    logs = {
        "wide": ("--predicted", "a", "--predicted", "b", "--by", "g"),
        "long": ("--compare", "model", "--by", "g", "--id", "unit"),
    }
    for name, words in logs.items():
        ran = run(tmp_path / f"{name}.parquet", *words, "--markdown", tmp_path / f"{name}.md")
        jsonschema.validate(ran.json, schema)
        found = ran.json["comparison"]
        assert [m["rank_l1"] for m in found["models"]] == list(range(1, len(found["models"]) + 1))
        flat = " ".join(ran.out.split())
        page = ran.html
        assert page.index(found["headline"]) < page.index("Which loss to train with")
        assert f"<title>{found['tag']}" in page
        for text in (found["headline"], found["why"], *found["points"], found["how"]):
            assert text in flat
            assert text.replace("'", "&#39;") in page
        markdown = (tmp_path / f"{name}.md").read_text("utf-8")
        assert found["headline"] in markdown
        assert markdown.index("| model |") < markdown.index("**", markdown.index("| model |"))
    assert "All models together" in page
    assert "== all models together ==" in ran.out


def test_student_is_close_to_the_exact_quantile() -> None:
    for df in (7, 10, 29, 300, 1e6):
        for level in (0.975, 0.99, 0.9987):
            assert student(level, df) == pytest.approx(stats.t.ppf(level, df), rel=6e-3)


LAWS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "gaussian": lambda rng, n: rng.normal(size=n),
    "laplace": lambda rng, n: rng.laplace(size=n),
}
COVERED = 42
"""Of 50 logs an interval that holds at 95 % covers in fewer than this with a chance of 0.1 %."""


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("by_day", [False, True])
def test_intervals_cover_the_true_differences(law: str, by_day: bool) -> None:
    n, days, logs = 1000, 30, 50
    mean = {"gaussian": math.sqrt(2 / math.pi), "laplace": 1.0}[law]
    square = {"gaussian": 1.0, "laplace": 2.0}[law]
    lift = (math.exp(0.3**2 / 2), math.exp(2 * 0.3**2)) if by_day else (1.0, 1.0)
    scales = (1.0, 1.1, 1.2)
    covered = dict.fromkeys(("L1", "L2"), 0)
    day = np.arange(n) * days // n
    time = pl.Series(day * 86_400_000_000).cast(pl.Datetime("us"))
    for seed in range(logs):
        rng = np.random.default_rng([seed, by_day])
        levels = [np.exp(0.3 * rng.normal(size=days))[day] if by_day else 1.0 for _ in scales]
        made = [s * LAWS[law](rng, n) * level for s, level in zip(scales, levels, strict=True)]
        frame = pl.DataFrame({"actual": 0.0, "a": made[0], "b": made[1], "c": made[2], "t": time})
        kept = lossreport.profile(frame, predicted=["a", "b", "c"], by="", time="t", worst=0)
        assert kept.common is not None
        measured = _measure_common(kept, kept.common).measured
        for loss, size, up in (
            ("L1", mean, lift[0]),
            ("L2", math.sqrt(square), math.sqrt(lift[1])),
        ):
            found = [
                (gap(measured, loss, j, i), (scales[j] - scales[i]) * size * up)
                for i, j in combinations(range(3), 2)
            ]
            covered[loss] += all(g.low <= truth <= g.high for g, truth in found)
    assert min(covered.values()) >= COVERED


def test_equal_models_share_a_rank_and_do_not_make_the_losses_disagree() -> None:
    errors = np.array([[3.0, -3, 1, 1], [2, 2, 2, 2], [2, 2, 2, 2], [9, 9, 9, 9]]).repeat(
        50, axis=1
    )
    frame = pl.DataFrame({"actual": np.zeros(200), **{f"p{i}": e for i, e in enumerate(errors)}})
    found = lossreport.report(frame, actual="actual", predicted=list(frame.columns[1:]), by="")
    assert found.comparison is not None
    ranks = {m.name: (m.rank_l1, m.rank_l2) for m in found.comparison.models}
    assert ranks == {"p0": (1, 3), "p1": (1, 1), "p2": (1, 1), "p3": (4, 4)}
    assert found.comparison.agree is True
