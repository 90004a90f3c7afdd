"""Logs as they come: formats, files of one log that differ, and content at the edges."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import lossreport
from tests.conftest import EXAMPLES, Ran

Run = Callable[..., Ran]
ROWS = [(1.0, 2.0), (2.0, 4.0), (3.0, 3.0)]


def log_of(path: Path, **columns: object) -> Path:
    frame = pl.DataFrame(
        {"actual": [r[0] for r in ROWS], "predicted": [r[1] for r in ROWS], **columns}
    )
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return path


def test_frames_of_every_kind_give_the_same() -> None:
    frame = pl.read_csv(EXAMPLES / "foodwaste.csv").select("y_true", "y_pred", "store")
    relation = duckdb.sql("select * from frame")
    frames = [frame, frame.lazy(), frame.to_pandas(), frame.to_arrow(), relation]
    reports = [lossreport.report(f, by="store", title="same").predictions[0] for f in frames]
    assert reports[0].overall.mae == pytest.approx(0.746034067806881, rel=1e-12)
    for other in reports[1:]:
        assert other == reports[0]


def test_what_is_no_log_is_said() -> None:
    with pytest.raises(lossreport.UsageError, match="A int is no log"):
        lossreport.report(5)
    with pytest.raises(lossreport.UsageError, match="two columns of one name"):
        lossreport.report(pd.DataFrame([[1, 2]], columns=["actual", "actual"]))
    with pytest.raises(lossreport.UsageError, match="No log was given"):
        lossreport.report([])


def test_a_pandas_frame_of_mixed_objects_is_read_as_text() -> None:
    frame = pd.DataFrame({"actual": [1, 2.5, "3", "x", None], "predicted": [1, 2, 3, 4, 5]})
    rows = lossreport.report(frame).rows
    assert (rows.scored, dict(rows.left_out)) == (3, {"actual_not_numeric": 1, "actual_missing": 1})


@pytest.mark.parametrize("stamp", [0, 0x3B3B3B3B, 0x7C7C7C7C, 0x09090909])
def test_the_separator_of_compressed_text_is_that_of_the_text(
    run: Run, tmp_path: Path, stamp: int
) -> None:
    packed = gzip.compress(b"actual,predicted\n1,2\n2,4\n", mtime=stamp)
    (tmp_path / "log.csv.gz").write_bytes(packed)
    assert run(tmp_path / "log.csv.gz").json["rows"]["scored"] == 2


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_counted_outside_of_quotes(run: Run, tmp_path: Path, separator: str) -> None:
    text = (
        separator.join(['"a;b,c|d\t"', "actual", "predicted"]) + "\n" + separator.join("x12") + "\n"
    )
    (tmp_path / "log.csv").write_text(text)
    assert run(tmp_path / "log.csv").json["rows"]["scored"] == 1


def test_files_of_one_log_may_differ_in_order_types_and_writing_of_time(
    run: Run, tmp_path: Path
) -> None:
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(3)]
    log_of(tmp_path / "a.parquet", g=[1, 2, 3], time=days)
    log_of(tmp_path / "b.csv", time=[f"{d:%Y-%m-%d}" for d in days], g=["1", "2", "3"])
    log_of(tmp_path / "c.csv", extra="x", time=[f"{d:%d.%m.%Y}" for d in days], g=["1", "2", "3"])
    for order in ("abc", "cba", "bca"):
        files = [tmp_path / f"{name}.{'parquet' if name == 'a' else 'csv'}" for name in order]
        ran = run(*files, "--by", "g")
        assert ran.code == 0, ran.err
        prediction = ran.json["predictions"][0]
        assert [t["n"] for t in prediction["timeline"]] == [3, 3, 3]
        groups = prediction["groupings"][0]["groups"]
        assert {g["key"][0]: g["n"] for g in groups} == {"1": 3, "2": 3, "3": 3}


@pytest.mark.parametrize("source", ["foo://nope/x.parquet", "", "  "])
def test_what_cannot_be_a_path_is_said(run: Run, source: str) -> None:
    ran = run(source)
    assert ran.code == 2
    assert "no URL that can be read" in ran.err or "path is empty" in ran.err


def test_a_file_that_lacks_a_column_is_named(run: Run, tmp_path: Path) -> None:
    log_of(tmp_path / "a.csv", g="x")
    log_of(tmp_path / "b.csv")
    ran = run(tmp_path / "a.csv", tmp_path / "b.csv", "--by", "g")
    assert ran.code == 4
    assert "b.csv has no column 'g'" in ran.err


def test_the_same_file_is_read_once(run: Run, tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.csv")
    (tmp_path / "link.csv").symlink_to(log)
    assert run(log, tmp_path / "." / "a.csv", tmp_path / "link.csv").json["rows"]["read"] == 3


def test_profiles_are_known_in_folders_and_globs_and_never_read_as_rows(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    log = log_of(tmp_path / "a.csv")
    for name in ("one", "two"):
        run(log, "-o", folder / f"{name}.parquet", command="profile", outputs=False)
    for source in (folder, folder / "*.parquet"):
        assert run(source).json["rows"]["read"] == 6
    log_of(folder / "log.csv")
    mixed = run(folder)
    assert mixed.code == 2
    assert "Logs and profiles cannot be given together" in mixed.err


@pytest.mark.parametrize("source", ["logs", "logs/*.csv", "logs/a.csv"])
def test_the_log_is_never_overwritten(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    log = log_of(tmp_path / "logs" / "a.csv")
    before = log.read_bytes()
    ran = run(source, "--html", "logs/a.csv", "--force", outputs=False)
    assert ran.code == 2
    assert log.read_bytes() == before


def test_keys_that_come_late_in_ndjson_are_columns(run: Run, tmp_path: Path) -> None:
    rows = [{"actual": 1, "predicted": 2}] * 1500 + [{"actual": 1, "predicted": 2, "g": "x"}]
    path = tmp_path / "log[1].ndjson"
    path.write_text("\n".join(map(json.dumps, rows)))
    groups = run(path, "--by", "g").json["predictions"][0]["groupings"][0]["groups"]
    assert {g["key"][0]: g["n"] for g in groups} == {None: 1500, "x": 1}


def test_booleans_are_one_and_zero_in_every_format(run: Run, tmp_path: Path) -> None:
    frame = pl.DataFrame({"actual": [True, False, True], "predicted": [0.5, 0.5, 1.0]})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.ndjson")
    for ending in ("parquet", "csv", "ndjson"):
        overall = run(tmp_path / f"a.{ending}").json["predictions"][0]["overall"]
        assert (overall["n"], overall["mae"]) == (3, pytest.approx(1 / 3))


TIMES = [
    pl.Series([date(1, 1, 1), date(2020, 1, 1), date(9999, 12, 31)]),
    pl.Series([2**62, -(2**62), 0]).cast(pl.Datetime("us")),
    pl.Series([2**55, -(2**55), 0]).cast(pl.Datetime("ms")),
    pl.Series([2**31 - 1, -(2**31), 0]).cast(pl.Int32).cast(pl.Date),
    pl.Series([None, None, None], dtype=pl.Datetime("ns", "Europe/Berlin")),
    pl.Series([datetime(2026, 1, 1, tzinfo=None)] * 3).dt.replace_time_zone("Asia/Tokyo"),
    pl.Series([1_700_000_000, 1_700_000_000_000, 2**63 - 1]),
]


@pytest.mark.parametrize("times", TIMES, ids=lambda s: str(s.dtype))
def test_any_time_is_read_or_counted_as_missing(run: Run, tmp_path: Path, times: pl.Series) -> None:
    log_of(tmp_path / "log.parquet", when=times)
    ran = run(tmp_path / "log.parquet", "--time", "when", "--by", "")
    assert ran.code == 0, ran.err
    assert ran.err == ""
    timed = sum(t["n"] for t in ran.json["predictions"][0]["timeline"])
    (finding,) = (f for f in ran.json["findings"] if f["code"] == "LR010")
    assert timed + (finding["count"] or 0) == 3


def test_a_column_that_cannot_be_grouped_by_is_said(run: Run, tmp_path: Path) -> None:
    log_of(tmp_path / "log.parquet", g=[timedelta(hours=1)] * 3)
    ran = run(tmp_path / "log.parquet", "--by", "g")
    assert ran.code == 2
    assert "cannot be grouped by" in ran.err


EXTREME = {
    "a sentinel among small errors": np.append(np.random.default_rng(1).normal(size=200), 1.797e308),
    "two sentinels": np.append(np.random.default_rng(1).normal(size=200), [1.797e308] * 2),
    "tiny errors and one": np.append(np.random.default_rng(1).normal(size=200) * 1e-160, 1.0),
    "tinier errors and a huge one": np.append(np.random.default_rng(1).normal(size=200) * 1e-200, 1e100),
    "all magnitudes": 10.0 ** np.random.default_rng(1).uniform(-300, 150, 500),
    "sums that overflow": np.array([1e308, 1e308]),
    "one error among zeros": np.append(np.zeros(199), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("errors", EXTREME.values(), ids=EXTREME)
def test_extreme_errors_give_a_page_and_no_warning(
    run: Run, tmp_path: Path, errors: np.ndarray
) -> None:
    frame = pl.DataFrame(
        {"actual": 0.0, "predicted": errors, "g": [["a", "b"][i % 2] for i in range(len(errors))]}
    )
    frame.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--by", "g")
    assert (ran.code, ran.err) == (0, "")
    assert "NaN" not in json.dumps(ran.json)
    assert ran.json["predictions"][0]["overall"]["max_abs_error"] == np.abs(errors).max()


def test_a_small_bias_keeps_its_digits_among_large_errors() -> None:
    frame = pl.DataFrame({"actual": 0.0, "predicted": [1e16, 1.0, -1e16] * 100})
    assert lossreport.report(frame).predictions[0].overall.bias == pytest.approx(1 / 3, rel=1e-12)


def test_a_million_groups_add_up_in_bounded_time(run: Run, tmp_path: Path) -> None:
    n = 200_000
    rng = np.random.default_rng(2)
    frame = pl.DataFrame({"actual": 0.0, "predicted": rng.normal(size=n), "id": np.arange(n)})
    frame.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--by", "id")
    grouping = ran.json["predictions"][0]["groupings"][0]
    assert len(grouping["groups"]) == 10_000
    assert grouping["rest"]["groups"] == n - 10_000
    assert sum(g["n"] for g in grouping["groups"]) + grouping["rest"]["n"] == n
    squares = (
        sum(g["mse"] * g["n"] for g in grouping["groups"])
        + grouping["rest"]["mse"] * grouping["rest"]["n"]
    )
    assert squares == pytest.approx((frame["predicted"] ** 2).sum(), rel=1e-9)
    assert f"of {n:,}" in ran.html


def test_groups_that_are_not_told_apart_are_judged_and_count_for_the_correction(
    run: Run, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    errors = rng.normal(size=(1_500, 60))
    errors[:500, :3] *= 1_000  # in 500 groups three rows are far out ...
    small = pl.DataFrame(
        {"predicted": 1e-9 * errors.ravel(), "id": np.repeat(np.arange(1_500), 60)}
    )
    single = pl.DataFrame(
        {"predicted": 1.0, "id": np.arange(1_500, 30_000)}
    )  # ... all of no weight
    log = pl.concat([small, single]).with_columns(actual=0.0)
    log.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--by", "id")
    (grouping,) = ran.json["predictions"][0]["groupings"]
    assert not any(g["flagged"] for g in grouping["groups"])
    # A twentieth of those found may be so by chance.
    assert 500 <= grouping["rest"]["flagged"] <= 530
    (finding,) = (f for f in ran.json["findings"] if f["code"] == "LR005")
    assert (finding["status"], finding["count"]) == ("issue", grouping["rest"]["flagged"])
    assert "Of the 20,000 groups not told apart" in finding["message"]
    assert f"{grouping['rest']['flagged']} outlier-driven" in ran.html


def test_a_folder_is_walked_through_links_but_not_in_circles(tmp_path: Path) -> None:
    inner, elsewhere = tmp_path / "log" / "a", tmp_path / "elsewhere"
    for folder in (inner, elsewhere, tmp_path / "log" / "_hidden"):
        folder.mkdir(parents=True)
    for file in (inner / "1.csv", elsewhere / "2.csv", tmp_path / "log" / "_hidden" / "3.csv"):
        file.write_text("actual,predicted\n1,2\n")
    (inner / "back").symlink_to(tmp_path / "log")
    (inner / "out").symlink_to(elsewhere)
    report = lossreport.report(tmp_path / "log", by="")
    assert sorted(Path(s.path).name for s in report.sources) == ["1.csv", "2.csv"]
    assert report.rows.read == 2


def test_a_link_to_nothing_in_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("actual,predicted\n1,2\n")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    with pytest.raises(lossreport.UnreadableLogError, match=r"gone\.csv"):
        lossreport.report(tmp_path)
    report = lossreport.report(tmp_path, on_bad_file="skip")
    assert [s.skipped is None for s in report.sources] == [True, False]


def test_a_folder_that_cannot_be_entered_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.csv").write_text("actual,predicted\n1,2\n")
    entered = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return entered(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(lossreport.UnreadableLogError, match="closed cannot be entered"):
        lossreport.report(tmp_path)
