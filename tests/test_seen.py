"""The rows that show how L1 and L2 see a log are its own, and their shares are right."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.render.penalties import penalties
from lossreport.reports.seen import Seen
from tests.conftest import EXAMPLES


def log_of(errors: np.ndarray) -> pl.DataFrame:
    actual = np.random.default_rng(1).normal(100, 20, len(errors)).round(3)
    return pl.DataFrame({"actual": actual, "predicted": actual + errors})


def seen_in(frame: object, **options: object) -> Seen | None:
    return lossreport.report(frame, by="", **options).predictions[0].seen


def test_the_apples_are_all_shown() -> None:
    seen = seen_in(str(EXAMPLES / "apples.csv"))
    assert seen
    assert [r.absolute for r in seen.rows] == [5, 5, 10]
    assert [r.squared for r in seen.rows] == [25, 25, 100]
    assert [r.share_of_abs_error for r in seen.rows] == pytest.approx([0.25, 0.25, 0.5])
    assert [r.share_of_sq_error for r in seen.rows] == pytest.approx([1 / 6, 1 / 6, 2 / 3])
    assert "2 times as much, in L2 4 times" in seen.sentence


def test_rows_are_of_the_log_and_near_its_quantiles() -> None:
    errors = np.random.default_rng(4).standard_t(3, 5000)
    frame = log_of(errors)
    seen = seen_in(frame)
    assert seen
    assert [r.size for r in seen.rows] == [
        "median",
        "90% are smaller",
        "99% are smaller",
        "largest",
    ]
    size = (frame["predicted"] - frame["actual"]).abs().to_numpy()
    for row, level in zip(seen.rows, (0.5, 0.9, 0.99, 1.0), strict=True):
        assert frame["actual"][row.row - 1] == row.actual
        assert frame["predicted"][row.row - 1] == row.predicted
        assert row.error == pytest.approx(row.predicted - row.actual)
        assert row.absolute == pytest.approx(np.quantile(size, level), rel=0.03)
        assert row.share_of_abs_error == pytest.approx(row.absolute / size.sum())
        assert row.share_of_sq_error == pytest.approx(row.absolute**2 / (size**2).sum())


def test_no_row_is_shown_where_none_is_to_be_listed() -> None:
    seen = seen_in(log_of(np.random.default_rng(4).normal(size=500)), worst=0)
    assert seen
    assert seen.rows == ()
    assert seen.largest > seen.p99 > seen.median > 0


@pytest.mark.parametrize(
    ("errors", "says"),
    [
        ([3.0], "one row"),
        ([0.0, 0.0, 0.0, 7.0], "half of the 4 rows have no error"),
        ([2.0, -2.0, 2.0], "about as large as the median one"),
        ([1e-9, 1e-9, 1e-9, 5.0], "over a million"),
    ],
)
def test_the_sentence_is_true_at_the_edges(errors: list[float], says: str) -> None:
    frame = pl.DataFrame({"actual": [0.0] * len(errors), "predicted": errors})
    seen = seen_in(frame)
    assert seen
    assert says in seen.sentence


@pytest.mark.parametrize("errors", [[0.0, 0.0], [1e200, 1.0], []])
def test_without_errors_or_squares_there_is_nothing_to_see(errors: list[float]) -> None:
    frame = pl.DataFrame({"actual": [0.0] * len(errors), "predicted": errors}, schema={"actual": pl.Float64, "predicted": pl.Float64})  # fmt: skip
    assert seen_in(frame) is None


@pytest.mark.charts
@pytest.mark.parametrize("largest", [3.0, 11.0, 1e3, 1e9])
def test_the_chart_marks_the_errors_on_both_curves(largest: float) -> None:
    chart = penalties(Seen((), 2.0, 4.0, largest * 2, ""), "x")
    assert chart
    dots = [
        (float(x), float(y)) for x, y in re.findall(r'<circle cx="(.+?)" cy="(.+?)"', chart.svg)
    ]
    assert len(dots) == 6
    (one, both), (_, l1), (_, l2) = dots[0], dots[-2], dots[-1]
    assert dots[1] == (one, both), "a median row adds 1 to either"
    assert l2 < l1 < both, "up is less in SVG"
    if largest <= 12:  # linear: heights are in proportion to largest and its square
        assert (both - l2) / (both - l1) == pytest.approx((largest**2 - 1) / (largest - 1), rel=0.1)
    else:  # logarithmic: the square is twice as high
        assert (both - l2) / (both - l1) == pytest.approx(2, rel=0.01)
    assert 'style="' not in chart.svg
    assert chart.table[-1][0] == "largest"


@pytest.mark.parametrize("largest", [2.5, 1e200])
def test_errors_all_alike_or_beyond_floats_are_not_drawn(largest: float) -> None:
    assert penalties(Seen((), 2.0, 2.2, largest, ""), "x") is None


def test_the_lines_of_the_table_are_in_no_unit_but_the_target_s() -> None:
    chart = penalties(Seen((), 2.0, 4.0, 20.0, ""), "x")
    assert chart
    assert chart.table == (
        ("median", "2.00", "2.00", "4.00"),
        ("99% are smaller", "4.00", "4.00", "16.0"),
        ("largest", "20.0", "20.0", "400"),
    )
