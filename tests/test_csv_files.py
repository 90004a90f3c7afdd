"""The CSV files and data frames: every figure to its last digit, and no text is a formula."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.output_files import CSV_FILES
from lossreport.outputs import write_outputs
from lossreport.render.csv_files import defused
from lossreport.reports import groups
from lossreport.reports.results import Report
from tests.conftest import EXAMPLES, Ran
from tests.test_private import RICH, rich_frame

Run = Callable[..., Ran]
HOSTILE = ("=1+1", "@sum(a)", "-2+3", "+4", " =5", "a;=6", "\t=7", "\uff1d8", "a\nb", 'a"b,c')


@pytest.fixture
def report() -> Report:
    n = 50 * len(HOSTILE)
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "actual": rng.normal(0, 3, n),
            "predicted": rng.normal(0, 3, n),
            "=cmd": [HOSTILE[i % len(HOSTILE)] for i in range(n)],
            "h": [("x", "", None, "(missing)", "(empty text)")[i % 5] for i in range(n)],
        }
    )
    return lossreport.report(
        frame, by=["=cmd", "h", ("=cmd", "h")], actual="actual", predicted="predicted"
    )


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_the_groups_of_the_files_are_those_by_hand_to_the_last_digit() -> None:
    frame = pl.read_parquet(EXAMPLES / "deliveries.parquet")
    report = lossreport.report(EXAMPLES / "deliveries.parquet", by=["region", "region,model"])
    rows = read(lossreport.to_csv(report)["groups.csv"])
    error = pl.col("predicted_minutes") - pl.col("actual_minutes")
    for by in (["region"], ["region", "model"]):
        own = [r for r in rows if r["grouping"] == ", ".join(by)]
        by_hand = frame.with_columns(e=error).group_by(by).agg(
            read=pl.len(), n=pl.col("e").is_finite().sum(), mae=pl.col("e").abs().mean()
        )  # fmt: skip
        expected = {
            tuple(k or "(missing)" for k in row[: len(by)]): row[len(by) :]
            for row in by_hand.iter_rows()
        }
        assert len(own) == len(expected)
        for row in own:
            n_read, n, mae = expected[tuple(row[f"key_{c}"] for c in by)]
            assert (int(row["rows_read"]), int(row["n"])) == (n_read, n)
            assert float(row["mae"]) == pytest.approx(mae, rel=1e-9)
    exact = {g.key[0]: g.figures.rmse for g in report.predictions[0].groupings[0].groups}
    for row in (r for r in rows if r["grouping"] == "region"):
        key = row["key_region"]
        assert float(row["rmse"]) == exact[None if key == "(missing)" else key]


def test_no_cell_of_text_is_a_formula_and_no_row_is_broken(report: Report) -> None:
    files = lossreport.to_csv(report)
    assert tuple(files) == CSV_FILES
    for text in files.values():
        lines = list(csv.reader(text.splitlines()))
        assert lines[0][0] == "lossreport"
        assert {len(line) for line in lines} == {len(lines[0])}
        for cell in (c for line in lines for c in line):
            begins = [part.lstrip() for part in cell.split(";")]
            if any(b.startswith(("=", "+", "-", "@", "\uff1d")) for b in begins):
                float(cell)  # a number, or nothing at all
            assert not set(cell) & set("\t\r\x00")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_defused_text_keeps_what_it_says(text: str) -> None:
    assert defused(text).replace("'", "") == text.replace("\t", "␉").replace("\n", "␤")


def test_groups_missing_in_the_log_are_told_from_texts_and_from_other_groupings(
    report: Report,
) -> None:
    table = report.groups.to_polars()
    by_h = table.filter(pl.col("grouping") == "h")
    words = {"x", "(empty text)", "(missing)", '"(missing)"', '"(empty text)"'}
    assert set(by_h["key_h"]) == words
    assert by_h["key_=cmd"].null_count() == by_h.height
    assert set(table.filter(pl.col("grouping") == "=cmd")["key_=cmd"]) == set(HOSTILE)


def test_frames_of_both_kinds_hold_the_same_as_the_report(report: Report) -> None:
    polars, pandas = report.groups.to_polars(), report.groups.to_pandas()
    assert polars.columns == list(pandas.columns)
    assert (
        polars.height == len(pandas) == sum(len(g.groups) for g in report.predictions[0].groupings)
    )
    for name in ("n", "mae", "p95_abs_error", "worst_5pct_sq_error"):
        assert polars[name].to_list() == pandas[name].tolist()
    assert polars.schema["flagged"] == pl.Boolean
    assert str(pandas["n"].dtype) == "Int64"
    worst = report.worst_rows.to_pandas()
    assert worst["error"].tolist() == [w.error for w in report.predictions[0].worst]
    for name, total in polars.group_by("grouping").agg(pl.col("rows_read").sum()).iter_rows():
        assert total == report.rows.read, name


def test_frames_of_a_report_without_groups_or_rows_are_empty_and_typed() -> None:
    frame = pl.DataFrame(
        {"actual": [None], "predicted": [1.0]},
        schema={"actual": pl.Float64, "predicted": pl.Float64},
    )
    report = lossreport.report(frame, by="")
    assert report.groups.to_polars().schema["mae"] == pl.Float64
    assert len(report.groups.to_pandas()) == report.worst_rows.to_polars().height == 0
    files = lossreport.to_csv(report)
    assert read(files["predictions.csv"])[0]["mae"] == ""
    assert read(files["ledger.csv"])[-1]["reason"] == "actual_missing"


def test_only_files_of_its_own_are_replaced(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    assert run(EXAMPLES / "apples.csv", "--csv", folder).code == 0
    first = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert set(first) == {*CSV_FILES, "more_groups.csv"}
    assert run(EXAMPLES / "apples.csv", "--csv", folder).code == 0
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == first
    (folder / "ledger.csv").write_text("mine,not yours\n", "utf-8")
    ran = run(EXAMPLES / "apples.csv", "--csv", folder)
    assert ran.code == 2
    assert "ledger.csv exists and was not written by lossreport" in ran.err
    assert (folder / "ledger.csv").read_text("utf-8") == "mine,not yours\n"
    assert run(EXAMPLES / "apples.csv", "--csv", folder, "--force").code == 0
    assert (folder / "ledger.csv").read_bytes() == first["ledger.csv"]


def test_the_folder_must_be_one_and_not_of_the_log(run: Run, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.csv").write_text("actual,predicted\n1,2\n", "utf-8")
    inside = run(logs, "--csv", logs / "tables")
    assert inside.code == 2
    assert "would read it as part of the log" in inside.err
    assert "is a file" in run(logs, "--csv", logs / "a.csv").err
    assert "no folder" in run(logs, "--csv", tmp_path / "no" / "tables").err
    same = run(logs, "--csv", tmp_path, "--markdown", tmp_path / "groups.csv")
    assert "name the same file" in same.err


def test_groups_that_are_not_told_apart_are_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossreport.reports.groups.MAX_GROUPS", 7)
    frame = pl.DataFrame(
        {"actual": 0.0, "predicted": [1.0 + i for i in range(100)], "g": [str(i % 20) for i in range(100)]}
    )  # fmt: skip
    rows = read(lossreport.to_csv(lossreport.report(frame, by="g"))["groups.csv"])
    assert len(rows) == 8
    assert (rows[-1]["key_g"], rows[-1]["groups"]) == ("", "13")
    assert sum(int(r["rows_read"]) for r in rows) == 100
    total = sum(int(r["n"]) * float(r["mae"]) for r in rows)
    assert total == pytest.approx(sum(range(1, 101)))


def test_what_was_found_is_in_tables_as_by_hand() -> None:
    frame = rich_frame().with_columns(error=pl.col("predicted") - pl.col("actual"))
    report = lossreport.report(rich_frame(), **RICH)
    files = {name: read(text) for name, text in lossreport.to_csv(report).items()}
    (found,) = files["slices.csv"]
    assert (found["slice"], found["key_shop"], found["key_item"]) == (
        "shop, item", "Yttrium", "Jackal"
    )  # fmt: skip
    inside = frame.filter(shop="Yttrium", item="Jackal")["error"]
    assert int(found["n"]) == len(inside)
    share = (inside**2).sum() / (frame["error"] ** 2).sum()
    assert float(found["share_of_sq_error"]) == pytest.approx(share, rel=1e-9)
    ratio = np.sqrt((inside**2).mean()) / inside.abs().mean()
    assert float(found["ratio"]) == pytest.approx(ratio, rel=1e-9)

    worst = frame.sort(pl.col("error").abs(), descending=True)
    value = "predicted = 481.5162342 EUR"
    (pattern,) = (r for r in files["patterns.csv"] if r["what"] == value)
    fits = (worst["predicted"] == 481.5162342).to_numpy()
    assert [int(pattern[x]) for x in ("worst_rows", "of_worst_rows", "other_rows")] == [
        fits[:20].sum(), 20, fits[20:].sum()
    ]  # fmt: skip

    bands = files["levels.csv"]
    assert sum(int(b["n"]) for b in bands) == 12_000
    for band in bands:
        size = frame["predicted"].abs()
        mine = frame.filter((size >= float(band["low"])) & (size < float(band["high"])))["error"]
        assert int(band["n"]) == len(mine)
        assert float(band["mae"]) == pytest.approx(mine.abs().mean(), rel=1e-9)
    assert sum(int(b["n"]) for b in files["level_bins.csv"]) == 12_000

    models = files["comparison.csv"]
    assert [m["sources"] for m in models] == ["with them"] * 2 + ["without them"] * 2
    outside = frame.filter(pl.col("country") != "Zanzibar", pl.col("shop") != "Yttrium")
    for row in models[:2]:
        mine = frame.filter(model=row["model"])["error"]
        assert float(row["mae"]) == pytest.approx(mine.abs().mean(), rel=1e-9)
        assert int(row["rows"]) == len(mine) == 6000
    by_mae = sorted(models[:2], key=lambda m: float(m["mae"]))
    assert [m["rank_mae"] for m in by_mae] == ["1", "2"]
    above = float(by_mae[1]["mae"]) - float(by_mae[0]["mae"])
    assert float(by_mae[1]["mae_above"]) == pytest.approx(above, rel=1e-9)
    assert by_mae[0]["mae_above"] == ""
    ids = [set(outside.filter(model=m)["id"]) for m in ("Umbra", "Tundra")]
    assert {int(m["n"]) for m in models[2:]} == {len(ids[0] & ids[1])}


def test_tables_of_what_was_not_found_have_a_heading_only() -> None:
    files = lossreport.to_csv(lossreport.report(EXAMPLES / "apples.csv"))
    for name in ("slices.csv", "patterns.csv", "level_bins.csv", "comparison.csv"):
        assert read(files[name]) == [], name
        assert files[name].startswith("lossreport,")


def test_groups_that_are_not_told_apart_have_a_file_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(groups, "MAX_GROUPS", 50)
    rng = np.random.default_rng(5)
    users = [f"=u{i}" if i % 2 else f"u{i}" for i in range(90)] * 2
    log = pl.DataFrame({"user": users, "actual": 0.0, "predicted": rng.normal(0, 1, 180)})
    of_u4 = pl.when(pl.col("user") == "u4").then(None).otherwise("actual")
    profile = lossreport.profile(log.with_columns(of_u4.alias("actual")), by="user")
    report = lossreport.report(profile)
    assert "<code>more_groups.csv</code>" in lossreport.render_page(report)
    write_outputs(report, {"csv": tmp_path / "csv"}, None, profile)
    told = read((tmp_path / "csv" / "groups.csv").read_text("utf-8"))
    others = read((tmp_path / "csv" / "more_groups.csv").read_text("utf-8"))
    assert len(others) == 40 == int(told[-1]["groups"])
    assert sum(int(o["rows_read"]) for o in others) == int(told[-1]["rows_read"])
    assert others[-1]["key_user"] == "u4"
    assert (others[-1]["rows_left_out"], others[-1]["n"], others[-1]["mae"]) == ("2", "0", "")
    by_hand = dict(log.group_by("user").agg(pl.col("predicted").abs().mean()).iter_rows())
    for o in others[:-1]:
        key = o["key_user"].removeprefix("'")
        assert o["key_user"] == (f"'{key}" if key.startswith("=") else key)
        assert float(o["mae"]) == pytest.approx(by_hand[key], rel=1e-12)
    private = lossreport.report(profile, private=True, min_group=2)
    write_outputs(private, {"csv": tmp_path / "private"}, None, profile)
    assert len((tmp_path / "private" / "more_groups.csv").read_text("utf-8").splitlines()) == 1
