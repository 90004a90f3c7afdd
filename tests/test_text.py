"""Text files as they come: one table written in many ways gives the same figures."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lossreport
from lossreport.logs import text as text_module
from lossreport.logs.compression import zstd
from lossreport.logs.opening import open_log
from tests.conftest import EXAMPLES, ROOT, Ran

Run = Callable[..., Ran]
Table = list[list[str]]


def table(name: str) -> Table:
    with (EXAMPLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def written(
    rows: Table, separator: str = ",", quote: str = '"', end: str = "\n", *, every: bool = False
) -> str:
    """Write a table without the csv module's help, which knows no "; "."""

    def field(text: str) -> str:
        if every or any(c in text for c in (separator.strip(" ") or separator, quote, "\r", "\n")):
            return quote + text.replace(quote, quote * 2) + quote
        return text

    return "".join(separator.join(map(field, row)) + end for row in rows)


def commas(rows: Table, columns: Sequence[str]) -> Table:
    """Write the decimal numbers of some columns with a comma."""
    at = [rows[0].index(c) for c in columns]
    return [rows[0]] + [
        [v.replace(".", ",") if i in at else v for i, v in enumerate(r)] for r in rows[1:]
    ]


def renamed(rows: Table, old: str, new: str) -> Table:
    return [[new if name == old else name for name in rows[0]], *rows[1:]]


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", data)
        archive.writestr("__MACOSX/._inner.csv", b"x")
    return file.getvalue()


FOOD = table("foodwaste.csv")
NUMBERS = ("y_true", "y_pred", "residual", "abs_error")
PLAIN = written(FOOD).encode()
PREAMBLE = "Store demand, all stores\n\nMade on 2024-01-01\n"
GAP = "," * (len(FOOD[0]) - 1)
PADDED = f"Store demand{GAP}\nMade on 2024-01-01{GAP}"
WAYS: dict[str, tuple[str, bytes]] = {
    "plain": ("a.csv", PLAIN),
    "no newline at the end": ("a.csv", PLAIN[:-1]),
    "BOM": ("a.csv", codecs.BOM_UTF8 + PLAIN),
    "UTF-16 LE with BOM": ("a.csv", codecs.BOM_UTF16_LE + PLAIN.decode().encode("utf-16-le")),
    "UTF-16 BE with BOM": ("a.csv", codecs.BOM_UTF16_BE + PLAIN.decode().encode("utf-16-be")),
    "UTF-16 LE": ("a.csv", PLAIN.decode().encode("utf-16-le")),
    "UTF-16 BE": ("a.csv", PLAIN.decode().encode("utf-16-be")),
    "UTF-16 LE of unknown ending": ("a.txt", PLAIN.decode().encode("utf-16-le")),
    "UTF-32": ("a.csv", PLAIN.decode().encode("utf-32")),
    "Windows-1252": ("a.csv", written(renamed(FOOD, "row_id", "Zählung")).encode("cp1252")),
    "semicolons and decimal commas": ("a.csv", written(commas(FOOD, NUMBERS), ";").encode()),
    "the same in Windows-1252": (
        "a.csv",
        written(renamed(commas(FOOD, NUMBERS), "row_id", "Größe"), ";", end="\r\n").encode("cp1252"),
    ),
    "commas and decimal commas in quotes": ("a.csv", written(commas(FOOD, NUMBERS)).encode()),
    "tabs": ("a.csv", written(FOOD, "\t").encode()),
    "tabs and decimal commas": ("a.txt", written(commas(FOOD, NUMBERS), "\t").encode()),
    "tsv": ("a.tsv", written(FOOD, "\t").encode()),
    "pipes": ("a.csv", written(FOOD, "|").encode()),
    "semicolon and blank": ("a.csv", written(FOOD, "; ").encode()),
    "comma and blank": ("a.csv", written(FOOD, ", ").encode()),
    "comma and blank, quoted": ("a.csv", written(FOOD, ", ", every=True).encode()),
    "every field quoted": ("a.csv", written(FOOD, every=True).encode()),
    "single quotes": ("a.csv", written(FOOD, quote="'", every=True).encode()),
    "CRLF": ("a.csv", written(FOOD, end="\r\n").encode()),
    "CRLF, quoted": ("a.csv", written(FOOD, end="\r\n", every=True).encode()),
    "CR": ("a.csv", written(FOOD, end="\r").encode()),
    "CR in UTF-16": ("a.csv", written(FOOD, end="\r").encode("utf-16")),
    "blank lines": ("a.csv", PLAIN.replace(b"\n", b"\n\n")),
    "blank lines, CRLF": ("a.csv", b"\r\n" + PLAIN.replace(b"\n", b"\r\n\r\n")),
    "gz": ("a.csv.gz", gzip.compress(PLAIN, mtime=0)),
    "gz in two members": ("a.csv.gz", gzip.compress(PLAIN[:999]) + gzip.compress(PLAIN[999:])),
    "gz of unknown ending": ("a.log", gzip.compress(PLAIN, mtime=0)),
    "zst": ("a.csv.zst", zstd.compress(PLAIN)),
    "bz2": ("a.csv.bz2", bz2.compress(PLAIN)),
    "xz": ("a.csv.xz", lzma.compress(PLAIN)),
    "zip": ("a.csv.zip", zipped(PLAIN)),
    "zip, UTF-16, semicolons": (
        "a.zip", zipped(written(commas(FOOD, NUMBERS), ";").encode("utf-16")),
    ),
    "sep=": ("a.csv", b"sep=|\r\n" + written(FOOD, "|", end="\r\n").encode()),
    "lines of blanks": ("a.csv", PLAIN.replace(b"\n", b"\n \t\n")),
    "titles": ("a.csv", PREAMBLE.encode() + PLAIN),
    "titles as a spreadsheet pads them": ("a.csv", f"{PADDED}\n{GAP}\n".encode() + PLAIN),
    "one title, padded and quoted": ("a.csv", f'"Demand, all stores"{GAP}\n'.encode() + PLAIN),
    "a padded title after a line": ("a.csv", f"Demand\n\n{PADDED}\n".encode() + PLAIN),
    "comments": ("a.csv", b"# made by x, y\n# v 1\n" + PLAIN),
    "comments of the other kind": ("a.csv", b"// made by x\n" + PLAIN),
    "the header in a comment": ("a.csv", b"#" + PLAIN),
    "separators at the ends": ("a.csv", written(FOOD, end=",\n").encode()),
    "separators at the ends of rows": ("a.csv", PLAIN.replace(b"\n", b",\n").replace(b",\n", b"\n", 1)),
}  # fmt: skip


def figures(path: Path, **options: Any) -> dict[str, Any]:
    report = lossreport.report(path, title="same", **options)
    made = json.loads(lossreport.to_json(report))
    del made["sources"]
    for prediction in made["predictions"]:
        for row in prediction["worst_rows"]:
            del row["file"]
    return made


@pytest.fixture(scope="module")
def food_figures() -> dict[str, Any]:
    made = figures(EXAMPLES / "foodwaste.csv")
    overall = made["predictions"][0]["overall"]
    assert overall["mae"] == pytest.approx(0.746034067806881, rel=1e-12)
    assert (made["rows"]["read"], made["columns"]["time"]) == (1575, "date")
    return made


@pytest.mark.parametrize("way", WAYS)
def test_one_file_written_in_many_ways_gives_the_same_figures(
    tmp_path: Path, food_figures: dict[str, Any], way: str
) -> None:
    name, data = WAYS[way]
    (tmp_path / name).write_bytes(data)
    assert figures(tmp_path / name) == food_figures


def test_no_header_gives_the_same_figures(tmp_path: Path, food_figures: dict[str, Any]) -> None:
    roles = {"actual": "c2", "predicted": "c3", "time": "c4", "by": "c5"}
    (tmp_path / "a.csv").write_text(written(FOOD[1:]))
    for options in ({}, {"no_header": True}):
        made = figures(tmp_path / "a.csv", **roles, **options)
        assert made["predictions"][0]["overall"] == food_figures["predictions"][0]["overall"]
        assert made["rows"]["read"] == 1575


POLLS = {"actual": "margin_actual", "predicted": "margin_poll", "by": "type_simple"}


@pytest.fixture(scope="module")
def poll_figures() -> dict[str, Any]:
    made = figures(EXAMPLES / "polls.csv", **POLLS)
    assert made["predictions"][0]["overall"]["mae"] == pytest.approx(5.487317646618684, rel=1e-12)
    return made


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "; ", "\t", "|"])
def test_polls_written_in_many_ways(
    tmp_path: Path, poll_figures: dict[str, Any], separator: str, encoding: str
) -> None:
    rows = table("polls.csv")
    if separator != ",":
        rows = commas(rows, ("margin_poll", "margin_actual", "cand1_pct", "cand1_actual"))
    (tmp_path / "a.csv").write_bytes(written(rows, separator).encode(encoding))
    assert figures(tmp_path / "a.csv", **POLLS) == poll_figures


def log(tmp_path: Path, data: str | bytes, name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def ledger(ran: Ran) -> tuple[int, dict[str, int]]:
    rows = ran.json["rows"]
    assert rows["read"] == rows["scored"] + sum(rows["left_out"].values())
    return rows["scored"], rows["left_out"]


def test_ragged_rows_are_in_the_ledger_and_never_scored(run: Run, tmp_path: Path) -> None:
    path = log(tmp_path, "g,actual,predicted,h\na,1,2,x\nb,3\nc,5,6,7,8\nd,9,9,x,\ne\n,4,4,x\n")
    ran = run(path, "--by", "g")
    assert ledger(ran) == (2, {"row_malformed": 4})
    groups = ran.json["predictions"][0]["groupings"][0]["groups"]
    assert {g["key"][0]: (g["n"], g["rows"]["read"]) for g in groups} == {"a": (1, 1), None: (1, 5)}
    assert "4 malformed" in ran.out
    assert "4 malformed" in ran.html


def test_a_short_and_a_long_row_do_not_make_up_for_each_other(run: Run, tmp_path: Path) -> None:
    path = log(tmp_path, "actual,predicted,h\n1,2,x\n3,4\n5,6,7,\n")
    assert ledger(run(path)) == (1, {"row_malformed": 2})


def test_a_header_that_comes_again_is_no_row_of_text(run: Run, tmp_path: Path) -> None:
    part = "g,actual,predicted\na,1,2\nb,3,4\n"
    path = log(tmp_path, part + part + "\ufeff" + part)
    ran = run(path, "--by", "g")
    assert ledger(ran) == (6, {"row_repeated_header": 2})
    keys = {g["key"][0] for g in ran.json["predictions"][0]["groupings"][0]["groups"]}
    assert keys == {"a", "b", None}


def test_a_header_in_another_order_is_an_error(run: Run, tmp_path: Path) -> None:
    path = log(tmp_path, "g,actual,predicted\na,1,2\ng,predicted,actual\na,2,1\n")
    ran = run(path)
    assert ran.code == 4
    assert "row 2: the header comes again" in ran.err


def test_worst_rows_are_numbered_as_in_the_file(run: Run, tmp_path: Path) -> None:
    rows = ["# a comment", "actual,predicted", "1,1", "1", "", "actual,predicted", "1,1", "1,900"]
    worst = run(log(tmp_path, "\n".join(rows))).json["predictions"][0]["worst_rows"]
    assert (worst[0]["row"], worst[0]["predicted"]) == (5, 900)


def test_what_was_assumed_is_said_everywhere(run: Run, tmp_path: Path) -> None:
    rows = "Größe;actual;predicted\r\n1;1,5;2,5\r\n2;2,5;2,5\r\n"
    path = log(tmp_path, b"# x\n" + rows.encode("cp1252"))
    ran = run(path)
    said = ["Windows-1252", "separator ;", "1 comment line skipped", "decimal comma"]
    assert ran.json["sources"][0]["read_as"] == said
    assert "1 file read as <bdi>" + ", ".join(said) in ran.html
    inspected = run(path, command="inspect", outputs=False)
    assert "read as " + ", ".join(said) in " ".join(inspected.out.split())
    plain = run(EXAMPLES / "apples.csv")
    assert plain.json["sources"][0]["read_as"] == []
    assert "read as" not in plain.html


def test_what_was_assumed_is_kept_in_a_profile(run: Run, tmp_path: Path) -> None:
    path = log(tmp_path, "actual;predicted\n1;2\n")
    run(path, "-o", tmp_path / "p.parquet", command="profile", outputs=False)
    assert run(tmp_path / "p.parquet").json["sources"][0]["read_as"] == ["separator ;"]


OPTIONS: dict[str, tuple[bytes, list[str], int]] = {
    "separator": (b"actual:predicted\n1:2\n2:4\n", ["--separator", ":"], 2),
    "separator of several characters": (b"actual||predicted\n1||2\n2||4\n", ["--separator", "||"], 2),
    "separator beyond ASCII": ("actual§predicted\n1§2\n2§4\n".encode("cp1252"), ["--separator", "§"], 2),
    "separator tab": (b"actual\tpredicted\n1\t2\n2\t4\n", ["--separator", "tab"], 2),
    "separator blank": (b"actual predicted\n1 2\n2 4\n", ["--separator", " "], 2),
    "encoding": ("actual,predicted,é\n1,2,é\n2,4,é\n".encode("mac-roman"), ["--encoding", "mac-roman"], 2),
    "decimal": (b"actual;predicted\n1,234;2\n2,345;4\n", ["--decimal", "."], 2),
    "no header": (b"1,2\n2,4\n", ["--no-header", "--actual", "c1", "--predicted", "c2"], 2),
    "skip lines": (b"x,y\n3,4\nactual,predicted\n1,2\n2,4\n", ["--skip-lines", "2"], 2),
    "missing": (b"actual,predicted\n1,2\nnix,4\n-999.0,1\n2,4\n", ["--missing", "NIX", "--missing", "-999"], 2),
}  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_of_text_files(run: Run, tmp_path: Path, option: str) -> None:
    data, words, scored = OPTIONS[option]
    path = log(tmp_path, data)
    ran = run(path, *words)
    assert ran.code == 0, ran.err
    assert ran.json["rows"]["scored"] == scored
    assert set(ran.json["rows"]["left_out"]) <= {"actual_missing"}
    kept = run(path, *words, "-o", tmp_path / "p.parquet", command="profile", outputs=False)
    assert kept.code == 0, kept.err
    inspecting = [
        w for i, w in enumerate(words) if not {"--actual", "--predicted"} & {w, words[i - 1]}
    ]
    assert run(path, *inspecting, command="inspect", outputs=False).code == 0


def test_missing_tokens_hold_for_every_format(tmp_path: Path) -> None:
    frame = pl.DataFrame({"actual": [1.0, -999.0, 3.0], "predicted": [1, 2, -999], "g": ["a"] * 3})
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_csv(tmp_path / "a.csv")
    for log_ in (tmp_path / "a.parquet", tmp_path / "a.csv", frame):
        rows = lossreport.report(log_, missing="-999").rows
        assert (rows.scored, dict(rows.left_out)) == (
            1,
            {"actual_missing": 1, "predicted_missing": 1},
        )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--encoding", "nope"], "no encoding 'nope'"),
        (["--encoding", "rot13"], "no encoding 'rot13'"),
        (["--decimal", ";"], "decimal mark is ';'"),
        (["--separator", ""], "cannot be a separator"),
        (["--separator", "\n"], "cannot be a separator"),
    ],
)
def test_options_that_cannot_be_meant(run: Run, words: list[str], says: str) -> None:
    ran = run(EXAMPLES / "apples.csv", *words)
    assert (ran.code, says in ran.err) == (2, True), ran.err


def test_text_options_are_refused_for_profiles(run: Run, tmp_path: Path) -> None:
    run(EXAMPLES / "apples.csv", "-o", tmp_path / "p.parquet", command="profile", outputs=False)
    assert run(tmp_path / "p.parquet", "--decimal", ",").code == 2


def late(first: bytes, odd: bytes, rows: int = 250_000) -> bytes:
    """A file of some megabytes, with a byte in its last row that is not ASCII."""
    return b"actual,predicted,g\n" + first + b"1,2,aaaaaa\n" * rows + b"1,2," + odd + b"\n"


def test_a_late_byte_of_windows_1252_is_read_as_such(run: Run, tmp_path: Path) -> None:
    ran = run(log(tmp_path, late(b"", b"K\xf6ln")), "--by", "g")
    assert ran.code == 0, ran.err
    groups = ran.json["predictions"][0]["groupings"][0]["groups"]
    assert {g["key"][0] for g in groups} == {"aaaaaa", "Köln"}
    assert ran.json["sources"][0]["read_as"] == ["Windows-1252"]


def test_a_late_character_of_utf_8_is_read_as_such(run: Run, tmp_path: Path) -> None:
    ran = run(log(tmp_path, late(b"", "Köln".encode())), "--by", "g")
    groups = ran.json["predictions"][0]["groupings"][0]["groups"]
    assert {g["key"][0] for g in groups} == {"aaaaaa", "Köln"}
    assert ran.json["sources"][0]["read_as"] == []


@pytest.mark.parametrize(
    ("first", "odd", "words", "says"),
    [
        ("1,2,ö\n".encode(), b"\xf6", [], "not of one encoding"),
        (b"1,2,\xf6\n", "öä".encode(), [], "not of one encoding"),
        (b"", b"\xf6", ["--encoding", "utf-8"], "is not UTF-8: byte 0xF6 at place 2,750,024"),
        ("1,2,ö\n".encode(), b"\xc3", [], "not of one encoding"),
    ],
)
def test_a_late_contradiction_is_an_error_that_names_the_place(
    run: Run, tmp_path: Path, first: bytes, odd: bytes, words: list[str], says: str
) -> None:
    ran = run(log(tmp_path, late(first, odd)), *words)
    assert ran.code == 4
    assert says in ran.err
    assert "log.csv" in ran.err
    assert ran.err.count("\n") <= 5


def test_utf_16_that_breaks_is_an_error(run: Run, tmp_path: Path) -> None:
    good = "actual,predicted\n1,2\n".encode("utf-16-le")
    ran = run(log(tmp_path, good + b"\x00\xd8\x31\x00,\x002\x00\n\x00"))
    assert ran.code == 4
    assert "is not UTF-16 (little-endian): byte" in ran.err


def test_a_long_wait_for_the_first_number(run: Run, tmp_path: Path) -> None:
    tokens = ["MISSING", "EMPTY", "N/A", "-", "Not available", ""]
    rows = [f"{t},2,01" for t in tokens * 3_000] + ["1.5,2,02"] * 500
    ran = run(log(tmp_path, "actual,predicted,g\n" + "\n".join(rows)), "--by", "g")
    assert ledger(ran) == (500, {"actual_missing": 18_000})
    groups = ran.json["predictions"][0]["groupings"][0]["groups"]
    assert {g["key"][0] for g in groups} == {"01", "02"}


def test_a_long_wait_for_the_first_decimal_comma(run: Run, tmp_path: Path) -> None:
    rows = ["7,5;N/A"] * 200_000 + ["1,5;2,5"] * 500
    ran = run(log(tmp_path, "actual;predicted\n" + "\n".join(rows)), "--by", "")
    assert ledger(ran) == (500, {"predicted_missing": 200_000})
    assert ran.json["predictions"][0]["overall"]["mae"] == 1


@pytest.mark.parametrize("ending", ["12,5;2", "1.234,5;2"])
def test_a_late_decimal_comma_is_an_error_where_points_were_taken_for_decimal(
    run: Run, tmp_path: Path, ending: str
) -> None:
    path = log(tmp_path, "actual;predicted\n" + "1;2\n" * 400_000 + ending)
    ran = run(path)
    assert ran.code == 4
    assert "row 400,001" in ran.err
    assert "--decimal" in ran.err
    assert run(path, "--decimal", ",").code == 0


def test_an_ambiguous_number_is_said_and_its_contradiction_is_an_error(
    run: Run, tmp_path: Path
) -> None:
    rows = "actual;predicted\n" + "1,234;2\n" * 400_000
    ran = run(log(tmp_path, rows))
    assert "1,234 in column actual taken as 1.234" in ran.json["sources"][0]["read_as"]
    assert ran.json["predictions"][0]["overall"]["mae"] == pytest.approx(0.766, rel=1e-9)
    ran = run(log(tmp_path, rows + "1,234,567;2\n"))
    assert ran.code == 4
    assert "'1,234,567' in column 'actual' contradicts" in ran.err
    overall = run(log(tmp_path, rows), "--decimal", ".").json["predictions"][0]["overall"]
    assert overall["mae"] == 1232


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", b"\x00" * 100 + b"\x01\x02" * 100, "no text"),
        ("a.csv.gz", gzip.compress(PLAIN, mtime=0)[:2000], "gzip data is cut off or damaged"),
        ("a.csv.xz", lzma.compress(PLAIN)[:2000], "xz data is cut off or damaged"),
        ("a.csv.bz2", bz2.compress(PLAIN)[:2000], "bzip2 data is cut off or damaged"),
        ("a.csv.zst", zstd.compress(PLAIN)[:2000], "zstd data is cut off or damaged"),
        ("a.csv.zip", zipped(PLAIN)[:2000], "zip data is cut off or damaged"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "empty file"),
        ("a.csv", b'"' + b"a,b\n" * 400_000, "does not end within"),
        ("a.csv", codecs.BOM_UTF8, "no rows"),
    ],
)
def test_what_cannot_be_read_is_said(
    run: Run, tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    ran = run(log(tmp_path, data, name))
    assert ran.code in (2, 4)
    assert says in ran.err
    assert ran.err.count("\n") <= 5


def test_a_zip_archive_must_hold_one_file(run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", PLAIN)
        archive.writestr("b.csv", PLAIN)
    ran = run(tmp_path / "two.zip")
    assert (ran.code, "zip archive of 2 files" in ran.err) == (4, True)


def test_hostile_names_and_values_are_shown_as_text(run: Run, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\x1b[31m"
    path = log(tmp_path, f"{hostile};{hostile};actual;predicted\nx;y;1,234;2\n")
    ran = run(path)
    assert ran.code == 0, ran.err
    assert "<script>alert" not in ran.html
    inspected = run(path, command="inspect", outputs=False)
    assert "\x1b" not in ran.html + ran.out + inspected.out


def test_text_is_read_in_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(text_module, "SMALLEST_BLOCK", 1)
    monkeypatch.setattr(text_module, "PIECE_BYTES", 999)
    monkeypatch.setattr(text_module, "LARGEST_BLOCK", 10_000)
    part = open_log([str(log(tmp_path, PLAIN))]).parts[0]
    blocks = [f.collect() for f in part.frames(["y_true", "store"])]
    assert len(blocks) > 1
    together = pl.concat(blocks)
    assert together["y_true"].to_list() == [r[1] for r in FOOD[1:]]
    assert together["store"].to_list() == [r[4] for r in FOOD[1:]]


def test_first_rows_without_values_are_no_titles(run: Run, tmp_path: Path) -> None:
    path = log(tmp_path, "a,,\n,,\n" + "b,1,2\n" * 60)
    ran = run(path, "--actual", "c2", "--predicted", "c3", "--by", "c1")
    assert ledger(ran) == (60, {"actual_missing": 2})


@pytest.mark.parametrize(
    "way", ["plain", "semicolons and decimal commas", "gz", "CRLF, quoted", "titles"]
)
def test_urls_are_read_in_the_same_way(
    tmp_path: Path, food_figures: dict[str, Any], way: str
) -> None:
    name, data = WAYS[way]
    made = figures(f"file://{log(tmp_path, data, name)}")  # type: ignore[arg-type]
    assert made == food_figures


def test_ragged_rows_of_a_url_are_in_the_ledger(run: Run, tmp_path: Path) -> None:
    path = log(tmp_path, "g,actual,predicted\na,1,2\nb,3\n\nc,5,6,7\n")
    assert ledger(run(f"file://{path}")) == (1, {"row_malformed": 2})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(["actual", "predicted", ",", ";", "\n", "\r\n", '"', "'", "1", "2.5", "1,5", "x", " ",
                         "\ufeff", "\x00", "é", "# ", "actual,predicted\n", "1,2\n", "nan", "1e999"]),
        max_size=40,
    ).map(lambda words: "actual,predicted\n" + "".join(words)).map(str.encode)
)  # fmt: skip
def test_any_file_gives_a_ledger_that_adds_up_or_an_error(tmp_path: Path, data: bytes) -> None:
    try:
        report = lossreport.report(log(tmp_path, data), by="")
    except lossreport.LossReportError:
        return
    rows = report.rows
    assert rows.read == rows.scored + sum(n for _, n in rows.left_out)
    assert 0 <= rows.read <= data.count(b"\n") + data.count(b"\r") + 1


def test_files_of_one_log_may_be_of_different_dialects(
    tmp_path: Path, food_figures: dict[str, Any]
) -> None:
    half = len(FOOD) // 2
    parts = [FOOD[:half], [FOOD[0], *FOOD[half:]]]
    (tmp_path / "a.csv").write_bytes(written(parts[0]).encode())
    (tmp_path / "b.csv.gz").write_bytes(
        gzip.compress(written(commas(parts[1], NUMBERS), ";", end="\r\n").encode("utf-16"))
    )
    made = figures(tmp_path)
    assert made["rows"] == food_figures["rows"]
    overall = made["predictions"][0]["overall"]
    for name, value in food_figures["predictions"][0]["overall"].items():
        if isinstance(value, float):
            assert overall[name] == pytest.approx(value, rel=1e-12)


# The system's own peak counts what the parent process held before it became another program.
PEAK = """
import sys, threading
import psutil
import lossreport
peak, done = [0], threading.Event()
def watch():
    while not done.wait(0.005):
        peak[0] = max(peak[0], psutil.Process().memory_info().rss)
watching = threading.Thread(target=watch)
watching.start()
profile = lossreport.profile(sys.argv[1], by="g")
done.set()
watching.join()
print(profile.rows, peak[0] // 2**20)
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, encoding: str) -> None:
    """120 MB of text (240 MB in UTF-16) are read in far less memory than they are long."""
    row = "some longer text that nobody reads,a,1.2345,2.3456\n"
    rows = 120_000_000 // len(row)
    with gzip.open(tmp_path / "log.csv.gz", "wb", compresslevel=1) as file:
        file.write("text,g,actual,predicted\n".encode(encoding))
        for _ in range(100):
            file.write((row * (rows // 100)).encode(encoding))
    command = [sys.executable, "-c", PEAK, str(tmp_path / "log.csv.gz")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    read, peak = map(int, ran.stdout.split())
    assert read == rows // 100 * 100
    assert peak < 450  # megabytes, of which the libraries are 150
