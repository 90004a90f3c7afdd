"""The command: exit codes, messages, files whole or not at all, the terminal's lines."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.commands.console import show
from lossreport.render import terminal
from tests.conftest import EXAMPLES, Ran

Run = Callable[..., Ran]
SCHEMA = json.loads((Path(lossreport.__file__).parent / "report.schema.json").read_text("utf-8"))


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def valid(report: dict[str, object]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(report)


@pytest.mark.charts
@pytest.mark.parametrize(
    "log", sorted(p.name for p in EXAMPLES.iterdir() if p.suffix in (".csv", ".parquet"))
)
def test_every_example_gives_a_page_and_valid_json(run: Run, log: str) -> None:
    options = (
        ("--actual", "margin_actual", "--predicted", "margin_poll") if log == "polls.csv" else ()
    )
    ran = run(EXAMPLES / log, *options)
    assert ran.code == (5 if log == "nothing_scored.csv" else 0), ran.err
    valid(ran.json)
    rows = ran.json["rows"]
    assert rows["read"] == rows["scored"] + sum(rows["left_out"].values())
    assert ran.html.startswith("<!doctype html>")
    assert f"{rows['read']:,} rows read" in ran.out


def test_apples_in_the_terminal_as_the_background_has_it(run: Run) -> None:
    out = " ".join(run(EXAMPLES / "apples.csv").out.split())
    assert "L1 6.67 mean absolute error" in out
    assert "L2 50.0 mean squared error" in out
    assert "One row of 3 makes 67% of the L2 and 50% of the L1" in out
    assert "quadratically" in out
    assert "exponential" not in out


def test_the_synthetic_log_is_told_in_the_first_sentence(run: Run) -> None:
    ran = run(EXAMPLES / "deliveries.parquet")
    frame = pl.read_parquet(EXAMPLES / "deliveries.parquet").drop_nulls(
        ["actual_minutes", "predicted_minutes"]
    )
    few = ran.json["predictions"][0]["concentration"]
    error = (frame["predicted_minutes"] - frame["actual_minutes"]).abs()
    far = error > few["cut"]
    assert few["rows"] == far.sum()
    assert few["share_of_sq_error"] == pytest.approx(
        (error.filter(far) ** 2).sum() / (error**2).sum(), rel=1e-6
    )
    in_apac = frame.filter(far)["region"].eq("apac").sum()
    assert (few["place"]["key"], few["place"]["rows"]) == (["apac"], in_apac)
    first = ran.html.split('<h2 id="p0-verdict">')[1].split("</h2>")[0]
    assert first.startswith(f"{far.sum()} rows of {frame.height:,}")
    assert "of the squared error" in first
    assert "region = apac" in first


BAD_LOGS = [
    ("nothing.csv", None, 2, "There is no file"),
    ("empty.csv", b"", 4, "empty file"),
    ("cut.parquet", b"PAR1" + b"\0" * 100, 4, "cannot be read"),
    ("wrong.parquet", b"actual,predicted\n1,2\n", 4, "does not begin like one"),
    ("wrong.arrow", b"ARROW1\0\0" + b"\1" * 50, 4, "cannot be read"),
    ("cut.csv.gz", gzip.compress(b"actual,predicted\n" + b"1,2\n" * 5000, mtime=0)[:60], 4, "cannot be read"),
    ("bad.ndjson", b'{"actual": 1, "predicted": 2}\n{"actual": ', 4, "cannot be read"),
    ("noactual.csv", b"predicted,x\n1,2\n", 2, "--actual"),
    ("two.csv", b"y_true,actual,y_pred\n1,2,3\n", 2, "y_true, actual"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "code", "says"), BAD_LOGS, ids=[b[0] for b in BAD_LOGS]
)
def test_bad_logs_get_a_message_and_their_exit_code(
    run: Run, tmp_path: Path, name: str, content: bytes | None, code: int, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ran = run(tmp_path / name)
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert says in ran.err
    assert not list(ran.folder.iterdir()), "nothing is written"


def test_a_truncated_parquet_file_is_named_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    whole = (EXAMPLES / "deliveries.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    ran = run(tmp_path / "cut.parquet")
    assert ran.code == 4
    assert "cut.parquet" in ran.err
    assert not list(ran.folder.iterdir())


def test_an_unknown_column_is_answered_with_the_nearest(run: Run) -> None:
    ran = run(EXAMPLES / "foodwaste.csv", "--by", "stoer")
    assert ran.code == 2
    assert "'stoer'. Did you mean store?" in ran.err
    assert "row_id, y_true, y_pred, date, store" in ran.err


def test_a_folder_without_logs_says_what_was_looked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "notes.txt", "hello")
    ran = run(tmp_path / "in")
    assert ran.code == 2
    assert ".parquet" in ran.err


def test_folders_and_globs_are_read_whole(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "deep"
    folder.mkdir(parents=True)
    write(folder.parent / "a.csv", "actual,predicted\n1,2\n")
    write(folder / "b.csv", "predicted,actual\n4,2\n")
    write(folder / ".hidden.csv", "broken")
    for source in (tmp_path / "logs", tmp_path / "logs" / "**" / "*.csv"):
        ran = run(source)
        assert [s["rows"] for s in ran.json["sources"]] == [1, 1], ran.err
        assert ran.json["predictions"][0]["overall"]["mae"] == 1.5


def test_all_rows_left_out_is_exit_5_with_the_page_written(run: Run, tmp_path: Path) -> None:
    log = write(tmp_path / "log.csv", "actual,predicted,g\n,1,a\nx,2,b\n")
    ran = run(log, "--by", "g")
    assert ran.code == 5
    valid(ran.json)
    assert ran.json["predictions"][0]["overall"]["mae"] is None
    assert "No row can be scored: all 2 lack a usable actual or predicted value." in ran.html
    assert "the page says why" in ran.err


def test_outputs_are_checked_before_the_log_is_read(run: Run, tmp_path: Path) -> None:
    log = EXAMPLES / "apples.csv"
    foreign = write(tmp_path / "mine.html", "<p>mine</p>")
    copy = write(tmp_path / "apples.csv", log.read_text())
    (tmp_path / "s").mkdir()
    around = tmp_path / "s" / ".." / "x"
    cases = [
        ((log, "--html", tmp_path / "no" / "x.html"), "no folder"),
        ((log, "--html", tmp_path), "is a folder"),
        ((log, "--html", foreign), "--force"),
        ((copy, "--json", copy, "--force"), "is the log itself"),
        ((log, "--html", tmp_path / "x", "--json", tmp_path / "x"), "same file"),
        ((log, "--html", tmp_path / "x", "--json", around), "same file"),
        ((log, "--sheet", "A"), "apples.csv holds none"),
        ((log, "--as-of", "9999-12-31T23:00-05:00"), "is no time"),
    ]
    for arguments, says in cases:
        ran = run(*arguments, outputs=False)
        assert (ran.code, ran.out) == (2, "")
        assert says in ran.err
    assert foreign.read_text() == "<p>mine</p>"
    assert copy.read_text() == log.read_text()
    assert run(log, "--html", foreign, "--force", outputs=False).code == 0
    assert run(log, "--html", foreign, outputs=False).code == 0, "its own file may be replaced"


def test_the_markdown_says_what_the_page_says_and_escapes_the_log(run: Run, tmp_path: Path) -> None:
    made = tmp_path / "summary.md"
    run(EXAMPLES / "deliveries.parquet", "--markdown", made)
    text = made.read_text("utf-8")
    assert "of the squared error, all in region = apac." in text.replace("\\", "")
    assert "| region = apac (outlier-driven) | 11,776 |" in text
    assert len(text) < 5000
    hostile = pl.DataFrame(
        {"actual": 0.0, "predicted": [1.0, 2.0], "g": ["a|b\n# x", "<img src=x> @all [y](z)"]}
    )
    hostile.write_parquet(tmp_path / "log.parquet")
    run(tmp_path / "log.parquet", "--by", "g", "--markdown", made, "--title", "*t*")
    text = made.read_text("utf-8")
    for raw in ("a|b", "\n# x", "<img", "@all", "[y](", "*t*"):
        assert raw not in text
    assert text.count("\n| ") == 5 + 4  # figures, groups: each with its header


def test_profiles_merge_to_the_report_of_the_whole_log(run: Run, tmp_path: Path) -> None:
    frame = pl.read_parquet(EXAMPLES / "deliveries.parquet")
    parts = []
    for i in range(3):
        log = tmp_path / f"night-{i}.parquet"
        frame[i::3].write_parquet(log)
        parts.append(tmp_path / f"night-{i}.profile.parquet")
        made = run(log, "--by", "region", "-o", parts[-1], command="profile", outputs=False)
        assert made.code == 0, made.err
    merged = run(*parts).json["predictions"][0]
    whole = run(EXAMPLES / "deliveries.parquet", "--by", "region").json["predictions"][0]
    assert merged["rows"] == whole["rows"]
    for name, value in whole["overall"].items():
        if isinstance(value, float):
            assert merged["overall"][name] == pytest.approx(value, rel=1e-9), name
    assert merged["recommendation"]["loss"] == whole["recommendation"]["loss"]
    assert run(parts[0], "--by", "model").code == 2, "a profile's columns are fixed"
    assert run(parts[0], EXAMPLES / "apples.csv").code == 2
    assert len(whole["worst_rows"]) == len(merged["worst_rows"]) == 20
    for asked, kept in (("0", 0), ("5", 5), ("50", 20)):
        cut = run(*parts, "--worst", asked).json["predictions"][0]["worst_rows"]
        assert cut == merged["worst_rows"][:kept]


def test_inspect_lists_columns_and_their_roles(run: Run) -> None:
    out = run(EXAMPLES / "foodwaste.csv", command="inspect", outputs=False).out
    assert "csv" in out
    words = {
        line.split()[0]: line.split()[1:] for line in out.splitlines() if line.startswith("  ")
    }
    assert words["y_true"] == ["String", "actual"]
    assert words["y_pred"][1] == "predicted"
    assert words["date"][1] == "time"
    assert words["store"][1] == "group"
    assert len(words["residual"]) == 1
    assert (
        "More than one column" in run(EXAMPLES / "polls.csv", command="inspect", outputs=False).out
    )


def test_quiet_prints_nothing_and_debug_shows_the_traceback(run: Run, tmp_path: Path) -> None:
    ran = run(EXAMPLES / "apples.csv", "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    with pytest.raises(lossreport.UsageError):
        run(tmp_path / "nothing.csv", "--debug")


NAMES = ["n", "mae", "bin", "bucket", "key_0", "hash_0", "bin_0", "error_0", "row", "file", "time",
         "prediction", "cell", "sub", "sum_error", "actual_text", "hour", "part", "count"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_group_column_may_be_called_anything(run: Run, tmp_path: Path, name: str) -> None:
    log = write(tmp_path / "log.csv", f"actual,predicted,{name}\n1,2,a\n1,3,b\n1,5,a\n")
    ran = run(log, "--by", name, "--time", "")
    assert ran.code == 0, ran.err
    groups = ran.json["predictions"][0]["groupings"][0]["groups"]
    assert {g["key"][0]: g["mae"] for g in groups} == {"a": 2.5, "b": 2.0}


def test_groups_with_missing_and_odd_values_are_told_apart(run: Run, tmp_path: Path) -> None:
    odd = [None, "", "(missing)", "<b>x</b>", "a\nb", "\u202ex", "😀", "a" * 10_000]
    pl.DataFrame(
        {"actual": 1.0, "predicted": [float(i) for i in range(8)], "g": odd}
    ).write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--by", "g")
    assert ran.code == 0, ran.err
    groups = ran.json["predictions"][0]["groupings"][0]["groups"]
    assert {g["key"][0]: g["max_abs_error"] for g in groups} == {
        o: abs(i - 1.0) for i, o in enumerate(odd)
    }
    assert "\x1b" not in ran.out + ran.html
    assert "\u202e" not in ran.out + ran.html
    assert "<b>x</b>" not in ran.html


TYPES = [
    pl.Int8,
    pl.UInt64,
    pl.Int128,
    pl.Float32,
    pl.Decimal(20, 3),
    pl.Boolean,
    pl.String,
    pl.Categorical,
]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_every_type_of_number_is_read(run: Run, tmp_path: Path, dtype: pl.DataType) -> None:
    frame = pl.DataFrame({"actual": [0, 1, 1, None], "predicted": [1, 0, 1, 1]})
    text = isinstance(dtype, type) and dtype in (pl.String, pl.Categorical)
    typed = frame.cast(pl.String).cast(dtype) if text else frame.cast(dtype)
    typed.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--by", "")
    assert ran.code == 0, ran.err
    assert ran.json["rows"] == {"read": 4, "scored": 3, "left_out": {"actual_missing": 1}}
    assert ran.json["predictions"][0]["overall"]["mae"] == pytest.approx(2 / 3)


def test_large_integers_and_decimals_keep_the_digits_of_their_difference(
    run: Run, tmp_path: Path
) -> None:
    pl.DataFrame({"actual": [2**62 + 1, -(2**63)], "predicted": [2**62, 2**63 - 1]}).write_parquet(
        tmp_path / "log.parquet"
    )
    overall = run(tmp_path / "log.parquet").json["predictions"][0]["overall"]
    assert overall["mae"] == (1 + float(2**64 - 1)) / 2
    assert run(EXAMPLES / "apples.csv", "--actual", "predicted", "--predicted", "actual").code == 0


def test_a_date_is_no_number(run: Run, tmp_path: Path) -> None:
    frame = pl.DataFrame({"actual": ["2026-01-01"], "predicted": [1.0]}).with_columns(
        pl.col("actual").str.to_date()
    )
    frame.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--actual", "actual")
    assert ran.code == 2
    assert "holds Date, which is no number" in ran.err


@pytest.mark.charts
@pytest.mark.parametrize("size", [1.7e308, 1e307, 1e160, 1e-200])
def test_what_leaves_the_range_of_floats_is_said_not_shown(
    run: Run, tmp_path: Path, size: float
) -> None:
    pl.DataFrame({"actual": 0.0, "predicted": [size, -size, size / 2] * 30}).write_parquet(
        tmp_path / "log.parquet"
    )
    ran = run(tmp_path / "log.parquet")
    assert ran.code == 0
    valid(ran.json)
    overall = ran.json["predictions"][0]["overall"]
    assert (overall["mse"], overall["rmse"], overall["ratio"]) == (None, None, None)
    (finding,) = (f for f in ran.json["findings"] if f["code"] == "LR003")
    assert finding["status"] == "issue"
    assert "range of floats" in finding["message"]
    assert "nan" not in ran.out.lower()
    assert ">inf<" not in ran.html


@pytest.mark.charts
def test_one_row_and_zero_errors_give_right_figures(run: Run, tmp_path: Path) -> None:
    one = run(write(tmp_path / "one.csv", "actual,predicted\n1,3\n")).json["predictions"][0][
        "overall"
    ]
    assert (one["n"], one["mae"], one["mse"], one["ratio"]) == (1, 2.0, 4.0, 1.0)
    zero = run(write(tmp_path / "zero.csv", "actual,predicted\n" + "1,1\n" * 60))
    assert zero.json["predictions"][0]["overall"]["ratio"] is None
    assert "leaked" in zero.html


def test_several_predictions_have_figures_over_their_own_rows(run: Run, tmp_path: Path) -> None:
    log = write(tmp_path / "log.csv", "y,p,q\n1,2,\n1,2,3\n,1,1\n")
    ran = run(log, "--actual", "y", "--predicted", "p", "--predicted", "q")
    assert ran.code == 0, ran.err
    valid(ran.json)
    p, q = ran.json["predictions"]
    assert (p["predicted"], p["overall"]["n"], p["overall"]["mae"]) == ("p", 2, 1.0)
    assert (q["predicted"], q["overall"]["n"], q["overall"]["mae"]) == ("q", 1, 2.0)


def test_the_help_names_the_table_of_the_configuration(run: Run) -> None:
    ran = run("--help", outputs=False)
    assert "tool.lossreport" in " ".join(ran.out.replace("│", " ").split())


def test_variables_are_options_but_never_say_what_is_deleted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSREPORT_PRUNE_BEFORE", "2030-01-01")
    for number in ("1", "2"):
        log = write(tmp_path / f"{number}.csv", "actual,predicted\n1,2\n")
        kept = ["--history", tmp_path / "h", "--run-date", f"2026-11-0{number}"]
        assert run(log, *kept).code == 0
    pruned = run("prune", tmp_path / "h", command="history", outputs=False)
    assert pruned.code == 2
    assert len(list((tmp_path / "h").iterdir())) == 2


def test_the_command_starts_without_the_heavy_imports() -> None:
    code = "import sys, lossreport.cli; print(sorted({'polars', 'pandas', 'matplotlib', 'numpy'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_command_has_polars_keep_memory_between_chunks() -> None:
    code = """
import os, lossreport.cli
lossreport.cli.app = lambda: None
lossreport.cli.main()
import polars
polars.DataFrame({"a": range(100_000)})
print(os.environ["_RJEM_MALLOC_CONF"])
"""
    free = {k: v for k, v in os.environ.items() if k != "_RJEM_MALLOC_CONF"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=free)
    # Polars' own settings come first; the allocator would complain of those that it does not know.
    settings = dict(s.split(":") for s in ran.stdout.strip().split(","))  # the last one counts
    assert settings["dirty_decay_ms"] == "1000"
    assert settings["muzzy_decay_ms"] == "0"
    assert ran.stderr == ""


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    import pty

    command = [sys.executable, "-m", "lossreport", "report", str(EXAMPLES / "apples.csv")]
    command += ["--html", str(tmp_path / "x.html")]
    piped = subprocess.run(command, capture_output=True, check=True)
    assert piped.stderr == b""
    ours, theirs = pty.openpty()
    subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True)
    assert b"Reading" in os.read(ours, 100_000)
    for end in (ours, theirs):
        os.close(end)


class Terminal(io.StringIO):
    encoding = "ascii"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", [False, True])
def test_colours_are_for_terminals_and_change_no_word(
    monkeypatch: pytest.MonkeyPatch, no_color: bool
) -> None:
    report = lossreport.report(EXAMPLES / "deliveries.parquet", by="region")
    summary = terminal.summary(report)
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)
    show(summary, report)
    shown = sys.stdout.getvalue()  # type: ignore[attr-defined]
    words = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert words == summary.encode("ascii", "replace").decode() + "\n"
    colours = re.findall(r"\x1b\[(?:1;)?3(\d)m(.*?)\x1b", shown)
    assert ([] if no_color else [("1", "Outlier-driven error")]) == colours[:1]
    yellow = [text.split("  ")[1] for colour, text in colours if colour == "3"]
    assert yellow == ([] if no_color else ["region = apac"])


def test_elsewhere_the_summary_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    report = lossreport.report(EXAMPLES / "apples.csv")
    show(terminal.summary(report), report)
    assert capsys.readouterr().out == terminal.summary(report) + "\n"


# What is loaded and compiled on the way is there from the start: a short log would end before.
PEAK = """
import sys, lossreport
from lossreport.profiles.compiling import compile_in_background
compile_in_background().join()
lossreport.profile(sys.argv[1], by=['g'])
print(open('/proc/self/status').read())
"""


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    actual = rng.normal(size=2_000_000)
    predicted = actual + rng.normal(size=actual.size)
    frame = pl.DataFrame(
        {"actual": actual, "predicted": predicted, "g": rng.integers(0, 9, actual.size)}
    )
    peaks = []
    for times in (4, 12):
        path = tmp_path / f"{times}.parquet"
        pl.concat([frame] * times).write_parquet(path, row_group_size=100_000)
        out = subprocess.run(
            [sys.executable, "-c", PEAK, str(path)], capture_output=True, text=True, check=True
        )
        (peak,) = re.findall(r"VmHWM:\s+(\d+)", out.stdout)
        peaks.append(int(peak))
        path.unlink()
    assert peaks[1] < 1.3 * peaks[0], peaks
