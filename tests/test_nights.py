"""Tonight against before: what happened is found once, named for what it is, and little else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser
from scipy import stats

import lossreport
from lossreport.errors import UsageError
from lossreport.nights.baseline import resolve
from lossreport.nights.breaks import best_break
from lossreport.nights.changes import Changes, Event, Place
from lossreport.nights.differences import _sure, place_changes
from lossreport.nights.events import History, events_of, ordinary_nights, still_holding
from lossreport.nights.levels import CHANCE, beyond_chance, gaussian
from lossreport.nights.reference import clipped_mean, median
from lossreport.nights.series import FIGURES, SUMS, Series, figure, series_of
from lossreport.profiles.profile import Profile
from lossreport.render.markdown import to_markdown
from lossreport.render.plain_text import to_text
from lossreport.render.terminal import summary
from tests.conftest import Ran
from tests.simulated_nights import (
    AT,
    GROUP,
    LAWS,
    Simulated,
    errors,
    simulated,
    sums_of,
    until,
)

SCHEMA = json.loads((Path(lossreport.__file__).parent / "report.schema.json").read_text("utf-8"))
OF_GROUP = Place("p", ("store",), (str(GROUP),))
START = date(2026, 11, 1)


def events(made: Simulated) -> tuple[Event, ...]:
    ordinary = tuple(ordinary_nights(made.series))
    return events_of(History(made.series, made.days, ordinary, 0), "EUR")[0]


def night(made: Simulated, event: Event) -> int:
    return (date.fromisoformat(str(event.found)) - made.days[0]).days


# The figures and their variances


@pytest.mark.parametrize("law", LAWS)
def test_figures_and_variances_are_those_of_the_rows(law: str) -> None:
    e = errors(law, np.random.default_rng(3), 400) + 0.2
    sums = np.array(sums_of(e, 25)).reshape(-1, 1, 1)
    series = Series((Place("p", (), ()),), dict(zip(SUMS, sums, strict=True)), 0)
    n, size, square = len(e), np.abs(e), e**2
    mae, rmse = size.mean(), math.sqrt(square.mean())
    # Each figure's influence of a row; its variance is their mean square / (n - 1).
    of = {
        "mae": (mae, size - mae),
        "rmse": (rmse, (square - rmse**2) / (2 * rmse)),
        "ratio": (rmse / mae, rmse / mae * ((square / rmse**2 - 1) / 2 - (size / mae - 1))),
        "bias": (e.mean(), e - e.mean()),
    }
    for name, (value, influence) in of.items():
        found, variance = figure(series, name)
        assert found[0, 0] == pytest.approx(value, rel=1e-12)
        assert variance[0, 0] == pytest.approx((influence**2).sum() / n / (n - 1), rel=1e-8)
    assert figure(series, "left_out_share")[0][0, 0] == pytest.approx(25 / 425)
    assert figure(series, "rows")[0][0, 0] == 425


def test_no_rows_have_no_figure_and_one_row_no_variance() -> None:
    sums = np.array([sums_of(np.zeros(0), 0), sums_of(np.array([2.0]), 0)]).T[:, np.newaxis]
    series = Series((Place("p", (), ()),), dict(zip(SUMS, sums, strict=True)), 0)
    for name in FIGURES[:4]:
        value, variance = figure(series, name)
        assert np.isnan(value[0, 0])
        assert np.isnan(variance[0]).all()
    assert figure(series, "mae")[0][0, 1] == 2.0


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=30))
def test_the_median_is_numpys(values: list[float]) -> None:
    if all(map(math.isnan, values)):
        assert math.isnan(median(np.array([values]))[0])
    else:
        assert median(np.array([values]))[0] == pytest.approx(np.nanmedian(values))


def test_a_clipped_mean_moves_little_with_one_night() -> None:
    values = np.array([[1.0, 2.0, 3.0, 4.0, 1e9, math.nan]])
    mean, count = clipped_mean(values, np.array([1.0]))
    assert mean[0] == pytest.approx(np.mean([1, 2, 3, 4, 3 + 2.5]))
    assert count[0] == 5


@pytest.mark.parametrize("freedom", [5, 12, 60])
def test_students_t_becomes_the_gaussian_as_rare(freedom: int) -> None:
    for t in (1.0, 3.0, 6.0):
        z = gaussian(np.array([t, -t]), np.array([freedom, freedom]))
        assert z[0] == -z[1]
        assert stats.norm.isf(stats.t.sf(t, freedom)) == pytest.approx(z[0], rel=0.02)


def test_holm_takes_the_rows_that_statistics_books_take() -> None:
    rng = np.random.default_rng(1)
    z = np.concatenate([rng.normal(size=80), [7.0, -6.0, 5.0, 4.2]])
    chance = np.sort(2 * stats.norm.sf(np.abs(z)))
    wanted = 0
    for rank, p in enumerate(chance):
        if p > CHANCE / (len(z) - rank):
            break
        wanted += 1
    found = beyond_chance(z, z, np.zeros(len(z)))
    assert wanted >= 2
    assert [h.row for h in found] == [80, 81, 82, 83][:wanted]
    assert not beyond_chance(z, z, np.full(len(z), 10.0))


def test_sure_differences_are_those_of_benjamini_and_hochberg() -> None:
    z = np.concatenate([np.random.default_rng(2).normal(size=60), [3.0, 3.5, 4.0, np.nan]])
    adjusted = stats.false_discovery_control(2 * stats.norm.sf(np.abs(z[:-1])))
    assert _sure(z)[:-1].tolist() == (adjusted <= 0.05).tolist()
    assert not _sure(z)[-1]


def test_steps_and_slopes_are_told_apart() -> None:
    noise = np.random.default_rng(4).normal(size=60) * 0.1
    nights = np.arange(60)
    step = best_break(nights, np.where(nights < 45, 1.0, 2.0) + noise, 0.1)
    assert step is not None
    assert (step.kind, step.night) == ("step", 45)
    assert (step.before, step.now) == pytest.approx((1.0, 2.0), abs=0.1)
    slope = best_break(nights, np.maximum(nights - 20, 0) * 0.05 + noise, 0.1)
    assert slope is not None
    assert slope.kind == "slope"
    assert abs(slope.night - 20) <= 5
    assert slope.now == pytest.approx(39 * 0.05, abs=0.15)
    assert best_break(nights[:2], noise[:2], 0.1) is None


# What happened, in 120 simulated nights of 40 groups


@pytest.mark.parametrize("law", LAWS)
def test_quiet_nights_have_at_most_one_false_alarm(law: str) -> None:
    assert len(events(simulated("quiet", law, 100))) <= 1


@pytest.mark.parametrize("law", LAWS)
def test_a_shift_is_found_within_two_nights_and_told_once(law: str) -> None:
    made = simulated("shift", law, 1)
    found = events(made)
    (shift,) = [e for e in found if e.kind == "shift"]
    assert shift.place == OF_GROUP
    assert AT <= night(made, shift) <= AT + 2
    assert shift.since == made.days[AT].isoformat()
    assert shift.now is not None
    assert shift.before is not None
    assert shift.now / shift.before == pytest.approx(4.0 / 3.1, rel=0.12)
    # Before a second night bears it out, it is a night that is off; nothing else is.
    assert {e.kind for e in found} <= {"shift", "bad night"}
    assert all(e.place == OF_GROUP and AT <= night(made, e) <= AT + 1 for e in found if e != shift)
    assert still_holding(found, None)[0] == shift


@pytest.mark.parametrize("law", LAWS)
def test_creeping_is_found_before_a_quarter_and_told_once(law: str) -> None:
    made = simulated("creep", law, 1)
    (creep,) = events(made)
    assert (creep.kind, creep.place) == ("creep", OF_GROUP)
    assert 1.003 ** night(made, creep) < 1.25


@pytest.mark.parametrize("law", LAWS)
def test_a_bad_night_is_named_and_is_no_shift(law: str) -> None:
    made = simulated("bad night", law, 1)
    (bad,) = events(made)
    assert (bad.kind, bad.place, night(made, bad)) == ("bad night", OF_GROUP, AT)
    assert bad.figure == "mae"


@pytest.mark.parametrize(
    ("scenario", "kind", "said"),
    [
        ("vanished", "vanished", "has gone"),
        ("nothing scored", "nothing scored", "left out"),
        ("few rows", "few rows", "of the usual"),
    ],
)
def test_what_is_no_change_of_a_figure_is_named_for_what_it_is(
    scenario: str, kind: str, said: str
) -> None:
    made = simulated(scenario, "Laplace", 1)
    (found,) = events(made)
    assert (found.kind, night(made, found)) == (kind, AT)
    assert found.place == (OF_GROUP if kind == "vanished" else made.series.places[0])
    assert said in found.sentence


def test_earlier_nights_are_told_the_same_whatever_comes_after() -> None:
    for scenario in ("shift", "creep", "vanished", "few rows"):
        made = simulated(scenario, "Laplace", 2, nights=90)
        whole = events(made)
        for end in (40, 61, 62):
            before = [e for e in whole if night(made, e) < end]
            assert list(events(until(made, end))) == before


def test_a_level_that_comes_back_is_a_second_shift() -> None:
    made = simulated("quiet", "Gaussian", 3, nights=80)
    sums = {k: v.copy() for k, v in made.series.sums.items()}
    for power, name in ((1, "sum_error"), (1, "sum_abs_error"), (2, "sum_sq_error"),
                        (3, "sum_cube_abs_error"), (4, "sum_fourth_error")):  # fmt: skip
        sums[name][5, 40:60] *= 1.5**power
    found = events(replace(made, series=replace(made.series, sums=sums)))
    shifts = [e for e in found if e.kind == "shift"]
    assert [e.since for e in shifts] == [made.days[40].isoformat(), made.days[60].isoformat()]
    assert [np.sign(e.now - e.before) for e in shifts] == [1, -1]


def test_all_groups_moving_together_are_one_alarm() -> None:
    made = simulated("quiet", "Laplace", 4, nights=70)
    sums = {k: v.copy() for k, v in made.series.sums.items()}
    for power, name in ((1, "sum_error"), (1, "sum_abs_error"), (2, "sum_sq_error"),
                        (3, "sum_cube_abs_error"), (4, "sum_fourth_error")):  # fmt: skip
        sums[name][:, 50:] *= 1.3**power
    found = events(replace(made, series=replace(made.series, sums=sums)))
    (shift,) = [e for e in found if e.kind == "shift"]
    assert not shift.place.by
    assert shift.also
    assert {e.place for e in found} == {shift.place}


# Differences from a baseline


def test_intervals_cover_what_does_not_change() -> None:
    covered, sure = [], 0
    for seed in range(25):
        made = simulated("quiet", LAWS[seed % 3], 500 + seed, nights=16, season=0.0)
        series = made.series
        found = place_changes(
            series.places, series.only([15]), series.only(range(1, 15)), series.only(range(15))
        )
        covered += [
            d.low <= 0 <= d.high
            for p in found
            for d in p.differences
            if d.figure in ("mae", "bias", "left_out_share")
        ]
        sure += any(d.sure for p in found for d in p.differences if d.figure != "rows")
    assert 0.93 <= np.mean(covered) <= 0.99
    assert sure <= 5


def test_the_night_to_night_spread_widens_intervals() -> None:
    widths = []
    for nightly in (0.0, 0.2):
        series = simulated("quiet", "Gaussian", 7, nights=20, nightly=nightly, season=0).series
        of = place_changes(
            series.places, series.only([19]), series.only([18]), series.only(range(19))
        )
        mae = of[0].of("mae")
        widths.append((mae.high - mae.low) / mae.before)
    assert widths[1] > 10 * widths[0]


def test_a_difference_of_two_nights_is_that_of_their_rows() -> None:
    rng = np.random.default_rng(8)
    old, new = rng.laplace(size=500), 1.3 * rng.laplace(size=800)
    sums = np.stack([sums_of(old, 5), sums_of(new, 80)], axis=1)[:, np.newaxis]
    series = Series((Place("p", (), ()),), dict(zip(SUMS, sums, strict=True)), 0)
    (of,) = place_changes(series.places, series.only([1]), series.only([0]), series.only([]))
    mae = of.of("mae")
    assert mae.change == pytest.approx(np.abs(new).mean() - np.abs(old).mean())
    error = math.sqrt(np.abs(new).var() / 799 + np.abs(old).var() / 499)
    assert mae.high - mae.change == pytest.approx(1.959964 * error, rel=1e-6)
    left = of.of("left_out_share")
    assert left.change == pytest.approx(80 / 880 - 5 / 505)
    assert left.sure


# From profiles to the report


def log(
    i: int, *, rows: int = 600, wide: bool = False, rename: bool = False, seed: int = 0
) -> pl.DataFrame:
    rng = np.random.default_rng([seed, i])
    store = rng.integers(0, 4, rows)
    size = np.where(wide & (store == 3), 2.0, 1.0) * (1 + 0.2 * store)
    actual = 50 + rng.normal(size=rows)
    names = ["a", "b", "c", "new" if rename else "<b>3|x"]
    return pl.DataFrame(
        {
            "actual": actual,
            "predicted": actual + size * rng.normal(size=rows),
            "store": [names[s] for s in store],
        }
    )


def nights_of(frames: Sequence[pl.DataFrame]) -> list[tuple[date, Profile]]:
    return [(START + timedelta(i), lossreport.profile(f, by="store")) for i, f in enumerate(frames)]


@pytest.fixture(scope="module")
def shifted() -> list[tuple[date, Profile]]:
    return nights_of([log(i, wide=i >= 18) for i in range(20)])


def changes(nights: list[tuple[date, Profile]], **options: object) -> Changes:
    found = lossreport.report(nights[-1][1], nights=nights, **options).changes
    assert found is not None
    return found


def test_series_hold_the_sums_of_each_nights_groups(shifted: list[tuple[date, Profile]]) -> None:
    series = series_of([p for _, p in shifted])
    assert series.places[0] == Place("predicted", (), ())
    frame = log(19, wide=True).with_columns(e=(pl.col("predicted") - pl.col("actual")).abs())
    for row, place in enumerate(series.places):
        mine = frame if not place.by else frame.filter(pl.col("store") == place.key[0])
        assert series.sums["n"][row, 19] == mine.height
        assert figure(series, "mae")[0][row, 19] == pytest.approx(mine["e"].mean(), rel=1e-9)


def test_the_report_says_first_what_changed(shifted: list[tuple[date, Profile]]) -> None:
    report = lossreport.report(shifted[-1][1], nights=shifted, baseline="median:14", unit="EUR")
    found = report.changes
    assert found is not None
    assert found.headline.startswith("MAE of store = <b>3|x shifted since 2026-11-19, from 1.")
    assert (found.tag, found.tone, found.nights) == ("Changed", "alert", 20)
    for text in (summary(report), to_text(report)):
        assert text.index("shifted since") < text.index("RMSE/MAE")
    assert "\\|x shifted since" in to_markdown(report)
    page = lossreport.render_page(report)
    assert "&lt;b&gt;3|x shifted since" in page
    assert "<b>3|x" not in page
    assert page.index("shifted since") < page.index('id="p0-verdict"')
    as_json = json.loads(lossreport.to_json(report))
    jsonschema.Draft202012Validator(SCHEMA).validate(as_json)
    assert as_json["changes"]["alarms"][0]["place"]["key"] == ["<b>3|x"]
    assert lossreport.to_json(report) == lossreport.to_json(
        lossreport.report(shifted[-1][1], nights=shifted, baseline="median:14", unit="EUR")
    )


def test_a_shift_is_told_on_one_night_and_stands_afterwards() -> None:
    nights = nights_of([log(i, wide=i >= 18) for i in range(23)])
    told = [
        [e.kind for e in changes(nights[:end]).alarms if e.kind == "shift"] for end in range(18, 24)
    ]
    assert sum(map(len, told)) == 1
    last = changes(nights)
    assert [e.kind for e in last.standing] == ["shift"]
    assert last.standing[0].now == pytest.approx(2 * 1.6 * math.sqrt(2 / math.pi), rel=0.15)


def test_a_renamed_group_is_told_as_one() -> None:
    nights = nights_of([log(i, rename=i == 9) for i in range(10)])
    (renamed,) = changes(nights).alarms
    assert (renamed.kind, renamed.place.key, renamed.renamed_to) == (
        "renamed", ("<b>3|x",), ("new",),
    )  # fmt: skip
    other = nights_of([*[log(i) for i in range(9)], log(9, rename=True, wide=True)])
    assert {e.kind for e in changes(other).alarms} == {"vanished", "new"}


def test_against_one_profile_without_nights() -> None:
    old, new = (lossreport.profile(log(i, wide=i > 0), by="store") for i in range(2))
    report = lossreport.report(new, baseline=old)
    found = report.changes
    assert found is not None
    assert (found.nights, found.tonight, found.trends) == (0, None, ())
    assert found.tone == "note"
    assert "store = <b>3|x" in " ".join([found.headline, *found.points])
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(lossreport.to_json(report)))
    assert 'id="trends"' in lossreport.render_page(report)
    same = lossreport.report(old, baseline=old).changes
    assert same is not None
    assert same.tone == "calm"
    assert all(d.change == 0 for p in same.places for d in p.differences)
    assert "nothing" not in same.headline.lower() or "beyond" in same.headline


def test_without_a_baseline_nothing_is_said() -> None:
    report = lossreport.report(log(0), by="store")
    assert report.changes is None
    assert json.loads(lossreport.to_json(report))["changes"] is None
    assert 'id="changes"' not in lossreport.render_page(report)


def test_the_first_night_and_a_night_of_nans() -> None:
    nights = nights_of([*[log(i) for i in range(5)], log(5).with_columns(predicted=math.nan)])
    first = changes(nights[:1])
    assert (first.tone, first.places) == ("none", ())
    report = lossreport.report(nights[-1][1], nights=nights)
    assert report.changes is not None
    assert report.changes.headline == "All 600 rows of the night are left out: no figure."
    assert report.changes.places[0].of("mae").now is None
    text = lossreport.to_json(report) + lossreport.render_page(report)
    assert "NaN" not in text
    # The next night is compared with the last that had figures.
    after = [*nights, (START + timedelta(6), lossreport.profile(log(6), by="store"))]
    assert changes(after).baseline == "the night of 2026-11-05"


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("median:1", "2 nights or more"),
        ("median:x", "2 nights or more"),
        ("pinned:2020-01-01", "No earlier night is of '2020-01-01'"),
        ("pinned:2026-11-20", "No earlier night"),
        ("no such file", "There is no file"),
    ],
)
def test_wrong_baselines_say_what_to_do(
    shifted: list[tuple[date, Profile]], baseline: str, message: str
) -> None:
    with pytest.raises(lossreport.LossReportError, match=message):
        changes(shifted, baseline=baseline)


def test_wrong_nights_are_refused(shifted: list[tuple[date, Profile]]) -> None:
    with pytest.raises(UsageError, match="not in order"):
        lossreport.report(shifted[-1][1], nights=[*shifted[::-1][1:], shifted[-1]])
    with pytest.raises(UsageError, match="is not of this log"):
        lossreport.report(lossreport.profile(log(0, rows=50), by="store"), nights=shifted)
    with pytest.raises(UsageError, match="there are none"):
        lossreport.report(shifted[-1][1], baseline="last")


def test_baselines_are_the_nights_they_name() -> None:
    days = [START + timedelta(i) for i in range(6)]
    ordinary = [True, True, True, False, True, True]
    of = {b: resolve(b, days, ordinary) for b in ("last", "median:3", "pinned:2026-11-04")}
    assert [x and x.nights for x in of.values()] == [(4,), (1, 2, 4), (3,)]
    assert of["pinned:2026-11-04"].first == 3
    assert resolve("last", days[:1], [True]) is None


def test_the_command_takes_a_profile(run: Callable[..., Ran], tmp_path: Path) -> None:
    for i in range(2):
        log(i, wide=i > 0).write_parquet(tmp_path / f"{i}.parquet")
    saved = tmp_path / "old.profile"
    lossreport_profile = lossreport.profile(str(tmp_path / "0.parquet"), by="store")
    from lossreport.profiles.file import save_profile

    save_profile(lossreport_profile, saved)
    ran = run(tmp_path / "1.parquet", "--by", "store", "--baseline", saved)
    assert ran.code == 0
    assert "beyond chance" in ran.out
    assert ran.json["changes"]["baseline"].startswith("the baseline, ")
    ran = run(tmp_path / "1.parquet", "--by", "store", "--baseline", "last")
    assert ran.code == 2
    assert "there are none" in ran.err


def test_a_private_report_tells_no_changes(shifted: list[tuple[date, Profile]]) -> None:
    report = lossreport.report(shifted[-1][1], nights=shifted, private=True)
    assert report.changes is None
    assert json.loads(lossreport.to_json(report))["changes"] is None
    assert 'id="changes"' not in lossreport.render_page(report)


def test_the_numbers_behind_the_lines_are_in_the_page(
    shifted: list[tuple[date, Profile]],
) -> None:
    report = lossreport.report(shifted[-1][1], nights=shifted)
    assert report.changes is not None
    page = lossreport.render_page(report)
    assert page.count("<polygon") >= len(report.changes.trends)
    assert "style=" not in page[page.index('id="trends"') :]
    trend = next(t for t in report.changes.trends if t.place.key == ("<b>3|x",))
    assert trend.changed
    last = trend.points[-2]
    assert last.mae is not None
    assert last.high is not None
    assert last.mae > last.high
    assert f"<td>{last.mae:.2f} !</td>" in page


def test_few_nights_shout_at_nothing() -> None:
    nights = nights_of([log(i, seed=9) for i in range(8)])
    for end in range(1, 9):
        assert not changes(nights[:end]).alarms


@pytest.mark.browser
def test_the_trends_are_accessible_and_fit_a_phone(
    chromium: Browser, shifted: list[tuple[date, Profile]], tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    report = lossreport.report(shifted[-1][1], nights=shifted, unit="EUR")
    path.write_text(lossreport.render_page(report), encoding="utf-8")
    for scheme, width in (("light", 1280), ("dark", 320)):
        page = chromium.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        page.goto(path.as_uri())
        found = Axe().run(page)
        assert not found.response["violations"], found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
