"""Exceedance and quantile curves, metrics, the ratio without the worst rows: against NumPy."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

import lossreport
from lossreport.render.ruler import ruler
from lossreport.reports.curves import exceedance, quantile_points
from tests.simulated_errors import LAWS, histogram_of

ROWS = 5000


@pytest.fixture(params=["gaussian", "laplace", "1 % x10"])
def errors(request):
    return LAWS[request.param](np.random.default_rng(7), ROWS)


def test_exceedance_is_the_share_of_rows_with_a_larger_error(errors):
    points = exceedance(histogram_of(errors))
    assert 20 <= len(points) <= 40
    sizes = np.abs(errors)
    for error, share in points:
        assert share == pytest.approx((sizes > error * (1 + 1e-9)).mean(), abs=1e-12)
    shares = [s for _, s in points]
    assert shares == sorted(shares, reverse=True)
    assert min(shares) < 0.001


def test_exceedance_of_nothing_or_of_one_size_has_no_points():
    assert exceedance(histogram_of(np.zeros(10))) == ()
    assert exceedance(histogram_of(np.array([5.0]))) == ()


def test_quantiles_stand_beside_a_gaussians(errors):
    scale = 1.4826 * np.median(np.abs(errors - np.median(errors)))
    points = quantile_points(histogram_of(errors), scale)
    for p in (p for p in points if abs(p.gaussian) < 2.5):  # beyond there are but a few rows
        expected = (np.quantile(errors, stats.norm.cdf(p.gaussian)) - np.median(errors)) / scale
        assert p.error == pytest.approx(expected, rel=0.04, abs=0.03)
    assert points[-1].gaussian == pytest.approx(-stats.norm.ppf(0.5 / ROWS))


def test_no_scale_no_quantiles():
    assert quantile_points(histogram_of(np.zeros(60)), 0.0) == ()
    assert quantile_points(histogram_of(np.ones(60)), None) == ()


def planted(tmp_path):
    """A log of two regions, one of which has the large errors."""
    rng = np.random.default_rng(3)
    region = np.where(np.arange(4000) % 8 == 0, "apac", "emea")
    error = rng.normal(size=4000) * np.where((region == "apac") & (rng.random(4000) < 0.05), 40, 1)
    frame = pl.DataFrame(
        {"actual": 50.0, "predicted": 50 + error, "region": region, "model": ["a", "b"] * 2000}
    )
    frame.write_parquet(tmp_path / "log.parquet")
    return lossreport.report(tmp_path / "log.parquet", by=["region", "model"]), error, region


def test_what_is_without_the_source_is_of_all_other_rows(tmp_path):
    report, error, region = planted(tmp_path)
    (p,) = report.predictions
    rest = error[region == "emea"]
    by_name = {m.name: m for m in p.metrics}
    assert by_name["MAE (L1)"].without == pytest.approx(np.abs(rest).mean())
    assert by_name["RMSE (L2)"].without == pytest.approx(np.sqrt((rest**2).mean()))
    for name, of in (("all_rows", error), ("without", rest)):
        log_cosh = np.mean(np.logaddexp(of, -of) - np.log(2))
        assert getattr(by_name["Mean of ln cosh"], name) == pytest.approx(log_cosh, rel=1e-4)
    change = by_name["MAE (L1)"].change
    assert change == pytest.approx(np.abs(rest).mean() / np.abs(error).mean() - 1)
    model = {g.key[0]: g for g in p.groupings[1].groups}["a"]
    mine = error[(region == "emea") & (np.arange(4000) % 2 == 0)]
    assert model.without_source.n == len(mine)
    assert model.without_source.mae == pytest.approx(np.abs(mine).mean())
    assert [c.source for c in p.exceedance] == [True, False]
    apac = {g.key[0]: g for g in p.groupings[0].groups}["apac"]
    assert apac.without_source is None


def test_the_ratio_without_the_worst_one_per_cent():
    rng = np.random.default_rng(5)
    errors = rng.standard_t(3, 10_000)
    frame = pl.DataFrame({"actual": 0.0, "predicted": errors})
    of = lossreport.report(frame, by="").predictions[0].overall
    rest = np.sort(np.abs(errors))[:-100]
    assert of.ratio_without_worst == pytest.approx(
        np.sqrt((rest**2).mean()) / rest.mean(), rel=2e-3
    )


def test_the_ruler_marks_the_log_and_what_it_is_without_the_source(tmp_path):
    report, _, _ = planted(tmp_path)
    (p,) = report.predictions
    line = ruler(p, p.attribution.without.ratio, "apac")
    assert 0 < line.without.at < line.log.at < 100
    assert line.without.label == f"{p.attribution.without.ratio:.2f} without apac"
    assert all(0 <= t.at <= 100 for t in line.ticks)
    places = [t.at for t in line.ticks]
    assert min(np.diff(places)) >= 8
    assert "without apac" in line.description
