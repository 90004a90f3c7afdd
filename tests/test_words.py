"""The words of every output: plain, explained, and none that claim more than was found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.advice import choice, gap, picking, shape, usual
from lossreport.advice.advice import GOALS
from lossreport.losses import HUBER_BEATS_L2, SE_LOG_RATIO
from lossreport.render.markdown import to_markdown
from lossreport.render.terminal import summary
from lossreport.reports.results import Report
from tests import simulated
from tests.conftest import EXAMPLES
from tests.simulated_errors import lopsided

BANNED = re.compile(r"optimal|significan|outliers? detected|exponential", re.IGNORECASE)


def frame_of(errors: np.ndarray, **columns: object) -> pl.DataFrame:
    actual = np.random.default_rng(1).normal(100, 20, len(errors))
    return pl.DataFrame({"actual": actual, "predicted": actual + errors, **columns})


def logs() -> Iterator[tuple[str, object, dict[str, object]]]:
    for law, goal in zip(simulated.LAWS, (*GOALS, *GOALS, *GOALS), strict=False):
        yield f"{law}, {goal}", simulated.clean(law, 1, 1200), {"by": "site", "goal": goal}
    rng = np.random.default_rng(2)
    apart = rng.normal(size=900)
    apart[:4] = 5000
    scales = np.repeat(np.geomspace(0.3, 3, 10), 300)
    chance = rng.random(900)
    by = {"g": np.repeat(list("abcdefghij"), 300)}
    yield "rows apart", frame_of(apart), {"by": ""}
    yield "costs", frame_of(lopsided()), {"by": "", "costs": (3.0, 1.0)}
    yield "costs, few rows", frame_of(apart[:80]), {"by": "", "costs": (99.0, 1.0)}
    yield "depends", frame_of(-rng.lognormal(size=2000)), {"by": ""}
    yield "weights", frame_of(rng.normal(size=3000) * scales, **by), {"by": "g"}
    yield "biased", frame_of(5 + rng.normal(size=900)), {"by": ""}
    yield "zeros", frame_of(np.where(chance < 0.3, 0.0, rng.normal(size=900))), {"by": ""}
    yield "few", frame_of(apart[:12]), {"by": ""}
    yield "one", frame_of(apart[:1]), {"by": ""}
    yield "none", frame_of(apart[:0]), {"by": ""}
    yield "perfect", frame_of(np.zeros(90)), {"by": ""}
    yield "beyond floats", frame_of(np.array([1e200, *apart])), {"by": ""}
    outcome = (rng.random(900) < chance).astype(float)
    yield "probabilities", pl.DataFrame({"actual": outcome, "predicted": chance}), {"by": ""}


REPORTS = list(logs())


class Text(HTMLParser):
    """Collects what a reader sees, and links within the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.hidden = tag in ("style", "script")
        self.ids.add(found.get("id") or "")
        if (found.get("href") or "").startswith("#"):
            self.links.add((found["href"] or "")[1:])

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())


@cache
def report_of(i: int) -> Report:
    _, log, options = REPORTS[i]
    return lossreport.report(log, **options)


@pytest.mark.parametrize("i", range(len(REPORTS)), ids=[name for name, _, _ in REPORTS])
def test_no_output_claims_more_than_was_found(i: int) -> None:
    report = report_of(i)
    page = Text(lossreport.render_page(report))
    for text in (page.text, summary(report), to_markdown(report), lossreport.to_json(report)):
        assert not BANNED.search(text), BANNED.search(text)
        assert not re.search(r"\b(nan|None|inf)\b(?! of)", text)
    assert page.links <= page.ids


def sentences(report: Report) -> Iterator[str]:
    for p in report.predictions:
        yield p.verdict.headline
        yield p.verdict.why
        yield from p.verdict.points
        yield p.recommendation.headline
        yield from p.recommendation.because
        for goal in p.goals:
            yield from (f"It moves {goal.moves}.", f"The price: {goal.price}.")
        if p.seen:
            yield p.seen.sentence


@pytest.mark.parametrize("i", range(len(REPORTS)), ids=[name for name, _, _ in REPORTS])
def test_what_speaks_of_size_says_it(i: int) -> None:
    for sentence in sentences(report_of(i)):
        assert sentence == "" or sentence[-1] in ".?!", sentence
        for part in re.split(r"(?<=[.]) ", sentence):
            if re.search(r"\b(times|more than|share|mean error|largest)\b", part):
                assert re.search(r"\d|half|quarter|million|Repaired", part), sentence


def test_every_verdict_that_the_advice_can_give_is_among_them() -> None:
    reports = [report_of(i) for i in range(len(REPORTS))]
    given = {p.recommendation.advice.verdict for r in reports for p in r.predictions}
    assert given >= {
        "clear", "depends", "check-rows-first", "weights", "quantile", "not-enough-rows", "cannot-say", "probabilities",
    }  # fmt: skip


@pytest.fixture(scope="module")
def page() -> str:
    report = lossreport.report(str(EXAMPLES / "deliveries.parquet"), by=["region"])
    return lossreport.render_page(report)


def test_first_uses_are_linked_to_the_glossary(page: str) -> None:
    found = Text(page)
    used = {link for link in found.links if link.startswith("term-")}
    assert used >= {f"term-{t}" for t in ("ratio", "mae", "rmse", "bias", "scored", "gaussian", "huber", "delta", "rows-needed", "flagged", "source", "affected", "centred")}  # fmt: skip
    assert used <= found.ids


def test_the_glossary_has_every_word_it_promises(page: str) -> None:
    glossary = Text(page[page.index('id="glossary"') :]).text
    for word in (
        "MAE, L1", "MSE, L2", "RMSE", "Ratio", "Huber", "Delta", "Bias", "Quantile loss", "Robust standard deviation",
        "Efficiency", "Rows needed", "flagged", "Source", "Affected", "Weighted", "Profile", "Ledger", "Finding", "Goal", "Confidence",
    ):  # fmt: skip
        assert word.lower() in glossary.lower(), word


def test_the_methods_say_the_constants_that_the_code_has(page: str) -> None:
    methods = Text(page[page.index('id="methods"') : page.index('id="glossary"')]).text
    for value in (
        shape.MINIMUM_ROWS, f"{100 * shape.SPIKE:g}%", shape.OFF_LEVEL, f"{100 * gap.MOST_ROWS:g}%", gap.CHANCE,
        choice.K, picking.RHO, usual.PRIOR_ROWS, picking.TIE, choice.BETWEEN, f"{100 * picking.AS_GOOD:g}%",
        f"{100 * picking.CLEARLY_WORSE:g}%", picking.AIM_ROWS, HUBER_BEATS_L2, SE_LOG_RATIO, *choice.OTHER_K, *usual.PRIOR, usual.FAMILY_ROWS,
    ):  # fmt: skip
        assert str(value) in methods, value
    for name in ("Huber 1964", "Hall and Sheather", "Geary", "Benjamini and Hochberg", "Rényi", "Koenker and Bassett", "independent"):  # fmt: skip
        assert name in methods


def test_hostile_column_names_stay_code_in_the_settings() -> None:
    names = ("a`b```", "</pre><script>alert(1)</script>", "m\u202eo")
    rng = np.random.default_rng(5)
    scales = np.repeat(np.geomspace(0.3, 3, 10), 300)
    group = np.repeat(list("abcdefghij"), 300)
    for name in names:
        frame = frame_of(rng.normal(size=3000) * scales).with_columns(pl.Series(name, group))
        report = lossreport.report(frame, by=[(name,)])
        (prediction,) = report.predictions
        assert prediction.settings[0].loss == "weighted L2"
        html, markdown = lossreport.render_page(report), to_markdown(report)
        assert "<script>alert" not in html
        assert "\u202e" not in html + markdown
        opening = re.search(r"^(`{3,})python$", markdown, re.MULTILINE)
        assert opening
        block = markdown[opening.end() :]
        assert opening[1] not in block[: block.index(f"\n{opening[1]}\n")]
        assert repr(name)[1:-1] in block
