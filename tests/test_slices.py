"""Planted pairs and triples are found, clean logs have none, and figures are those of the rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.profiles import merging
from lossreport.profiles.file import save_profile
from lossreport.reports import slices as module
from lossreport.reports.slices import BOUND_HIT, NOT_MADE
from lossreport.reports.where import Slices
from tests.conftest import Ran
from tests.simulated_errors import LAWS

ROWS = 10_000
SIZES = (5, 3, 20, 2, 7, 4)
PLANTED = {
    "pair": (((0, 2), (1, 0)), 0.05),
    "small pair": (((0, 2), (2, 7)), 0.25),
    "triple": (((0, 2), (1, 0), (5, 3)), 0.15),
}
"""The values, by column, and the share of rows with 60 times the error."""


def a_log(
    seed: int, law: str, columns: int, planted: tuple[tuple[int, int], ...] = (), share: float = 0
) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, size, ROWS) for size in SIZES[:columns]]
    errors = LAWS[law](rng, ROWS)
    inside = np.ones(ROWS, dtype=bool)
    for column, value in planted:
        inside &= codes[column] == value
    far = inside & (rng.random(ROWS) < share)
    named = {f"c{i}": code for i, code in enumerate(codes)}
    return pl.DataFrame(
        {**named, "actual": np.zeros(ROWS), "predicted": np.where(far, 60 * errors, errors)}
    )


def by_of(log: pl.DataFrame) -> list[str]:
    return [c for c in log.columns if c.startswith("c")]


def slices_of(log: pl.DataFrame, by: list[str] | None = None) -> Slices:
    found = lossreport.report(log, by=by or by_of(log), time="").predictions[0].slices
    assert found is not None
    return found


def named(found: Slices) -> list[set[tuple[str, str | None]]]:
    return [set(zip(s.by, s.key, strict=True)) for s in found.found]


def wanted(planted: tuple[tuple[int, int], ...]) -> set[tuple[str, str | None]]:
    return {(f"c{column}", str(value)) for column, value in planted}


# With 100 seeds each, 3 and 6 columns and all eight laws: none of 1,600 clean logs had a slice.
@pytest.mark.parametrize("law", ["gaussian", "t3", "cauchy", "1 % x10"])
def test_clean_logs_have_no_slice(law: str) -> None:
    found = [slices_of(a_log(seed, law, 3 + seed % 4)).found for seed in range(4)]
    assert found == [()] * 4


# Of 100 logs each (seeds 5000 to 5099, 6 columns) the planted pair alone was told in 100 with
# Gaussian and 100 with Laplace errors, the triple in 99 and 97.
@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_slice_is_found(kind: str) -> None:
    planted, share = PLANTED[kind]
    found = [named(slices_of(a_log(1000 + s, "laplace", 6, planted, share))) for s in range(3)]
    assert found == [[wanted(planted)]] * 3


def test_a_source_of_one_column_is_no_slice() -> None:
    assert slices_of(a_log(1, "laplace", 4, ((0, 2),), 0.05)).found == ()


def test_large_errors_of_two_values_apart_are_no_slice() -> None:
    log = a_log(2, "gaussian", 4)
    scale = pl.when(pl.col("c0") == 2).then(4).otherwise(1)
    scale *= pl.when(pl.col("c1") == 0).then(4).otherwise(1)
    assert slices_of(log.with_columns(pl.col("predicted") * scale)).found == ()


def test_a_pair_that_was_asked_for_is_told_as_a_source_only() -> None:
    planted, share = PLANTED["pair"]
    log = a_log(1000, "gaussian", 4, planted, share)
    report = lossreport.report(log, by=[*by_of(log), "c0,c1"], time="").predictions[0]
    assert report.attribution is not None
    assert [o.by for o in report.attribution.origins][:1] == [("c0", "c1")]
    assert report.slices is not None
    assert report.slices.found == ()


def test_two_slices_are_told_apart() -> None:
    one, other = PLANTED["pair"][0], ((2, 11), (4, 3))
    log = a_log(5, "gaussian", 6, one, 0.1)
    far = (pl.col("c2") == 11) & (pl.col("c4") == 3) & (pl.col("predicted").abs() < 6)
    log = log.with_columns(pl.when(far).then(pl.col("predicted") * 30).otherwise("predicted"))
    found = named(slices_of(log))
    assert len(found) == 2
    assert wanted(one) in found
    assert wanted(other) in found


def test_figures_of_a_slice_are_those_of_its_rows() -> None:
    planted, share = PLANTED["pair"]
    log = a_log(1001, "laplace", 6, planted, share)
    (found,) = slices_of(log).found
    inside = ((log["c0"] == 2) & (log["c1"] == 0)).to_numpy()
    errors = log["predicted"].to_numpy()

    def ratio(e: np.ndarray) -> float:
        return float(np.sqrt(np.mean(e**2)) / np.mean(np.abs(e)))

    assert found.rows == inside.sum()
    assert found.share_of_rows == pytest.approx(inside.mean())
    assert found.share_of_abs_error == pytest.approx(
        np.abs(errors[inside]).sum() / np.abs(errors).sum(), rel=1e-9
    )
    assert found.share_of_sq_error == pytest.approx(
        (errors[inside] ** 2).sum() / (errors**2).sum(), rel=1e-9
    )
    assert found.ratio == pytest.approx(ratio(errors[inside]), rel=1e-9)
    assert found.ratio_without == pytest.approx(ratio(errors[~inside]), rel=1e-9)
    assert found.filters is not None
    chosen = eval(found.filters.polars, {"pl": pl, "log": log})
    assert chosen.equals(log.filter(pl.Series(inside)))


def test_outputs_show_a_slice_and_how_to_select_it(run: Callable[..., Ran], tmp_path: Path) -> None:
    planted, share = PLANTED["pair"]
    log = a_log(1000, "gaussian", 3, planted, share).with_columns(
        c1=pl.concat_str(pl.lit("<b>'"), pl.col("c1"))
    )
    log.write_parquet(tmp_path / "log.parquet")
    words = [w for c in by_of(log) for w in ("--by", c)]
    ran = run(tmp_path / "log.parquet", *words, "--markdown", tmp_path / "out.md")
    (found,) = ran.json["predictions"][0]["slices"]["found"]
    assert found["by"] == ["c0", "c1"]
    assert found["filters"]["pandas"] == """log[(log['c0'] == 2) & (log['c1'] == "<b>'0")]"""
    assert "&lt;b&gt;&#39;&#39;0" in ran.html  # as SQL writes it
    assert "<b>'" not in ran.html
    assert "Slice c0 = 2, c1 = <b>'0:" in " ".join(ran.out.split())
    assert "Slice c0 = 2, c1 = &lt;b&gt;'0:" in (tmp_path / "out.md").read_text("utf-8")


def test_sources_have_filters() -> None:
    log = a_log(1, "laplace", 4, ((0, 2),), 0.05)
    found = lossreport.report(log, by=by_of(log), time="").predictions[0].attribution
    assert found is not None
    assert found.origins[0].filters is not None
    assert found.origins[0].filters.polars == "log.filter(pl.col('c0') == 2)"


def test_it_is_said_where_the_search_was_not_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = a_log(1, "gaussian", 3)
    monkeypatch.setattr(merging, "MAX_CUBE_GROUPS", 100)
    whole = lossreport.merge([lossreport.profile(log, by=by_of(log), time="")] * 2)
    report = lossreport.report(whole)
    assert report.predictions[0].attribution is None
    assert report.predictions[0].slices == Slices((), 0, NOT_MADE)
    assert NOT_MADE in lossreport.render_page(report).replace("&#39;", "'")


def test_it_is_said_where_triples_were_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    planted, share = PLANTED["triple"]
    log = a_log(1000, "gaussian", 6, planted, share)
    monkeypatch.setattr(module, "MAX_TRIPLES", 3)
    found = slices_of(log)
    assert found.note == BOUND_HIT
    assert named(found) == [wanted(planted)]


def test_profiles_saved_in_parts_have_the_same_slices(tmp_path: Path) -> None:
    planted, share = PLANTED["pair"]
    log = a_log(1002, "gaussian", 4, planted, share)
    parts = []
    for i, part in enumerate((log[:3000], log[3000:])):
        save_profile(lossreport.profile(part, by=by_of(log), time=""), tmp_path / f"{i}.parquet")
        parts.append(str(tmp_path / f"{i}.parquet"))
    together = lossreport.report(parts).predictions[0].slices
    assert together is not None
    assert named(together) == named(slices_of(log)) == [wanted(planted)]


def test_there_is_nothing_to_combine_in_one_column() -> None:
    assert (
        lossreport.report(a_log(1, "gaussian", 1), by="c0", time="").predictions[0].slices is None
    )
