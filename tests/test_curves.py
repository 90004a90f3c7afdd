"""Exceedance and quantile curves, metrics, the ratio without the worst rows: against NumPy."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

import numpy as np
import polars as pl
import pytest
from scipy import stats

import lossreport
from lossreport.formats import number
from lossreport.render import charts, loss_charts, source_charts
from lossreport.render.ruler import ruler
from lossreport.reports.curves import exceedance, quantile_points
from lossreport.reports.private import made_private
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
    assert (line.without.label, line.without.more) == (
        f"{p.attribution.without.ratio:.2f}", "without apac",
    )  # fmt: skip
    assert all(0 <= t.at <= 100 for t in line.ticks)
    places = [t.at for t in line.ticks]
    assert min(np.diff(places)) >= 8
    assert "without apac" in line.description


@pytest.mark.parametrize(
    ("day", "title", "said"),
    [
        (1, "RMSE differs 10-fold between weeks, MAE 10-fold", "Each week's error."),
        (11, "RMSE differs 10-fold between periods of 10 weeks, MAE 10-fold",
         "The error of every 10 weeks."),
    ],
)  # fmt: skip
def test_times_are_named_as_long_as_they_are(day, title, said):
    n = 700
    times = pl.Series([datetime(2020, 1, 6) + day * timedelta(i) for i in range(n)])
    large = np.where(np.arange(n) < 350, 10.0, 1.0)
    frame = pl.DataFrame({"actual": 0.0, "predicted": large * np.resize([1, -1], n), "time": times})
    (p,) = lossreport.report(frame, by="").predictions
    chart = charts.over_time(p, "x")
    assert chart
    assert (chart.title, chart.subtitle) == (title, said)


def test_where_the_mean_error_moves_it_is_drawn_too():
    times = [datetime(2026, 1, 5) + timedelta(i) for i in range(700)]
    predicted = np.where(np.arange(700) < 350, 10.0, -10.0) + np.resize([1, -1], 700)
    frame = pl.DataFrame({"actual": 0.0, "predicted": predicted, "time": times})
    (p,) = lossreport.report(frame, by="").predictions
    chart = charts.over_time(p, "x", "MW")
    assert chart
    moves = "from +10.0 MW before 2026-12-21 to \u221210.0 MW from then on"
    assert chart.title == f"The mean error moves in time, {moves}"
    assert chart.subtitle == "Each week's error; dashed: the mean error."
    assert chart.header[-1] == "Mean error, MW"
    means = [float(row[-1].replace("\u2212", "-")) for row in chart.table]
    assert {round(abs(m)) for m in means if abs(m) > 5} == {10}
    assert means[0] > 9 > -9 > means[-1]


def reach_title(report):
    (p,) = report.predictions
    chart = source_charts.exceedance(p, "x")
    assert chart
    return chart.title


def test_only_the_source_goes_on_if_no_other_group_has_a_larger_error(tmp_path):
    report, error, region = planted(tmp_path)
    assert report.predictions[0].attribution.origins[0].key == ("apac",)
    reach = number(np.abs(error[region == "emea"]).max(), report.predictions[0].overall.mae)
    assert reach_title(report) == f"Beyond an error of {reach}, only apac goes on"
    frame = pl.read_parquet(tmp_path / "log.parquet")
    one = pl.DataFrame({"actual": 50.0, "predicted": 110.0, "region": "emea", "model": "a"})
    report = lossreport.report(pl.concat([frame, one]), by=["region", "model"])
    (p,) = report.predictions
    assert p.attribution.origins[0].key == ("apac",)
    assert reach_title(report) == "Beyond an error of 60.00, only apac goes on"
    one = one.with_columns(predicted=180.0)
    report = lossreport.report(pl.concat([frame, one]), by=["region", "model"])
    (p,) = report.predictions
    assert p.attribution.origins[0].key == ("apac",)
    assert p.overall.max_abs_error == 130
    one_percent = number(p.overall.p99_abs_error, p.overall.mae)
    assert reach_title(report) == f"1% of the rows have an error beyond {one_percent}"


def test_titles_are_true_of_curves_that_end_early(tmp_path):
    report, _, _ = planted(tmp_path)
    (p,) = report.predictions
    private = made_private(report)
    assert "goes on" not in reach_title(private)
    (q,) = private.predictions
    title = loss_charts.quantiles(q, "x").title
    law = stats.norm.cdf(-max(z.gaussian for z in q.quantiles)) * 4000
    assert law >= 50
    end = f"{max(z.gaussian for z in q.quantiles):.1f}"
    assert (
        title == f"Out to {end} standard deviations, the tails reach no further than a Gaussian's"
    )
    assert loss_charts.quantiles(p, "x").title.startswith("Errors reach ")
    few = q.lorenz[0]
    assert few.rows * 4000 >= 50
    plain = dataclasses.replace(q, concentration=None)
    assert charts.worst_rows(plain, "x").title.startswith(
        f"The worst {round(few.rows * 4000)} rows make "
    )
    assert not [s for s in q.overall.worst_shares if s.rows == 0.01]


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 0.3, 1.0, 30.0])
def test_log_cosh_has_its_digits_in_every_unit(unit: float) -> None:
    errors = np.random.default_rng(4).normal(0, unit, 300)
    report = lossreport.report(pl.DataFrame({"actual": np.zeros(300), "predicted": errors}))
    with localcontext(prec=60):
        each = [((Decimal(e).exp() + Decimal(-e).exp()) / 2).ln() for e in errors.tolist()]
        exact = float(sum(each) / 300)
    assert report.predictions[0].overall.log_cosh == pytest.approx(exact, rel=1e-3, abs=0)
