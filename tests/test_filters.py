"""Filters select exactly the rows of a group: each is run in its own language."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

import lossreport
from lossreport.profiles.file import _columns, load_profile, save_profile
from lossreport.profiles.profile import Profile
from lossreport.reports.filters import LONGEST, Filters, filters_for

NAN = float("nan")
HOSTILE = ["a'b", 'c"d', "e\nf", "g\\h", "\u202ei", "", " ", "NULL", "é; DROP TABLE log; --", "0"]
COLUMNS: dict[str, list[object]] = {
    "integer": [1, -2, None, 2**40],
    "float": [0.1, 1e20, NAN, None, -3.0, float("inf"), 1 / 3],
    "boolean": [True, False, None],
    "date": [date(2026, 1, 2), date(1999, 12, 31), None],
    "moment": [datetime(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, 600), None],
    "zoned": [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 7, 2, 3, 4, 5, tzinfo=UTC)],
    "text": [*HOSTILE, None],
    "clock": [time(1, 2, 3), time(23, 59, 59), None],
    "decimal": [Decimal("1.50"), Decimal("-2.00"), None],
}


def selected(filters: Filters, log: pl.DataFrame, frame: pd.DataFrame) -> list[list[int]]:
    """Return the rows (by `row`) that each of the three filters selects."""
    assert filters.sql is not None
    polars = eval(filters.polars, {"pl": pl, "log": log})
    pandas = eval(filters.pandas, {"pd": pd, "log": frame})
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    connection.register("log", log.to_arrow())
    sql = connection.execute(filters.sql).fetchall()
    at = log.columns.index("row")
    return [polars["row"].to_list(), sorted(r[at] for r in sql), pandas["row"].tolist()]


def profile_of(log: pl.DataFrame, by: list[str]) -> Profile:
    rows = log.with_columns(actual=pl.lit(0.0), predicted=pl.lit(1.0))
    return lossreport.profile(rows, actual="actual", predicted="predicted", by=[tuple(by)], time="")


def check_every_group(log: pl.DataFrame, by: list[str], frame: pd.DataFrame) -> int:
    """Check the filters of all groups against each other: together they are the log, once."""
    profile = profile_of(log, by)
    table = profile.tables[0].moments
    seen: list[int] = []
    for *key, n in table.select([f"key_{i}" for i in range(len(by))] + ["n"]).rows():
        filters = filters_for(by, key, profile.columns.kinds)
        assert filters is not None
        polars, sql, pandas = selected(filters, log, frame)
        assert polars == sql == pandas, filters
        assert len(polars) == n, filters
        seen += polars
    assert sorted(seen) == log["row"].to_list()
    return table.height


@pytest.mark.parametrize("kind", COLUMNS)
def test_each_kind_of_value_is_selected(kind: str, tmp_path: Path) -> None:
    values = COLUMNS[kind] * 2
    log = pl.DataFrame({"x": values, "row": range(len(values))}, strict=False)
    log.write_parquet(tmp_path / "log.parquet")
    groups = check_every_group(log, ["x"], pd.read_parquet(tmp_path / "log.parquet"))
    missing = {None if v != v else v for v in COLUMNS[kind]}
    assert groups == len(missing)


@pytest.mark.parametrize(
    "dtype", [pl.Float32, pl.UInt64, pl.Categorical, pl.Enum(["7", "8"]), pl.Datetime("ns")]
)
def test_other_types_of_a_kind(dtype: pl.DataType) -> None:
    number = [7, 8, 7, None]
    if dtype == pl.Float32:
        x = pl.Series("x", [0.1, 1e10, 1 / 3, None], dtype)
    elif dtype in (pl.Categorical, pl.Enum):
        x = pl.Series("x", ["7", "8", "7", None], dtype)
    elif dtype == pl.UInt64:
        x = pl.Series("x", [2**63, 2**64 - 1, 5], dtype)
    else:
        x = pl.Series("x", [None if n is None else 10**18 + n for n in number]).cast(dtype)
    log = pl.DataFrame({"x": x}).with_row_index("row")
    check_every_group(log, ["x"], log.to_pandas())


@pytest.mark.parametrize("name", ["a b", 'say "x"', "it's", "log", "select", "é", "a.b"])
def test_hostile_names_of_columns(name: str) -> None:
    log = pl.DataFrame({name: [1, 2, None], "n1": [1, 1, 1], "row": [0, 1, 2]})
    check_every_group(log, [name, "n1"], log.to_pandas())


@pytest.mark.parametrize("name", ["^n.*$", "*", "^a b-c$"])
def test_names_that_polars_takes_for_patterns(name: str) -> None:
    log = pl.DataFrame([pl.Series(name, [1, 2]), pl.Series("n1", [1, 1])])
    filters = filters_for([name], ["2"], ["integer"])
    assert filters is not None
    assert eval(filters.polars, {"pl": pl, "log": log}).rows() == [(2, 1)]


def test_several_columns_together() -> None:
    log = pl.DataFrame(
        {
            "a": ["x", "x", "y", None, None],
            "b": [1, 2, 1, 1, None],
            "c": [0.5, NAN, None, 0.5, 0.5],
            "row": range(5),
        }
    )
    check_every_group(log, ["a", "b", "c"], log.to_pandas())


def test_columns_of_a_text_file_as_readers_take_them(tmp_path: Path) -> None:
    start = date(2026, 1, 1)
    rows = pl.DataFrame(
        {
            "actual": [0.0] * 8,
            "predicted": [1.0] * 8,
            "n": [1, 2, None, 10] * 2,
            "flag": [True, False, None, True] * 2,
            "word": ["a'b", "c d", "e", None] * 2,
            "day": [start + timedelta(i % 2) for i in range(8)],
            "row": range(8),
        }
    )
    path = tmp_path / "log.csv"
    rows.write_csv(path)
    profile = lossreport.profile(path, by=["n", "flag", "word", "day"], time="")
    assert set(profile.columns.kinds) == {"written"}
    for column in ("n", "flag", "word", "day"):
        for key, n in profile.table((column,)).moments.select("key_0", "n").rows():
            filters = filters_for([column], [key], ["written"])
            assert filters is not None
            for log in (pl.read_csv(path), pl.read_csv(path, infer_schema=False)):
                assert eval(filters.polars, {"pl": pl, "log": log}).height == n
            for frame in (pd.read_csv(path), pd.read_csv(path, dtype=str)):
                assert len(eval(filters.pandas, {"pd": pd, "log": frame})) == n
            for text in ("false", "true"):
                log = f"read_csv('{path}', all_varchar = {text})"
                found = duckdb.sql(filters.sql.replace("FROM log", f"FROM {log}"))
                assert len(found.fetchall()) == n, (filters, text)


def test_no_filter_is_given_that_may_be_wrong(tmp_path: Path) -> None:
    assert filters_for(["a", "b"], ["x", "y"], ["text", ""]) is None
    assert filters_for(["a"], ["x"], [""]) is None
    assert filters_for(["a"], ["x" * (LONGEST + 1)], ["text"]) is None
    odd = filters_for(["a\u202eb"], ["x"], ["text"])
    assert odd is not None
    assert odd.sql is None
    assert "\u202e" not in odd.polars + odd.pandas
    fields = pl.DataFrame({"s": [{"x": 1}], "actual": [0.0], "predicted": [1.0]})
    assert lossreport.profile(fields, by="s.x").columns.kinds == ("",)


def test_kinds_are_saved_and_merge(tmp_path: Path) -> None:
    one = profile_of(pl.DataFrame({"x": [1], "row": [0]}), ["x"])
    other = profile_of(pl.DataFrame({"x": ["1"], "row": [0]}), ["x"])
    assert one.columns.kinds == ("integer",)
    assert lossreport.merge([one, one]).columns.kinds == ("integer",)
    assert lossreport.merge([one, other]).columns.kinds == ("",)
    save_profile(one, tmp_path / "p.parquet")
    assert load_profile(str(tmp_path / "p.parquet")).columns.kinds == ("integer",)
    older = asdict(one.columns)
    del older["kinds"]
    assert _columns(older).kinds == ()
    assert filters_for(["x"], ["1"], _columns(older).kinds or [""]) is None
