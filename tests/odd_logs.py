"""Odd logs for the page: hostile, none, perfect, several models, probabilities, 10,000 groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

EXAMPLES = Path(__file__).parent.parent / "example_logs"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(2)</script>',
    "</script></style></svg><script>alert(3)</script>",
    "{{ 7 * 7 }}",
    "]]>",
    "$x^2$ and a$b$c",
    "\x0b\x1b[31mred",
    "\u202egnp.exe",
    "a\nb\r\nc",
    "' onmouseover='alert(4)",
    "&lt;b&gt;&amp;",
    "😀 漢字",
    "**bold** [link](http://localhost/)|`code`",
    "x" * 10_000,
)
"""Markup, script, quotes, templates, formulas, terminal escapes, bidi, newlines, Markdown, length."""
COLUMNS = ('<b onclick="alert(5)">actual', "predicted\u202e</title>", "g\n'\"<svg>", "w" * 300)
FILE = "<svg onload=alert(6)>.parquet"
TITLE = "</title><script>alert(7)</script>"
UNIT = "<i onclick=a()>€"


def hostile(folder: Path) -> list[object]:
    """Write a log hostile in all that a log and a command can say; return the command's words."""
    actual, predicted, group, wide = COLUMNS
    n = 60 * len(HOSTILE)
    texts = [str(i % 17) for i in range(n)]
    for i, token in enumerate(HOSTILE):
        texts[97 * i % n : 97 * i % n + 3] = [token] * 3
    off = [500 * (i % 42 == 0) for i in range(n)]
    pl.DataFrame(
        {
            actual: texts,
            predicted: [float(i * 7 % 23) + off[i] for i in range(n)],
            group: list(HOSTILE) * 60,
            wide: ["p", "q"] * (n // 2),
        }
    ).write_parquet(folder / FILE)
    return [
        folder / FILE, "--actual", actual, "--predicted", predicted, "--by", group, "--by", wide,
        "--title", TITLE, "--unit", UNIT,
    ]  # fmt: skip


def _written(folder: Path, **columns: object) -> Path:
    path = folder / "log.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def no_row(folder: Path) -> list[object]:
    """Write a log of which no row can be scored."""
    actual = [None, "n/a"] * 50
    return [_written(folder, actual=actual, predicted=[1.5] * 100, region=["a", "b"] * 50)]


def one_row(folder: Path) -> list[object]:
    """Write a log of one row."""
    return [_written(folder, actual=[12.0], predicted=[15.0])]


def perfect(folder: Path) -> list[object]:
    """Write a log without any error."""
    values = np.random.default_rng(1).normal(10, 3, 500).round(1)
    return [_written(folder, actual=values, predicted=values, region=["a", "b"] * 250)]


def models(folder: Path) -> list[object]:
    """Write a log of two models over time, one of which has the smaller MAE, the other RMSE."""
    random, n = np.random.default_rng(1), 3000
    actual = random.lognormal(3, 0.7, n)
    hours = pl.Series([1_767_225_600_000 + i * 3_600_000 for i in range(n)]).cast(pl.Datetime("ms"))
    log = _written(
        folder, y_true=actual, steady=actual + random.normal(0, 4, n),
        wild=actual + 2 * random.standard_t(2.2, n), shop=["north", "south", "east"] * 1000,
        time=hours,
    )  # fmt: skip
    return [log, "--predicted", "steady", "--predicted", "wild", "--by", "shop"]


def probabilities(folder: Path) -> list[object]:
    """Write a log of outcomes and their probabilities."""
    random, n = np.random.default_rng(1), 3000
    chance = random.beta(1, 8, n)
    outcome = (random.random(n) < chance).astype(int)
    return [_written(folder, label=outcome, prediction=chance, channel=["web", "app"] * 1500)]


def many_groups(folder: Path) -> list[object]:
    """Write a log of 10,000 groups."""
    random, n = np.random.default_rng(1), 60_000
    actual, user = random.gamma(3, 30, n), np.arange(n) % 10_000
    predicted = actual + random.normal(0, 5, n) * (1 + 3 * (user % 97 == 0))
    names = [f"user-{u:05d}" for u in user]
    return [_written(folder, actual=actual, predicted=predicted, user=names), "--by", "user"]


def private(folder: Path) -> list[object]:
    """Return the words for a private report, whose smaller groups are one sum."""
    return [EXAMPLES / "deliveries.parquet", "--private", "--min-group", "2000"]


def sources(folder: Path) -> list[object]:
    """Return the words for a log whose large errors have one source."""
    return [EXAMPLES / "deliveries.parquet"]


def no_groups(folder: Path) -> list[object]:
    """Return the words for a log that is not grouped."""
    return [EXAMPLES / "ton_fee.csv", "--by", ""]


PAGES = {
    made.__name__: made
    for made in (
        sources, no_groups, models, no_row, one_row, perfect, hostile, probabilities, many_groups,
        private,
    )
}  # fmt: skip
"""What makes the words of the command, by the page's name."""
