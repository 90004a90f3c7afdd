"""The picture for chats: its size, its bytes, and that all text stays inside it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

import lossreport
from tests.conftest import EXAMPLES, Ran

Run = Callable[..., Ran]
N = 3000
RNG = np.random.default_rng(0)
ACTUAL = RNG.normal(100, 10, N)
CALM = ACTUAL + RNG.normal(0, 1, N)
SPOILT = CALM + np.where(np.arange(N) < 20, 500, 0)
LONG = "$x$ <b>\x1b[31m\u202e" + "w" * 300


def frame(actual: object, predicted: object, group: object = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"actual": actual, "predicted": predicted, "g": group},
        schema_overrides={"actual": pl.Float64, "predicted": pl.Float64, "g": pl.String},
    )


GROUPS = np.where(np.arange(N) < 300, "東京🚀" * 30, LONG)
CASES = {
    "few rows in a group of wide characters": frame(1e5 * ACTUAL, 1e5 * SPOILT, GROUPS),
    "no groups": frame(ACTUAL, SPOILT),
    "no few rows": frame(ACTUAL, CALM),
    "no valid row": frame([None, None], [1.0, None]),
    "three rows": frame([100, 100, 100], [90, 95, 105]),
    "beyond the range of squares": frame([1e200] * 60, [-1e200] * 60),
    "perfect": frame(ACTUAL, ACTUAL),
}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Keep the figures that are saved."""
    kept: list[Figure] = []
    save = Figure.savefig

    def savefig(self: Figure, *arguments: object, **options: object) -> None:
        kept.append(self)
        save(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", savefig)
    return kept


def texts(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.texts]


@pytest.mark.parametrize("case", CASES)
def test_all_text_is_inside_and_no_two_lie_on_each_other(case: str, drawn: list[Figure]) -> None:
    by = "g" if CASES[case]["g"].null_count() == 0 else ""
    report = lossreport.report(CASES[case], by=by, title=LONG + "日本 " * 90, unit="€/m² $x$ <b>")
    png = lossreport.to_png(report)
    assert imread(io.BytesIO(png)).shape[:2] == (630, 1200)
    boxes = [t.get_window_extent() for t in drawn[0].texts]
    for i, box in enumerate(boxes):
        assert box.x0 >= 15
        assert box.x1 <= 1190
        assert box.y0 >= 4
        assert box.y1 <= 626
        for other in boxes[:i]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            assert across <= 0 or min(box.y1, other.y1) - max(box.y0, other.y0) <= 3
    assert not any(c in "\x1b\u202e東🚀" for text in texts(drawn[0]) for c in text)


def test_the_same_report_gives_the_same_bytes_and_no_date() -> None:
    report = lossreport.report(EXAMPLES / "deliveries.parquet", by="region")
    png = lossreport.to_png(report)
    assert png == lossreport.to_png(report)
    assert png.startswith(b"\x89PNG")
    assert b"Software\x00lossreport " in png
    assert b"tIME" not in png
    assert b"Creation" not in png


def test_it_says_the_verdict_the_shares_and_the_figures(drawn: list[Figure]) -> None:
    report = lossreport.report(EXAMPLES / "deliveries.parquet", by="region", unit="min")
    lossreport.to_png(report)
    said = texts(drawn[0])
    prediction = report.predictions[0]
    few = prediction.concentration
    assert few is not None
    assert few.place is not None
    assert prediction.verdict.tag in said
    assert prediction.verdict.headline in " ".join(said)
    assert f"{100 * few.share_of_sq_error:.1f}% of the squared error (L2)" in said
    assert "without apac" in said
    assert f"{prediction.overall.ratio:.2f}" in said
    assert f"{few.place.without.ratio:.2f}" in said
    assert "in min" in said
    widths = [p.get_width() for p in drawn[0].artists]
    assert any(w == pytest.approx(621 / 1200 * few.share_of_sq_error) for w in widths)
    assert " ".join(said).find("Also: ") > 0


def test_it_replaces_its_own_picture_only(run: Run, tmp_path: Path) -> None:
    card = tmp_path / "card.png"
    assert run(EXAMPLES / "apples.csv", "--card", card).code == 0
    assert run(EXAMPLES / "apples.csv", "--card", card).code == 0
    other = Figure()
    other.savefig(card, format="png")
    assert run(EXAMPLES / "apples.csv", "--card", card).code == 2
