"""Profiles: what they count, and that merging is the same as reading together."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import lossreport
from lossreport.profiles import merging, scan, statistics, summing
from lossreport.profiles import profile as profile_module
from lossreport.profiles.file import is_profile
from lossreport.profiles.profile import Profile
from lossreport.profiles.statistics import MOMENTS, REASONS

value = st.one_of(
    st.floats(-1e6, 1e6),
    st.sampled_from([None, 0.0, float("nan"), float("inf"), float("-inf"), 1e-300, 1e300]),
)
row = st.fixed_dictionaries(
    {
        "actual": value,
        "predicted": value,
        "g": st.sampled_from(["a", "b", "", None]),
        "h": st.sampled_from([1.0, 2.5, float("nan"), None]),
        "t": st.one_of(st.none(), st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1))),
    }
)
SCHEMA = {
    "actual": pl.Float64, "predicted": pl.Float64, "g": pl.String, "h": pl.Float64,
    "t": pl.Datetime("us"),
}  # fmt: skip
BY = ("g", "h", "g,h")


def profile_of(rows: Sequence[dict[str, object]]) -> Profile:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return lossreport.profile(frame, by=BY, time="t", worst=5)


def same(left: Profile, right: Profile) -> None:
    """Assert that every statistic is equal: counts exactly, sums to rounding."""
    assert left.rows == right.rows
    assert left.span == right.span
    frames = [(left.timeline, right.timeline), (left.worst, right.worst)]
    assert [t.by for t in left.tables] == [t.by for t in right.tables]
    for a, b in zip(left.tables, right.tables, strict=True):
        assert a.timed == b.timed
        frames.append((a.moments, b.moments))
        assert (a.histogram is None) == (b.histogram is None)
        if a.histogram is not None and b.histogram is not None:
            frames.append((a.histogram, b.histogram))
    for a, b in frames:
        # Sums that cancel are only as exact as their largest summand.
        assert_frame_equal(a, b, rel_tol=1e-12, abs_tol=1e-6)


@settings(max_examples=30)
@given(st.lists(row, min_size=1, max_size=40), st.integers(0, 40))
def test_merging_is_reading_together(rows: list[dict[str, object]], cut: int) -> None:
    parts = [p for p in (rows[:cut], rows[cut:]) if p]
    together = profile_of(rows)
    merged = lossreport.merge([profile_of(p) for p in parts])
    # Rows are counted per log, so only those of the first part keep their number.
    keep = pl.exclude("row")
    same(
        _with_worst(together, together.worst.select(keep)),
        _with_worst(merged, merged.worst.select(keep)),
    ) if _no_ties(together) else None


def _with_worst(profile: Profile, worst: pl.DataFrame) -> Profile:
    return dataclasses.replace(profile, worst=worst)


def _no_ties(profile: Profile) -> bool:
    return profile.worst["abs_error"].n_unique() == profile.worst.height


@settings(max_examples=30)
@given(st.lists(row, min_size=2, max_size=40), st.randoms(use_true_random=False))
def test_merging_in_any_order_is_the_same(rows: list[dict[str, object]], order: object) -> None:
    parts = [profile_of(rows[i::3]) for i in range(3) if rows[i::3]]
    shuffled = list(parts)
    order.shuffle(shuffled)
    left, right = lossreport.merge(parts), lossreport.merge(shuffled)
    for table, other in zip(left.tables, right.tables, strict=True):
        assert_frame_equal(table.moments, other.moments, rel_tol=1e-12, abs_tol=1e-6)


@settings(max_examples=30)
@given(st.lists(row, min_size=1, max_size=30))
def test_the_ledger_adds_up_overall_and_in_every_group(rows: list[dict[str, object]]) -> None:
    report = lossreport.report(profile_of(rows))
    prediction = report.predictions[0]
    assert prediction.rows.read == len(rows)
    for grouping in prediction.groupings:
        for field in ("read", "scored"):
            total = sum(getattr(g.rows, field) for g in grouping.groups)
            assert total == getattr(prediction.rows, field)
        for reason, n in prediction.rows.left_out:
            assert n == sum(dict(g.rows.left_out).get(reason, 0) for g in grouping.groups)


REASON_OF = [
    (None, 1.0, "actual_missing"),
    (float("nan"), 1.0, "actual_nan"),
    (float("inf"), 1.0, "actual_infinite"),
    (1.0, None, "predicted_missing"),
    (1.0, float("nan"), "predicted_nan"),
    (1.0, float("-inf"), "predicted_infinite"),
    (-1.7e308, 1.7e308, "error_infinite"),
    (None, None, "actual_missing"),
    (float("nan"), None, "actual_nan"),
    (float("inf"), float("inf"), "actual_infinite"),
]


@pytest.mark.parametrize(("actual", "predicted", "reason"), REASON_OF)
def test_a_row_has_the_first_reason_that_applies(
    actual: float | None, predicted: float | None, reason: str
) -> None:
    frame = pl.DataFrame(
        {"actual": [actual, 1.0], "predicted": [predicted, 2.0]}, schema_overrides={"actual": pl.Float64, "predicted": pl.Float64}
    )  # fmt: skip
    rows = lossreport.report(frame).rows
    assert (rows.read, rows.scored, rows.left_out) == (2, 1, ((reason, 1),))


def test_text_is_read_as_numbers_and_what_is_none_is_counted() -> None:
    frame = pl.DataFrame(
        {
            "actual": [" 1 ", "N/A", "", "x", "NaN", "1e400", "2"],
            "predicted": ["2", "1", "1", "1", "1", "1", "oops"],
        }
    )
    rows = lossreport.report(frame).rows
    assert rows.scored == 1
    assert dict(rows.left_out) == {
        "actual_missing": 2, "actual_not_numeric": 1, "actual_nan": 1, "actual_infinite": 1,
        "predicted_not_numeric": 1,
    }  # fmt: skip


def test_the_definitions_give_the_same_on_duckdb_and_polars() -> None:
    rng = np.random.default_rng(11)
    frame = pl.DataFrame(
        {
            "actual": pl.Series(rng.normal(size=5000)).replace({0.0: None}),
            "predicted_0": rng.standard_t(3, 5000) * 10,
            "g": rng.choice(["a", "b", "c"], 5000),
        }
    ).with_columns(actual=pl.when(pl.int_range(pl.len()) % 50 != 0).then("actual"))
    relation = duckdb.sql("select * from frame")

    def results(native: object) -> list[pl.DataFrame]:
        numbers = statistics.with_numbers(nw.from_native(native).lazy())
        scored = numbers.filter(nw.col("bin_0") != statistics.UNSCORED)
        made = [
            scored.group_by("g").agg(*statistics.aggregations(MOMENTS)),
            scored.group_by("g", "bin_0").agg(*statistics.aggregations(statistics.HISTOGRAM_SUMS)),
            statistics.left_out(numbers, ["g"]),
        ]
        frames = [pl.from_arrow(m.collect("pyarrow").to_native()) for m in made]
        return [f.sort(f.columns[:2]) for f in frames]

    for left, right in zip(results(frame), results(relation), strict=True):
        assert_frame_equal(left, right, rel_tol=1e-12, check_dtypes=False)


def test_the_kernel_adds_what_the_definitions_say() -> None:
    rng = np.random.default_rng(12)
    frame = pl.DataFrame(
        {"actual": rng.normal(size=3000), "predicted_0": rng.normal(size=3000), "g": rng.integers(0, 4, 3000)}
    )  # fmt: skip
    numbers = statistics.with_numbers(nw.from_native(frame.lazy()))
    wanted = (
        numbers.group_by("g").agg(*statistics.aggregations(MOMENTS)).to_native().collect().sort("g")
    )
    log = frame.rename({"predicted_0": "predicted"})
    found = lossreport.profile(log, by="g").table(("g",)).moments.sort("key_0")
    assert_frame_equal(found.select(MOMENTS), wanted.select(MOMENTS), rel_tol=1e-12)


def test_more_groups_than_a_table_holds_give_figures_without_histograms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(13)
    frame = pl.DataFrame(
        {
            "actual": rng.normal(size=4000), "predicted": rng.normal(size=4000),
            "user": rng.integers(0, 900, 4000), "region": rng.choice(["x", "y"], 4000),
        }
    )  # fmt: skip
    whole = lossreport.report(frame, by=["user", "region"])
    for module in (merging, scan):
        monkeypatch.setattr(module, "MAX_CUBE_GROUPS", 100)
    for module in (profile_module, scan):
        monkeypatch.setattr(module, "MAX_HISTOGRAM_GROUPS", 200)
        monkeypatch.setattr(module, "MAX_TIMED_GROUPS", 50)
    profile = lossreport.profile(frame, by=["user", "region"])
    assert [t.by for t in profile.tables] == [("user",), ("region",), ()]
    assert [t.histogram is None for t in profile.tables] == [True, False, False]
    bounded = lossreport.report(profile)
    for a, b in zip(whole.predictions[0].groupings, bounded.predictions[0].groupings, strict=True):
        assert {g.key: g.figures.n for g in a.groups} == {g.key: g.figures.n for g in b.groups}
        for g in a.groups:
            (other,) = (o for o in b.groups if o.key == g.key)
            assert other.figures.mse == pytest.approx(g.figures.mse, rel=1e-12)
    assert bounded.predictions[0].overall == whole.predictions[0].overall
    assert any("too many groups" in note for note in bounded.notes)


def test_a_grid_too_large_to_lay_out_gives_the_same_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(14)
    frame = pl.DataFrame(
        {"actual": rng.normal(size=5000), "predicted": rng.normal(size=5000), "g": rng.integers(0, 50, 5000)}
    )  # fmt: skip
    laid_out = lossreport.profile(frame, by="g")
    monkeypatch.setattr(summing, "DENSE_CELLS", 100)
    monkeypatch.setattr(summing, "COMPACT_AT_ROWS", 500)
    same(laid_out, lossreport.profile(frame, by="g"))


def test_hours_become_days_when_the_log_spans_more_than_five_days() -> None:
    start = datetime(2026, 1, 1)
    hours = [start + timedelta(hours=h) for h in range(24 * 10)]
    frame = pl.DataFrame({"actual": 1.0, "predicted": [float(i) for i in range(240)], "t": hours})
    short, long = (lossreport.profile(f, time="t") for f in (frame.head(100), frame))
    assert (short.bucket, short.timeline.height) == ("hour", 100)
    assert (long.bucket, long.timeline.height) == ("day", 10)
    merged = lossreport.merge([short, lossreport.profile(frame.tail(140), time="t")])
    assert_frame_equal(merged.timeline, long.timeline)


def test_saved_and_read_back_a_profile_is_the_same(tmp_path: Path) -> None:
    rows = [
        {
            "actual": 1.0 * i,
            "predicted": 1.5 * i,
            "g": "ab"[i % 2],
            "h": None,
            "t": datetime(2026, 1, 1),
        }
        for i in range(60)
    ]
    profile = profile_of(rows)
    path = tmp_path / "p.parquet"
    lossreport.save_profile(profile, path)
    again = lossreport.load_profile(str(path))
    same(profile, again)
    assert again.columns == profile.columns
    assert again.sources == profile.sources
    assert lossreport.report(again) == lossreport.report(profile)


def test_a_profile_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    metadata = {"lossreport_profile": '{"schema": "lossreport/profile/99"}'}
    pl.DataFrame({"part": ["x"]}).write_parquet(path, metadata=metadata)
    with pytest.raises(lossreport.UnreadableLogError, match=r"lossreport/profile/99.*reads"):
        lossreport.load_profile(str(path))


def test_the_worst_rows_are_the_worst_with_their_place() -> None:
    rng = np.random.default_rng(15)
    predicted = rng.normal(size=1000)
    frame = pl.DataFrame({"actual": 0.0, "predicted": predicted, "g": rng.choice(["a", "b"], 1000)})
    worst = lossreport.report(frame, by="g", worst=7).predictions[0].worst
    order = np.argsort(-np.abs(predicted), kind="stable")[:7]
    assert [w.row for w in worst] == (order + 1).tolist()
    assert [w.error for w in worst] == predicted[order].tolist()
    assert [w.keys for w in worst] == [(g,) for g in frame["g"].gather(order).to_list()]
    assert not lossreport.report(frame, by="g", worst=0).predictions[0].worst


def test_every_reason_is_in_the_schema_of_the_json() -> None:
    text = (Path(lossreport.__file__).parent / "report.schema.json").read_text("utf-8")
    assert all(f'"{reason}"' in text for reason in REASONS)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(3)
    actual = rng.normal(size=400)
    frame = pl.DataFrame({"actual": actual, "predicted": actual + 1, "g": rng.choice(["a"], 400)})
    path = tmp_path_factory.mktemp("saved") / "p.parquet"
    lossreport.save_profile(lossreport.profile(frame, by="g"), path)
    return path


def test_a_damaged_profile_is_read_or_refused_in_words(saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    rng = random.Random(11)
    path = tmp_path / "damaged.parquet"
    messages = []
    for at in [rng.randrange(len(whole)) for _ in range(75)] + [
        rng.randrange(len(whole) * 3 // 4, len(whole)) for _ in range(75)
    ]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        is_profile(str(path))
        try:
            lossreport.load_profile(str(path))
        except lossreport.UnreadableLogError as error:
            messages.append(str(error))
    assert len(messages) > 20
    assert all(str(path) in m for m in messages)


def _about_changed(saved: Path, path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    about = json.loads(pl.read_parquet_metadata(saved)["lossreport_profile"])
    change(about)
    frame = pl.read_parquet(saved)
    frame.write_parquet(path, metadata={"lossreport_profile": json.dumps(about)})


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.pop("tables"),
        lambda a: a["tables"].clear(),
        lambda a: a["tables"][0].update(by=["h"]),
        lambda a: a["frames"]["moments 0"].remove("n"),
        lambda a: a["frames"].pop("worst"),
        lambda a: a["frames"]["worst"].append("more"),
        lambda a: a["sources"][0].update(new_field=1),
        lambda a: a["columns"].pop("predicted"),
        lambda a: a["evidence"]["levels"].update(by_place=64),
        lambda a: a.update(span=[math.inf, 1]),
    ],
)
def test_a_profile_that_lacks_something_is_refused(
    saved: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    path = tmp_path / "p.parquet"
    _about_changed(saved, path, lambda about: None)
    lossreport.load_profile(str(path))
    _about_changed(saved, path, change)
    with pytest.raises(lossreport.UnreadableLogError, match=r"not a whole.*Make it anew"):
        lossreport.load_profile(str(path))


def test_only_regular_parquet_files_are_asked_whether_they_are_profiles(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_profile(str(saved))
    asked = []
    monkeypatch.setattr(pl, "read_parquet_metadata", lambda p: asked.append(p) or {})
    (tmp_path / "log.csv").write_text("actual,predicted\n1,2\n")
    os.mkfifo(tmp_path / "pipe")
    for name in ("log.csv", "pipe", "missing", "."):
        assert not is_profile(str(tmp_path / name))
    assert not asked
    with pytest.raises(lossreport.UnreadableLogError, match="There is no file"):
        lossreport.load_profile(str(tmp_path / "missing"))


def test_a_reader_that_panics_over_metadata_says_no_profile(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panics(path: str) -> dict[str, str]:
        raise pl.exceptions.PanicException("out of range")

    monkeypatch.setattr(pl, "read_parquet_metadata", panics)
    assert not is_profile(str(saved))
    with pytest.raises(lossreport.UnreadableLogError, match="not a whole"):
        lossreport.load_profile(str(saved))


def test_profiles_of_different_columns_are_refused_with_what_they_have() -> None:
    frame = pl.DataFrame({"actual": [1.0], "predicted": [2.0], "g": ["a"], "other": [1.0]})
    one = lossreport.profile(frame, by="g")
    for options in ({"by": ""}, {"by": "g", "predicted": "other"}, {"by": "g", "id": "other"}):
        with pytest.raises(lossreport.UsageError, match=r"'g'.*but.*Make them with the same"):
            lossreport.merge([one, lossreport.profile(frame, **options)])
    with pytest.raises(lossreport.UsageError, match="no profile was given"):
        lossreport.merge([])
