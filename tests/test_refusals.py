"""What cannot be read, or not for sure: a message of a few lines and the exit code, no traceback."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyreadstat
import pytest

import lossreport
from tests.conftest import ROOT, Ran

Run = Callable[..., Ran]
ROWS = [{"actual": i, "predicted": i + 1} for i in range(3)]
TEXT = json.dumps(ROWS)


def refused(ran: Ran, code: int, message: str) -> None:
    assert ran.code == code, ran.err
    assert message in ran.err
    assert 1 <= len(ran.err.strip().splitlines()) <= 5
    assert not (ran.folder / "out.html").exists()


@pytest.mark.parametrize(
    "name", ["m.pkl", "m.pickle", "m.joblib", "m.pkl.gz", "M.PKL", "m.bin", "m.csv"]
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_pickles_are_refused_and_never_loaded(
    run: Run, tmp_path: Path, name: str, protocol: int
) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    (tmp_path / name).write_bytes(pickle.dumps(Trap(), protocol=protocol))
    refused(
        run(tmp_path / name), 4, "a pickle, which is refused: to read one is to run whatever code"
    )
    assert not (tmp_path / "sprung").exists()


BROKEN_JSON = {
    "two.json": (
        json.dumps({"a": ROWS, "b": ROWS}),
        "more than one array of records ('a' and 'b')",
    ),
    "none.json": ('{\n"a": [1, 2]}', "holds no array of records"),
    "scalars.json": ("[1, 2]", "item 1 of its array is no record but '1'"),
    "rows.json": ("[[1, 2], [3, 4]]", "item 1 of its array is no record but '[1, 2]'"),
    "later.json": (TEXT[:-1] + ', "x"]', "item 4 of its array is no record"),
    "empty.json": ("[]", "holds no records"),
    "text.json": ('"actual"', "neither an array of records nor an object"),
    "blank.json": ("  \n", "neither an array of records nor an object"),
    "after.json": (TEXT + " {}", "goes on after its end"),
    "comma.json": (TEXT.replace("}, {", "} {"), "no ',' or ']' after record 1"),
    "colon.json": ('{\n"a" 1}', "no ':' after 'a'"),
    "bare.json": ("{\na: 1}", "has no name"),
    "value.json": ('{\n"a": }', "where a value should be"),
    "word.json": ('[{"actual": nul}]', "record 1 is no JSON"),
    "deep.json": ('[{"actual": ' + "[" * 100_000 + "]" * 100_000 + "}]", "nested too deeply"),
    "line.ndjson": ('{"actual": 1, "predicted": 2}\n\n{"actual": 1,\n', "record 2 is no JSON"),
    "list.ndjson": ('{"actual": 1, "predicted": 2}\n[1]\n', "record 2 is no object but '[1]'"),
    "glued.ndjson": (
        '{"actual": 1, "predicted": 2}{"actual": 1, "predicted": 2}\n',
        "record 1 is no JSON",
    ),
}


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_json_that_is_broken_or_no_log_is_said(run: Run, tmp_path: Path, name: str) -> None:
    text, message = BROKEN_JSON[name]
    (tmp_path / name).write_text(text)
    refused(run(tmp_path / name), 4, message)


@pytest.mark.parametrize("cut", range(1, len(TEXT), 3))
def test_an_array_that_was_cut_off_is_never_a_shorter_log(
    run: Run, tmp_path: Path, cut: int
) -> None:
    (tmp_path / "log.json").write_text(TEXT[:cut])
    ran = run(tmp_path / "log.json")
    assert ran.code == 4, ran.out
    assert "log.json cannot be read" in ran.err


def test_a_value_too_large_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lossreport.logs import json_arrays

    monkeypatch.setattr(json_arrays, "PIECE", 100)
    monkeypatch.setattr(json_arrays, "LARGEST_VALUE", 1000)
    (tmp_path / "log.json").write_text(json.dumps([{"actual": 1, "predicted": 2, "x": "y" * 5000}]))
    refused(run(tmp_path / "log.json"), 4, "one of its values has more than")


def test_a_key_that_a_later_line_changes_the_type_of(run: Run, tmp_path: Path) -> None:
    (tmp_path / "log.ndjson").write_text(
        '{"actual": 1, "predicted": {"x": 1}}\n{"actual": 2, "predicted": 5}\n'
    )
    ran = run(tmp_path / "log.ndjson")
    assert ran.json["rows"] == {"read": 2, "scored": 1, "left_out": {"predicted_not_numeric": 1}}


TABLES = {"_delta_log/0.json": "a Delta table", ".hoodie/x": "a Hudi table",
          "metadata/v1.metadata.json": "an Iceberg table"}  # fmt: skip


@pytest.mark.parametrize("mark", TABLES)
@pytest.mark.parametrize("place", ["p-0.parquet", "g=1/p-0.parquet", "data/g=1/h=2/p-0.parquet"])
def test_tables_with_deleted_rows_are_refused(
    run: Run, tmp_path: Path, mark: str, place: str
) -> None:
    table = tmp_path / "table"
    for name in (mark, place):
        (table / name).parent.mkdir(parents=True, exist_ok=True)
    (table / mark).write_text("{}")
    pl.DataFrame(ROWS).write_parquet(table / place)
    for source in (table, table / place, table / "**" / "*.parquet"):
        refused(run(source), 2, TABLES[mark])
    refused(run(table), 2, "its deleted and replaced rows would be counted")


@pytest.mark.parametrize(
    ("module", "extra", "name"),
    [("python_calamine", "excel", "log.xlsx"), ("python_calamine", "excel", "log.ods"), ("pyreadstat", "spss", "log.sav")],
)  # fmt: skip
def test_the_extra_that_a_format_needs_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, extra: str, name: str
) -> None:
    frame = pd.DataFrame(ROWS)
    path = tmp_path / name
    pyreadstat.write_sav(frame, str(path)) if extra == "spss" else frame.to_excel(path, index=False)
    monkeypatch.setitem(sys.modules, module, None)
    refused(run(path), 2, f"pip install 'lossreport[{extra}]'")


def without(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Python find no such package, whether or not it was imported before."""
    loaded = [m for m in sys.modules if m.split(".")[0] == package]
    for module in {package, *loaded}:
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.parametrize(
    ("package", "extra", "words"),
    [
        ("obstore", "s3", ["s3://bucket/folder/"]),
        ("obstore", "s3", ["s3://bucket/2026-*/*.parquet"]),
        ("duckdb", "duckdb", [":memory:", "--query", "select 1"]),
        ("duckdb", "duckdb", ["LOG", "--engine", "duckdb"]),
        ("pyspark", "spark", ["LOG", "--engine", "spark"]),
        ("deltalake", "delta", ["delta:TABLE"]),
        ("pyiceberg", "iceberg", ["iceberg:TABLE"]),
    ],
)
def test_the_extra_that_a_place_needs_is_named(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    extra: str,
    words: list[str],
) -> None:
    pl.DataFrame(ROWS).write_parquet(tmp_path / "log.parquet")
    (tmp_path / "table" / "_delta_log").mkdir(parents=True)
    (tmp_path / "table" / "metadata").mkdir()
    (tmp_path / "table" / "metadata" / "v1.metadata.json").write_text("{}")
    places = {"LOG": str(tmp_path / "log.parquet")}
    without(package, monkeypatch)
    given = [places.get(w, w.replace("TABLE", str(tmp_path / "table"))) for w in words]
    refused(run(*given), 2, f"pip install 'lossreport[{extra}]'")


def written(path: Path) -> bytes:
    frame = pd.DataFrame(ROWS).astype(float)
    if path.suffix == ".sas7bdat":
        return (ROOT / "tests" / "data" / "foodwaste.sas7bdat").read_bytes()
    if path.suffix == ".xls":
        return (ROOT / "tests" / "data" / "foodwaste.xls").read_bytes()
    if path.suffix == ".dta":
        frame.to_stata(path, write_index=False)
    elif path.suffix == ".xpt":
        pyreadstat.write_xport(
            frame.rename(columns={"predicted": "pred"}), str(path), file_format_version=5
        )
    elif path.suffix == ".sav":
        pyreadstat.write_sav(frame, str(path))
    else:
        frame.to_excel(path, index=False)
    return path.read_bytes()


@pytest.mark.parametrize("ending", ["xlsx", "ods", "xls", "dta", "sav", "sas7bdat", "xpt"])
def test_damaged_files_of_other_programs_are_said(run: Run, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"log.{ending}"
    whole = written(path)
    for damaged in (b"junk" * 500, whole[: len(whole) // 3], whole[:100], b"\x00" * 5000):
        path.write_bytes(damaged)
        refused(run(path), 4, f"log.{ending} cannot be read")


@pytest.mark.parametrize("ending", ["dta", "sav", "sas7bdat"])
def test_files_of_other_programs_that_were_cut_off_are_no_shorter_logs(
    run: Run, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"log.{ending}"
    whole = written(path)
    for cut in (1, 20):
        path.write_bytes(whole[:-cut])
        assert run(path).code == 4


def test_workbooks_are_not_read_from_urls(run: Run) -> None:
    refused(run("https://example.invalid/log.xlsx"), 2, "cannot be read from a URL")


def test_a_sheet_without_cells_is_said(run: Run, tmp_path: Path) -> None:
    pd.DataFrame().to_excel(tmp_path / "log.xlsx", index=False)
    refused(run(tmp_path / "log.xlsx"), 4, "sheet 'Sheet1' has no rows")


def test_a_workbook_that_changed_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    for n in (1, 2):
        pd.DataFrame(ROWS[:n]).to_excel(path, index=False)
        assert lossreport.report(path).rows.read == n


SAME = {"float16": pl.Float16, "float32": pl.Float32, "uint8": pl.UInt8, "uint64": pl.UInt64,
        "int128": pl.Int128, "decimal": pl.Decimal(20, 3), "text": pl.String,
        "dictionary": pl.Categorical, "enum": pl.Enum(["1", "2", "3"])}  # fmt: skip


@pytest.mark.parametrize("one", SAME)
@pytest.mark.parametrize("other", ["float64", "decimal", "int128"])
def test_numbers_of_every_type_are_scored_and_grouped_by(one: str, other: str) -> None:
    types = {**SAME, "float64": pl.Float64}
    actual = pl.Series(
        ["1", "2", "3"] if one in ("text", "dictionary", "enum") else [1, 2, 3]
    ).cast(types[one])
    frame = pl.DataFrame({"actual": actual, "predicted": pl.Series([2, 4, 6]).cast(types[other])})
    report = lossreport.report(frame, by="actual")
    assert report.predictions[0].overall.mae == 2.0
    keys = {g.key[0] for g in report.predictions[0].groupings[0].groups}
    assert keys == ({"1.000", "2.000", "3.000"} if one == "decimal" else {"1", "2", "3"})


def test_a_small_float_is_the_number_that_it_is() -> None:
    values = np.array([0.1, 1e-3], dtype=np.float32)
    frame = pl.DataFrame({"actual": values, "predicted": [0.0, 0.0]})
    assert lossreport.report(frame).predictions[0].overall.mae == float(
        values.astype(np.float64).mean()
    )
    halves = frame.with_columns(pl.col("actual").cast(pl.Float16))
    assert lossreport.report(halves).predictions[0].overall.max_abs_error == float(np.float16(0.1))


def test_decimals_keep_their_digits() -> None:
    actual = [Decimal("12345678901234567.01"), Decimal("0.10")]
    predicted = [Decimal("12345678901234567.00"), Decimal("0.20")]
    frame = pl.DataFrame({"actual": actual, "predicted": predicted})
    assert lossreport.report(frame).predictions[0].overall.bias == pytest.approx((0.1 - 0.01) / 2)


@pytest.mark.parametrize("values", [[timedelta(1)], [[1.0]], [{"x": 1.0}], [b"1"]])
def test_what_is_no_number_is_refused(run: Run, tmp_path: Path, values: list[Any]) -> None:
    pl.DataFrame({"actual": values, "predicted": [1.0]}).write_parquet(tmp_path / "log.parquet")
    refused(run(tmp_path / "log.parquet", "--actual", "actual"), 2, "which is no number")


def test_files_of_one_log_may_differ_in_the_types_of_their_numbers(
    run: Run, tmp_path: Path
) -> None:
    logs = {"a": ([1, 2], [2, 3], ["1", "2"]), "b": ([1.0, 2.0], ["2.0", "x"], [1, 2]),
            "c": (["1", "n/a"], [2.0, 3.0], [1.0, 2.0]), "d": ([True, False], [2, 1], ["1", None])}  # fmt: skip
    for name, (actual, predicted, group) in logs.items():
        frame = pl.DataFrame({"predicted": predicted, "g": group, name: 1, "actual": actual})
        frame.select(sorted(frame.columns, reverse=name == "c")).write_parquet(
            tmp_path / f"{name}.parquet"
        )
    for order in ("abcd", "dcba", "bdac"):
        ran = run(*(tmp_path / f"{n}.parquet" for n in order), "--by", "g")
        assert ran.json["rows"] == {
            "read": 8, "scored": 6, "left_out": {"actual_missing": 1, "predicted_not_numeric": 1}
        }  # fmt: skip
        assert ran.json["predictions"][0]["overall"]["mae"] == 1.0
        groups = {
            g["key"][0]: g["rows"]["read"]
            for g in ran.json["predictions"][0]["groupings"][0]["groups"]
        }
        assert groups == {"1": 4, "2": 3, None: 1}


LONG = "a" * 300
OK = "actual,predicted\n1,2\n2,3\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["loop.csv"], 4, "loop.csv cannot be opened: Too many levels"),
        (["ok.csv", "--actuals", "loop.csv", "--on", "actual"], 4, "cannot be opened"),
        ([LONG + ".csv"], 2, "cannot be looked up: File name too long"),
        ([f"*{LONG}.csv"], 2, "File name too long"),
        (["dir/*.csv"], 4, "b.csv cannot be opened: No such file"),
        (["ok.csv", "--json", "loop.csv"], 2, "loop.csv cannot be written: Too many levels"),
        (["ok.csv", "--json", LONG], 2, "cannot be written: File name too long"),
        (["ok.csv", "--json", "-"], 2, "- is no file"),
        (["pipe"], 2, "pipe is a pipe or device, no file"),
        (["dir2"], 2, "pipe.csv is a pipe or device, no file"),
        (["/dev/null"], 2, "Save it as a file first"),
    ],
)
def test_odd_paths_are_refused_in_words(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("dir", "dir2"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(OK)
    (tmp_path / "ok.csv").write_text(OK)
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    (tmp_path / "dir" / "b.csv").symlink_to("nowhere.csv")
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "dir2" / "pipe.csv")
    page = tmp_path / "page.html"  # to be compared with the log's files
    page.write_text("<!-- lossreport -->")
    outputs = [] if "--json" in words else ["--json", str(tmp_path / "j.json")]
    ran = run(*words, "--html", page, *outputs, outputs=False)
    refused(ran, code, message)
    assert page.read_text() == "<!-- lossreport -->"


def test_a_folder_that_cannot_be_looked_into_gives_no_hint(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    refused(run(tmp_path / "none.csv"), 2, "There is no file")


@pytest.mark.parametrize(
    ("value", "message"),
    [([timedelta(1)], "holds Duration"), ([[1]], "of a1.parquet holds List")],
)
def test_actuals_of_types_that_do_not_go_together_are_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: list[Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"k": [1], "predicted": [1.0]}).write_parquet("p.parquet")
    pl.DataFrame({"k": [1], "actual": [1.0]}).write_parquet("a0.parquet")
    pl.DataFrame({"k": [2], "actual": value}).write_parquet("a1.parquet")
    words = ["--actuals", "a0.parquet", "--actuals", "a1.parquet", "--on", "k"]
    refused(run("p.parquet", *words), 2, message)


def test_other_columns_of_the_actuals_that_do_not_go_together_are_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pl.DataFrame({"k": [1], "predicted": [1.0]}).write_parquet("p.parquet")
    pl.DataFrame({"k": [1], "actual": [1.0], "g": [1]}).write_parquet("a0.parquet")
    pl.DataFrame({"k": [2], "actual": [1.0], "g": [[1]]}).write_parquet("a1.parquet")
    words = ["--actuals", "a0.parquet", "--actuals", "a1.parquet", "--on", "k", "--by", "g"]
    refused(run("p.parquet", *words), 2, "hold values that do not go together")
