"""pandas' frames become the same logs with PyArrow and, as in a plain installation, without."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_series_equal

import lossreport
from lossreport.errors import LossReportError, UsageError
from lossreport.logs import frames, pandas_frames
from lossreport.logs.pandas_frames import polars_of

TIMES = pd.to_datetime(pd.Series(["2026-11-01 12:00:00.123", None, "2026-03-29 00:30:00.000"]))
COLUMNS: dict[str, Any] = {
    "float64": [1.5, np.nan, -0.0],
    "float32": np.array([1.5, np.inf, 2], dtype="float32"),
    "int64": [2**62 + 1, -3, 0],
    "uint8": np.array([1, 2, 255], dtype="uint8"),
    "bool": [True, False, True],
    "Int64": pd.array([2**62 + 1, None, 3], dtype="Int64"),
    "UInt64": pd.array([2**64 - 1, None, 3], dtype="UInt64"),
    "Float64": pd.array([1.5, None, 3], dtype="Float64"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "str": ["a", None, "<b>ü"],
    "string": pd.array(["a", None, ""], dtype="string"),
    "object": pd.array(["a", None, "c"], dtype=object),
    "objects that are numbers": pd.array([1.5, None, 2.5], dtype=object),
    "whole numbers among floats": pd.array([1, None, 2.5], dtype=object),
    "decimal": pd.array([Decimal("1.25"), None, Decimal("-3.50")], dtype=object),
    "date": pd.array([date(2026, 11, 1), None, date(1969, 1, 1)], dtype=object),
    "category": pd.Categorical(["x", None, "y"], categories=["y", "x", "unused"]),
    "category of numbers": pd.Categorical([3, 1, 3]),
    "time": TIMES,
    "seconds": TIMES.astype("datetime64[s]"),
    "UTC": TIMES.dt.tz_localize("UTC"),
    "Berlin": TIMES.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
    "duration": pd.to_timedelta(pd.Series([1, None, 3]), unit="s"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_has_the_values_that_pyarrow_gives_it(name: str) -> None:
    frame = pd.DataFrame({name: COLUMNS[name]})
    wanted = nw.from_native(frame, eager_only=True).to_polars()[name]
    found = polars_of(frame)[name]
    if wanted.dtype.is_temporal() and not isinstance(wanted.dtype, pl.Date):
        assert getattr(found.dtype, "time_zone", None) == getattr(wanted.dtype, "time_zone", None)
    assert_series_equal(found.cast(wanted.dtype), wanted, check_names=True)
    assert found.null_count() == wanted.null_count()


def test_what_polars_has_no_type_for_is_text() -> None:
    frame = pd.DataFrame(
        {
            "period": pd.period_range("2026-10", periods=2, freq="M"),
            "long": np.array([1.5, 2.5], dtype=np.longdouble),
            "mixed": pd.array([1.5, "n/a"], dtype=object),
            3: ["a name", "that is none"],
        }
    )
    made = polars_of(frame)
    assert made.to_dict(as_series=False) == {
        "period": ["2026-10", "2026-11"], "long": [1.5, 2.5], "mixed": ["1.5", "n/a"], "3": ["a name", "that is none"],
    }  # fmt: skip


def test_the_report_is_the_same_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    actual = rng.normal(100, 10, 500)
    frame = pd.DataFrame(
        {
            "actual": pd.array(actual, dtype="Float64"),
            "predicted": [("n/a" if i % 50 == 0 else f"{a + 1:.3f}") for i, a in enumerate(actual)],
            "region": pd.Categorical(rng.choice(["emea", "<b>"], 500)),
            "when": pd.date_range("2026-11-01", periods=500, freq="h", tz="UTC"),
        }
    )
    frame.loc[7, ["actual", "region"]] = None
    wanted = lossreport.to_json(lossreport.report(frame))
    # Then no column is held by it.
    monkeypatch.setattr(pandas_frames, "_of_arrow", lambda *_: None)
    assert lossreport.to_json(lossreport.report(frame)) == wanted
    with pytest.raises(LossReportError, match="is no log"):
        frames.open_frame(frame["actual"])


def test_no_type_of_one_column_stops_the_others() -> None:
    frame = pd.DataFrame({"actual": [1.0, 2.0, 4.0] * 20, "predicted": 2.0})
    frame["complex"] = 1j
    frame["sparse"] = pd.arrays.SparseArray([0, 1] * 30)
    frame["period"] = pd.period_range("2026-01", periods=60, freq="M")
    frame["bin"] = pd.cut(frame["actual"], 2)
    frame["huge"] = pd.array([10**30] * 60, dtype=object)
    frame["list"] = [[1]] * 60
    (prediction,) = lossreport.report(frame, by=["complex", "sparse", "bin", "huge"]).predictions
    assert prediction.overall.n == 60
    assert [len(g.groups) for g in prediction.groupings] == [1, 2, 2, 1]
    text = pd.Series(["\ud800"] * 60, dtype=object)
    with pytest.raises(
        UsageError, match=r"Column 'text' of the frame cannot be read: .*surrogates"
    ):
        lossreport.report(frame.assign(text=text))
    with pytest.raises(UsageError, match="two columns of one name") as caught:
        lossreport.report(pd.concat([frame, frame], axis=1))
    assert "\n" not in str(caught.value)
