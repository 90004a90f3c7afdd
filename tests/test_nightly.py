"""The nightly command as a whole: kept in a history, compared with earlier nights, judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

import lossreport
from tests.conftest import Ran

Run = Callable[..., Ran]


def night(folder: Path, number: int, scale: float = 1.0) -> Path:
    rng = np.random.default_rng(number)
    path = folder / f"night-{number}.parquet"
    start = datetime(2026, 11, 1) + timedelta(days=number)
    error = rng.normal(0, 3 * scale, 2000)
    pl.DataFrame(
        {
            "actual": 50.0,
            "predicted": 50 + error,
            "store": [f"s{i % 4}" for i in range(2000)],
            "time": [start + timedelta(seconds=40 * i) for i in range(2000)],
        }
    ).write_parquet(path)
    return path


def test_nights_of_a_history_are_what_tonight_is_compared_with(run: Run, tmp_path: Path) -> None:
    history, config = tmp_path / "history", tmp_path / "gates.toml"
    config.write_text(
        '[[gates]]\nfigure = "mae"\nmax_change = "20%"\n'
        '[[gates]]\nfigure = "mae"\nby = ["store"]\nmax_change = "30%"\n'
    )
    first = run(night(tmp_path, 0), "--history", history, "--baseline", "last", "--by", "store")
    assert first.code == 0
    for number in range(1, 6):
        ran = run(
            night(tmp_path, number), "--history", history, "--baseline", "median:14",
            "--by", "store", "--config", config,
        )  # fmt: skip
        assert ran.code == 0, ran.err
        (all_rows,) = [p for p in ran.json["changes"]["places"] if not p["place"]["by"]]
        by_figure = {d["figure"]: d for d in all_rows["differences"]}
        assert abs(by_figure["mae"]["change"] / by_figure["mae"]["before"]) < 0.1
    bad = run(
        night(tmp_path, 6, scale=1.5), "--history", history, "--baseline", "median:14",
        "--by", "store", "--config", config,
    )  # fmt: skip
    assert bad.code == 3, bad.err
    (all_rows,) = [p for p in bad.json["changes"]["places"] if not p["place"]["by"]]
    by_figure = {d["figure"]: d for d in all_rows["differences"]}
    assert 0.35 < by_figure["mae"]["change"] / by_figure["mae"]["before"] < 0.65
    assert by_figure["mae"]["sure"]
    assert len(list(history.glob("*.parquet"))) == 7


def test_a_log_is_compared_with_its_own_nights_where_a_history_holds_others_too(
    run: Run, tmp_path: Path
) -> None:
    history = tmp_path / "history"
    words = ["--history", history, "--baseline", "median:14"]
    for number in range(4):
        for name, scale in (("shop.parquet", 1.0), ("depot.parquet", 4.0)):
            path = tmp_path / name
            night(tmp_path, number, scale).replace(path)
            assert run(path, *words, "--force").code == 0
    night(tmp_path, 4).replace(tmp_path / "shop.parquet")
    ran = run(tmp_path / "shop.parquet", *words, "--force")
    (all_rows,) = [p for p in ran.json["changes"]["places"] if not p["place"]["by"]]
    by_figure = {d["figure"]: d for d in all_rows["differences"]}
    assert by_figure["rows"]["before"] == 2000
    assert abs(by_figure["mae"]["change"] / by_figure["mae"]["before"]) < 0.1


def test_a_group_that_went_does_not_hide_that_all_rows_are_worse(tmp_path: Path) -> None:
    before = lossreport.profile(night(tmp_path, 0), by="store")
    tonight = pl.read_parquet(night(tmp_path, 1, scale=1.5)).filter(pl.col("store") != "s3")
    changes = lossreport.report(tonight, by="store", baseline=before).changes
    assert changes is not None
    assert changes.headline.startswith("store = s3 has gone")
    assert changes.points[0].startswith("MAE of all rows is ")
    assert changes.points[0].endswith("Beyond chance.")
    assert (changes.tag, changes.tone) == ("Changed", "alert")


def test_a_night_of_the_history_can_have_a_name(run: Run, tmp_path: Path) -> None:
    history, config = tmp_path / "history", tmp_path / "pins.toml"
    config.write_text("[pins]\nrelease-4 = 2026-11-02\n")
    for number in range(3):
        assert run(night(tmp_path, number), "--history", history).code == 0
    tonight = [night(tmp_path, 3), "--history", history, "--config", config, "--baseline"]
    ran = run(*tonight, "pinned:release-4")
    assert ran.code == 0, ran.err
    assert ran.json["changes"]["baseline"] == "the pinned night of 2026-11-02"
    assert ran.json == run(*tonight, "pinned:2026-11-02").json
    wrong = run(*tonight, "pinned:release-5")
    assert wrong.code == 2
    assert "No earlier night is of 'release-5', and the configuration has no such name" in wrong.err


def test_profiles_of_another_log_in_the_history_are_no_nights_of_this(
    run: Run, tmp_path: Path
) -> None:
    history = tmp_path / "history"
    other = tmp_path / "other.csv"
    other.write_text("y_true,y_pred,time\n" + "1,2,2026-10-31T10:00:00\n" * 60)
    assert run(other, "--history", history).code == 0
    ran = run(night(tmp_path, 0), "--history", history, "--baseline", "last")
    assert ran.code == 0, ran.err
    assert ran.json["changes"] is None or not ran.json["changes"]["places"]
