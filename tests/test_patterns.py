"""Patterns of the worst rows: each is found and counted where it is planted, none in clean logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

import lossreport
from lossreport.checks.view import view_of
from lossreport.profiles.file import KEY, load_profile, save_profile
from lossreport.reports.groups import groups_of
from lossreport.reports.patterns import chance, in_words, of_these, worst_patterns
from lossreport.reports.results import Prediction
from lossreport.reports.where import Pattern
from tests.conftest import Ran
from tests.simulated import LAWS, ROWS, clean

OPTIONS = {"by": "site", "time": "time", "id": "site,time"}
MARKED = pl.col("marked")
Change = Callable[[pl.DataFrame], pl.DataFrame]


def predicted(log: object, **options: object) -> Prediction:
    return lossreport.report(log, **(OPTIONS | options)).predictions[0]


def patterns(log: object, **options: object) -> tuple[Pattern, ...]:
    """The patterns alone, without the rest of a report."""
    profile = lossreport.profile(log, **(OPTIONS | options))
    raw = {by: groups_of(profile.table(by), 0) for by in profile.columns.groupings}
    return worst_patterns(view_of(profile, 0, None), raw, {by: by for by in raw})


def marked(law: str, n: int, seed: int = 0) -> pl.DataFrame:
    """A clean log, n of whose rows are marked: those with the largest predictions, or any."""
    frame = clean(law, seed)
    at = np.random.default_rng(seed).choice(ROWS - 2, n, replace=False) + 1
    return frame.with_columns(marked=pl.Series(np.isin(np.arange(ROWS), at)))


def put(**columns: pl.Expr) -> Change:
    return lambda frame: frame.with_columns(
        pl.when(MARKED).then(new).otherwise(name).alias(name) for name, new in columns.items()
    ).drop("marked")


WILD = pl.col("predicted") + 1000 + 50 * pl.int_range(pl.len()).cast(pl.Float64).sqrt()
FACTOR = "off by a factor of 1,000, as between units and thousands"
PLANTED: dict[str, tuple[Change, str, str]] = {
    "placeholder": (put(actual=pl.lit(-999.0)), "value", "actual = \u2212999"),
    "default": (put(predicted=pl.lit(1234.5)), "value", "predicted = 1234.5"),
    "unit": (put(actual=pl.col("actual") * 1000), "factor", FACTOR),
    "unit, the other way": (put(predicted=pl.col("predicted") * 1000), "factor", FACTOR),
    "minutes": (put(actual=pl.col("actual") * 60), "factor", "off by a factor of 60, as between minutes and hours"),
    "sign": (put(actual=-pl.col("actual")), "sign", "a prediction of the actual value's size but with the other sign"),
    "group": (put(predicted=WILD, site=pl.lit("island")), "group", "in site = island"),
    "id": (put(predicted=WILD, site=pl.lit("x"), time=pl.lit(datetime(2025, 12, 31, 7))), "id", "the id (site, time) x, 2025-12-31 07:00:00.000000"),
    "day": (put(predicted=WILD, time=pl.lit(datetime(2025, 12, 31, 7))), "day", "of the day 2025-12-31"),
}  # fmt: skip


@pytest.mark.parametrize("law", ["gaussian", "t3", "laplace"])
@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("n", [6, 18, 20])
def test_a_planted_pattern_is_found_and_counted(law: str, name: str, n: int) -> None:
    change, kind, what = PLANTED[name]
    frame = change(marked(law, n))
    found = patterns(frame)[0]
    if kind == "sign":
        fits = turned_in(frame)
    elif kind == "factor":
        fits = slipped_in(frame, 60 if name == "minutes" else 1000)
        assert sum(fits) >= 0.8 * n
    else:
        fits = [place < n for place in range(ROWS)]
    assert (found.kind, found.what, found.of) == (kind, what, 20)
    assert found.positions == tuple(np.flatnonzero(fits[:20]))
    assert found.elsewhere == sum(fits[20:])
    assert found.others == ROWS - 20


def turned_in(frame: pl.DataFrame) -> list[bool]:
    """Of each row, the worst first, whether its prediction has the wrong sign: in plain NumPy."""
    actual, predicted = frame["actual"].to_numpy(), frame["predicted"].to_numpy()
    error = predicted - actual
    scale = 1.4826 * np.median(np.abs(error - np.median(error)))
    fits = (np.abs(actual) >= 5 * scale) & (np.abs(predicted + actual) <= 3 * scale)
    return fits[np.argsort(-np.abs(error))].tolist()


def slipped_in(frame: pl.DataFrame, factor: float) -> list[bool]:
    """Of each row, the worst first, whether it is off by a factor, but for the usual error."""
    actual, predicted = frame["actual"].to_numpy(), frame["predicted"].to_numpy()
    same = actual * predicted > 0
    logs = np.where(same, np.log(np.abs(actual / predicted)), np.nan)
    away = logs - np.nanmedian(logs)
    width = 1.4826 * np.nanmedian(np.abs(away))
    fits = np.abs(np.abs(away) - np.log(factor)) <= min(4 * width, np.log(factor) / 4)
    return fits[np.argsort(-np.abs(predicted - actual))].tolist()


def test_three_placeholders_are_enough_where_the_checks_need_more() -> None:
    frame = put(predicted=pl.lit(99999.0))(marked("gaussian", 3))
    (found,) = patterns(frame)
    assert found.sentence.startswith("3 of the 20 worst rows have predicted = 99999; 17 do not.")


@pytest.mark.parametrize("law", LAWS)
def test_clean_logs_have_no_patterns(law: str) -> None:
    found = [(s, p.sentence) for s in range(10) for p in patterns(clean(law, s, 1000))]
    assert not found


def test_turned_signs_are_found_where_the_error_grows_with_the_value() -> None:
    frame = clean("lognormal", 3)
    top = frame["predicted"].rank("ordinal", descending=True) <= 18
    flipped = frame.with_columns(
        predicted=pl.when(top).then(-pl.col("predicted")).otherwise("predicted")
    )
    found = patterns(flipped)[0]
    assert (found.kind, found.elsewhere) == ("sign", 0)
    assert set(found.positions) <= set(range(18))
    assert found.rows >= 16


def test_errors_of_the_heaviest_tails_hardly_ever_have_patterns() -> None:
    """Their worst rows lie at all factors of the actual value, and with both signs."""
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = np.exp(rng.normal(2, 1, 2000))
        for errors in (rng.standard_cauchy(2000), 5 * rng.standard_t(2, 2000)):
            frame = pl.DataFrame({"actual": truth + errors, "predicted": truth})
            for log in (frame, frame.select(pl.all().round())):
                found += [p.sentence for p in patterns(log, by="", time="", id=())]
    assert len(found) <= 1, found


def test_the_sentence_says_how_many_fit_how_many_do_not_and_how_rare_it_is_elsewhere() -> None:
    found = patterns(put(actual=pl.lit(-999.0))(marked("t3", 18)))[0]
    assert found.sentence == (
        "18 of the 20 worst rows have actual = \u2212999; 2 do not. None of the other 2,980 rows does."
    )
    every = put(predicted=WILD, site=pl.lit("island"))(marked("t3", 20))
    other = pl.when(pl.int_range(pl.len()) % 100 == 7).then(pl.lit("island")).otherwise("site")
    found = patterns(every.with_columns(site=other))[0]
    n = every.with_columns(site=other).filter(site="island").height - 20
    assert (found.elsewhere, found.others) == (n, 2980)
    assert found.sentence.startswith("All 20 worst rows are in site = island. Of the other 2,980")


def test_shifted_predictions_are_found_in_a_stretch_of_rows() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(50, 40, 2000)
    frame = pl.DataFrame({"actual": truth, "predicted": truth + rng.normal(0, 2, 2000)})
    late = pl.int_range(pl.len()).is_between(700, 716)
    frame = frame.with_columns(
        predicted=pl.when(late).then(pl.col("predicted").shift(1)).otherwise("predicted")
    )
    found = patterns(frame, by="", time="", id=())[0]
    assert (found.kind, found.what) == (
        "shift", "a prediction that fits the actual value of the row before",
    )  # fmt: skip
    assert found.rows >= 12


def test_one_file_of_several_is_named_and_a_log_of_one_file_names_none(tmp_path: Path) -> None:
    frame = put(predicted=WILD)(marked("t3", 3))
    for night in range(4):
        part = frame.slice(night * 700, 700)
        if night == 2:
            wild = pl.int_range(pl.len()) % 50 == 9
            part = part.with_columns(predicted=pl.when(wild).then(WILD).otherwise("predicted"))
        part.write_parquet(tmp_path / f"night{night}.parquet")
    found = patterns(tmp_path, by="", time="", id=())
    assert [p.kind for p in found] == ["file"]
    assert found[0].what.endswith("night2.parquet")
    alone = patterns(tmp_path / "night2.parquet", by="", time="", id=())
    assert alone == ()


def test_one_hour_is_named_in_a_log_of_a_few_days() -> None:
    frame = clean("gaussian", 1, 4000).with_columns(
        time=pl.lit(datetime(2026, 3, 1)) + pl.int_range(pl.len()) // 50 * timedelta(hours=1)
    )
    bad = (pl.col("time") == datetime(2026, 3, 2, 4)) & (pl.int_range(pl.len()) % 3 == 0)
    frame = frame.with_columns(predicted=pl.when(bad).then(WILD).otherwise("predicted"))
    found = patterns(frame, id=())[0]
    assert (found.kind, found.what) == ("hour", "of the hour 2026-03-02 04:00")
    assert found.rows == min(20, frame.filter(bad).height)


def test_at_most_three_are_told_and_the_same_rows_are_not_told_twice() -> None:
    """One group that is one day and one id as well is one pattern."""
    frame = put(predicted=WILD, site=pl.lit("x"), time=pl.lit(datetime(2025, 12, 31, 7)))(
        marked("t3", 18)
    )
    frame = frame.with_columns(predicted=pl.when(site="x").then(7777.0).otherwise("predicted"))
    assert [p.kind for p in patterns(frame)] == ["value", "id"]


def test_worst_rows_that_are_not_kept_have_no_pattern() -> None:
    assert patterns(put(actual=pl.lit(-999.0))(marked("t3", 18)), worst=0) == ()


def test_parts_merge_and_a_profile_saved_without_ids_still_loads(tmp_path: Path) -> None:
    log = PLANTED["id"][0](marked("gaussian", 18))
    whole = lossreport.profile(log, **OPTIONS)
    parts = [lossreport.profile(log[a:b], **OPTIONS) for a, b in ((0, 1500), (1500, ROWS))]
    save_profile(whole, tmp_path / "new")
    frame = pl.read_parquet(tmp_path / "new")
    about = json.loads(pl.read_parquet_metadata(tmp_path / "new")[KEY])
    about["frames"]["worst"].remove("id")
    frame.write_parquet(tmp_path / "old", metadata={KEY: json.dumps(about)})
    old = load_profile(str(tmp_path / "old"))
    assert old.worst["id"].null_count() == old.worst.height == 20
    kinds = [
        [p.kind for p in lossreport.report(made).predictions[0].patterns]
        for made in (lossreport.merge(parts), load_profile(str(tmp_path / "new")), old)
    ]
    assert kinds == [["id"], ["id"], ["group"]]


def test_the_verdict_says_what_the_rows_apart_have_in_common_unless_a_fault_says_it() -> None:
    wild = put(
        predicted=WILD * WILD, time=pl.lit(datetime(2025, 12, 31, 7)), site=pl.lit("island")
    )(marked("gaussian", 5))
    verdict = predicted(wild).verdict
    assert verdict.why.endswith(
        "All 5 have the id (site, time) island, 2025-12-31 07:00:00.000000."
    )
    coded = predicted(put(actual=pl.lit(-99999.0))(marked("gaussian", 18)))
    said = " ".join((coded.verdict.headline, coded.verdict.why, *coded.verdict.points))
    assert said.count("\u221299999") == 2  # what was found, and what to do
    assert coded.patterns[0].what == "actual = \u221299999"


def test_every_output_shows_them(run: Callable[..., Ran], tmp_path: Path) -> None:
    put(actual=pl.lit(-999.0))(marked("t3", 18)).write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--by", "site", "--markdown", tmp_path / "out.md")
    sentence = "18 of the 20 worst rows have actual = \u2212999; 2 do not."
    assert sentence in ran.html
    assert sentence in " ".join(ran.out.split())
    assert "18 of the 20 worst rows have actual = \u2212999; 2 do not." in (
        tmp_path / "out.md"
    ).read_text("utf-8")
    (pattern,) = ran.json["predictions"][0]["patterns"]
    assert pattern["positions"] == list(range(18))


def test_hostile_names_are_shown_and_do_nothing(run: Callable[..., Ran], tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>|\x1b[31m@all"
    frame = put(predicted=WILD, site=pl.lit(evil))(marked("t3", 18))
    frame = frame.with_columns(pl.int_range(pl.len()).alias("order"))
    frame.write_parquet(tmp_path / "log.parquet")
    ran = run(tmp_path / "log.parquet", "--by", "site", "--markdown", tmp_path / "out.md")
    markdown = (tmp_path / "out.md").read_text("utf-8")
    assert ran.json["predictions"][0]["patterns"][0]["kind"] == "group"
    for text in (ran.html, ran.out, markdown):
        assert "18 of the 20 worst rows are in site" in " ".join(text.split()).replace("\\", "")
        assert "\x1b" not in text
    assert "<img src" not in ran.html + markdown
    assert "@all" not in markdown


@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 40), st.integers(0, 60))
def test_the_chance_is_fishers(fits: int, of: int, elsewhere: int, others: int) -> None:
    fits, elsewhere = min(fits, of), min(elsewhere, others)
    exact = hypergeom.sf(fits - 1, of + others, fits + elsewhere, of)
    assert chance(fits, of, elsewhere, others) == pytest.approx(exact, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(
    ("fits", "of", "said"),
    [(1, 1, "It has x."), (2, 2, "All 2 have x."), (1, 2, "1 of the 2 has x; 1 does not."),
     (2, 3, "2 of the 3 have x; 1 does not."), (3, 5, "3 of the 5 have x; 2 do not.")],
)  # fmt: skip
def test_numbers_are_said_in_words_that_agree(fits: int, of: int, said: str) -> None:
    assert in_words(fits, of, f"the {of}", "have", "x") == said


def test_the_pattern_of_the_first_rows_is_of_half_of_them_or_more() -> None:
    pattern = Pattern("value", "have", "x", (0, 1, 5, 6), 20, 0, 100, "")
    assert of_these([pattern], 2) == "All 2 have x."
    assert of_these([pattern], 4) == "2 of the 4 have x; 2 do not."
    assert of_these([pattern], 5) is None
    assert of_these([pattern], 50) is None
