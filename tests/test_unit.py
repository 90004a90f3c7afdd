"""The unit of actual and predicted: after every figure that has one, and only text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.formats import MINUS, amount, squared
from lossreport.render.terminal import summary
from tests.conftest import EXAMPLES, Ran
from tests.test_cli import SCHEMA
from tests.test_private import RICH, rich_frame

Run = Callable[..., Ran]


@pytest.mark.charts
def test_every_form_says_the_unit(run: Run, tmp_path: Path) -> None:
    md = tmp_path / "a.md"
    ran = run(EXAMPLES / "deliveries.parquet", "--by", "region", "--unit", "EUR", "--markdown", md)
    jsonschema.Draft202012Validator(SCHEMA).validate(ran.json)
    assert ran.json["unit"] == "EUR"
    assert re.search(r"L1 +2\.18 EUR", ran.out)
    assert "EUR²" in ran.out
    assert "L1 and RMSE in EUR" in ran.out
    assert "2.18 EUR" in md.read_text("utf-8")
    html = ran.html
    assert re.search(r"<dt>[^/]*MAE \(L1\)</a></dt><dd>2\.18 EUR</dd>", html)
    # The captions of groups, of those with a finding, of worst rows and of rows as L1 and L2 see
    # them.
    assert html.count("actual, in EUR") == 4
    assert "error by day, EUR" in html
    assert "delta in EUR" in html
    assert "MAE from 2.18 EUR to" in html
    assert "delta = 5.23 EUR" in html


@pytest.mark.charts
def test_without_a_unit_none_is_said(run: Run) -> None:
    ran = run(EXAMPLES / "deliveries.parquet", "--by", "region", "--unit", "  ")
    assert ran.json["unit"] is None
    assert ">None<" not in ran.html
    assert ", in <" not in ran.html


@pytest.mark.charts
def test_every_section_says_the_unit() -> None:
    report = lossreport.report(rich_frame(), **{**RICH, "unit": "km/h"})
    (p,) = report.predictions
    html = lossreport.render_page(report)
    size = r"[\d.,]+"
    assert p.levels
    assert re.search(rf"the MAE is {size} km/h where \|predicted\| is {size} to {size} km/h, and",
                     p.levels.sentences[0])  # fmt: skip
    assert [f.message for f in report.findings if f.code == "LR044"] == [p.levels.sentences[0]]
    said = {f.code: f.message for f in report.findings}
    assert re.search(rf"an error beyond {size} km/h make", said["LR004"])
    assert re.search(rf"actual is \+{size} km/h, ", said["LR006"])
    assert "|predicted| and MAE in km/h" in html
    assert f"predicted {MINUS} actual, km/h" in html  # the axis
    assert '<th scope="col">Predicted, km/h</th>' in html
    assert re.search(rf"90% of the errors are .{size} to \+{size} km/h for", html)
    assert "|error|, km/h (log scale)" in html
    assert '<th scope="col">|error|, km/h</th>' in html
    assert re.search(rf"Beyond an error of {size} km/h, only Zanzibar goes on", html)
    assert p.patterns[0].what == "predicted = 481.5162342 km/h"
    assert p.seen
    median = amount(p.seen.median, "km/h")
    assert f'<th scope="row">median</th><td>{median}</td>' in html
    assert f"<td>{amount(p.seen.largest**2, '(km/h)²')}</td>" in html
    moves = [g.moves for g in p.goals if g.shift]
    assert moves
    assert all(re.search(rf"by about .{size} km/h", m) for m in moves)
    assert re.search(rf"Wolverine predicts too high by {size} km/h, ", p.biased or "")
    (flip,) = p.ranking_flips
    assert len(re.findall(rf"{size} km/h", flip)) == 4
    assert "In km/h; Huber in (km/h)²" in html
    assert "Numbers are in km/h unless a note says otherwise" in html or not any(
        s.loss == "Huber" for s in p.settings
    )
    assert report.comparison
    gaps = [x for x in report.comparison.points if "higher" in x]
    assert gaps
    assert all(len(re.findall(rf"{size} km/h", x)) == 2 for x in gaps)
    assert html.count(", errors in km/h. ") == 1 + (report.comparison.without is not None)
    assert "| model | MAE, km/h | rank | RMSE, km/h |" in lossreport.to_markdown(report)
    assert "MAE, RMSE and bias in km/h" in summary(report)


def test_a_sentence_of_a_winner_has_it() -> None:
    rng = np.random.default_rng(3)
    frame = pl.DataFrame({"actual": rng.normal(0, 1, 400)})
    frame = frame.with_columns(p=pl.col("actual") + 1, q=pl.col("actual") + 0.1)
    found = lossreport.report(frame, actual="actual", predicted=["p", "q"], by="", unit="kg")
    assert found.comparison
    assert found.comparison.headline.endswith("L1 and L2: MAE 0.100 kg, RMSE 0.100 kg.")
    one = frame.head(1)
    seen = lossreport.report(one, actual="actual", predicted="p", by="", unit="kg")
    assert seen.predictions[0].seen
    assert "with an error of 1.00 kg: it is" in seen.predictions[0].seen.sentence


def test_a_sentence_of_each_verdict_has_it() -> None:
    frame = pl.DataFrame({"actual": [100.0, 100, 100], "predicted": [90.0, 95, 105]})
    why = lossreport.report(frame, by="", unit="kg").predictions[0].verdict.why
    assert "L1 (MAE) is 6.67 kg and L2 (MSE) is 50.0 kg²." in why
    rng = np.random.default_rng(3)
    biased = pl.DataFrame({"actual": 0.0, "predicted": rng.normal(0.6, 1, 500)})
    points = lossreport.report(biased, by="", unit="kg").predictions[0].verdict.points
    assert any(re.search(r"is \+[\d.]+ kg, [\d.]+% of the MAE", p) for p in points)
    costs = lossreport.report(biased, by="", unit="kg", costs=(3, 1)).predictions[0]
    assert re.search(r"move predictions by .[\d.]+ kg\.", " ".join(costs.recommendation.because))


@pytest.mark.parametrize("unit", ["<b>x</b>", "a|b`@c", "\x1b[31m", "$x$", "{{7*7}}"])
def test_a_hostile_unit_is_text(unit: str) -> None:
    report = lossreport.report(EXAMPLES / "deliveries.parquet", by="region", unit=unit)
    html, markdown = lossreport.render_page(report), lossreport.to_markdown(report)
    assert "<b>x" not in html + markdown
    assert "@c" not in markdown
    assert "a|b" not in markdown
    assert "\x1b" not in html + markdown + lossreport.to_text(report)
    assert ">49<" not in html


def test_a_unit_that_is_too_long_is_refused(run: Run) -> None:
    ran = run(EXAMPLES / "apples.csv", "--unit", "x" * 21)
    assert ran.code == 2
    assert "has 21 characters; at most 20 fit" in ran.err
    assert run(EXAMPLES / "apples.csv", "--unit", "x" * 20).code == 0


def test_a_unit_stands_after_figures_that_exist() -> None:
    assert amount(2.718, "EUR") == "2.72 EUR"
    assert amount(None, "EUR") == "\u2013"
    assert amount(2.718, None) == "2.72"
    assert [squared(u) for u in ("EUR", "km/h", "", None)] == ["EUR²", "(km/h)²", None, None]
