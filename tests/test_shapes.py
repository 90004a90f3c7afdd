"""One real log in every shape gives the same figures to the last digit, with no option given."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import shutil
import warnings
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pyreadstat
import pytest

import lossreport
from lossreport.errors import LossReportError
from lossreport.render.report_json import as_dict
from tests.conftest import EXAMPLES, ROOT, Ran
from tests.oracle import exact

Run = Callable[..., Ran]
CSV = EXAMPLES / "foodwaste.csv"


def log() -> pl.DataFrame:
    frame = pl.read_csv(CSV, try_parse_dates=True)
    return frame.select("y_true", "y_pred", "date", "store")


def nested(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        pl.struct(pl.struct(score="y_pred").alias("out"), model=pl.lit("m")).alias("result"),
        pl.struct("y_true", "date").alias("label_of"),
        "store",
    )


def records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [{**r, "date": str(r["date"])} for r in frame.iter_rows(named=True)]


def zoned(frame: pl.DataFrame) -> pl.DataFrame:
    midnight = pl.col("date").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    return frame.with_columns(
        midnight.dt.convert_time_zone("Asia/Tokyo"), pl.col("store").cast(pl.Categorical)
    )


def parquet(path: Path) -> None:
    log().write_parquet(path)


def parquet_of_pandas(path: Path) -> None:
    log().to_pandas().set_index("store").to_parquet(path)


def parquet_of_arrow(path: Path) -> None:
    table = log().to_arrow()
    stores = table.column("store").cast(pa.string()).dictionary_encode()
    table = table.set_column(3, "store", stores)
    table = table.set_column(2, "date", table.column("date").cast(pa.date64()))
    pa.parquet.write_table(table, path, row_group_size=100, data_page_version="2.0")


def parquet_of_duckdb(path: Path) -> None:
    frame = log()
    assert frame.height
    duckdb.sql("select * from frame").write_parquet(str(path), compression="zstd")


def nested_parquet(path: Path) -> None:
    nested(log()).write_parquet(path)


def nested_lines(path: Path) -> None:
    nested(log()).write_ndjson(path)


def lines(path: Path) -> None:
    path.write_text("\n".join(map(json.dumps, records(log()))))


def lines_with_text_numbers(path: Path) -> None:
    rows = [{**r, "y_true": str(r["y_true"])} for r in records(log())]
    path.write_text("\r\n".join(map(json.dumps, rows)) + "\r\n\r\n")


def packed_lines(path: Path) -> None:
    text = "\n".join(map(json.dumps, records(log())))
    path.write_bytes(gzip.compress(text.encode()))


def array(path: Path) -> None:
    path.write_text(json.dumps(records(log())))


def pretty_array(path: Path) -> None:
    path.write_text("\n \t" + json.dumps(records(log()), indent="\t"), "utf-8-sig")


def array_in_utf_16(path: Path) -> None:
    path.write_text(json.dumps(records(log())), "utf-16")


def packed_array(path: Path) -> None:
    path.write_bytes(gzip.compress(json.dumps(records(log()), indent=1).encode()))


def object_with_array(path: Path) -> None:
    whole = {"version": 1, "tags": ["a{", [1]], "rows": records(log()), "more": {"n": [1, 2]}}
    path.write_text(json.dumps(whole, indent=1))


def arrow_file(path: Path) -> None:
    zoned(log()).write_ipc(path)


def arrow_stream(path: Path) -> None:
    zoned(log()).write_ipc_stream(path)


def arrow_stream_of_arrow(path: Path) -> None:
    table = log().to_arrow()
    stores = table.column("store").cast(pa.string()).dictionary_encode()
    times = table.column("date").cast(pa.timestamp("ns", "UTC"))
    table = table.set_column(3, "store", stores).set_column(2, "date", times)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)


def hive(path: Path) -> None:
    log().write_parquet(pl.PartitionBy(path, key=["store"], include_key=False), mkdir=True)


def spark_folder(path: Path) -> None:
    path.mkdir()
    frame = log()
    for i in range(4):
        part = path / f"part-0000{i}-c000.snappy.parquet"
        frame[i * 400 : (i + 1) * 400].write_parquet(part, compression="snappy")
        (path / f".{part.name}.crc").write_bytes(b"crc")
    for name in ("_SUCCESS", "._SUCCESS.crc", "_metadata", "_committed_1"):
        (path / name).write_bytes(b"")


def of_16_digits(frame: pl.DataFrame) -> pl.DataFrame:
    """What workbooks hold: their writers round to 16 digits."""
    numbers = ("y_true", "y_pred")
    return frame.with_columns(pl.Series(n, [float(f"{v:.16g}") for v in frame[n]]) for n in numbers)


def excel(path: Path) -> None:
    log().to_pandas().to_excel(path, index=False)


def stata(path: Path) -> None:
    frame = log().to_pandas().assign(date=lambda f: pd.to_datetime(f["date"]))
    frame.to_stata(path, write_index=False, convert_dates={"date": "td"})


def stata_with_labels(path: Path) -> None:
    frame = log().to_pandas().astype({"store": "category"})
    frame["date"] = pd.to_datetime(frame["date"])
    frame.to_stata(path, write_index=False, convert_dates={"date": "tc"}, version=119)


def spss(path: Path) -> None:
    pyreadstat.write_sav(log().to_pandas(), str(path))


def packed_spss(path: Path) -> None:
    pyreadstat.write_sav(log().to_pandas(), str(path), compress=True)


def sas_transport(path: Path) -> None:
    pyreadstat.write_xport(log().to_pandas(), str(path), file_format_version=5)


def zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log", content)
    return made.getvalue()


def kept(path: Path) -> None:
    shutil.copy(ROOT / "tests" / "data" / path.name, path)


SHAPES: dict[str, Callable[[Path], None]] = {
    "log.parquet": parquet,
    "pandas.parquet": parquet_of_pandas,
    "arrow.parquet": parquet_of_arrow,
    "duckdb.parquet": parquet_of_duckdb,
    "log.ndjson": lines,
    "text.jsonl": lines_with_text_numbers,
    "log.jsonl.gz": packed_lines,
    "lines.json": lines,
    "array.json": array,
    "pretty.json": pretty_array,
    "utf16.json": array_in_utf_16,
    "array.json.gz": packed_array,
    "object.json": object_with_array,
    "log.arrow": arrow_file,
    "log.arrows": arrow_stream,
    "dictionary.arrows": arrow_stream_of_arrow,
    "hive": hive,
    "spark": spark_folder,
    "log.xlsx": excel,
    "log.ods": excel,
    "foodwaste.xls": kept,
    "log.dta": stata,
    "log.sav": spss,
    "log.zsav": packed_spss,
    "log.xpt": sas_transport,
    "foodwaste.sas7bdat": kept,
}
NESTED = {
    "result.parquet": nested_parquet,
    "result.ndjson": nested_lines,
    "labels.dta": stata_with_labels,
}


def figures(source: Any, **options: Any) -> dict[str, Any]:
    """All that a report says of the errors, without where they were read from."""
    made = as_dict(lossreport.report(source, title="same", **options))
    (prediction,) = made["predictions"]
    for name in ("predicted", "worst_rows"):
        prediction.pop(name)
    for grouping in (*prediction["groupings"], *prediction["exceedance"]):
        grouping["by"] = [n.removesuffix(".name") for n in grouping["by"]]
    return {"rows": made["rows"], "span": made["time_span"], **prediction}


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found = figures(CSV, by="store")
    by_hand = exact(log()["y_true"].to_list(), log()["y_pred"].to_list())
    for name in ("mae", "mse", "rmse", "bias"):
        assert found["overall"][name] == pytest.approx(by_hand[name], rel=1e-12)
    assert found["rows"] == {"read": 1575, "scored": 1575, "left_out": {}}
    return found


def made(shape: str, write: Callable[[Path], None], folder: Path) -> Path:
    path = folder / shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the writers say is not of interest
        write(path)
    return path


ORDERED = [s for s in SHAPES if s not in ("hive", "log.xlsx", "log.ods")]


@pytest.mark.parametrize("shape", ORDERED)
def test_every_shape_gives_the_same_figures(
    shape: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    found = figures(made(shape, SHAPES[shape], tmp_path))
    assert found == expected


@pytest.mark.parametrize("shape", ["log.xlsx", "log.ods"])
def test_workbooks_give_the_figures_of_what_they_hold(shape: str, tmp_path: Path) -> None:
    of_16_digits(log()).write_csv(tmp_path / "log.csv")
    assert figures(made(shape, excel, tmp_path)) == figures(tmp_path / "log.csv")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_inspected(run: Run, shape: str, tmp_path: Path) -> None:
    ran = run(made(shape, SHAPES[shape], tmp_path), command="inspect", outputs=False)
    assert ran.code == 0, ran.err
    roles = {line.split()[0]: line.split()[-1] for line in ran.out.splitlines() if line[:2] == "  "}
    assert (roles["y_true"], roles["y_pred"]) == ("actual", "predicted")
    assert (roles["date"], roles["store"]) == ("time", "group")


def test_hive_folders_are_columns_with_no_option(tmp_path: Path, expected: dict[str, Any]) -> None:
    path = made("hive", hive, tmp_path)
    assert (path / "store=store_3").is_dir()
    found = figures(path)
    assert found["rows"] == expected["rows"]
    assert found["span"] == expected["span"]
    groups = {g["key"][0]: g["n"] for g in found["groupings"][0]["groups"]}
    assert groups == {g["key"][0]: g["n"] for g in expected["groupings"][0]["groups"]}
    assert found["overall"]["mae"] == pytest.approx(expected["overall"]["mae"], rel=1e-14)


@pytest.mark.parametrize("shape", NESTED)
def test_fields_and_labels_are_columns_with_dotted_names(
    run: Run, shape: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    path = made(shape, NESTED[shape], tmp_path)
    names = {"predicted": "result.out.score", "actual": "label_of.y_true", "time": "label_of.date"}
    if shape == "labels.dta":
        assert figures(path) == expected
        return
    assert figures(path, **names, by="store") == expected
    assert figures(path, by="store") == expected  # found by name among the fields
    ran = run(path, command="inspect", outputs=False)
    for role, name in names.items():
        assert [line.split()[-1] for line in ran.out.splitlines() if name in line] == [role]
    with pytest.raises(lossreport.UsageError, match=r"result\.out\.score"):
        lossreport.report(path, predicted="result.out.scor")


def test_nested_frames_of_every_kind(expected: dict[str, Any]) -> None:
    frame = nested(log())
    relation = duckdb.sql("select * from frame")
    for source in (frame, frame.lazy(), frame.to_arrow(), relation):
        assert figures(source, by="store") == expected


def test_a_column_called_like_a_field_is_that_column() -> None:
    frame = pl.DataFrame({"actual": [1.0, 2.0], "r": [{"p": 5.0}] * 2, "r.p": [2.0, 3.0]})
    assert lossreport.report(frame, predicted="r.p").predictions[0].overall.mae == 1.0


@pytest.mark.parametrize("name", ["*", "^y.*$"])
@pytest.mark.parametrize("ending", ["parquet", "ndjson", "json", "arrow"])
def test_a_column_called_like_a_pattern_of_names_is_left_out_and_said(
    run: Run, name: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"log.{ending}"
    inner = pl.struct(pl.lit(1).alias(name), pl.lit("a").alias("kind")).alias("more")
    frame = log().with_columns(pl.lit("x").alias(name), inner)
    write = {"parquet": "write_parquet", "ndjson": "write_ndjson", "json": "write_json"}
    getattr(frame, write.get(ending, "write_ipc"))(path)
    ran = run(path, "--by", "store", "--by", "more.kind")
    assert ran.code == 0
    said = ran.json["sources"][0]["read_as"]
    assert f"column {name} left out, as this name stands for several columns" in said
    mae = ran.json["predictions"][0]["overall"]["mae"]
    in_python = lossreport.report(frame, by=["store", "more.kind"])
    assert in_python.predictions[0].overall.mae == mae
    assert mae == pytest.approx(float((log()["y_pred"] - log()["y_true"]).abs().mean()), rel=1e-12)


def test_wide_logs_of_models_called_by_numbers(run: Run, tmp_path: Path) -> None:
    rows = {"actual": [1.0, 2.0], "0": [2.0, 3.0], "1": [3.0, 4.0], "10": [11.0, None]}
    frame = pl.DataFrame(rows)
    frame.write_csv(tmp_path / "log.csv")
    frame.write_parquet(tmp_path / "log.parquet")
    frame.write_ndjson(tmp_path / "log.ndjson")
    of_numbers = frame.to_pandas().rename(columns={"0": 0, "1": 1, "10": 10})
    for source in (*tmp_path.glob("log.*"), of_numbers):
        made = lossreport.report(source, predicted=["0", "1", "10"])
        assert [p.overall.mae for p in made.predictions] == [1.0, 2.0, 10.0]
        assert [p.rows.scored for p in made.predictions] == [2, 2, 1]
    ran = run(tmp_path / "log.csv", *("--predicted", "0", "--predicted", "10", "--predicted", "1"))
    assert ran.json["columns"]["predicted"] == ["0", "10", "1"]


def test_the_file_is_a_group(run: Run, tmp_path: Path) -> None:
    for name in ("2026-11-01.v2.csv", "b.csv.gz", "c.CSV"):
        text = b"actual,predicted,model\n1,2,x\n3,5,y\n"
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    ran = run(tmp_path, "--by", "@file", "--by", "@file,model")
    one, two = ran.json["predictions"][0]["groupings"]
    assert one["by"] == ["file"]
    assert two["by"] == ["file", "model"]
    assert {g["key"][0]: g["n"] for g in one["groups"]} == {"2026-11-01.v2": 2, "b": 2, "c": 2}
    assert len(two["groups"]) == 6
    assert "@file" not in ran.html


def test_a_column_called_file_is_told_apart(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("actual,predicted,file\n1,2,x\n")
    ran = run(tmp_path / "a.csv", "--by", "@file,file")
    assert ran.json["predictions"][0]["groupings"][0]["by"] == ["@file", "file"]


def test_keys_of_folders_are_decoded_and_one_stands_for_a_missing_value(
    run: Run, tmp_path: Path
) -> None:
    for folder in ("region=S%C3%BCd%2FWest", "region=__HIVE_DEFAULT_PARTITION__", "region=01"):
        for day in ("2026-11-01", "2026-11-02"):
            place = tmp_path / "log" / folder / f"date={day}"
            place.mkdir(parents=True)
            pl.DataFrame({"actual": [1.0], "predicted": [2.0]}).write_parquet(place / "p-0.parquet")
    for source in (tmp_path / "log", tmp_path / "log" / "*" / "*" / "*.parquet"):
        ran = run(source)
        assert ran.code == 0, ran.err
        assert ran.json["columns"]["time"] == "date"
        assert ran.json["time_span"] == ["2026-11-01 00:00", "2026-11-02 00:00"]
        (grouping,) = ran.json["predictions"][0]["groupings"]
        groups = {g["key"][0]: g["n"] for g in grouping["groups"]}
        assert grouping["by"] == ["region"]
        assert groups == {"Süd/West": 2, None: 2, "01": 2}


def test_a_file_outside_of_the_folders_lacks_their_keys(run: Run, tmp_path: Path) -> None:
    (tmp_path / "g=1").mkdir()
    for place in ("g=1/a.csv", "b.csv"):
        (tmp_path / place).write_text("actual,predicted\n1,2\n")
    ran = run(tmp_path, "--by", "g")
    assert ran.code in (2, 4)
    assert "no column 'g'" in ran.err


def test_json_keeps_digits_types_and_late_keys(run: Run, tmp_path: Path) -> None:
    lines = [
        '{"actual": 9007199254740993, "predicted": 9007199254740992, "g": "01"}',
        '{"actual": 9007199254740995, "predicted": 9007199254740994, "g": 1}',
        '{"actual": null, "predicted": 1, "g": "1.0"}',
        '{"actual": 3, "predicted": null, "late": "x"}',
    ]
    for name, text in (("log.ndjson", "\n".join(lines)), ("log.json", f"[{','.join(lines)}]")):
        (tmp_path / name).write_text(text)
        ran = run(tmp_path / name, "--by", "g", "--by", "late")
        assert ran.json["predictions"][0]["overall"]["mae"] == 1.0
        assert ran.json["rows"]["left_out"] == {"actual_missing": 1, "predicted_missing": 1}
        by_g, by_late = ran.json["predictions"][0]["groupings"]
        assert {g["key"][0] for g in by_g["groups"]} == {"01", "1", "1.0", None}
        assert {g["key"][0]: g["rows"]["read"] for g in by_late["groups"]} == {None: 3, "x": 1}


def test_numbers_that_are_no_json_are_read_as_what_they_say(run: Run, tmp_path: Path) -> None:
    values = ["NaN", '"NaN"', "Infinity", "-Infinity", "1e400", "123456789012345678901234567890",
              "0.00012345678901234567890", "12.000000000000000000001e2", "5e-324", '"12"', '"n/a"', '"x: NaN, \\" 1e999"', "true", "12345678901234567890"]  # fmt: skip
    rows = [f'{{"actual": {v}, "predicted": 12, "id": {v}}}' for v in values]
    for name, text in (
        ("log.ndjson", "\n".join(rows)),
        ("log.json", "[\n" + ",\n".join(rows) + "]"),
    ):
        (tmp_path / name).write_text(text)
        ran = run(tmp_path / name, "--by", "id")
        assert ran.json["rows"]["left_out"] == {
            "actual_nan": 2, "actual_infinite": 3, "actual_missing": 1, "actual_not_numeric": 1
        }  # fmt: skip
        keys = {g["key"][0] for g in ran.json["predictions"][0]["groupings"][0]["groups"]}
        assert {"123456789012345678901234567890", "12345678901234567890"} <= keys


@pytest.mark.parametrize("digits", [18, 19, 20, 21, 25, 40])
@pytest.mark.parametrize("before", ["", " "])
def test_long_integers_are_found_at_every_place(digits: int, before: str) -> None:
    from lossreport.logs.json_text import _holds_long_integers

    for text, whole in (
        ("[%s]", True),
        ('{"a": %s}', True),
        ('{"a":-%s.5}', True),
        ('{"a":0.%s}', False),
    ):
        block = (before + text % ("7" * digits)).encode()
        assert _holds_long_integers(block) is (whole and digits >= 20)


def test_the_records_of_an_object_are_said(run: Run, tmp_path: Path) -> None:
    path = made("object.json", object_with_array, tmp_path)
    assert run(path).json["sources"][0]["read_as"] == ["the records of its member 'rows'"]
    assert "read as <bdi>the records of its member &#39;rows&#39;" in run(path).html
    assert (
        "read as the records of its member 'rows'"
        in run(path, command="inspect", outputs=False).out
    )


def test_a_large_array_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lossreport.logs import json_arrays, json_layout, json_text

    monkeypatch.setattr(json_arrays, "PIECE", 7)
    monkeypatch.setattr(json_arrays, "BLOCK", 50)
    monkeypatch.setattr(json_layout, "BLOCK", 11)
    monkeypatch.setattr(json_text, "LOOKED_AT", 60)
    rows = [
        {"actual": i, "predicted": i + 1, "a": {"b": [i, {"c": '"]}{['}]}, "t": "\\\n"}
        for i in range(50)
    ]
    rows += [{"actual": 0, "predicted": 1, "late": "x"}]
    for name, text in (
        ("a.json", json.dumps(rows)),
        ("b.json", json.dumps(rows, indent=2)),
        ("c.json", json.dumps({"x": [[1]], "d": rows, "y": []})),
        ("d.jsonl", "\n".join(map(json.dumps, rows))),
    ):
        (tmp_path / name).write_text(text)
        made = lossreport.report(tmp_path / name, by="late")
        assert (made.rows.read, made.rows.scored) == (51, 51)
        assert {g.key[0]: g.rows.read for g in made.predictions[0].groupings[0].groups} == {
            None: 50,
            "x": 1,
        }


def test_excel_sheets_are_chosen_and_said(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"actual": [1, 2], "predicted": [2, 3]}).to_excel(
            book, sheet_name="A", index=False
        )
        pd.DataFrame({"actual": [1], "predicted": [5]}).to_excel(book, sheet_name="Ü", index=False)
    first = run(path)
    assert first.json["rows"]["read"] == 2
    (note,) = first.json["sources"][0]["read_as"]
    assert note == "sheet 'A', the first; not read: 'Ü' (choose with --sheet)"
    assert run(path, "--sheet", "Ü").json["predictions"][0]["overall"]["mae"] == 4
    assert "sheet 'Ü'" in run(path, "--sheet", "Ü", command="inspect", outputs=False).out
    wrong = run(path, "--sheet", "B")
    assert (wrong.code, "no sheet 'B'. Its sheets are: 'A', 'Ü'" in wrong.err) == (2, True)


TITLES = [["Forecast report", *[None] * 3], ["Created", "2026-01-01", None, None], [None] * 4]


@pytest.mark.parametrize("titles", [0, 1, 2, 3])
def test_titles_above_the_header_of_a_sheet_are_told(run: Run, tmp_path: Path, titles: int) -> None:
    rows = [["region", "actual", "predicted", "note"], *(["a", i, i + 1, None] for i in range(60))]
    path = tmp_path / "log.xlsx"
    pd.DataFrame([*TITLES[:titles], *rows]).to_excel(path, index=False, header=False)
    ran = run(path, "--by", "region")
    assert ran.json["rows"] == {"read": 60, "scored": 60, "left_out": {}}
    said = ["sheet 'Sheet1'"]
    said += [f"{min(titles, 2)} row{'s' * (titles > 1)} above the header"] if titles else []
    assert ran.json["sources"][0]["read_as"] == said


def test_a_sheet_whose_first_row_names_fewer_columns_keeps_it(tmp_path: Path) -> None:
    rows = [["actual", "predicted", None], *([i, i + 1, "x"] for i in range(60))]
    pd.DataFrame(rows).to_excel(tmp_path / "log.xlsx", index=False, header=False)
    assert lossreport.report(tmp_path / "log.xlsx", by="").rows.scored == 60
    rows = [["actual", "predicted", 2026], *([i, i + 1, i] for i in range(60))]
    pd.DataFrame(rows).to_excel(tmp_path / "log.xlsx", index=False, header=False)
    assert lossreport.report(tmp_path / "log.xlsx", by="").rows.scored == 60
    rows = [["g", "actual", "predicted"], ["a", "n/a", "n/a"], *(["a", i, i] for i in range(60))]
    pd.DataFrame(rows).to_excel(tmp_path / "log.xlsx", index=False, header=False)
    assert lossreport.report(tmp_path / "log.xlsx", by="").rows.read == 61


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_text_that_is_called_a_workbook_is_read_as_text(
    run: Run, tmp_path: Path, encoding: str
) -> None:
    lines = ["Region\tactual\tpredicted", *(f"Köln\t{i}\t{i + 2}" for i in range(60))]
    path = tmp_path / "export.xls"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    ran = run(path, "--by", "Region")
    assert ran.json["predictions"][0]["overall"]["mae"] == 2
    assert ran.json["predictions"][0]["groupings"][0]["groups"][0]["key"] == ["Köln"]


@pytest.mark.parametrize("name", ["export.xls", "export.csv", "export"])
@pytest.mark.parametrize(
    ("start", "kind"),
    [("<html><body><table>", "a web page"), ("\ufeff\n<!DOCTYPE html>", "a web page"),
     ("<?xml version='1.0'?><Workbook>", "an XML document")],
)  # fmt: skip
def test_web_pages_are_refused_with_what_to_do(
    run: Run, tmp_path: Path, name: str, start: str, kind: str
) -> None:
    path = tmp_path / name
    path.write_text(start + "<tr><td>actual</td><td>predicted</td></tr></table>", "utf-8")
    ran = run(path)
    assert (ran.code, f"is {kind}, no log: open it in a spreadsheet" in ran.err) == (4, True)


def test_whole_numbers_of_excel_are_grouped_by_like_those_of_other_files(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    rows = {"store": [i % 3 for i in range(60)], "actual": range(60), "predicted": range(1, 61)}
    pd.DataFrame(rows).to_excel(path, index=False)
    (grouping,) = lossreport.report(path).predictions[0].groupings
    assert sorted(g.key for g in grouping.groups) == [("0",), ("1",), ("2",)]


def test_excel_rows_cells_and_header_stay_what_they_are(run: Run, tmp_path: Path) -> None:
    cells = [
        [None] * 4,
        [None, "actual", "predicted", "code"],
        [None, 1, 2, "01"],
        [None] * 4,
        [None, "n/a", 2, 1],
        [None, 10, 110, 1.5],
    ]
    path = tmp_path / "log.xlsx"
    pd.DataFrame(cells).to_excel(path, index=False, header=False)
    ran = run(path, "--by", "code")
    assert ran.json["rows"] == {"read": 4, "scored": 2, "left_out": {"actual_missing": 2}}
    assert [(w["row"], w["error"]) for w in ran.json["predictions"][0]["worst_rows"]] == [
        (4, 100),
        (1, 1),
    ]
    groups = ran.json["predictions"][0]["groupings"][0]["groups"]
    assert {g["key"][0] for g in groups} == {"01", "1", "1.5", None}


def test_missing_values_labels_and_dates_of_spss(run: Run, tmp_path: Path) -> None:
    frame = pd.DataFrame({"actual": [1.0, 99.0, None, 4.0], "predicted": [2.0, 2.0, 2.0, 6.0],
                          "g": [1.0, 2.0, 1.0, 3.0], "day": [date(2026, 1, d) for d in (1, 2, 3, 4)]})  # fmt: skip
    path = tmp_path / "log.sav"
    pyreadstat.write_sav(
        frame, str(path), missing_ranges={"actual": [99]},
        variable_value_labels={"actual": {99: "refused", 1: "one"}, "g": {1: "north", 2: "south"}},
    )  # fmt: skip
    ran = run(path, "--by", "g.name", "--by", "g")
    assert ran.json["rows"] == {"read": 4, "scored": 2, "left_out": {"actual_missing": 2}}
    names, codes = ran.json["predictions"][0]["groupings"]
    assert {g["key"][0]: g["rows"]["read"] for g in names["groups"]} == {
        "north": 2,
        "south": 1,
        "3": 1,
    }
    assert {g["key"][0]: g["rows"]["read"] for g in codes["groups"]} == {"1": 2, "2": 1, "3": 1}
    assert ran.json["time_span"] == ["2026-01-01 00:00", "2026-01-04 00:00"]


def test_chunks_of_stata_and_spss_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lossreport.logs import pandas_files

    monkeypatch.setattr(pandas_files, "ROWS", 3)
    frame = pd.DataFrame(
        {"actual": [1, 2, 3, 4, 5, 6, None], "predicted": [2.0] * 7, "g": list("xxxyyyz")}
    )
    frame["g"] = frame["g"].astype("category")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame.to_stata(tmp_path / "a.dta", write_index=False)
    pyreadstat.write_sav(frame.astype({"g": str}), str(tmp_path / "a.sav"))
    pyreadstat.write_xport(
        frame.astype({"g": str}).rename(columns={"predicted": "pred"}),
        str(tmp_path / "a.xpt"),
        file_format_version=5,
    )
    for name, by in (("a.dta", "g.name"), ("a.sav", "g"), ("a.xpt", "g")):
        report = lossreport.report(tmp_path / name, by=by)
        assert dict(report.rows.left_out) == {"actual_missing": 1}
        assert {g.key[0]: g.rows.read for g in report.predictions[0].groupings[0].groups} == {
            "x": 3,
            "y": 3,
            "z": 1,
        }
        assert [w.row for w in report.predictions[0].worst] == [6, 5, 4, 1, 3, 2]


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress, zipped])
def test_json_is_read_in_every_compression(
    packed: Callable[[bytes], bytes], tmp_path: Path, expected: dict[str, Any]
) -> None:
    text = json.dumps(records(log()))
    for name, content in (("a.json", text), ("b.jsonl", text[1:-1].replace("}, {", "}\n{"))):
        (tmp_path / name).write_bytes(packed(content.encode()))
        assert figures(tmp_path / name) == expected


def test_rows_that_are_none_stay_out_in_folders_with_keys_and_when_joined(
    run: Run, tmp_path: Path
) -> None:
    place = tmp_path / "log" / "region=a"
    place.mkdir(parents=True)
    (place / "p.csv").write_text("id,pred,n\n1,2,x\nid,pred,n\n2,3,y\n3,4,z,9\n4,5,x\n")
    (tmp_path / "a.csv").write_text("id,actual\n1,1\n2,1\nid,actual\n4,1\n")
    ran = run(
        tmp_path / "log", "--actuals", tmp_path / "a.csv", "--on", "id", "--by", "region,@file"
    )
    assert ran.code == 0, ran.err
    rows = {"row_malformed": 1, "row_repeated_header": 1}
    assert ran.json["rows"] == {"read": 5, "scored": 3, "left_out": rows}
    assert ran.json["predictions"][0]["overall"]["mae"] == pytest.approx((1 + 2 + 4) / 3)


TABLE = pd.DataFrame(
    {
        "actual": [float(i) for i in range(60)],
        "predicted": [i + 1.5 for i in range(60)],
        "g": ["a", "b"] * 30,
    }
)


@pytest.mark.parametrize("indent", [0, 2])
@pytest.mark.parametrize(
    ("orient", "said"),
    [("columns", "columns, not records"), ("index", "records by name"),
     ("split", "the rows of its member 'data'"), ("list", "columns, not records"),
     ("table", "the records of its member 'data'"), ("records", None)],
)  # fmt: skip
@pytest.mark.parametrize("named", [False, True])
def test_json_of_pandas_is_read_in_each_orientation(
    run: Run, tmp_path: Path, orient: str, said: str | None, indent: int, named: bool
) -> None:
    table = TABLE.set_index(pd.Index([f"row {i}" for i in range(60)])) if named else TABLE
    path = tmp_path / "log.json"
    if orient == "list":
        path.write_text(json.dumps(table.to_dict("list"), indent=indent or None), "utf-8")
    else:
        table.to_json(path, orient=orient, indent=indent)  # type: ignore[arg-type]
    ran = run(path, "--by", "g")
    assert ran.json["rows"] == {"read": 60, "scored": 60, "left_out": {}}
    (of,) = ran.json["predictions"]
    assert (of["overall"]["mae"], len(of["groupings"][0]["groups"])) == (1.5, 2)
    assert ran.json["sources"][0]["read_as"] == ([said] if said else [])


def test_records_in_lines_are_no_columns(tmp_path: Path) -> None:
    for lines in (
        ['{"actual": 1, "predicted": 2}'],
        ['{"instance": {"actual": 1}, "prediction": {"v": 2}}'],
        ['{"actual": 1, "predicted": 2, "tags": [1, 2]}'],
        [
            '{"actual": 1, "predicted": 2, "s": {"a": 1}}',
            '{"actual": 1, "predicted": 2, "s": null}',
        ],
    ):
        path = tmp_path / "log.ndjson"
        path.write_text("\n".join(lines), "utf-8")
        predicted = {"predicted": "prediction.v"} if "instance" in lines[0] else {}
        made = lossreport.report(
            path, actual="instance.actual" if predicted else "actual", **predicted
        )
        assert made.rows.scored == len(lines)


def test_columns_are_joined_by_the_names_of_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    one, other = {"a": 10, "b": 20, "c": 30}, {"c": 30, "b": 20, "a": 10}
    path.write_text(json.dumps({"actual": one, "predicted": other}), "utf-8")
    assert lossreport.report(path, by="").predictions[0].overall.mae == 0
    path.write_text(json.dumps({"actual": {"0": 1, "1": 2}, "predicted": {"0": 1}}), "utf-8")
    made = lossreport.report(path, by="")
    assert (made.rows.read, dict(made.rows.left_out)) == (2, {"predicted_missing": 1})
    split = {"columns": ["actual", "predicted", "predicted"], "data": [[1, 2, 9], [3, 4, 9]]}
    path.write_text(json.dumps(split), "utf-8")
    with pytest.raises(LossReportError, match="two columns of one name"):
        lossreport.report(path, by="")
