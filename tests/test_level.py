"""Errors far from 0: the log is read once more, and its advice is that of the errors' own shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import lossreport
from lossreport.advice.advice import Advice
from lossreport.advice.level import centre_for
from lossreport.logs.log import Log
from lossreport.profiles.file import KEY, load_profile, save_profile
from lossreport.profiles.profile import Profile
from tests.simulated_errors import LAWS, histogram_of

ROWS = 4000


def log_of(errors: np.ndarray, groups: int = 2) -> pl.DataFrame:
    keys = [f"g{i % groups}" for i in range(len(errors))]
    return pl.DataFrame({"g": keys, "actual": np.zeros(len(errors)), "predicted": errors})


def advice_on(errors: np.ndarray, **options: object) -> Advice:
    made = lossreport.report(log_of(errors), by="g", **options)
    return made.predictions[0].recommendation.advice


def watched(log: object, between: Callable[[], object] = lambda: None) -> tuple[Profile, list[int]]:
    """Return the profile, and how many rows each reading of the log handed out."""
    readings: list[int] = []

    def opened(_: Log) -> Callable[[int], None]:
        readings.append(0)
        if len(readings) == 2:
            between()

        def progress(rows: int) -> None:
            readings[-1] += rows

        return progress

    return lossreport.profile(log, by="g", opened=opened), readings


@pytest.mark.parametrize("law", ["gaussian", "laplace", "t3", "10 % x3"])
@pytest.mark.parametrize("level", [40.0, -1234.5, 1e7])
def test_the_advice_is_that_of_the_same_errors_about_0(law: str, level: float) -> None:
    errors = LAWS[law](np.random.default_rng(1), ROWS)
    near = lossreport.report(log_of(errors), by="g").predictions[0]
    far = lossreport.report(log_of(errors + level), by="g").predictions[0]
    recommended = [(near.recommendation, far.recommendation)]
    groups = [sorted(p.groupings[0].groups, key=lambda g: g.key) for p in (near, far)]
    recommended += [(a.recommendation, b.recommendation) for a, b in zip(*groups, strict=True)]
    for a, b in recommended:
        assert b.advice.loss == a.advice.loss
        assert b.advice.scale == pytest.approx(a.advice.scale, rel=0.01)
        needed = [rows for _, rows in a.advice.rows_needed]
        assert [rows for _, rows in b.advice.rows_needed] == pytest.approx(needed, rel=0.06)
        assert "biased" in b.advice.flags
        assert b.headline.startswith("Put the level right first: the mean error is ")
        assert f"After that: {a.headline[:11].lower()}" in b.headline
        assert not any("level" in sentence for sentence in b.because)
    median = np.median(errors)
    ratio = np.sqrt(np.mean((errors - median) ** 2)) / np.mean(np.abs(errors - median))
    assert far.overall.centred_ratio == pytest.approx(ratio, rel=1e-4)
    assert far.overall.mae == pytest.approx(np.abs(errors + level).mean(), rel=1e-12)
    assert far.overall.bias == pytest.approx((errors + level).mean(), rel=1e-12)


def test_only_such_a_log_is_read_twice_and_the_page_says_so() -> None:
    rng = np.random.default_rng(2)
    for errors in (rng.normal(9, 1, ROWS), rng.integers(0, 2, ROWS), np.zeros(ROWS)):
        ordinary, readings = watched(log_of(np.asarray(errors, dtype=float)))
        assert readings == [ROWS]
        assert ordinary.centres == ()
    far, readings = watched(log_of(rng.normal(500, 1, ROWS)))
    assert readings == [ROWS, ROWS]
    assert far.centres == (500.0,)
    page = lossreport.render_page(lossreport.report(far))
    assert "So the log was read twice" in page


@pytest.mark.parametrize("errors", [np.full(100, 7.25), 1e9 + np.arange(100.0) % 2 * 1e-3])
def test_what_seems_to_be_one_value_is_looked_at_more_closely(errors: np.ndarray) -> None:
    advice = advice_on(errors)
    one_value = len(set(errors.tolist())) == 1
    assert ("one and the same value" in (advice.reason or "")) == one_value


def test_groups_at_levels_of_their_own_are_judged_where_that_can_be() -> None:
    rng = np.random.default_rng(3)
    level = np.array([300.0, 301.0, 0.0, 900.0])[np.minimum(np.arange(ROWS) % 8, 3)]
    level[np.arange(ROWS) % 8 > 3] = 300.0
    errors = level + rng.normal(size=ROWS)
    made = lossreport.report(log_of(errors, 8), by="g").predictions[0]
    judged = {g.key[0]: g.recommendation.advice for g in made.groupings[0].groups}
    assert [judged[f"g{i}"].loss is not None for i in range(8)] == [True] * 3 + [False] + [True] * 4
    assert "biased" not in judged["g2"].flags
    assert "put the level right first" in (judged["g3"].reason or "")


def test_each_prediction_has_its_own_centre() -> None:
    rng = np.random.default_rng(4)
    frame = log_of(rng.normal(500, 1, ROWS)).with_columns(q=pl.Series(rng.normal(0, 1, ROWS)))
    made = lossreport.profile(frame, actual="actual", predicted=["predicted", "q"], by="g")
    assert made.centres == (500.0, None)
    losses = [p.recommendation.advice.loss for p in lossreport.report(made).predictions]
    assert losses == ["L2", "L2"]


@pytest.mark.parametrize("share", [0.005, 0.3])
def test_exact_zeros_are_a_heap_of_their_own(share: float) -> None:
    errors = np.random.default_rng(5).normal(1000, 1, ROWS)
    zeros = int(share * ROWS)
    errors[:zeros] = 0
    advice = advice_on(errors)
    assert advice.zeros == pytest.approx(share)
    if share < 0.02:
        assert advice.broken is not None
        assert (advice.broken.rows, advice.broken.share_of_sq_error) == (zeros, 0.0)
    else:
        assert "spike_at_zero" in advice.flags
        assert (advice.broken, advice.loss) == (None, "L2")


def test_costs_by_side_know_the_level() -> None:
    errors = np.random.default_rng(6).normal(-1000, 1, ROWS)
    advice = advice_on(errors, costs=(3.0, 1.0))
    assert advice.shift == pytest.approx(-np.quantile(errors, 0.25), abs=0.05)


def same_bins(left: Profile, right: Profile) -> None:
    assert left.centres == right.centres
    for a, b in zip(left.tables, right.tables, strict=True):
        assert a.centred is not None
        assert b.centred is not None
        assert_frame_equal(a.centred, b.centred, check_exact=True)


def test_profiles_of_one_centre_merge_to_that_of_all_rows(tmp_path: Path) -> None:
    # Whole numbers: their sums have no rounding, whatever the order.
    errors = np.random.default_rng(7).binomial(40, 0.5, ROWS) + 980.0
    whole = lossreport.profile(log_of(errors), by="g")
    parts = [
        lossreport.profile(log_of(errors[at : at + 1000]), by="g") for at in range(0, ROWS, 1000)
    ]
    save_profile(parts[0], tmp_path / "part")
    loaded = load_profile(str(tmp_path / "part"))
    same_bins(loaded, parts[0])
    nothing = lossreport.profile(
        log_of(np.zeros(4)).with_columns(predicted=pl.lit(None, float)), by="g"
    )
    merged = lossreport.merge([nothing, loaded, *parts[1:]])
    same_bins(merged, whole)
    advice = lossreport.report(merged).predictions[0].recommendation.advice
    assert advice == lossreport.report(whole).predictions[0].recommendation.advice


def test_a_profile_saved_without_centres_is_read(tmp_path: Path) -> None:
    made = lossreport.profile(log_of(np.random.default_rng(13).normal(0, 1, 100)), by="g")
    save_profile(made, tmp_path / "new")
    about = json.loads(pl.read_parquet_metadata(tmp_path / "new")[KEY])
    del about["centres"]
    pl.read_parquet(tmp_path / "new").write_parquet(
        tmp_path / "old", metadata={KEY: json.dumps(about)}
    )
    loaded = load_profile(str(tmp_path / "old"))
    assert loaded.centres == ()
    assert lossreport.to_json(lossreport.report(loaded)) == lossreport.to_json(
        lossreport.report(made)
    )


def test_profiles_of_different_centres_merge_without_and_say_what_to_do() -> None:
    rng = np.random.default_rng(8)
    parts = [lossreport.profile(log_of(rng.normal(c, 1, ROWS)), by="g") for c in (1000, 1100)]
    merged = lossreport.merge(parts)
    assert merged.centres == ()
    assert all(t.centred is None for t in merged.tables)
    advice = lossreport.report(merged).predictions[0].recommendation.advice
    assert (advice.verdict, advice.loss) == ("cannot-say", None)
    assert "report its files together" in (advice.reason or "")
    near = lossreport.profile(log_of(rng.normal(0, 1, 9 * ROWS)), by="g")
    with_near = lossreport.report(lossreport.merge([parts[0], near])).predictions[0]
    assert with_near.recommendation.advice.loss is not None


def test_a_log_that_is_gone_or_other_when_read_again_is_reported_without(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    frame = log_of(np.random.default_rng(9).normal(1000, 1, ROWS))
    for between in (path.unlink, frame.head(ROWS - 1).write_parquet):
        frame.write_parquet(path)
        arguments = () if between == path.unlink else (path,)
        made, _ = watched(str(path), lambda b=between, a=arguments: b(*a))
        assert made.centres == ()
        assert made.rows == ROWS
        advice = lossreport.report(made).predictions[0].recommendation.advice
        assert (advice.verdict, advice.loss) == ("cannot-say", None)


def test_files_left_out_are_left_out_of_the_second_reading_too(tmp_path: Path) -> None:
    log_of(np.random.default_rng(10).normal(1000, 1, ROWS)).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more")
    made = lossreport.profile(str(tmp_path), by="g", on_bad_file="skip")
    assert made.centres == (1000.0,)


def test_joined_actuals_are_counted_once() -> None:
    rng = np.random.default_rng(11)
    predictions = pl.DataFrame({"id": np.arange(ROWS), "predicted": rng.normal(1000, 1, ROWS)})
    actuals = pl.DataFrame({"id": np.arange(ROWS + 5), "actual": np.zeros(ROWS + 5)})
    made = lossreport.profile(predictions, actuals=actuals, on="id", by="")
    assert made.centres == (1000.0,)
    assert (made.joins[0].unmatched, made.joins[0].repeated_predictions) == (5, 0)


@pytest.mark.parametrize(
    ("unit", "off"), [(1e-300, 20), (1.0, 2), (1e140, 2), (1e290, 20), (1e304, 20)]
)
def test_the_centre_is_near_the_median_in_any_unit(unit: float, off: float) -> None:
    # Where squares are beyond all floats, only the bin is known.
    errors = np.random.default_rng(12).normal(1000, 1, 500)
    centre = centre_for(histogram_of(errors * unit))
    assert centre is not None
    assert abs(centre / unit - 1000) <= off
    assert centre_for(histogram_of(errors[:40] * unit)) is None


@pytest.mark.parametrize(("share", "first"), [(0.45, False), (0.55, True)])
def test_a_bias_that_makes_most_of_the_squared_error_is_the_first_sentence(
    share: float, first: bool
) -> None:
    errors = np.random.default_rng(6).normal(size=ROWS)
    errors -= errors.mean()
    bias = -float(np.sqrt(share / (1 - share) * errors.var()))
    made = lossreport.report(log_of(errors + bias)).predictions[0]
    said = made.verdict.headline
    assert said.startswith("Put the level right first: the mean error is ") == first
    assert (f"which makes {round(100 * share)}% of the squared error." in said) == first
    assert (made.verdict.tag == "Wrong level") == first
    assert made.verdict.why.startswith("After that: train with L2") == first
    assert any("predicts too little" in point for point in made.verdict.points) != first
    told = "put the level right before you change the loss" in " ".join((made.verdict.why, said))
    assert told != first
