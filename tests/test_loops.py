"""The compiled loops: the same bits as NumPy and Polars, and only for logs that are worth it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossreport
from lossreport.profiles import bin_edges, compiling, loops, summing
from lossreport.profiles.cells import Cells
from lossreport.profiles.profile import Profile
from lossreport.profiles.statistics import binned

LOOPS = compiling.compiled()
COMPILE_IN_BACKGROUND = compiling.compile_in_background


@pytest.fixture(autouse=True)
def _no_loops() -> Iterator[None]:
    """Leave no loops behind, and find none."""
    compiling._compiled.clear()
    COMPILE_IN_BACKGROUND.cache_clear()
    yield
    compiling._compiled.clear()
    COMPILE_IN_BACKGROUND.cache_clear()


def saved(profile: Profile, folder: Path) -> bytes:
    path = folder / "saved.parquet"
    lossreport.save_profile(profile, path)
    data = path.read_bytes()
    path.unlink()
    return data


def log_of(rows: int, seed: int) -> pl.DataFrame:
    """Groups, errors of all sizes, all that cannot be scored, times with gaps and without."""
    rng = np.random.default_rng(seed)
    actual = rng.normal(size=rows) * 10.0 ** rng.integers(-3, 4, rows)
    predicted = actual + rng.standard_t(2, rows)
    odd = rng.random(rows)
    predicted = np.where(odd < 0.01, actual, predicted)
    predicted = np.where((odd > 0.01) & (odd < 0.02), np.nan, predicted)
    predicted = np.where((odd > 0.02) & (odd < 0.021), np.inf, predicted)
    actual = np.where((odd > 0.03) & (odd < 0.031), 1.7e308, actual)
    predicted = np.where((odd > 0.03) & (odd < 0.0305), -1.7e308, predicted)
    hours = np.sort(rng.integers(0, 24 * 60, rows)).tolist()
    start = datetime(1969, 12, 1)
    late = np.arange(rows) > rows * 0.8
    return pl.DataFrame(
        {
            "actual": pl.Series(actual).set(pl.Series((odd > 0.04) & (odd < 0.05)), None),
            "predicted": predicted,
            "other": predicted * 0.5,
            "g": rng.integers(0, 30, rows),
            "h": pl.Series(rng.choice(["a", "b", "c"], rows)).set(pl.Series(odd > 0.99), None),
            "t": [None if o > 0.98 and at else start + timedelta(hours=h) for h, o, at in zip(hours, odd, late, strict=True)],
        }
    )  # fmt: skip


WAYS = [
    {"by": ("g", "h", "g,h"), "time": "t", "predicted": "predicted"},
    {"by": (), "predicted": ("predicted", "other")},
]


@pytest.mark.parametrize("how", WAYS)
def test_compiled_or_not_a_profile_has_the_same_bytes(how: dict[str, Any], tmp_path: Path) -> None:
    frame = log_of(350_000, 3)
    by_numpy = saved(lossreport.profile(frame, **how), tmp_path)
    compiling._compiled.append(LOOPS)
    assert saved(lossreport.profile(frame, **how), tmp_path) == by_numpy


def test_loops_that_are_ready_in_the_middle_of_a_log_change_no_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(3):
        log_of(150_000, i).write_parquet(tmp_path / f"{i}.parquet")
    asked, added, from_here = [0], [0], [math.inf]

    def moments(*given: Any) -> int:
        added[0] += 1
        return LOOPS.moments(*given)

    counted = replace(LOOPS, moments=moments)

    def ready() -> compiling.Loops | None:
        asked[0] += 1
        return counted if asked[0] > from_here[0] else None

    monkeypatch.setattr(compiling, "loops", ready)
    by_numpy = saved(lossreport.profile(tmp_path, **WAYS[0]), tmp_path)
    assert not added[0]
    from_here[0], asked[0] = asked[0] / 2, 0
    assert saved(lossreport.profile(tmp_path, **WAYS[0]), tmp_path) == by_numpy
    half, added[0], from_here[0] = added[0], 0, 0
    assert saved(lossreport.profile(tmp_path, **WAYS[0]), tmp_path) == by_numpy
    assert 0 < half < added[0]


def test_a_grid_too_large_to_lay_out_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = log_of(5000, 4)
    monkeypatch.setattr(summing, "DENSE_CELLS", 100)
    by_numpy = saved(lossreport.profile(frame, **WAYS[0]), tmp_path)
    compiling._compiled.append(LOOPS)
    assert saved(lossreport.profile(frame, **WAYS[0]), tmp_path) == by_numpy


def bins_of(errors: Sequence[float] | np.ndarray[Any, Any]) -> tuple[list[int], list[int]]:
    """Return the bins by the loops and by the definition."""
    frame = nw.from_native(pl.DataFrame({"error": errors}, schema={"error": pl.Float64}))
    defined = frame.select(bin=binned(nw.col("error")))["bin"].to_list()
    return LOOPS.bins(np.asarray(errors, dtype=np.float64))[0].tolist(), defined


@given(st.lists(st.floats(), min_size=1))
def test_a_bin_is_what_its_definition_says(errors: list[float]) -> None:
    looped, defined = bins_of(errors)
    assert looped == defined


def test_at_the_edges_of_all_bins_and_for_all_kinds_of_floats_too() -> None:
    edges = bin_edges.bin_edges()
    some = np.random.default_rng(5).integers(0, 2**64, 200_000, dtype=np.uint64).view(np.float64)
    sizes = [edges, np.nextafter(edges, math.inf), np.nextafter(edges, 0), some]
    for errors in (np.concatenate(sizes), -np.concatenate(sizes)):
        looped, defined = bins_of(errors)
        assert looped == defined


def test_a_float_s_first_bits_leave_two_bins_at_most() -> None:
    first = bin_edges.first_ranks(bin_edges.bin_edges())
    steps = np.diff(first)
    infinite = loops.INFINITE_BITS >> loops.CELL_BITS
    assert steps[loops.SUBNORMAL : infinite - 1].max() == 1  # what `find_bins` takes for granted


def test_the_errors_without_a_bin_are_counted_and_the_largest_of_the_others_is_told() -> None:
    errors = np.array([0.0, -3.0, math.nan, 2.0, math.inf, -math.inf])
    assert LOOPS.bins(errors)[1:] == (3, 3.0)
    assert LOOPS.bins(errors[2:3])[1:] == (1, 0.0)
    assert LOOPS.bins(errors[:0])[1:] == (0, 0.0)


def test_combinations_that_share_a_slot_are_told_apart() -> None:
    hashes = np.array([5, (3 << 44) + 1, (3 << 44) + 2, 0, 5], dtype=np.uint64)  # two in slot 3
    frame = pl.DataFrame({"key_0": ["a", "b", "c", "d", "a"], "hash": hashes})
    for looped in (False, True):
        compiling._compiled[:] = [LOOPS] if looped else []
        cells = Cells(["key_0"])
        for _ in range(2):
            again = cells.of(frame)
            assert len(set(again.tolist())) == 4
            assert again[0] == again[4]
            texts = cells.texts(pl.Series(again))[0].to_list()
            assert texts == ["a", "b", "c", "d", "a"]


def test_only_long_logs_ask_for_the_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(compiling, "FROM_ROWS", 1000)
    monkeypatch.setattr(compiling, "compile_in_background", lambda: asked.append(1))
    lossreport.profile(log_of(1000, 6), **WAYS[0])
    assert not asked
    lossreport.profile(log_of(1001, 6), **WAYS[0])
    assert asked


def test_the_loops_are_compiled_in_another_thread() -> None:
    thread = compiling.compile_in_background()
    assert thread is not None
    thread.join()
    assert compiling.loops() is not None
    assert compiling.compile_in_background() is thread


def test_without_numba_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "find_spec", lambda _: None)
    assert compiling.compile_in_background() is None
    assert compiling.loops() is None


def test_a_numba_that_refuses_its_numpy_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> compiling.Loops:
        raise ImportError("Numba needs NumPy 1.9 or less")

    monkeypatch.setattr(compiling, "compiled", refuse)
    thread = compiling.compile_in_background()
    assert thread is not None
    thread.join()
    assert compiling.loops() is None


def test_loops_that_cannot_be_kept_are_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numba

    made = []

    def njit(signature: object, *, nogil: bool, cache: bool = False) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available for file")
        return lambda function: made.append(function) or function

    monkeypatch.setattr(numba, "njit", njit)
    compiling.compiled()
    expected = [loops.find_bins, loops.find_cells, loops.find_drawn]
    assert made == [*expected, loops.add_moments, loops.add_histogram]
