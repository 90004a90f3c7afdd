"""Predictions and actuals of two files: every row of both is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossreport
from lossreport.logs.part import CHUNK_ROWS
from tests.conftest import EXAMPLES, Ran
from tests.oracle import exact

Run = Callable[..., Ran]
KEYS = st.one_of(st.none(), st.integers(0, 4))
SIDE = st.lists(st.tuples(KEYS, st.sampled_from(["a", "b"]), st.integers(-3, 3)), max_size=30)


def two_files(folder: Path) -> tuple[Path, Path]:
    """The predictions and the actuals of a real log, the actuals in another order."""
    log = pl.read_csv(EXAMPLES / "foodwaste.csv")
    log.select("row_id", "date", "y_pred", "store").write_parquet(folder / "predictions.parquet")
    log.select("date", "y_true", "row_id").reverse().write_csv(folder / "actuals.csv")
    return folder / "predictions.parquet", folder / "actuals.csv"


def joined(predictions: Any, actuals: Any, on: Any = "k", **options: Any) -> lossreport.Report:
    return lossreport.report(
        predictions, actuals=actuals, on=on, **{"by": "", "time": "", **options}
    )


def test_two_files_give_the_figures_of_one(run: Run, tmp_path: Path) -> None:
    one = run(EXAMPLES / "foodwaste.csv", "--by", "store").json["predictions"]
    predictions, actuals = two_files(tmp_path)
    ran = run(predictions, "--actuals", actuals, "--on", "row_id,date", "--by", "store")
    assert ran.code == 0, ran.err
    assert ran.json["predictions"][0]["overall"] == one[0]["overall"]
    assert ran.json["predictions"][0]["groupings"] == one[0]["groupings"]
    assert ran.json["joined"] == [
        {"actuals": [str(actuals)], "on": ["row_id", "date"], "rows": 1575, "without_key": 0,
         "repeated": 0, "ambiguous": 0, "unmatched": 0, "repeated_predictions": 0, "example": None}
    ]  # fmt: skip
    checks = {f["code"]: f["status"] for f in ran.json["findings"]}
    assert (checks["LR041"], checks["LR042"]) == ("passed", "passed")
    assert any("joined on row_id, date" in note for note in ran.json["notes"])
    assert "actual" in ran.json["columns"]["found_by_name"]


def expect(
    predictions: list[Any], actuals: list[Any]
) -> tuple[Counter[str], list[tuple[float, float]], dict[str, int]]:
    """Join in pandas: reasons, scored pairs, and what is said of the actuals."""
    left = pd.DataFrame(predictions, columns=["k", "m", "p"]).astype({"k": "Int64"})
    right = pd.DataFrame(actuals, columns=["k", "m", "y"]).astype({"k": "Int64"})
    keyed = right[right["k"].notna()]
    of_key = keyed.groupby(["k", "m"])["y"].agg(["nunique", "first", "size"]).reset_index()
    both = left.merge(of_key, on=["k", "m"], how="left")
    both.loc[left["k"].isna().to_numpy(), ["nunique", "first", "size"]] = float("nan")
    reasons = Counter[str]()
    reasons["actual_unmatched"] = int(both["nunique"].isna().sum())
    reasons["actual_ambiguous"] = int((both["nunique"] > 1).sum())
    scored = both[both["nunique"] == 1]
    seen = set(map(tuple, left.dropna()[["k", "m"]].to_numpy().tolist()))
    return +reasons, list(zip(scored["first"], scored["p"], strict=True)), {
        "rows": len(right), "without_key": len(right) - len(keyed),
        "repeated": len(keyed) - len(of_key), "ambiguous": int((of_key["nunique"] > 1).sum()),
        "unmatched": sum(tuple(k) not in seen for k in of_key[["k", "m"]].to_numpy().tolist()),
        "repeated_predictions": len(scored) - len(scored[["k", "m"]].drop_duplicates()),
    }  # fmt: skip


@settings(max_examples=50)
@given(
    predictions=SIDE.filter(len),
    actuals=SIDE.filter(len),
    as_text=st.booleans(),
    split=st.integers(0, 30),
)
def test_every_row_of_both_sides_is_accounted_for(predictions, actuals, as_text, split):
    kind = {"k": pl.String if as_text else pl.Int64, "m": pl.String, "y": pl.Float64}
    right = pl.DataFrame(
        [(k if k is None or not as_text else str(k), m, float(y)) for k, m, y in actuals],
        schema=kind,
        orient="row",
    )
    left = pl.DataFrame(
        predictions, schema={"k": pl.Int64, "m": pl.Categorical, "p": pl.Int8}, orient="row"
    )
    reasons, pairs, counts = expect(predictions, actuals)
    report = joined(left, right, ["k", "m"], actual="y", predicted="p")
    assert report.rows.read == len(predictions)
    assert report.rows.scored == len(pairs)
    assert dict(report.rows.left_out) == dict(reasons)
    assert report.rows.read == report.rows.scored + sum(reasons.values())
    (join,) = report.joins
    assert {name: getattr(join, name) for name in counts} == counts
    if pairs:
        expected = exact([a for a, _ in pairs], [p for _, p in pairs])
        assert report.predictions[0].overall.mae == pytest.approx(expected["mae"], rel=1e-12)
        assert report.predictions[0].overall.mse == pytest.approx(expected["mse"], rel=1e-12)


def test_what_did_not_match_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pred\n1,2\n2,3\n2,4\n7,5\n3,9\n,1\n")
    (tmp_path / "a.csv").write_text("id,actual\n1,1\n2,2\n2,2\n3,1\n3,2\n<9>,4\n,5\n")
    ran = run(tmp_path / "p.csv", "--actuals", tmp_path / "a.csv", "--on", "id")
    assert ran.json["rows"] == {
        "read": 6, "scored": 3, "left_out": {"actual_unmatched": 2, "actual_ambiguous": 1}
    }  # fmt: skip
    messages = {f["code"]: f["message"] for f in ran.json["findings"]}
    assert "1 key of 4 (25%)" in messages["LR041"]
    assert "such as id = <9>" in messages["LR041"]
    assert "1 row of" in messages["LR041"]
    assert "2 rows of" in messages["LR042"]
    assert "For 1 key the actual values differ" in messages["LR042"]
    assert "1 prediction with the key of an earlier one" in messages["LR042"]
    assert "<9>" not in ran.html
    assert "&lt;9&gt;" in ran.html
    assert "2 actual unmatched" in ran.out
    profile = tmp_path / "p.profile.parquet"
    run(
        tmp_path / "p.csv",
        "--actuals",
        tmp_path / "a.csv",
        "--on",
        "id",
        "-o",
        profile,
        command="profile",
        outputs=False,
    )
    again = run(profile)
    assert again.json["joined"] == ran.json["joined"]
    assert again.json["rows"] == ran.json["rows"]


def test_nothing_matched_is_exit_5(run: Run, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,pred\n1,2\n")
    (tmp_path / "a.csv").write_text("id,actual\nx,1\n")
    ran = run(tmp_path / "p.csv", "--actuals", tmp_path / "a.csv", "--on", "id")
    assert ran.code == 5
    assert ran.json["rows"]["left_out"] == {"actual_unmatched": 1}


def test_group_columns_may_be_those_of_the_actuals_and_the_actual_replaces_its_namesake() -> None:
    predictions = pl.DataFrame({"k": [1, 2], "pred": [2.0, 3.0], "actual": [50.0, 50.0]})
    actuals = pl.DataFrame({"k": [2, 1], "actual": [1.0, 1.0], "shop": ["b", "a"]})
    report = joined(predictions, actuals, by="shop")
    assert report.predictions[0].overall.mae == 1.5
    groups = {g.key[0]: g.figures.mae for g in report.predictions[0].groupings[0].groups}
    assert groups == {"a": 1.0, "b": 2.0}


def test_the_actual_value_may_be_called_like_the_prediction() -> None:
    submission = pl.DataFrame({"id": [1, 2, 3], "price": [10.0, 20.0, 31.0]})
    solution = pl.DataFrame({"id": [1, 2, 4], "price": [12.0, 20.0, 5.0], "region": list("aab")})
    report = joined(submission, solution, "id", actual="price", predicted="price", by="region")
    (prediction,) = report.predictions
    assert (prediction.overall.n, prediction.overall.mae) == (2, 1.0)
    assert prediction.rows.left_out == (("actual_unmatched", 1),)


def test_large_predictions_keep_their_row_numbers(tmp_path: Path) -> None:
    n = 2 * CHUNK_ROWS + 5
    for name, first in (("a", 0), ("b", n)):
        frame = pl.DataFrame({"k": range(first, first + n), "pred": 0.0})
        frame.write_parquet(tmp_path / f"{name}.parquet", row_group_size=70_000)
    actuals = pl.DataFrame({"k": range(2 * n)}).with_columns(actual=pl.col("k").cast(pl.Float64))
    report = joined([tmp_path / "a.parquet", tmp_path / "b.parquet"], actuals, worst=2)
    assert report.rows.scored == 2 * n
    worst = [(Path(w.file).name, w.row, w.actual) for w in report.predictions[0].worst]
    assert worst == [("b.parquet", n, 2 * n - 1), ("b.parquet", n - 1, 2 * n - 2)]
    assert report.joins[0].unmatched == 0


DAY, MIDNIGHT, NOON = date(2026, 1, 1), datetime(2026, 1, 1), datetime(2026, 1, 1, 12)
ZONED = datetime(2026, 1, 1, 12, tzinfo=UTC)
TEN = pl.Series([10, 11], dtype=pl.UInt8)


@pytest.mark.parametrize(
    ("left", "right"),
    [([10, 11], ["10", "11"]), (["10", "11"], [11, 10]), (TEN, [10.0, 11.0]), ([10.0, 11.0], TEN),
     (pl.Series(["x", "y"], dtype=pl.Categorical), ["y", "x"]), ([True, False], [False, True]),
     ([0.5, 1.5], [1.5, 0.5]), ([DAY, date(2026, 1, 2)], ["2026-01-02", "2026-01-01"]),
     ([DAY, date(2026, 1, 2)], [datetime(2026, 1, 1), datetime(2026, 1, 2)]),
     (["2026-01-01 12:00", "2026-01-01 13:00"], [NOON, datetime(2026, 1, 1, 13)]),
     (pl.Series([NOON, MIDNIGHT], dtype=pl.Datetime("ns")), pl.Series([NOON, MIDNIGHT], dtype=pl.Datetime("ms"))),
     (pl.Series([ZONED, ZONED.replace(hour=3)]).dt.convert_time_zone("Asia/Tokyo"),
      ["2026-01-01T12:00:00Z", "2026-01-01T05:00:00+02:00"]),
     ([2**63 - 1, -5], [str(2**63 - 1), "-5"])],
)  # fmt: skip
def test_keys_of_other_types_match_where_they_surely_are_the_same(left, right):
    report = joined(
        pl.DataFrame({"k": left, "pred": [1.0, 2.0]}), pl.DataFrame({"k": right, "y": [1.0, 1.0]})
    )
    assert (report.rows.scored, report.joins[0].unmatched) == (2, 0)


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [([1], ["01"], "'01'.*Write both alike"), (["01"], [1], "'01'.*Write both alike"),
     ([1], ["1.0"], "'1.0'.*Write both alike"), ([1], [" 1"], "' 1'.*Write both alike"),
     ([0.5], ["0.5"], "Float64 in the predictions and String in the actuals"),
     ([True], [1], "Boolean in the predictions"), ([DAY], [20454], "Date in the predictions"),
     ([NOON], [ZONED], "cannot be matched for sure"), ([ZONED], ["2026-01-01 12:00"], "as a zoned time"),
     ([DAY], ["01/02/2026"], "as a time for sure"), ([DAY], ["soon"], "as a time for sure"),
     ([[1]], [[1]], "cannot be matched for sure")],
)  # fmt: skip
def test_keys_that_may_not_be_the_same_are_refused(left, right, message):
    with pytest.raises(lossreport.UsageError, match=message):
        joined(pl.DataFrame({"k": left, "pred": [1.0]}), pl.DataFrame({"k": right, "y": [1.0]}))


def test_files_of_the_predictions_may_differ_in_the_type_of_their_key(tmp_path: Path) -> None:
    pl.DataFrame({"k": [1, 2], "pred": [1.0, 2.0]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"pred": [3.0], "k": ["3"]}).write_csv(tmp_path / "b.csv")
    actuals = pl.DataFrame({"k": [1, 2, 3], "y": [0.0, 0.0, 0.0]})
    for order in ("ab", "ba"):
        files = [tmp_path / {"a": "a.parquet", "b": "b.csv"}[name] for name in order]
        assert joined(files, actuals).rows.scored == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--actuals", "a.csv"], "joined on keys: name their columns with --on"),
     (["--on", "id"], "--on is for --actuals"),
     (["--actuals", "a.csv", "--on", "nr"], "p.csv has no column 'nr' to join on"),
     (["--actuals", "a.csv", "--on", "pred"], "a.csv has no column 'pred' to join on"),
     (["--actuals", "a.csv", "--on", "id", "--actual", "z"], "a.csv has no column 'z'"),
     (["--actuals", "a.csv", "--on", "id", "--actual", "id"], "both a key and the actual"),
     (["--actuals", "none.csv", "--on", "id"], "There is no file none.csv")],
)  # fmt: skip
def test_what_cannot_be_joined_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text("id,pred\n1,2\n")
    Path("a.csv").write_text("id,actual\n1,2\n")
    ran = run("p.csv", *words)
    assert ran.code == 2
    assert message in ran.err


def test_the_actuals_are_never_overwritten(run: Run, tmp_path: Path) -> None:
    predictions, actuals = two_files(tmp_path)
    ran = run(
        predictions,
        "--actuals",
        actuals,
        "--on",
        "row_id",
        "--html",
        actuals,
        "--force",
        outputs=False,
    )
    assert ran.code == 2
    assert actuals.read_text().startswith("date,")


def test_a_file_that_is_skipped_matches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lossreport.logs import json_layout, json_text

    monkeypatch.setattr(json_layout, "BLOCK", 20)
    monkeypatch.setattr(json_text, "LOOKED_AT", 1)
    (tmp_path / "a.ndjson").write_text('{"k": 1, "pred": 2}\n')
    (tmp_path / "b.ndjson").write_text('{"k": 2, "pred": 2}\n' * 3 + '{"k": 3, "pred"\n')
    (tmp_path / "c.ndjson").write_text('{"k": 3, "pred": 2}\n')
    actuals = pl.DataFrame({"k": [1, 2, 3], "y": [1.0, 1.0, 1.0]})
    report = joined(tmp_path, actuals, on_bad_file="skip")
    assert [s.skipped is None for s in report.sources] == [True, True, False]
    assert (report.rows.read, report.rows.scored) == (2, 2)
    assert (report.joins[0].unmatched, report.joins[0].example) == (1, ("2",))
    with pytest.raises(lossreport.UnreadableLogError, match=r"b\.ndjson.*record 4 is no JSON"):
        joined(tmp_path, actuals)


def test_merged_nights_are_told_once_and_as_information() -> None:
    """All nights are joined with one file of actuals: no night has the others' predictions."""
    actuals = pl.DataFrame({"k": [1, 2, 3, 4, 4], "actual": [1.0, 2.0, 3.0, 4.0, 4.0]})
    nights = [pl.DataFrame({"k": [i, i], "predicted": [1.5, 1.5]}) for i in (1, 2, 3)]
    parts = [lossreport.profile(n, actuals=actuals, on="k") for n in nights]
    report = lossreport.report(lossreport.merge(parts))
    found = [f for f in report.findings if f.code in ("LR041", "LR042")]
    assert [(f.code, f.status, f.severity) for f in found] == [
        ("LR041", "issue", "info"), ("LR042", "issue", "info"),
    ]  # fmt: skip
    assert "per profile: in 3 of 3 profiles 9 keys" in found[0].message
    assert "another profile may hold it" in found[0].message
    assert "per profile (3 profiles): 3 rows of the actuals" in found[1].message
    assert "3 predictions with the key" in found[1].message
    assert (found[0].count, found[1].count) == (9, 6)
    assert sum("joined profile by profile (3 profiles)" in n for n in report.notes) == 1
    alone = [f for f in lossreport.report(parts[0]).findings if f.code == "LR041"]
    assert [f.severity for f in alone] == ["warning"]


def test_merged_nights_of_whole_joins_pass() -> None:
    parts = []
    for i in (1, 2):
        night = pl.DataFrame({"k": [i], "predicted": [1.5]})
        actuals = pl.DataFrame({"k": [i], "actual": [1.0]})
        parts.append(lossreport.profile(night, actuals=actuals, on="k"))
    found = lossreport.report(lossreport.merge(parts)).findings
    assert [f.status for f in found if f.code in ("LR041", "LR042")] == ["passed", "passed"]


def actuals_in_styles(folder: Path, style: str, rows: range) -> Path:
    """Actuals 1200.5 + 1000 i, written in a style."""
    marks = {"comma": ".,", "point": ",.", "plain": " ."}[style]
    texts = [f"{1200.5 + 1000 * i:,.2f}".translate(str.maketrans(",.", marks)) for i in rows]
    path = folder / f"{style}.csv"
    lines = [f"{i};{t.replace(' ', '')}" for i, t in zip(rows, texts, strict=True)]
    path.write_text("\n".join(["id;actual", *lines, "", ""]))
    return path


@pytest.mark.parametrize("styles", [["comma"], ["point"], ["comma", "plain"], ["comma", "point"]])
def test_actuals_are_read_in_the_style_of_their_own_file(
    run: Run, tmp_path: Path, styles: list[str]
) -> None:
    predictions = tmp_path / "p.csv"
    rows = "\n".join(f"{i},{1200.5 + 1000 * i}" for i in range(40))
    predictions.write_text(f"id,predicted\n{rows}\n")
    words: list[object] = []
    for i, style in enumerate(styles):
        words += ["--actuals", actuals_in_styles(tmp_path, style, range(20 * i, 20 * i + 20))]
    ran = run(predictions, *words, "--on", "id", "--by", "")
    overall = ran.json["predictions"][0]["overall"]
    assert (overall["n"], overall["mae"]) == (20 * len(styles), 0)
    told = ran.json["sources"][0]["read_as"]
    assert "actuals: decimal comma" in told or styles == ["point"]
    assert any(t.startswith("actuals: thousands mark") for t in told)


def test_a_text_that_its_own_style_does_not_read_is_no_number_beside_another_style(
    tmp_path: Path,
) -> None:
    comma = tmp_path / "a.csv"
    comma.write_text("id;actual\n" + "".join(f"{i};1.200,5\n" for i in range(9)) + "9;1.5\n")
    plain = tmp_path / "b.csv"
    plain.write_text("id;actual\n10;1200.5\n")
    rows = pl.DataFrame({"id": range(11), "predicted": [1200.5] * 11})
    made = joined(rows, [comma, plain], "id").predictions[0]
    assert (made.rows.scored, dict(made.rows.left_out)) == (10, {"actual_not_numeric": 1})
    assert made.overall.mae == 0


@pytest.mark.parametrize("name", ["@match", "@ambiguous", "@key_0", "\x00row_malformed"])
def test_columns_of_any_name_are_only_columns(name: str) -> None:
    rows = pl.DataFrame({"k": [1, 2], "predicted": [1.0, 2.0], name: [None, True]})
    actuals = pl.DataFrame({"k": [1, 2], "actual": [1.0, 3.0]})
    for made in (
        joined(rows, actuals, by=name),
        lossreport.report(rows.with_columns(actual=pl.lit(1.0)), by=name, time=""),
    ):
        assert (made.predictions[0].rows.read, made.predictions[0].rows.scored) == (2, 2)
    with_two = lossreport.report(rows.with_columns(actual=pl.lit(1.0)), time="")
    assert with_two.predictions[0].rows.scored == 2
