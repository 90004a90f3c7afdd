"""Rows that must add up: if they do not, there is no report but a message, and exit code 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import lossreport
from lossreport.cli import app
from lossreport.errors import BrokenFiguresError
from lossreport.profiles.profile import Profile
from lossreport.reports import groupings as groupings_module
from lossreport.reports.reconcile import reconcile
from lossreport.reports.results import Ledger, Prediction
from tests.conftest import EXAMPLES, Ran

Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return lossreport.profile(EXAMPLES / "deliveries.parquet", by=["region", "model"])


@pytest.fixture(scope="module")
def prediction(profile: Profile) -> Prediction:
    return lossreport.report(profile).predictions[0]


def test_whole_figures_pass(prediction: Prediction) -> None:
    reconcile([prediction], prediction.rows.read)


def test_a_row_that_vanished_is_told(prediction: Prediction) -> None:
    rows = prediction.rows
    with pytest.raises(BrokenFiguresError, match=r"99,999 rows were read"):
        reconcile([prediction], 99_999)
    lost = replace(rows, read=rows.read + 1)
    with pytest.raises(BrokenFiguresError, match=r"are not .* scored and .* left out"):
        reconcile([replace(prediction, rows=lost)], lost.read)
    fewer = replace(prediction.overall, n=rows.scored - 1)
    with pytest.raises(BrokenFiguresError, match=r"its figures are of"):
        reconcile([replace(prediction, overall=fewer)], rows.read)


def test_groups_that_do_not_add_up_are_told(prediction: Prediction) -> None:
    grouping = prediction.groupings[0]
    without_one = replace(grouping, groups=grouping.groups[1:])
    broken = replace(prediction, groupings=(without_one, *prediction.groupings[1:]))
    with pytest.raises(BrokenFiguresError, match=r"The groups by region have"):
        reconcile([broken], prediction.rows.read)
    group = next(g for g in grouping.groups if g.rows.left_out)
    other = Ledger(group.rows.read, group.rows.scored, (("actual_nan", group.rows.missing),))
    swapped = replace(grouping, groups=(*(g for g in grouping.groups if g is not group), replace(group, rows=other)))  # fmt: skip
    with pytest.raises(BrokenFiguresError):
        reconcile([replace(prediction, groupings=(swapped,))], prediction.rows.read)


def test_a_profile_that_lost_rows_gives_exit_1_with_a_message_and_no_page(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (table,) = profile.tables
    cut = replace(profile, tables=(replace(table, moments=table.moments.tail(-3)),))
    with pytest.raises(BrokenFiguresError):
        lossreport.report(cut)
    lossreport.save_profile(cut, tmp_path / "cut.parquet")
    page = tmp_path / "page.html"
    ran = CliRunner().invoke(
        app, ["report", str(tmp_path / "cut.parquet"), "--html", str(page), "--quiet"]
    )
    assert ran.exit_code == 1
    assert "bug in lossreport" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.strip().splitlines()) <= 5
    assert not page.exists()


def test_a_bug_in_the_ledger_of_a_run_gives_exit_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = groupings_module.ledger_of

    def wrong(sums: dict[str, int]) -> Ledger:
        return replace(right(sums), read=right(sums).read + 1)

    monkeypatch.setattr(groupings_module, "ledger_of", wrong)
    page = tmp_path / "page.html"
    ran = CliRunner().invoke(
        app, ["report", str(EXAMPLES / "deliveries.parquet"), "--by", "region", "--html", str(page)]
    )
    assert ran.exit_code == 1
    assert "bug in lossreport" in ran.stderr
    assert not page.exists()


def test_the_page_tells_rows_left_out_by_group_and_all_of_them(run: Run) -> None:
    ran = run(EXAMPLES / "deliveries.parquet", "--by", "region")
    html = ran.html.split("Rows left out, by group")[1]
    (prediction,) = ran.json["predictions"]
    groups = prediction["groupings"][0]["groups"]
    for group in groups:
        left_out = sum(group["rows"]["left_out"].values())
        name = f"region = {group['key'][0] or '(missing)'}"
        assert (name in html) == (left_out > 0)
        if left_out:
            row = html.split(f">{name}</bdi>")[1].split("</tr>")[0]
            assert f"<td>{left_out:,}</td>" in row
    total = sum(sum(g["rows"]["left_out"].values()) for g in groups)
    assert total == ran.json["rows"]["read"] - ran.json["rows"]["scored"]
    assert f"<td>{total:,}</td>" in html.split("<tfoot>")[1]


def test_the_table_of_rows_left_out_is_bounded(run: Run, tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"actual": [None if i % 2 else 1.0 for i in range(6000)], "predicted": 2.0, "user": [f"u{i // 2 % 100}" for i in range(6000)]}
    )  # fmt: skip
    frame.write_parquet(tmp_path / "log.parquet")
    html = run(tmp_path / "log.parquet", "--by", "user").html
    assert "The 10 groups with the most rows left out, of 100." in html


def test_findings_reach_every_output(run: Run, tmp_path: Path) -> None:
    values = ["1.25", "2.5", "N/A", "<script>x</script>", "2.75"] * 30
    log = tmp_path / "log.csv"
    text = "".join(f"{a},{i % 7 + i / 1000}\n" for i, a in enumerate(values))
    log.write_text("actual,predicted\n" + text, "utf-8")
    ran = run(log, "--id", "predicted", "--markdown", tmp_path / "out.md")
    (finding,) = (f for f in ran.json["findings"] if f["code"] == "LR012")
    assert (finding["count"], finding["share"], finding["severity"]) == (60, 0.4, "warning")
    assert finding["examples"][0] == {"file": str(log), "row": 3}
    assert finding["todo"]
    assert {(t["token"], t["count"]) for t in ran.json["predictions"][0]["tokens"]} == {
        ("N/A", 30), ("<script>x</script>", 30),
    }  # fmt: skip
    assert "Texts where a number should be" in ran.html
    assert "<script>x" not in ran.html
    assert "&lt;script&gt;x" in ran.html
    assert "LR012  60 rows (40%) have no number" in ran.out
    markdown = (tmp_path / "out.md").read_text("utf-8")
    assert "LR012 60 rows (40%)" in markdown
    assert "<script>" not in markdown
    noted = [
        f["code"]
        for f in ran.json["findings"]
        if f["status"] == "issue" and f["severity"] == "info"
    ]
    for code in noted:
        assert code not in ran.out
        assert code not in markdown
