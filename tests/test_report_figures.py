"""The figures of the whole command, against exact arithmetic and published values."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossreport
from lossreport.reports.figures import Figures
from tests import oracle
from tests.conftest import EXAMPLES

PUBLISHED = {
    # From each source's own figures; see example_logs/README.md.
    ("foodwaste.csv", ""): {
        "n": 1575, "mae": 0.746034067806881, "mse": 0.8588403364542432,
        "ratio": 1.242217252454089, "bias": 0.34881701527186443,
    },
    ("ton_fee.csv", ""): {
        "n": 307, "mae": 61286.05301511506, "mse": 11557511267.78682,
        "ratio": 1.7541652776240546, "bias": -74.15722494850242,
    },
    ("polls.csv", ""): {
        "n": 11475, "mae": 5.487317646618684, "mse": 53.701443459319805,
        "ratio": 1.3354661319827725, "bias": -0.14430936832151633,
    },
    ("polls.csv", "Pres-G"): {"mae": 4.088938, "ratio": 1.271818},
    ("nist_Lew.csv", ""): {"n": 200, "mae": 249.3837, "mse": 76528.565775},
    ("apples.csv", ""): {"n": 3, "mae": 20 / 3, "mse": 50.0, "bias": -10 / 3},
}  # fmt: skip
COLUMNS = {
    "polls.csv": {"actual": "margin_actual", "predicted": "margin_poll", "time": "polldate", "by": "type_simple"}
}  # fmt: skip
REAL = [
    "apples.csv",
    "foodwaste.csv",
    "nist_Lew.csv",
    "nist_NumAcc2.csv",
    "polls.csv",
    "ton_fee.csv",
]


def figures_of(log: object, **options: object) -> Figures:
    return lossreport.report(log, **options).predictions[0].overall


def agree(found: Figures, wanted: dict[str, float], relative: float = 1e-9) -> None:
    for name, value in wanted.items():
        # Where errors cancel, the bias is as exact as the MAE allows.
        slack = relative * wanted["mae"] if name == "bias" and "mae" in wanted else 0
        assert getattr(found, name) == pytest.approx(value, rel=relative, abs=slack), name


@pytest.mark.parametrize(("log", "group"), PUBLISHED)
def test_published_figures_are_met(log: str, group: str) -> None:
    options = COLUMNS.get(log, {})
    prediction = lossreport.report(EXAMPLES / log, **options).predictions[0]
    found = prediction.overall
    if group:
        (found,) = (g.figures for g in prediction.groupings[0].groups if g.key == (group,))
    agree(found, PUBLISHED[log, group], 1e-6 if group else 1e-9)


def test_the_certified_standard_deviation_of_lew_is_met() -> None:
    mse = figures_of(EXAMPLES / "nist_Lew.csv").mse
    assert mse is not None
    assert (mse * 200 / 199) ** 0.5 == pytest.approx(277.332168044316, rel=1e-14)


@pytest.mark.parametrize("log", REAL)
def test_real_logs_agree_with_exact_arithmetic_overall_and_by_group(log: str) -> None:
    options = COLUMNS.get(log, {})
    report = lossreport.report(EXAMPLES / log, **options)
    rows = pl.read_csv(EXAMPLES / log, infer_schema=False).select(
        y=pl.col(report.actual).cast(pl.Float64),
        p=pl.col(report.predicted[0]).cast(pl.Float64),
        **{f"k{i}": pl.col(k).cast(pl.String) for i, k in enumerate(report.keys)},
    )
    agree(report.predictions[0].overall, oracle.exact(rows["y"].to_list(), rows["p"].to_list()))
    for grouping in report.predictions[0].groupings:
        key = f"k{report.keys.index(grouping.by[0])}"
        for group in grouping.groups:
            mine = rows.filter(pl.col(key).eq_missing(pl.lit(group.key[0])))
            agree(group.figures, oracle.exact(mine["y"].to_list(), mine["p"].to_list()))
        assert sum(g.figures.n for g in grouping.groups) == rows.height


@pytest.mark.parametrize("log", ["foodwaste.csv", "polls.csv", "ton_fee.csv"])
def test_figures_from_the_histogram_are_within_its_accuracy(log: str) -> None:
    report = lossreport.report(EXAMPLES / log, **COLUMNS.get(log, {}))
    found = report.predictions[0].overall
    rows = pl.read_csv(EXAMPLES / log, infer_schema=False)
    y = rows[report.actual].cast(pl.Float64).to_numpy()
    p = rows[report.predicted[0]].cast(pl.Float64).to_numpy()
    for name, level in (("median", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
        wanted = oracle.quantile(y, p, level)
        assert getattr(found, f"{name}_abs_error") == pytest.approx(wanted, rel=0.02), name
    assert found.centred_ratio == pytest.approx(oracle.centred_ratio(y, p), rel=0.002)
    for share in found.worst_shares:
        absolute, squared = oracle.worst_share(y, p, share.rows)
        assert share.abs_error == pytest.approx(absolute, rel=0.01)
        assert share.sq_error == pytest.approx(squared, rel=0.02)
    assert found.huber_delta is not None
    assert found.huber == pytest.approx(lossreport.huber(y, p, found.huber_delta), rel=0.002)


finite = st.floats(-1e12, 1e12, allow_subnormal=False).map(lambda v: 0.0 if abs(v) < 1e-12 else v)


@given(
    st.lists(st.tuples(finite, finite, st.sampled_from(["a", "b", None])), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
    st.integers(1, 4),
)
def test_any_order_of_rows_and_any_split_give_the_exact_figures(
    rows: list[tuple[float, float, str | None]], shuffle: random.Random, parts: int
) -> None:
    wanted = oracle.exact([r[0] for r in rows], [r[1] for r in rows])
    shuffled = list(rows)
    shuffle.shuffle(shuffled)
    schema = {"actual": pl.Float64, "predicted": pl.Float64, "g": pl.String}
    profiles = [
        lossreport.profile(pl.DataFrame(part, schema=schema, orient="row"), by="g")
        for i in range(parts)
        if (part := shuffled[i::parts])
    ]
    report = lossreport.report(lossreport.merge(profiles))
    if np.isnan(wanted["ratio"]):
        wanted.pop("ratio")
    agree(report.predictions[0].overall, wanted)
    assert {g.key[0] for g in report.predictions[0].groupings[0].groups} == {r[2] for r in rows}


def test_sums_hold_over_many_rows_of_alternating_sign() -> None:
    rng = np.random.default_rng(3)
    error = rng.normal(0, 1e6, 300_000) * np.where(np.arange(300_000) % 2, 1, -1)
    actual = rng.normal(0, 1e3, 300_000)
    found = figures_of(pl.DataFrame({"actual": actual, "predicted": actual + error}))
    agree(found, oracle.exact(actual.tolist(), (actual + error).tolist()))


def test_equal_logs_of_equal_rows_differ_in_nothing_but_their_name(tmp_path: Path) -> None:
    frame = pl.read_parquet(EXAMPLES / "deliveries.parquet").head(5000)
    paths = [tmp_path / f"log.{ending}" for ending in ("parquet", "csv", "ndjson", "arrow", "tsv")]
    frame.write_parquet(paths[0])
    frame.write_csv(paths[1])
    frame.write_ndjson(paths[2])
    frame.write_ipc(paths[3])
    frame.write_csv(paths[4], separator="\t")
    options = {"by": ["region", "model"], "time": "time", "title": "same"}
    reports = [lossreport.report(p, **options) for p in paths]
    first = replace(reports[0], sources=(), found=())
    for other in reports[1:]:
        assert _without_files(replace(other, sources=(), found=())) == _without_files(first)


def _without_files(report: lossreport.results.Report) -> lossreport.results.Report:
    def of(p: lossreport.results.Prediction) -> lossreport.results.Prediction:
        seen = p.seen and replace(p.seen, rows=tuple(replace(r, file="") for r in p.seen.rows))
        # Filters depend on what the file's format says of a column's type.
        found = p.attribution and replace(
            p.attribution, origins=tuple(replace(o, filters=None) for o in p.attribution.origins)
        )
        worst = tuple(replace(w, file="") for w in p.worst)
        return replace(p, worst=worst, seen=seen, attribution=found)

    findings = tuple(
        replace(f, examples=tuple(replace(e, file="") for e in f.examples)) for f in report.findings
    )
    return replace(report, predictions=tuple(of(p) for p in report.predictions), findings=findings)
