"""The Markdown: its form, its limit, and that nothing of the log is Markdown."""

from __future__ import annotations

import polars as pl
import pytest

import lossreport
from lossreport.render.markdown import LONGEST, _text
from tests.conftest import EXAMPLES


def test_verdict_in_bold_then_a_table_with_and_without_the_source_then_bullets() -> None:
    report = lossreport.report(EXAMPLES / "deliveries.parquet", by=["region", "model"], unit="min")
    lines = lossreport.to_markdown(report).split("\n")
    prediction = report.predictions[0]
    assert lines[4].startswith("**\u26a0 102 rows of 99,224")
    assert lines[4].endswith("**")
    table = lines.index("| | all rows | without region = apac | |")
    few = prediction.concentration
    assert few is not None
    assert few.place is not None
    ratios = f"{prediction.overall.ratio:.2f} | {few.place.without.ratio:.2f}"
    assert lines[table + 2].startswith(f"| RMSE ÷ MAE | {ratios} | ")
    assert lines[table + 4] == "| MAE | 2.18 min | 1.88 min | L1 |"
    after = [x for x in lines[table:] if x.startswith("- ")]
    assert len(after) >= len(prediction.verdict.points)


def test_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    n, models, longest = 60, 60, LONGEST // 5
    monkeypatch.setattr("lossreport.render.markdown.LONGEST", longest)
    frame = pl.DataFrame({"actual": [float(i) for i in range(n)]}).with_columns(
        (pl.col("actual") + i % 5 + (pl.col("actual") % 3)).alias(f"model {i} {'m' * 60}")
        for i in range(models)
    )
    report = lossreport.report(frame, actual="actual", predicted=frame.columns[1:], by="")
    text = lossreport.to_markdown(report)
    assert len(text.encode()) <= longest + 50
    last = text.rstrip("\n").split("\n")[-1]
    left = int(last.removeprefix("*Cut here: ").removesuffix(" more lines.*").replace(",", ""))
    whole = sum(len(x) > 0 for x in text.split("\n")) - 1 + left
    assert left > 0
    assert whole >= 6 * models


def test_what_is_cut_in_a_block_of_code_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    report = lossreport.report(EXAMPLES / "deliveries.parquet", by="region")
    whole = lossreport.to_markdown(report)
    inside = whole.index("```python") + 40
    monkeypatch.setattr("lossreport.render.markdown.LONGEST", len(whole[:inside].encode()))
    text = lossreport.to_markdown(report)
    assert text.count("```") == 2
    assert text.index("*Cut here") > text.rindex("```")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a|b`c<d>[e](f)@g", r"a\|b\`c&lt;d&gt;\[e\](f)&#64;g"),
        ("- x", r"\- x"),
        ("+ x", r"\+ x"),
        ("1. x", r"1\. x"),
        ("12) x", r"12\) x"),
        ("===", r"\==="),
        ("---", r"\---"),
        ("# x", r"\# x"),
        ("    code", "code"),
        ("a\n\n# b", r"a␤␤\# b"),
        ("+0.05", "+0.05"),
        ("4.84", "4.84"),
        (
            "https://evil.example www.evil.example",
            "https:&#47;&#47;evil.example www&#46;evil.example",
        ),
        ("~~a~~ $b$ *c* _d_ {e} ! \\", r"\~\~a\~\~ \$b\$ \*c\* \_d\_ \{e\} \! \\"),
    ],
)
def test_text_is_not_markdown(raw: str, shown: str) -> None:
    assert _text(raw) == shown
