"""The text for e-mails: 72 columns, and no line that mail programs act on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossreport
from lossreport.formats import number
from lossreport.render.plain_text import PLAIN, WIDTH, _filled, _safe, columns_of
from tests.conftest import EXAMPLES, Ran

Run = Callable[..., Ran]


def test_it_says_what_the_page_says_in_72_columns() -> None:
    report = lossreport.report(EXAMPLES / "deliveries.parquet", by=["region", "model"], unit="min")
    text = lossreport.to_text(report)
    words = " ".join(text.split())
    verdict = report.predictions[0].verdict
    for sentence in (verdict.headline, verdict.why, *verdict.points):
        assert sentence.replace("\u2212", "-") in words
    assert "100,000 rows read = 99,224 scored + 776 left out" in words
    assert max(map(columns_of, text.splitlines())) <= WIDTH
    assert text.isascii()
    assert "MAE in min." in text


@pytest.mark.parametrize("name", ["b", "東" * 40, "~ \n.x" * 20])
def test_compared_models_come_first_and_fit(name: str) -> None:
    random = np.random.default_rng(1)
    actual = 1e8 * random.normal(size=2000)
    frame = pl.DataFrame(
        {
            "actual": actual,
            "a": actual + random.normal(size=2000) * 1e7,
            name: actual + random.laplace(size=2000) * 2e7,
        }
    )
    report = lossreport.report(frame, predicted=["a", name], by="", unit="EUR")
    text = lossreport.to_text(report)
    words, found = " ".join(text.split()), report.comparison
    assert found
    for sentence in (found.headline, found.why, *found.points, found.how):
        plain = " ".join(sentence.translate(PLAIN).split())
        # Words longer than a line are broken.
        assert plain.replace(" ", "") in words.replace(" ", "")
    first, second = found.models
    assert words.index(f"a {number(first.mae)} 1 {number(first.rmse, first.mae)} 1") < (
        words.index(f" {number(second.mae)} 2 {number(second.rmse, second.mae)} 2")
    )
    assert words.index(found.headline[:20]) < words.index("== a ==")
    assert max(map(columns_of, text.splitlines())) <= WIDTH


@pytest.mark.parametrize("line", ["From me", ".", "~!rm"])
def test_no_line_begins_with_what_mail_programs_act_on(line: str) -> None:
    assert _safe(line) == f" {line}"
    assert _safe("From") == "From"


def test_hostile_names_stay_in_their_lines() -> None:
    names = ["\n.\n~!rm", "~!rm -rf", ".", "From me", "東" * 90, "x" * 300, "\x1b[31mred"]
    n = 60 * len(names)
    frame = pl.DataFrame(
        {
            "actual": 0.0,
            "predicted": [1.0 + i % 7 for i in range(n)],
            "~g": [names[i % len(names)] for i in range(n)],
        }
    )
    for title in ("~!x", "\n.\nFrom a", "東 " * 80):
        text = lossreport.to_text(lossreport.report(frame, by="~g", title=title, unit="~"))
        lines = text.split("\n")
        assert max(map(columns_of, lines)) <= WIDTH
        assert not [x for x in lines if x.startswith((".", "~", "From "))]
        assert not set(text) & set("\x1b\r\t")
        assert lines[0].startswith("[lossreport] ")


@given(
    st.text(st.sampled_from("ab .~東\u0301🚀F"), max_size=400) | st.just("From " * 40),
    st.integers(0, 7),
)
def test_filled_text_has_every_word_and_fits(text: str, indent: int) -> None:
    filled = _filled(text, indent)
    assert all(columns_of(_safe(line)) <= WIDTH for line in filled.split("\n"))
    assert "".join(filled.split()) == "".join(text.split())


def test_its_own_text_is_replaced_and_no_other(run: Run, tmp_path: Path) -> None:
    made = tmp_path / "mail.txt"
    assert run(EXAMPLES / "apples.csv", "--text", made).code == 0
    assert run(EXAMPLES / "apples.csv", "--text", made).code == 0
    made.write_text("A letter about [lossreport] things.\n", "utf-8")
    assert run(EXAMPLES / "apples.csv", "--text", made).code == 2
