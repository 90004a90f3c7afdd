"""Texts, integers and dates of a log as numbers and times."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import lossreport
from lossreport.errors import UsageError
from lossreport.logs.times import time, time_format
from lossreport.logs.values import MISSING_TOKENS, exact_difference, number

MOMENT = datetime(2024, 1, 31, 8, 0, 5)


def read(values, dtype=pl.String, *, exact=False):
    frame = pl.DataFrame({"v": values}, schema={"v": dtype})
    return frame.select(number("v", frame.schema["v"], "n", exact=exact))


def times(values, dtype=pl.String):
    frame = pl.DataFrame({"t": values}, schema={"t": dtype})
    dtype = frame.schema["t"]
    fmt = time_format(frame["t"]) if dtype == pl.String else None
    return frame.select(time("t", dtype, fmt).alias("t"))["t"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), (" -2.5\t", -2.5), ("+3e2", 300.0), (".5", 0.5), ("1e-400", 0.0),
     ("1e400", math.inf), ("-inf", -math.inf), ("Infinity", math.inf), ("NaN", math.nan),
     ("\u00a07\u00a0", 7.0)],
)  # fmt: skip
def test_numbers_are_read_out_of_text_even_beyond_the_range_of_floats(text, value):
    assert read([text]).row(0) == pytest.approx((value, False), nan_ok=True)


@pytest.mark.parametrize("token", [*MISSING_TOKENS, "N/A", " NULL ", "  ", "<NA>", None])
def test_tokens_for_no_value_are_missing_in_any_case_and_blanks(token):
    assert read([token]).row(0) == (None, False)


@pytest.mark.parametrize(
    "text", ["1,5", "1 000", "1_000", "0x10", "1%", "$5", "abc", "yes", "1e", "--5", "#REF!"]
)
@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical])
def test_text_that_is_no_number_is_marked_and_never_guessed(text, dtype):
    assert read([text], dtype).row(0) == (None, True)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Boolean, pl.Null])
def test_typed_columns_become_floats_and_keep_their_nulls(dtype):
    values = [None if dtype == pl.Null else dtype == pl.Boolean or 1, None]
    got = read(values, dtype)["n"]
    assert got.dtype == pl.Float64
    assert got.to_list() == values


@pytest.mark.parametrize("dtype", [pl.Date, pl.Datetime, pl.List(pl.Int64), pl.Binary, pl.Duration])
def test_a_type_that_holds_no_numbers_is_refused_by_name(dtype):
    with pytest.raises(UsageError, match=r"Column 'v' holds .* no number"):
        read([], dtype)


@pytest.mark.parametrize(
    ("left", "right"),
    [([2**53 + 1], [2**53]), ([2**63 - 1], [2**63 - 2]),
     ([Decimal("9007199254740993.01")], [Decimal("9007199254740993.00")])],
)  # fmt: skip
def test_large_nearly_equal_values_are_subtracted_without_loss(left, right):
    frame = pl.DataFrame({"a": left, "b": right})
    a, b = frame.schema["a"], frame.schema["b"]
    assert exact_difference(a, b)
    assert not exact_difference(a, pl.Float64())
    sides = [*number("a", a, "a", exact=True), *number("b", b, "b", exact=True)]
    got = frame.select(sides).select((pl.col("a") - pl.col("b")).cast(pl.Float64))
    assert got.item() == float(left[0] - right[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2024-01-31T08:00:05Z", MOMENT), ("2024-01-31 10:00:05+02:00", MOMENT),
     ("2024-01-31T03:00:05.5-0500", MOMENT.replace(microsecond=500_000)),
     ("2024-01-31T08:00:05", MOMENT), (" 2024-01-31 08:00:05", MOMENT),
     ("2024-01-31 08:00", MOMENT.replace(second=0)), ("2024-01-31", datetime(2024, 1, 31)),
     ("2024/01/31", datetime(2024, 1, 31)), ("31/01/2024", datetime(2024, 1, 31)),
     ("01/31/2024", datetime(2024, 1, 31)), ("31.01.2024 08:00", MOMENT.replace(second=0)),
     ("20240131", datetime(2024, 1, 31))],
)  # fmt: skip
def test_times_in_text_are_read_and_brought_to_utc(text, expected):
    assert times([text, None, ""]).to_list() == [expected, None, None]


def test_one_row_settles_whether_the_day_comes_first():
    assert times(["01/02/2024", "13/02/2024"])[0] == datetime(2024, 2, 1)
    assert times(["01/02/2024", "02/13/2024"])[0] == datetime(2024, 1, 2)


@pytest.mark.parametrize(
    "texts",
    [["01/02/2024"], ["05/05/2024", "06/07/2024"], ["01/02/2024 10:00"],  # day or month first?
     ["13/02/2024", "02/13/2024"], ["2024-01-31", "31.01.2024"], ["2024-01-31", "soon"],
     ["1700000000"], ["12:30"], ["2024-02-30"], [], ["", None]],
)  # fmt: skip
def test_no_format_is_guessed_where_none_or_two_would_do(texts):
    assert time_format(pl.Series(texts, dtype=pl.String)) is None


@pytest.mark.parametrize("text", ["25/12/20", "12/25/20", "31.12.24", "24-12-31"])
def test_a_year_of_two_digits_is_not_read_as_one_of_antiquity(text):
    assert time_format(pl.Series([text])) is None


@pytest.mark.parametrize("per_second", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("moment", [MOMENT, datetime(1987, 6, 5, 4, 3, 2)])
def test_epoch_integers_are_read_in_the_unit_of_their_size(per_second, moment):
    seconds = int(moment.replace(tzinfo=UTC).timestamp())
    assert times([seconds * per_second, None], pl.Int64).to_list() == [moment, None]


def test_typed_times_become_naive_utc_microseconds():
    zoned = [MOMENT.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=9)))]
    for got in (
        times(zoned, pl.Datetime("ms", "Asia/Tokyo")),
        times([MOMENT], pl.Datetime("ns")),
    ):
        assert got.dtype == pl.Datetime("us")
        assert got.to_list() == [MOMENT]
    assert times([date(2024, 1, 31)], pl.Date).to_list() == [datetime(2024, 1, 31)]


@pytest.mark.parametrize("dtype", [pl.Duration, pl.Boolean, pl.String, pl.Time])
def test_what_cannot_be_time_is_refused_with_the_way_out(dtype):
    with pytest.raises(UsageError, match=r"'t'.*--time ''"):
        times([None], dtype)


BIG = 2**60


@pytest.mark.parametrize("ending", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize(
    ("pairs", "mae"),
    [
        ([(str(BIG + i), str(BIG + i + 10)) for i in range(50)], 10.0),
        ([("1", "1")] * 30_000 + [(str(BIG), str(BIG + 30_001))], 1.0),  # far from the start
        ([("12345678901234567.25", "12345678901234567.75"), (str(BIG), str(BIG + 1))], 0.75),
        ([("0.123456789012345678", "0.123456789012345679")], 1e-18),
        ([("1e3", "1001"), (str(-BIG), str(-BIG - 3))], 2.0),
        ([("9" * 38, "-" + "9" * 38)], 2e38),
    ],
)
def test_numbers_in_text_keep_more_digits_than_a_float_has(
    tmp_path: Path, ending: str, pairs: list[tuple[str, str]], mae: float
) -> None:
    frame = pl.DataFrame(pairs, schema=["actual", "predicted"], orient="row")
    path = tmp_path / f"log.{ending}"
    {"csv": frame.write_csv, "ndjson": frame.write_ndjson, "parquet": frame.write_parquet}[ending](
        path
    )
    figures = lossreport.report(path, by="").predictions[0].overall
    assert figures.mae == pytest.approx(mae, rel=1e-12)


def test_a_long_number_that_stands_for_no_value_has_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"actual,predicted\n{BIG},{BIG + 1}\n{BIG},-1\n{BIG},x\n")
    made = lossreport.report(path, by="", missing=["-1"]).predictions[0]
    assert made.rows.scored == 1


def test_long_numbers_with_marks_and_a_side_of_whole_numbers(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("actual;predicted\n1.152.921.504.606.846.976,5;1.152.921.504.606.846.986,75\n")
    assert lossreport.report(path, by="").predictions[0].overall.mae == 10.25
    frame = pl.DataFrame({"actual": [BIG], "predicted": [str(BIG + 7)]})
    assert lossreport.report(frame, by="").predictions[0].overall.mae == 7
