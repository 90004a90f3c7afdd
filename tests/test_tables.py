"""Delta and Iceberg tables, and frames that hand out their rows: the rows of now, as they come."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.errors import UnreadableLogError, UsageError
from lossreport.logs.object_stores import expanded
from lossreport.logs.tables import table_among


def log_of(seed: int = 1, rows: int = 3_000) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    actual = rng.normal(50, 9, rows)
    keys = rng.choice(["a", "b", "<i>"], rows)
    return pl.DataFrame(
        {"g": keys, "actual": actual, "predicted": actual + rng.standard_t(3, rows)}
    )


LEFT = pl.concat([log_of(1), log_of(2)]).filter(pl.col("g") != "a")
"""What is in the tables now: of two batches, without a group."""


def delta(folder: Path) -> str:
    import deltalake

    for seed in (1, 2):
        log_of(seed).write_delta(folder / "table", mode="append")
    deltalake.DeltaTable(folder / "table").delete("g = 'a'")
    return f"delta:{folder / 'table'}"


def iceberg(folder: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyiceberg.catalog.sql import SqlCatalog

        catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/c.db", warehouse=f"file://{folder}")
        catalog.create_namespace("n")
        table = catalog.create_table("n.log", schema=log_of().to_arrow().schema)
        for seed in (1, 2):
            table.append(log_of(seed).to_arrow())
        table.delete("g == 'a'")
        catalog.close()
    return f"iceberg:{table.location().removeprefix('file://')}"


@pytest.mark.parametrize("made", [delta, iceberg])
def test_a_table_has_the_rows_of_its_current_version(made: Any, tmp_path: Path) -> None:
    path = made(tmp_path)
    ours = lossreport.profile(path, by="g")
    wanted = lossreport.profile(LEFT, by="g")
    assert ours.rows == LEFT.height
    assert [s.path for s in ours.sources] == [path]
    of = [lossreport.report(p).predictions[0] for p in (ours, wanted)]
    assert of[0].overall.mse == pytest.approx(of[1].overall.mse, rel=1e-12)
    assert [g.key for g in of[0].groupings[0].groups] == [g.key for g in of[1].groupings[0].groups]
    folder = path.split(":", 1)[1]
    with pytest.raises(UsageError, match=f"Give it as {path.split(':', maxsplit=1)[0]}:"):
        lossreport.profile(folder)


@pytest.mark.parametrize("path", ["delta:none", "iceberg:none"])
def test_where_there_is_no_table_it_is_said(path: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no (Delta|Iceberg) table at none"):
        lossreport.profile(path)
    kind = path.split(":", maxsplit=1)[0]
    with pytest.raises((UsageError, UnreadableLogError), match=kind.title()):
        lossreport.profile(f"{kind}:{tmp_path}")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("_delta_log/0.json", "Delta"),
        ("metadata/1.metadata.json", "Iceberg"),
        (".hoodie/x", "Hudi"),
    ],
)
def test_a_table_in_a_store_is_not_taken_for_its_files(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(folder: str, *, deep: bool) -> list[str]:
        return [name, "x.parquet"]

    monkeypatch.setattr("lossreport.logs.object_stores._listed", listed)
    with pytest.raises(UsageError, match=f"s3://b/table is an? {kind} table"):
        expanded(["s3://b/table/"])
    assert table_among(["x.parquet", "metadata/notes.txt"]) is None


def test_a_table_of_ibis_hands_out_its_rows() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ibis

        table = ibis.polars.connect({"log": LEFT}).table("log")
        ours = lossreport.profile(table.filter(table.actual > 0), by="g")
        broken = table.mutate(predicted=table.g.cast("float64"))
        with pytest.raises(UnreadableLogError, match="frame cannot be read to its end"):
            lossreport.profile(broken, by="g")
    wanted = lossreport.profile(LEFT, by="g")
    assert ours.rows == wanted.rows
    of = [lossreport.report(p).predictions[0].overall for p in (ours, wanted)]
    assert of[0].mse == pytest.approx(of[1].mse, rel=1e-12)


def test_a_frame_that_is_not_read_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"A set is no log: give paths or a frame of Polars, .*Ibis"
    ):
        lossreport.profile({1, 2})


def test_duckdb_reads_files_too(tmp_path: Path) -> None:
    LEFT.write_parquet(tmp_path / "it's [1]*.parquet")
    LEFT.write_csv(tmp_path / "log.csv")
    wanted = lossreport.report(LEFT, by="g").predictions[0]
    for file in ("it's [1]*.parquet", "log.csv"):
        made = lossreport.report(tmp_path / file, by="g", engine="duckdb").predictions[0]
        assert made.rows == wanted.rows
        assert made.overall.mse == pytest.approx(wanted.overall.mse, rel=1e-9)
        assert len(made.groupings[0].groups) == 2
    with pytest.raises(UsageError, match="DuckDB reads files of one format"):
        lossreport.profile(tmp_path, engine="duckdb")
    connected = []
    with pytest.MonkeyPatch.context() as patch:
        connect = duckdb.connect
        patch.setattr(duckdb, "connect", lambda: connected.append(connect()) or connected[0])
        for i in range(3):
            LEFT.write_parquet(tmp_path / f"{i}.parquet")
        files = [str(tmp_path / f"{i}.parquet") for i in range(3)]
        assert lossreport.profile(files, engine="duckdb").rows == 3 * LEFT.height
    assert len(connected) == 1  # each has as many threads as there are cores
    (tmp_path / "no.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UnreadableLogError, match=r"no\.parquet cannot be read by DuckDB: "):
        lossreport.profile(tmp_path / "no.parquet", engine="duckdb")
