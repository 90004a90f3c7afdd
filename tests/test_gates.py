"""Gates: what trips, what passes, and that what cannot be decided never passes silently."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossreport
from lossreport.gates.gate import Check, Gate
from lossreport.gates.judging import judge
from lossreport.gates.values import FIGURES, OF_GROUPS, Place, value_of
from lossreport.gates.wording import value_words
from lossreport.render.markdown import to_markdown
from lossreport.render.page import render_page
from lossreport.render.plain_text import to_text
from lossreport.render.report_json import to_json
from lossreport.reports.results import Report
from tests.conftest import EXAMPLES
from tests.test_cli import valid

RNG = np.random.default_rng(5)
SITES = np.repeat(["a", "b", "c"], [200, 100, 20])
ACTUAL = RNG.normal(50, 9, len(SITES))
ERROR = RNG.normal(size=len(SITES)) * np.where(SITES == "b", 3.0, 1.0)
FRAME = pl.DataFrame({"actual": ACTUAL, "predicted": ACTUAL + ERROR, "site": SITES})
REPORT: Report = lossreport.report(FRAME, by="site")
NOTHING: Report = lossreport.report(FRAME.with_columns(actual=pl.lit(None, pl.Float64)), by="site")


def data_of(report: Report) -> dict[str, Any]:
    return json.loads(to_json(report))


def checks(gate: Gate, report: Report = REPORT, **options: Any) -> tuple[Check, ...]:
    (judged,) = judge(report, [gate], **options).gates
    return judged.checks


def statuses(gate: Gate, report: Report = REPORT, **options: Any) -> dict[str, tuple[str, bool]]:
    return {c.where: (c.status, c.undecided) for c in checks(gate, report, **options)}


def test_a_limit_trips_beyond_it_and_not_at_it() -> None:
    mae = float(np.abs(FRAME["predicted"] - FRAME["actual"]).mean())  # type: ignore[arg-type]
    value = REPORT.predictions[0].overall.mae
    assert value == pytest.approx(mae, rel=1e-12)
    assert value is not None
    for limit, status in ((math.nextafter(value, 0), "failed"), (value, "passed")):
        assert statuses(Gate(figure="mae", max=limit)) == {"all rows": (status, False)}
    for limit, status in ((math.nextafter(value, 9), "failed"), (value, "passed")):
        assert statuses(Gate(figure="mae", min=limit)) == {"all rows": (status, False)}
    assert statuses(Gate(figure="mae", max=0, action="warn")) == {"all rows": ("warned", False)}


@pytest.mark.parametrize(
    ("figure", "value", "limit"),
    [
        ("mae", "{:.2f} EUR/h", "0.1 EUR/h"),
        ("mse", "{:.2f} (EUR/h)²", "0.1 (EUR/h)²"),
        ("ratio", "{:.2f}", "0.1"),
    ],
)
def test_figures_and_limits_have_their_unit(figure: str, value: str, limit: str) -> None:
    (judged,) = judge(replace(REPORT, unit="EUR/h"), [Gate(figure=figure, max=0.1)]).gates
    (check,) = judged.checks
    found = value.format(getattr(REPORT.predictions[0].overall, figure))
    assert check.said.endswith(f" is {found}, above {limit}.")
    assert judged.condition.endswith(f" at most {limit}")


def test_every_group_is_judged_by_its_own_figure() -> None:
    gate = Gate(figure="rmse", by=("site",), max=2.0)
    for check in checks(gate):
        (site,) = check.key
        of = ERROR[site == SITES]
        assert check.value == pytest.approx(math.sqrt(np.mean(of**2)), rel=1e-9)
        assert (check.status == "failed") == (check.value > 2)  # type: ignore[operator]
        assert check.rows == len(of)
    assert len(checks(gate)) == 3
    assert statuses(replace(gate, group=("b",))) == {"site = b": ("failed", False)}


@pytest.mark.parametrize(
    ("gate", "report", "says"),
    [
        (Gate(figure="mae", max=9), NOTHING, "MAE does not exist: no row is scored."),
        (Gate(figure="ratio", min=0, by=("site",), group=("a",)), NOTHING, "no row is scored"),
        (Gate(figure="mae", max=9, min_rows=321), REPORT, "320 rows scored, fewer than the 321"),
        (Gate(figure="mae", max=9, by=("site",), group=("d",)), REPORT, "no such group"),
        (Gate(figure="mae", max=9, by=("model",)), REPORT, "no such grouping"),
        (Gate(figure="mae", max=9, predicted="q"), REPORT, "no such prediction"),
        (Gate(figure="mae", max_change=0.1), REPORT, "MAE has no baseline to compare with."),
        (Gate(findings=("LR999",)), REPORT, "no such check"),
        (Gate(findings=("LR010",)), REPORT, "Not checked"),
        (Gate(severity="error"), NOTHING, "No row is scored"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_fails_unless_told_otherwise(
    gate: Gate, report: Report, says: str
) -> None:
    for undecided, status in (("fail", "failed"), ("warn", "warned"), ("pass", "passed")):
        found = [c for c in checks(replace(gate, undecided=undecided), report) if c.undecided]
        assert [c.status for c in found] == [status]
        assert says in found[0].said
        shown = " ".join(to_text(judge(report, [replace(gate, undecided=undecided)])).split())
        assert f"undecided: {'let pass' if status == 'passed' else status}" in shown


@given(
    value=st.one_of(st.none(), st.floats()),
    low=st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    high=st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    rows=st.integers(0, 40),
)
def test_a_gate_passes_only_a_finite_figure_of_enough_rows_within_its_limits(
    value: float | None, low: float | None, high: float | None, rows: int
) -> None:
    p = REPORT.predictions[0]
    p = replace(p, overall=replace(p.overall, bias=value), rows=replace(p.rows, scored=rows))
    gate = Gate(figure="bias", min=low, max=high, min_rows=20)
    (check,) = checks(gate, replace(REPORT, predictions=(p,)))
    good = value is not None and math.isfinite(value) and rows >= 20
    if good and value is not None:
        good = (low is None or value >= low) and (high is None or value <= high)
    assert (check.status == "passed") == good


def test_all_figures_that_a_gate_may_name_exist() -> None:
    prediction = REPORT.predictions[0]
    group = prediction.groupings[0].groups[0]
    place = Place(prediction.predicted, group.rows, group.figures, ("site",), group)
    for figure in FIGURES:
        value = value_of(place, figure)
        assert value is None or isinstance(value, int | float), figure
    whole = Place(prediction.predicted, prediction.rows, prediction.overall)
    assert [f for f in OF_GROUPS if value_of(whole, f) is not None] == []


def test_the_share_left_out_is_of_the_rows_read_and_exists_where_nothing_is_scored() -> None:
    gate = Gate(figure="left_out_share", max=0.25)
    (check,) = checks(gate, NOTHING)
    assert (check.value, check.status, check.undecided) == (1.0, "failed", False)
    part = FRAME.with_columns(
        actual=pl.when(pl.int_range(pl.len()) < 80).then(None).otherwise(pl.col("actual"))
    )
    (check,) = checks(gate, lossreport.report(part, by=""))
    assert Fraction(check.value or 0) == Fraction(80, 320)
    assert check.status == "passed"


@pytest.mark.parametrize(
    ("base", "status", "undecided"),
    [(1.0, "failed", False), (2.0, "passed", False), (0.0, "failed", True), (None, "failed", True),
     (math.nan, "failed", True)],
)  # fmt: skip
def test_a_change_is_relative_to_the_baseline(
    base: float | None, status: str, undecided: bool
) -> None:
    gate = Gate(figure="mae", max_change=0.1)
    asked: list[tuple[str, str]] = []

    def before(report: Report, place: Place, figure: str) -> float | None:
        asked.append((place.predicted, figure))
        return base

    found = statuses(gate, before=before)
    assert found == {"all rows": (status, undecided)}
    valid(data_of(judge(REPORT, [gate], before)))
    assert set(asked) == {("predicted", "mae")}
    p = REPORT.predictions[0]
    fallen = replace(p, overall=replace(p.overall, bias=-3.0))
    gate = Gate(figure="bias", min_change=-0.5, max_change=0.5)
    (check,) = checks(gate, replace(REPORT, predictions=(fallen,)), before=lambda *_: -2.0)
    assert check.status == "passed"  # exactly half of |-2| less
    assert "\u221250.0%" in check.said


def test_a_limit_is_not_hidden_by_a_change_that_cannot_be_decided() -> None:
    gate = Gate(figure="mae", max=0.001, max_change=0.1, undecided="pass")
    assert statuses(gate) == {"all rows": ("failed", False)}


def test_findings_trip_by_code_and_by_severity() -> None:
    frame = FRAME.with_columns(
        actual=pl.when(pl.int_range(pl.len()) < 200).then(None).otherwise(pl.col("actual"))
    )
    report = lossreport.report(frame, by="")
    (lr001,) = (f for f in report.findings if f.code == "LR001")
    assert (lr001.status, lr001.severity) == ("issue", "error")
    assert statuses(Gate(findings=("LR001", "LR002")), report) == {
        "LR001": ("failed", False),
        "LR002": ("passed", False),
    }
    assert statuses(Gate(severity="error"), report)["LR001"] == ("failed", False)
    (lr009,) = (f for f in REPORT.findings if f.code == "LR009")
    assert (lr009.status, lr009.severity) == ("issue", "info")
    for severity, status in (("info", "failed"), ("warning", "passed")):
        gate = Gate(findings=("LR009",), severity=severity)  # type: ignore[arg-type]
        assert statuses(gate) == {"LR009": (status, False)}
    clean = lossreport.report(FRAME.filter(pl.col("site") == "a"), by="")
    assert statuses(Gate(severity="error"), clean) == {"all findings": ("passed", False)}


def test_several_predictions_are_told_apart() -> None:
    frame = FRAME.with_columns(worse=pl.col("actual") + 9)
    report = lossreport.report(frame, predicted=["predicted", "worse"], by="")
    found = [(c.predicted, c.status) for c in checks(Gate(figure="mae", max=5), report)]
    assert found == [("predicted", "passed"), ("worse", "failed")]
    (only,) = checks(Gate(figure="mae", max=5, predicted="predicted"), report)
    assert only.status == "passed"


def test_missing_and_odd_group_values_can_be_named() -> None:
    frame = FRAME.with_columns(site=pl.Series([None] * 200 + ["(missing)"] * 100 + ["a, b\n"] * 20))
    report = lossreport.report(frame, by="site")
    for name, rows in (("(missing)", 200), ('"(missing)"', 100), ("a, b\n", 20)):
        gate = Gate(figure="n", by=("site",), group=(name,), min=0)
        assert [c.value for c in checks(gate, report)] == [rows]


def test_groups_that_are_not_told_apart_are_undecided() -> None:
    private = lossreport.report(FRAME, by="site", private=True)
    found = statuses(Gate(figure="mae", by=("site",), max=99), private)
    assert found["2 groups by site"] == ("failed", True)
    assert len(found) == 2
    gate = Gate(figure="mae", by=("site",), group=("a",), max=99)
    judged = judge(private, [gate])
    assert [c.status for c in judged.gates[0].checks] == ["passed"]
    told = str(judged.gates) + str(json.loads(to_json(judged))["gates"]) + to_markdown(judged)
    assert "'a'" not in told
    assert "site = a" not in told
    (check,) = checks(Gate(figure="max_abs_error", max=99), private)
    assert (check.undecided, check.said) == (
        True,
        "Largest |error| does not exist: this report does not tell it.",
    )


@given(
    value=st.floats(-1e12, 1e12, allow_nan=False),
    limit=st.floats(-1e12, 1e12, allow_nan=False),
    figure=st.sampled_from(["mae", "left_out_share", "n"]),
)
def test_a_figure_reads_on_its_own_side_of_its_limit(
    value: float, limit: float, figure: str
) -> None:
    for x in (limit, math.nextafter(value, limit)):
        text = value_words(figure, value, [x]).replace("\u2212", "-").replace(",", "")
        if figure == "left_out_share":
            shown, asked, exact = float(text.strip("%<>")), 100 * x, 100 * value
        else:
            shown, asked, exact = float(text), x, value
        assert (shown > asked, shown < asked) == (exact > asked, exact < asked)


def test_the_outputs_list_every_gate_and_the_page_opens_with_those_not_met() -> None:
    hostile = Gate(name="<script>alert(1)</script> | @all", figure="mae", max=0.5)
    gates = [Gate(figure="rmse", by=("site",), max=99), hostile, Gate(findings=("LR010",))]
    judged = judge(REPORT, gates)
    data = data_of(judged)
    valid(data)
    assert [g["status"] for g in data["gates"]] == ["passed", "failed", "failed"]
    assert [g["undecided"] for g in data["gates"]] == [0, 0, 1]
    assert len(data["gates"][0]["checks"]) == 3
    assert data["gates"][1]["gate"]["max"] == 0.5
    page = render_page(judged)
    assert "<script>alert" not in page
    assert page.index("Gates failed") < page.index('id="p0-verdict"')
    assert "<title>Gate failed" in page
    assert "Of 3 gates, 2 failed and 1 passed; 1 could not be decided everywhere." in page
    assert "\\| &#64;all" in to_markdown(judged)
    plain = data_of(REPORT)
    assert plain["gates"] == []
    assert 'id="gates"' not in render_page(REPORT)


def test_the_schema_refuses_a_gate_without_checks() -> None:
    data = data_of(judge(REPORT, [Gate(figure="mae", max=1)]))
    data["gates"][0]["checks"] = []
    with pytest.raises(jsonschema.ValidationError):
        valid(data)


def test_judging_is_repeatable_and_leaves_the_rest_alone() -> None:
    gates = [Gate(figure="mae", by=("site",), max=1)]
    once = judge(REPORT, gates)
    assert judge(once, gates) == once
    assert replace(once, gates=()) == REPORT
    report = lossreport.report(EXAMPLES / "apples.csv")
    assert render_page(judge(report, ())) == render_page(report)


def test_a_baseline_is_found_by_prediction_group_and_figure() -> None:
    def place(key: str | None, mae: float | None, rows: float) -> SimpleNamespace:
        at = (("site",), (key,)) if key else ((), ())
        return SimpleNamespace(
            place=SimpleNamespace(predicted="predicted", by=at[0], key=at[1]),
            differences=(
                SimpleNamespace(figure="mae", before=mae),
                SimpleNamespace(figure="rows", before=rows),
            ),
        )

    changes = SimpleNamespace(places=(place(None, 9.0, 640.0), place("a", None, 200.0)))
    report = replace(REPORT, changes=changes)
    (rows,) = checks(Gate(figure="read", min_change=-0.4), report)
    assert (rows.status, rows.value, rows.baseline) == ("failed", 320, 640.0)
    assert rows.said.endswith("changed by \u221250.0% since the baseline, less than \u221240%.")
    (mae,) = checks(Gate(figure="mae", max_change=0.0), report)
    assert (mae.status, mae.baseline) == ("passed", 9.0)
    found = checks(Gate(figure="mae", by=("site",), max_change=9.0), report)
    assert all(c.undecided and c.status == "failed" and c.baseline is None for c in found)
    (of_a,) = checks(Gate(figure="read", by=("site",), group=("a",), max_change=0.0), report)
    assert (of_a.status, of_a.baseline) == ("passed", 200.0)
    (other,) = checks(Gate(figure="rmse", max_change=9.0), report)
    assert other.undecided
