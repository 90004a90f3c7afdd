"""Rows that DuckDB gives for a query: the same figures as their file's, and errors in words."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl
import pytest

import lossreport
from tests.conftest import EXAMPLES, Ran
from tests.test_spark import differing

Run = Callable[..., Ran]
LOG = EXAMPLES / "deliveries.parquet"
WITH_SQLITE = (
    "duckdb==1.5.5",
    "duckdb-extensions==1.5.5",
    "duckdb-extension-sqlite-scanner==1.5.5",
)
"""The newest DuckDB whose extension for SQLite is a package."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("db") / "logs.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute(f"create table deliveries as from '{LOG}'")
        made.execute("create table words as select 'x' as actual, 'y' as predicted")
    return path


def figures(log: object, **options: object) -> dict[str, object]:
    made = json.loads(lossreport.to_json(lossreport.report(log, by=["region"], **options)))
    (prediction,) = made["predictions"]
    for row in prediction["worst_rows"]:
        del row["file"]
    # These look at a part of the rows, which the name of their file decides on.
    for sampled in ("patterns", "levels"):
        del prediction[sampled]
    return prediction


def test_a_table_gives_the_figures_of_its_file(database: Path) -> None:
    expected = figures(LOG)
    assert figures(database, query="from deliveries") == expected
    assert figures(":memory:", query=f"from '{LOG}'") == expected


def test_the_command_says_what_was_asked_and_leaves_the_file_alone(
    run: Run, database: Path
) -> None:
    before = database.read_bytes()
    query = "select *\nfrom deliveries where region = 'west'"
    ran = run(database, "--query", query, "--by", "region")
    assert ran.code == 0, ran.err
    (source,) = ran.json["sources"]
    assert source["path"].startswith(f"{database} (query ")
    assert source["read_as"] == [
        "the rows of the query select * from deliveries where region = 'west'"
    ]
    assert "region = &#39;west&#39;" in ran.html
    shown = run(database, "--query", query, command="inspect", outputs=False)
    assert "the rows of the query select * from deliveries" in " ".join(shown.out.split())
    assert database.read_bytes() == before


def test_statements_before_the_last_are_not_shown_for_they_may_hold_passwords(run: Run) -> None:
    query = f"set variable password = 'TOP;SECRET'; from '{LOG}'; "
    ran = run(":memory:", "--query", query)
    (source,) = ran.json["sources"]
    assert source["read_as"] == [f"the rows of the query from '{LOG}'"]
    for file in ran.folder.iterdir():
        assert b"SECRET" not in file.read_bytes()


def test_queries_to_one_file_are_inputs_of_their_own(
    run: Run, database: Path, tmp_path: Path
) -> None:
    for region in ("west", "apac"):
        query = f"from deliveries where region = '{region}'"
        ran = run(
            database, "--query", query, "--history", tmp_path / "h", "-o", tmp_path / region,
            "--run-date", "2026-11-01", "--by", "", command="profile", outputs=False,
        )  # fmt: skip
        assert ran.code == 0, ran.err
    assert len(list((tmp_path / "h").iterdir())) == 2


def test_rows_of_no_file_can_be_kept_in_a_history(run: Run, tmp_path: Path) -> None:
    kept = ("--history", tmp_path / "h", "--run-date", "2026-11-01")
    for command in ("report", "profile"):
        out = ("-o", tmp_path / "p") if command == "profile" else ()
        ran = run(
            ":memory:", "--query", f"from '{LOG}'", *kept, *out, command=command,
            outputs=command == "report",
        )  # fmt: skip
        assert ran.code == 0, ran.err
    assert len(list((tmp_path / "h").iterdir())) == 1


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("select * from nowhere", 2, "DuckDB does not take the query: Catalog Error: Table"),
        ("selec 1", 2, "does not take the query: Parser Error"),
        ("drop table deliveries", 2, "read-only mode"),
        ("-- nothing", 2, "it must end with a select"),
        ("select 1 as a", 2, "No column looks like"),
        ("select 1 as actual, error('\x1b[31mno') as predicted", 4, "cannot be read to its end"),
        ("select actual::double as actual, 1 as predicted from words", 4, "read to its end"),
        ("select actual, predicted from words", 5, "No row could be scored"),
    ],
)
def test_wrong_queries_end_in_words(
    run: Run, database: Path, query: str, code: int, says: str
) -> None:
    ran = run(database, "--query", query)
    assert ran.code == code, ran.err
    assert says in ran.err
    assert "\x1b" not in ran.err


def test_a_value_can_be_said_to_be_missing(run: Run) -> None:
    query = "select * from (values (1.0, '1.5'), (2.0, 'gap'), (3.0, '3')) as t(actual, predicted)"
    ran = run(":memory:", "--query", query, "--missing", "gap")
    assert ran.json["rows"]["left_out"] == {"predicted_missing": 1}, ran.err
    assert (
        run(":memory:", "--query", query, "--missing", "gap", command="inspect", outputs=False).code
        == 0
    )


def test_without_a_query_it_is_said_how_to_read_a_file_of_duckdb(run: Run, database: Path) -> None:
    ran = run(database)
    assert ran.code == 4
    assert "logs.duckdb is a file of DuckDB: say which rows are the log, as in --query" in ran.err


def test_what_a_query_cannot_be_put_to_is_said(run: Run, database: Path, tmp_path: Path) -> None:
    (tmp_path / "a.duckdb").write_bytes(b"x" * 5000)
    for words, code, says in (
        ([tmp_path / "none.duckdb"], 2, "There is no file"),
        ([tmp_path / "a.duckdb"], 4, "cannot be opened by DuckDB"),
        ([database, database], 2, "one file of DuckDB"),
        ([database, "--decimal", ","], 2, "no text"),
    ):
        ran = run(*words, "--query", "from deliveries")
        assert (ran.code, says in ran.err) == (code, True), ran.err


def test_tables_of_sqlite_are_logs_through_duckdb(tmp_path: Path) -> None:
    log = pl.read_parquet(LOG).select(
        "region", actual="actual_minutes", predicted="predicted_minutes"
    )
    with closing(sqlite3.connect(tmp_path / "it's.sqlite")) as made, made:
        made.execute("create table log (region text, actual real, predicted real)")
        made.executemany("insert into log values (?, ?, ?)", log.rows())
    libraries = tmp_path / "lib"
    # The extension goes to the home folder.
    environment = {**os.environ, "PYTHONPATH": str(libraries), "HOME": str(tmp_path)}

    def python(*words: str) -> None:
        subprocess.run([sys.executable, *words], check=True, capture_output=True, env=environment)

    python("-m", "pip", "install", "-q", "--no-deps", "--target", str(libraries), *WITH_SQLITE)
    python("-c", "import duckdb_extensions as e; e.import_extension('sqlite_scanner')")
    file = str(tmp_path / "it's.sqlite").replace("'", "''")
    query = f"attach '{file}' as other (type sqlite, read_only); from other.log"
    python("-m", "lossreport", "report", ":memory:", "--query", query, "--by", "region", "--quiet",
           "--html", str(tmp_path / "a.html"), "--json", str(tmp_path / "a.json"))  # fmt: skip
    (found,) = json.loads((tmp_path / "a.json").read_text("utf-8"))["predictions"]
    (wanted,) = json.loads(lossreport.to_json(lossreport.report(log, by="region")))["predictions"]
    for part in ("overall", "recommendation", "groupings"):
        assert list(differing(found[part], wanted[part])) == []
