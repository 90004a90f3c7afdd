"""The rows kept for the checks: bounded, the same for any cut of the log, and kept in profiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import lossreport
from lossreport.logs import frames
from lossreport.logs import rows as rows_module
from lossreport.logs.part import Chunk
from lossreport.profiles import evidence, gathering, scan
from lossreport.profiles.evidence import BLOCK, Evidence, kept, level_for

ROWS = 7000


def rows(n: int = ROWS, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    actual = rng.normal(size=n)
    return pl.DataFrame(
        {
            "actual": pl.Series(actual).set(pl.Series(rng.random(n) < 0.01), None),
            "predicted": actual + rng.normal(size=n),
            "g": rng.choice(["a", "b"], n),
            "id": rng.integers(0, n * 50, n),
            "time": pl.Series(np.arange(n) * 1_000_000).cast(pl.Datetime("us")),
        }
    )


def evidence_of(source: object) -> Evidence:
    made = lossreport.profile(source, by="g", time="time", id="id").evidence
    assert made is not None
    return made


def same(one: Evidence, other: Evidence) -> None:
    for name in ("by_place", "by_content", "by_id"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.level == b.level
        assert_frame_equal(a.rows, b.rows)
    assert_frame_equal(one.tokens, other.tokens)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MOST_BY_PLACE", 1000), ("MOST_BY_CONTENT", 500), ("MOST_BY_ID", 800)):
        for module in (evidence, gathering):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, most)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    whole = rows()
    for i in range(7):
        part = whole.slice(i * ROWS // 7, ROWS // 7)
        folder = tmp_path / f"day={i}"
        folder.mkdir()
        part.with_columns(pl.col("g").cast(pl.Categorical if i == 3 else pl.String)).write_parquet(
            folder / "part-0.parquet"
        )
    return tmp_path


def test_a_small_log_is_kept_whole() -> None:
    frame = rows(3000)
    made = evidence_of(frame)
    assert made.by_place.level == made.by_content.level == 0
    assert made.by_place.rows["row"].to_list() == list(range(1, 3001))
    assert_frame_equal(
        made.by_place.rows.select("actual", "predicted_0", "time"),
        frame.select("actual", pl.col("predicted").alias("predicted_0"), "time"),
    )
    scored = frame["actual"].is_not_null().sum()
    assert made.by_content.rows.height == scored


@pytest.mark.parametrize("size", [137, 1000, 100_000])
def test_the_rows_kept_do_not_depend_on_chunks(
    small: None, folder: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    usual = evidence_of(folder)
    for module in (rows_module, frames):
        monkeypatch.setattr(module, "CHUNK_ROWS", size)
    same(usual, evidence_of(folder))
    assert 0 < usual.by_place.rows.height <= 1000
    assert 0 < usual.by_content.rows.height <= 500
    assert usual.by_id is not None
    assert 0 < usual.by_id.rows.height <= 800


def test_merged_evidence_is_that_of_all_rows_in_any_order(small: None, folder: Path) -> None:
    parts = [
        lossreport.profile(p, by="g", time="time", id="id")
        for p in sorted(folder.rglob("*.parquet"))
    ]
    together = evidence_of(folder)
    for order in (parts, parts[::-1], [parts[i] for i in (3, 0, 6, 2, 5, 1, 4)]):
        merged = lossreport.merge(order).evidence
        assert merged is not None
        same(merged, together)
    nested = lossreport.merge([lossreport.merge(parts[:3]), lossreport.merge(parts[3:])]).evidence
    assert nested is not None
    same(nested, together)


def test_saved_and_read_back_it_is_the_same(small: None, folder: Path, tmp_path: Path) -> None:
    made = lossreport.profile(folder, by="g", time="time", id="id")
    lossreport.save_profile(made, tmp_path / "p.parquet")
    again = lossreport.load_profile(str(tmp_path / "p.parquet"))
    assert made.evidence is not None
    assert again.evidence is not None
    same(made.evidence, again.evidence)
    assert again.columns.ids == ("id",)


def test_rows_are_kept_in_whole_blocks_spread_over_the_log(small: None) -> None:
    made = evidence_of(rows(20_000)).by_place
    blocks = (made.rows["row"] - 1) // BLOCK
    assert set(blocks.value_counts()["count"]) == {BLOCK}
    expected = 20_000 / made.factor
    assert made.rows.height == pytest.approx(expected, rel=0.5)
    halves = (made.rows["row"] <= 10_000).mean()
    assert halves == pytest.approx(0.5, abs=0.25)


def test_all_copies_of_a_row_are_kept_or_none(small: None) -> None:
    frame = rows(4000)
    twice = pl.concat([frame, frame.sample(fraction=1, shuffle=True, seed=3)])
    content = evidence_of(twice).by_content
    assert content.level > 0
    copies = content.rows.group_by(
        "actual", "predicted_0", "g" if "g" in content.rows else "key_0"
    ).len()
    assert set(copies["len"]) == {2}
    ids = evidence_of(twice).by_id
    assert ids is not None
    assert ids.rows.group_by("id").len()["len"].min() >= 2


def test_estimates_of_a_large_log_are_near_and_said_to_be_estimates(small: None) -> None:
    frame = rows(30_000, seed=5)
    log = pl.concat([frame, frame.head(3000)])
    found = {f.code: f for f in lossreport.report(log, by="g", time="time", id="id").findings}
    for code in ("LR014", "LR015"):
        assert found[code].status == "issue"
        assert found[code].count == pytest.approx(3000, rel=0.5)
        assert "bout " in found[code].message
        assert "looked at)" in found[code].message


def test_evidence_of_one_kind_of_profiles_only_is_merged(folder: Path) -> None:
    from dataclasses import replace

    parts = [
        lossreport.profile(p, by="g", time="time", id="id")
        for p in sorted(folder.rglob("*.parquet"))[:2]
    ]
    old = replace(parts[1], evidence=None)
    assert lossreport.merge([parts[0], old]).evidence is None
    assert parts[1].evidence is not None
    other = replace(parts[1], evidence=replace(parts[1].evidence, hashed_by="Polars 0"))
    merged = lossreport.merge([parts[0], other]).evidence
    assert merged is not None
    assert merged.by_id is None
    assert merged.by_place.rows.height == 2000
    (found,) = (
        f
        for f in lossreport.report(lossreport.merge([parts[0], other])).findings
        if f.code == "LR015"
    )
    assert found.status == "skipped"


def test_levels_halve_what_is_kept() -> None:
    draws = evidence.mixed(np.arange(100_000, dtype=np.uint64))
    for level in (0, 1, 5, 10):
        assert kept(draws, level).mean() == pytest.approx(0.5**level, rel=0.2)
    assert (
        kept(draws, level_for(draws, 700)).sum()
        <= 700
        < kept(draws, level_for(draws, 700) - 1).sum()
    )
    assert not kept(np.zeros(3, dtype=np.uint64), 1).any()
    assert level_for(np.full(10, 2**64 - 1, dtype=np.uint64), 5) == 63


def test_wrong_ids_are_refused_with_what_there_is() -> None:
    with pytest.raises(lossreport.UsageError, match=r"no column 'idd'.*Did you mean id\?"):
        lossreport.profile(rows(50), id="idd")
    nested = rows(50).with_columns(id=pl.concat_list("id"))
    with pytest.raises(lossreport.UsageError, match=r"Column 'id' holds List.*cannot be an id"):
        lossreport.profile(nested, id="id")


def night(i: int, n: int = 200) -> pl.DataFrame:
    rng = np.random.default_rng(100 + i)
    actual = rng.normal(size=n)
    return pl.DataFrame({"actual": actual, "predicted": actual + rng.normal(size=n)})


def test_files_of_one_name_are_not_kept_or_dropped_together(small: None, tmp_path: Path) -> None:
    """Nightly files in folders that differ further up, and profiles of a file written anew."""
    parts = []
    for i in range(100):
        path = tmp_path / f"day={i}" / "hour=00" / "part-0.parquet"
        path.parent.mkdir(parents=True)
        night(i).write_parquet(path)
        parts.append(lossreport.profile(path))
    one_name = [lossreport.profile(night(i)) for i in range(100)]
    whole = lossreport.profile(tmp_path)
    for made in (whole, lossreport.merge(parts), lossreport.merge(one_name)):
        assert made.evidence is not None
        sample = made.evidence.by_place
        assert 300 <= sample.rows.height <= 1000
        assert sample.rows["draw"].n_unique() > 10
    assert whole.evidence is not None
    assert whole.evidence.by_place.rows["file"].n_unique() > 10


def test_profiles_of_one_file_name_merge_to_the_same_in_any_order(small: None) -> None:
    parts = [lossreport.profile(night(i).with_columns(id=i), id="id") for i in range(4)]
    parts += [lossreport.profile(night(9).with_columns(predicted="actual", id=9), id="id")] * 2
    one, other = lossreport.merge(parts), lossreport.merge(parts[::-1])
    assert one.evidence is not None
    assert other.evidence is not None
    same(one.evidence, other.evidence)
    assert_frame_equal(one.worst, other.worst)
    rows = one.evidence.by_place.rows
    assert rows.height > rows.select("file", "row").n_unique()


def test_what_waits_is_bounded_and_never_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small chunks without anything to note cost the same each, the last like the first."""
    for module in (rows_module, frames):
        monkeypatch.setattr(module, "CHUNK_ROWS", 100)
    monkeypatch.setattr(gathering, "WAITING_TOKENS", 10)
    monkeypatch.setattr(scan, "LEFT_OUT_ROWS", 300)
    monkeypatch.setattr(scan, "WORST_ROWS", 300)
    seen: list[scan.Scan] = []
    made = scan.Scan.profile
    monkeypatch.setattr(scan.Scan, "profile", lambda self: seen.append(self) or made(self))
    counting = {"unscored": 0, "candidates": 0, "tokens": 0}
    added = scan.Scan.add

    def add(self: scan.Scan, chunk: Chunk) -> None:
        added(self, chunk)
        waiting = {"unscored": self.unscored[0], "candidates": self.candidates[0]}
        assert all(f.height for some in waiting.values() for f in some)
        assert all(f.height for f in self.evidence.tokens[1:])
        assert self.waiting_unscored[0] == sum(map(len, self.unscored[0])) <= 300
        assert self.waiting_candidates[0] == sum(map(len, self.candidates[0])) <= 300
        assert self.evidence.waiting_tokens == sum(map(len, self.evidence.tokens))
        for name, some in waiting.items():
            counting[name] += len(some)
        counting["tokens"] += self.evidence.waiting_tokens

    monkeypatch.setattr(scan.Scan, "add", add)
    texts = [None if i % 7 == 0 else "" if i % 5 == 0 else f"{i}" for i in range(3000)]
    texts[::101] = ["off"] * len(texts[::101])
    lossreport.profile(pl.DataFrame({"actual": texts, "predicted": np.arange(3000.0)}), worst=5)
    assert len(seen) == 1
    assert all(counting.values())
