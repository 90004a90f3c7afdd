"""Private reports: nothing of a row, a small group, a group's name or a path is in any form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

import lossreport
from lossreport.reports.private import made_private
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


@pytest.fixture
def told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, str]]:
    """Make every form of a report and return its texts."""
    log, drawn = secret_log(tmp_path), list[Figure]()
    save = Figure.savefig

    def savefig(self: Figure, *arguments: object, **options: object) -> None:
        drawn.append(self)
        save(self, *arguments, **options)  # type: ignore[arg-type]

    def make(*options: str) -> dict[str, str]:
        made = tmp_path / "made"
        made.mkdir(exist_ok=True)
        drawn.clear()
        monkeypatch.setattr(Figure, "savefig", savefig)
        ran = run(
            log, "--id", "id", "--by", "country", "--by", "@file", "--time", "time",
            "--markdown", made / "a.md", "--text", made / "a.txt", "--card", made / "a.png",
            "--csv", made / "tables", *options,
        )  # fmt: skip
        assert ran.code == 0, ran.err
        jsonschema.Draft202012Validator(SCHEMA).validate(ran.json)
        texts = {p.name: p.read_text("utf-8") for p in made.rglob("*.*") if p.suffix != ".png"}
        card = "\n".join(t.get_text() for f in drawn for t in f.texts)
        out = ran.out.split("\nWrote ")[0]
        return {**texts, "html": ran.html, "json": json.dumps(ran.json), "card": card, "out": out}

    return make


def test_no_secret_is_in_any_form(told: Callable[..., dict[str, str]]) -> None:
    open_forms = told()
    everything = "\n".join(open_forms.values())
    missing = [s for s in SECRETS if s not in everything]
    assert not missing  # else nothing is tested
    for form, text in told("--private").items():
        found = [s for s in SECRETS if s in text]
        assert not found, (form, found)


def test_every_form_says_that_it_is_private(told: Callable[..., dict[str, str]]) -> None:
    forms = told("--private", "--min-group", "60")
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
