"""Private reports: nothing of a row, a small group, a group's name or a path is in any form."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from statistics import NormalDist

import jsonschema
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

import lossreport
from lossreport.checks.finding import Token
from lossreport.gates.gate import Gate
from lossreport.nights.changes import Event, Trend, TrendPoint
from lossreport.reports.private import made_private
from lossreport.reports.private_fields import FIELDS, LEFT_OUT
from lossreport.reports.results import Prediction, Report
from tests.conftest import EXAMPLES, Ran
from tests.test_cli import SCHEMA

Run = Callable[..., Ran]
SECRETS = (
    "Zanzibar", "Quokka", "Quiddity", "zanziBAR", "Vauxhall", "Xylophone", "unreadable-token",
    "4815162342", "4,815,162,342", "-98765", "98,765", "2031-06-01 00:17", "05:17",
)  # fmt: skip


def secret_log(path: Path) -> Path:
    """Write a log that gives every check that quotes rows something to quote."""
    n = 2000
    rng = np.random.default_rng(5)
    actual = rng.normal(100, 10, n).round(3)
    predicted = actual + rng.normal(0, 1, n)
    predicted[:8] *= 10
    predicted[1900:1930] = -98765
    texts = [f"{v:.3f}" for v in actual]
    texts[500] = texts[501] = "unreadable-token"
    texts[0] = "4815162342"
    names = (
        ["Zanzibar"] * 900 + ["Quokka"] * 1000 + ["Quiddity"] * 30 + ["zanziBAR"] * 40 + [None] * 30
    )
    frame = pl.DataFrame(
        {
            "actual": texts,
            "predicted": predicted,
            "country": names,
            "id": [f"Xylophone{i % 1500}" for i in range(n)],
            "time": [None] * n,
        }
    ).with_columns(
        time=pl.datetime(2031, 6, 1) + pl.duration(minutes=pl.int_range(n) * 60 + 17),
    )
    file = path / "Vauxhall" / "Vauxhall-log.csv"
    file.parent.mkdir()
    frame.write_csv(file)
    return file


def rich_frame() -> pl.DataFrame:
    """Return a log of which everything is told: sources, a slice, a group that leans, ..."""
    n = 12_000
    rng = np.random.default_rng(7)
    shop = rng.choice(["Xanadu", "Yttrium", "Wolverine"], n)
    country = rng.choice(["Zanzibar", "Quokka", "Vauxhall"], n)
    item = rng.choice(["Ibex", "Jackal", "Kestrel"], n)
    actual = rng.uniform(20, 200, n)
    error = rng.normal(0, 0.05, n) * actual
    error[item == "Jackal"] *= 0.2
    error[shop == "Wolverine"] += 0.05 * actual[shop == "Wolverine"]
    error[country == "Zanzibar"] *= 0.1
    cell = (item == "Jackal") & (shop == "Yttrium") & (rng.random(n) < 0.06)
    error[cell] += rng.normal(0, 110, n)[cell]
    predicted = actual + error
    predicted[(country == "Zanzibar") & (item != "Jackal") & (rng.random(n) < 0.008)] = 481.5162342
    return pl.DataFrame(
        {
            "actual": actual,
            "predicted": predicted,
            "country": country,
            "shop": shop,
            "item": item,
            "model": ["Umbra", "Tundra"] * (n // 2),
            "id": [f"Xylophone{i // 2}" for i in range(n)],
        }
    )


RICH = {"by": ["country", "shop", "item", "model"], "compare": "model", "id": "id", "unit": "EUR"}
Forms = Callable[..., dict[str, str]]


@pytest.fixture
def told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forms:
    """Make every form of a report and return its texts."""
    drawn = list[Figure]()
    save = Figure.savefig

    def savefig(self: Figure, *arguments: object, **options: object) -> None:
        drawn.append(self)
        save(self, *arguments, **options)  # type: ignore[arg-type]

    def make(log: Path, *options: str) -> dict[str, str]:
        made = tmp_path / "made"
        made.mkdir(exist_ok=True)
        drawn.clear()
        monkeypatch.setattr(Figure, "savefig", savefig)
        ran = run(
            log, "--id", "id", "--markdown", made / "a.md", "--text", made / "a.txt",
            "--card", made / "a.png", "--csv", made / "tables", *options,
        )  # fmt: skip
        assert ran.code == 0, ran.err
        jsonschema.Draft202012Validator(SCHEMA).validate(ran.json)
        texts = {p.name: p.read_text("utf-8") for p in made.rglob("*.*") if p.suffix != ".png"}
        card = "\n".join(t.get_text() for f in drawn for t in f.texts)
        out = ran.out.split("\nWrote ")[0]
        return {**texts, "html": ran.html, "json": json.dumps(ran.json), "card": card, "out": out}

    return make


SECRET = ("--by", "country", "--by", "@file", "--time", "time")


def test_no_secret_is_in_any_form(told: Forms, tmp_path: Path) -> None:
    log = secret_log(tmp_path)
    assert_private(SECRETS, told(log, *SECRET), told(log, *SECRET, "--private"))


def assert_private(
    secrets: Iterable[str], open_forms: dict[str, str], private: dict[str, str]
) -> None:
    """Check that each secret is in some form of the open report, else nothing is tested."""
    everything = "\n".join(open_forms.values())
    missing = [s for s in secrets if s not in everything]
    assert not missing
    for form, text in private.items():
        found = [s for s in secrets if s in text]
        assert not found, (form, found)


def test_no_value_of_what_is_told_is_in_any_form(told: Forms, tmp_path: Path) -> None:
    frame, log = rich_frame(), tmp_path / "Plutonium.csv"
    frame.write_csv(log)
    names = {*(v for c in ("country", "shop", "item", "model") for v in frame[c].unique())}
    options = ("--by", "country", "--by", "shop", "--by", "item", "--by", "model",
               "--compare", "model", "--unit", "EUR")  # fmt: skip
    open_forms, private = told(log, *options), told(log, *options, "--private")
    assert_private({*names, "481.5162342", "Plutonium", "pl.col("}, open_forms, private)
    numbers = [repr(v) for c in ("actual", "predicted") for v in frame[c].to_list()]
    numbers += [repr(abs(v)) for v in (frame["predicted"] - frame["actual"]).to_list()]
    assert sum(v in open_forms["json"] for v in numbers) > 10
    assert not [v for v in numbers if v in private["json"]]


def test_what_is_told_is_in_the_open_report_and_hidden_or_made_again() -> None:
    report = lossreport.report(rich_frame(), **RICH)
    private = made_private(report)
    a, b = prediction_of(report), prediction_of(private)
    issues = {f.code for f in report.findings if f.status == "issue"}
    assert {"LR035", "LR044"} <= issues
    assert a.patterns
    assert a.seen
    assert a.ranking_flips
    assert (b.patterns, b.seen, b.ranking_flips, b.worst, b.tokens) == ((), None, (), (), ())
    assert a.attribution
    assert b.attribution
    assert [o.key for o in b.attribution.origins] == [
        (by_hand("Zanzibar", "country"),), (by_hand("Yttrium", "shop"),)
    ]  # fmt: skip
    assert all(o.filters for o in a.attribution.origins)
    assert not any(o.filters for o in b.attribution.origins)
    assert len(a.attribution.outside) == len(b.attribution.outside) == 9
    assert {k for _, (k,) in b.attribution.outside} <= {
        by_hand(v, c) for c in RICH["by"] for v in rich_frame()[c].unique()
    }
    outside = [g.without_source for x in b.groupings for g in x.groups if g.without_source]
    assert outside
    assert all(f.max_abs_error is None for f in outside)
    assert a.slices
    assert b.slices
    (slice_,) = b.slices.found
    shop, item = by_hand("Yttrium", "shop"), by_hand("Jackal", "item")
    assert slice_.sentence.startswith(f"shop = {shop}, item = {item}: 1,311 rows (11%)")
    assert slice_.sentence.split(":")[1] == a.slices.found[0].sentence.split(":")[1]
    assert slice_.filters is None
    assert a.biased
    assert b.biased == a.biased.replace("Wolverine", by_hand("Wolverine", "shop"))
    assert b.biased in b.verdict.points
    assert a.levels
    assert b.levels
    assert a.levels.bins
    assert not b.levels.bins
    assert b.levels.sentences[1:] == a.levels.sentences[1:]
    assert (b.settings, b.goals) == (a.settings, a.goals)
    assert [m.all_rows for m in b.metrics] == [m.all_rows for m in a.metrics]
    assert a.metrics[0].without == b.metrics[0].without != None  # noqa: E711
    models = {by_hand(m, "model") for m in ("Umbra", "Tundra")}
    assert report.comparison
    assert private.comparison
    assert {m.name for m in private.comparison.models} == models
    assert private.comparison.without
    assert private.comparison.without.said in private.comparison.points
    named = report.comparison.headline
    for name in ("Umbra", "Tundra"):
        named = named.replace(name, by_hand(name, "model"))
    assert private.comparison.headline == named


def parts_of(found: object) -> Iterator[object]:
    """Return an object and all that is in it."""
    yield found
    if dataclasses.is_dataclass(found):
        for field in dataclasses.fields(found):
            yield from parts_of(getattr(found, field.name))
    elif isinstance(found, (tuple, list)):
        for one in found:
            yield from parts_of(one)
    elif isinstance(found, Mapping):
        yield from parts_of(tuple(found.items()))


def types_in(hint: object) -> Iterator[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for argument in typing.get_args(hint):
        yield from types_in(argument)


def types_of(top: type) -> set[type]:
    """Return the dataclasses that an object of a type may hold."""
    known, new = set[type](), {top}
    while new:
        known |= new
        new = {
            t for of in new for hint in typing.get_type_hints(of).values() for t in types_in(hint)
        } - known
    return known


def test_every_field_of_a_report_is_kept_or_not_by_decision() -> None:
    """A new field of any part of a report fails here: add it to `private_fields.FIELDS`."""
    reached = types_of(Report)
    assert reached == {*FIELDS, *LEFT_OUT}
    for part, (kept, other) in FIELDS.items():
        names = [f.name for f in dataclasses.fields(part)]
        assert sorted([*kept.split(), *other.split()]) == sorted(names), part


def test_what_is_left_out_or_not_known_is_in_no_private_report() -> None:
    report = lossreport.report(rich_frame(), **RICH)
    report = lossreport.judge(report, [Gate("mae", figure="mae", max=1.0)])
    options = {k: v for k, v in RICH.items() if k not in ("unit", "title")}
    before = lossreport.profile(rich_frame(), **options)
    compared = lossreport.report(rich_frame(), **RICH, baseline=before)
    report = dataclasses.replace(report, changes=compared.changes)
    told_once = {Token, Event, Trend, TrendPoint}  # which this log does not have
    missing = {t for t in LEFT_OUT if t not in told_once} - {type(x) for x in parts_of(report)}
    assert not missing
    assert not [x for x in parts_of(made_private(report)) if isinstance(x, LEFT_OUT)]

    @dataclasses.dataclass(frozen=True)
    class More(type(report)):  # type: ignore[misc]
        secret: str = ""

    with_more = More(secret="Zanzibar", **{f.name: getattr(report, f.name)
                                           for f in dataclasses.fields(report)})  # fmt: skip
    FIELDS[More] = FIELDS[Report]  # type: ignore[index]
    try:
        assert made_private(with_more).secret == ""  # type: ignore[attr-defined]
    finally:
        del FIELDS[More]  # type: ignore[attr-defined]


def test_every_form_says_that_it_is_private(told: Forms, tmp_path: Path) -> None:
    log = secret_log(tmp_path)
    forms = told(log, *SECRET, "--private", "--min-group", "60")
    for name in ("html", "json", "a.md", "a.txt", "out"):
        words = " ".join(forms[name].split())
        assert "groups under 60 rows are one sum in each grouping" in words, name
        assert "can be guessed" in words, name
    assert "private" in forms["card"]


def by_hand(value: str, column: str) -> str:
    return "#" + hashlib.sha256(f"{column}\0{value}".encode()).hexdigest()[:10]


def prediction_of(report: Report) -> Prediction:
    return report.predictions[0]


def test_groups_become_hashes_and_small_ones_one_sum_that_adds_up() -> None:
    n = [400, 300, 49, 30, 1]
    names = [name for name, k in zip("abcde", n, strict=True) for _ in range(k)]
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"actual": 0.0, "predicted": rng.normal(0.5, 1, len(names)), "g": names})
    report = lossreport.report(frame, by="g", private=True)
    (grouping,) = prediction_of(report).groupings
    assert {g.key[0] for g in grouping.groups} == {by_hand("a", "g"), by_hand("b", "g")}
    small = frame.filter(pl.col("g").is_in(["c", "d", "e"]))["predicted"].to_numpy()
    rest = grouping.rest_figures
    assert rest is not None
    assert grouping.rest_groups == 3
    assert rest.n == 80
    assert rest.mae == pytest.approx(np.abs(small).mean(), rel=1e-12)
    assert rest.mse == pytest.approx((small**2).mean(), rel=1e-12)
    assert rest.bias == pytest.approx(small.mean(), rel=1e-12)
    expected = np.sqrt((small**2).mean()) / np.abs(small).mean()
    assert rest.ratio == pytest.approx(expected, rel=1e-12)
    rows = report.groups.to_polars()
    assert rows["rows_read"].sum() == 780
    assert rows["groups"].to_list() == [1, 1, 3]
    html = lossreport.render_page(report)
    assert "g: 3 other groups (under 50 rows or added to them)" in html


@settings(max_examples=30)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=8), st.integers(2, 80))
def test_what_is_hidden_is_never_one_small_group(sizes: list[int], least: int) -> None:
    names = [str(i) for i, size in enumerate(sizes) for _ in range(size)]
    frame = pl.DataFrame(
        {"actual": 0.0, "predicted": [1.0 + i % 5 for i in range(len(names))], "g": names}
    )
    plain = lossreport.report(frame, by="g")
    hidden = made_private(plain, least)
    assert hidden == made_private(plain, least)
    (grouping,) = prediction_of(hidden).groupings
    told = [g.figures.n for g in grouping.groups]
    rest = grouping.rest_rows
    assert all(n >= least for n in told)
    assert sum(told) + (rest.scored if rest else 0) == len(names)
    assert len(told) + grouping.rest_groups == len(sizes)
    assert rest is None or rest.scored >= least or not told
    assert not [g for g in grouping.groups if g.figures.max_abs_error is not None]
    assert prediction_of(hidden).worst == ()


def test_the_verdict_names_the_source_by_its_hash() -> None:
    log = EXAMPLES / "deliveries.parquet"
    report = lossreport.report(log, by=["region", "model"], private=True, title="Nightly")
    verdict = prediction_of(report).verdict
    assert verdict.headline.endswith(f"all in region = {by_hand('apac', 'region')}.")
    assert any("1 source" in p or "one source" in p for p in verdict.points)
    assert report.title == "Nightly"
    assert report.sources[0].path == by_hand(str(log), "file")
    assert report.span == ("2026-09-01", "2026-11-29")
    for text in ("apac", "gbm", "deliveries"):
        assert text not in lossreport.render_page(report)


def test_a_source_that_is_hidden_is_not_named() -> None:
    log = EXAMPLES / "deliveries.parquet"
    plain = lossreport.report(log, by=["region", "model"])
    hidden = prediction_of(made_private(plain, 12_000))
    assert hidden.attribution is None
    assert hidden.concentration is not None
    assert hidden.concentration.place is None
    assert by_hand("apac", "region") not in lossreport.to_json(made_private(plain, 12_000))


def test_no_group_is_large_enough() -> None:
    frame = pl.DataFrame({"actual": 0.0, "predicted": [1.0, 2, 4] * 20, "g": ["a", "b", "c"] * 20})
    report = lossreport.report(frame, by="g", private=True)
    assert prediction_of(report).groupings[0].groups == ()
    assert "No group has the 50 rows that a private report asks for" in lossreport.render_page(
        report
    )
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(lossreport.to_json(report)))


def test_files_keys_and_models_of_a_joined_log_are_hidden(tmp_path: Path) -> None:
    n = 400
    keys = [f"key{i}Secret" for i in range(n)]
    log, truth = tmp_path / "PredictionsSecret.csv", tmp_path / "ActualsSecret.csv"
    pl.DataFrame({"id": keys, "p": 1.0, "q": [1.0 + i % 7 for i in range(n)]}).write_csv(log)
    pl.DataFrame({"id": [*keys[5:], "goneSecret"], "actual": 2.0}).write_csv(truth)
    options = {"actuals": truth, "on": "id", "predicted": ["p", "q"], "by": ""}
    plain = lossreport.report(log, **options)
    report = lossreport.report(log, **options, private=True)
    for form in (lossreport.to_json, lossreport.render_page, lossreport.to_text):
        assert "Secret" in form(plain)
        assert "Secret" not in form(report)
    assert not any("Secret" in text for text in lossreport.to_csv(report).values())
    assert report.joins[0].unmatched == plain.joins[0].unmatched == 1


def test_options_that_undo_it_are_refused(run: Run, tmp_path: Path) -> None:
    ran = run(EXAMPLES / "apples.csv", "--private", "--profile", tmp_path / "a.parquet")
    assert ran.code == 2
    assert "a profile holds names and rows" in ran.err
    assert "--min-group is for --private" in run(EXAMPLES / "apples.csv", "--min-group", "9").err
    assert run(EXAMPLES / "apples.csv", "--private", "--min-group", "1").code == 2


def rows_between(told: Iterable[float], n: int) -> list[float]:
    """Return how many rows lie before, between and after places counted from one end."""
    places = [0.0, *sorted(told), float(n)]
    return [b - a for a, b in itertools.pairwise(places)]


@pytest.mark.parametrize("least", [20, 50, 120])
def test_curves_tell_of_no_fewer_rows_than_asked_for(least: int) -> None:
    report = lossreport.report(rich_frame(), **RICH)
    prediction = prediction_of(made_private(report, least))
    n = prediction.overall.n
    sizes = {(g.by, x.key): x.figures.n for g in prediction.groupings for x in g.groups}
    assert prediction.exceedance
    for curve in prediction.exceedance:
        rows = sizes[curve.by, curve.key]
        assert len(curve.points) >= 3
        assert min(rows_between([s * rows for _, s in curve.points], rows)) > least - 1
    law = NormalDist()
    beyond = [law.cdf(q.gaussian) * n for q in prediction.quantiles]
    assert min(rows_between(beyond, n)) >= least
    held = [s.rows * n for s in prediction.lorenz]
    assert [x for x in rows_between(held, n) if x > 1e-6]
    assert min(x for x in rows_between(held, n) if x > 1e-6) > least - 1


def test_a_short_stretch_of_time_is_not_the_difference_to_the_whole() -> None:
    days = [0] * 300 + [1] * 400 + [2] * 200 + [3] * 7
    frame = pl.DataFrame(
        {"actual": 0.0, "predicted": [1.0 + i % 5 for i in range(907)]}
    ).with_columns(time=pl.datetime(2031, 6, 1) + pl.duration(days=pl.Series(days)))
    report = lossreport.report(frame, by="", time="time")
    assert len(prediction_of(report).timeline) == 4
    private = prediction_of(made_private(report)).timeline
    assert [p.start[:10] for p in private] == ["2031-06-01", "2031-06-02"]


def test_a_small_band_of_predictions_is_not_the_difference_to_the_whole() -> None:
    sizes = {10.0: 300, 20.0: 200, 40.0: 100, 80.0: 9}
    predicted = [v for v, n in sizes.items() for _ in range(n)]
    actual = [v * (1 + 0.1 * (i % 7 - 3)) for i, v in enumerate(predicted)]
    report = lossreport.report(pl.DataFrame({"actual": actual, "predicted": predicted}), by="")
    levels = prediction_of(made_private(report)).levels
    assert levels
    assert [b.rows for b in levels.levels.bands] == [300, 200]
    assert "16.0 to 22.6" in levels.sentences[0]
    assert prediction_of(made_private(report, 300)).levels is None


def test_a_slice_that_leaves_few_rows_of_its_group_is_not_told() -> None:
    report = lossreport.report(rich_frame(), **RICH)
    plain = prediction_of(report)
    assert plain.slices
    (one,) = plain.slices.found
    groups = {(g.by, x.key): x.figures.n for g in plain.groupings for x in g.groups}
    shop = groups[("shop",), ("Yttrium",)]

    def told(rows: int, least: int) -> int:
        slices = dataclasses.replace(plain.slices, found=(dataclasses.replace(one, rows=rows),))
        changed = dataclasses.replace(plain, slices=slices)
        hidden = made_private(dataclasses.replace(report, predictions=(changed,)), least)
        found = prediction_of(hidden).slices
        assert found
        return len(found.found)

    assert told(one.rows, one.rows) == 1
    assert told(one.rows, one.rows + 1) == 0
    assert told(shop - 60, 60) == 1
    assert told(shop - 60, 61) == 0
    assert told(shop, 61) == 1


def test_rows_that_few_groups_share_are_not_told() -> None:
    report = lossreport.report(rich_frame(), **RICH)
    a = prediction_of(report)
    assert a.attribution
    assert a.attribution.without
    outside = a.attribution.without.n
    both = sum(o.rows for o in a.attribution.origins) - (a.overall.n - outside)
    for least, known in ((both, True), (both + 1, False)):
        b = prediction_of(made_private(report, least))
        assert (b.attribution is not None) == known
        of_groups = [x.without_source for g in b.groupings for x in g.groups]
        for group, outside_of in zip(
            [x for g in b.groupings for x in g.groups], of_groups, strict=True
        ):
            if outside_of is not None:
                inside = group.figures.n - outside_of.n
                assert inside == 0 or inside >= least


def test_models_that_differ_by_few_rows_are_not_compared() -> None:
    rng = np.random.default_rng(2)
    n = 500
    frame = pl.DataFrame({"actual": rng.normal(0, 1, n)}).with_columns(
        p=pl.Series(rng.normal(0, 1, n)),
        q=pl.Series([None] * 60 + rng.normal(0, 2, n - 60).tolist()),
    )
    report = lossreport.report(frame, actual="actual", predicted=["p", "q"], by="")
    assert report.comparison
    for least, known in ((60, True), (61, False)):
        private = made_private(report, least)
        assert (private.comparison is not None) == known
        assert any("Models are not compared" in note for note in private.notes) != known


def test_a_model_that_is_a_small_group_is_not_compared() -> None:
    frame = rich_frame().with_columns(
        model=pl.when(pl.int_range(12_000) % 200 == 0).then(pl.lit("Umbra")).otherwise(
            pl.lit("Tundra")
        ),
        id=pl.int_range(12_000),
    )  # fmt: skip
    report = lossreport.report(frame, **RICH)
    assert report.comparison
    assert made_private(report, 60).comparison
    assert made_private(report, 61).comparison is None
