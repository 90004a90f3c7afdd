"""Odd but possible logs: each report is right or says why there is none, without a NaN or a warning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.reports.results import Report

SCHEMA = json.loads((Path(lossreport.__file__).parent / "report.schema.json").read_text("utf-8"))
RNG = np.random.default_rng(20261126)
"""Every warning is an error in these tests (`filterwarnings` in pyproject.toml)."""


def report_of(
    errors: Any, *, actual: Any = None, group: Any = None, validate: bool = True
) -> tuple[Report, dict[str, Any], str]:
    """Return the report, its JSON and its page, having looked for figures that are none."""
    errors = np.asarray(errors)
    actual = np.zeros(len(errors), errors.dtype) if actual is None else np.asarray(actual)
    frame = pl.DataFrame({"actual": actual, "predicted": actual + errors})
    if group is not None:
        frame = frame.with_columns(group=pl.Series(group))
    made = lossreport.report(frame, by="" if group is None else "group")
    text = lossreport.to_json(made)
    page = lossreport.render_page(made)

    def no_number(name: str) -> None:
        raise AssertionError(f"{name} in the JSON")

    data = json.loads(text, parse_constant=no_number)
    if validate:  # it takes a minute for 10,000 groups
        jsonschema.validate(data, SCHEMA)
    words = page.replace("(NaN)", "")
    assert ">nan" not in words.lower()
    assert " nan" not in words.lower()
    assert " inf " not in words.lower()
    return made, data, page


@pytest.mark.parametrize("value", [0.1, -3.0, 1e-300, 1e300])
def test_all_errors_equal(value: float) -> None:
    made, data, _ = report_of(np.full(500, value))
    (prediction,) = made.predictions
    overall = data["predictions"][0]["overall"]
    assert overall["mae"] == pytest.approx(abs(value), rel=1e-12)
    assert overall["bias"] == pytest.approx(value, rel=1e-12)
    if overall["ratio"] is not None:  # the square may be beyond the range of floats
        assert overall["ratio"] == pytest.approx(1, rel=1e-9)
    assert prediction.recommendation.advice.loss is None
    # Where squares are beyond the range of floats, only the bin of the errors is known.
    says = "one and the same value" if overall["ratio"] else "far to one side of 0"
    assert says in prediction.recommendation.headline


@pytest.mark.parametrize("value", [1e-9, -40.0])
def test_all_errors_zero_but_one(value: float) -> None:
    made, data, _ = report_of(np.append(np.zeros(999), value))
    overall = data["predictions"][0]["overall"]
    assert overall["mae"] == pytest.approx(abs(value) / 1000, rel=1e-12)
    assert overall["ratio"] == pytest.approx(np.sqrt(1000), rel=1e-9)
    assert made.predictions[0].recommendation.advice.loss is None
    assert "Only 1 error differs from 0" in made.predictions[0].recommendation.headline


def test_two_rows() -> None:
    made, data, _ = report_of([3.0, -4.0])
    overall = data["predictions"][0]["overall"]
    assert overall["mae"] == 3.5
    assert overall["mse"] == 12.5
    assert made.predictions[0].recommendation.advice.verdict == "not-enough-rows"


def test_one_group_holding_everything() -> None:
    made, _, _ = report_of(RNG.standard_t(3, 2000), group=["all"] * 2000)
    (prediction,) = made.predictions
    (group,) = prediction.groupings[0].groups
    without_huber = [
        replace(f, huber=None, huber_delta=None) for f in (group.figures, prediction.overall)
    ]
    assert without_huber[0] == without_huber[1]
    assert (group.share_of_rows, group.share_of_sq_error) == (1.0, 1.0)
    assert group.role is None
    assert group.ratio_without is None
    assert group.recommendation.advice.loss == prediction.recommendation.advice.loss


def test_fifty_thousand_groups_of_three_rows() -> None:
    groups, rows = 50_000, 150_000
    errors = RNG.normal(size=rows)
    made, _, page = report_of(errors, group=[f"g{i % groups}" for i in range(rows)], validate=False)
    (grouping,) = made.predictions[0].groupings
    assert (len(grouping.groups), grouping.rest_groups) == (10_000, 40_000)
    rest = grouping.rest_figures
    assert rest is not None
    assert sum(g.figures.n for g in grouping.groups) + rest.n == rows
    verdicts = {g.recommendation.advice.verdict for g in grouping.groups}
    assert verdicts == {"not-enough-rows"}
    assert made.predictions[0].recommendation.advice.loss == "L2"
    assert "10,000 with the most squared error are told apart" in page


def test_whole_numbers_only() -> None:
    errors = np.round(RNG.normal(0, 4, 3000)).astype(np.int64)
    actual = RNG.integers(-(2**40), 2**40, 3000)
    made, data, _ = report_of(errors, actual=actual)
    assert data["predictions"][0]["overall"]["mae"] == pytest.approx(
        np.abs(errors).mean(), rel=1e-12
    )
    advice = made.predictions[0].recommendation.advice
    assert (advice.loss, advice.flags) == ("L2", ("rounded",))


def test_errors_of_all_sizes() -> None:
    errors = 10.0 ** RNG.uniform(-300, 300, 1000) * RNG.choice([-1, 1], 1000)
    made, data, _ = report_of(errors, group=np.arange(1000) % 3)
    overall = data["predictions"][0]["overall"]
    assert overall["mae"] == pytest.approx(np.abs(errors / 1000).sum(), rel=1e-9)
    assert (overall["mse"], overall["ratio"]) == (None, None)
    for advice in [made.predictions[0].recommendation.advice]:
        assert advice.loss != "L2"
        assert all(np.isfinite([e.value, e.low, e.high]).all() for e in advice.efficiency)


def test_a_constant_actual() -> None:
    made, data, _ = report_of(RNG.laplace(size=5000), actual=np.full(5000, 20.0))
    assert made.predictions[0].recommendation.advice.loss == "L1"
    assert data["predictions"][0]["overall"]["mean_actual"] == 20.0


def test_a_constant_prediction() -> None:
    actual = RNG.normal(20, 3, 5000)
    made, _, _ = report_of(7.0 - actual, actual=actual)
    (found,) = [f for f in made.findings if f.code == "LR020"]
    assert (found.status, found.message[:5]) == ("issue", "Every")
    assert made.predictions[0].recommendation.advice.loss == "L2"


@pytest.mark.parametrize("size", [1.7e308, 1e307, 1e160, 1e-200])
def test_errors_at_the_ends_of_the_floats(size: float) -> None:
    report_of(np.array([size, -size, size / 2] * 30))
    report_of(np.array([1.0 - size, size] * 60), actual=np.array([size, 0.0] * 60))
