"""Logs that stay in Spark: the same report as that of Polars, on a real cluster and by Connect."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import lossreport
from lossreport.cli import app
from lossreport.errors import LossReportError, UnreadableLogError, UsageError
from lossreport.logs import spark
from lossreport.logs.spark_session import open_in_spark
from tests.odd_logs import HOSTILE
from tests.spark_cluster import Cluster, cluster, connect_server, free_port

ROWS = 15_000
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")
def session(spark_cluster: Cluster) -> Iterator[Any]:
    """A session of the cluster that cuts files into many partitions."""
    from pyspark.sql import SparkSession

    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("PYSPARK_PYTHON", sys.executable)  # the workers' as well: it has lossreport
        made = (
            SparkSession.builder.master(spark_cluster.url)
            .config("spark.ui.enabled", "false")
            .config("spark.log.level", "OFF")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.executor.memory", "512m")
            .config("spark.executorEnv.POLARS_MAX_THREADS", "1")
            .config("spark.sql.files.maxPartitionBytes", "60000")
            .config("spark.sql.files.openCostInBytes", "0")
            .getOrCreate()
        )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several files, each of several partitions: hostile groups, all that cannot be scored."""
    made = tmp_path_factory.mktemp("a log & more")
    rng = np.random.default_rng(7)
    for i, file in enumerate(("a.parquet", "b ü.parquet", "c.parquet")):
        actual = rng.lognormal(3, 1, ROWS)
        predicted = actual + rng.standard_t(2, ROWS)
        odd = rng.random(ROWS)
        predicted = np.where(odd < 0.01, np.nan, predicted)
        predicted = np.where((odd > 0.01) & (odd < 0.012), math.inf, predicted)
        start = pl.datetime(2026, 11, 1 + i)
        pl.DataFrame(
            {
                "when": pl.datetime_range(start, start + pl.duration(seconds=ROWS - 1), "1s", eager=True),
                "g": pl.Series(rng.choice(HOSTILE, ROWS)).set(pl.Series(odd > 0.995), None),
                "h'`\"": rng.integers(0, 5, ROWS),
                "actual": pl.Series(actual).set(pl.Series((odd > 0.02) & (odd < 0.03)), None),
                "said": pl.Series([{"y.pred": p, "other": p * 0.9} for p in predicted.tolist()]),
                "text": [("n/a" if o > 0.99 else f"{p:.3f}") for o, p in zip(odd, predicted, strict=True)],
                "id": [f"{i}-{j // 2 if o > 0.98 else j}" for j, o in enumerate(odd)],
            }
        ).write_parquet(made / file, row_group_size=5_000)  # fmt: skip
    return made


WAYS: dict[str, dict[str, Any]] = {
    "groups": {"by": ("g", "h'`\"", ("g", "h'`\"")), "predicted": "said.y.pred", "actual": "actual"},
    "models": {"by": "", "predicted": ("said.y.pred", "said.other", "text"), "actual": "actual", "id": "id"},
}  # fmt: skip


def figures(made: lossreport.Report) -> Any:
    """Return the JSON of a report without what says which log it is of."""
    return json.loads(lossreport.to_json(made))


def differing(a: Any, b: Any, at: str = "") -> Iterator[str]:
    """Yield where two JSON values differ: floats by more than 1e-9, all else at all."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in a.keys() | b.keys():
            yield from differing(a.get(key), b.get(key), f"{at}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from differing(x, y, f"{at}[{i}]")
    elif isinstance(a, float) and isinstance(b, float):
        if not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12):
            yield f"{at}: {a} {b}"
    elif a != b and not (isinstance(a, str) and isinstance(b, str) and say_the_same(a, b)):
        yield f"{at}: {a!r:.80} {b!r:.80}"


def say_the_same(a: str, b: str) -> bool:
    """Return whether two sentences differ only in how a figure between two of them is rounded."""
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=False)
    same = NUMBER.sub("#", a) == NUMBER.sub("#", b)
    return same and all(math.isclose(float(x), float(y), rel_tol=0.01) for x, y in pairs)


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_a_frame_of_spark_gives_the_json_of_polars(
    session: Any, folder: Path, how: dict[str, Any]
) -> None:
    frame = session.read.parquet(*sorted(map(str, folder.iterdir())))
    assert frame.rdd.getNumPartitions() > 6
    made = figures(lossreport.report(frame, title="x", **how))
    wanted = figures(lossreport.report(folder, title="x", **how))
    assert wanted["predictions"][0]["rows"]["read"] == 3 * ROWS
    assert list(differing(made, wanted)) == []


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_same_files_give_the_json_of_polars_in_duckdb(
    folder: Path, way: dict[str, Any]
) -> None:
    wanted = lossreport.report(folder, **way)
    made = lossreport.report(folder, engine="duckdb", **way)
    assert list(differing(figures(made), figures(wanted))) == []


def test_errors_far_from_0_are_looked_at_twice_there_too(session: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    keys = rng.choice(["a", "b"], ROWS)
    frame = pl.DataFrame({"g": keys, "actual": 0.0, "predicted": 500 + rng.normal(size=ROWS)})
    frame.write_parquet(tmp_path / "far.parquet", row_group_size=5_000)
    far = session.read.parquet(str(tmp_path / "far.parquet"))
    made = lossreport.report(far, title="x")
    wanted = lossreport.report(tmp_path / "far.parquet", title="x")
    assert "read twice" in " ".join(wanted.notes)
    assert list(differing(figures(made), figures(wanted))) == []


@pytest.mark.parametrize("way", ["shuffled", "filtered", "made"])
def test_rows_of_no_file_are_known_by_partition(session: Any, folder: Path, way: str) -> None:
    frame = session.read.parquet(str(folder / "a.parquet"))
    rows = pl.read_parquet(folder / "a.parquet").unnest("said")
    if way == "shuffled":
        frame = frame.repartition(3)
    elif way == "filtered":
        frame, rows = frame.where("actual > 10"), rows.filter(pl.col("actual") > 10)
    else:
        frame = session.range(1000).selectExpr(
            "cast(id as double) as actual", "id / 2 as predicted"
        )
        rows = pl.DataFrame({"actual": range(1000)}).with_columns(
            (pl.col("actual") / 2).alias("y.pred")
        )
    predicted = "predicted" if way == "made" else "said.y.pred"
    made = lossreport.profile(frame, actual="actual", predicted=predicted, by="")
    wanted = lossreport.profile(rows, actual="actual", predicted="y.pred", by="")
    ours, theirs = (lossreport.report(p).predictions[0] for p in (made, wanted))
    assert ours.rows == theirs.rows
    assert ours.overall.mse == pytest.approx(theirs.overall.mse, rel=1e-9)
    assert all(s.path.startswith("frame (partition ") for s in made.sources)
    worst = made.worst.row(0, named=True)
    assert worst["file"] in {s.path for s in made.sources}


def test_without_a_row_there_is_a_report_too(session: Any, folder: Path) -> None:
    frame = session.read.parquet(str(folder / "a.parquet")).where("actual < -1")
    made = lossreport.profile(frame, actual="actual", predicted="text", by="")
    assert made.rows == 0
    assert lossreport.report(made).predictions[0].verdict.headline == "The log holds no rows."


def test_tables_are_logs(session: Any, folder: Path) -> None:
    session.sql("create database if not exists nights")
    session.sql(f"create table nights.log using parquet location '{folder / 'a.parquet'}'")
    made = lossreport.profile("table:nights.log", engine="spark", by="g", actual="actual", predicted="text")  # fmt: skip
    assert made.rows == ROWS
    with pytest.raises(UsageError, match=r"Spark cannot read table:nights\.none: .*NOT_FOUND"):
        open_in_spark(["table:nights.none"])
    with pytest.raises(UsageError, match=r"There is no column 'forecast'"):
        lossreport.profile("table:nights.log", engine="spark", predicted="forecast")


@pytest.mark.usefixtures("session")  # the command's session is then this one
def test_a_table_can_be_kept_in_a_history(folder: Path, tmp_path: Path) -> None:
    pl.read_parquet(folder / "a.parquet").select("actual", "text").write_parquet(tmp_path / "a")
    words = ["profile", f"parquet:{tmp_path / 'a'}", "--engine", "spark", "--predicted", "text"]
    kept = ["--history", str(tmp_path / "h"), "--run-date", "2026-11-01"]
    ran = CliRunner().invoke(app, [*words, *kept])
    assert ran.exit_code == 0, ran.stderr
    assert len(list((tmp_path / "h").iterdir())) == 1


def test_what_spark_cannot_read_is_said(session: Any, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="PATH_NOT_FOUND"):
        open_in_spark([str(tmp_path / "none.parquet")])
    with pytest.raises(LossReportError, match=r"delta:.*delta") as caught:
        open_in_spark([f"delta:{folder}"])
    assert "\n" not in str(caught.value)
    pl.DataFrame({"actual": ["x"], "predicted": [1.0]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"actual": [1.0], "predicted": [1.0]}).write_parquet(tmp_path / "2.parquet")
    with pytest.raises(LossReportError, match=r"(?i)merge"):
        lossreport.profile(str(tmp_path), engine="spark")


def test_a_column_that_one_file_lacks_is_not_taken_for_missing(
    session: Any, tmp_path: Path
) -> None:
    frame = pl.DataFrame({"actual": [1.0, 2], "predicted": [2.0, 4], "G": ["a", "b"], "x": [1, 2]})
    frame.rename({"G": "g"}).write_parquet(tmp_path / "a.parquet")  # Spark takes G and g for one
    frame.drop("G").write_parquet(tmp_path / "b {1} [2]*%20.parquet")
    frame.drop("x").write_parquet(tmp_path / "c.parquet")
    log = open_in_spark([str(tmp_path)])
    with pytest.raises(UnreadableLogError, match=r"%20\.parquet has no column '[gG]', which other"):
        lossreport.report(log, by=next(c for c in log.parts[0].schema if c.lower() == "g"))
    (told,) = lossreport.report(log, by="").predictions  # of x and g nothing is asked
    assert told.overall.n == 6


def test_a_file_that_vanishes_is_an_error_in_words(
    session: Any, folder: Path, tmp_path: Path
) -> None:
    for name in ("1.parquet", "2.parquet"):
        (tmp_path / name).write_bytes((folder / "a.parquet").read_bytes())
    log = open_in_spark([str(tmp_path)])
    assert log.sample().height
    (tmp_path / "2.parquet").unlink()
    (tmp_path / "1.parquet").unlink()
    with pytest.raises(UnreadableLogError, match=r"Spark could not read .*FILE_NOT_EXIST"):
        lossreport.profile(log, actual="actual", predicted="text", by="")


def test_a_worker_that_is_killed_changes_no_figure(
    session: Any, spark_cluster: Cluster, folder: Path
) -> None:
    how: dict[str, Any] = {"by": "g", "actual": "actual", "predicted": "text"}
    frame = session.read.parquet(*sorted(map(str, folder.iterdir())))
    killed = threading.Event()
    tracker = session.sparkContext.statusTracker()

    def kill_when_some_tasks_are_done() -> None:
        while not killed.is_set():
            stages = [tracker.getStageInfo(i) for i in tracker.getActiveStageIds()]
            if any(s and s.numTasks > 6 and s.numCompletedTasks >= 2 for s in stages):
                spark_cluster.kill_a_worker()
                killed.set()
            time.sleep(0.01)

    killer = threading.Thread(target=kill_when_some_tasks_are_done, daemon=True)
    killer.start()
    made = lossreport.report(frame, title="x", **how)
    assert killed.is_set(), "the job was over before the worker could be killed"
    killer.join()
    wanted = lossreport.report(folder, title="x", **how)
    assert list(differing(figures(made), figures(wanted))) == []


def command(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "lossreport", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_by_spark_connect_the_command_writes_the_same_json(folder: Path, tmp_path: Path) -> None:
    how = ["--by", "g", "--actual", "actual", "--predicted", "text", "--title", "x", "--quiet"]
    files = sorted(folder.iterdir())
    outputs = {name: tmp_path / f"{name}.json" for name in ("connect", "polars")}
    with connect_server(tmp_path) as address:
        remote = ["--engine", "spark", "--spark-remote", address]
        ran = command("report", *files, *how, *remote, "--html", tmp_path / "a.html",
                      "--json", outputs["connect"])  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        wrong = command("profile", *files, "-o", tmp_path / "p", *remote, "--predicted", "none")
        assert wrong.returncode == 2
        assert "There is no column 'none'" in wrong.stderr
    ran = command(
        "report", *files, *how, "--html", tmp_path / "b.html", "--json", outputs["polars"]
    )
    assert ran.returncode == 0, ran.stderr
    connect, polars = (json.loads(path.read_text("utf-8")) for path in outputs.values())
    assert list(differing(connect, polars)) == []


@pytest.mark.parametrize(("option", "scheme"), [("master", "spark"), ("remote", "sc")])
def test_a_spark_that_is_not_there(option: str, scheme: str, tmp_path: Path) -> None:
    address = f"{scheme}://127.0.0.1:{free_port()}"
    ran = command("report", "x.parquet", "--engine", "spark", f"--spark-{option}", address,
                  "--html", tmp_path / "x.html")  # fmt: skip
    assert ran.returncode == 4
    assert ran.stderr.strip().startswith(f"lossreport: No Spark answers at {address}")
    assert not (tmp_path / "x.html").exists()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: open_in_spark(["a", "table:b"]), "one table, at a time"),
        (lambda: open_in_spark(["a.csv"]), "is no Parquet"),
        (lambda: open_in_spark(["a"], "local", "sc://x"), "not both"),
        (lambda: open_in_spark(["a"], "spark://host:many"), "is no address of Spark"),
        (lambda: lossreport.profile("a", engine="pandas"), "There is no engine 'pandas'"),
        (lambda: lossreport.profile("a", spark_master="x"), "are for --engine spark"),
        (lambda: lossreport.profile("a", engine="spark", query="x"), "A query is put to DuckDB"),
        (lambda: lossreport.profile(pl.DataFrame(), engine="spark"), "give no engine"),
        (lambda: lossreport.profile("a", engine="spark", separator=";"), "rows and no text"),
    ],
)
def test_what_cannot_be_asked_for(call: Callable[[], object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        call()


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("x\n  lossreport.errors.UnreadableLogError: a.parquet is damaged.\n y", "a.parquet is damaged"),
        ("x\nModuleNotFoundError: No module named 'lossreport'", "Spark's workers need lossreport"),
        ("first.\nsecond", "first"),
    ],
)  # fmt: skip
def test_what_a_worker_says_is_passed_on(message: str, said: str) -> None:
    assert said in spark._cause(RuntimeError(message))
