"""Times in all types and ways of writing: read for sure, or asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import lossreport
from lossreport.errors import UsageError
from lossreport.logs.times import check_format, epoch_in_text, time, time_format
from tests.conftest import Ran

Run = Callable[..., Ran]


def read(texts: list[str | None], fmt: str | None = None) -> list[datetime | None]:
    series = pl.Series("t", texts, dtype=pl.String)
    fmt = fmt or time_format(series)
    assert fmt is not None
    return pl.DataFrame([series]).select(time("t", pl.String(), fmt)).to_series().to_list()


def log(path: Path, times: list[str]) -> Path:
    frame = pl.DataFrame({"actual": 1.0, "predicted": 2.0, "when": times})
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("text", "moment"),
    [("01.01.2016 00:00 - 01.01.2016 01:00", datetime(2016, 1, 1)),
     ("31.12.2016 23:00 \u2013 01.01.2017 00:00", datetime(2016, 12, 31, 23)),
     ("2016-02-01T10:00:00Z/2016-02-01T11:00:00Z", datetime(2016, 2, 1, 10)),
     ("2016-02-01 to 2016-02-08", datetime(2016, 2, 1)),
     ("2016-02-01 10:00 - 11:00", datetime(2016, 2, 1, 10)),
     ("13/02/2016 10:00 - 13/02/2016 11:00", datetime(2016, 2, 13, 10))],
)  # fmt: skip
def test_of_intervals_the_start_is_taken(text: str, moment: datetime) -> None:
    assert read([text, None, "", "soon - later"], time_format(pl.Series([text, None]))) == [
        moment,
        None,
        None,
        None,
    ]


def test_that_the_start_is_taken_is_said(run: Run, tmp_path: Path) -> None:
    times = [
        f"{d:02}.01.2016 {h:02}:00 - {d:02}.01.2016 {h + 1:02}:00"
        for d in (1, 2)
        for h in range(23)
    ]
    ran = run(log(tmp_path / "log.csv", times), "--time", "when")
    assert ran.json["time_span"] == ["2016-01-01 00:00", "2016-01-02 22:00"]
    assert any("when are intervals: each row counts at the start" in n for n in ran.json["notes"])
    assert "are intervals" in ran.html
    assert run(tmp_path / "log.csv").json["columns"]["time"] is None  # "when" is no time's name


@pytest.mark.parametrize(
    "text", ["01/02/2016 - 02/02/2016", "01.02.2016 - 02.02.2016 - x", "a - b"]
)
def test_intervals_that_are_not_sure_are_not_guessed(text: str) -> None:
    assert time_format(pl.Series([text])) is None


@pytest.mark.parametrize(
    ("late", "first", "last"),
    [("13/02/2024", "2024-02-01 00:00", "2024-02-13 00:00"), ("02/13/2024", "2024-01-02 00:00", "2024-02-13 00:00")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["when", "date"])
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_day_and_month_are_told_apart_by_a_late_row(
    run: Run, tmp_path: Path, late: str, first: str, last: str, name: str, ending: str
) -> None:
    times = ["01/02/2024"] * 30_000 + [late]
    frame = pl.DataFrame({"actual": 1.0, "predicted": 2.0, name: times})
    path = tmp_path / f"log.{ending}"
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    ran = run(path, *(["--time", name] if name == "when" else []))
    assert ran.json["columns"]["time"] == name
    assert ran.json["time_span"] == [first, last]
    assert sum(t["n"] for t in ran.json["predictions"][0]["timeline"]) == 30_001


def test_day_and_month_are_told_apart_by_another_file(run: Run, tmp_path: Path) -> None:
    log(tmp_path / "a.csv", ["01/02/2024"])
    log(tmp_path / "b.csv", ["25/02/2024"])
    ran = run(tmp_path / "a.csv", tmp_path / "b.csv", "--time", "when")
    assert ran.json["time_span"] == ["2024-02-01 00:00", "2024-02-25 00:00"]


def test_where_they_cannot_be_told_apart_the_command_stops_and_asks(
    run: Run, tmp_path: Path
) -> None:
    path = log(tmp_path / "log.csv", ["01/02/2024", "03/04/2024"])
    ran = run(path, "--time", "when")
    assert ran.code == 2
    assert "day and month cannot be told apart" in ran.err
    assert "--time-format '%d/%m/%Y'" in ran.err
    for fmt, first in (("%d/%m/%Y", "2024-02-01 00:00"), ("%m/%d/%Y", "2024-01-02 00:00")):
        ran = run(path, "--time", "when", "--time-format", fmt)
        assert ran.json["time_span"][0] == first
    mixed = run(log(tmp_path / "mixed.csv", ["13/02/2024", "02/13/2024"]), "--time", "when")
    assert mixed.code == 2


@pytest.mark.parametrize(
    ("fmt", "text", "moment"),
    [("%d.%m.%y", "31.12.24", datetime(2024, 12, 31)), ("%y-%m-%d", "99-12-31", datetime(1999, 12, 31)),
     ("%d.%m.%y %H:%M - *", "31.12.24 10:00 - 31.12.24 11:00", datetime(2024, 12, 31, 10)),
     ("%b %d, %Y", "Feb 03, 2024", datetime(2024, 2, 3)), ("%G-W%V-%u", "2024-W05-1", datetime(2024, 1, 29)),
     ("epoch", "1700000000.5", datetime(2023, 11, 14, 22, 13, 20, 500_000)),
     ("epoch", "1700000000123", datetime(2023, 11, 14, 22, 13, 20, 123_000)),
     ("%Y-%m-%d %H:%M:%S %z", "2024-01-01 01:00:00 +0100", datetime(2024, 1, 1))],
)  # fmt: skip
def test_a_format_that_is_given_is_used(
    run: Run, tmp_path: Path, fmt: str, text: str, moment: datetime
) -> None:
    assert read([text, "x", None], fmt) == [moment, None, None]
    ran = run(log(tmp_path / "log.csv", [text, "nothing"]), "--time", "when", "--time-format", fmt)
    assert ran.code == 0, ran.err
    assert ran.json["time_span"][0] == f"{moment:%Y-%m-%d %H:%M}"
    (finding,) = (f for f in ran.json["findings"] if f["code"] == "LR010")
    assert finding["count"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--time", "when", "--time-format", "%d.%m.%Y"], "reads none of the texts"),
     (["--time", "when", "--time-format", "%Y %Q"], "time"),
     (["--time", "when", "--time-format", "%Y-%m-%d *"], "before its '*' there must be"),
     (["--time", "", "--time-format", "%Y"], "no column for --time-format"),
     (["--time", "actual", "--time-format", "%Y", "--actual", "predicted", "--predicted", "p"], "is for text")],
)  # fmt: skip
def test_a_format_that_does_not_fit_is_said(
    run: Run, tmp_path: Path, words: list[str], message: str
) -> None:
    frame = pl.DataFrame({"actual": [1.0], "predicted": [2.0], "p": [1.0], "when": ["2024-01-01"]})
    frame.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", *words)
    assert ran.code == 2
    assert message in ran.err


def test_check_format_accepts_blank_columns() -> None:
    check_format("%Y", pl.Series(["", None]))
    with pytest.raises(UsageError):
        check_format("%Y-%m-%d", pl.Series(["x"]))


@pytest.mark.parametrize(
    ("texts", "known"),
    [(["1700000000", "1700000000.25"], True), (["1700000000123"], True), (["20240131"], False),
     (["1700000000", "5"], False), ([], False), (["170000000000"], False)],
)  # fmt: skip
def test_epoch_numbers_in_text_are_known_by_their_length(texts: list[str], known: bool) -> None:
    assert (epoch_in_text(pl.Series(texts, dtype=pl.String)) == "epoch") is known


def test_epoch_numbers_in_text_are_read_where_asked_for(run: Run, tmp_path: Path) -> None:
    path = log(tmp_path / "log.csv", ["1700000000", "1700003600"])
    ran = run(path, "--time", "when")
    assert ran.json["time_span"] == ["2023-11-14 22:13", "2023-11-14 23:13"]
    assert any("are numbers since 1970" in note for note in ran.json["notes"])


MOMENT = datetime(2026, 3, 29, 12, 30, 15)
SAME = {
    **{f"{u} {z}": pl.Series([MOMENT]).cast(pl.Datetime(u)).dt.replace_time_zone(z)
       for u in ("ms", "us", "ns") for z in (None, "UTC")},
    "zone": pl.Series([MOMENT + timedelta(hours=2)]).dt.replace_time_zone("Europe/Berlin"),
    "s": pl.Series([int((MOMENT - datetime(1970, 1, 1)).total_seconds())]),
    "unsigned ms": pl.Series([int((MOMENT - datetime(1970, 1, 1)).total_seconds()) * 1000], dtype=pl.UInt64),
    "float s": pl.Series([(MOMENT - datetime(1970, 1, 1)).total_seconds()]),
    "text": pl.Series([MOMENT.isoformat()]),
    "enum": pl.Series([MOMENT.isoformat()], dtype=pl.Enum([MOMENT.isoformat()])),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAME)
def test_every_type_gives_the_same_time(kind: str) -> None:
    frame = pl.DataFrame({"actual": [1.0], "predicted": [2.0], "when": SAME[kind]})
    report = lossreport.report(frame, time="when")
    assert report.span == ("2026-03-29 12:30", "2026-03-29 12:30")
    assert report.predictions[0].worst[0].time == "2026-03-29 12:30:15"


def test_numbers_too_small_to_be_seconds_since_1970_are_missing() -> None:
    frame = pl.DataFrame(
        {"actual": 1.0, "predicted": 2.0, "day": [46000.5, float("nan"), 1e300, 1.7e9]}
    )
    report = lossreport.report(frame, time="day")
    assert sum(t.figures.n for t in report.predictions[0].timeline) == 1


@pytest.mark.parametrize(
    "values", [[True], [timedelta(hours=1)], [[1]], ["12:30"], ["2024-W05"], ["31.12.24"]]
)
def test_what_is_no_time_for_sure_is_refused(
    run: Run, tmp_path: Path, values: list[object]
) -> None:
    frame = pl.DataFrame({"actual": [1.0], "predicted": [2.0], "when": values})
    frame.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--time", "when")
    assert ran.code == 2
    assert "--time-format" in ran.err or "--time ''" in ran.err


def test_files_may_differ_in_units_of_time_also_as_groups(tmp_path: Path) -> None:
    for i, unit in enumerate(("ms", "us", "ns")):
        frame = pl.DataFrame(
            {
                "actual": [1.0],
                "predicted": [2.0],
                "day": [datetime(2026, 1, 1)],
                "d": [date(2026, 1, 1)],
            }
        )
        frame.cast({"day": pl.Datetime(unit)}).write_parquet(tmp_path / f"{i}.parquet")
    report = lossreport.report(tmp_path, by=["day", "d"], time="d")
    assert [[g.key[0] for g in x.groups] for x in report.predictions[0].groupings] == [
        ["2026-01-01 00:00:00"],
        ["2026-01-01"],
    ]
